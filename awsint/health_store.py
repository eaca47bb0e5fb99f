"""Keeps what AWS Health said: each message once, and the rows of its event as they follow from all of them.

Whoever writes on an event holds its row. Every column here is the greatest of something over the set of messages
(health_state.py), so it does not matter how often and in which order they come.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet

from awsint import health_state
from awsint.health_payload import CLOSED, ENTITY_STATUSES, SPECIFIC, Entity, Told, from_row, to_row
from awsint.health_state import NEVER, order
from awsint.models import Account, AffectedAccount, HealthChange, HealthEvent, HealthMessage, Hub, Via
from helpdesk.kept import kept, update_all

What = HealthChange.What
MOST_ENTITIES = 2000


@dataclass
class Stored:
    """What was new. `accounts` are the affected ones that the new messages name, by number."""

    event: HealthEvent
    fresh: list[Told]
    accounts: dict[str, AffectedAccount] = field(default_factory=dict)
    changes: list[HealthChange] = field(default_factory=list)

    def changed(self, what: str, at: datetime, via: str, old: str = "", new: str = "") -> None:
        change = HealthChange(
            event=self.event, at=at, aws_at=self.event.updated_at, what=what, via=via, old=old[:40], new=new[:40]
        )
        self.changes.append(change)


def store(messages: Sequence[Told], *, via: str, hub: Hub | None, at: datetime) -> Stored:
    """Writes messages of one event, in the caller's transaction. A fixed number of statements, whatever they are."""
    event, is_new = _locked(messages[0], via, at)
    stored = Stored(event, _unknown(event, messages))
    if not stored.fresh:
        return stored
    came = Counter((told.account, told.key) for told in messages)
    kept = [_message(event, told, via, hub, at) for told in stored.fresh]
    for one in kept:
        one.copies = came[one.account, one.key] - 1
    HealthMessage.objects.bulk_create(kept)
    if is_new:
        stored.changed(What.SEEN, at, via, new=event.status)
    _accounts(stored, kept, via, at)
    _entities(stored, via, at)
    _head(stored, via, at, is_new)
    return stored


def _locked(told: Told, via: str, at: datetime) -> tuple[HealthEvent, bool]:
    """The event's row, made where it is new. Of two that come first the second waits for the row of the other."""
    if known := _event(told.arn):
        return known[0], False
    first = HealthEvent(arn=told.arn, partition=told.partition, seen_at=at, via=via)
    _take_over(first, told, told)
    HealthEvent.objects.bulk_create([first], ignore_conflicts=True)
    found = HealthEvent.objects.select_for_update().get(arn=told.arn)
    return found, not HealthMessage.objects.filter(event=found).exists()


@kept
def _event(arn: str) -> QuerySet[HealthEvent]:
    return HealthEvent.objects.select_for_update().filter(arn=arn)


def _unknown(event: HealthEvent, messages: Sequence[Told]) -> list[Told]:
    """Those that were not there; copies of what was are counted. A statement, and one for each that came again."""
    came = Counter((told.account, told.key) for told in messages)
    wanted = {(told.account, told.key): told for told in messages}
    rows = HealthMessage.objects.filter(event=event, key__in={key for _account, key in wanted})
    known = {(row.account, row.key): row.pk for row in rows.only("account", "key")}
    for pair, times in came.items():
        if pair in known:
            HealthMessage.objects.filter(pk=known[pair]).update(copies=F("copies") + times)
    return [told for pair, told in wanted.items() if pair not in known]


def _message(event: HealthEvent, told: Told, via: str, hub: Hub | None, at: datetime) -> HealthMessage:
    updated, rank = order(told)
    return HealthMessage(
        event=event,
        account=told.account,
        key=told.key,
        via=via,
        hub=hub,
        status=told.status,
        updated_at=updated,
        rank=rank,
        told=to_row(told),
        raw=told.raw,
        received_at=at,
        # Whether push told the same is asked of readings, but of those at the very first.
        missed=None if via == Via.POLL else False,
    )


# --- Accounts --------------------------------------------------------------------------------------------------------


