"""The list of accounts: whose, found by number, name, customer or tag, page by page without counting.

An auditor reads numbers in place of names and searches none of them.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db.models import BooleanField, Count, ExpressionWrapper, F, Q, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan
from django.http import QueryDict

from awsint import mending
from awsint.models import Account, Partition, State
from helpdesk.accounts.masking import aws_name, aws_number, customer_names, masks
from helpdesk.accounts.models import Customer, User

ROWS = 50
MOST_CHOICES = 500
# What is in no reading: not proved yet, and deactivated.
UNPROVED, INACTIVE = "UNPROVED", "INACTIVE"
# So many intervals without a reading and it is late.
LATE_AFTER = 2


@dataclass(frozen=True)
class Wish:
    """What the address asks for. Anything unknown in it is as if it were not there."""

    q: str = ""
    state: str = ""
    customer: str = ""
    partition: str = ""
    after: str = ""

    @classmethod
    def read(cls, get: QueryDict) -> "Wish":
        state, partition = get.get("state", ""), get.get("partition", "")
        return cls(
            q=" ".join(get.get("q", "").replace("\x00", "").split())[:80],
            state=state if state in (*State.values, UNPROVED, INACTIVE) else "",
            customer=_uuid(get.get("customer", "")),
            partition=partition if partition in Partition.values else "",
            after=get.get("after", "").replace("\x00", "")[:120],
        )

    @property
    def is_filtered(self) -> bool:
        return bool(self.q or self.state or self.customer or self.partition)

    def link(self, **changes: str) -> str:
        wish = replace(self, **({"after": ""} | changes))
        return "?" + urlencode([(name, value) for name, value in vars(wish).items() if value])


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""


@dataclass
class Line:
    """An account as its reader sees it."""

    account: Account
    name: str
    number: str
    customer: str
    standing: mending.Standing
    state: str
    plan: str


@dataclass
class Page:
    lines: list[Line]
    further: str = ""


def page(user: User, wish: Wish, at: datetime) -> Page:
    """Accounts by name, an auditor's in the order in which they came. Two statements, one where there is none."""
    order = ["id"] if masks(user) else ["name", "id"]
    rows = chosen(user, wish)
    if key := _key(wish.after, masks(user)):
        rows = rows.filter(TupleGreaterThan(Tuple(*(F(name) for name in order)), key))
    taken = list(rows.select_related("customer", "poll").order_by(*order)[: ROWS + 1])
    kept = taken[:ROWS]
    names = customer_names(user, [account.customer_id for account in kept]) if masks(user) else {}
    last = kept[-1] if len(taken) > ROWS else None
    further = wish.link(after=str(last.pk) if masks(user) else f"{last.name}\n{last.pk}") if last else ""
    return Page([line(user, account, at, names) for account in kept], further)


def _key(after: str, hidden: bool) -> tuple[Any, ...] | None:
    name, _line, pk = after.rpartition("\n")
    if not (pk.isascii() and pk.isdecimal() and len(pk) < 19):
        return None
    return (int(pk),) if hidden else (name, int(pk))


def line(user: User, account: Account, at: datetime, names: dict[UUID, str]) -> Line:
    state = state_of(account)
    late = state == State.OK and not is_fresh(account, at)
    return Line(
        account=account,
        name=aws_name(user, account.pk, account.name),
        number=aws_number(user, account.number),
        customer=names.get(account.customer_id) or account.customer.name,
        standing=mending.standing(account, state, late=late),
        state=state,
        plan=mending.plan_seen(account),
    )


def state_of(account: Account) -> str:
    """The state of its reading; an account that nobody has read yet has no row for it."""
    return account.poll.state if hasattr(account, "poll") else State.NEW


def is_fresh(account: Account, at: datetime) -> bool:
    read = account.poll.read_at if hasattr(account, "poll") else None
    return read is not None and at - read <= timedelta(minutes=LATE_AFTER * settings.SUPPORT_POLL_MINUTES)


def chosen(user: User, wish: Wish) -> QuerySet[Account]:
    """The accounts a wish means, in no order yet; deactivated ones only where it asks for them."""
    rows: QuerySet[Account] = Account.objects.visible_to(user).filter(is_active=wish.state != INACTIVE)
    if wish.partition:
        rows = rows.filter(partition=wish.partition)
    if wish.customer and not masks(user):
        rows = rows.filter(customer=UUID(wish.customer))
    if wish.q:
        rows = _named(rows, wish.q, user)
    return _in_state(rows, wish.state)


def _in_state(rows: QuerySet[Account], state: str) -> QuerySet[Account]:
    if state in ("", INACTIVE):
        return rows
    if state == UNPROVED:
        return rows.filter(proved_at=None)
    rows = rows.filter(proved_at__isnull=False)
    return rows.filter(Q(poll=None) | Q(poll__state=state)) if state == State.NEW else rows.filter(poll__state=state)


def _named(rows: QuerySet[Account], words: str, user: User) -> QuerySet[Account]:
    if masks(user):
        return rows.none()
    # A number is copied from the console in groups of four.
    digits = words.replace(" ", "").replace("-", "")
    found = Q(name__icontains=words) | Q(customer__name__icontains=words) | Q(customer__code__iexact=words)
    found |= Q(workload__contains=[words.lower()])
    return rows.filter(found | Q(number__contains=digits) if digits.isascii() and digits.isdecimal() else found)


def counts(user: User) -> dict[str, int]:
    """How many active accounts there are in each state. One statement."""
    rows = Account.objects.visible_to(user).filter(is_active=True)
    unproved = ExpressionWrapper(Q(proved_at=None), BooleanField())
    told = rows.order_by().annotate(unproved=unproved).values_list("unproved", "poll__state").annotate(Count("pk"))
    found: dict[str, int] = {}
    for is_unproved, state, count in told:
        key = UNPROVED if is_unproved else state or State.NEW
        found[key] = found.get(key, 0) + count
    return found


def customers(user: User) -> QuerySet[Customer]:
    """Customers with accounts, for the filter; none to an auditor."""
    if masks(user):
        return Customer.objects.none()
    theirs = Account.objects.visible_to(user).values("customer")
    return Customer.objects.filter(pk__in=theirs).order_by("name")[:MOST_CHOICES]
