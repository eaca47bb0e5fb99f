"""The lists of months and of credits: whose, found by name, page by page without counting."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.fields.json import KeyTransform
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan
from django.http import QueryDict
from django.utils.http import urlencode

from helpdesk.accounts.masking import customer_names, masks
from helpdesk.accounts.models import Customer, User
from sla.attainment import Attainment
from sla.models import CreditRow, MonthReport
from sla.months import Month
from tickets.month_tables import kept, money
from tickets.register import customers_for

ROWS = 50
# So many months stand beside each other.
COLUMNS = 6


@dataclass(frozen=True)
class Wish:
    """What the address asks for. Anything unknown in it is as if it were not there."""

    q: str = ""
    month: Month | None = None
    after: str = ""

    @classmethod
    def read(cls, get: QueryDict) -> "Wish":
        try:
            month = Month.read(get.get("month", ""))
        except ValueError:
            month = None
        q = " ".join(get.get("q", "").replace("\x00", "").split())[:80]
        return cls(q, month, get.get("after", "").replace("\x00", "")[:200])

    @property
    def is_filtered(self) -> bool:
        return bool(self.q or self.month)

    def further(self, after: str) -> str:
        told = [("q", self.q), ("month", str(self.month) if self.month else ""), ("after", after)]
        return "?" + urlencode([(name, value) for name, value in told if value])


def named(user: User, q: str) -> QuerySet[Customer]:
    """The customers a person may look at, by a part of name, code or contract; an auditor searches no names."""
    rows = customers_for(user)
    if not q or masks(user):
        return rows
    return rows.filter(Q(name__icontains=q) | Q(code__icontains=q) | Q(contract_number__icontains=q))


# --- Months ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """One customer's month in the list; no `net` where it is not frozen, `running` where it is not over."""

    month: Month
    running: bool
    net: Attainment | None = None
    credit: str = ""


@dataclass(frozen=True)
class Line:
    customer: UUID
    name: str
    cells: list[Cell]


@dataclass
class Page:
    months: list[Month]
    lines: list[Line]
    further: str = ""


def columns(wish: Wish, at: datetime, zone: str) -> list[Month]:
    """The month asked for, or the running one, and those before it; the newest first."""
    found = [wish.month or Month.of(at.astimezone(ZoneInfo(zone)).date())]
    while len(found) < COLUMNS:
        found.append(found[-1].before)
    return found


def months_page(user: User, wish: Wish, at: datetime, zone: str) -> Page:
    """Customers by name with their months. Three statements, one where nobody is found."""
    rows = named(user, wish.q)
    hidden = masks(user)
    order = ["created_at", "id"] if hidden else ["name", "id"]
    if key := _key(wish.after, hidden):
        rows = rows.filter(TupleGreaterThan(Tuple(*(F(name) for name in order)), key))
    taken = list(rows.order_by(*order)[: ROWS + 1])
    page, asked = taken[:ROWS], columns(wish, at, zone)
    running = Month.of(at.astimezone(ZoneInfo(zone)).date())
    names, frozen = customer_names(user, [c.pk for c in page]), _frozen(page, asked)
    lines = [
        Line(c.pk, names[c.pk], [Cell(m, m >= running, *frozen.get((c.pk, m.first), ())) for m in asked]) for c in page
    ]
    last = page[-1] if len(taken) > ROWS else None
    further = f"{last.created_at.isoformat() if hidden else last.name}\n{last.pk}" if last else ""
    return Page(asked, lines, wish.further(further) if further else "")


def _key(after: str, hidden: bool) -> tuple[Any, UUID] | None:
    value, _line, pk = after.rpartition("\n")
    try:
        return (datetime.fromisoformat(value) if hidden else value), UUID(pk)
    except ValueError:
        return None


def _frozen(page: Sequence[Customer], asked: Sequence[Month]) -> dict[Any, tuple[Attainment, str]]:
    """Net attainment and credit of the frozen ones; of a whole report only its sum is read."""
    rows = MonthReport.objects.filter(customer__in=[c.pk for c in page], month__in=[m.first for m in asked])
    told = rows.values_list(
        "customer", "month", KeyTransform("all", "data"), "credit__amount", "credit__currency", "credit__percent"
    )
    return {
        (customer, month): (kept(pair)[1], money(amount, currency) if percent else "")
        for customer, month, pair, amount, currency, percent in told
    }


# --- Credits ---------------------------------------------------------------------------------------------------------


@dataclass
class Credits:
    rows: list[CreditRow]
    sums: list[tuple[Month, str, str]] = field(default_factory=list)
    further: str = ""


def credits_page(user: User, wish: Wish) -> Credits:
    """Credits, the newest first, with the sums of the months on the page. Three statements, one where there is none."""
    rows = CreditRow.objects.filter(customer__in=named(user, wish.q))
    if wish.month:
        rows = rows.filter(month=wish.month.first)
    below = rows.filter(pk__lt=int(wish.after)) if _is_number(wish.after) else rows
    taken = list(below.select_related("settlement__by").order_by("-pk")[: ROWS + 1])
    page = taken[:ROWS]
    names = customer_names(user, [row.customer_id for row in page])
    for row in page:
        row.name = names[row.customer_id]  # type: ignore[attr-defined]
        row.fee_words = money(row.fee, row.currency)  # type: ignore[attr-defined]
        row.amount_words = money(row.amount, row.currency)  # type: ignore[attr-defined]
    return Credits(page, _sums(rows, page), wish.further(str(page[-1].pk)) if len(taken) > ROWS else "")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def _sums(rows: QuerySet[CreditRow], page: Sequence[CreditRow]) -> list[tuple[Month, str, str]]:
    if not page:
        return []
    of = rows.filter(month__in={row.month for row in page}).order_by()
    found = of.values_list("month", "currency").annotate(sum=Sum("amount")).order_by("-month", "currency")
    return [(Month(month), currency, money(Decimal(total), currency)) for month, currency, total in found]
