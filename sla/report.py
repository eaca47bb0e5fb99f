"""How well promises were kept in a window of time, counted from the stored clocks (sla.md, "Attainment").

A clock belongs to the window that contains its due time, from its start up to but without its end, and counts where it
was met or breached. What does not count is counted apart with its reason: a clock that is paused or does not apply has
no due time in a window and stands in the one in which it became so (R11). Gross counts every breach; net leaves out
those that were excused by the instant the report is of. `customers` says whose clocks, None for everybody's.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, F, Q, QuerySet, TextField, Value, When
from django.db.models.functions import TruncDate

from helpdesk.accounts.models import Customer
from sla.attainment import Attainment
from sla.models import PROMISED, Clock, Excusal, Verdict

DIMENSIONS = ("kind", "priority", "customer", "category", "engineer", "source")
COLUMNS = {name: name for name in DIMENSIONS} | {"customer": "customer_id"}
# Why a clock does not count.
OPEN, PAUSED, NOT_APPLICABLE, DRILL = "open", "paused", "n/a", "drill"
REASONS = (PAUSED, NOT_APPLICABLE, DRILL, OPEN)
Chosen = Mapping[str, Collection[Any]]
Customers = QuerySet[Customer] | None


@dataclass(frozen=True)
class Window:
    """The instants from `start` up to but without `until`. `zone` is where its days begin."""

    start: datetime
    until: datetime
    zone: str


@dataclass(frozen=True)
class Row:
    """The clocks of one key: the values of what was asked by, in its order."""

    key: tuple[Any, ...]
    gross: Attainment
    net: Attainment

    @property
    def excused(self) -> int:
        return self.gross.breached - self.net.breached

    def __add__(self, other: "Row") -> "Row":
        return Row(self.key, self.gross + other.gross, self.net + other.net)


@dataclass(frozen=True)
class Excluded:
    """So many clocks of a kind that do not count, and why."""

    reason: str
    kind: str
    count: int


def attained(
    window: Window,
    *,
    by: tuple[str, ...] = ("kind",),
    customers: Customers = None,
    kinds: Iterable[str] = PROMISED,
    chosen: Chosen | None = None,
    as_of: datetime | None = None,
) -> list[Row]:
    """The clocks decided in a window, by any of DIMENSIONS and "day". One statement, by the index on due times.

    `chosen` narrows a dimension to some of its values. Net is as of `as_of`: an excusal after it does not count yet;
    without it every excusal counts.
    """
    columns = [_column(name, window.zone) for name in by]
    rows = _counted(decided(window, customers=customers, kinds=kinds, chosen=chosen), columns, as_of)
    found = [_row(tuple(key), met, broken, gone) for *key, met, broken, gone in rows]
    return sorted(found, key=lambda row: tuple(map(str, row.key)))


def over_time(
    windows: Sequence[Window],
    *,
    customers: Customers = None,
    kinds: Iterable[str] = PROMISED,
    chosen: Chosen | None = None,
    as_of: datetime | None = None,
) -> list[Row]:
    """The clocks of each of some windows, by the window's place and kind. One statement: each reads its part of the
    index, where finding out the day of a million clocks would take longer than counting them."""
    asked: dict[str, Any] = {"customers": customers, "kinds": kinds, "chosen": chosen}
    each = [
        _counted(decided(window, **asked), [Value(place), F("kind")], as_of) for place, window in enumerate(windows)
    ]
    return [
        _row((place, kind), *counts) for place, kind, *counts in (each[0].union(*each[1:], all=True) if each else [])
    ]


def _counted(clocks: QuerySet[Clock], columns: list[Any], as_of: datetime | None) -> QuerySet[Any, Any]:
    """Met, breached and excused by these columns. Excusals are few: they are looked up for what is breached alone."""
    breached = Q(verdict=Verdict.BREACHED)
    excused = Excusal.objects.filter(at__lte=as_of) if as_of else Excusal.objects.all()
    return (
        clocks.order_by()
        .values_list(*columns)
        .annotate(
            met=Count("id", filter=Q(verdict=Verdict.MET)),
            breached=Count("id", filter=breached),
            excused=Count("id", filter=breached & Q(id__in=excused.values("breach__clock"))),
        )
    )


def _row(key: tuple[Any, ...], met: int, breached: int, excused: int) -> Row:
    gross = Attainment(met, breached)
    return Row(key, gross, gross.excused(excused))


def _column(name: str, zone: str) -> Any:
    return TruncDate("due_at", tzinfo=ZoneInfo(zone)) if name == "day" else F(COLUMNS[name])


def excluded(
    window: Window,
    *,
    customers: Customers = None,
    kinds: Iterable[str] = PROMISED,
    chosen: Chosen | None = None,
) -> list[Excluded]:
    """The clocks of a window that do not count, by reason and kind. One statement, by small indexes."""
    base = _of(customers, kinds, chosen).filter(_any_reason(window))
    reason = Case(*[When(_left_out(r, window), then=Value(r)) for r in REASONS], output_field=TextField())
    rows = base.values_list(reason, "kind").annotate(count=Count("*")).order_by()
    return sorted((Excluded(*row) for row in rows), key=lambda one: (REASONS.index(one.reason), one.kind))


def _any_reason(window: Window) -> Q:
    found = Q()
    for reason in REASONS:
        found |= _left_out(reason, window)
    return found


def _left_out(reason: str, window: Window) -> Q:
    """A drill is one whatever came of it; it stands where it is due, and while it has no due time nowhere."""
    due = Q(due_at__gte=window.start, due_at__lt=window.until)
    if reason == DRILL:
        return Q(drill=True) & due
    if reason == OPEN:
        return Q(drill=False, verdict=Verdict.OPEN) & due
    return Q(drill=False, verdict=reason, set_aside_at__gte=window.start, set_aside_at__lt=window.until)


# --- The clocks behind a number --------------------------------------------------------------------------------------


def decided(
    window: Window, *, customers: Customers = None, kinds: Iterable[str] = PROMISED, chosen: Chosen | None = None
) -> QuerySet[Clock]:
    """The clocks that count: due in the window, met or breached."""
    return _of(customers, kinds, chosen).filter(
        drill=False, verdict__in=COUNTING, due_at__gte=window.start, due_at__lt=window.until
    )


def left_out(
    reason: str,
    window: Window,
    *,
    customers: Customers = None,
    kinds: Iterable[str] = PROMISED,
    chosen: Chosen | None = None,
) -> QuerySet[Clock]:
    """The clocks that do not count, for one of REASONS."""
    return _of(customers, kinds, chosen).filter(_left_out(reason, window))


# In this order: it is the condition of the index.
COUNTING = (Verdict.MET, Verdict.BREACHED)


def _of(customers: Customers, kinds: Iterable[str], chosen: Chosen | None) -> QuerySet[Clock]:
    clocks = Clock.objects.filter(kind__in=list(kinds))
    if customers is not None:
        clocks = clocks.filter(customer__in=customers)
    return clocks.filter(**{f"{COLUMNS[name]}__in": list(values) for name, values in (chosen or {}).items()})
