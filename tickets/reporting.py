"""What a report is asked for: its window, whose clocks, and by what they are parted; read from an address.

A window is given by its days in a stated zone, from the first up to but without the last, or by a span such as the last
30 days. Staff may ask about every customer they may see, a company's administrator about their own; nobody else has a
report (404).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from helpdesk.accounts.forms import COMMON_ZONES, PlainForm
from helpdesk.accounts.masking import masks
from helpdesk.accounts.models import Customer, CustomerRole, StaffRole, User, check_zone
from helpdesk.accounts.permissions import customers_of
from sla.report import Customers, Window
from tickets.models import Category, Source

LONGEST = timedelta(days=3 * 366)
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)
SPANS: dict[str, Any] = {
    "7": _l("Last 7 days"),
    "30": _l("Last 30 days"),
    "90": _l("Last 90 days"),
    "month": _l("This month"),
    "last-month": _l("Last month"),
    "quarter": _l("This quarter"),
}
PARTS: dict[str, Any] = {
    "priority": _l("Priority"),
    "customer": _l("Customer"),
    "category": _l("Category"),
    "engineer": _l("Engineer"),
    "source": _l("Source"),
}
# What a filter may name, at most so many values of each.
MOST_VALUES = 20
NOBODY = "none"


# --- Who -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scope:
    """What somebody may be told: of which customers (None: every one), and whether of colleagues and between them."""

    customers: Customers
    inside: bool
    masked: bool

    @property
    def parts(self) -> dict[str, Any]:
        """By what a report may be parted. A company's administrator hears nothing of single engineers."""
        return PARTS if self.inside else {name: label for name, label in PARTS.items() if name != "engineer"}

    def known(self, wanted: list[UUID]) -> list[UUID]:
        """Those of these customers that one may hear of: an address may name any. One statement at most."""
        if self.customers is None:
            return wanted
        return list(self.customers.filter(pk__in=wanted).values_list("pk", flat=True))


def scope_of(user: User) -> Scope:
    """What a person may be told; 404 to those who have no report."""
    if masks(user) and user.is_active:
        return Scope(None, inside=True, masked=True)
    if user.is_desk:
        return Scope(None if user.sees_every_customer else Customer.objects.known_to(user), inside=True, masked=False)
    mine = [customer for customer, role in customers_of(user).items() if role == CustomerRole.ADMIN]
    if user.staff_role == StaffRole.AUDITOR or not mine:
        raise Http404
    return Scope(Customer.objects.filter(pk__in=mine), inside=False, masked=False)


# --- When ------------------------------------------------------------------------------------------------------------


class WindowForm(PlainForm):
    """The first day and the day after the last one, in a zone; or a span. All may be left out: the last 30 days."""

    zone = forms.CharField(max_length=64, required=False, validators=[check_zone])
    span = forms.CharField(max_length=20, required=False)

    def __init__(self, data: Any, at: datetime) -> None:
        super().__init__(data)
        self.at = at
        for name in ("from", "to"):
            self.fields[name] = forms.DateField(
                required=False,
                input_formats=["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d"],
                error_messages={"invalid": _l("Write a day like 2026-03-01.")},
            )

    @property
    def headline(self) -> str:
        return _("No report for this window yet.")

    # Their names are words of Python, so that a template cannot say form.from.
    @property
    def begins(self) -> Any:
        return self["from"]

    @property
    def ends(self) -> Any:
        return self["to"]

    @property
    def zones(self) -> list[str]:
        """What the form proposes, with what is chosen."""
        chosen = self.data.get("zone") or self.default_zone
        return COMMON_ZONES if chosen in COMMON_ZONES else [chosen, *COMMON_ZONES]

    @property
    def default_zone(self) -> str:
        return timezone.get_current_timezone_name()

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        if self.errors:
            return said
        zone = said["zone"] or self.default_zone
        first, last = self._days(said, self.at.astimezone(ZoneInfo(zone)).date())
        for name, day in (("from", first), ("to", last)):
            if not EARLIEST <= day <= LATEST:
                raise ValidationError({name: _("Choose a day between 2000 and 2100.")})
        if last <= first:
            raise ValidationError({"to": _("The window ends before it begins. Choose a later day.")})
        if last - first > LONGEST:
            raise ValidationError({"to": _("A report spans three years at most. Choose an earlier day.")})
        said["window"] = Window(midnight(first, zone), midnight(last, zone), zone)
        said["first"], said["last"] = first, last
        return said

    def _days(self, said: dict[str, Any], today: date) -> tuple[date, date]:
        first, last = said["from"], said["to"]
        if first or last:
            if not first:
                raise ValidationError({"from": _("Write the first day too.")})
            return first, last or max(today, first) + timedelta(days=1)
        return span_days(said["span"] if said["span"] in SPANS else "30", today)


