"""Takes what AWS Health says, pushed or polled: keeps it, decides, opens tickets and tells customers.

`take` is where both ways end. Keeping and deciding of one event is one transaction that holds its row; opening and
telling follow in transactions of their own, and what is left of them is found in the rows (health_telling.py).
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from awsint import health_deciding, health_proof, health_store, health_telling
from awsint.health_payload import Told
from awsint.models import AffectedCustomer, HealthChange, HealthEvent, Hub, Via

log = logging.getLogger(__name__)
# A polled reading that push told neither before nor so long after was missed by push (decisions.md).
PUSH_WITHIN = timedelta(minutes=15)
MOST_AT_ONCE = 500


@dataclass
class Taken:
    """What came of it: how many events had something new, how many messages were new, how many customers heard."""

    events: int = 0
    messages: int = 0
    told: int = 0


def take(messages: Iterable[Told], *, via: str, hub: Hub | None = None, tell: bool = True, at: datetime) -> Taken:
    """Takes messages of any number of events, in any order and however often they came before."""
    found, taken = dict[str, list[Told]](), Taken()
    for told in messages:
        found.setdefault(told.arn, []).append(told)
    for some in found.values():
        fresh, event = _keep(some, via, hub, at)
        taken.messages += fresh
        taken.events += bool(fresh)
        if tell and fresh:
            taken.told += tell_of(event, at=at)
    return taken


@transaction.atomic
def _keep(messages: Sequence[Told], via: str, hub: Hub | None, at: datetime) -> tuple[int, HealthEvent]:
    """What is new of one event, and what it is to whom."""
    stored = health_store.store(messages, via=via, hub=hub, at=at)
    if stored.fresh:
        health_deciding.weigh(stored, via=via, at=at)
        _save(stored)
    return len(stored.fresh), stored.event


def _save(stored: health_store.Stored) -> None:
    stored.event.save()
    HealthChange.objects.bulk_create(stored.changes)


def tell_of(event: HealthEvent, *, at: datetime) -> int:
    """Opens and tells what is due of an event; how many heard stands with its newest change."""
    told = health_telling.tell(event.pk, at=at)
    if told:
        newest = HealthChange.objects.filter(event=event).order_by("-pk").values("pk")[:1]
        HealthChange.objects.filter(pk__in=newest).update(told=told)
    return told


@transaction.atomic
def weigh_again(event: HealthEvent, *, via: str = Via.POLL, at: datetime) -> None:
    """Decides again, because time went on, a rule changed or an account was connected: raises, never lowers."""
    locked = HealthEvent.objects.select_for_update().get(pk=event.pk)
    _save(health_deciding.weigh_again(locked, via=via, at=at))


@transaction.atomic
def expire(event: HealthEvent, *, at: datetime) -> None:
    """AWS no longer knows it: 90 days are over. Its customers are told, their tickets stay as they are."""
    locked = HealthEvent.objects.select_for_update().get(pk=event.pk)
    if not locked.is_current:
        return
    locked.expired_at = at
    locked.save(update_fields=["expired_at"])
    AffectedCustomer.objects.filter(event=locked).exclude(ticket=None).update(due=True)
    HealthChange.objects.create(
        event=locked, at=at, aws_at=locked.updated_at, what=HealthChange.What.EXPIRED, via=Via.POLL, old=locked.status
    )


def sweep(at: datetime) -> int:
    """Each minute: what somebody who was killed left undone, what push missed, who was told. Returns how many heard."""
    waiting = AffectedCustomer.objects.filter(due=True).values_list("event", flat=True).distinct()
    told = 0
    for number in list(waiting[:MOST_AT_ONCE]):
        try:
            told += health_telling.tell(number, at=at)
        except Exception:
            log.exception("what is due of health event %s could not be done", number)
    for number in list(HealthEvent.objects.filter(note_at__lte=at).values_list("pk", flat=True)[:MOST_AT_ONCE]):
        try:
            health_telling.follow_parent(number, at)
        except Exception:
            log.exception("what came to health event %s could not be noted", number)
    look_for_missed(at)
    health_proof.note(at)
    return told


MISSED = """
UPDATE awsint_healthmessage m SET missed = NOT EXISTS (
    SELECT 1 FROM awsint_healthmessage p WHERE p.event_id = m.event_id AND p.via = 'push'
    AND p.updated_at >= m.updated_at AND (m.account = '' OR p.account IN (m.account, '')))
WHERE m.id IN (
    SELECT id FROM awsint_healthmessage WHERE via = 'poll' AND missed IS NULL AND received_at <= %s
    ORDER BY received_at, id LIMIT %s)
RETURNING missed
"""


def look_for_missed(at: datetime) -> int:
    """Polled readings of 15 minutes ago that push has told neither so nor newer: `missed`. Returns how many. One
    statement."""
    with connection.cursor() as cursor:
        cursor.execute(MISSED, [at - PUSH_WITHIN, MOST_AT_ONCE])
        return sum(missed for (missed,) in cursor.fetchall())
