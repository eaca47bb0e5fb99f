"""Opens the tickets of an event and tells of what is new in it: one parent of ours, a child for each customer.

What is to be done stands in the rows (`AffectedCustomer.due`), so whoever is killed in between leaves it to the next
message, or to the sweep. Customers are worked off in slices, each opened in one transaction; what each was told is kept
in that same transaction, so nobody is told twice (aws.md, 4.10).
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import BooleanField, Case, QuerySet, Value, When

from awsint import handling, health_parts, health_words, playbooks
from awsint.filing import stand_in
from awsint.health_words import Part
from awsint.mapping import family_of
from awsint.models import AffectedAccount, AffectedCustomer, HealthEvent, Playbook
from helpdesk.accounts import house
from helpdesk.accounts.models import HOUSE, CustomerRole, Membership, User
from helpdesk.audit.record import SYSTEM
from helpdesk.kept import kept, update, update_all
from sla import clocks
from sla.models import Priority
from tickets.aws_events import Word, follow, follow_all
from tickets.models import Category, Source
from tickets.opening import SLICE, Opening, open_many

log = logging.getLogger(__name__)
LETTER = "ticket.aws_event"
# What comes within so long is one note on the parent.
GATHERED = timedelta(minutes=1)
# Why a customer whose ticket is open is told nothing.
NOBODY = "nobody"


def tell(event_id: int, *, at: datetime) -> int:
    """Does all that is due of an event; returns how many customers' tickets were opened or told something."""
    (event,) = _event(event_id)
    if event.ticket_id is None:
        _open_parent(event_id, at)
    done, more, last = 0, True, 0
    while more:
        opened, more = _open_slice(event_id, at)
        done += opened
    while slice_ := _due(event_id, last):
        done += _tell_some(event_id, slice_, at)
        last = slice_[-1].pk
    # Whoever changes the event from here on comes by as well.
    if not _waits(event, at):
        follow_parent(event_id, at)
    return done


@kept
def _event(number: int) -> QuerySet[HealthEvent]:
    return HealthEvent.objects.select_related("ticket").filter(pk=number)


# --- The parent ------------------------------------------------------------------------------------------------------


@transaction.atomic
def _open_parent(event_id: int, at: datetime) -> None:
    """One ticket of ours an event, where some customer is to have one."""
    event = HealthEvent.objects.select_for_update().get(pk=event_id)
    if event.ticket_id or not event.is_current or not _openable(event_id).exists():
        return
    book = playbooks.of_codes([event.code]).get(event.code)
    ours, voice, part = house.house(at), house.aws(at), health_parts.of_house(event)
    spec = Opening(
        customer=ours,
        requester=voice,
        author=voice,
        title=health_words.title(event, book, ours.language),
        description=health_words.opening(part, book, language=ours.language, zone=ours.zone),
        category=_category(event.reason),
        service=family_of(event.service),
        priority=_promised(HOUSE, event.priority_id or "", at),
        source=Source.AWS_HEALTH,
        said_at=event.updated_at or at,
        receipt="",
    )
    (event.ticket,) = open_many([spec], by=SYSTEM, at=at)
    event.told, event.applied = part.state(), event.priority_id or ""
    event.save(update_fields=["ticket", "told", "applied"])


def _openable(event_id: int) -> QuerySet[AffectedCustomer]:
    parts = AffectedCustomer.objects.filter(event=event_id, due=True, ticket=None, suppression=None)
    found: QuerySet[AffectedCustomer] = parts.exclude(priority=None).exclude(customer__is_active=False)
    return found


def _category(reason: dict[str, object]) -> str:
    return Category.BILLING if reason.get("billing") else Category.TECHNICAL


def _promised(customer: UUID, priority: str, at: datetime) -> str:
    """The priority, or where it is promised to nobody now the one nearest to it of those that are."""
    promised = clocks.targets_of(clocks.terms_in_force(at, customer))
    if priority in promised:
        return priority
    ranks = dict(Priority.objects.values_list("code", "rank"))
    return min(promised, key=lambda code: (abs(ranks[code] - ranks.get(priority, 0)), ranks[code]))


def _waits(event: HealthEvent, at: datetime) -> bool:
    """Whether the parent is told of what came when its minute is over, and of nothing else."""
    if event.note_at is None or event.note_at <= at:
        return False
    return event.priority_id == (event.applied or None) and not _is_said(event)


def _is_said(event: HealthEvent) -> bool:
    return health_words.is_said(health_parts.whole(event), event.told)


@transaction.atomic
def follow_parent(event_id: int, at: datetime) -> None:
    """Tells the ticket of ours what is new. That there are more accounts or resources, as push brings them one by one,
    waits a minute for those that come behind: one note says how many came (health.sweep)."""
    event = HealthEvent.objects.select_for_update(of=["self"]).select_related("ticket").get(pk=event_id)
    if event.ticket is None:
        return
    raised = event.priority_id or "" if event.priority_id != event.applied else ""
    if not raised and not _is_said(event):
        if event.note_at is None:
            event.note_at = at + GATHERED
            event.save(update_fields=["note_at"])
        if event.note_at > at:
            return
    _say_to_parent(event, raised, at)
    event.applied, event.note_at = event.priority_id or "", None
    event.save(update_fields=["told", "applied", "note_at"])