def span_days(span: str, today: date) -> tuple[date, date]:
    """The first day of a span and the day after its last."""
    tomorrow, month = today + timedelta(days=1), today.replace(day=1)
    match span:
        case "month":
            return month, tomorrow
        case "last-month":
            return (month - timedelta(days=1)).replace(day=1), month
        case "quarter":
            return today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1), tomorrow
    return tomorrow - timedelta(days=int(span)), tomorrow


def midnight(day: date, zone: str) -> datetime:
    """The instant at which a day begins in a zone."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))


# --- What ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wish:
    """What a report's address asks for besides its window. Anything unknown in it is as if it were not there."""

    window: tuple[tuple[str, str], ...] = ()
    by: str = "priority"
    chosen: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def read(cls, get: QueryDict, scope: Scope) -> "Wish":
        by = get.get("by", "")
        window = tuple((name, str(get[name])) for name in ("span", "from", "to", "zone") if get.get(name))
        chosen = tuple((name, _values(name, get.getlist(name))) for name in ("kind", *scope.parts) if name in get)
        return cls(window, by if by in scope.parts else "priority", tuple((n, v) for n, v in chosen if v))

    @property
    def filters(self) -> dict[str, list[Any]]:
        """What the counting narrows by."""
        return {name: [_plain(name, value) for value in values] for name, values in self.chosen}

    def values(self, name: str) -> tuple[str, ...]:
        return dict(self.chosen).get(name, ())

    def pairs(self, **more: str) -> list[tuple[str, str]]:
        said = [*self.window, ("by", self.by)] if self.by != "priority" else list(self.window)
        return [*said, *((name, value) for name, values in self.chosen for value in values), *more.items()]

    def query(self, **more: str) -> str:
        """The address of this report, or of what belongs to it."""
        return urlencode(self.pairs(**more))

    def at(self, span: str) -> str:
        """The same for another span; its zone stays."""
        window = tuple((name, value) for name, value in self.window if name == "zone")
        return replace(self, window=(("span", span), *window)).query()

    def parted(self, by: str) -> str:
        return replace(self, by=by).query()

    def narrowed(self, name: str, value: str) -> "Wish":
        """The same with one dimension narrowed to a value."""
        others = tuple((n, values) for n, values in self.chosen if n != name)
        return replace(self, chosen=(*others, (name, (value,))))

    def without(self, name: str) -> "Wish":
        return replace(self, chosen=tuple((n, values) for n, values in self.chosen if n != name))

    def between(self, first: date, last: date) -> "Wish":
        """The same in another window of days; its zone stays."""
        window = tuple((name, value) for name, value in self.window if name == "zone")
        return replace(self, window=(("from", str(first)), ("to", str(last)), *window))


def _values(name: str, given: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in given[:MOST_VALUES] if _may_be(name, value)))


def _may_be(name: str, value: str) -> bool:
    """Whether a value can be one of this dimension at all."""
    if name == "customer":
        return _is_uuid(value)
    if name == "engineer":
        key, _colon, number = value.partition(":")
        return value == NOBODY or (key == "user" and number.isdecimal() and number.isascii() and len(number) < 10)
    if name == "category":
        return value in Category.values
    if name == "source":
        return value in Source.values
    return 0 < len(value) <= 20 and value.isascii() and value.replace("-", "").replace("_", "").isalnum()


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _plain(name: str, value: str) -> Any:
    if name == "customer":
        return UUID(value)
    return "" if name == "engineer" and value == NOBODY else value


# --- Stretches of a window -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stretch:
    """A part of a window: from its first day up to but without its last."""

    first: date
    last: date


# A picture has a bar a day up to so many days, then a bar a week, then a bar a month.
DAYS, WEEKS = 31, 26 * 7


def unit_of(first: date, last: date) -> str:
    length = (last - first).days
    return "day" if length <= DAYS else "week" if length <= WEEKS else "month"


def stretches(first: date, last: date) -> Iterator[Stretch]:
    """The days, weeks from Monday or months of a window, cut off at its ends."""
    unit, day = unit_of(first, last), first
    while day < last:
        after = min(_next(day, unit), last)
        yield Stretch(day, after)
        day = after


def _next(day: date, unit: str) -> date:
    if unit == "day":
        return day + timedelta(days=1)
    if unit == "week":
        return day + timedelta(days=7 - day.weekday())
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