def _accounts(stored: Stored, kept: Iterable[HealthMessage], via: str, at: datetime) -> None:
    """Each affected account with its newest own message, and its status by that or by a later word on the whole."""
    event, own = stored.event, dict[str, HealthMessage]()
    for one in kept:
        if one.account and (one.account not in own or one.order > own[one.account].order):
            own[one.account] = one
    whole = _whole(event) if event.scope == SPECIFIC else None
    rows = {
        row.number: row
        for row in AffectedAccount.objects.filter(event=event, number__in=own).select_related("head", "account")
    }
    known = connected(event, own.keys() - rows.keys())
    new = [
        AffectedAccount(event=event, number=number, account=known.get(number)) for number in own if number not in rows
    ]
    for row in [*rows.values(), *new]:
        _decide_head(row, own[row.number], whole)
    AffectedAccount.objects.bulk_create(new)
    update_all(list(rows.values()), ["status", "updated_at", "newest", "head"])
    if whole and any(not told.account for told in stored.fresh):
        _spread(event, whole)
    stored.accounts = rows | {row.number: row for row in new}
    if new:
        stored.changed(What.ACCOUNTS, at, via, new=str(len(new)))


def _whole(event: HealthEvent) -> HealthMessage | None:
    """The newest message that speaks of no account in particular."""
    return next(iter(_of_whole(event.pk)), None)


@kept
def _of_whole(event: int) -> QuerySet[HealthMessage]:
    return HealthMessage.objects.filter(event=event, account="").defer("raw").order_by("-updated_at", "-rank")[:1]


@kept
def _newest(event: int) -> QuerySet[HealthMessage]:
    return HealthMessage.objects.filter(event=event).defer("raw").order_by("-updated_at", "-rank")[:1]


def connected(event: HealthEvent, numbers: Iterable[str]) -> dict[str, Account]:
    """Those of these accounts that are connected: what one says reaches nobody before it was proved (A-01)."""
    found = Account.objects.connected().filter(partition=event.partition, number__in=list(numbers))
    return {account.number: account for account in found}


def _decide_head(row: AffectedAccount, own: HealthMessage, whole: HealthMessage | None) -> None:
    if row.head is None or own.order > row.head.order:
        row.head = own
    last = max([row.head, *([whole] if whole else [])], key=attrgetter("order"))
    row.status, row.updated_at, row.newest = last.status, last.updated_at, last.rank


def _spread(event: HealthEvent, whole: HealthMessage) -> None:
    older = Q(updated_at__lt=whole.updated_at) | Q(updated_at=whole.updated_at, newest__lt=whole.rank)
    rows = AffectedAccount.objects.filter(older, event=event)
    rows.update(status=whole.status, updated_at=whole.updated_at, newest=whole.rank)


# --- Resources -------------------------------------------------------------------------------------------------------

# The newer reading of a resource counts; of equals the one nearer to its end. Worse is what is impaired now, or what
# was over and is not any more: that takes a tick away (handling.py).
ENTITIES = """
INSERT INTO awsint_affectedentity AS e (account_id, value, arn, status, updated_at, before, seen_at)
SELECT account, value, arn, status, updated_at, '', %(at)s
FROM unnest(%(accounts)s::bigint[], %(values)s::text[], %(arns)s::text[], %(statuses)s::text[],
    %(times)s::timestamptz[]) AS n (account, value, arn, status, updated_at)
ON CONFLICT (account_id, value) DO UPDATE SET
    status = excluded.status, updated_at = excluded.updated_at,
    arn = CASE WHEN excluded.arn = '' THEN e.arn ELSE excluded.arn END,
    before = CASE WHEN e.status = excluded.status THEN e.before ELSE e.status END,
    changed_at = CASE WHEN e.status = excluded.status THEN e.changed_at ELSE %(at)s END,
    handled_at = CASE WHEN {worse} THEN NULL ELSE e.handled_at END,
    handled_by_id = CASE WHEN {worse} THEN NULL ELSE e.handled_by_id END,
    again_at = CASE WHEN e.handled_at IS NOT NULL AND {worse} THEN %(at)s ELSE e.again_at END,
    again_told_at = CASE WHEN e.handled_at IS NOT NULL AND {worse} THEN NULL ELSE e.again_told_at END
WHERE (excluded.updated_at, array_position(%(order)s::text[], excluded.status::text))
    > (e.updated_at, array_position(%(order)s::text[], e.status::text))
RETURNING xmax = 0
""".format(
    worse="""(excluded.status = 'IMPAIRED' AND e.status <> 'IMPAIRED'
        OR e.status IN ('UNIMPAIRED', 'RESOLVED') AND excluded.status NOT IN ('UNIMPAIRED', 'RESOLVED'))"""
)


