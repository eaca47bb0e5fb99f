"""What leads, administrators and a company's own administrators change of what the company uses: rows added, removed.

After rows were added the public events that go on are decided again in the same transaction, so that the sweep opens
what is due within the minute, whoever is killed meanwhile.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from awsint import health
from awsint.models import AffectedCustomer, HealthEvent, Scope, Usage
from awsint.usage import Pair, matches
from helpdesk.accounts.doors import Refused
from helpdesk.accounts.models import Customer, CustomerRole, User
from helpdesk.accounts.permissions import Right, customers_of, may
from helpdesk.audit.record import Happening, record

MOST_ROWS = 2000
# An entry of history names so many rows; it counts all of them.
MOST_NAMED = 20


@dataclass(frozen=True)
class Added:
    """How many rows are new, and how many events that go on match them."""

    rows: int
    events: int


def subject_of(customer: Customer) -> str:
    return f"aws:usage:{customer.pk}"


def may_change(user: User, customer: Customer) -> bool:
    """Those with Right.AWS for every customer they may know of, a company's administrators for their own."""
    if user.staff_role:
        return may(user, Right.AWS) and Customer.objects.known_to(user).filter(pk=customer.pk).exists()
    return customers_of(user).get(customer.pk) == CustomerRole.ADMIN


@transaction.atomic
def add(*, customer: Customer, pairs: Sequence[Pair], by: User, at: datetime) -> Added:
    """Registers a customer for services in regions. Raises Refused, PermissionDenied."""
    fresh = _register(customer, pairs, by, at)
    return Added(len(fresh), _weigh(_matching(customer, fresh), at))


def add_all(*, wanted: Mapping[Customer, Sequence[Pair]], by: User, at: datetime) -> Added:
    """The same for many: each customer in a transaction of its own, then each event once. Whoever is killed in between
    leaves the rest to a second try, and the events to the quarter of an hour. Raises Refused, PermissionDenied."""
    rows, events = 0, dict[int, HealthEvent]()
    for customer, pairs in wanted.items():
        with transaction.atomic():
            fresh = _register(customer, pairs, by, at)
        rows += len(fresh)
        events |= {event.pk: event for event in _matching(customer, fresh)}
    return Added(rows, _weigh(list(events.values()), at))


def _register(customer: Customer, pairs: Sequence[Pair], by: User, at: datetime) -> list[Pair]:
    """Writes those rows that are not there; returns them."""
    _demand(by, customer)
    # Two who add at the same time do it one after the other.
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    there = set(Usage.objects.filter(customer=customer).values_list("service", "region"))
    fresh = [pair for pair in dict.fromkeys(pairs) if pair not in there]
    if len(there) + len(fresh) > MOST_ROWS:
        raise Refused("services", _("A customer has at most %(most)d rows. Use global in place of many regions.") % {
            "most": MOST_ROWS})  # fmt: skip
    Usage.objects.bulk_create(
        Usage(customer=customer, service=service, region=region, created_at=at) for service, region in fresh
    )
    if fresh:
        _tell("aws.usage_added", customer, fresh, by, at)
    return fresh


@transaction.atomic
def remove(*, customer: Customer, rows: Collection[int], by: User, at: datetime) -> int:
    """Takes rows away; returns how many. Tickets that are open stay. Raises PermissionDenied."""
    _demand(by, customer)
    found = list(Usage.objects.select_for_update().filter(customer=customer, pk__in=rows).order_by("pk"))
    if found:
        Usage.objects.filter(pk__in=[row.pk for row in found]).delete()
        _tell("aws.usage_removed", customer, [(row.service, row.region) for row in found], by, at)
    return len(found)


def _demand(by: User, customer: Customer) -> None:
    if not may_change(by, customer):
        raise PermissionDenied


def _tell(action: str, customer: Customer, pairs: Sequence[Pair], by: User, at: datetime) -> None:
    data = {"count": len(pairs), "rows": [" ".join(pair) for pair in pairs[:MOST_NAMED]]}
    record([Happening(action, data)], by=by, at=at, subject=subject_of(customer), customer=customer.pk)


def _matching(customer: Customer, pairs: Sequence[Pair]) -> list[HealthEvent]:
    """Those public events that go on, match and are not this customer's yet."""
    if not (pairs and customer.is_active):
        return []
    rows = HealthEvent.objects.current().filter(scope=Scope.PUBLIC, service__in={service for service, _in in pairs})
    rows = rows.exclude(pk__in=AffectedCustomer.objects.filter(customer=customer).values("event"))
    return [e for e in rows.order_by("pk") if any(matches(pair, e.service, e.region) for pair in pairs)]


def _weigh(events: Sequence[HealthEvent], at: datetime) -> int:
    """Decides them again, always in the same order: two who do so wait for each other and not in a circle."""
    for event in sorted(events, key=lambda event: event.pk):
        health.weigh_again(event, at=at)
    return len(events)
