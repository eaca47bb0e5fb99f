"""Who may do what: one list of rights, one table of roles.

A right is asked per (user, customer): `may(user, Right.REPLY, customer_id)`. Seeing is not asked here but in
visible_to, because a stranger must meet a 404 and not a refusal.
"""

from enum import StrEnum
from uuid import UUID

from django.db.models import QuerySet

from helpdesk.accounts.models import Customer, CustomerRole, Membership, User
from helpdesk.audit.record import System
from helpdesk.kept import kept

# Whoever does something: a person, or the desk itself on a rule.
Doer = User | System


class Right(StrEnum):
    OPEN_TICKET = "open_ticket"
    REPLY = "reply"
    NOTE = "note"
    CANNED = "canned"  # write the canned replies that everybody shares
    WORK = "work"  # start, ask, resume, resolve, assign, priority, close as duplicate or spam
    REVIEW = "review"  # excuse broken promises, strike out pauses
    CONFIRM = "confirm"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    INVITE = "invite"
    SHARE = "share"
    KEYS = "keys"
    TEAMS = "teams"  # who is on a customer's team; colleagues' skills, capacity and leave
    AWS = "aws"  # AWS accounts, organizations and hubs, and how a customer hears of AWS
    INVITE_STAFF = "invite_staff"
    CONSOLE = "console"
    ADMIN = "admin"


_MEMBER = {Right.OPEN_TICKET, Right.REPLY, Right.CONFIRM, Right.REOPEN, Right.WITHDRAW}
_ENGINEER = {Right.REPLY, Right.NOTE, Right.WORK, Right.REOPEN}
_LEAD = _ENGINEER | {Right.REVIEW, Right.CANNED, Right.INVITE, Right.KEYS, Right.TEAMS, Right.CONSOLE, Right.AWS}
ROLE_TABLE: dict[str, set[Right]] = {
    "customer:member": _MEMBER,
    "customer:admin": _MEMBER | {Right.INVITE, Right.SHARE, Right.KEYS},
    "engineer": _ENGINEER,
    "lead": _LEAD,
    "admin": _LEAD | {Right.SHARE, Right.INVITE_STAFF, Right.ADMIN},
    "auditor": set(),
}


def may(user: Doer, right: Right, customer: UUID | None = None) -> bool:
    """Whether `user` has `right`, at `customer` where it is about one. The desk itself has none."""
    if isinstance(user, System) or not user.is_active:
        return False
    if user.staff_role:
        return right in ROLE_TABLE[user.staff_role]
    mine = customers_of(user)
    roles = mine.values() if customer is None else [mine[customer]] if customer in mine else []
    return any(right in ROLE_TABLE[f"customer:{role}"] for role in roles)


def customers_of(user: User) -> dict[UUID, str]:
    """The active customers a person belongs to, and as what: {customer id: role}. Asked once per user object."""
    known: dict[UUID, str] | None = getattr(user, "_customers", None)
    if known is None:
        found = [] if user.staff_role or not user.is_active else _memberships(user.pk)
        known = {one.customer_id: one.role for one in found}
        user._customers = known  # type: ignore[attr-defined]
        user._shared = {one.customer_id for one in found if one.customer.members_see_all}  # type: ignore[attr-defined]
        user._companies = sorted(one.customer.name for one in found)  # type: ignore[attr-defined]
    return known


@kept
def _memberships(number: int) -> QuerySet[Membership]:
    rows = Membership.objects.filter(user=number, is_active=True, customer__is_active=True)
    return rows.select_related("customer").only("customer", "role", "customer__members_see_all", "customer__name")


def shared_with(user: User) -> set[UUID]:
    """Those of a person's companies whose members see all of its tickets. Known with `customers_of`."""
    customers_of(user)
    shared: set[UUID] = user._shared  # type: ignore[attr-defined]
    return shared


def company_names(user: User) -> list[str]:
    """What the companies a person belongs to are called. Known with `customers_of`."""
    customers_of(user)
    names: list[str] = user._companies  # type: ignore[attr-defined]
    return names


def whole_for(user: User) -> list[UUID]:
    """Those of a person's companies whose tickets they see all: as its administrator, or as everybody there."""
    return [c for c, role in customers_of(user).items() if role == CustomerRole.ADMIN or c in shared_with(user)]


def companies(user: User) -> list[Customer]:
    """The active customers a person may file for, by name."""
    return _customers(list(customers_of(user)))


@kept
def _customers(numbers: list[UUID]) -> QuerySet[Customer]:
    # However many they are, it is one statement.
    return Customer.objects.active().extra(where=["id = ANY(%s)"], params=[numbers]).order_by("name")
