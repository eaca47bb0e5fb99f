"""/aws/health/: every event AWS told of, how long each step took until the customers were told, and how it is decided.

The same statements whatever there is: a page of events, and three more that read what belongs to all of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import TruncDate
from django.utils.translation import gettext as _

from awsint import health_letters, health_missed
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
from awsint.wishes import Wish, choice, customer_key, newest, word
from helpdesk.accounts.masking import masks
from helpdesk.accounts.models import Customer, User, hidden_from
from helpdesk.sheets import Cell, Sheet, instant
from sla.models import Priority

MOST_CHOICES = 500
MOST_ROWS = 100_000
BATCH = 500
STATES = ("open", "closed", "opened", "unopened", "suppressed", "stored", "untold", "missed")
# How an event was decided: with a ticket of ours, or why without one (health_flow.py counts the same).
DECIDED = {
    "opened": Q(ticket__isnull=False),
    "unopened": Q(ticket=None),
    "suppressed": Q(ticket=None, suppression__isnull=False),
    "stored": Q(ticket=None, suppression=None),
}
# Whole ARNs are searched for.
LONGEST_ARN = 1600
DAYS = 30


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
        return cls(
            q=word(get, "q", LONGEST_ARN),
            state=choice(get, "state", STATES),
            category=choice(get, "category", EventCategory.values),
            service=word(get, "service").upper(),
            region=word(get, "region").lower(),
            priority=word(get, "priority", 40),
            customer=customer_key(get),
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
    tickets: int
    told: int
    told_at: datetime | None
    last_told_at: datetime | None
    # Whose ticket is open and whom no letter has reached; the first of them since then. What push missed of it.
    untold: int = 0
    untold_since: datetime | None = None
    missed: bool = False

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
        """Until the last of them was told, from when we saw it: until the relay took the letter."""
        return _span(self.event.seen_at, self.last_told_at)

    def is_late(self, at: datetime) -> bool:
        """Whether somebody should have been told by now."""
        return self.untold_since is not None and self.untold_since <= at - health_letters.TELL_WITHIN


def _span(begin: datetime | None, end: datetime | None) -> timedelta | None:
    """The clocks of two sides may differ by a moment."""
    return max(end - begin, timedelta(0)) if begin and end else None


# --- Which -----------------------------------------------------------------------------------------------------------


def known_to(user: User) -> QuerySet[HealthEvent]:
    """Events of the desk, but those that are about customers alone whom somebody may not see."""
    rows: QuerySet[HealthEvent] = HealthEvent.objects.visible_to(user)
    if user.sees_every_customer or user.staff_role == "auditor":
        return rows
    hidden = AffectedCustomer.objects.filter(event=OuterRef("pk"), customer__in=hidden_from(user))
    mine = AffectedCustomer.objects.visible_to(user).filter(event=OuterRef("pk"))
    # In this order: where nobody is hidden, which is the rule, nothing else is looked at.
    return rows.filter(Q(scope=Scope.PUBLIC) | ~Exists(hidden) | Exists(mine))


def chosen(user: User, wish: Asked, at: datetime) -> QuerySet[HealthEvent]:
    rows = known_to(user)
    if wish.state == "open":
        rows = rows.filter(status__in=[EventStatus.OPEN, EventStatus.UPCOMING], expired_at=None)
    elif wish.state == "closed":
        rows = rows.exclude(status__in=[EventStatus.OPEN, EventStatus.UPCOMING], expired_at=None)
    elif wish.state in DECIDED:
        rows = rows.filter(DECIDED[wish.state])
    elif wish.state == "untold":
        parts = health_letters.untold(AffectedCustomer.objects.visible_to(user), at - health_letters.TELL_WITHIN)
        rows = rows.filter(pk__in=parts.values("event"))
    elif wish.state == "missed":
        rows = health_missed.events(rows, at)
    same = {"category": wish.category, "service": wish.service, "region": wish.region, "priority": wish.priority}
    rows = rows.filter(**{name: value for name, value in same.items() if value})
    if wish.q:
        rows = rows.filter(Q(code__icontains=wish.q) | Q(arn=wish.q))
    if wish.customer and not masks(user):
        mine = AffectedCustomer.objects.visible_to(user).filter(event=OuterRef("pk"), customer=UUID(wish.customer))
        rows = rows.filter(Exists(mine))
    return rows


def page(user: User, wish: Asked, at: datetime) -> tuple[list[Line], str]:
    """The newest events and the way to further ones. Four statements, one where there is none."""
    rows = chosen(user, wish, at).select_related("ticket", "priority").defer("description", "metadata", "told")
    found, further = newest(rows, "seen_at", wish.after)
    return lines(user, found, at), further and wish.link(after=further)


def lines(user: User, events: Sequence[HealthEvent], at: datetime) -> list[Line]:
    """Three statements for all of them."""
    if not events:
        return []
    parts, accounts, heard = _parts(user, events), _accounts(user, events), _heard(events, at)
    return [
        Line(
            event=event,
            aws_at=heard[event.pk][0] or event.updated_at,
            accounts=accounts.get(event.pk, {}).get("all", 0),
            unknown=accounts.get(event.pk, {}).get("unknown", 0),
            customers=parts.get(event.pk, {}).get("all", 0),
            tickets=parts.get(event.pk, {}).get("tickets", 0),
            told=parts.get(event.pk, {}).get("told", 0),
            told_at=parts.get(event.pk, {}).get("first"),
            last_told_at=parts.get(event.pk, {}).get("last"),
            untold=parts.get(event.pk, {}).get("untold", 0),
            untold_since=parts.get(event.pk, {}).get("since"),
            missed=heard[event.pk][1],
        )
        for event in events
    ]


def _parts(user: User, events: Sequence[HealthEvent]) -> dict[int, dict[str, Any]]:
    rows = AffectedCustomer.objects.visible_to(user).filter(event__in=[event.pk for event in events])
    waits = Q(ticket__isnull=False, told_at=None)
    sums = rows.values("event").annotate(
        all=Count("pk"),
        tickets=Count("ticket"),
        told=Count("told_at"),
        first=Min("told_at"),
        last=Max("told_at"),
        untold=Count("pk", filter=waits),
        since=Min("opened_at", filter=waits),
    )
    return {row["event"]: dict(row) for row in sums.order_by()}


def _accounts(user: User, events: Sequence[HealthEvent]) -> dict[int, dict[str, Any]]:
    """Accounts of customers whom the reader may see, and of nobody we know."""
    rows = AffectedAccount.objects.filter(event__in=[event.pk for event in events])
    if not user.sees_every_customer and not masks(user):
        rows = rows.exclude(account__customer__in=hidden_from(user))
    sums = rows.values("event").annotate(all=Count("pk"), unknown=Count("pk", filter=Q(account=None)))
    return {row["event"]: dict(row) for row in sums.order_by()}


def _heard(events: Sequence[HealthEvent], at: datetime) -> dict[int, tuple[datetime | None, bool]]:
    """AWS's own time of the oldest message, and whether push missed any."""
    oldest = HealthMessage.objects.filter(event=OuterRef("pk")).order_by("updated_at", "rank").values("updated_at")
    rows = HealthEvent.objects.filter(pk__in=[event.pk for event in events])
    rows = rows.annotate(first=Subquery(oldest[:1]), lost=health_missed.missed(at))
    return {event: (first, lost) for event, first, lost in rows.values_list("pk", "first", "lost")}


