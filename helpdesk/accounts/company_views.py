"""What a company's administrators do with its people: invite, give a role, let go, let in again.

Only the membership of this company is touched: the person may belong to another one, and the account stays theirs. An
invitation's link goes to the invited address and is shown to nobody here: whoever reads it comes in as that address.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from helpdesk.accounts import actions, forms
from helpdesk.accounts.doors import PersonRequest
from helpdesk.accounts.models import Customer, CustomerRole, Invitation, Membership, User
from helpdesk.accounts.permissions import Right, companies, customers_of, may
from helpdesk.accounts.second_factor import factors
from helpdesk.accounts.views import check_pace, see_other

View = Callable[..., HttpResponse]
PAGE = 50


def administrators(view: View) -> View:
    """Administrators of the company in the address; to everybody else these pages do not exist."""

    @login_required
    @wraps(view)
    def guarded(request: PersonRequest, pk: UUID, **kwargs: Any) -> HttpResponse:
        found = [c for c in _looked_after(request.user) if c.pk == pk]
        if not found:
            raise Http404
        return view(request, found[0], **kwargs)

    return guarded


def _looked_after(user: User) -> list[Customer]:
    """The companies whose people this person looks after. The desk does that under /people/."""
    return [] if user.staff_role else [c for c in companies(user) if may(user, Right.INVITE, c.pk)]


@login_required
@require_safe
def companies_of(request: PersonRequest) -> HttpResponse:
    """To the one company's people, or which of several."""
    found = _looked_after(request.user)
    if not found:
        raise Http404
    if len(found) == 1:
        return redirect("company", found[0].pk)
    return render(request, "accounts/companies.html", {"section": "company", "companies": found})


# --- The list --------------------------------------------------------------------------------------------------------


@administrators
@require_safe
def people(request: PersonRequest, customer: Customer) -> HttpResponse:
    return people_page(request, customer)


def people_page(request: PersonRequest, customer: Customer, trouble: str = "") -> HttpResponse:
    """The company's people by name, found by name or address; invitations still open above them."""
    q = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    found = people_of(customer, q)
    after = _last(customer, request.GET.get("after", ""))
    if after:
        found = found.filter(Q(user__name__gt=after.user.name) | Q(user__name=after.user.name, user__gt=after.user_id))
    page = list(found[: PAGE + 1])
    context = {
        "section": "company",
        "customer": customer,
        "several": list(customers_of(request.user).values()).count("admin") > 1,
        "memberships": page[:PAGE],
        "more": page[PAGE - 1].pk if len(page) > PAGE else None,
        "q": q,
        "invitations": waiting(customer) if not q and not after else [],
        "trouble": trouble,
    }
    return render(request, "accounts/company.html", context, status=422 if trouble else 200)


def people_of(customer: Customer, q: str = "") -> QuerySet[Membership]:
    """Who belongs to a company or did, by name; neither programs nor who is of the desk now."""
    factor = Exists(factors().filter(user=OuterRef("user")))
    found = Membership.objects.filter(customer=customer, user__is_service=False, user__staff_role=None)
    found = found.select_related("user").annotate(factor=factor).order_by("user__name", "user")
    return found.filter(Q(user__name__icontains=q) | Q(user__email__icontains=q)) if q else found


def _last(customer: Customer, pk: str) -> Membership | None:
    """The membership a page ended with."""
    known = pk.isdecimal() and pk.isascii() and len(pk) < 19
    return people_of(customer).filter(pk=int(pk)).first() if known else None


def waiting(customer: Customer) -> QuerySet[Invitation]:
    """The invitations to a company that nobody has accepted yet."""
    still = Invitation.objects.filter(customer=customer, accepted_at=None, revoked_at=None)
    return still.filter(expires_at__gt=timezone.now()).select_related("invited_by").order_by("-pk")[:PAGE]


@administrators
@require_POST
def share(request: PersonRequest, customer: Customer) -> HttpResponse:
    """Whether members see all tickets of their company."""
    with_all = request.POST.get("with_all") == "1"
    actions.share_tickets(customer=customer, with_all=with_all, by=request.user, at=timezone.now())
    everybody = _("Members see all tickets of the company from now on.")
    messages.success(request, everybody if with_all else _("Members see the tickets they filed or take part in."))
    return see_other(reverse("company", args=[customer.pk]))


# --- Coming in -------------------------------------------------------------------------------------------------------


