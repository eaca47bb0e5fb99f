"""Reads planned changes: whose they are, their own times and numbers, in a fixed number of statements a page.

A planned change is an event of category scheduledChange, or any other that AWS calls upcoming and that has not begun.
A list is in the order of the event's beginning; what is shown of a part comes from the messages about that customer's
own accounts (health_parts.py says the same in letters).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, Q, QuerySet

from awsint import planned, playbooks
from awsint.health_state import status_of
from awsint.health_store import told_of
from awsint.health_words import title
from awsint.models import (
    AffectedAccount,
    AffectedCustomer,
    EventCategory,
    EventStatus,
    HealthEvent,
    Playbook,
    Scope,
)
from awsint.planned import Change
from helpdesk.accounts.masking import aws_name, customer_names
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import customers_of

# So many changes of a month stand in its grid.
MOST_IN_MONTH = 400


# --- Which -----------------------------------------------------------------------------------------------------------


def is_planned(at: datetime, path: str = "event__") -> Q:
    """The rule of this module, for rows that reach their event by `path`."""
    change = Q(**{f"{path}category": EventCategory.CHANGE})
    ahead = Q(**{f"{path}status": EventStatus.UPCOMING, f"{path}starts_at__gt": at})
    return (change | ahead) & Q(**{f"{path}starts_at__isnull": False})


def parts_for(user: User, at: datetime) -> QuerySet[AffectedCustomer]:
    """Every part in a planned change that somebody may see, with `starts_at`."""
    rows = AffectedCustomer.objects.visible_to(user) if user.staff_role else of_customers(customers_of(user))
    found: QuerySet[AffectedCustomer] = rows.filter(is_planned(at)).annotate(starts_at=F("event__starts_at"))
    return found


def of_customers(customers: Iterable[UUID]) -> QuerySet[AffectedCustomer]:
    """What companies themselves read: not what is stored without a ticket, nor what the desk holds back."""
    rows: QuerySet[AffectedCustomer] = AffectedCustomer.objects.filter(customer__in=list(customers))
    return rows.exclude(priority=None).exclude(suppression__isnull=False, ticket=None)


def with_event(rows: QuerySet[AffectedCustomer]) -> QuerySet[AffectedCustomer]:
    return rows.select_related("event", "ticket").defer("event__description", "event__metadata", "event__told", "told")


# --- What of each ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Words:
    """What the messages about a part tell of its changes: how many states they ran through, when we learnt of the last
    one, and when AWS closed it."""

    runs: int
    changed_at: datetime
    closed_at: datetime | None


def changes(rows: Sequence[AffectedCustomer], language: str, viewer: User | None = None) -> list[Change]:
    """These parts as they are shown. Four statements, one more for the names of customers where there is a viewer."""
    if not rows:
        return []
    shelf = playbooks.every()
    books = playbooks.of_rows({row.event.code for row in rows}, shelf)
    accounts, resources, words = _accounts(rows), _resources(rows), _words(rows)
    names = customer_names(viewer, {row.customer_id for row in rows}) if viewer else {}
    made = []
    for row in rows:
        key = (row.event_id, row.customer_id)
        own = accounts.get(key, [])
        book = books.get(row.event.code)
        called = title(row.event, book, language)
        name = names.get(row.customer_id, "")
        change = _change(row, own, resources.get(key, NONE), words.get(key), called, viewer, name)
        made.append(_worded(change, book, playbooks.revision(book, shelf)))
    return made


def _worded(change: Change, book: Playbook | None, revision: int) -> Change:
    """The words of our own that go with it count as well: whoever subscribes to it is to read the new ones."""
    at = book.updated_at if book and book.revision and book.updated_at else change.changed_at
    return replace(change, sequence=change.sequence + revision, changed_at=max(change.changed_at, at))


Key = tuple[int, UUID]
NONE: tuple[int, int, datetime | None] = (0, 0, None)


def _change(
    row: AffectedCustomer,
    own: Sequence[AffectedAccount],
    resources: tuple[int, int, datetime | None],
    words: Words | None,
    called: str,
    viewer: User | None,
    name: str,
) -> Change:
    event = row.event
    status, starts_at, ends_at = _standing(event, own)
    number, batches, last = resources
    known = [one.account for one in own if one.account]
    closed_at = words.closed_at if words else None
    return Change(
        part=row.pk,
        event=event.pk,
        customer=row.customer_id,
        title=called,
        code=event.code,
        service=event.service,
        region=event.region,
        status=status,
        starts_at=starts_at,
        ends_at=ends_at,
        cancelled=status == EventStatus.CLOSED and closed_at is not None and closed_at < starts_at,
        accounts=tuple(aws_name(viewer, one.pk, one.name) if viewer else str(one) for one in known),
        resources=number,
        ticket=row.ticket.ref if row.ticket else "",
        told_at=row.told_at,
        sequence=max(0, (words.runs if words else 1) + batches - 1),
        changed_at=max(filter(None, [words.changed_at if words else event.seen_at, last])),
        customer_name=name,
    )


def _standing(event: HealthEvent, own: Sequence[AffectedAccount]) -> tuple[str, datetime, datetime | None]:
    """Status, beginning and end, by what AWS says of one's own accounts; of a public event by what it says of it."""
    heads = [row.head for row in own if row.head]
    assert event.starts_at is not None
    if event.scope == Scope.PUBLIC or not heads:
        return event.status, event.starts_at, event.ends_at
    told = told_of(max(heads, key=attrgetter("order")))
    status = status_of({row.status for row in own}, told.status)
    return status, told.starts_at or event.starts_at, told.ends_at


