"""The clocks of a ticket, computed from its history (sla.md, rules 1-11 and 14, readings R1-R9 and R12).

`compute` is pure: the same facts, targets, calendar and instant always give the same answer, and what the database
stores of it is a cache. A fact is what audit.Entry.fact holds, an sla_replay event without its time. Facts are taken in
the order (at, id); those after `now` are ignored, and so are kinds that no clock here hears, wherever they stand.

Two sentences decide most cases. A clock is late only in a second *after* its due time: each clock keeps `limit`, the
last second in which all is still well, and any later fact, or `now`, proves the breach. And what a priority change
makes of the past is found by asking when the running seconds reached the new target, not by moving the old due time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter
from typing import Any

from sla.facts import AMONG_US, Fact, undone_by, without
from sla.rounds import Internal, Updates
from sla.stopwatches import MODES, WARN_AT, ClockState, Mark, Resolution, Span, Steady, Target
from sla.worktime import Calendar

__all__ = ["MODES", "WARN_AT", "ClockState", "Fact", "Mark", "Reckoning", "Span", "Target", "compute"]

HEARD = frozenset(("created", "reply", "status", "priority", "withdrawn", "undo", "strike", *AMONG_US))
# What stays of a breach, whatever is told later.
PAST = ("breached_at", "target_s", "started_at", "due_at", "cause", "marks")


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What the history amounts to at `now`. `status` and `priority` are those the facts lead to.

    `updates` are the cycles of the regular updates, `internal` those of the promises among ourselves; none where the
    targets name no time for them.
    """

    response: ClockState
    resolution: ClockState
    status: str
    priority: str
    first_response_at: datetime | None
    resolved_at: datetime | None
    spans: tuple[Span, ...]
    updates: tuple[ClockState, ...] = ()
    internal: tuple[ClockState, ...] = ()

    @property
    def clocks(self) -> list[ClockState]:
        """All of them, each kind's cycles in their order."""
        return [self.response, self.resolution, *self.updates, *self.internal]

    @property
    def update_due(self) -> datetime | None:
        """When the next regular update is owed as things stand; None while none is."""
        last = self.updates[-1] if self.updates else None
        return last.due_at if last and last.completed_at is None else None


def compute(facts: Iterable[Fact], targets: Mapping[str, Target], calendar: Calendar, now: datetime) -> Reckoning:
    """The clocks at `now`. `targets` is the ticket's own policy version, by priority code.

    Raises ValueError where no "created" fact is at or before `now`, KeyError for an unknown status or priority.
    """
    now = now.replace(microsecond=0)
    heard = sorted((fact for fact in facts if fact[0] <= now and fact[2][0] in HEARD), key=itemgetter(0, 1))
    undone = undone_by(heard)
    reckoning = _walk(without(heard, undone), targets, calendar, now)
    # Backwards, so that of two breaches seen the one recorded first stands.
    for place in sorted(undone, reverse=True):
        before, at = heard[:place], heard[place][0]
        seen = _walk(without(before, undone_by(before)), targets, calendar, at)
        reckoning = _keep_breaches(seen, reckoning, at)
    return reckoning


# --- Breaches that stand ---------------------------------------------------------------------------------------------


def _keep_breaches(seen: Reckoning, later: Reckoning, at: datetime) -> Reckoning:
    """A recorded breach is never removed, not even where what led to it is taken back at `at`."""
    return replace(
        later,
        response=_keep_breach(seen.response, later.response),
        resolution=_keep_breach(seen.resolution, later.resolution),
        updates=_keep_cycles(seen.updates, later.updates, at),
        internal=_keep_cycles(seen.internal, later.internal, at),
    )


def _keep_breach(seen: ClockState, later: ClockState) -> ClockState:
    if seen.breached_at is None:
        return later
    past = {name: getattr(seen, name) for name in PAST}
    return replace(later, **past, verdict="breached", next_event_at=None, remaining_s=None)


