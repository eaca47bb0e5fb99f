"""What a customer would be promised if they filed now, and which priority their two answers propose."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sla.clocks import calendar_of, matrix_of, terms_in_force
from sla.models import Priority, Target


@dataclass(frozen=True)
class Promise:
    """The promise of one priority, were a ticket filed at the instant asked for. Due times are UTC."""

    priority: Priority
    description: str
    response_due: datetime
    resolution_due: datetime
    response_minutes: int
    resolution_hours: int


def promises(at: datetime, customer: UUID | None) -> list[Promise]:
    """The promise of each priority to a customer, the most urgent first. Two statements."""
    terms = terms_in_force(at, customer)
    calendar = calendar_of(terms.calendar)
    start = at.replace(microsecond=0)
    rows = Target.objects.filter(policy=terms.policy, plan=terms.plan).select_related("priority")
    return [
        Promise(
            priority=row.priority,
            description=row.description,
            response_due=calendar.add(start, row.response_time_minutes * 60),
            resolution_due=calendar.add(start, row.resolution_time_hours * 3600),
            response_minutes=row.response_time_minutes,
            resolution_hours=row.resolution_time_hours,
        )
        for row in rows.order_by("priority__rank")
    ]


def matrix(at: datetime) -> Mapping[tuple[str, str], str]:
    """{(impact code, urgency code): priority code} of the policy in force. One statement."""
    return matrix_of(terms_in_force(at, None).policy)