def _entities(stored: Stored, via: str, at: datetime) -> None:
    """Every resource that the new messages name, a statement for two thousand of them."""
    best: dict[tuple[str, str], tuple[Entity, Told]] = {}
    for told in stored.fresh:
        for entity in told.entities if told.account else ():
            known = best.get((told.account, entity.value))
            if known is None or health_state.entity_order(entity, told) > health_state.entity_order(*known):
                best[told.account, entity.value] = (entity, told)
    places = sorted(best)
    new = 0
    with connection.cursor() as cursor:
        for begin in range(0, len(places), MOST_ENTITIES):
            some = places[begin : begin + MOST_ENTITIES]
            cursor.execute(ENTITIES, _columns(stored, [(number, *best[number, value]) for number, value in some], at))
            new += sum(fresh for (fresh,) in cursor.fetchall())
    if new:
        stored.changed(What.RESOURCES, at, via, new=str(new))


def _columns(stored: Stored, some: Sequence[tuple[str, Entity, Told]], at: datetime) -> dict[str, Any]:
    return {
        "at": at,
        "order": list(ENTITY_STATUSES),
        "accounts": [stored.accounts[number].pk for number, _entity, _told in some],
        "values": [entity.value for _number, entity, _told in some],
        "arns": [entity.arn for _number, entity, _told in some],
        "statuses": [entity.status for _number, entity, _told in some],
        "times": [entity.updated_at or told.updated_at or NEVER for _number, entity, told in some],
    }


# --- The event itself ------------------------------------------------------------------------------------------------


def _head(stored: Stored, via: str, at: datetime, is_new: bool) -> None:
    """Its columns from the message with the last word, its text from the newest that has one. Three statements."""
    event = stored.event
    messages = HealthMessage.objects.filter(event=event).order_by("-updated_at", "-rank")
    head = next(iter(_newest(event.pk)), None)
    if head is None:
        return
    # The second place of a rank says whether there is a text (health_state.rank).
    text = head if head.told["description"] else messages.filter(rank__regex="^.1").first() or head
    before = (event.status, event.description, event.starts_at, event.ends_at)
    _take_over(event, told_of(head), told_of(text))
    event.abuse = event.abuse or any(told.abuse for told in stored.fresh)
    event.newest = head.rank
    if event.scope == SPECIFIC:
        own = AffectedAccount.objects.filter(event=event).order_by("status").values_list("status", flat=True).distinct()
        event.status = health_state.status_of(own, head.status)
    if not is_new:
        _note_changes(stored, before, via, at)
    if event.status == CLOSED and event.ended_at is None:
        event.ended_at = at
    elif event.status != CLOSED:
        event.ended_at = None
        # AWS speaks of it again.
        event.expired_at = None


def told_of(message: HealthMessage, entities: Sequence[Entity] = ()) -> Told:
    return from_row(message.told, entities)


def _take_over(event: HealthEvent, head: Told, text: Told) -> None:
    event.scope, event.service, event.code = head.scope, head.service, head.code
    event.category, event.region, event.status = head.category, head.region, head.status
    event.actionability, event.personas = head.actionability, list(head.personas)
    event.starts_at, event.ends_at, event.updated_at = head.starts_at, head.ends_at, head.updated_at
    event.description, event.metadata = text.description, dict(text.metadata)


def _note_changes(
    stored: Stored, before: tuple[str, str, datetime | None, datetime | None], via: str, at: datetime
) -> None:
    event = stored.event
    status, text, starts, ends = before
    if status != event.status:
        stored.changed(What.STATUS, at, via, status, event.status)
    if text != event.description:
        stored.changed(What.TEXT, at, via)
    if starts != event.starts_at:
        stored.changed(What.TIMES, at, via, str(starts or ""), str(event.starts_at or ""))
    elif ends != event.ends_at:
        stored.changed(What.TIMES, at, via, str(ends or ""), str(event.ends_at or ""))