def _accounts(rows: Sequence[AffectedCustomer]) -> dict[Key, list[AffectedAccount]]:
    found: dict[Key, list[AffectedAccount]] = {}
    named = AffectedAccount.objects.filter(
        event__in={row.event_id for row in rows}, account__customer__in={row.customer_id for row in rows}
    )
    for one in named.select_related("account", "head").defer("head__raw").order_by("number"):
        if one.account:
            found.setdefault((one.event_id, one.account.customer_id), []).append(one)
    return found


OWN = """
WITH parts AS (SELECT event_id, customer_id FROM awsint_affectedcustomer WHERE id = ANY(%s)),
own AS (
    SELECT p.event_id, p.customer_id, aa.id, aa.number FROM parts p
    JOIN awsint_affectedaccount aa ON aa.event_id = p.event_id
    JOIN awsint_account a ON a.id = aa.account_id AND a.customer_id = p.customer_id)
"""
# Resources are only ever added and keep the instant of their coming, so neither number ever falls.
RESOURCES = """
SELECT o.event_id, o.customer_id, count(*), count(DISTINCT e.seen_at), max(e.seen_at)
FROM own o JOIN awsint_affectedentity e ON e.account_id = o.id GROUP BY 1, 2
"""
# A message that comes late into the middle of the others never takes a run away, so the number of runs never falls;
# and where the last state differs, there is one more of them.
WORDS = """,
heard AS (
    SELECT s.event_id, s.customer_id, m.status, m.updated_at, m.received_at,
        concat_ws('|', m.status, coalesce(m.told->>'starts_at', '-'), coalesce(m.told->>'ends_at', '-'))
        IS DISTINCT FROM lag(concat_ws('|', m.status, coalesce(m.told->>'starts_at', '-'),
            coalesce(m.told->>'ends_at', '-'))) OVER w AS fresh
    FROM (SELECT event_id, customer_id, number FROM own UNION ALL SELECT event_id, customer_id, '' FROM parts) s
    JOIN awsint_healthmessage m ON m.event_id = s.event_id AND m.account = s.number
    WINDOW w AS (PARTITION BY s.event_id, s.customer_id, s.number ORDER BY m.updated_at, m.rank))
SELECT event_id, customer_id, count(*), max(received_at), max(updated_at) FILTER (WHERE status = 'closed')
FROM heard WHERE fresh GROUP BY 1, 2
"""


def _resources(rows: Sequence[AffectedCustomer]) -> dict[Key, tuple[int, int, datetime | None]]:
    """How many, in how many batches they came, and when the last of these did."""
    with connection.cursor() as cursor:
        cursor.execute(OWN + RESOURCES, [[row.pk for row in rows]])
        return {(event, customer): (number, batches, last) for event, customer, number, batches, last in cursor}


def _words(rows: Sequence[AffectedCustomer]) -> dict[Key, Words]:
    with connection.cursor() as cursor:
        cursor.execute(OWN + WORDS, [[row.pk for row in rows]])
        return {(event, customer): Words(*told) for event, customer, *told in cursor}


# --- A month of them -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OfMonth:
    """An event in a month, and how many customers it concerns."""

    event: int
    starts_at: datetime
    title: str
    status: str
    customers: int


def of_month(rows: QuerySet[AffectedCustomer], begin: datetime, end: datetime, language: str) -> list[OfMonth]:
    """The events of these parts that begin between two instants, the first ones of them. Two statements at most."""
    inside = rows.filter(event__starts_at__gte=begin, event__starts_at__lt=end)
    named = ("event", "event__starts_at", "event__code", "event__service", "event__region", "event__status")
    found = list(inside.values(*named).annotate(n=Count("pk")).order_by("event__starts_at", "event")[:MOST_IN_MONTH])
    books = playbooks.of_codes({one["event__code"] for one in found}) if found else {}
    made = []
    for one in found:
        bare = HealthEvent(code=one["event__code"], service=one["event__service"], region=one["event__region"])
        called = title(bare, books.get(bare.code), language)
        made.append(OfMonth(one["event"], one["event__starts_at"], called, one["event__status"], one["n"]))
    return made


def marks_of(found: Iterable[Change], urls: dict[int, str]) -> list[planned.Mark]:
    """A customer's own changes for the grid, each with its address."""
    return [planned.Mark(one.starts_at, one.title, 0, urls.get(one.part, ""), cancelled=one.cancelled) for one in found]