@administrators
def invite(request: PersonRequest, customer: Customer) -> HttpResponse:
    """Invites a colleague; the link goes to their address alone."""
    if request.method != "POST":
        wish = {"role": CustomerRole.MEMBER, "language": customer.language, "zone": customer.zone}
        return _invite_page(request, customer, forms.ColleagueForm(initial=wish))
    form = forms.ColleagueForm(request.POST)
    if form.is_valid():
        try:
            return _invited(request, customer, **form.cleaned_data)
        except actions.Refused as refused:
            form.refuse(refused)
    return _invite_page(request, customer, form)


def _invited(request: PersonRequest, customer: Customer, *, role: str, **said: str) -> HttpResponse:
    at = timezone.now()
    check_pace(request.user, at)
    made, _token = actions.invite(**said, customer=customer, customer_role=role, by=request.user, at=at)
    told = {"name": made.name, "email": made.email}
    messages.success(request, _("%(name)s is invited. The link goes to %(email)s.") % told)
    return see_other(reverse("company", args=[customer.pk]))


def _invite_page(request: PersonRequest, customer: Customer, form: forms.ColleagueForm) -> HttpResponse:
    context = {"section": "company", "customer": customer, "form": form, "zones": forms.COMMON_ZONES}
    return render(request, "accounts/company_invite.html", context, status=422 if form.errors else 200)


@administrators
@require_POST
def revoke(request: PersonRequest, customer: Customer, number: int) -> HttpResponse:
    """The link of an invitation opens nothing any more."""
    still = Invitation.objects.filter(customer=customer, accepted_at=None, revoked_at=None)
    found = get_object_or_404(still.select_related("customer"), pk=number)
    actions.revoke_invitation(invitation=found, by=request.user, at=timezone.now())
    messages.success(request, _("The invitation is revoked; its link opens nothing any more."))
    return see_other(reverse("company", args=[customer.pk]))


# --- Roles -----------------------------------------------------------------------------------------------------------


@administrators
@require_POST
def role(request: PersonRequest, customer: Customer, number: int) -> HttpResponse:
    """Member or administrator. Who would change what they are themselves is asked first."""
    found = _one(customer, number, is_active=True)
    wanted = request.POST.get("role", "")
    if wanted not in CustomerRole.values:
        return people_page(request, customer, _("Choose a role."))
    if found.user_id == request.user.pk and wanted != found.role and "sure" not in request.POST:
        return _ask(request, found, "company_role", wanted)
    return _change(request, found, wanted, _("The role is changed; the person logs in anew."))


@administrators
@require_POST
def deactivate(request: PersonRequest, customer: Customer, number: int) -> HttpResponse:
    """Ends a membership; the first click asks, the second does it."""
    found = _one(customer, number, is_active=True)
    if "sure" not in request.POST:
        return _ask(request, found, "company_deactivate")
    done = _("%(name)s no longer belongs to %(company)s.") % {"name": found.user.name, "company": customer.name}
    return _change(request, found, None, done)


@administrators
@require_POST
def activate(request: PersonRequest, customer: Customer, number: int) -> HttpResponse:
    """Lets somebody in again, as a member: who was an administrator is made one again on purpose."""
    found = _one(customer, number, is_active=False)
    done = _("%(name)s belongs to %(company)s again.") % {"name": found.user.name, "company": customer.name}
    return _change(request, found, CustomerRole.MEMBER, done)


def _one(customer: Customer, number: int, *, is_active: bool) -> Membership:
    """The membership of the person of this number: the desk's decision over an account is not undone from here."""
    found: Membership = get_object_or_404(people_of(customer), user=number, user__is_active=True, is_active=is_active)
    return found


def _ask(request: PersonRequest, found: Membership, verb: str, wanted: str = "") -> HttpResponse:
    context = {
        "section": "company",
        "customer": found.customer,
        "membership": found,
        "mine": found.user_id == request.user.pk,
        "action": reverse(verb, args=[found.customer_id, found.user_id]),
        "wanted": wanted,
    }
    return render(request, "accounts/company_sure.html", context)


def _change(request: PersonRequest, found: Membership, wanted: str | None, done: str) -> HttpResponse:
    person, customer, at = found.user, found.customer, timezone.now()
    try:
        actions.set_customer_role(person=person, customer=customer, role=wanted, by=request.user, at=at)
    except actions.Refused as refused:
        return people_page(request, customer, str(refused))
    if person.pk == request.user.pk:
        return see_other(reverse("home"))
    messages.success(request, done)
    return see_other(reverse("company", args=[customer.pk]))
