"""Promises that come in rounds: one stopwatch at a time, and each that ends is a cycle. Pure.

The regular update (sla.md, rule 11 and reading R9) starts with the first response; every public word of ours, and every
AWS reply that the customer was shown, completes a cycle and begins the next. A pause or a resolution ends one without
a verdict unless it was broken; work that resumes begins the next at zero. A priority that changes gives the cycle under
way its own time, reckoned from the cycle's start: where that is over already the promise breaks with the change.

The promises among ourselves (rule 14) run on through every pause: until somebody has the ticket, until the AWS case is
opened that an engineer wants, until what AWS says is passed on. A resolution or withdrawal ends them without a verdict.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sla.stopwatches import ClockState, Mode, Name, Steady, Target
from sla.worktime import Calendar


class Rounds:
    """One kind's cycles in their order, at most the last of them open."""

    def __init__(self, kind: Name, calendar: Calendar) -> None:
        self.kind = kind
        self.calendar = calendar
        self.cycles: list[Steady] = []
        self.open: Steady | None = None

    def begin(self, at: datetime, target_s: int | None) -> None:
        """The next cycle, unless one is under way or nothing is promised."""
        if self.open is None and target_s is not None:
            self.open = Steady(at, target_s, self.calendar, self.kind)
            self.cycles.append(self.open)

    def complete(self, at: datetime) -> None:
        if self.open is not None:
            self.open.answer(at)
            self.open = None

    def end(self, at: datetime) -> None:
        """Without a verdict, unless it was broken. A cycle that ends in the second it began never was."""
        if self.open is None:
            return
        if self.open.start == at:
            self.cycles.pop()
        else:
            self.open.withdraw(at)
            self.open.completed_at = at
        self.open = None

    def retarget(self, at: datetime, target_s: int | None) -> None:
        if target_s is None:
            self.end(at)
        elif self.open is not None and target_s != self.open.target_s:
            self.open.retarget(at, target_s)

    def pass_to(self, at: datetime) -> None:
        if self.open is not None:
            self.open.pass_to(at)

    def states(self, now: datetime) -> Iterator[ClockState]:
        return (clock.state(now, number) for number, clock in enumerate(self.cycles, 1))


class Updates(Rounds):
    """The regular updates a customer is promised."""

    def __init__(self, calendar: Calendar) -> None:
        super().__init__("update", calendar)
        self.answered = False

    def word(self, at: datetime, target: Target, mode: Mode) -> None:
        """A public word, the first response or a later one. Two of one second are one."""
        self.answered = True
        if self.open is None or self.open.start != at:
            self.complete(at)
        self.turn(at, target, mode)

    def turn(self, at: datetime, target: Target, mode: Mode) -> None:
        if mode != "running":
            self.end(at)
        elif self.answered:
            self.begin(at, target.update_s)

    def retarget(self, at: datetime, target: Target) -> None:  # type: ignore[override]
        super().retarget(at, target.update_s)


class Internal:
    """What we promise each other."""

    def __init__(self, at: datetime, target: Target, calendar: Calendar) -> None:
        self.assign = Rounds("ola_assign", calendar)
        self.case = Rounds("ola_case", calendar)
        self.relay = Rounds("ola_relay", calendar)
        self.rounds = (self.assign, self.case, self.relay)
        self.assign.begin(at, target.assign_s)

    def hear(self, at: datetime, fact: Sequence[Any], target: Target) -> None:
        match fact:
            case ["assigned"]:
                self.assign.complete(at)
            case ["case_needed"]:
                self.case.begin(at, target.case_s)
            case ["case_opened"]:
                self.case.complete(at)
            case ["aws_reply"]:
                self.relay.begin(at, target.relay_s)
            case ["relay"] | ["reply", "engineer"]:
                self.relay.complete(at)

    def retarget(self, at: datetime, target: Target) -> None:
        self.assign.retarget(at, target.assign_s)
        self.case.retarget(at, target.case_s)
        self.relay.retarget(at, target.relay_s)

    def end(self, at: datetime) -> None:
        for one in self.rounds:
            one.end(at)

    def pass_to(self, at: datetime) -> None:
        for one in self.rounds:
            if one.open is not None:
                one.open.pass_to(at)

    def states(self, now: datetime) -> Iterable[ClockState]:
        return (state for one in self.rounds for state in one.states(now))
