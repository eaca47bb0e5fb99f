"""Reads that are built once: a queryset with blanks in place of what differs from one asking to the next.

Django builds the SQL of a queryset anew each time it is asked, PostgreSQL parses and plans it anew, and both take
longer than finding a few rows by their key. What every page reads is built once a process and planned once a
connection:

    @kept
    def of_subject(subject: str) -> QuerySet[Entry]:
        return Entry.objects.filter(subject=subject).order_by("at", "id")

    of_subject("HD-1042")   # a list

Positional arguments fill the blanks: texts, numbers, instants, UUIDs and lists of numbers, never None. Keyword
arguments decide what the statement is; each combination is built for itself. The statement is the ORM's own, so that
what a person may see is decided where it always is (`visible_to`).
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import CursorMixin
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators
from psycopg import sql

Row = TypeVar("Row", bound=Model)
# What stands in a blank's place while a statement is built, by its number; no row ever holds it.
BLANKS: dict[type, Callable[[int], Any]] = {
    int: lambda n: 1_999_999_900 + n,
    str: lambda n: f"\ue000 blank {n}",
    datetime: lambda n: datetime(1, 1, 1, second=n, tzinfo=UTC),
    UUID: lambda n: UUID(int=n + 1),
    list: lambda n: [1_999_999_900 + n],
}


# An action writes so many rows of a kind; more of them are no use as a statement of their own.
FEW = 8


class Kept(Generic[Row]):
    """Asks one statement each time it is called; returns its rows as the queryset would."""

    def __init__(self, rows: Callable[..., QuerySet[Row]]) -> None:
        self.rows = rows
        self.plans: dict[Any, _Plan] = {}
        self.__doc__ = rows.__doc__

    def __call__(self, *values: Any, **shape: Any) -> list[Row]:
        key = tuple(shape.items())
        if key not in self.plans:
            self.plans[key] = _plan(self.rows, values, shape)
        plan = self.plans[key]
        found = fetched(plan.text, [values[number] for number in plan.order])
        return list(plan.objects(found))


def kept(rows: Callable[..., QuerySet[Row]]) -> Kept[Row]:
    return Kept(rows)


def fetched(text: str, values: Any = None) -> list[Any]:
    """The rows of a fixed statement that PostgreSQL plans once a connection."""
    with _executed(text, values) as cursor:
        rows: list[Any] = cursor.fetchall()
        return rows


def done(text: str, values: Any) -> int:
    """Does a fixed statement that gives nothing back; returns how many rows it wrote."""
    with _executed(text, values) as cursor:
        return int(cursor.rowcount)


def draw(rows: Sequence[Model]) -> None:
    """Draws the numbers of rows that are written later, so that others may point at them before. One statement.

    A number that is drawn and not used is a gap, as after any transaction that was undone.
    """
    if not rows:
        return
    meta = rows[0]._meta
    drawn = "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)"
    for row, (found,) in zip(rows, fetched(drawn, [meta.db_table, meta.pk.column, len(rows)]), strict=True):
        row.pk = found


def insert(
    rows: Sequence[Model], *, unique: tuple[str, ...] = (), update: tuple[str, ...] = (), numbered: bool = False
) -> None:
    """Writes new rows of one model, all of their columns, and gives them their numbers, unless they are `numbered`
    already. One statement.

    Where there is one with the same columns `unique`, its columns `update` become those of the new one. Many rows go
    Django's way, which is made for them.
    """
    if not rows:
        return
    model = type(rows[0])
    if len(rows) > FEW:
        twins: dict[str, Any] = {"update_conflicts": True, "unique_fields": unique, "update_fields": update}
        model._default_manager.bulk_create(rows, **(twins if unique else {}))
        return
    text, fields = _inserting(model, len(rows), unique, update, numbered=numbered)
    db = _db()
    values = [f.get_db_prep_save(f.pre_save(row, True), db) for row in rows for f in fields]
    for row, found in zip(rows, fetched(text, values), strict=True):
        # Its number, and what the database reckons by itself.
        for field, value in zip(model._meta.db_returning_fields, found, strict=True):
            setattr(row, field.attname, value)
        row._state.adding, row._state.db = False, "default"


def update(row: Model, names: Iterable[str]) -> None:
    """Writes some columns of a row that is there. One statement."""
    text, fields = _updating(type(row), tuple(names))
    db = _db()
    done(text, [*(f.get_db_prep_save(f.pre_save(row, False), db) for f in fields), row.pk])


def update_all(rows: Sequence[Model], names: Iterable[str]) -> None:
    """Writes some columns of many rows of one model. One statement: the ORM's own takes a branch a row and column."""
    if not rows:
        return
    text, fields = _updating_all(type(rows[0]), tuple(names))
    db = _db()
    columns = [[f.get_db_prep_save(f.pre_save(row, False), db) for row in rows] for f in fields]
    done(text, [[row.pk for row in rows], *columns])


@lru_cache(maxsize=256)
def _updating_all(model: type[Model], names: tuple[str, ...]) -> tuple[str, list[Any]]:
    meta = model._meta
    fields = [meta.get_field(name) for name in names]
    sets = ", ".join(f'"{field.column}" = n."{field.column}"' for field in fields)  # type: ignore[union-attr]
    columns = ", ".join(f'"{field.column}"' for field in fields)  # type: ignore[union-attr]
    kinds = ", ".join(f"%s::{field.db_type(connection)}[]" for field in (meta.pk, *fields))
    # Names and types of our own tables.
    text = (
        f'UPDATE "{meta.db_table}" t SET {sets} FROM unnest({kinds}) AS n (key, {columns}) '  # noqa: S608
        f'WHERE t."{meta.pk.column}" = n.key'
    )
    return text, fields


