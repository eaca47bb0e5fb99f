"""/aws/health/: every event AWS told of, how long each step took until the customers were told, and how it is decided.

The same statements whatever there is: a page of events, and three more that read what belongs to all of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from awsint.models import (
    AffectedAccount,
    AffectedCustomer,
    EventCategory,
    EventStatus,
    HealthEvent,
    HealthMessage,
    Scope,
    Usage,
)
from awsint.wishes import Wish, choice, newest, word
from helpdesk.accounts.masking import masks
from helpdesk.accounts.models import Customer, User
from helpdesk.sheets import Cell, Sheet, instant
from sla.models import Priority

MOST_CHOICES = 500
MOST_ROWS = 100_000
BATCH = 500
STATES = ("open", "closed", "unopened")


@dataclass(frozen=True)
class Asked(Wish):
    q: str = ""
    state: str = ""
    category: str = ""
    service: str = ""
    region: str = ""
    priority: str = ""
    customer: str = ""

    @classmethod
    def read(cls, get: Mapping[str, str]) -> "Asked":
        try:
            customer = str(UUID(get.get("customer", "")))
        except ValueError:
            customer = ""
        return cls(
            q=word(get, "q"),
            state=choice(get, "state", STATES),
            category=choice(get, "category", EventCategory.values),
            service=word(get, "service").upper(),
            region=word(get, "region").lower(),
            priority=word(get, "priority", 40),
            customer=customer,
            after=word(get, "after"),
        )


@dataclass(frozen=True)
class Line:
    """An event as the register has it. A lag is None where its step was not reached; customers are those that the
    reader may see."""

    event: HealthEvent
    aws_at: datetime | None
    accounts: int
    unknown: int
    customers: int
    told: int
    told_at: datetime | None
    last_told_at: datetime | None

    @property
    def category(self) -> str:
        """In words; AWS may name one that no list knows."""
        named = self.event.category
        return str(EventCategory(named).label) if named in EventCategory.values else named

    @property
    def to_seen(self) -> timedelta | None:
        return _span(self.aws_at, self.event.seen_at)

    @property
    def to_ticket(self) -> timedelta | None:
        return _span(self.event.seen_at, self.event.ticket.created_at if self.event.ticket else None)

    @property
    def to_told(self) -> timedelta | None:
        """Until the last of them was told, from when we saw it."""
        return _span(self.event.seen_at, self.last_told_at)


def _span(begin: datetime | None, end: datetime | None) -> timedelta | None:
    """The clocks of two sides may differ by a moment."""
    return max(end - begin, timedelta(0)) if begin and end else None


# --- Which -----------------------------------------------------------------------------------------------------------


def known_to(user: User) -> QuerySet[HealthEvent]:
    """Events of the desk, but those that are about customers alone whom somebody may not see."""
    rows: QuerySet[HealthEvent] = HealthEvent.objects.visible_to(user)
    if user.sees_every_customer or user.staff_role == "auditor":
        return rows
    theirs = AffectedCustomer.objects.filter(event=OuterRef("pk"))
    mine = Exists(AffectedCustomer.objects.visible_to(user).filter(event=OuterRef("pk")))
    return rows.filter(Q(scope=Scope.PUBLIC) | mine | ~Exists(theirs))


def chosen(user: User, wish: Asked) -> QuerySet[HealthEvent]:
    rows = known_to(user)
    if wish.state == "open":
        rows = rows.filter(status__in=[EventStatus.OPEN, EventStatus.UPCOMING], expired_at=None)
    elif wish.state == "closed":
        rows = rows.exclude(status__in=[EventStatus.OPEN, EventStatus.UPCOMING], expired_at=None)
    elif wish.state == "unopened":
        rows = rows.filter(ticket=None)
    same = {"category": wish.category, "service": wish.service, "region": wish.region, "priority": wish.priority}
    rows = rows.filter(**{name: value for name, value in same.items() if value})
    if wish.q:
        rows = rows.filter(Q(code__icontains=wish.q) | Q(arn=wish.q))
    if wish.customer and not masks(user):
        mine = AffectedCustomer.objects.visible_to(user).filter(event=OuterRef("pk"), customer=UUID(wish.customer))
        rows = rows.filter(Exists(mine))
    return rows


def page(user: User, wish: Asked) -> tuple[list[Line], str]:
    """The newest events and the way to further ones. Four statements, one where there is none."""
    rows = chosen(user, wish).select_related("ticket", "priority").defer("description", "metadata", "told")
    found, further = newest(rows, "seen_at", wish.after)
    return lines(user, found), further and wish.link(after=further)


def lines(user: User, events: Sequence[HealthEvent]) -> list[Line]:
    """Three statements for all of them."""
    if not events:
        return []
    parts, accounts, first = _parts(user, events), _accounts(events), _first(events)
    return [
        Line(
            event=event,
            aws_at=first.get(event.pk) or event.updated_at,
            accounts=accounts.get(event.pk, {}).get("all", 0),
            unknown=accounts.get(event.pk, {}).get("unknown", 0),
            customers=parts.get(event.pk, {}).get("all", 0),
            told=parts.get(event.pk, {}).get("told", 0),
            told_at=parts.get(event.pk, {}).get("first"),
            last_told_at=parts.get(event.pk, {}).get("last"),
        )
        for event in events
    ]


def _parts(user: User, events: Sequence[HealthEvent]) -> dict[int, dict[str, Any]]:
    rows = AffectedCustomer.objects.visible_to(user).filter(event__in=[event.pk for event in events])
    sums = rows.values("event").annotate(
        all=Count("pk"), told=Count("told_at"), first=Min("told_at"), last=Max("told_at")
    )
    return {row["event"]: dict(row) for row in sums.order_by()}


def _accounts(events: Sequence[HealthEvent]) -> dict[int, dict[str, Any]]:
    rows = AffectedAccount.objects.filter(event__in=[event.pk for event in events])
    sums = rows.values("event").annotate(all=Count("pk"), unknown=Count("pk", filter=Q(account=None)))
    return {row["event"]: dict(row) for row in sums.order_by()}


def _first(events: Sequence[HealthEvent]) -> dict[int, datetime]:
    """AWS's own time of the oldest message."""
    oldest = HealthMessage.objects.filter(event=OuterRef("pk")).order_by("updated_at", "rank").values("updated_at")
    rows = HealthEvent.objects.filter(pk__in=[event.pk for event in events]).annotate(first=Subquery(oldest[:1]))
    return {event: at for event, at in rows.values_list("pk", "first") if at}


