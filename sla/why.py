"""Why a clock is due when it is: every working window it used, every pause, every holiday on the way. Pure.

What is told adds up: the seconds of the windows, and what remains while a clock is paused, are the target to the second
(the tests hold every history to that). Up to `now` a stretch has run; after it, or after a completion, it is the time
that was left, laid out to the due time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sla.clock import ClockState, Span
from sla.hours import Hours, instant
from sla.worktime import SECOND, Calendar

# `runs` and `struck` were used, `left` is laid out to the due time, `pause` and `gap` (resolved) do not count.
USED = ("runs", "struck", "left")
KINDS = {"running": "runs", "paused": "pause", "stopped": "gap"}
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """Working time without a gap: [start, end)."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> int:
        return (self.end - self.start) // SECOND


@dataclass(frozen=True)
class Stretch:
    """One stretch on the way to the due time; `seconds` are working seconds, of a gap wall time."""

    kind: str
    start: datetime
    end: datetime
    seconds: int
    windows: tuple[Window, ...] = ()

    @property
    def counts(self) -> bool:
        return self.kind in USED


@dataclass(frozen=True)
class Explained:
    """The way from the target to the due time, or to what remains where there is none."""

    target_s: int
    due: datetime | None
    stretches: tuple[Stretch, ...]
    remaining_s: int | None
    # Days on the way that are closed though their weekday is worked, and worked though it is not.
    holidays: tuple[date, ...] = ()
    made_up: tuple[date, ...] = ()

    @property
    def used_s(self) -> int:
        return sum(stretch.seconds for stretch in self.stretches if stretch.counts)

    @property
    def adds_up(self) -> bool:
        """False only where a breach stands that was recorded before something was taken back."""
        return self.used_s + (self.remaining_s or 0) == self.target_s


def explain(state: ClockState, spans: Sequence[Span], calendar: Calendar, now: datetime) -> Explained:
    """`spans` are the resolution's (Reckoning.spans); every other clock runs from its start until it is done."""
    now = now.replace(microsecond=0)
    if state.kind != "resolution":
        spans = [Span(state.started_at, state.completed_at, "running")]
    told = tuple(_stretches(state, spans, calendar, now))
    until = state.due_at or (told[-1].end if told else now)
    holidays, made_up = _exceptions(calendar, state.started_at, until)
    return Explained(state.target_s, state.due_at, told, state.remaining_s, holidays, made_up)


def _stretches(state: ClockState, spans: Iterable[Span], calendar: Calendar, now: datetime) -> Iterator[Stretch]:
    due, last = state.due_at, state.started_at
    for span in spans:
        end = span.end or now
        if due is not None and span.start >= due:
            return
        if span.kind == "stopped" and span.end is None:
            # Done, for now at least: what was left then is laid out from there.
            last = span.start
            break
        if due is not None:
            end = min(end, due)
        if end > span.start:
            yield _stretch(_kind(span), span.start, end, calendar)
        last = max(last, end)
    if due is not None and due > last:
        yield _stretch("left", last, due, calendar)


def _kind(span: Span) -> str:
    return "struck" if span.struck else KINDS[span.kind]


def _stretch(kind: str, start: datetime, end: datetime, calendar: Calendar) -> Stretch:
    if kind == "gap":
        return Stretch(kind, start, end, (end - start) // SECOND)
    windows = tuple(windows_between(calendar, start, end)) if kind in USED else ()
    return Stretch(kind, start, end, calendar.work(start, end), windows)


# --- Windows and days ------------------------------------------------------------------------------------------------


def windows_between(calendar: Calendar, a: datetime, b: datetime) -> Iterator[Window]:
    """The working windows within [a, b), cut to it. Those that meet or overlap are one."""
    if not isinstance(calendar, Hours):
        if b > a:
            yield Window(a, b)
        return
    last: Window | None = None
    for window in sorted(_of_days(calendar, a, b), key=lambda one: one.start):
        if last is not None and window.start <= last.end:
            last = replace(last, end=max(last.end, window.end))
            continue
        if last is not None:
            yield last
        last = window
    if last is not None:
        yield last


def _of_days(calendar: Hours, a: datetime, b: datetime) -> Iterator[Window]:
    for day in _days(calendar, a, b):
        for opens, closes in calendar.windows_on(day):
            start = max(a, instant(day, opens, calendar.zone, last=False))
            end = min(b, instant(day, closes, calendar.zone, last=True))
            if end > start:
                yield Window(start, end)


def _days(calendar: Hours, a: datetime, b: datetime) -> Iterator[date]:
    """The local days that [a, b) touches, and one on either side: a change of clocks moves midnights."""
    day, last = a.astimezone(calendar.zone).date() - DAY, b.astimezone(calendar.zone).date() + DAY
    while day <= last:
        yield day
        day += DAY


def _exceptions(calendar: Calendar, a: datetime, b: datetime) -> tuple[tuple[date, ...], tuple[date, ...]]:
    """Holidays skipped and make-up days used between two instants."""
    if not isinstance(calendar, Hours):
        return (), ()
    first, last = a.astimezone(calendar.zone).date(), b.astimezone(calendar.zone).date()
    days = [day for day in _days(calendar, a, b) if first <= day <= last]
    closed = (d for d in days if d in calendar.closed and d not in calendar.workdays and calendar.week[d.weekday()])
    made_up = (d for d in days if d in calendar.workdays and not calendar.week[d.weekday()])
    return tuple(closed), tuple(made_up)
