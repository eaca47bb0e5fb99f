"""The doors to a colleague's work: what they can, when they are away, whose team they are on.

Leads and administrators look after everybody's; a colleague sees their own and says when they are away.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from helpdesk.accounts import teams
from helpdesk.accounts.doors import PersonRequest, Refused
from helpdesk.accounts.forms import PlainForm
from helpdesk.accounts.models import Customer, User
from helpdesk.accounts.permissions import Right, may
from oncall import actions
from oncall.duty import spoken_code
from oncall.forms import LeaveForm, SettingsForm, TeamForm
from oncall.models import CAPACITY, Engineer, Leave, Skill

View = Callable[..., HttpResponse]


def of_colleague(view: View) -> View:
    """Finds the colleague for those who look after them and for themselves; to others the door does not exist."""

    @login_required
    @wraps(view)
    def guarded(request: PersonRequest, engineer: int, **kwargs: Any) -> HttpResponse:
        if not request.user.is_desk or (engineer != request.user.pk and not may(request.user, Right.TEAMS)):
            raise Http404
        return view(request, get_object_or_404(User.objects.staff(), pk=engineer), **kwargs)

    return guarded


def of_lead(view: View) -> View:
    """To anybody but leads and administrators this door does not exist, be it about themselves."""

    @of_colleague
    @wraps(view)
    def guarded(request: PersonRequest, person: User, **kwargs: Any) -> HttpResponse:
        if not may(request.user, Right.TEAMS):
            raise Http404
        return view(request, person, **kwargs)

    return guarded


@of_colleague
@require_safe
def work(request: PersonRequest, person: User) -> HttpResponse:
    return work_page(request, person)


def work_page(request: PersonRequest, person: User, wrong: PlainForm | None = None) -> HttpResponse:
    """Everything about a colleague's work, and `wrong`, the form that was refused, with its words."""
    at = timezone.now()
    mine = person.teams.select_related("customer").order_by("customer__name")
    customers = Customer.objects.active().exclude(team__user=person)
    context = {
        "person": person,
        "may_set": may(request.user, Right.TEAMS),
        "leaves": Leave.objects.filter(user=person, ends_at__gt=at).order_by("starts_at"),
        "now": at,
        "teams": mine,
        "today": timezone.localtime(at, person.tz).date(),
        "settings": wrong if isinstance(wrong, SettingsForm) else SettingsForm(initial=_settings(person)),
        "leave": wrong if isinstance(wrong, LeaveForm) else LeaveForm(),
        "team": wrong if isinstance(wrong, TeamForm) else TeamForm(customers=customers),
        "wrong": wrong,
    }
    return render(request, "oncall/work.html", context, status=422 if wrong else 200)


def _settings(person: User) -> dict[str, Any]:
    known = Engineer.objects.filter(user=person).first()
    skills = Skill.objects.filter(user=person).values_list("family", "level")
    return {
        "capacity": known.capacity if known else CAPACITY,
        "languages": known.languages if known else [spoken_code(person.language)],
        **{f"skill_{family}": level for family, level in skills},
    }


def _act(request: PersonRequest, person: User, form: PlainForm, act: Callable[[], object], done: str) -> HttpResponse:
    """One way through every form of the page."""
    if not form.is_valid():
        return work_page(request, person, form)
    try:
        act()
    except Refused as refused:
        form.refuse(refused)
        return work_page(request, person, form)
    return _done(request, person, done)


def _done(request: PersonRequest, person: User, done: str) -> HttpResponse:
    messages.success(request, done)
    return HttpResponse(status=303, headers={"Location": reverse("work", args=[person.pk])})


@of_lead
@require_POST
def settings(request: PersonRequest, person: User) -> HttpResponse:
    form = SettingsForm(request.POST)

    def act() -> object:
        return actions.set_engineer(person=person, **form.told, by=request.user, at=timezone.now())

    return _act(request, person, form, act, _("Skills, languages and capacity are saved."))


@of_colleague
@require_POST
def leave(request: PersonRequest, person: User) -> HttpResponse:
    form = LeaveForm(request.POST)

    def act() -> object:
        return actions.add_leave(person=person, **form.span(person), by=request.user, at=timezone.now())

    return _act(request, person, form, act, _("The leave is entered: no new ticket comes in these days."))


@of_colleague
@require_POST
def end_leave(request: PersonRequest, person: User, leave: int) -> HttpResponse:
    found = get_object_or_404(Leave.objects.select_related("user"), pk=leave, user=person)
    actions.end_leave(leave=found, by=request.user, at=timezone.now())
    return _done(request, person, _("The leave is taken back."))


@of_lead
@require_POST
def team(request: PersonRequest, person: User) -> HttpResponse:
    form = TeamForm(request.POST, customers=Customer.objects.active())

    def act() -> object:
        return teams.join_team(person=person, **form.cleaned_data, by=request.user, at=timezone.now())

    return _act(request, person, form, act, _("The team is changed."))


@of_lead
@require_POST
def leave_team(request: PersonRequest, person: User, customer: Any) -> HttpResponse:
    found = get_object_or_404(Customer, pk=customer)
    teams.leave_team(person=person, customer=found, by=request.user, at=timezone.now())
    return _done(request, person, _("The team is changed."))
