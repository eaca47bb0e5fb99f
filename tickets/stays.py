"""How long a ticket may stay where it is before the desk itself goes on, as a table; waking.py acts on it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tickets.models import Status, Ticket

DAY = timedelta(days=1)
REOPEN_WINDOW = 7 * DAY
# The window's last second is the customer's: what ends with it ends in the next.
AFTER_THE_WINDOW = REOPEN_WINDOW + timedelta(seconds=1)


@dataclass(frozen=True)
class Plan:
    """A stay: after `told` its customer gets `letter`, after `end` the desk takes the step `verb`.

    `guard` says that the stay goes on, when the letter leaves.
    """

    told: timedelta
    action: str
    letter: str
    guard: str
    end: timedelta
    verb: str
    end_letter: str

    @property
    def days(self) -> int:
        return self.end.days

    @property
    def told_days(self) -> int:
        """The days that are over, or, of a window that ends, those that are left."""
        return self.told.days if self.verb == "resolve" else (self.end - self.told).days


PLAN = {
    Status.WAITING_CUSTOMER: Plan(
        told=3 * DAY,
        action="ticket.reminded",
        letter="ticket.reminder",
        guard="still_waiting",
        end=7 * DAY,
        verb="resolve",
        end_letter="ticket.auto_resolved",
    ),
    Status.RESOLVED: Plan(
        told=5 * DAY,
        action="ticket.closing_soon",
        letter="ticket.closing_soon",
        guard="still_resolved",
        end=AFTER_THE_WINDOW,
        verb="close",
        end_letter="ticket.auto_closed",
    ),
}


def keep(ticket: Ticket, since: datetime) -> None:
    """Sets when to look at a ticket again whose status is what it is `since` then. No statement.

    One that was told already, and whose stay goes on, keeps its place.
    """
    plan = PLAN.get(Status(ticket.status))
    if plan is None:
        ticket.wake_at = None
    elif ticket.wake_at != since + plan.end:
        ticket.wake_at = since + plan.told


def instants(status: str, since: datetime) -> list[datetime | None]:
    """When a ticket may be looked at again that has this status `since` then."""
    plan = PLAN.get(Status(status))
    return [None] if plan is None else [since + plan.told, since + plan.end]
