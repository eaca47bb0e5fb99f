"""The doors to people: one's own account, everybody's for those who look after them, and the way in."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from helpdesk import site
from helpdesk.accounts import actions, forms
from helpdesk.accounts.doors import PersonRequest, limit
from helpdesk.accounts.history import history_of
from helpdesk.accounts.models import Customer, CustomerRole, Invitation, Membership, StaffRole, User
from helpdesk.accounts.permissions import Right, may
from helpdesk.accounts.preferences import PreferencesForm
from helpdesk.accounts.second_factor import factors_of
from helpdesk.outbox.addresses import bare
from helpdesk.outbox.models import Bouncer

View = Callable[..., HttpResponse]
PAGE = 50
MOST_CHOICES = 500
INVITATIONS_AN_HOUR = 60


def managers(view: View) -> View:
    """Leads and admins; to everybody else these pages do not exist."""

    @login_required
    @wraps(view)
    def guarded(request: PersonRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.staff_role or not may(request.user, Right.INVITE):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def not_offered(request: HttpRequest, *args: Any) -> HttpResponse:
    """What allauth could do and the desk does not."""
    raise Http404


# --- One's own account -----------------------------------------------------------------------------------------------


@login_required
def account(request: PersonRequest) -> HttpResponse:
    """Name, language, zone, phone; ways to password, second factor and sessions."""
    person = request.user
    if request.method == "POST":
        form = forms.ProfileForm(request.POST)
        if form.is_valid():
            actions.change_profile(person=person, by=person, at=timezone.now(), **form.cleaned_data)
            messages.success(request, _("Your account is saved."))
            return see_other(reverse("account"))
    else:
        form = forms.ProfileForm(initial={name: getattr(person, name) for name in actions.PROFILE})
    context = {
        "form": form,
        "zones": forms.COMMON_ZONES,
        "factors": factors_of(person).count(),
        "preferences": PreferencesForm(person=person),
    }
    return render(request, "accounts/account.html", context, status=422 if form.errors else 200)


# --- People ----------------------------------------------------------------------------------------------------------


@managers
@require_safe
def people(request: PersonRequest) -> HttpResponse:
    """Everybody by name, found by name, address or company; invitations still open above them."""
    q = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    found = people_with(q)
    if after := last_of(request.GET.get("after", "")):
        found = found.filter(Q(name__gt=after.name) | Q(name=after.name, pk__gt=after.pk))
    page = list(found[: PAGE + 1])
    context = {
        "people": page[:PAGE],
        "more": page[PAGE - 1].pk if len(page) > PAGE else None,
        "q": q,
        "invitations": open_invitations(request.user) if not q and not after else [],
    }
    return render(request, "accounts/people.html", context)


def people_with(q: str) -> QuerySet[User]:
    """People whose name, address or company says `q`, by name. Two statements."""
    mine = Prefetch("memberships", Membership.objects.filter(is_active=True).select_related("customer"), "belongs")
    found = User.objects.people().prefetch_related(mine).order_by("name", "pk")
    if not q:
        return found
    companies = Membership.objects.filter(is_active=True, customer__name__icontains=q).values("user")
    return found.filter(Q(name__icontains=q) | Q(email__icontains=q) | Q(pk__in=companies))


def last_of(pk: str) -> User | None:
    """The person a page ended with."""
    return User.objects.filter(pk=int(pk)).first() if pk.isdecimal() and pk.isascii() and len(pk) < 19 else None


def open_invitations(viewer: User) -> QuerySet[Invitation]:
    """Those that still wait; of colleagues only for those who may invite colleagues."""
    waiting = Invitation.objects.filter(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())
    if not may(viewer, Right.INVITE_STAFF):
        waiting = waiting.filter(staff_role=None)
    return waiting.select_related("customer", "invited_by").order_by("-pk")[:PAGE]


@managers
def invite(request: PersonRequest) -> HttpResponse:
    """Invites somebody; the link is shown on the page that answers, and never again."""
    given: dict[str, Any] = {"customers": Customer.objects.active(), "staff": may(request.user, Right.INVITE_STAFF)}
    if request.method != "POST":
        house = site.current()
        wish = {"role": "customer:member", "language": house.default_language, "zone": house.default_zone}
        return invite_page(request, forms.InviteForm(initial=wish, **given))
    form = forms.InviteForm(request.POST, **given)
    if form.is_valid():
        try:
            return invited(request, form)
        except actions.Refused as refused:
            form.refuse(refused)
    return invite_page(request, form)


def invited(request: PersonRequest, form: forms.InviteForm) -> HttpResponse:
    at = timezone.now()
    check_pace(request.user, at)
    invitation, token = actions.invite(**form.invited, by=request.user, at=at)
    context = {"invitation": invitation, "link": actions.link(token), "days": actions.INVITED_FOR.days}
    return render(request, "accounts/invited.html", context, status=201)


def check_pace(inviter: User, at: datetime) -> None:
    """Raises Refused where somebody has invited more people within an hour than anybody needs to."""
    if not limit(f"invite:{inviter.key}", INVITATIONS_AN_HOUR, 3600, at):
        raise actions.Refused("", _("That is a lot of invitations for one hour. Wait a little, then go on."))


def invite_page(request: PersonRequest, form: forms.InviteForm) -> HttpResponse:
    context = {"form": form, "zones": forms.COMMON_ZONES, "customers": Customer.objects.active()[:MOST_CHOICES]}
    return render(request, "accounts/invite.html", context, status=422 if form.errors else 200)


@managers
@require_POST
def revoke(request: PersonRequest, pk: int) -> HttpResponse:
    """The link of an invitation opens nothing any more."""
    waiting = Invitation.objects.filter(accepted_at=None, revoked_at=None)
    found = get_object_or_404(waiting.select_related("customer"), pk=pk)
    if found.staff_role and not may(request.user, Right.INVITE_STAFF):
        raise Http404
    actions.revoke_invitation(invitation=found, by=request.user, at=timezone.now())
    messages.success(request, _("The invitation is revoked; its link opens nothing any more."))
    return see_other(reverse("people"))


# --- One person ------------------------------------------------------------------------------------------------------


@managers
@require_safe
def person(request: PersonRequest, pk: int) -> HttpResponse:
    return person_page(request, get_object_or_404(User, pk=pk))


def person_page(request: PersonRequest, found: User, trouble: str = "") -> HttpResponse:
    """Who somebody is here, what may be done about it, and what was done."""
    may_staff = may(request.user, Right.INVITE_STAFF)
    context = {
        "person": found,
        "memberships": found.memberships.select_related("customer").filter(is_active=True).order_by("customer__name"),
        "customers": Customer.objects.active()[:MOST_CHOICES],
        "staff_roles": StaffRole.choices,
        "customer_roles": CustomerRole.choices,
        "may_staff": may_staff,
        "may_change": (may_staff or not found.staff_role) and found.pk != request.user.pk,
        "factors": factors_of(found).count(),
        "history": history_of(found.key),
        "bouncer": Bouncer.objects.filter(address=bare(found.email)).first(),
        "trouble": trouble,
    }
    return render(request, "accounts/person.html", context, status=422 if trouble else 200)


def about_person(request: PersonRequest, pk: int, act: Callable[[User], object], done: str) -> HttpResponse:
    """One way through every verb on a person: find, may, act, answer."""
    found = get_object_or_404(User, pk=pk)
    if found.staff_role and not may(request.user, Right.INVITE_STAFF):
        raise Http404
    try:
        act(found)
    except actions.Refused as refused:
        return person_page(request, User.objects.get(pk=pk), str(refused))
    messages.success(request, done)
    return see_other(reverse("person", args=[pk]))


@managers
@require_POST
def deactivate(request: PersonRequest, pk: int) -> HttpResponse:
    def act(found: User) -> object:
        return actions.deactivate_person(person=found, by=request.user, at=timezone.now())

    return about_person(request, pk, act, _("The person is deactivated and logged out everywhere."))


@managers
@require_POST
def activate(request: PersonRequest, pk: int) -> HttpResponse:
    def act(found: User) -> object:
        return actions.activate_person(person=found, by=request.user, at=timezone.now())

    return about_person(request, pk, act, _("The person is active again."))


@managers
@require_POST
def role(request: PersonRequest, pk: int) -> HttpResponse:
    """The staff role: an administrator's matter."""
    if not may(request.user, Right.INVITE_STAFF):
        raise Http404
    form = forms.StaffRoleForm(request.POST)

    def act(found: User) -> object:
        chosen = checked(form)["staff_role"] or None
        return actions.set_staff_role(person=found, role=chosen, by=request.user, at=timezone.now())

    return about_person(request, pk, act, _("The role is changed; the person logs in anew."))


