"""Reads what customers are to be told of an event: each one's own accounts, resources and AWS's words about them.

A slice of customers at once, in a fixed number of statements, whatever the event touches.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter
from uuid import UUID

from django.db import connection

from awsint.health_payload import PUBLIC
from awsint.health_state import status_of
from awsint.health_store import told_of
from awsint.health_words import EXPIRED, MOST_NAMED, Part
from awsint.models import AffectedAccount, HealthEvent

COUNTS = """
SELECT account_id, status, count(*) FROM awsint_affectedentity WHERE account_id = ANY(%s) GROUP BY 1, 2
"""
# Those that need a look come first.
NAMED = """
SELECT a.id, e.value, e.status FROM unnest(%(accounts)s::bigint[]) AS a (id), LATERAL (
    SELECT value, status FROM awsint_affectedentity WHERE account_id = a.id ORDER BY value LIMIT %(most)s) e
"""


def of_customers(event: HealthEvent, customers: Iterable[UUID]) -> dict[UUID, Part]:
    """The part of each of these customers. Three statements; one and none for a public event."""
    wanted = list(customers)
    if event.scope == PUBLIC:
        return {customer: whole(event) for customer in wanted}
    rows: dict[UUID, list[AffectedAccount]] = defaultdict(list)
    found = AffectedAccount.objects.filter(event=event, account__customer__in=wanted)
    for row in found.select_related("account", "head").defer("head__raw").order_by("number"):
        if row.account:
            rows[row.account.customer_id].append(row)
    counts, named = _resources([row.pk for own in rows.values() for row in own])
    return {customer: _part(event, own, counts, named) for customer, own in rows.items()}


Counts = dict[int, dict[str, int]]
Named = dict[int, list[tuple[str, str]]]


def _resources(accounts: Sequence[int]) -> tuple[Counts, Named]:
    counts: Counts = defaultdict(dict)
    named: Named = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, [list(accounts)])
        for account, status, number in cursor.fetchall():
            counts[account][status] = number
        cursor.execute(NAMED, {"accounts": list(accounts), "most": MOST_NAMED})
        for account, value, status in cursor.fetchall():
            named[account].append((value, status))
    return counts, named


def _part(event: HealthEvent, rows: Sequence[AffectedAccount], counts: Counts, named: Named) -> Part:
    head = max((row.head for row in rows if row.head), key=attrgetter("order"))
    told = told_of(head)
    sums: dict[str, int] = defaultdict(int)
    for row in rows:
        for status, number in counts[row.pk].items():
            sums[status] += number
    known = [row.account for row in rows if row.account]
    return Part(
        event=event,
        status=EXPIRED if event.expired_at else status_of({row.status for row in rows}, told.status),
        text=told.description,
        starts_at=told.starts_at,
        ends_at=told.ends_at,
        updated_at=max((row.updated_at for row in rows if row.updated_at), default=told.updated_at),
        accounts=[f"{account.name} ({account.number})" for account in known],
        workloads=sorted({word for account in known for word in account.workload}),
        counts=dict(sums),
        named=[one for row in rows for one in named[row.pk]][:MOST_NAMED],
    )


def whole(event: HealthEvent) -> Part:
    """What is said of the event as a whole: to a customer of a public one."""
    return Part(
        event=event,
        status=EXPIRED if event.expired_at else event.status,
        text=event.description,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        updated_at=event.updated_at,
    )


SUMS = """
SELECT e.status, count(*) FROM awsint_affectedentity e JOIN awsint_affectedaccount a ON a.id = e.account_id
WHERE a.event_id = %s GROUP BY 1
"""


def of_house(event: HealthEvent) -> Part:
    """The whole for the desk: how many resources in how many accounts. Two statements, none for a public event."""
    part = whole(event)
    if event.scope == PUBLIC:
        return part
    with connection.cursor() as cursor:
        cursor.execute(SUMS, [event.pk])
        part.counts = dict(cursor.fetchall())
    part.reach = AffectedAccount.objects.filter(event=event).count()
    return part
