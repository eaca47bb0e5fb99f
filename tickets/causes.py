"""Whoever leads hears of causes that are owed: three days after a breach, and on the day they are due (five).

Each reminder is one line of the ticket's history and one letter a lead, written together; a run that comes twice or
late finds the line and writes nothing. A breach that was explained meanwhile is told of no more.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from helpdesk import refs
from helpdesk.audit.record import SYSTEM, Happening, record
from helpdesk.outbox.enqueue import Draft, enqueue
from helpdesk.outbox.models import Letter
from sla import terms
from sla.models import Breach, BreachCause
from tickets import notify
from tickets.models import Ticket

log = logging.getLogger(__name__)
KIND = "ticket.cause_owed"
# After so many days, the last one the day on which it is due.
DAYS = (3, terms.CAUSE_DAYS)
# What is older was told of long ago; nobody is reminded of what came with an import.
OLDEST = timedelta(days=14)
OWED = """
SELECT b.id, b.subject, CASE WHEN b.detected_at <= %(late)s THEN %(last)s ELSE %(first)s END AS day
FROM sla_breach b
WHERE b.kind IN ('response', 'resolution') AND b.detected_at <= %(soon)s AND b.detected_at > %(oldest)s
    AND NOT EXISTS (SELECT 1 FROM sla_breachcause c WHERE c.breach_id = b.id)
    AND NOT EXISTS (SELECT 1 FROM audit_entry e WHERE e.subject = b.subject AND e.action = 'ticket.cause_reminded'
        AND (e.data->>'breach')::bigint = b.id
        AND (e.data->>'day')::int >= CASE WHEN b.detected_at <= %(late)s THEN %(last)s ELSE %(first)s END)
ORDER BY b.id
"""


def remind(at: datetime) -> int:
    """Tells the leads of every cause that is owed for three days, or five, by `at`; returns of how many."""
    first, last = DAYS
    given: dict[str, Any] = {"first": first, "last": last, "oldest": at - OLDEST}
    given |= {"soon": at - timedelta(days=first), "late": at - timedelta(days=last)}
    with connection.cursor() as cursor:
        cursor.execute(OWED, given)
        rows = cursor.fetchall()
    return sum(_safely(number, day, at) for number, _subject, day in rows)


def _safely(number: int, day: int, at: datetime) -> bool:
    try:
        return _remind(number, day, at)
    except Exception:
        log.exception("nobody could be told of the cause that is owed for breach %s", number)
        return False


@transaction.atomic
def _remind(number: int, day: int, at: datetime) -> bool:
    breach = Breach.objects.get(pk=number)
    found = Ticket.objects.select_for_update(skip_locked=True).filter(pk=refs.number(breach.subject)).first()
    if found is None:
        return False
    at = max(at.replace(microsecond=0), found.last_event_at)
    Ticket.objects.filter(pk=found.pk).update(last_event_at=at)
    told = {"breach": breach.pk, "kind": breach.kind, "day": day}
    record([Happening("ticket.cause_reminded", told)], by=SYSTEM, at=at, subject=found.ref, customer=found.customer_id)
    data = {"ref": found.ref, "kind": breach.kind, "breach": breach.pk}
    data |= {"due": (breach.detected_at + timedelta(days=terms.CAUSE_DAYS)).isoformat()}
    drafts = [Draft(KIND, lead, data, guard="cause_still_owed") for lead in notify.leads()]
    enqueue(drafts, at=at, subject=found.ref, customer=found.customer_id)
    return True


def cause_still_owed(letter: Letter) -> bool:
    """Whether nobody has written the cause since. One statement."""
    return not BreachCause.objects.filter(breach=letter.data["breach"]).exists()