@lru_cache(maxsize=256)
def _updating(model: type[Model], names: tuple[str, ...]) -> tuple[str, list[Any]]:
    meta = model._meta
    fields = [meta.get_field(name) for name in names]
    columns = ", ".join(f'"{field.column}" = %s' for field in fields)  # type: ignore[union-attr]
    return f'UPDATE "{meta.db_table}" SET {columns} WHERE "{meta.pk.column}" = %s', fields  # noqa: S608


@lru_cache(maxsize=256)
def _inserting(
    model: type[Model], count: int, unique: tuple[str, ...], update: tuple[str, ...], *, numbered: bool
) -> tuple[str, list[Any]]:
    meta = model._meta
    own = [field for field in meta.local_concrete_fields if not field.generated]
    fields = [field for field in own if numbered or not field.primary_key]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    places = ", ".join(["(" + ", ".join(["%s"] * len(fields)) + ")"] * count)
    sets = ", ".join(f'"{name}" = EXCLUDED."{name}"' for name in update)
    twin = f"ON CONFLICT ({', '.join(unique)}) DO UPDATE SET {sets} " if unique else ""
    told = ", ".join(f'"{field.column}"' for field in meta.db_returning_fields)
    # Names of our own tables and columns; ids are drawn in the order of the rows.
    text = f'INSERT INTO "{meta.db_table}" ({columns}) VALUES {places} {twin}RETURNING {told}'  # noqa: S608
    return text, fields


class ByPlace(CursorMixin, psycopg.RawCursor):
    """Bound by the server, and takes its statement as PostgreSQL does, $1, $2: psycopg would read those of more than
    fifty values anew each time."""


def _executed(text: str, values: Any) -> Any:
    """A cursor as Django makes them, so that tests count these statements too, with the statement done."""
    db: Any = _db()
    db.close_if_health_check_failed()
    db.ensure_connection()
    cursor = db._prepare_cursor(ByPlace(db.connection))
    if values is not None:
        text, names = _by_place(text)
        values = [values[name] for name in names] if names else values
    cursor.execute(text, values)
    return cursor


def _db() -> BaseDatabaseWrapper:
    """The connection itself: what `connection` stands for is looked up each time that anything of it is asked."""
    return connections[DEFAULT_DB_ALIAS]


@lru_cache(maxsize=512)
def _by_place(text: str) -> tuple[str, list[str]]:
    """A statement with $1 for its first value, and the names of its values in their order where it has names."""
    names: dict[str, int] = {}
    count = itertools.count(1)

    def written(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        return f"${names.setdefault(found[1], len(names) + 1) if found[1] else next(count)}"

    return re.sub(r"%%|%s|%\((\w+)\)s", written, text), list(names)


@dataclass(frozen=True)
class _Plan:
    """A statement, which value stands in which of its blanks, and what becomes of its rows."""

    text: str
    order: list[int]
    model: type[Model]
    names: list[str]
    columns: slice
    converters: list[tuple[int, Any]]
    populators: list[Any]
    more: dict[str, int]

    def objects(self, rows: list[Any]) -> Iterator[Any]:
        """What Django's ModelIterable makes of the same rows."""
        for values in rows:
            row = self._converted(values) if self.converters else values
            found = self.model.from_db("default", self.names, row[self.columns])
            for populator in self.populators:
                populator.populate(row, found)
            for name, column in self.more.items():
                setattr(found, name, row[column])
            yield found

    def _converted(self, values: Any) -> list[Any]:
        row, db = list(values), _db()
        for column, (converters, expression) in self.converters:
            for convert in converters:
                row[column] = convert(row[column], expression, db)
        return row


def _plan(rows: Callable[..., QuerySet[Any]], values: tuple[Any, ...], shape: dict[str, Any]) -> _Plan:
    blanks = [_blank(value, number) for number, value in enumerate(values)]
    compiler: Any = rows(*blanks, **shape).query.get_compiler("default")
    text, given = compiler.as_sql()
    written, order = with_blanks(text, given, blanks)
    fields = compiler.klass_info["select_fields"]
    columns = slice(fields[0], fields[-1] + 1)
    return _Plan(
        written,
        order,
        compiler.klass_info["model"],
        [one[0].target.attname for one in compiler.select[columns]],
        columns,
        list(compiler.get_converters([one[0] for one in compiler.select]).items()),
        get_related_populators(compiler.klass_info, compiler.select, "default"),  # type: ignore[call-arg]
        dict(compiler.annotation_col_map or {}),
    )


def _blank(value: Any, number: int) -> Any:
    return next(blank(number) for kind, blank in BLANKS.items() if isinstance(value, kind))


def with_blanks(text: str, given: Iterable[Any], blanks: list[Any]) -> tuple[str, list[int]]:
    """A statement in which only `blanks` are left open, and the number of the blank in each place.

    What is the same each time becomes a part of the text: an index over some statuses is found only by their names.
    """
    connection.ensure_connection()
    order: list[int] = []
    params = iter(given)

    def written(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%%"
        one = next(params)
        if one in blanks:
            order.append(blanks.index(one))
            return "%s"
        return sql.Literal(one).as_string(connection.connection).replace("%", "%%")

    return re.sub("%%|%s", written, text), order
