"""What the address of a list asks for, and the page of it that is shown: key by key, and without counting."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan

from awsint.models import Account
from helpdesk.accounts.models import User, hidden_from

ROWS = 50


@dataclass(frozen=True)
class Wish:
    """The fields of a list's form; each list has its own. `after` is the key of the last row before this page."""

    after: str = ""

    @property
    def is_filtered(self) -> bool:
        return any(value for name, value in vars(self).items() if name != "after")

    def link(self, **changes: str) -> str:
        wish = replace(self, **({"after": ""} | changes))
        return "?" + urlencode([(name, value) for name, value in vars(wish).items() if value])


def word(get: Mapping[str, str], name: str, most: int = 80) -> str:
    return " ".join(get.get(name, "").replace("\x00", "").split())[:most]


def choice(get: Mapping[str, str], name: str, among: Collection[str]) -> str:
    found = get.get(name, "")
    return found if found in among else ""


def customer_key(get: Mapping[str, str]) -> str:
    """The key of the customer that is asked for; empty where it is none."""
    try:
        return str(UUID(get.get("customer", "")))
    except ValueError:
        return ""


def number(text: str) -> int | None:
    """A key of the database; None where it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def digits(text: str) -> str:
    """The number in what somebody copied from the console; empty where it is none."""
    bare = text.replace(" ", "").replace("-", "")
    return bare if bare.isascii() and bare.isdecimal() else ""


# --- Keys of (instant, number) ---------------------------------------------------------------------------------------


def key_of(at: datetime, pk: int) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S%f}-{pk}"


def key(text: str) -> tuple[datetime, int] | None:
    stamp, _dash, pk = text.partition("-")
    try:
        at = datetime.strptime(stamp, "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    except ValueError:
        return None
    found = number(pk)
    return None if found is None else (at, found)


def newest(rows: QuerySet[Any], name: str, after: str, most: int = ROWS) -> tuple[list[Any], str]:
    """A page of rows, the newest first, and the key of the next; empty where there is none. One statement."""
    if found := key(after):
        rows = rows.filter(TupleLessThan(Tuple(F(name), F("id")), found))
    return _page(list(rows.order_by(f"-{name}", "-id")[: most + 1]), name, most)


def oldest(rows: QuerySet[Any], name: str, after: str, most: int = ROWS) -> tuple[list[Any], str]:
    """The same, the oldest first."""
    if found := key(after):
        rows = rows.filter(TupleGreaterThan(Tuple(F(name), F("id")), found))
    return _page(list(rows.order_by(name, "id")[: most + 1]), name, most)


def _page(found: Sequence[Any], name: str, most: int) -> tuple[list[Any], str]:
    kept = list(found[:most])
    return kept, key_of(getattr(kept[-1], name), kept[-1].id) if len(found) > most else ""


# --- Whose -----------------------------------------------------------------------------------------------------------


def hidden_numbers(user: User) -> QuerySet[Any, str] | None:
    """The numbers of accounts whose customer somebody may not see; None where they see all."""
    if user.sees_every_customer or user.staff_role == "auditor":
        return None
    return Account.objects.filter(customer__in=hidden_from(user)).values_list("number", flat=True)
