"""Which message of an event has the last word (aws.md, 4.8). Pure.

Messages come twice, late and in any order. `rank` orders all of them for good: the newest lastUpdatedTime wins, of
equals one that closes, then one that has a text, then the greater digest; so the state of an event is the same whatever
order its messages came in, and an older open never reopens what was closed.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime

from awsint.health_payload import CLOSED, ENTITY_STATUSES, Entity, Told

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
LENGTH = 40


def rank(told: Told) -> str:
    """What decides between messages of the same lastUpdatedTime: the greater text wins."""
    said = [told.account, told.key, told.status, told.description]
    digest = hashlib.sha256(json.dumps(said).encode()).hexdigest()
    return f"{int(told.status == CLOSED)}{int(bool(told.description))}{digest}"[:LENGTH]


def order(told: Told) -> tuple[datetime, str]:
    return told.updated_at or NEVER, rank(told)


def newest(messages: Iterable[Told]) -> Told:
    """The one that has the last word. Raises ValueError where there is none."""
    return max(messages, key=order)


def status_of(own: Iterable[str], head: str) -> str:
    """An event's status: that of its accounts together, where there are any; else that of its newest message."""
    found = set(own) or {head}
    return next((one for one in ("open", "upcoming") if one in found), "closed" if found == {"closed"} else head)


def entity_order(entity: Entity, told: Told) -> tuple[datetime, int, str]:
    """Which of two readings of a resource counts: the newer; of equals the one nearer to its end."""
    return entity.updated_at or told.updated_at or NEVER, ENTITY_STATUSES.index(entity.status), entity.value
