"""Working hours of a place: a week of windows in a zone, with days that are closed and days that are worked instead.

A window is [start, end) in local time; "24:00" ends a day, and what goes past midnight is two windows. An exception by
date beats the week. Local times become instants by the rules of sla.md: of an ambiguous start the first counts, of an
ambiguous end the second, and a time that does not exist is the instant at which the clocks are changed. Windows that
overlap, also those that a change of clocks pushes into each other, are one.

What is asked most is answered from a list of windows as instants with the seconds worked up to each, made for whole
years as far as anybody asks, so that a question costs two searches in it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

DAY_MINUTES = 24 * 60
# A calendar that is not open within so many years never is.
FAR_YEARS = 12
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)

# Minutes after midnight: (540, 720) is 09:00 to 12:00.
Window = tuple[int, int]


class BadCalendar(ValueError):
    """What is wrong with a calendar's rules. `path` says where: "week.0", "workdays.2026-02-14"."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.path = path
        self.problem = problem


@dataclass(frozen=True)
class Hours:
    """A calendar of office hours (sla.worktime.Calendar). `week` has seven entries, Monday first."""

    zone: ZoneInfo
    week: tuple[tuple[Window, ...], ...]
    closed: frozenset[date] = frozenset()
    workdays: Mapping[date, tuple[Window, ...]] = field(default_factory=dict)
    # The last day whose exceptions are published; None where no holidays are kept.
    known_until: date | None = None
    _known: "_Known" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_known", _Known(self))

    def work(self, a: datetime, b: datetime) -> int:
        """The working seconds in [a, b); 0 where b is not after a."""
        return self._known.work(_seconds(a), _seconds(b)) if b > a else 0

    def add(self, a: datetime, n: int) -> datetime:
        """The earliest t >= a with work(a, t) = n. Raises BadCalendar where it never opens again."""
        return EPOCH + self._known.add(_seconds(a), n) * SECOND if n > 0 else a

    def windows_on(self, day: date) -> tuple[Window, ...]:
        """The windows of a local day: an exception beats the week."""
        if day in self.workdays:
            return self.workdays[day]
        return () if day in self.closed else self.week[day.weekday()]


class _Table(NamedTuple):
    """The windows from one year to another as instants: starts, ends and the seconds worked up to each end."""

    first: int
    last: int
    starts: list[int]
    ends: list[int]
    sums: list[int]

    def worked(self, t: int) -> int:
        """The seconds worked before the instant `t`, counted from the table's beginning."""
        place = bisect_right(self.starts, t)
        return self.sums[place - 1] - max(0, self.ends[place - 1] - t) if place else 0


