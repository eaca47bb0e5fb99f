"""The inbox: messages of our hubs' queues, stored as they came and worked off afterwards.

A message is stored under the key of its event before it is deleted in its queue, so one that comes again, in whatever
order, is counted and not done twice. Working off is apart from that: a try is counted before it is made, so that a
message which kills its worker is tried five times and then parked; what fails is tried again later and then parked too.
A parked message is done again by hand. Who does the work follows from the queue (HANDLERS in sources.py).
"""

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from awsint.models import Hub, InboxMessage
from awsint.shapes import AwsError, QueueMessage
from helpdesk.kept import fetched

log = logging.getLogger(__name__)
MOST_TRIES = 5
# Longer than a case takes to be read; whoever needs longer was killed.
LEASE = timedelta(seconds=180)
FIRST_WAIT = timedelta(seconds=15)
LONGEST_KEY = 100
State = InboxMessage.State
COLUMNS = "(hub_id, queue, key, body, received_at, state, reason, tries, next_try_at, copies, account_number)"


@dataclass(frozen=True)
class Outcome:
    """What became of a message: `reason` is a word of inbox_list.REASONS, with a detail after a colon."""

    state: str
    reason: str = ""


DONE = Outcome(State.DONE)
Handler = Callable[[InboxMessage, datetime], Outcome]
Clock = Callable[[], datetime]


def refused(reason: str) -> Outcome:
    return Outcome(State.REFUSED, reason)


def parked(reason: str) -> Outcome:
    return Outcome(State.PARKED, reason)


# --- Storing ---------------------------------------------------------------------------------------------------------


def store(hub: Hub, queue: str, batch: Sequence[QueueMessage], at: datetime) -> int:
    """Writes a batch and commits; returns how many were not there before. One statement."""
    rows: dict[str, list[Any]] = {}
    for message in batch:
        row = _row(hub, queue, message, at)
        if row[2] in rows:
            rows[row[2]][-2] += 1
        else:
            rows[row[2]] = row
    # In the order of their keys, so that two who store the same wait for each other and not in a ring.
    values = [rows[key] for key in sorted(rows)]
    place = ", ".join(["(" + ", ".join(["%s"] * len(values[0])) + ")"] * len(values)) if values else ""
    if not values:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO awsint_inboxmessage {COLUMNS} VALUES {place} "  # noqa: S608, our own constants
            "ON CONFLICT (hub_id, queue, key) DO UPDATE SET copies = awsint_inboxmessage.copies + excluded.copies + 1 "
            "RETURNING xmax = 0",
            [value for row in values for value in row],
        )
        return sum(new for (new,) in cursor.fetchall())


def _row(hub: Hub, queue: str, message: QueueMessage, at: datetime) -> list[Any]:
    # PostgreSQL keeps no NUL in a text.
    body = message.body.replace("\x00", "\ufffd")
    event = event_of(body)
    state, reason = (State.NEW, "") if event is not None else (State.PARKED, "not_json")
    told = event or {}
    account = told.get("account")
    return [
        hub.pk,
        queue,
        _key(told, body),
        body,
        at,
        state,
        reason,
        0,
        at if event is not None else None,
        0,
        account if _is_number(account) else "",
    ]


def event_of(body: str) -> dict[str, Any] | None:
    """The event in a message; None where it is none."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def _key(event: dict[str, Any], body: str) -> str:
    key = event.get("id")
    if isinstance(key, str) and 0 < len(key) <= LONGEST_KEY and key.isprintable():
        return key
    return "sha256:" + hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()


def _is_number(account: object) -> bool:
    return isinstance(account, str) and len(account) == 12 and account.isascii() and account.isdecimal()


# --- Working off -----------------------------------------------------------------------------------------------------


class Later(Exception):
    """Nothing went wrong: what a message speaks of is not there yet, and it is tried again."""


def work(handlers: dict[str, Handler], clock: Clock) -> Outcome | None:
    """Does the message that has waited longest; None where none waits."""
    message = _claim(sorted(handlers), clock())
    if message is None:
        return None
    if message.tries > MOST_TRIES:
        outcome = parked("tries")
    else:
        try:
            outcome = handlers[message.queue](message, clock())
        except Later as error:
            outcome = _failed(message, error)
        except Exception as error:
            log.exception("message %s of queue %s could not be done", message.pk, message.queue)
            if not connection.is_usable():
                connection.close()
            outcome = _failed(message, error)
    _settle(message, outcome, clock())
    return outcome


# One statement is a transaction by itself: who claims and the try are committed before the work begins.
CLAIM = """
UPDATE awsint_inboxmessage SET tries = tries + 1, next_try_at = %(until)s WHERE id = (
    SELECT id FROM awsint_inboxmessage WHERE state = 'new' AND next_try_at <= %(at)s AND queue = ANY(%(queues)s)
    ORDER BY next_try_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def _claim(queues: Sequence[str], at: datetime) -> InboxMessage | None:
    """Takes a message and counts the try, which is committed before the work begins. Two statements, or one."""
    found = fetched(CLAIM, {"at": at, "until": at + LEASE, "queues": list(queues)})
    return InboxMessage.objects.select_related("hub").get(pk=found[0][0]) if found else None


def _failed(message: InboxMessage, error: Exception) -> Outcome:
    code = error.code if isinstance(error, AwsError) else type(error).__name__
    return Outcome(State.PARKED if message.tries >= MOST_TRIES else State.NEW, f"failed:{code}"[:200])


def _settle(message: InboxMessage, outcome: Outcome, at: datetime) -> None:
    """Writes what became of it, unless somebody else took it meanwhile."""
    again = at + FIRST_WAIT * 4 ** (message.tries - 1) if outcome.state == State.NEW else None
    InboxMessage.objects.filter(pk=message.pk, state=State.NEW, tries=message.tries).update(
        state=outcome.state,
        reason=outcome.reason,
        next_try_at=again,
        done_at=None if outcome.state == State.NEW else at,
    )