def _say_to_parent(event: HealthEvent, raised: str, at: datetime) -> None:
    assert event.ticket is not None
    part, ours, body = health_parts.of_house(event), house.house(at), ""
    if health_words.is_news(part, event.told):
        body = health_words.news(part, event.told, language=ours.language, zone=ours.zone)
    if body or raised:
        quiet = health_words.is_quiet(part, event.told)
        follow(Word(ticket=event.ticket, body=body, said_at=part.updated_at or at, priority=raised, quiet=quiet), at=at)
    event.told = part.state()


# --- Children --------------------------------------------------------------------------------------------------------


@transaction.atomic
def _open_slice(event_id: int, at: datetime) -> tuple[int, bool]:
    """Opens the tickets of some customers; how many, and whether there may be more."""
    rows = list(
        _openable(event_id)
        .select_for_update(of=["self"], skip_locked=True)
        .select_related("customer")
        .order_by("pk")[:SLICE]
    )
    if not rows:
        return 0, False
    (event,) = _event(event_id)
    parts = health_parts.of_customers(event, [row.customer_id for row in rows])
    book = playbooks.of_codes([event.code]).get(event.code)
    people = _requesters(event, rows)
    wanted = [row for row in rows if _is_wanted(row, event, parts)]
    for row in wanted:
        if row.customer_id not in people:
            # Nobody reads it there, and the leads hear so (watching.py).
            people[row.customer_id], row.trouble = stand_in(row.customer, at), NOBODY
    voice = house.aws(at)
    specs = [_child(event, row, parts[row.customer_id], people[row.customer_id], voice, book, at) for row in wanted]
    for row, ticket in zip(wanted, open_many(specs, by=SYSTEM, at=at), strict=True):
        part = parts[row.customer_id]
        row.ticket, row.told, row.opened_at, row.applied = ticket, part.state(), at, row.priority_id or ""
    for row in rows:
        row.due = False
    update_all(rows, ["ticket", "told", "opened_at", "applied", "trouble", "due"])
    return len(wanted), len(rows) == SLICE


def _is_wanted(row: AffectedCustomer, event: HealthEvent, parts: dict[UUID, Part]) -> bool:
    """What is over for a customer opens nothing."""
    return event.is_current and row.customer_id in parts and parts[row.customer_id].is_current


def _child(
    event: HealthEvent,
    row: AffectedCustomer,
    part: Part,
    person: User,
    voice: User,
    book: Playbook | None,
    at: datetime,
) -> Opening:
    language, zone = person.language, person.zone
    return Opening(
        customer=row.customer,
        requester=person,
        author=voice,
        title=health_words.title(event, book, language),
        description=health_words.opening(part, book, language=language, zone=zone),
        category=_category(row.reason),
        service=family_of(event.service),
        priority=row.priority_id,
        source=Source.AWS_HEALTH,
        parent=event.ticket,
        said_at=part.updated_at or at,
        receipt=LETTER,
    )


def _requesters(event: HealthEvent, rows: Sequence[AffectedCustomer]) -> dict[UUID, User]:
    """Whose ticket each customer's is: the contact of an affected account, else the oldest administrator, else the
    oldest person; a company of nobody is missing. Two statements."""
    customers = [row.customer_id for row in rows]
    touched = AffectedAccount.objects.filter(event=event, account__customer__in=customers)
    contacts = set(touched.exclude(account__contact=None).values_list("account__contact", flat=True))
    members = Membership.objects.filter(
        customer__in=customers, is_active=True, user__is_active=True, user__is_service=False
    ).annotate(is_contact=_when(user__in=contacts), is_admin=_when(role=CustomerRole.ADMIN))
    chosen = members.order_by("customer_id", "-is_contact", "-is_admin", "user__created_at", "user_id")
    return {one.customer_id: one.user for one in chosen.distinct("customer_id").select_related("user")}


def _when(**condition: object) -> Case:
    return Case(When(**condition, then=Value(True)), default=Value(False), output_field=BooleanField())


@kept
def _due(event_id: int, after: int) -> QuerySet[AffectedCustomer]:
    rows = AffectedCustomer.objects.standing().filter(event=event_id, due=True, pk__gt=after).order_by("pk")
    return rows.select_related("customer", "ticket__requester")[:SLICE]


