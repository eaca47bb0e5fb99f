"""/aws/unseen: what AWS said and nobody of us has taken note of, the oldest first; and what is late of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Case, Count, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Left

from awsint.models import Account, CaseLink, Communication
from awsint.seen import MOST, MOST_CRITICAL
from awsint.wishes import Wish, choice, customer_key, digits, oldest, word
from helpdesk import refs
from helpdesk.accounts.masking import aws_name, aws_number, customer_names, masks
from helpdesk.accounts.models import Customer, User
from tickets.models import Ticket

# So many letters of a message are shown.
SHOWN = 240
MOST_CHOICES = 500
HIGHEST = 1


@dataclass(frozen=True)
class Asked(Wish):
    q: str = ""
    customer: str = ""
    late: str = ""

    @classmethod
    def read(cls, get: Mapping[str, str]) -> "Asked":
        return cls(
            q=word(get, "q"), customer=customer_key(get), late=choice(get, "late", "1"), after=word(get, "after")
        )


@dataclass(frozen=True)
class Line:
    """A message nobody has seen; `over` is how long it has waited too long, negative where it has not."""

    said: Any
    account: str
    number: str
    customer: str
    case: str
    ticket: Ticket | None
    text: str
    age: timedelta
    late: bool


def unseen() -> QuerySet[Communication]:
    """What counts as an answer of AWS and was seen by nobody, with the number and rank of its ticket. A case that was
    over before we first looked is history."""
    link = CaseLink.objects.filter(case=OuterRef("case")).order_by("-pk")
    ticket = Coalesce("ticket__merged_into_id", "ticket_id")
    rank = Coalesce("ticket__merged_into__priority__rank", "ticket__priority__rank")
    rows = Communication.objects.filter(seen_at=None, by_aws=True, automatic=False, case__archived=False)
    return rows.annotate(ticket=Subquery(link.values_list(ticket)[:1]), rank=Subquery(link.values_list(rank)[:1]))


def late(rows: QuerySet[Communication], at: datetime) -> QuerySet[Communication]:
    """Those that have waited too long. What an account's first reading brought was said before we looked: its tickets
    have clocks of their own."""
    waited = Q(detected_at__lt=at - MOST) | Q(detected_at__lt=at - MOST_CRITICAL, rank=HIGHEST)
    return rows.filter(waited).exclude(via="first")


def visible_to(user: User) -> QuerySet[Communication]:
    return unseen().filter(case__account__in=Account.objects.visible_to(user))


def page(user: User, wish: Asked, at: datetime) -> tuple[list[Line], str]:
    """The messages and the way to further ones. Three statements, one where there is none."""
    rows = chosen(user, wish, at).select_related("case__account__customer").defer("body")
    found, further = oldest(rows.annotate(begin=Left("body", SHOWN + 1)), "detected_at", wish.after)
    numbers = {said.ticket for said in found if said.ticket}
    tickets = Ticket.objects.select_related("priority").in_bulk(numbers) if numbers else {}
    names = customer_names(user, {said.case.account.customer_id for said in found}) if masks(user) else {}
    return [_line(user, said, tickets.get(said.ticket), names, at) for said in found], further and wish.link(
        after=further
    )


def chosen(user: User, wish: Asked, at: datetime) -> QuerySet[Communication]:
    rows = visible_to(user)
    if wish.late:
        rows = late(rows, at)
    if masks(user):
        return rows
    if wish.customer:
        rows = rows.filter(case__account__customer=UUID(wish.customer))
    if wish.q:
        rows = rows.filter(_named(wish.q))
    return rows


def _named(words: str) -> Q:
    if words.upper().startswith("HD") and (ticket := refs.number(words)):
        return Q(ticket=ticket)
    found = Q(case__subject__icontains=words) | Q(case__account__name__icontains=words)
    if copied := digits(words):
        found |= Q(case__display_id=copied) | Q(case__account__number=copied)
    return found


def _line(user: User, said: Any, ticket: Ticket | None, names: dict[UUID, str], at: datetime) -> Line:
    account, hidden = said.case.account, masks(user)
    age = at - said.detected_at
    waits = MOST_CRITICAL if ticket and ticket.priority.rank == HIGHEST else MOST
    begin = " ".join(said.begin.split())
    return Line(
        said=said,
        account=aws_name(user, account.pk, account.name),
        number=aws_number(user, account.number),
        customer=names.get(account.customer_id) or account.customer.name,
        # AWS's own id of a case holds the number of its account.
        case=said.case.display_id if hidden else str(said.case),
        ticket=ticket,
        text="" if hidden else begin if len(said.begin) <= SHOWN else f"{begin} …",
        age=age,
        late=age > waits and said.via != "first",
    )


def counts(user: User, at: datetime) -> tuple[int, int]:
    """How many there are and how many of them are late. One statement."""
    rows = (
        visible_to(user)
        .annotate(is_late=_is_late(at))
        .aggregate(all=Count("pk"), late=Count("pk", filter=Q(is_late=True)))
    )
    return rows["all"], rows["late"]


def _is_late(at: datetime) -> Case:
    waited = Q(detected_at__lt=at - MOST) | Q(detected_at__lt=at - MOST_CRITICAL, rank=HIGHEST)
    return Case(When(waited & ~Q(via="first"), then=Value(True)), default=Value(False), output_field=BooleanField())


def customers(user: User) -> QuerySet[Customer]:
    """Customers with an account, for the filter; none to an auditor."""
    if masks(user):
        return Customer.objects.none()
    theirs = Account.objects.visible_to(user).values("customer")
    return Customer.objects.filter(pk__in=theirs).order_by("name")[:MOST_CHOICES]