def _keep_cycles(seen: tuple[ClockState, ...], later: tuple[ClockState, ...], at: datetime) -> tuple[ClockState, ...]:
    """The same for cycles, each by its number; one that never began as it seems now ended when that was seen."""
    broken = {(c.kind, c.cycle): c for c in seen if c.breached_at}
    if not broken:
        return later
    kept = [_keep_breach(broken.pop((c.kind, c.cycle), c), c) for c in later]
    kept += [replace(c, completed_at=c.completed_at or at) for c in broken.values()]
    return tuple(sorted(kept, key=lambda clock: (clock.kind, clock.cycle)))


# --- The walk --------------------------------------------------------------------------------------------------------


def _walk(facts: Sequence[Fact], targets: Mapping[str, Target], calendar: Calendar, now: datetime) -> Reckoning:
    begin = next((place for place, fact in enumerate(facts) if fact[2][0] == "created"), None)
    if begin is None:
        raise ValueError("no created fact by now")
    ticket = _Ticket(facts[begin], targets, calendar)
    for at, number, fact in facts[begin + 1 :]:
        if ticket.withdrawn:
            break
        ticket.hear(at, number, fact)
    return ticket.reckon(now)


class _Ticket:
    """Status, priority and the clocks while the facts are told one by one."""

    def __init__(self, created: Fact, targets: Mapping[str, Target], calendar: Calendar) -> None:
        at, _, (_, self.priority, *source) = created
        self.targets = targets
        self.target = target = targets[self.priority]
        self.status = "new"
        self.withdrawn = False
        self.response = Steady(at, target.response_s, calendar)
        self.resolution = Resolution(at, target.resolution_s, calendar)
        self.updates = Updates(calendar)
        self.internal = Internal(at, target, calendar)
        # R6: an engineer logged the call, so it was answered when it began.
        if source == ["phone"]:
            self.answer(at)

    def hear(self, at: datetime, number: int, fact: Sequence[Any]) -> None:
        self._pass_to(at)
        self.internal.hear(at, fact, self.target)
        match fact:
            # Rule 5: only a person of ours counts; robots, AWS, the customer and notes ("internal") do not.
            case ["reply", "engineer"]:
                self.answer(at)
            case ["reply", "aws"] if self.response.completed_at is not None:
                self.updates.word(at, self.target, self.resolution.mode)
            case ["status", status]:
                self.turn(at, number, status)
            case ["priority", priority]:
                self.retarget(at, priority)
            case ["strike", struck]:
                self.resolution.strike(at, struck)
                self.updates.turn(at, self.target, self.resolution.mode)
            case ["withdrawn"]:
                self.withdraw(at)

    def answer(self, at: datetime) -> None:
        self.response.answer(at)
        self.updates.word(at, self.target, self.resolution.mode)

    def turn(self, at: datetime, number: int, status: str) -> None:
        self.status = status
        self.resolution.turn(at, MODES[status], self.target.resolution_s, number)
        self.updates.turn(at, self.target, self.resolution.mode)
        if MODES[status] == "stopped":
            self.internal.end(at)

    def retarget(self, at: datetime, priority: str) -> None:
        self.priority, self.target = priority, self.targets[priority]
        self.response.retarget(at, self.target.response_s)
        self.resolution.retarget(at, self.target.resolution_s)
        self.updates.retarget(at, self.target)
        self.internal.retarget(at, self.target)

    def withdraw(self, at: datetime) -> None:
        self.withdrawn = True
        self.status = "closed"
        self.response.withdraw(at)
        self.resolution.withdraw(at)
        self.updates.end(at)
        self.internal.end(at)

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
            updates=tuple(self.updates.states(now)),
            internal=tuple(self.internal.states(now)),
        )

    def _pass_to(self, at: datetime) -> None:
        self.response.pass_to(at)
        self.resolution.pass_to(at)
        self.updates.pass_to(at)
        self.internal.pass_to(at)


def _joined(spans: Iterable[Span]) -> Iterable[Span]:
    """The same time without empty stretches, neighbours of one kind as one."""
    last: Span | None = None
    for span in spans:
        if span.start == span.end:
            continue
        if last is not None and (last.kind, last.struck) == (span.kind, span.struck):
            last = replace(last, end=span.end)
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last