def customers(user: User) -> QuerySet[Customer]:
    """For the filter; none to an auditor."""
    if masks(user):
        return Customer.objects.none()
    known = Q(pk__in=AffectedCustomer.objects.values("customer")) | Q(pk__in=Usage.objects.values("customer"))
    return Customer.objects.known_to(user).filter(known).order_by("name")[:MOST_CHOICES]


def priorities() -> QuerySet[Priority]:
    return Priority.objects.order_by("rank", "retired", "code")


# --- As a file -------------------------------------------------------------------------------------------------------


def sheet(user: User, wish: Asked) -> Sheet:
    """The rows of the register, all pages of it."""
    head = [
        _("Event"), _("Service"), _("Region"), _("Category"), _("Status"), _("Priority"), _("Rule"), _("AWS's time"),
        _("Seen"), _("Ticket opened"), _("First customer told"), _("Last customer told"), _("Ticket"), _("Accounts"),
        _("Unknown accounts"), _("Customers"), _("Customers told"), _("How"), "ARN",
    ]  # fmt: skip
    return Sheet("AWS Health", head, _rows(user, wish))


def _rows(user: User, wish: Asked) -> Iterator[list[Cell]]:
    rows = chosen(user, wish).select_related("ticket", "priority").defer("description", "metadata", "told")
    after, given = wish.after, 0
    while given < MOST_ROWS:
        found, after = newest(rows, "seen_at", after, BATCH)
        for line in lines(user, found):
            yield _cells(user, line)
        given += len(found)
        if not after:
            return


def _cells(user: User, line: Line) -> list[Cell]:
    event, ticket = line.event, line.event.ticket
    return [
        event.code, event.service, event.region, event.category, event.status, event.priority_id or "",
        event.reason.get("rule", ""), instant(line.aws_at, user.zone), instant(event.seen_at, user.zone),
        instant(ticket.created_at if ticket else None, user.zone), instant(line.told_at, user.zone),
        instant(line.last_told_at, user.zone), ticket.ref if ticket else "", line.accounts, line.unknown,
        line.customers, line.told, event.via, event.arn,
    ]  # fmt: skip
