"""What a clock has to say, and when it has to be looked at again (sla.md, rule 12 and reading R8).

At 50, 75 and 90 % of a target somebody is warned, once for each clock, target and mark. Of several marks that passed
unnoticed, because a priority was raised or the worker was down, only the highest is told; once the breach itself is
past, none is. What is not told is superseded. Pure: the same clock, instant and memory always give the same answer.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sla.clock import ClockState, Mark


@dataclass(frozen=True, slots=True)
class Owed:
    """What a clock has to say now: `warning` is to be told, nobody hears of the `superseded` any more."""

    warning: Mark | None = None
    superseded: tuple[Mark, ...] = ()


def owed(clock: ClockState, told: Collection[int], now: datetime) -> Owed:
    """What is to be said at `now`; `told` are the percents of the present target that were dealt with before."""
    past = [mark for mark in clock.marks if mark.at <= now and mark.percent not in told]
    if not past or clock.breached_at is not None or past[-1].percent < max(told, default=0):
        return Owed(superseded=tuple(past))
    return Owed(past[-1], tuple(past[:-1]))


def next_event_at(clock: ClockState, now: datetime) -> datetime | None:
    """When a clock that has said all it had to say by `now` has something to say again; None once it is decided."""
    if clock.breached_at is not None:
        return None
    coming = [mark.at for mark in clock.marks if mark.at > now]
    return min([*coming, *([clock.next_event_at] if clock.next_event_at else [])], default=None)
