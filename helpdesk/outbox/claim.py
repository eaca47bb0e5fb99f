"""Who sends which letter: rows change hands by conditional updates alone, so any number of pulses may send.

A letter is claimed as `sending` with a lease, committed before anything goes over the network. What its sender writes
afterwards counts only while the letter is still theirs: `attempts` goes up with every claim and tells one from the
next. A lease that ran out returns the letter, which then leaves once more with the same Message-ID.

One letter of a subject is on its way at a time in each channel, in the order in which they were written: an earlier one
that is held, waits, is being sent or may have been goes before. A dead one stops nobody; one whose reader was put off
three times (21 minutes) holds up that reader alone, not everybody at the ticket.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q

from helpdesk.outbox.models import MAIL, Letter, waiting

LEASE = timedelta(seconds=60)
# From one attempt to the next; together 27 hours.
GAPS = [timedelta(minutes=m) for m in (1, 5, 15, 30, 60, 120, 240, 480, 660)]
MOST_ATTEMPTS = len(GAPS) + 1
CLAIM = """
UPDATE outbox_letter SET state = 'sending', claimed_by = %(by)s, lease_until = %(until)s, attempts = attempts + 1
WHERE id = ANY(ARRAY(
    SELECT l.id FROM outbox_letter l
    WHERE l.state = 'ready' AND l.channel = %(channel)s
    AND (l.next_try_at <= %(at)s OR (%(looks)s AND l.reason = 'server')) AND NOT EXISTS (
        SELECT 1 FROM outbox_letter e
        WHERE e.subject = l.subject AND e.id < l.id AND l.subject <> '' AND e.channel = l.channel
        AND e.state IN ('held', 'ready', 'sending', 'unknown')
        AND (e.attempts < 3 OR e.reason <> 'deferred' OR e.state = 'sending' OR e.to_address = l.to_address))
    ORDER BY l.next_try_at, l.id LIMIT %(most)s FOR UPDATE SKIP LOCKED))
RETURNING *
"""


SETTLE = "UPDATE outbox_letter SET {} WHERE id = %s AND state = 'sending' AND attempts = %s"


def claim(
    most: int, *, by: str, at: datetime, looks: bool = False, channel: str = MAIL, lease: timedelta = LEASE
) -> list[Letter]:
    """Takes up to `most` letters of a channel that are due, in the order in which they became so. One statement.

    Whoever `looks` whether the server is back may also go with a letter that waits for it and is not due yet.
    """
    given = {"most": most, "by": by, "at": at, "until": at + lease, "looks": looks, "channel": channel}
    return sorted(Letter.objects.raw(CLAIM, given), key=lambda letter: (letter.next_try_at, letter.pk))


def settle(letter: Letter, **written: Any) -> bool:
    """Writes how it went with a claimed letter; False where it is somebody else's by now."""
    columns = {"claimed_by": "", "lease_until": None} | written
    # As text, because every letter writes it. The names are our own columns.
    names = ", ".join(f"{name} = %s" for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(SETTLE.format(names), [*columns.values(), letter.pk, letter.attempts])
        return bool(cursor.rowcount)


def renew(letter: Letter, *, at: datetime) -> bool:
    """A longer lease for a letter whose turn came late; False where it is somebody else's by now."""
    theirs = Letter.objects.filter(pk=letter.pk, state=Letter.State.SENDING, attempts=letter.attempts)
    return bool(theirs.update(lease_until=at + LEASE))


def give_back(letter: Letter) -> bool:
    """Not tried after all: it keeps its turn, and the attempt is not counted."""
    return settle(letter, state=Letter.State.READY, attempts=letter.attempts - 1)


def try_again(letter: Letter, reason: Letter.Reason, said: str, *, at: datetime) -> bool:
    """Waits for its next attempt, or is dead where it has had them all."""
    if letter.attempts >= MOST_ATTEMPTS:
        return die(letter, Letter.Reason.EXHAUSTED, said)
    written = {"state": Letter.State.READY, "next_try_at": at + GAPS[letter.attempts - 1]}
    return settle(letter, reason=reason, last_error=said[:300], **written)


def die(letter: Letter, reason: Letter.Reason, said: str) -> bool:
    """No further attempt unless somebody asks for one. What it carries stays, so that they can."""
    return settle(letter, state=Letter.State.FAILED, reason=reason, last_error=said[:300])


def reclaim(at: datetime) -> int:
    """Returns the mails whose lease ran out; returns how many. Whoever had them was killed, or hangs."""
    lost = Letter.objects.filter(channel=MAIL, state=Letter.State.SENDING, lease_until__lte=at)
    last = Q(attempts__gte=MOST_ATTEMPTS)
    gone = {"state": Letter.State.FAILED, "reason": Letter.Reason.EXHAUSTED, "claimed_by": "", "lease_until": None}
    return lost.filter(last).update(**gone) + lost.exclude(last).update(**waiting(at))


def hurry(at: datetime) -> int:
    """The server is back: what waits for it need not wait any longer."""
    known = Letter.objects.filter(state=Letter.State.READY, reason=Letter.Reason.SERVER, next_try_at__gt=at)
    return known.update(next_try_at=at)