class _Known:
    """The table of a calendar, made for more years when somebody asks. It is replaced whole: threads may read it."""

    def __init__(self, hours: Hours) -> None:
        self.hours = hours
        self.table = _Table(0, 0, [], [], [])

    def work(self, a: int, b: int) -> int:
        table = self.reach(_year(a), _year(b))
        return table.worked(b) - table.worked(a)

    def add(self, a: int, n: int) -> int:
        year = _year(a)
        for more in range(FAR_YEARS):
            table = self.reach(year, year + more)
            wanted = table.worked(a) + n
            if table.sums and table.sums[-1] >= wanted:
                place = bisect_left(table.sums, wanted)
                return table.ends[place] - (table.sums[place] - wanted)
        raise BadCalendar("", "this calendar is never open")

    def reach(self, first: int, last: int) -> _Table:
        """The table, from a year before `first` to a year after `last` at least."""
        table, first, last = self.table, first - 1, last + 2
        if table.first <= first and last <= table.last:
            return table
        first, last = min(table.first or first, first), max(table.last, last)
        spans = list(_merged(self._spans(first, last)))
        starts, ends = [s for s, _e in spans], [e for _s, e in spans]
        self.table = _Table(first, last, starts, ends, list(accumulate(e - s for s, e in spans)))
        return self.table

    def _spans(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        day, end, zone = date(first, 1, 1), date(last, 1, 1), self.hours.zone
        while day < end:
            for opens, closes in self.hours.windows_on(day):
                yield (
                    _seconds(instant(day, opens, zone, last=False)),
                    _seconds(instant(day, closes, zone, last=True)),
                )
            day += timedelta(days=1)


def _year(t: int) -> int:
    return datetime.fromtimestamp(t, UTC).year


def _seconds(at: datetime) -> int:
    return (at - EPOCH) // SECOND


def _merged(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans in order, those that touch or overlap as one, those without length left out."""
    begun: tuple[int, int] | None = None
    for start, end in sorted(s for s in spans if s[0] < s[1]):
        if begun and start <= begun[1]:
            begun = (begun[0], max(begun[1], end))
            continue
        if begun:
            yield begun
        begun = (start, end)
    if begun:
        yield begun


def instant(day: date, minute: int, zone: ZoneInfo, *, last: bool) -> datetime:
    """The instant of a local minute of a day, 1440 being the end of it; of an ambiguous one the first or the `last`."""
    midnight = datetime.combine(day, time(), tzinfo=None)
    return local_instant(midnight + timedelta(minutes=minute), zone, last=last)


def local_instant(local: datetime, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """The instant of a naive local time; where it does not exist, the one at which the clocks are changed."""
    found = local.replace(tzinfo=zone, fold=int(last)).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None, fold=0) == local.replace(fold=0):
        return found
    return _changed_between(
        local.replace(tzinfo=zone, fold=1).astimezone(UTC), local.replace(tzinfo=zone, fold=0).astimezone(UTC), zone
    )


def _changed_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant in (before, after] from which on the zone has another offset."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > SECOND:
        middle = before + (after - before) // SECOND // 2 * SECOND
        before, after = (middle, after) if middle.astimezone(zone).utcoffset() == offset else (before, middle)
    return after


# --- Read from JSON --------------------------------------------------------------------------------------------------


def read(rules: Mapping[str, Any], known_until: date | None = None) -> Hours:
    """The calendar that {"zone", "week": {"0": [["09:00", "12:00"], ...]}, "closed": [dates], "workdays": {date: null
    or [[...]]}} describes; a workday without windows of its own has those of its weekday, or of the first day of
    the week that is worked where its own is not (reading R10). Raises BadCalendar.
    """
    zone = _zone(rules.get("zone"))
    week = tuple(_windows(f"week.{day}", _mapping("week", rules.get("week", {})).get(str(day), [])) for day in range(7))
    unknown = set(_mapping("week", rules.get("week", {}))) - {str(day) for day in range(7)}
    if unknown:
        raise BadCalendar(f"week.{min(unknown)}", "a weekday is a number from 0, Monday, to 6, Sunday")
    closed = frozenset(_date("closed", text) for text in _list("closed", rules.get("closed", [])))
    workdays = {
        (day := _date("workdays", text)): _workday(f"workdays.{text}", day, given, week)
        for text, given in _mapping("workdays", rules.get("workdays", {})).items()
    }
    if not any(week) and not any(workdays.values()):
        raise BadCalendar("week", "this calendar is never open")
    return Hours(zone, week, closed, workdays, known_until)


def _workday(path: str, day: date, given: Any, week: tuple[tuple[Window, ...], ...]) -> tuple[Window, ...]:
    if given is not None:
        return _windows(path, given)
    return week[day.weekday()] or next((windows for windows in week if windows), ())


def _zone(name: Any) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise BadCalendar("zone", f"{name!r} is not a time zone") from error


def _mapping(path: str, given: Any) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise BadCalendar(path, "an object is expected")
    return given


def _list(path: str, given: Any) -> list[Any]:
    if not isinstance(given, list):
        raise BadCalendar(path, "a list is expected")
    return given


def _date(path: str, text: Any) -> date:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise BadCalendar(path, f"{text!r} is not a date such as 2026-10-01") from error


def _windows(path: str, given: Any) -> tuple[Window, ...]:
    found = []
    for pair in _list(path, given):
        if not isinstance(pair, list) or len(pair) != 2:
            raise BadCalendar(path, "a window is a pair such as 09:00 and 12:00")
        opens, closes = (_minute(path, text) for text in pair)
        if closes <= opens:
            raise BadCalendar(path, f"the window {pair[0]} to {pair[1]} ends before it starts")
        found.append((opens, closes))
    return tuple(sorted(found))


def _minute(path: str, text: Any) -> int:
    hour, _colon, minute = text.partition(":") if isinstance(text, str) else ("", "", "")
    if len(hour) == len(minute) == 2 and f"{hour}{minute}".isdecimal() and f"{hour}{minute}".isascii():
        total = 60 * int(hour) + int(minute)
        if int(minute) < 60 and total <= DAY_MINUTES:
            return total
    raise BadCalendar(path, f"{text!r} is not a time from 00:00 to 24:00")
