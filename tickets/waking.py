"""What the desk itself does about a ticket that nobody touches (decisions.md, Workflow).

One that waits for its customer: after 3 days they are reminded, once for each stay; after 7 it is resolved. One that is
resolved: two days before its reopen window ends the customer is told, and when it has ended the ticket is closed. Days
are stretches of 24 hours from the step that began the stay. `Ticket.wake_at` is the next of these instants; it follows
the history in the transaction of every step (deed.py), so it is right after whatever is taken back. A late worker takes
the last step that is due, and tells nobody that it is coming.
"""

import logging
from datetime import datetime

from django.db import connection, transaction

from helpdesk.audit.models import Entry
from helpdesk.audit.record import SYSTEM, Happening
from helpdesk.outbox.models import Letter
from helpdesk.refs import number, ref
from sla import clocks
from tickets import stays
from tickets.deed import Deed
from tickets.models import CloseReason, Status, Ticket
from tickets.stays import PLAN, Plan

log = logging.getLogger(__name__)
SLICE = 500
# As text, because the row comparison is an index condition and the ORM's OR would only filter.
DUE = """
SELECT id, wake_at FROM tickets_ticket
WHERE wake_at IS NOT NULL AND wake_at <= %s AND (wake_at, id) > (%s, %s) ORDER BY wake_at, id LIMIT %s
"""
FIRST = (datetime.fromisoformat("1970-01-01T00:00:00+00:00"), 0)


def wake(at: datetime) -> int:
    """Does what is due by `at`, each ticket in a transaction of its own; returns for how many tickets."""
    done, place = 0, FIRST
    while found := _due(at, place):
        place = (found[-1][1], found[-1][0])
        for pk, _wake_at in found:
            try:
                done += wake_one(pk, at)
            except Exception:
                log.exception("%s could not be woken", ref(pk))
    return done


def _due(at: datetime, after: tuple[datetime, int]) -> list[tuple[int, datetime]]:
    with connection.cursor() as cursor:
        cursor.execute(DUE, [at, *after, SLICE])
        return [(pk, wake_at) for pk, wake_at in cursor.fetchall()]


@transaction.atomic
def wake_one(pk: int, at: datetime) -> bool:
    """What is due on one ticket by `at`; False where somebody holds it, or it was done meanwhile."""
    waiting = Ticket.objects.select_for_update(skip_locked=True).filter(pk=pk, wake_at__lte=at)
    ticket = waiting.first()
    if ticket is None:
        return False
    deed = Deed(ticket, SYSTEM, max(at.replace(microsecond=0), ticket.last_event_at))
    since = clocks.reckon(ticket.ref, terms=ticket.terms, at=deed.at).spans[-1].start
    plan = PLAN[Status(ticket.status)]
    if deed.at >= since + plan.end:
        _end(deed, plan)
    elif deed.at >= since + plan.told:
        _announce(deed, plan, since)
    else:
        # Too early: somebody put it there by hand.
        stays.keep(ticket, since)
        ticket.save(update_fields=["wake_at"])
    return True


def _end(deed: Deed, plan: Plan) -> None:
    if plan.verb == "close":
        deed.move("close", close_reason=CloseReason.LAPSED)
    else:
        deed.move("resolve")
    deed.happenings[-1].data["days"] = plan.days
    deed.tell(plan.end_letter, "requester", "assignee")
    deed.finish()


def _announce(deed: Deed, plan: Plan, since: datetime) -> None:
    ticket = deed.ticket
    ticket.wake_at = since + plan.end
    # After a step that was taken back the stay goes on: who was told in it is not told again.
    if Entry.objects.filter(subject=ticket.ref, action=plan.action, at__gte=since).exists():
        ticket.save(update_fields=["wake_at"])
        return
    deed.happen(Happening(plan.action, {"days": plan.told_days}, public=True))
    deed.tell(plan.letter, "requester", guard=plan.guard)
    deed.finish()


# --- Letters that are late -------------------------------------------------------------------------------------------


def still_waiting(letter: Letter) -> bool:
    """Whether the ticket of a reminder waits for its customer yet. One statement."""
    return Ticket.objects.filter(pk=number(letter.subject) or 0, status=Status.WAITING_CUSTOMER).exists()


def still_resolved(letter: Letter) -> bool:
    """Whether a ticket that was to be closed soon is resolved yet. One statement."""
    return Ticket.objects.filter(pk=number(letter.subject) or 0, status=Status.RESOLVED).exists()
