"""The clocks of a ticket, computed from its history (sla.md, rules 1-9, readings R1-R7 and R12).

`compute` is pure: the same facts, targets, calendar and instant always give the same answer, and what the database
stores of it is a cache. A fact is what audit.Entry.fact holds, an sla_replay event without its time. Facts are taken in
the order (at, id); those after `now` are ignored, and so are kinds that no clock here hears, wherever they stand.

Two sentences decide most cases. A clock is late only in a second *after* its due time: each clock keeps `limit`, the
last second in which all is still well, and any later fact, or `now`, proves the breach. And what a priority change
makes of the past is found by asking when the running seconds reached the new target, not by moving the old due time.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter
from typing import Any, Literal, NamedTuple

from sla.facts import Fact, undone_by, without
from sla.worktime import SECOND, Calendar

Mode = Literal["running", "paused", "stopped"]
Verdict = Literal["open", "paused", "met", "breached", "n/a"]

MODES: Mapping[str, Mode] = {
    "new": "running",
    "in_progress": "running",
    "waiting_customer": "paused",
    "resolved": "stopped",
    "closed": "stopped",
}
HEARD = frozenset({"created", "reply", "status", "priority", "withdrawn", "undo"})
PRIORITY_RAISED = "priority_raised"
# Percent of a target at which somebody is warned (rule 12).
WARN_AT = (50, 75, 90)


@dataclass(frozen=True, slots=True)
class Target:
    """What is promised for one priority, in working seconds, each at least 1."""

    response_s: int
    resolution_s: int


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the resolution clock; `end` is None while it lasts."""

    start: datetime
    end: datetime | None
    kind: Mode


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
    happens; a clock that was kept, or does not count, has none.
    """

    kind: Literal["response", "resolution"]
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


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What the history amounts to at `now`. `status` and `priority` are those the facts lead to."""

    response: ClockState
    resolution: ClockState
    status: str
    priority: str
    first_response_at: datetime | None
    resolved_at: datetime | None
    spans: tuple[Span, ...]


def compute(facts: Iterable[Fact], targets: Mapping[str, Target], calendar: Calendar, now: datetime) -> Reckoning:
    """The clocks at `now`. `targets` is the ticket's own policy version, by priority code.

    Raises ValueError where no "created" fact is at or before `now`, KeyError for an unknown status or priority.
    """
    now = now.replace(microsecond=0)
    heard = sorted((fact for fact in facts if fact[0] <= now and fact[2][0] in HEARD), key=itemgetter(0, 1))
    undone = undone_by(heard)
    reckoning = _walk(without(heard, undone), targets, calendar, now)
    # Backwards, so that of two breaches seen the one recorded first stands.
    for place, dropped in sorted(undone.items(), reverse=True):
        if any(_may_hasten(heard[i][2]) for i in dropped):
            before = heard[:place]
            seen = _walk(without(before, undone_by(before)), targets, calendar, heard[place][0])
            reckoning = _keep_breaches(seen, reckoning)
    return reckoning


# --- Breaches that stand ---------------------------------------------------------------------------------------------


def _may_hasten(fact: Sequence[Any]) -> bool:
    """Whether a history without this fact could reach a due time later, so that a breach might seem to vanish."""
    return fact[0] in ("priority", "undo") or (fact[0] == "status" and MODES[fact[1]] == "running")


def _keep_breaches(seen: Reckoning, later: Reckoning) -> Reckoning:
    """A recorded breach is never removed, not even where what led to it is taken back."""
    return replace(
        later,
        response=_keep_breach(seen.response, later.response),
        resolution=_keep_breach(seen.resolution, later.resolution),
    )


def _keep_breach(seen: ClockState, later: ClockState) -> ClockState:
    if seen.breached_at is None:
        return later
    return replace(
        later,
        target_s=seen.target_s,
        due_at=seen.due_at,
        breached_at=seen.breached_at,
        cause=seen.cause,
        marks=seen.marks,
        verdict="breached",
        next_event_at=None,
        remaining_s=None,
    )


# --- The walk --------------------------------------------------------------------------------------------------------


def _walk(facts: Sequence[Fact], targets: Mapping[str, Target], calendar: Calendar, now: datetime) -> Reckoning:
    begin = next((place for place, fact in enumerate(facts) if fact[2][0] == "created"), None)
    if begin is None:
        raise ValueError("no created fact by now")
    ticket = _Ticket(facts[begin], targets, calendar)
    for at, _, fact in facts[begin + 1 :]:
        if ticket.withdrawn:
            break
        ticket.hear(at, fact)
    return ticket.reckon(now)


