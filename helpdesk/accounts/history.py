"""The history of a person, ready for its templates: names and labels instead of keys and codes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from helpdesk.accounts.masking import person_names
from helpdesk.accounts.models import Customer, CustomerRole, StaffRole, User, key_of
from helpdesk.audit.models import Entry

MOST_LINES = 50


@dataclass(frozen=True)
class Line:
    """One event. `data` may carry old, new, role as words and inviter, customer as names."""

    at: datetime
    action: str
    actor: str
    data: dict[str, Any]

    @property
    def template(self) -> str:
        return f"history/{self.action}.html"


def history_of(subject: str, reader: User | None = None) -> list[Line]:
    """The newest events of a person, a company or a version, newest first, as `reader` may read names. Three
    statements."""
    entries = list(Entry.objects.filter(subject=subject).order_by("-at", "-id")[:MOST_LINES])
    names = _people(entries, reader) | _companies(entries)
    return [Line(e.at, e.action, names.get(e.actor, _("the desk")), _worded(e, names)) for e in entries]


def _people(entries: Iterable[Entry], reader: User | None) -> dict[str, str]:
    keys = {key for e in entries for key in (e.actor, e.data.get("inviter")) if str(key).startswith("user:")}
    numbers = {int(key.removeprefix("user:")) for key in keys}
    if reader:
        found = person_names(reader, numbers)
    else:
        found = dict(User.objects.filter(pk__in=numbers).values_list("pk", "name"))
    return {key_of(n): found.get(n, _("erased person")) for n in numbers}


def _companies(entries: Iterable[Entry]) -> dict[str, str]:
    ids = {UUID(e.data["customer"]) for e in entries if "customer" in e.data}
    return {str(pk): name for pk, name in Customer.objects.filter(pk__in=ids).values_list("pk", "name")}


def _worded(entry: Entry, names: dict[str, str]) -> dict[str, Any]:
    # "admin" is said of colleagues and of a company's people: which, the entry's company tells.
    roles = CustomerRole if entry.customer else StaffRole
    labels = {role.value: str(role.label) for role in roles}
    return {k: names.get(v) or labels.get(v) or v if isinstance(v, str) else v for k, v in entry.data.items()}
