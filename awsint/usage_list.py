"""Lists of what customers use: one customer's rows, and all customers with how many they have."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from awsint.models import Account, HealthEvent, Usage
from awsint.usage import known
from awsint.wishes import Wish, choice, number, word
from helpdesk.accounts.masking import customer_names, masks
from helpdesk.accounts.models import Customer, User
from helpdesk.sheets import Cell, Sheet, instant

ROWS = 50
WITH, WITHOUT = "with", "without"


# --- One customer ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked(Wish):
    q: str = ""

    @classmethod
    def read(cls, get: Mapping[str, str]) -> "Asked":
        return cls(q=word(get, "q"), after=word(get, "after"))


def page(customer: Customer, wish: Asked) -> tuple[list[Usage], str]:
    """A page of its rows by service and region, and the key of the next. One statement, two from the second page on."""
    mine = Usage.objects.filter(customer=customer)
    rows = mine.order_by("service", "region")
    if wish.q:
        named = [code for code, name in known().items() if wish.q.lower() in name.lower()]
        rows = rows.filter(Q(service__icontains=wish.q) | Q(region__icontains=wish.q) | Q(service__in=named))
    if last := mine.filter(pk=number(wish.after) or 0).values_list("service", "region").first():
        rows = rows.filter(TupleGreaterThan(Tuple(F("service"), F("region")), last))
    found = list(rows[: ROWS + 1])
    return found[:ROWS], str(found[ROWS - 1].pk) if len(found) > ROWS else ""


def picked(customer: Customer, numbers: Collection[int]) -> list[Usage]:
    return list(Usage.objects.filter(customer=customer, pk__in=numbers).order_by("service", "region"))


def seen() -> set[str]:
    """The services of which AWS has told events here. One statement."""
    return set(HealthEvent.objects.order_by().values_list("service", flat=True).distinct())


# --- All of them -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AskedOfAll(Wish):
    q: str = ""
    state: str = ""

    @classmethod
    def read(cls, get: Mapping[str, str]) -> "AskedOfAll":
        return cls(q=word(get, "q"), state=choice(get, "state", (WITH, WITHOUT)), after=word(get, "after", 120))


@dataclass
class Line:
    pk: UUID
    name: str
    services: int
    rows: int
    accounts: int


MINE = Usage.objects.filter(customer=OuterRef("pk")).order_by().values("customer")
ACCOUNTS = Account.objects.filter(customer=OuterRef("pk"), is_active=True).order_by().values("customer")


def customers(user: User, wish: AskedOfAll) -> tuple[list[Line], str]:
    """A page of customers by name, an auditor's by number. Two statements at most."""
    order = ["created_at", "pk"] if masks(user) else ["name", "pk"]
    rows = chosen(user, wish).annotate(
        n_services=Coalesce(Subquery(MINE.annotate(n=Count("service", distinct=True)).values("n")), 0),
        n_rows=Coalesce(Subquery(MINE.annotate(n=Count("pk")).values("n")), 0),
        n_accounts=Coalesce(Subquery(ACCOUNTS.annotate(n=Count("pk")).values("n")), 0),
    )
    if key := _key(wish.after):
        last = Customer.objects.filter(pk=key).values_list(*order).first()
        rows = rows.filter(TupleGreaterThan(Tuple(*(F(name) for name in order)), last)) if last else rows
    found = list(rows.order_by(*order)[: ROWS + 1])
    kept = found[:ROWS]
    names = customer_names(user, [one.pk for one in kept]) if masks(user) else {}
    lines = [Line(one.pk, names.get(one.pk, one.name), one.n_services, one.n_rows, one.n_accounts) for one in kept]
    return lines, str(kept[-1].pk) if len(found) > ROWS else ""


def _key(after: str) -> UUID | None:
    try:
        return UUID(after)
    except ValueError:
        return None


def chosen(user: User, wish: AskedOfAll) -> QuerySet[Customer]:
    rows = Customer.objects.known_to(user) if user.is_desk else Customer.objects.all()
    rows = rows.filter(is_active=True)
    if wish.state:
        has = Exists(Usage.objects.filter(customer=OuterRef("pk")))
        rows = rows.filter(has if wish.state == WITH else ~has)
    if wish.q and not masks(user):
        using = Usage.objects.filter(Q(service__iexact=wish.q) | Q(region__iexact=wish.q)).values("customer")
        rows = rows.filter(Q(name__icontains=wish.q) | Q(code__iexact=wish.q) | Q(pk__in=using))
    return rows


def sheet(user: User, wish: AskedOfAll) -> Sheet:
    """The rows of the customers a wish finds, as they can be brought in again."""
    return Sheet("services", [_("Name"), "customer", "service", "region", _("Since")], _rows(user, wish))


def _rows(user: User, wish: AskedOfAll) -> Iterator[list[Cell]]:
    rows = Usage.objects.filter(customer__in=chosen(user, wish)).select_related("customer")
    for one in rows.order_by("customer__name", "customer", "service", "region").iterator(chunk_size=1000):
        yield [one.customer.name, one.customer.code, one.service, one.region, instant(one.created_at, user.zone)]
