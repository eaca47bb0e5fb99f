"""/aws/organizations/: which organizations we may ask for their members, and connecting those.

The members are listed by a worker (listing.py); what it found stays on the page, and whoever is not connected stays
listed.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from awsint import connecting, hub_actions, listing, members, mending
from awsint.access import access_organization, managers_only
from awsint.account_actions import subject_of
from awsint.account_views import MOST_CUSTOMERS, as_file, aws_page
from awsint.forms import NewOrganizationForm, OrganizationForm
from awsint.import_views import connect_all
from awsint.models import Hub, Organization, Partition
from helpdesk.accounts.doors import Busy, PersonRequest, Refused, answered_once, fresh_key
from helpdesk.accounts.forms import PlainForm
from helpdesk.accounts.history import history_of
from helpdesk.accounts.models import Customer
from helpdesk.accounts.views import see_other

ROWS = 50
TAB = "organizations"


@managers_only
@require_safe
def organizations(request: PersonRequest) -> HttpResponse:
    """Organizations by name."""
    q = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:80]
    rows = Organization.objects.select_related("customer").order_by("name", "pk")
    if q:
        rows = rows.filter(Q(name__icontains=q) | Q(account_number__contains=q) | Q(customer__name__icontains=q))
    name, _line, pk = request.GET.get("after", "").replace("\x00", "").rpartition("\n")
    if pk.isascii() and pk.isdecimal() and len(pk) < 19:
        rows = rows.filter(Q(name__gt=name) | Q(name=name, pk__gt=int(pk)))
    taken = list(rows[: ROWS + 1])
    last = taken[ROWS - 1] if len(taken) > ROWS else None
    further = "?" + urlencode({"q": q, "after": f"{last.name}\n{last.pk}"}) if last else ""
    return aws_page(request, "aws/organizations.html", {"rows": taken[:ROWS], "q": q, "further": further}, tab=TAB)


@managers_only
@require_safe
def organization(request: PersonRequest, organization: int) -> HttpResponse:
    return organization_page(request, access_organization(organization))


def organization_page(request: PersonRequest, found: Organization, *, status: int = 200, **more: Any) -> HttpResponse:
    """What we know of it, its members as they were listed last, and which of them are connected."""
    hub = Hub.objects.filter(partition=found.partition).first()
    wish = members.Wish.read(request.GET)
    told = {
        "now": timezone.now(),
        "organization": found,
        "hub": hub,
        "console": connecting.console(found.partition),
        "region": connecting.REGIONS[Partition(found.partition)],
        "wish": wish,
        "page": members.page(found, wish),
        "mend": mending.mend_step("members", (found.listing.result or {}).get("kind", "")) if found.listing else "",
        "customers": list(Customer.objects.active().order_by("name")[:MOST_CUSTOMERS]),
        "history": history_of(subject_of(found)),
        "once": fresh_key(),
        **more,
    }
    return aws_page(request, "aws/organization.html", told, tab=TAB, status=status)


# --- Write down ------------------------------------------------------------------------------------------------------


@managers_only
def new_organization(request: PersonRequest) -> HttpResponse:
    """Writes down an organization; the answer shows its ExternalId."""
    if request.method != "POST":
        return _form_page(request, NewOrganizationForm(initial={"partition": Partition.AWS}))
    form = NewOrganizationForm(request.POST)
    if not form.is_valid():
        return _form_page(request, form)

    def add(at: datetime) -> tuple[Organization, str]:
        return hub_actions.add_organization(by=request.user, at=at, **form.cleaned_data)

    return _shown_once(request, form, add, lambda status: _form_page(request, form, status=status))


def _shown_once(
    request: PersonRequest,
    form: PlainForm,
    act: Callable[[datetime], tuple[Organization, str]],
    again: Callable[[int], HttpResponse],
) -> HttpResponse:
    at = timezone.now()
    try:
        with answered_once(request, at=at) as slot:
            if slot.answer:
                messages.info(request, _("It was made already. If you did not see the ExternalId, make another."))
                return slot.answer.response()
            made, external_id = act(at)
            slot.keep(303, reverse("aws_organization", args=[made.pk]))
    except Refused as refused:
        form.refuse(refused)
        return again(422)
    except Busy:
        form.add_error(None, _("Somebody else is writing this very moment. Please send it again."))
        return again(409)
    return organization_page(request, access_organization(made.pk), status=201, external_id=external_id)


@managers_only
def edit(request: PersonRequest, organization: int) -> HttpResponse:
    found = access_organization(organization)
    if request.method != "POST":
        names = ("name", "organization_id", "role_arn", "customer", "is_active")
        return _form_page(request, OrganizationForm(initial={name: getattr(found, name) for name in names}), found)
    form = OrganizationForm(request.POST)
    if form.is_valid():
        try:
            said = form.cleaned_data
            hub_actions.change_organization(organization=found, by=request.user, at=timezone.now(), **said)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("The organization is changed."))
            return see_other(reverse("aws_organization", args=[found.pk]))
    return _form_page(request, form, found)


def _form_page(
    request: PersonRequest, form: OrganizationForm, organization: Organization | None = None, *, status: int = 0
) -> HttpResponse:
    told = {
        "form": form,
        "organization": organization,
        "role": hub_actions.ORGANIZATION_ROLE,
        "customers": list(Customer.objects.active().order_by("name")[:MOST_CUSTOMERS]),
        "once": fresh_key(),
    }
    status = status or (422 if form.errors else 200)
    return aws_page(request, "aws/organization_form.html", told, tab=TAB, status=status)


@managers_only
@require_POST
def rotate(request: PersonRequest, organization: int) -> HttpResponse:
    """Makes a new ExternalId; the first click asks, the answer to the second shows it."""
    found = access_organization(organization)
    if "sure" not in request.POST:
        return aws_page(request, "aws/organization_sure.html", {"organization": found, "once": fresh_key()}, tab=TAB)

    def make(at: datetime) -> tuple[Organization, str]:
        return hub_actions.rotate_organization(organization=found, by=request.user, at=at)

    form = PlainForm({})
    again = _("Somebody else is writing this very moment. Please send it again.")
    return _shown_once(
        request, form, make, lambda status: organization_page(request, found, status=status, trouble=again)
    )


@managers_only
def template(request: PersonRequest, organization: int) -> HttpResponse:
    """The template with what we know filled in; the ExternalId only where the page that showed it sends it back."""
    found, external_id = access_organization(organization), request.POST.get("external_id", "")
    if external_id and not constant_time_compare(external_id, found.external_id):
        raise Http404
    hub = Hub.objects.filter(partition=found.partition).first()
    return as_file(connecting.for_organization(found, hub, external_id))


# --- Its members -----------------------------------------------------------------------------------------------------


@managers_only
@require_POST
def list_members(request: PersonRequest, organization: int) -> HttpResponse:
    """Asks AWS for its accounts; a worker does it, and the page says how far it came."""
    found = access_organization(organization)
    if not found.is_active:
        return organization_page(request, found, status=409, trouble=_("This organization is not in use."))
    listing.begin(organization=found, by=request.user, at=timezone.now())
    return see_other(reverse("aws_organization", args=[found.pk]) + "#members")


@managers_only
@require_POST
def connect(request: PersonRequest, organization: int) -> HttpResponse:
    """Connects the members that were ticked, each for the customer chosen beside it; the answer shows their
    ExternalIds."""
    found = access_organization(organization)
    numbers = request.POST.getlist("account")
    chosen = {number: request.POST.get(f"customer_{number}", "") for number in numbers}

    def again(words: str) -> HttpResponse:
        return organization_page(request, found, status=422, trouble=words, chosen=chosen)

    return connect_all(request, lambda: members.wanted(found, chosen), again)
