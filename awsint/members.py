"""The members of an organization as they were listed last: who of them is connected, and who is to be.

A listing is the result of a job (listing.py). Members that nobody ticks stay listed, so that an account which appears
in an organization is never overlooked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import gettext as _

from awsint.account_actions import Wanted
from awsint.models import Account, Organization
from helpdesk.accounts.doors import Refused
from helpdesk.accounts.models import Customer

ROWS = 50
NAME_MOST = 80


@dataclass(frozen=True)
class Wish:
    """Which members are shown: those whose name, mail or number says `q`, only the unknown ones, from which on."""

    q: str = ""
    unknown: bool = False
    after: int = 0

    @classmethod
    def read(cls, get: QueryDict) -> "Wish":
        after = get.get("after", "")
        return cls(
            q=" ".join(get.get("q", "").split())[:80],
            unknown=get.get("unknown") == "1",
            after=int(after) if after.isascii() and after.isdecimal() and len(after) < 7 else 0,
        )

    def link(self, after: int) -> str:
        told = {"q": self.q, "unknown": "1" if self.unknown else "", "after": str(after)}
        return "?" + urlencode({name: value for name, value in told.items() if value}) + "#members"


@dataclass(frozen=True)
class Member:
    """One account of the organization; `account` is ours, where it is connected."""

    number: str
    name: str
    email: str
    status: str
    account: Account | None

    @property
    def spaced(self) -> str:
        return f"{self.number[:4]} {self.number[4:8]} {self.number[8:]}"

    @property
    def can_be_connected(self) -> bool:
        return self.account is None and self.status == "ACTIVE"


@dataclass
class Page:
    members: list[Member] = field(default_factory=list)
    count: int = 0
    unknown: int = 0
    further: str = ""


def page(organization: Organization, wish: Wish) -> Page:
    """The members a wish means, of the last listing that was finished. One statement, none without a listing."""
    rows = listed(organization)
    if not rows:
        return Page()
    ours = _ours(organization, [row["number"] for row in rows])
    members = [Member(**row, account=ours.get(row["number"])) for row in rows]
    digits, q = wish.q.replace(" ", ""), wish.q.casefold()
    found = [m for m in members if not q or q in m.name.casefold() or q in m.email.casefold() or digits in m.number]
    found = [m for m in found if not wish.unknown or m.account is None]
    shown = found[wish.after : wish.after + ROWS]
    more = wish.after + ROWS < len(found)
    unknown = sum(member.account is None for member in members)
    return Page(shown, len(members), unknown, wish.link(wish.after + ROWS) if more else "")


def listed(organization: Organization) -> list[dict[str, Any]]:
    """The members as the last job found them."""
    result = organization.listing.result if organization.listing else None
    return list((result or {}).get("members", []))


def _ours(organization: Organization, numbers: list[str]) -> dict[str, Account]:
    rows = Account.objects.filter(partition=organization.partition, number__in=numbers).select_related("customer")
    return {account.number: account for account in rows}


def wanted(organization: Organization, chosen: Mapping[str, str]) -> list[Wanted]:
    """What is to be connected of {number: customer}. Only members of the last listing count. Raises Refused."""
    known = {row["number"]: row for row in listed(organization)}
    customers = {str(one.pk): one for one in Customer.objects.active().filter(pk__in=_uuids(chosen.values()))}
    if not chosen:
        raise Refused("", _("Tick the accounts that are to be connected."))
    found = []
    for number, customer in chosen.items():
        if number not in known:
            raise Refused("", _("List the members once more: one of these is not among them."))
        if customer not in customers:
            raise Refused("", _("Choose the customer of %(number)s.") % {"number": number})
        name = (known[number]["name"] or number)[:NAME_MOST]
        found.append(
            Wanted(
                customer=customers[customer],
                number=number,
                name=name,
                partition=organization.partition,
                organization=organization,
            )
        )
    return found


def _uuids(texts: Any) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
