"""Who of us has taken note of what AWS said: by the button, by passing it on, or by answering on the ticket.

A page view is no note (decisions.md). Whoever passes a message on calls `mark`. That somebody answered is not told to
us but found: every few seconds the pulse looks for public words of a colleague that were said on the ticket of an
unseen message after it came. So tickets need not know of AWS, a reply that was taken back counts for nothing, and one
that a merge or a broadcast brought counts like any other.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import connection, transaction

from awsint.models import Communication, SupportCase
from helpdesk.accounts.models import User
from helpdesk.audit.record import Happening, record

How = Communication.SeenBy
# So long an unseen message may wait: on tickets of the highest priority, and on others.
MOST_CRITICAL, MOST = timedelta(minutes=60), timedelta(hours=4)

FOUND = """
WITH answers AS (
    SELECT DISTINCT ON (c.id) c.id, m.at, m.author_id
    FROM awsint_communication c
    JOIN awsint_caselink l ON l.case_id = c.case_id
    JOIN tickets_ticket t ON t.id = l.ticket_id
    JOIN tickets_message m ON m.ticket_id = coalesce(t.merged_into_id, t.id)
    JOIN accounts_user u ON u.id = m.author_id
    WHERE c.seen_at IS NULL AND c.by_aws AND NOT c.automatic
    AND m.kind = 'reply' AND m.by_desk AND NOT u.is_service AND m.undone_at IS NULL
    AND m.released_at <= %(at)s AND m.at >= c.detected_at
    ORDER BY c.id, m.at, m.id)
UPDATE awsint_communication c SET seen_at = a.at, seen_by_id = a.author_id, seen_how = 'reply'
FROM answers a WHERE c.id = a.id AND c.seen_at IS NULL
"""


def settle(at: datetime) -> int:
    """Marks what was answered meanwhile; returns how many messages. One statement; called by the pulse."""
    with connection.cursor() as cursor:
        cursor.execute(FOUND, {"at": at})
        return int(cursor.rowcount)


def mark(messages: Collection[int], *, how: Communication.SeenBy, by: User, at: datetime) -> int:
    """Notes that `by` has seen these messages of AWS; returns how many nobody had seen. One statement."""
    unseen = Communication.objects.filter(pk__in=messages, by_aws=True, seen_at=None)
    return unseen.update(seen_at=at, seen_by=by, seen_how=how)


@transaction.atomic
def see(*, message: Communication, by: User, at: datetime) -> bool:
    """The button "Seen"; whether nobody was faster."""
    if not mark([message.pk], how=How.BUTTON, by=by, at=at):
        return False
    case: SupportCase = message.case
    happening = Happening("aws.seen", {"communication": message.pk})
    record([happening], by=by, at=at, subject=f"aws:case:{case.pk}", customer=case.account.customer_id)
    return True