def _tell_some(event_id: int, rows: Sequence[AffectedCustomer], at: datetime) -> int:
    """Tells some customers what is new: together, and one by one who could not be told so."""
    told, done = 0, set[int]()
    if len(rows) > 1:
        try:
            told, done = _tell_together(event_id, [row.pk for row in rows], at)
        except Exception:
            log.exception("customers of health event %s could not be told together", event_id)
    left = [row for row in rows if row.pk not in done]
    return told + (_tell_each(event_id, left, at) if left else 0)


@transaction.atomic
def _tell_together(event_id: int, numbers: Sequence[int], at: datetime) -> tuple[int, set[int]]:
    """How many heard, and the parts of which nothing is due any more. Some twenty statements, whatever their number.

    Whatever somebody else holds is left, so that nobody waits for another in a ring; what is to be told is read once
    the parts are held, so that nobody adds to it meanwhile. What is to do again is told one by one (handling.py).
    """
    due = AffectedCustomer.objects.filter(pk__in=numbers, due=True).exclude(ticket=None)
    held = due.select_for_update(of=["self"], skip_locked=True).select_related("ticket__requester").order_by("pk")
    rows = {row.pk: row for row in held}
    event = HealthEvent.objects.get(pk=event_id)
    parts = health_parts.of_customers(event, [row.customer_id for row in rows.values()])
    again = handling.waiting(list(rows))
    rows = {pk: row for pk, row in rows.items() if row.customer_id in parts and pk not in again}
    said = {pk: word for pk, row in rows.items() if (word := _news(row, row, parts[row.customer_id], at))}
    followed = follow_all(list(said.values()), at=at)
    done = [row for pk, row in rows.items() if pk not in said or said[pk].ticket.pk in followed]
    for row in done:
        row.told, row.applied, row.due = parts[row.customer_id].state(), row.priority_id or "", False
    update_all(done, ["told", "applied", "due"])
    return sum(bool(said[row.pk].body) for row in done if row.pk in said), {row.pk for row in done}


def _tell_each(event_id: int, rows: Sequence[AffectedCustomer], at: datetime) -> int:
    """Each in its own transaction; one that fails stays due and stops no other."""
    event = HealthEvent.objects.get(pk=event_id)
    parts = health_parts.of_customers(event, [row.customer_id for row in rows if row.ticket_id])
    again = handling.waiting([row.pk for row in rows])
    told = 0
    for row in rows:
        part = parts.get(row.customer_id)
        try:
            told += _tell(row, part, at, again=row.pk in again) if part and row.ticket else _leave(row)
        except Exception:
            log.exception("customer %s could not be told of health event %s", row.customer_id, event_id)
    return told


@transaction.atomic
def _leave(row: AffectedCustomer) -> int:
    """Nothing is due but what has no ticket and gets none now; one that came a moment ago is opened by who took it."""
    (now,) = _locked(row.pk)
    if not _moved(now, row) and not _openable(row.event_id).filter(pk=row.pk).exists():
        now.due = False
        update(now, ["due"])
    return 0


@transaction.atomic
def _tell(row: AffectedCustomer, part: Part, at: datetime, *, again: bool = False) -> int:
    """What is new to one customer. Whoever told it meanwhile leaves nothing to say. `again`: something of theirs that
    was handled is to do again."""
    names = handling.still_waiting(row) if again else []
    (now,) = _locked(row.pk)
    if not now.due:
        return 0
    if _moved(now, row):
        # Somebody wrote to it since we read what there is to tell: it may be more by now.
        part = health_parts.of_customers(HealthEvent.objects.get(pk=row.event_id), [row.customer_id])[row.customer_id]
    word = _news(row, now, part, at, names)
    if word:
        follow(word, at=at)
    if names:
        handling.told_again(row, len(names), at)
    now.told, now.applied, now.due = part.state(), now.priority_id or "", False
    update(now, ["told", "applied", "due"])
    return int(bool(word and word.body))


def _news(
    row: AffectedCustomer, now: AffectedCustomer, part: Part, at: datetime, again: Sequence[str] = ()
) -> Word | None:
    """What is to be said on the ticket of `row`, which stands as `now` says; None where that is nothing."""
    assert row.ticket is not None
    person = row.ticket.requester
    blocks = [health_words.again(again, language=person.language)]
    if health_words.is_news(part, now.told):
        blocks.append(health_words.news(part, now.told, language=person.language, zone=person.zone))
    body = "\n\n".join(filter(None, blocks))
    raised = now.priority_id or "" if now.priority_id != now.applied else ""
    if not body and not raised:
        return None
    quiet = health_words.is_quiet(part, now.told) and not again
    return Word(ticket=row.ticket, body=body, said_at=part.updated_at or at, priority=raised, quiet=quiet)


@kept
def _locked(number: int) -> QuerySet[AffectedCustomer]:
    return AffectedCustomer.objects.standing().select_for_update().filter(pk=number)


def _moved(now: AffectedCustomer, row: AffectedCustomer) -> bool:
    """Whether somebody wrote to it since `row` was read."""
    return bool(vars(now)["stand"] != vars(row)["stand"])