@managers
@require_POST
def membership(request: PersonRequest, pk: int) -> HttpResponse:
    """What somebody is at one company."""
    form = forms.MembershipForm(request.POST)

    def act(found: User) -> object:
        said = checked(form)
        given = {"customer": said["customer"], "role": said["role"] or None}
        return actions.set_customer_role(person=found, **given, by=request.user, at=timezone.now())

    return about_person(request, pk, act, _("The membership is changed."))


def checked(form: forms.PlainForm) -> dict[str, Any]:
    """What a form of choices said; a choice that was never offered is refused."""
    if not form.is_valid():
        raise actions.Refused("", _("Choose one of the offered values."))
    return form.cleaned_data


@managers
@require_POST
def second_factor(request: PersonRequest, pk: int) -> HttpResponse:
    """Takes the factors of somebody who lost theirs."""
    if not may(request.user, Right.ADMIN):
        raise Http404

    def act(found: User) -> object:
        return actions.reset_second_factor(person=found, by=request.user, at=timezone.now())

    return about_person(request, pk, act, _("The second factor is removed; the person sets up a new one."))


# --- The way in ------------------------------------------------------------------------------------------------------


@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Opening the link shows a page with one button: scanners and chat programs open links too."""
    at = timezone.now()
    found = actions.open_invitation(token, at)
    if found is None:
        raise Http404
    if User.objects.filter(email=found.email).exists():
        return join(request, found, token)
    if request.method != "POST":
        wish = {"name": found.name, "language": found.language, "zone": found.zone}
        return join_page(request, forms.JoinForm(initial=wish, invitation=found), found)
    form = forms.JoinForm(request.POST, invitation=found)
    if form.is_valid():
        try:
            return joined(request, actions.accept_invitation(invitation=found, **form.cleaned_data, at=at))
        except actions.Refused as refused:
            form.refuse(refused)
    return join_page(request, form, found)


def joined(request: HttpRequest, person: User) -> HttpResponse:
    """The new person is logged in as by the login form, with all its steps."""
    login = Login(user=person, email=person.email)
    answer: HttpResponse = perform_password_login(request, {"email": person.email}, login)
    return answer


def join_page(request: HttpRequest, form: forms.JoinForm, found: Invitation) -> HttpResponse:
    context = {"form": form, "invitation": found, "zones": forms.COMMON_ZONES}
    return render(request, "accounts/invitation.html", context, status=422 if form.errors else 200)


def join(request: HttpRequest, found: Invitation, token: str) -> HttpResponse:
    """Somebody who has an account logs in first and joins with one button."""
    here = reverse("invitation", args=[token])
    person = request.user if request.user.is_authenticated and request.user.email == found.email else None
    trouble = ""
    if request.method == "POST" and person:
        try:
            actions.join(invitation=found, by=person, at=timezone.now())
            messages.success(request, _("You have joined %(company)s.") % {"company": found.customer})
            return see_other(reverse("home"))
        except actions.Refused as refused:
            trouble = str(refused)
    context = {"invitation": found, "mine": person is not None, "here": here, "trouble": trouble}
    return render(request, "accounts/join.html", context, status=422 if trouble else 200)


def see_other(location: str) -> HttpResponse:
    return HttpResponse(status=303, headers={"Location": location})
