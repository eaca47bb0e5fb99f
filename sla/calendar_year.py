"""A calendar's year: which days are worked, what an import would change, and a picture of twelve months.

Pure: rules and days in, days and numbers out.
"""

import calendar
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sla import hours
from sla.calendar_text import Day, days_of, rules_with

CELL, ROWS, HEAD, GAP = 24, 6, 40, 24
WIDE, HIGH = 7 * CELL, HEAD + ROWS * CELL
COLUMNS = 4


@dataclass(frozen=True)
class Square:
    """A day in the picture: open, off (by the week), closed or worked (by exception); x and y are of its centre."""

    day: date
    kind: str
    x: int
    y: int
    name: str = ""

    @property
    def left(self) -> int:
        return self.x - CELL // 2 + 1

    @property
    def top(self) -> int:
        return self.y - CELL // 2 + 1


@dataclass(frozen=True)
class Month:
    number: int
    first: date
    x: int
    y: int
    squares: tuple[Square, ...]

    @property
    def open_days(self) -> int:
        return sum(square.kind in ("open", "worked") for square in self.squares)


@dataclass(frozen=True)
class Picture:
    """Twelve months, three rows of four; `width` and `height` in the picture's own units."""

    months: tuple[Month, ...]
    width: int = COLUMNS * WIDE + (COLUMNS - 1) * GAP
    height: int = 12 // COLUMNS * HIGH + (12 // COLUMNS - 1) * GAP
    cell: int = CELL - 2

    @property
    def open_days(self) -> int:
        return sum(month.open_days for month in self.months)


def hours_of(zone: str, rules: Mapping[str, Any]) -> hours.Hours | None:
    """The office hours of a version; None where it never closes. Raises hours.BadCalendar."""
    return None if rules["kind"] == "24x7" else hours.read({**rules, "zone": zone})


def kind_of(day: date, office: hours.Hours | None) -> str:
    if office is None:
        return "open"
    if day in office.workdays:
        return "worked"
    if day in office.closed:
        return "closed"
    return "open" if office.windows_on(day) else "off"


def is_open(day: date, office: hours.Hours | None) -> bool:
    """Whether anybody works on a local day."""
    return office is None or bool(office.windows_on(day))


def days_in(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)


def open_days(year: int, office: hours.Hours | None) -> list[int]:
    """The days somebody works, a number a month."""
    found = [0] * 12
    for day in days_in(year):
        found[day.month - 1] += is_open(day, office)
    return found


def picture(year: int, office: hours.Hours | None, names: Mapping[str, str]) -> Picture:
    """The year as squares, weeks from Monday."""
    return Picture(tuple(_month(year, number, office, names) for number in range(1, 13)))


def _month(year: int, number: int, office: hours.Hours | None, names: Mapping[str, str]) -> Month:
    x, y = (number - 1) % COLUMNS * (WIDE + GAP), (number - 1) // COLUMNS * (HIGH + GAP)
    first = date(year, number, 1)
    squares = []
    for n in range(calendar.monthrange(year, number)[1]):
        day = first + timedelta(days=n)
        row, column = divmod(first.weekday() + n, 7)
        centre = (column * CELL + CELL // 2, HEAD + row * CELL + CELL // 2)
        squares.append(Square(day, kind_of(day, office), *centre, names.get(day.isoformat(), "")))
    return Month(number, first, x, y, tuple(squares))


# --- An import -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Conflict:
    """A day about which the calendar says something else already."""

    old: Day
    new: Day


@dataclass(frozen=True)
class MonthSum:
    number: int
    first: date
    before: int
    after: int

    @property
    def change(self) -> int:
        return self.after - self.before


@dataclass(frozen=True)
class Preview:
    """What accepting a year's list would make of a calendar. `rules` are the rules it would have."""

    added: tuple[Day, ...]
    same: tuple[Day, ...]
    conflicts: tuple[Conflict, ...]
    kept: tuple[Day, ...]
    months: tuple[MonthSum, ...]
    picture: Picture
    rules: Mapping[str, Any]


def preview(zone: str, rules: Mapping[str, Any], days: Iterable[Day], year: int) -> Preview:
    """The list joined with what the calendar says of the year. Where they differ the list wins.

    Raises hours.BadCalendar where the calendar would never be open.
    """
    old = {day.date: day for day in days_of(rules)}
    # A list without names leaves those that are known.
    new = {day.date: day if day.name or day.date not in old else replace(day, name=old[day.date].name) for day in days}
    joined = rules_with(rules, (old | new).values())
    before, after = hours_of(zone, rules), hours_of(zone, joined)
    sums = zip(open_days(year, before), open_days(year, after), strict=True)
    both = [day for day in sorted(new) if day in old]
    return Preview(
        added=tuple(new[day] for day in sorted(new) if day not in old),
        same=tuple(new[day] for day in both if new[day].says == old[day].says),
        conflicts=tuple(Conflict(old[day], new[day]) for day in both if new[day].says != old[day].says),
        kept=tuple(old[day] for day in sorted(old) if day.year == year and day not in new),
        months=tuple(MonthSum(n, date(year, n, 1), b, a) for n, (b, a) in enumerate(sums, 1)),
        picture=picture(year, after, joined["names"]),
        rules=joined,
    )