def count_of(user: User, state: str, at: datetime) -> int:
    """How many events a filter would show. One statement, by the rows that are concerned and not by all events."""
    return chosen(user, Asked(state=state), at).count()


@dataclass(frozen=True)
class Day:
    """What was seen on a day, and what of it is not over."""

    day: date
    seen: int = 0
    current: int = 0


def days(user: User, wish: Asked, at: datetime) -> list[Day]:
    """Each of the last thirty days in the reader's zone, quiet ones too. One statement over those days' events."""
    today = at.astimezone(user.tz).date()
    first = today - timedelta(days=DAYS - 1)
    begin = datetime.combine(first, time(), user.tz)
    rows = chosen(user, wish, at).filter(seen_at__gte=begin).annotate(day=TruncDate("seen_at", tzinfo=user.tz))
    current = Q(status__in=[EventStatus.OPEN, EventStatus.UPCOMING], expired_at=None)
    sums = rows.values("day").annotate(seen=Count("pk"), current=Count("pk", filter=current)).order_by()
    found = {row["day"]: Day(row["day"], row["seen"], row["current"]) for row in sums}
    return [found.get(day, Day(day)) for day in (first + timedelta(days=n) for n in range(DAYS))]


def customers(user: User) -> QuerySet[Customer]:
    """For the filter; none to an auditor."""
    if masks(user):
        return Customer.objects.none()
    known = Q(pk__in=AffectedCustomer.objects.values("customer")) | Q(pk__in=Usage.objects.values("customer"))
    return Customer.objects.known_to(user).filter(known).order_by("name")[:MOST_CHOICES]


def priorities() -> QuerySet[Priority]:
    return Priority.objects.order_by("rank", "retired", "code")


# --- As a file -------------------------------------------------------------------------------------------------------


def sheet(user: User, wish: Asked, at: datetime) -> Sheet:
    """The rows of the register, all pages of it."""
    head = [
        _("Event"), _("Service"), _("Region"), _("Category"), _("Status"), _("Priority"), _("Rule"), _("AWS's time"),
        _("Seen"), _("Ticket opened"), _("First customer told"), _("Last customer told"), _("Ticket"), _("Accounts"),
        _("Unknown accounts"), _("Customers"), _("Customers told"), _("Customers not told"), _("How"),
        _("Missed by push"), "ARN",
    ]  # fmt: skip
    return Sheet("AWS Health", head, _rows(user, wish, at))


def _rows(user: User, wish: Asked, at: datetime) -> Iterator[list[Cell]]:
    rows = chosen(user, wish, at).select_related("ticket", "priority").defer("description", "metadata", "told")
    after, given = wish.after, 0
    while given < MOST_ROWS:
        found, after = newest(rows, "seen_at", after, BATCH)
        for line in lines(user, found, at):
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
        line.customers, line.told, line.untold, event.via, _("yes") if line.missed else "", event.arn,
    ]  # fmt: skip