class _Ticket:
    """Status, priority and the two clocks while the facts are told one by one."""

    def __init__(self, created: Fact, targets: Mapping[str, Target], calendar: Calendar) -> None:
        at, _, (_, self.priority, *source) = created
        self.targets = targets
        self.status = "new"
        self.withdrawn = False
        self.response = _Response(at, targets[self.priority].response_s, calendar)
        self.resolution = _Resolution(at, targets[self.priority].resolution_s, calendar)
        # R6: an engineer logged the call, so it was answered when it began.
        if source == ["phone"]:
            self.response.answer(at)

    def hear(self, at: datetime, fact: Sequence[Any]) -> None:
        self._pass_to(at)
        match fact:
            # Rule 5: only a person of ours counts; robots, AWS, the customer and notes ("internal") do not.
            case ["reply", "engineer"]:
                self.response.answer(at)
            case ["status", status]:
                self.status = status
                self.resolution.turn(at, MODES[status], self.targets[self.priority].resolution_s)
            case ["priority", priority]:
                self.priority = priority
                self.response.retarget(at, self.targets[priority].response_s)
                self.resolution.retarget(at, self.targets[priority].resolution_s)
            case ["withdrawn"]:
                self.withdrawn = True
                self.status = "closed"
                self.response.withdraw(at)
                self.resolution.withdraw(at)

    def reckon(self, now: datetime) -> Reckoning:
        self._pass_to(now)
        response, resolution = self.response.state(now), self.resolution.state(now)
        return Reckoning(
            response=response,
            resolution=resolution,
            status=self.status,
            priority=self.priority,
            first_response_at=response.completed_at,
            resolved_at=resolution.completed_at,
            spans=tuple(_joined(self.resolution.spans())),
        )

    def _pass_to(self, at: datetime) -> None:
        self.response.pass_to(at)
        self.resolution.pass_to(at)


class _Clock:
    """What both clocks share: a due time, a last good second, and how the clock ended.

    `limit` is None where nothing can make the clock late by itself: paused, completed, breached or void.
    """

    def __init__(self, start: datetime, target_s: int, calendar: Calendar) -> None:
        self.start = start
        self.target_s = target_s
        self.calendar = calendar
        self.changed_at = start
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
        raised = self.breached_at is not None and self.due is not None and self.due < self.breached_at
        return PRIORITY_RAISED if raised else None

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

    def when(self, run_s: int) -> datetime | None:
        """When so many seconds had run, or will have if nothing happens; None where they will not."""
        raise NotImplementedError


class _Response(_Clock):
    """Runs from creation, whatever the status: also while a silent resolution stands, for the answer is still owed."""

    ended_at: datetime | None = None

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

    def state(self, now: datetime) -> ClockState:
        return ClockState(
            kind="response",
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
            marks=self.marks,
        )


class _Resolution(_Clock):
    """Runs while the ticket is new or in progress, pauses while it waits for the customer, stops while it is resolved.

    `run_s` is R (rule 2) at `since`, where the present stretch of `mode` began. `begins` and `totals` hold the
    finished running stretches and R at the end of each: they answer when R reached any target. `spared` marks a clock
    whose target was used up in the very second of a resolution and that was opened again: it is late only when one more
    second runs (R2).
    """

    def __init__(self, start: datetime, target_s: int, calendar: Calendar) -> None:
        super().__init__(start, target_s, calendar)
        self.mode: Mode = "running"
        self.since = start
        self.run_s = self.paused_s = self.reopen_gap_s = 0
        self.begins: list[datetime] = []
        self.totals: list[int] = []
        self.history: list[Span] = []
        self.spared = False

    def turn(self, at: datetime, mode: Mode, target_s: int) -> None:
        """A status begins. A priority set while the clock was stopped takes effect as it opens again (R7)."""
        if mode == self.mode:
            return
        was = self.mode
        self._end_stretch(at)
        self.mode, self.since = mode, at
        if was == "stopped":
            self._reopen(at, target_s)
        elif mode == "stopped":
            self.completed_at = at
        self._aim(at)

    def retarget(self, at: datetime, target_s: int) -> None:
        if self.mode != "stopped" and not self.is_decided and target_s != self.target_s:
            self.target_s, self.changed_at, self.spared = target_s, at, False
            self._aim(at)

    def withdraw(self, at: datetime) -> None:
        self.void = self.completed_at is None and not self.is_decided
        self.limit = None
        if self.mode != "stopped":
            self._end_stretch(at)
            self.mode, self.since = "stopped", at

    def _reopen(self, at: datetime, target_s: int) -> None:
        completed_at, self.completed_at = self.completed_at, None
        if not self.is_decided and target_s != self.target_s:
            self.target_s, self.changed_at, self.spared = target_s, at, False
        reached = self._reached(self.target_s)
        if reached is not None and completed_at is not None:
            self.spared = self.spared or completed_at <= reached

    def _end_stretch(self, at: datetime) -> None:
        if self.mode == "running":
            self.run_s += self.calendar.work(self.since, at)
            self.begins.append(self.since)
            self.totals.append(self.run_s)
        elif self.mode == "paused":
            self.paused_s += self.calendar.work(self.since, at)
        else:
            self.reopen_gap_s += (at - self.since) // SECOND
        self.history.append(Span(self.since, at, self.mode))

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
        return [*self.history, Span(self.since, None, self.mode)]


def _joined(spans: Iterable[Span]) -> Iterable[Span]:
    """The same time without empty stretches, neighbours of one kind as one."""
    last: Span | None = None
    for span in spans:
        if span.start == span.end:
            continue
        if last is not None and last.kind == span.kind:
            last = replace(last, end=span.end)
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last
