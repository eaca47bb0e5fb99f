"""Tickets and time of a customer's month by category: opened, solved, open at its end, first response and resolution in
working time, reopenings.

A ticket is in the month where it was opened before the end and had not ended before the start. Its times are those of
its clocks: the first response counts where it was given in the month, the resolution where it stands at the end of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from helpdesk import refs
from helpdesk.accounts.models import Customer
from sla import clocks, months, report
from tickets.models import Category

# Ended: solved, or set aside for good (withdrawn, merged), or closed with a promise broken before.
WORK = """
SELECT t.customer_id, t.id, t.category, t.priority, t.calendar_id, t.created_at, first.completed_at,
    solved.completed_at, solved.running_s, ended.at,
    (SELECT count(*) FROM audit_entry e WHERE e.subject = 'HD-' || t.id AND e.action = 'ticket.reopened'
        AND e.at >= %(start)s AND e.at < %(until)s)
FROM tickets_ticket t
LEFT JOIN sla_clock first ON first.subject = 'HD-' || t.id AND first.kind = 'response' AND first.cycle = 1
LEFT JOIN sla_clock solved ON solved.subject = 'HD-' || t.id AND solved.kind = 'resolution' AND solved.cycle = 1
CROSS JOIN LATERAL (SELECT coalesce(solved.completed_at,
    CASE WHEN solved.verdict = 'n/a' THEN solved.set_aside_at END,
    CASE WHEN t.status = 'closed' THEN t.last_event_at END) AS at) ended
WHERE t.customer_id = ANY(%(customers)s) AND t.created_at < %(until)s
    AND (ended.at IS NULL OR ended.at >= %(start)s OR first.completed_at >= %(start)s)
ORDER BY t.id
"""


@dataclass(frozen=True, slots=True)
class Worked:
    """One ticket of the month, as a report keeps it: in this order, as a list. Seconds are working time."""

    ref: str
    category: str
    priority: str
    opened: str
    # Given in the month, else None.
    response_s: int | None
    # Solved in the month and still so, else empty and None.
    solved: str
    resolution_s: int | None
    reopened: int
    is_new: bool
    is_open: bool

    @property
    def row(self) -> list[Any]:
        return [getattr(self, name) for name in self.__slots__]


def work_of(customers: Iterable[Customer], month: months.Month) -> dict[UUID, list[Worked]]:
    """The tickets of these customers' month. One statement for each zone among them."""
    found: dict[UUID, list[Worked]] = defaultdict(list)
    for zone, some in months.by_zone(customers).items():
        window = month.window(zone)
        with connection.cursor() as cursor:
            given: dict[str, Any] = {"customers": [c.pk for c in some], "start": window.start, "until": window.until}
            cursor.execute(WORK, given)
            for customer, *told in cursor.fetchall():
                found[customer].append(_worked(window, *told))
    return found


def _worked(
    window: report.Window,
    number: int,
    category: str,
    priority: str,
    calendar: int,
    opened: datetime,
    answered: datetime | None,
    solved: datetime | None,
    running_s: int | None,
    ended: datetime | None,
    reopened: int,
) -> Worked:
    def within(at: datetime | None) -> bool:
        return at is not None and window.start <= at < window.until

    in_time = solved if within(solved) else None
    return Worked(
        ref=refs.ref(number),
        category=category,
        priority=priority,
        opened=months.instant(opened),
        response_s=clocks.calendar_of(calendar).work(opened, answered) if answered and within(answered) else None,
        solved=months.instant(in_time),
        resolution_s=running_s if in_time else None,
        reopened=reopened,
        is_new=within(opened),
        is_open=ended is None or ended >= window.until,
    )


# --- What they come to (pure) ----------------------------------------------------------------------------------------


def by_category(worked: Sequence[Worked]) -> list[list[Any]]:
    """Category by category, then all together under an empty name: how many were opened, solved, are open, were
    reopened; median and 90th percentile of first response and resolution in seconds, None where there was none."""
    names = [c.value for c in Category if any(one.category == c.value for one in worked)]
    return [_line(name, [x for x in worked if x.category == name]) for name in names] + [_line("", worked)]


def _line(name: str, worked: Sequence[Worked]) -> list[Any]:
    responses = sorted(x.response_s for x in worked if x.response_s is not None)
    resolutions = sorted(x.resolution_s for x in worked if x.resolution_s is not None)
    return [
        name,
        sum(x.is_new for x in worked),
        sum(bool(x.solved) for x in worked),
        sum(x.is_open for x in worked),
        sum(x.reopened for x in worked),
        *(rank(responses, 50), rank(responses, 90)),
        *(rank(resolutions, 50), rank(resolutions, 90)),
    ]


def rank(ordered: Sequence[int], percent: int) -> int | None:
    """The percentile by the nearest rank: a value that occurred, never one in between."""
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)] if ordered else None
