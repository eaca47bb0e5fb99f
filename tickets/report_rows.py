"""A report as its readers see it: every row with its name, what was left out, and the stretches of its window.

The page, the files and the API say the same rows; what each is called depends on who reads (accounts/masking.py).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from helpdesk.accounts.masking import customer_names, person_names
from helpdesk.accounts.models import User
from sla import report, words
from sla.attainment import Attainment
from sla.models import PROMISED, Kind, Priority
from sla.report import Row, Window
from tickets.models import Category, Source
from tickets.reporting import NOBODY, Scope, Stretch, Wish, midnight, stretches

NONE = Attainment()
# What is no promise to a customer about an answer, and what the desk promises itself.
UPDATES = (Kind.UPDATE,)
INSIDE = tuple(Kind(kind) for kind in Kind.values if kind.startswith("ola"))
REASONS: dict[str, Any] = {
    report.PAUSED: _l("Paused"),
    report.NOT_APPLICABLE: _l("Not applicable"),
    report.DRILL: _l("Drills"),
    report.OPEN: _l("Still open"),
}


@dataclass(frozen=True)
class Line:
    """One row of the table: what it is about, and its clocks of both kinds."""

    value: str
    label: str
    response: Row
    resolution: Row
    priority: Priority | None = None

    @property
    def cells(self) -> list[tuple[str, Row]]:
        return [(Kind.RESPONSE.value, self.response), (Kind.RESOLUTION.value, self.resolution)]

    @property
    def breached(self) -> int:
        return self.response.gross.breached + self.resolution.gross.breached


@dataclass(frozen=True)
class Told:
    """Clocks that are told apart from the promises."""

    kind: Kind
    row: Row


@dataclass(frozen=True)
class Left:
    """Clocks that do not count, for one reason, by kind."""

    reason: str
    label: str
    counts: Mapping[str, int]

    @property
    def cells(self) -> list[tuple[str, int]]:
        return [(kind.value, self.counts.get(kind, 0)) for kind in PROMISED]

    @property
    def count(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class Part:
    """A stretch of the window with what was decided in it."""

    stretch: Stretch
    response: Row
    resolution: Row

    @property
    def cells(self) -> list[tuple[str, Row]]:
        return [(Kind.RESPONSE.value, self.response), (Kind.RESOLUTION.value, self.resolution)]


class Names:
    """What a reader calls the values of each dimension; each kind of name is asked for once, where it is wanted."""

    def __init__(self, reader: User) -> None:
        self.reader = reader
        self._known: dict[str, dict[Any, str]] = {"customer": {}, "engineer": {}}

    @cached_property
    def priorities(self) -> dict[str, Priority]:
        return words.read().priorities

    def learn(self, name: str, values: Collection[Any]) -> None:
        """Asks what these customers or colleagues are called."""
        if name == "customer":
            self._known[name] |= customer_names(self.reader, values)
        if name == "engineer":
            numbers = {int(key.removeprefix("user:")): key for key in values if key}
            called = person_names(self.reader, numbers)
            self._known[name] |= {key: called.get(number, _("erased person")) for number, key in numbers.items()}

    def of(self, name: str, value: Any) -> str:
        if name == "priority":
            found = self.priorities.get(value)
            return found.label if found else str(value)
        if name in self._known:
            return _("Nobody") if value == "" else self._known[name].get(value, "—")
        labels = {"category": Category, "source": Source, "kind": Kind}[name]
        return str(dict(labels.choices).get(value, value))

    def place(self, name: str, value: Any) -> tuple[Any, ...]:
        """Where a value stands among its likes: in the order of its table, else by name."""
        if name == "priority":
            found = self.priorities.get(value)
            return (found.rank if found else 99, str(value))
        if name in self._known:
            return (value == "", self.of(name, value).casefold())
        return ([*Category.values, *Source.values].index(value) if value in (*Category.values, *Source.values) else 99,)


@dataclass(frozen=True)
class Report:
    """All that one report says."""

    window: Window
    first: date
    last: date
    as_of: datetime
    by: str
    lines: list[Line]
    total: Line
    parts: list[Part]
    left: list[Left]
    updates: list[Told]
    inside: list[Told]
    names: Names

    @property
    def is_empty(self) -> bool:
        return not (self.lines or self.left or self.updates or self.inside)

    @property
    def left_count(self) -> int:
        return sum(one.count for one in self.left)


def report_of(wish: Wish, said: Mapping[str, Any], scope: Scope, reader: User, *, at: datetime) -> Report:
    """Reckons a report. Three statements and those for the names."""
    window: Window = said["window"]
    asked: dict[str, Any] = {"customers": scope.customers, "chosen": wish.filters}
    kinds = (*PROMISED, *UPDATES, *(INSIDE if scope.inside else ()))
    every = report.attained(window, by=("kind", wish.by), kinds=kinds, as_of=at, **asked)
    rows = [row for row in every if row.key[0] in PROMISED]
    found = list(stretches(said["first"], said["last"]))
    told = report.over_time([_window(stretch, window.zone) for stretch in found], as_of=at, **asked)
    names = Names(reader)
    names.learn(wish.by, {row.key[1] for row in rows})
    return Report(
        window=window,
        first=said["first"],
        last=said["last"],
        as_of=at,
        by=wish.by,
        lines=_lines(rows, wish.by, names),
        total=_line("", _("All"), rows),
        parts=_parts(told, found),
        left=left_of(report.excluded(window, **asked)),
        updates=_apart(every, UPDATES),
        inside=_apart(every, INSIDE),
        names=names,
    )


def _lines(rows: Iterable[Row], by: str, names: Names) -> list[Line]:
    grouped: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row.key[1]].append(row)
    return [
        _line(
            _value(by, value),
            names.of(by, value),
            grouped[value],
            names.priorities.get(value) if by == "priority" else None,
        )
        for value in sorted(grouped, key=lambda value: names.place(by, value))
    ]


def _value(by: str, value: Any) -> str:
    """As an address names it."""
    return NOBODY if by == "engineer" and value == "" else str(value)


def _line(value: str, label: str, rows: Iterable[Row], priority: Priority | None = None) -> Line:
    both = {kind: Row((kind,), NONE, NONE) for kind in PROMISED}
    for row in rows:
        kind = Kind(row.key[0])
        both[kind] = both[kind] + row
    return Line(value, label, both[Kind.RESPONSE], both[Kind.RESOLUTION], priority)


def _window(stretch: Stretch, zone: str) -> Window:
    return Window(midnight(stretch.first, zone), midnight(stretch.last, zone), zone)


def _parts(told: Iterable[Row], found: list[Stretch]) -> list[Part]:
    """A stretch in which nothing was decided stands there too."""
    rows: dict[int, list[Row]] = defaultdict(list)
    for row in told:
        place, kind = row.key
        rows[place].append(Row((kind,), row.gross, row.net))
    lines = [(stretch, _line("", "", rows[place])) for place, stretch in enumerate(found)]
    return [Part(stretch, line.response, line.resolution) for stretch, line in lines]


def _apart(rows: Iterable[Row], kinds: tuple[Kind, ...]) -> list[Told]:
    """Those kinds of which there are some, whatever they are parted by."""
    added: dict[Kind, Row] = {}
    for row in rows:
        kind = Kind(row.key[0])
        if kind in kinds:
            added[kind] = Row((kind,), NONE, NONE) + row if kind not in added else added[kind] + row
    return [Told(kind, added[kind]) for kind in kinds if kind in added]


def left_of(counted: Iterable[report.Excluded]) -> list[Left]:
    """What does not count, in the order of its reasons."""
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for one in counted:
        counts[one.reason][one.kind] = one.count
    return [Left(reason, str(REASONS[reason]), counts[reason]) for reason in report.REASONS if reason in counts]
