"""One clock at a time: how it becomes due, is kept or broken (sla.md, rules 1-9 and 12). Pure.

`clock.compute` tells them the history fact by fact. A clock is late only in a second *after* its due time: each keeps
`limit`, the last second in which all is still well, and any later fact, or `now`, proves the breach.
"""

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, NamedTuple

from sla.worktime import SECOND, Calendar

Mode = Literal["running", "paused", "stopped"]
Verdict = Literal["open", "paused", "met", "breached", "n/a"]
Name = Literal["response", "resolution", "update", "ola_assign", "ola_case", "ola_relay"]

MODES: Mapping[str, Mode] = {
    "new": "running",
    "in_progress": "running",
    "waiting_customer": "paused",
    "resolved": "stopped",
    "closed": "stopped",
}
PRIORITY_RAISED, PAUSE_STRUCK = "priority_raised", "pause_struck"
INTERNAL: tuple[Name, ...] = ("ola_assign", "ola_case", "ola_relay")
# Percent of a target at which somebody is warned (rule 12).
WARN_AT = (50, 75, 90)


@dataclass(frozen=True, slots=True)
class Target:
    """What is promised for one priority, in working seconds, each at least 1; None where nothing is."""

    response_s: int
    resolution_s: int
    update_s: int | None = None
    # Among ourselves (rule 14): until somebody has it, until the AWS case is opened, until AWS's reply is passed on.
    assign_s: int | None = None
    case_s: int | None = None
    relay_s: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the resolution clock; `end` is None while it lasts. A struck pause counts as running."""

    start: datetime
    end: datetime | None
    kind: Mode
    struck: bool = False


class Mark(NamedTuple):
    """The instant at which so many percent of a target are used, but never before that target was set."""

    percent: int
    at: datetime


@dataclass(frozen=True, slots=True)
class ClockState:
    """One clock as it stands at `now`.

    running_s and paused_s are working seconds, reopen_gap_s is wall time. remaining_s is given while the clock is
    paused: a running one says it by its due time. next_event_at is the next instant at which the clock changes if
    nothing happens: the second after its last good one. marks are those that were passed, or will be if nothing
    happens; a clock that was kept, does not count or is internal has none. completed_at of a cycle is its end, whatever
    ended it.
    """

    kind: Name
    target_s: int
    started_at: datetime
    due_at: datetime | None
    completed_at: datetime | None
    breached_at: datetime | None
    verdict: Verdict
    next_event_at: datetime | None
    running_s: int
    paused_s: int
    reopen_gap_s: int
    remaining_s: int | None
    cause: str | None
    marks: tuple[Mark, ...] = ()
    cycle: int = 1


class Stopwatch(ABC):
    """What all clocks share: a due time, a last good second, and how the clock ended.

    `limit` is None where nothing can make the clock late by itself: paused, completed, breached or void.
    """

    def __init__(self, start: datetime, target_s: int, calendar: Calendar) -> None:
        self.start = start
        self.target_s = target_s
        self.calendar = calendar
        # What last moved the due time, and when: never before that is a breach dated.
        self.changed_at = start
        self.changed_by = PRIORITY_RAISED
        self.due: datetime | None = calendar.add(start, target_s)
        self.limit: datetime | None = self.due
        self.completed_at: datetime | None = None
        self.breached_at: datetime | None = None
        self.void = False

    def pass_to(self, at: datetime) -> None:
        """Records the breach that `at` proves: at the due time, or at the change that put the due time in the past."""
        if self.due is not None and self.limit is not None and at > self.limit:
            self.breached_at = max(self.due, self.changed_at)
            self.limit = None

    @property
    def is_decided(self) -> bool:
        return self.breached_at is not None or self.void

    @property
    def verdict(self) -> Verdict:
        if self.breached_at is not None:
            return "breached"
        if self.void:
            return "n/a"
        return "open" if self.completed_at is None else "met"

    @property
    def cause(self) -> str | None:
        by_change = self.breached_at is not None and self.due is not None and self.due < self.breached_at
        return self.changed_by if by_change else None

    @property
    def next_event_at(self) -> datetime | None:
        return None if self.limit is None else self.limit + SECOND

    @property
    def marks(self) -> tuple[Mark, ...]:
        """In working time, rounded up to the second."""
        if self.verdict not in ("open", "breached"):
            return ()
        used = ((percent, self.when(-(-self.target_s * percent // 100))) for percent in WARN_AT)
        return tuple(Mark(percent, max(at, self.changed_at)) for percent, at in used if at is not None)

    @abstractmethod
    def when(self, run_s: int) -> datetime | None:
        """When so many seconds had run, or will have if nothing happens; None where they will not."""


class Steady(Stopwatch):
    """Runs from its start, whatever the status: the first response, one cycle of the updates, one internal promise.

    The first response runs also while a silent resolution stands, for the answer is still owed.
    """

    ended_at: datetime | None = None

    def __init__(self, start: datetime, target_s: int, calendar: Calendar, kind: Name = "response") -> None:
        super().__init__(start, target_s, calendar)
        self.kind: Name = kind

    def when(self, run_s: int) -> datetime:
        return self.calendar.add(self.start, run_s)

    def answer(self, at: datetime) -> None:
        if self.completed_at is None:
            self.completed_at = self.ended_at = at
            self.limit = None

    def retarget(self, at: datetime, target_s: int) -> None:
        if self.completed_at is None and not self.is_decided:
            self.target_s = target_s
            self.changed_at = at
            self.due = self.limit = self.calendar.add(self.start, target_s)

    def withdraw(self, at: datetime) -> None:
        self.void = self.completed_at is None and not self.is_decided
        self.limit = None
        self.ended_at = self.ended_at or at

    def state(self, now: datetime, cycle: int = 1) -> ClockState:
        return ClockState(
            kind=self.kind,
            target_s=self.target_s,
            started_at=self.start,
            due_at=self.due,
            completed_at=self.completed_at,
            breached_at=self.breached_at,
            verdict=self.verdict,
            next_event_at=self.next_event_at,
            running_s=self.calendar.work(self.start, self.ended_at or now),
            paused_s=0,
            reopen_gap_s=0,
            remaining_s=None,
            cause=self.cause,
            # Nobody is warned of a promise among ourselves.
            marks=() if self.kind in INTERNAL else self.marks,
            cycle=cycle,
        )


class Resolution(Stopwatch):
    """Runs while the ticket is new or in progress, pauses while it waits for the customer, stops while it is resolved.

    `run_s` is R (rule 2) at `since`, where the present stretch of `mode` began. `begins` and `totals` hold the
    finished running stretches and R at the end of each: they answer when R reached any target. `spared` marks a clock
    whose target was used up in the very second of a resolution and that was opened again: it is late only when one more
    second runs (R2).

    `kind` is the mode the status says, `mode` how the stretch counts: they differ in a pause that was struck out.
    """

    def __init__(self, start: datetime, target_s: int, calendar: Calendar) -> None:
        super().__init__(start, target_s, calendar)
        self.kind: Mode = "running"
        self.mode: Mode = "running"
        self.since = start
        self.run_s = self.paused_s = self.reopen_gap_s = 0
        self.begins: list[datetime] = []
        self.totals: list[int] = []
        self.history: list[Span] = []
        self.spared = False
        # The place in `history` of each pause, by the number of the fact that began it; and those struck out too late.
        self.pauses: dict[int, int] = {}
        self.struck: list[int] = []

    def turn(self, at: datetime, mode: Mode, target_s: int, number: int) -> None:
        """A status begins, by fact `number`. What changed while the clock was stopped takes effect as it opens (R7)."""
        if mode != self.kind:
            self._turn(at, mode, target_s)
        if mode == "paused":
            self.pauses[number] = len(self.history)

    def _turn(self, at: datetime, mode: Mode, target_s: int) -> None:
        was = self.kind
        self._end_stretch(at)
        self.kind = self.mode = mode
        self.since = at
        if was == "stopped":
            self._reopen(at, target_s)
        elif mode == "stopped":
            self.completed_at = at
        self._aim(at)

    def retarget(self, at: datetime, target_s: int) -> None:
        if self.mode != "stopped" and not self.is_decided and target_s != self.target_s:
            self.target_s = target_s
            self._change(at, PRIORITY_RAISED)
            self._aim(at)

    def strike(self, at: datetime, number: int) -> None:
        """The pause that fact `number` began counts as running time; undecided clocks are judged anew, from `at` on."""
        place = self.pauses.get(number)
        if place is None or self.is_decided:
            return
        if self.kind == "stopped":
            self.struck.append(place)
        else:
            self._strike(at, place)
            self._aim(at)

    def _strike(self, at: datetime, place: int) -> None:
        if place == len(self.history):
            self.mode = "running"
        else:
            self.history[place] = replace(self.history[place], struck=True)
            self._count()
        self._change(at, PAUSE_STRUCK)

    def _count(self) -> None:
        """Adds up the finished stretches again."""
        self.run_s = self.paused_s = self.reopen_gap_s = 0
        self.begins, self.totals = [], []
        for span in self.history:
            assert span.end
            self._add(span.start, span.end, "running" if span.struck else span.kind)

    def _change(self, at: datetime, by: str) -> None:
        self.changed_at, self.changed_by, self.spared = at, by, False

    def withdraw(self, at: datetime) -> None:
        self.void = self.completed_at is None and not self.is_decided
        self.limit = None
        if self.kind != "stopped":
            self._end_stretch(at)
            self.kind = self.mode = "stopped"
            self.since = at

    def _reopen(self, at: datetime, target_s: int) -> None:
        completed_at, self.completed_at = self.completed_at, None
        if not self.is_decided and target_s != self.target_s:
            self.target_s = target_s
            self._change(at, PRIORITY_RAISED)
        while self.struck and not self.is_decided:
            self._strike(at, self.struck.pop())
        reached = self._reached(self.target_s)
        if reached is not None and completed_at is not None:
            self.spared = self.spared or completed_at <= reached

    def _end_stretch(self, at: datetime) -> None:
        self._add(self.since, at, self.mode)
        self.history.append(Span(self.since, at, self.kind, self.kind != self.mode))

    def _add(self, start: datetime, end: datetime, mode: Mode) -> None:
        if mode == "running":
            self.run_s += self.calendar.work(start, end)
            self.begins.append(start)
            self.totals.append(self.run_s)
        elif mode == "paused":
            self.paused_s += self.calendar.work(start, end)
        else:
            self.reopen_gap_s += (end - start) // SECOND

    def _aim(self, at: datetime) -> None:
        """Rule 3 at `at`; the due time of a clock that is decided stays."""
        if self.is_decided:
            return
        reached = self._reached(self.target_s)
        if self.mode == "stopped":
            self.due = reached or self.calendar.add(at, self.target_s - self.run_s)
            self.limit = None
        elif self.mode == "paused":
            self.due = reached
            self.limit = None if self.spared else reached
        elif reached is None:
            self.due = self.limit = self.calendar.add(self.since, self.target_s - self.run_s)
        else:
            self.due = reached
            self.limit = self.calendar.add(self.since, 1) - SECOND if self.spared else reached

    def _reached(self, run_s: int) -> datetime | None:
        """The instant at which R reached so much within the finished running stretches."""
        place = bisect_left(self.totals, run_s)
        if place == len(self.totals):
            return None
        before = self.totals[place - 1] if place else 0
        return self.calendar.add(self.begins[place], run_s - before)

    def when(self, run_s: int) -> datetime | None:
        reached = self._reached(run_s)
        if reached is None and self.mode == "running":
            return self.calendar.add(self.since, run_s - self.run_s)
        return reached

    def state(self, now: datetime) -> ClockState:
        waits = self.verdict == "open" and self.mode == "paused" and self.limit is None
        run_s = self.run_s + (self.calendar.work(self.since, now) if self.mode == "running" else 0)
        paused_s = self.paused_s + (self.calendar.work(self.since, now) if self.mode == "paused" else 0)
        return ClockState(
            kind="resolution",
            target_s=self.target_s,
            started_at=self.start,
            due_at=self.due,
            completed_at=self.completed_at,
            breached_at=self.breached_at,
            verdict="paused" if waits else self.verdict,
            next_event_at=self.next_event_at,
            running_s=run_s,
            paused_s=paused_s,
            reopen_gap_s=self.reopen_gap_s,
            remaining_s=self.target_s - run_s if waits else None,
            cause=self.cause,
            marks=self.marks,
        )

    def spans(self) -> list[Span]:
        return [*self.history, Span(self.since, None, self.kind, self.kind != self.mode)]
