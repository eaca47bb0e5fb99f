"""Which services customers use where: /aws/health/usage and /aws/customers/<id>/services for the desk, and
/company/<id>/aws-services for a company's own administrators. Both sides share one page."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from awsint import usage, usage_actions, usage_file, usage_list
from awsint.access import desk_only, managers_only, readers_only
from awsint.account_views import aws_page
from awsint.wishes import number
from helpdesk.accounts.company_views import administrators
from helpdesk.accounts.doors import PersonRequest, Refused
from helpdesk.accounts.history import history_of
from helpdesk.accounts.models import Customer
from helpdesk.accounts.views import see_other
from helpdesk.sheets import as_csv

MOST_TEXT, MOST_SHOWN = 500_000, 50


@dataclass(frozen=True)
class Side:
    """Whose page it is: the names of its doors, and what it looks like."""

    page: str
    add: str
    remove: str
    template: str
    sure: str


DESK = Side("aws_usage_of", "aws_usage_add", "aws_usage_remove", "aws/usage_of.html", "aws/usage_sure.html")
COMPANY = Side(
    "company_usage",
    "company_usage_add",
    "company_usage_remove",
    "aws/usage_company.html",
    "aws/usage_company_sure.html",
)

# --- All customers ---------------------------------------------------------------------------------------------------


@readers_only
@require_safe
def all_usage(request: PersonRequest) -> HttpResponse:
    """Every customer that its reader may know of, with how much they are registered for."""
    wish = usage_list.AskedOfAll.read(request.GET)
    lines, further = usage_list.customers(request.user, wish)
    told = {"wish": wish, "lines": lines, "further": further}
    return aws_page(request, "aws/usage.html", told, tab="health")


@desk_only
@require_safe
def all_usage_csv(request: PersonRequest) -> HttpResponseBase:
    sheet = usage_list.sheet(request.user, usage_list.AskedOfAll.read(request.GET))
    return as_csv([sheet], f"aws-services-{timezone.localdate()}")


@managers_only
def bring_in(request: PersonRequest) -> HttpResponse:
    """Shows what a list would add, and line by line what is wrong with it; a second click adds."""
    text, told = request.POST.get("text", "")[:MOST_TEXT], dict[str, Any]()
    if request.method == "POST":
        looked = usage_file.look(text, list(Customer.objects.known_to(request.user).active()), usage_list.seen())
        told = {"looked": looked, "shown": list(looked.wanted.items())[:MOST_SHOWN]}
        if "sure" in request.POST and not looked.faults:
            try:
                added = usage_actions.add_all(wanted=looked.wanted, by=request.user, at=timezone.now())
            except Refused as refused:
                told["trouble"] = str(refused)
            else:
                messages.success(request, _said(added))
                return see_other(reverse("aws_usage"))
    told |= {"text": text, "example": usage_file.EXAMPLE}
    bad = told.get("trouble") or (told.get("looked") and told["looked"].faults)
    return aws_page(request, "aws/usage_import.html", told, tab="health", status=422 if bad else 200)


# --- One customer, for the desk --------------------------------------------------------------------------------------


def _known(request: PersonRequest, customer: UUID) -> Customer:
    return get_object_or_404(Customer.objects.known_to(request.user).active(), pk=customer)


@desk_only
@require_safe
def usage_of(request: PersonRequest, customer: UUID) -> HttpResponse:
    return _page(request, _known(request, customer), DESK)


@managers_only
@require_POST
def add(request: PersonRequest, customer: UUID) -> HttpResponse:
    return _add(request, _known(request, customer), DESK)


@managers_only
@require_POST
def remove(request: PersonRequest, customer: UUID) -> HttpResponse:
    return _remove(request, _known(request, customer), DESK)


# --- One customer, for its administrators ----------------------------------------------------------------------------


@administrators
@require_safe
def company_usage(request: PersonRequest, customer: Customer) -> HttpResponse:
    return _page(request, customer, COMPANY)


@administrators
@require_POST
def company_add(request: PersonRequest, customer: Customer) -> HttpResponse:
    return _add(request, customer, COMPANY)


@administrators
@require_POST
def company_remove(request: PersonRequest, customer: Customer) -> HttpResponse:
    return _remove(request, customer, COMPANY)


# --- The same for both -----------------------------------------------------------------------------------------------


def _page(
    request: PersonRequest, customer: Customer, side: Side, said: dict[str, str] | None = None, **trouble: str
) -> HttpResponse:
    wish = usage_list.Asked.read(request.GET)
    rows, further = usage_list.page(customer, wish)
    told: dict[str, Any] = {
        "now": timezone.now(),
        "customer": customer,
        "wish": wish,
        "rows": [(row, usage.known().get(row.service, "")) for row in rows],
        "further": further,
        "may_change": usage_actions.may_change(request.user, customer),
        "here": reverse(side.page, args=[customer.pk]),
        "add": reverse(side.add, args=[customer.pk]),
        "remove": reverse(side.remove, args=[customer.pk]),
        "codes": usage.known(),
        "regions": usage.regions(),
        "said": said or {},
        **trouble,
    }
    if side is DESK:
        told["history"] = history_of(usage_actions.subject_of(customer), request.user)
    return _shown(request, side.template, told, 422 if trouble else 200)


def _shown(request: PersonRequest, template: str, told: dict[str, Any], status: int = 200) -> HttpResponse:
    if request.user.is_desk:
        return aws_page(request, template, told, tab="health", status=status)
    return render(request, template, told | {"section": "company"}, status=status)


def _add(request: PersonRequest, customer: Customer, side: Side) -> HttpResponse:
    said = {name: request.POST.get(name, "")[:4000] for name in ("services", "regions", "sure")}
    try:
        services = usage.read_services(said["services"], usage_list.seen(), sure=bool(said["sure"]))
        pairs = [(service, region) for region in usage.read_regions(said["regions"]) for service in services]
        added = usage_actions.add(customer=customer, pairs=sorted(pairs), by=request.user, at=timezone.now())
    except Refused as refused:
        return _page(request, customer, side, said, trouble=str(refused), field=refused.field)
    messages.success(request, _said(added))
    return see_other(reverse(side.page, args=[customer.pk]))


def _said(added: usage_actions.Added) -> str:
    if not added.rows:
        return _("They were all there already.")
    words = ngettext("%(n)d row is added.", "%(n)d rows are added.", added.rows) % {"n": added.rows}
    if not added.events:
        return words
    more = ngettext(
        "%(n)d public event that goes on matches: the company hears of it within a minute, if it is due a ticket.",
        "%(n)d public events that go on match: the company hears of them within a minute, if they are due a ticket.",
        added.events,
    ) % {"n": added.events}
    return f"{words} {more}"


def _remove(request: PersonRequest, customer: Customer, side: Side) -> HttpResponse:
    """The first click asks, the second does it."""
    numbers = [pk for pk in map(number, request.POST.getlist("row")) if pk is not None]
    if not numbers:
        return _page(request, customer, side, trouble=_("Pick at least one row first."), field="row")
    back = reverse(side.page, args=[customer.pk])
    if "sure" not in request.POST:
        rows = usage_list.picked(customer, numbers)
        told = {"customer": customer, "rows": rows, "here": back, "remove": reverse(side.remove, args=[customer.pk])}
        return _shown(request, side.sure, told)
    done = usage_actions.remove(customer=customer, rows=numbers, by=request.user, at=timezone.now())
    messages.success(request, ngettext("%(n)d row is removed.", "%(n)d rows are removed.", done) % {"n": done})
    return see_other(back)
