"""How the many tickets lived: pure, so that what is loaded can be told again and checked.

A life is told in groups of steps; the steps of a group happen at one instant, as one action writes them. Every life has
three messages and eight lines of history. Whether a clock was kept is not made up: sla.clock.compute says it. Settled
lives are told from a few hundred moulds and moved in time, which round the clock changes nothing; open ones are
reckoned each for itself.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sla.clock import ClockState, Target, compute
from sla.worktime import AROUND_THE_CLOCK

MESSAGES = 3
ENTRIES = 8
# Status a life ends in: what happened, a group of steps per instant. "replied" names who and what was said.
STORIES = {
    "new": "opened assigned / customer / assigned / customer / assigned / assigned / assigned",
    "in_progress": "opened assigned / engineer started / asked / customer resumed / assigned",
    "waiting_customer": "opened assigned / engineer started / assigned / assigned / last asked",
    "resolved": "opened assigned / engineer started / asked / resumed / last resolved",
    "closed": "opened assigned / engineer started / assigned / last resolved / closed",
}
NEW_STATUS = {
    "started": "in_progress",
    "asked": "waiting_customer",
    "resumed": "in_progress",
    "resolved": "resolved",
    "closed": "closed",
}
SAID = ("opened", "engineer", "customer", "last")
# Priority: its share in a hundred, and the answers that propose it.
PRIORITIES = {
    "critical": (5, "production_down", "urgent"),
    "high": (15, "production_part", "urgent"),
    "medium": (40, "non_critical", "urgent"),
    "low": (40, "question", "wait"),
}
EPOCH = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Step:
    """One line of history, `after` seconds from the opening. `old` is the status before it."""

    after: int
    name: str
    old: str
    fact: list[Any] | None

    @property
    def by_customer(self) -> bool:
        return self.name in ("opened", "customer", "closed")


@dataclass(frozen=True, slots=True)
class Life:
    """A ticket's life and what its clocks make of it; `clocks` counts from EPOCH in a mould."""

    status: str
    priority: str
    steps: tuple[Step, ...]
    clocks: tuple[ClockState, ...]

    @property
    def writes(self) -> int:
        """How often somebody wrote: what the version counts."""
        return len({step.after for step in self.steps})


def moulds(count: int, targets: Mapping[str, Target], chance: random.Random) -> dict[str, list[Life]]:
    """Settled lives, by the status they ended in, as if they had all begun at EPOCH."""
    return {status: [_settled(status, targets, chance) for _ in range(count)] for status in ("resolved", "closed")}


def _settled(status: str, targets: Mapping[str, Target], chance: random.Random) -> Life:
    priority = any_priority(chance)
    target = targets[priority]
    first = int(target.response_s * chance.uniform(0.1, 1.05)) + 60
    whole = first + int(target.resolution_s * chance.uniform(0.2, 1.15))
    return _told(status, priority, _instants(status, first, whole, chance), targets, EPOCH, EPOCH + timedelta(days=30))


def open_life(
    status: str, priority: str, age_s: int, targets: Mapping[str, Target], at: datetime, chance: random.Random
) -> Life:
    """The life of a ticket that was opened `age_s` seconds before `at` and is open then."""
    first = min(int(targets[priority].response_s * chance.uniform(0.1, 1.05)) + 60, age_s // 3)
    instants = _instants(status, first, age_s * 9 // 10, chance)
    return _told(status, priority, instants, targets, at - timedelta(seconds=age_s), at)


def any_priority(chance: random.Random) -> str:
    return chance.choices(list(PRIORITIES), [share for share, _, _ in PRIORITIES.values()])[0]


def _instants(status: str, first: int, whole: int, chance: random.Random) -> list[int]:
    """When each group of a story happens: the opening, the first answer, and the rest before `whole`, each later."""
    rest = STORIES[status].count("/") - 1
    room = max(whole - first, rest * 2)
    return [0, max(first, 1), *(first + room * (n + 1) // rest - chance.randrange(room // rest) for n in range(rest))]


def _told(
    status: str,
    priority: str,
    instants: list[int],
    targets: Mapping[str, Target],
    begun: datetime,
    now: datetime,
) -> Life:
    steps: list[Step] = []
    current = "new"
    for after, group in zip(instants, STORIES[status].split(" / "), strict=True):
        for name in group.split():
            steps.append(Step(after, name, current, _fact(name, priority)))
            current = NEW_STATUS.get(name, current)
    facts = [(begun + timedelta(seconds=s.after), n, s.fact) for n, s in enumerate(steps) if s.fact]
    reckoning = compute(facts, targets, AROUND_THE_CLOCK, now)
    return Life(status, priority, tuple(steps), tuple(reckoning.clocks))


def _fact(name: str, priority: str) -> list[Any]:
    match name:
        case "opened":
            return ["created", priority, "web"]
        case "engineer" | "last":
            return ["reply", "engineer"]
        case "customer":
            return ["reply", "customer"]
        case "assigned":
            return ["assigned"]
    return ["status", NEW_STATUS[name]]


def moved(clock: ClockState, to: datetime) -> ClockState:
    """A mould's clock for a ticket opened at `to`."""
    by = to - EPOCH

    def later(at: datetime | None) -> datetime | None:
        return at + by if at else None

    return replace(
        clock,
        started_at=clock.started_at + by,
        due_at=later(clock.due_at),
        completed_at=later(clock.completed_at),
        breached_at=later(clock.breached_at),
        next_event_at=later(clock.next_event_at),
    )
