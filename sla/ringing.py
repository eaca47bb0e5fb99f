"""Finds the clocks that have something to say, and writes down what they said.

Whoever calls `ring` holds the lock on what is timed, as for the clocks themselves; so a breach or a warning is written
by whoever looks first, a person's action or the sweep, and by nobody a second time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from sla import alarms
from sla.clock import ClockState
from sla.models import Breach, Clock, Warning


@dataclass(frozen=True)
class Rung:
    """What was written down just now and is to be told: breaches, and warnings that are not superseded."""

    breaches: list[Breach] = field(default_factory=list)
    warnings: list[Warning] = field(default_factory=list)


class Looked(NamedTuple):
    """A clock as it was stored, None where it is new, as it is stored from now on, and as it was reckoned."""

    before: Clock | None
    after: Clock
    state: ClockState


class Due(NamedTuple):
    """A place in the index of the sweep."""

    at: datetime
    clock: int
    subject: str


SLICE = 500
# As text, so that the bench explains the very statement; the row comparison is an index condition.
DUE = """
SELECT next_event_at, id, subject FROM sla_clock
WHERE next_event_at IS NOT NULL AND next_event_at <= %s AND (next_event_at, id) > (%s, %s)
ORDER BY next_event_at, id LIMIT %s
"""
FIRST = Due(datetime.fromisoformat("1970-01-01T00:00:00+00:00"), 0, "")


def due(at: datetime, after: Due = FIRST, limit: int = SLICE) -> list[Due]:
    """The next clocks after a place that have something to say by `at`. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(DUE, [at, after.at, after.clock, limit])
        return [Due(*row) for row in cursor.fetchall()]


def ring(looked: Iterable[Looked], *, policy: int, at: datetime) -> Rung:
    """Writes the breaches and warnings that are new by `at`. No statement unless one may be, three at most."""
    asked = [one for one in looked if _may_have_news(one, at)]
    if not asked:
        return Rung()
    rows = Warning.objects.filter(clock__in=[one.after.pk for one in asked])
    told = set(rows.values_list("clock", "target_s", "percent"))
    warnings = [w for one in asked for w in _warnings(one, told, at)]
    breaches = [_breach(one, policy, at) for one in asked if _is_newly_broken(one)]
    Warning.objects.bulk_create(warnings)
    Breach.objects.bulk_create(breaches)
    return Rung(breaches, [w for w in warnings if not w.superseded])


def _may_have_news(one: Looked, at: datetime) -> bool:
    """Where neither the target nor the next event moved, no mark was passed; what is breached has nothing to add."""
    if one.before is None:
        return one.state.breached_at is not None or any(mark.at <= at for mark in one.state.marks)
    if one.before.breached_at:
        return False
    moved = (one.before.next_event_at, one.before.target_s) != (one.after.next_event_at, one.after.target_s)
    return one.state.breached_at is not None or (moved and any(mark.at <= at for mark in one.state.marks))


def _is_newly_broken(one: Looked) -> bool:
    return one.state.breached_at is not None and not (one.before and one.before.breached_at)


def _warnings(one: Looked, told: set[tuple[int, int, int]], at: datetime) -> list[Warning]:
    clock, target_s = one.after.pk, one.state.target_s
    owed = alarms.owed(one.state, {p for c, t, p in told if (c, t) == (clock, target_s)}, at)
    marks = [(mark, True) for mark in owed.superseded] + ([(owed.warning, False)] if owed.warning else [])
    return [
        Warning(
            clock=one.after,
            target_s=target_s,
            percent=mark.percent,
            at=mark.at,
            detected_at=at,
            superseded=superseded,
        )
        for mark, superseded in marks
    ]


def _breach(one: Looked, policy: int, at: datetime) -> Breach:
    clock = one.after
    assert clock.due_at
    assert clock.breached_at
    return Breach(
        clock=clock,
        subject=clock.subject,
        customer_id=clock.customer_id,
        kind=clock.kind,
        priority=clock.priority,
        target_s=clock.target_s,
        policy=policy,
        due_at=clock.due_at,
        breached_at=clock.breached_at,
        detected_at=at,
        cause=clock.cause,
    )
