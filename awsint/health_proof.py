"""When customers were really told of an event: the relay took the first letter that their ticket was opened with.

`AffectedCustomer.told_at` is written here alone: as soon as such a letter was taken (settings.OUTBOX_SENT), and by the
sweep of each minute for what was killed in between. A letter that failed, or that nobody gets, proves nothing; nor does
one that came back for good from each of its readers: then it is taken back (settings.OUTBOX_BACK).
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from helpdesk.outbox.models import Letter

KIND = "ticket.aws_event"
# What could not be told for so long is no longer looked at each minute; a letter sent again is noted nevertheless.
LOOKED_BACK = timedelta(days=30)

# A demo's letters count as sent and never went anywhere. What bounced for good, or was rejected, stands so for its
# reader whatever else is said (helpdesk/outbox/words.py).
NOTED = """
UPDATE awsint_affectedcustomer c SET told_at = n.at FROM (
    SELECT p.id, (
        SELECT min(l.sent_at) FROM outbox_letter l WHERE l.subject = 'HD-' || p.ticket_id AND l.kind = %(kind)s
        AND l.customer = p.customer_id AND l.state = 'sent' AND l.reason <> 'demo'
        AND (l.fate NOT IN ('bounced', 'rejected') OR 1 + jsonb_array_length(l.cc) > (
            SELECT count(DISTINCT w.address) FROM outbox_word w
            WHERE w.letter_id = l.id AND w.kind IN ('bounced', 'rejected')))) AS at
    FROM awsint_affectedcustomer p WHERE p.ticket_id IS NOT NULL AND {}) n
WHERE c.id = n.id AND {}
"""
OURS, UNTOLD, FOUND = "p.ticket_id = substr(%(subject)s, 4)::bigint", "p.told_at IS NULL", "n.at IS NOT NULL"
OF_TICKET = NOTED.format(f"{UNTOLD} AND {OURS}", FOUND)
BACK = NOTED.format(OURS, "c.told_at IS DISTINCT FROM n.at")
RECENT = NOTED.format(f"{UNTOLD} AND p.opened_at > %(since)s", FOUND)


def sent(letter: Letter) -> int:
    """The relay has just taken the letter. One statement by the ticket's key."""
    return _note(OF_TICKET, subject=letter.subject)


def came_back(letter: Letter) -> int:
    """The provider says that it bounced for good. One statement by the ticket's key."""
    return _note(BACK, subject=letter.subject)


def note(at: datetime) -> int:
    """Whoever was told meanwhile; returns how many. One statement over those who were not, whatever else there is."""
    return _note(RECENT, since=at - LOOKED_BACK)


def _note(statement: str, **given: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"kind": KIND} | given)
        count: int = cursor.rowcount
    return count
