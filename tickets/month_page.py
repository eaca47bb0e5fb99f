"""What a month's page, paper and letter have in common: its title, its figures in short, and how it stands now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from helpdesk.accounts.models import Customer
from sla.attainment import Attainment
from sla.models import MonthReport, Priority
from sla.months import Month, Restated, restated
from tickets.freezing import compute
from tickets.month_tables import Speaker, kept, money


@dataclass(frozen=True)
class Fact:
    """One figure with what it is."""

    label: str
    text: str
    big: bool = False
    small: str = ""


@dataclass(frozen=True)
class Shown:
    """A month as it is shown: frozen, or as it stands today; and what differs by now."""

    data: dict[str, Any]
    report: MonthReport | None
    restated: list[Restated]


def show(customer: Customer, month: Month, at: datetime) -> Shown:
    """The frozen month with its restatements, else what it comes to so far."""
    report = (
        MonthReport.objects.filter(customer=customer, month=month.first).select_related("credit__settlement").first()
    )
    (now,) = compute([customer], month, at)
    if report is None:
        return Shown(now.data, None, [])
    return Shown(report.data, report, restated(report.data, now.found))


def frozen(customer: Customer, month: Month) -> MonthReport | None:
    """The report of a month, with its credit. One statement."""
    rows = MonthReport.objects.filter(customer=customer, month=month.first).select_related("credit__settlement__by")
    report: MonthReport | None = rows.first()
    if report is not None:
        report.customer = customer
    return report


def speaker(data: Mapping[str, Any], priorities: Mapping[str, Priority]) -> Speaker:
    return Speaker(priorities, ZoneInfo(data["zone"]))


def month_word(month: str) -> str:
    """ "October 2026", "2026年10月"."""
    return str(date_format(Month.read(month).first, "YEAR_MONTH_FORMAT"))


def title(customer: str, month: str) -> str:
    return _("%(customer)s, %(month)s") % {"customer": customer, "month": month_word(month)}


def facts(customer: Customer, data: Mapping[str, Any], report: MonthReport | None) -> list[Fact]:
    """The month in six figures: attainment of both promises, gross and net; the credit; contract and zone."""
    made = data["credit"]
    gross, net = kept(data["all"])
    told = [
        Fact(_("Attainment, net"), str(net), True, fraction(net)),
        Fact(_("Attainment, gross"), str(gross), True, fraction(gross)),
        Fact(_("Credit"), money(made["amount"], made["currency"]), True, credit_words(made)),
    ]
    if data["contract"]:
        told.append(Fact(_("Contract"), data["contract"]))
    told.append(Fact(_("Support fee"), money(made["fee"], made["currency"])))
    return [*told, Fact(_("Zone of the month"), data["zone"])]


def fraction(one: Attainment) -> str:
    return _("%(met)s of %(all)s kept") % {"met": one.met, "all": one.decided}


def credit_words(made: Mapping[str, Any]) -> str:
    if not made["percent"]:
        return _("no credit")
    return _("%(percent)s %% of the support fee") % {"percent": made["percent"]}
