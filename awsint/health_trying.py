"""What a draft of the rules would have made of the newest events, beside what the rules in force make of them now.

Each event is decided by its newest messages, at the time it was seen: nothing is stored and nobody is told.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Window
from django.db.models.functions import RowNumber

from awsint.health_deciding import Book, ladder, of_rows
from awsint.health_payload import PUBLIC, Entity
from awsint.health_rules import Decision, Standing
from awsint.health_store import told_of
from awsint.models import (
    AffectedAccount,
    AffectedCustomer,
    AffectedEntity,
    HealthEvent,
    HealthMessage,
    HealthRule,
    Setting,
)

EVENTS, MESSAGES = 50, 20


@dataclass(frozen=True)
class Tried:
    """An event, as it would be decided now and by the draft."""

    event: HealthEvent
    now: Decision
    then: Decision

    @property
    def differs(self) -> bool:
        return (self.now.priority, self.now.billing) != (self.then.priority, self.then.billing)


def tried(draft: Iterable[HealthRule]) -> list[Tried]:
    """The newest events by both. Eight statements, whatever they are."""
    steps = ladder()
    ours = of_rows(HealthRule.objects.filter(is_active=True), steps)
    theirs = of_rows([row for row in draft if row.is_active], steps)
    events = list(HealthEvent.objects.order_by("-seen_at", "-id")[:EVENTS])
    said, standings = _messages(events), _standings(events)
    return [
        Tried(event, *(_decided(book, event, said[event.pk], standings) for book in (ours, theirs))) for event in events
    ]


def _messages(events: Sequence[HealthEvent]) -> dict[int, list[HealthMessage]]:
    place = Window(RowNumber(), partition_by=F("event"), order_by=[F("updated_at").desc(), F("rank").desc()])
    rows = HealthMessage.objects.filter(event__in=[event.pk for event in events]).defer("raw")
    found: dict[int, list[HealthMessage]] = defaultdict(list)
    for row in rows.annotate(place=place).filter(place__lte=MESSAGES):
        found[row.event_id].append(row)
    return found


Standings = dict[tuple[int, str], tuple[Standing, bool]]


def _standings(events: Sequence[HealthEvent]) -> Standings:
    """By event and account, how it stands with us and whether it has a resource; by event alone, for public ones."""
    numbers = [event.pk for event in events]
    hurt = Exists(AffectedEntity.objects.filter(account=OuterRef("pk")))
    rows = AffectedAccount.objects.filter(event__in=numbers).select_related("account").annotate(hurt=hurt)
    public = [event.pk for event in events if event.scope == PUBLIC]
    parts = list(AffectedCustomer.objects.filter(event__in=public).values_list("event", "customer"))
    vips: set[UUID] = set(Setting.objects.filter(vip=True).values_list("customer_id", flat=True))
    found: Standings = {}
    for row in rows:
        known = row.account
        standing = Standing(bool(known and known.is_production), False, bool(known and known.customer_id in vips))
        found[row.event_id, row.number] = (standing, row.hurt)
    for event, customer in parts:
        before = found.get((event, ""), (Standing(), False))[0]
        found[event, ""] = (Standing(False, True, before.vip or customer in vips), False)
    return found


def _decided(book: Book, event: HealthEvent, said: Iterable[HealthMessage], standings: Standings) -> Decision:
    best: Decision | None = None
    for message in said:
        standing, hurt = standings.get((event.pk, message.account), (Standing(), False))
        told = told_of(message, [Entity("*", "UNKNOWN")] if hurt else [])
        best = book.higher(best, book.decide(told, standing, event.seen_at))
    return best or Decision()
