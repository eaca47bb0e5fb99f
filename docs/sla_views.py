"""/sla-config: what is promised, for everybody who is logged in; and how a new version comes about, for administrators.

The page stands here because it joins the promises with the documents that say them.
"""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from docs import actions as documents
from docs import calendar_views
from docs.figures import Sheet, Value, value
from docs.models import DocumentVersion
from docs.render import LANGUAGES, NAMES, Faulty
from docs.views import in_force, language
from helpdesk.accounts.doors import PersonRequest
from helpdesk.accounts.forms import PlainForm
from helpdesk.accounts.masking import person_names
from helpdesk.accounts.models import Customer
from helpdesk.accounts.permissions import Right, customers_of, may
from sla import actions, calendar_sound, terms
from sla.changes import changes
from sla.models import PolicyVersion, State
from sla.tiers import buyers, promised_to
from tickets.report_recent import recent

NAME = "SLA-POLICY"
NAMES_OF_LANGUAGES = {"zh-hans": "中文", "en": "English"}
View = Callable[..., HttpResponse]


@login_required
@require_safe
def sla_config(request: PersonRequest) -> HttpResponse:
    """Tiers, targets, matrix, how the last 30 days were, and how we work, of the version in force."""
    now = timezone.now()
    policy, staff = in_force(now), bool(request.user.staff_role)
    sheet = Sheet(policy, now)
    tabs = sheet.plans if staff else promised_to(customers_of(request.user), sheet.plans, now)
    asked = request.GET.get("plan", "")
    sheet.plan = next((plan.code for plan in tabs if plan.code == asked), tabs[0].code if tabs else "")
    told = {
        "policy": policy,
        "sheet": sheet,
        "tabs": tabs,
        "matrix": rows_of(sheet),
        "since": value("sla.effective", sheet),
        "frozen": DocumentVersion.objects.filter(name=NAME, language=language(), policy=policy).first(),
        "coming": PolicyVersion.objects.filter(state=State.PUBLISHED, number__gt=policy.number).first(),
        "open": actions.open_version() if may(request.user, Right.ADMIN) else None,
        "admin": may(request.user, Right.ADMIN),
        "recent": recent(request.user, now),
        "staff": staff,
        "approver": person_names(request.user, [policy.approver_id]) if staff and policy.approver_id else {},
        "standards": standards(sheet),
        "among_us": [(row.priority, terms.among_us(row.priority.rank)) for row in sheet.targets],
        "sees_calendars": calendar_views.may_see(request.user),
        "section": "sla",
    }
    return render(request, "docs/sla_config.html", told)


def standards(sheet: Sheet) -> list[tuple[str, Value]]:
    """What the desk runs by, beside the targets."""
    return [
        (_("AWS Support is asked every"), value("poll.support", sheet)),
        (_("AWS Health is asked every"), value("poll.health", sheet)),
        (_("A reply of AWS is told within"), value("relay.limit", sheet)),
        (_("Warnings, of a target"), value("warn.levels", sheet)),
        (_("A critical ticket pages the next after"), value("escalation.critical", sheet)),
        (_("Waiting for the customer: reminder after"), value("wait.remind", sheet)),
        (_("Waiting for the customer: resolved after"), value("wait.resolve", sheet)),
        (_("Resolved tickets can be reopened for"), value("reopen.window", sheet)),
    ]


def rows_of(sheet: Sheet) -> list[list[Any]]:
    """The matrix row by row."""
    rows: dict[int, list[Any]] = {}
    for cell in sheet.cells:
        rows.setdefault(cell.impact_id, []).append(cell)
    return list(rows.values())


# --- A new version ---------------------------------------------------------------------------------------------------


def administrators(view: View) -> View:
    """Only those with the right; to the rest the page does not exist."""

    @login_required
    @wraps(view)
    def guarded(request: PersonRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not may(request.user, Right.ADMIN):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@administrators
@require_POST
def draft(request: PersonRequest) -> HttpResponse:
    """Begins a version with what is in force, and opens it for its author."""
    return stepped(request, lambda at: actions.draft(by=request.user, at=at))


@administrators
@require_POST
def submit(request: PersonRequest) -> HttpResponse:
    """Its author is done: it waits for somebody else."""
    return stepped(request, lambda at: actions.submit(policy=waiting(), by=request.user, at=at))


@administrators
@require_POST
def give_back(request: PersonRequest) -> HttpResponse:
    """Back to its author."""
    return stepped(request, lambda at: actions.give_back(policy=waiting(), by=request.user, at=at))


@administrators
@require_POST
def discard(request: PersonRequest) -> HttpResponse:
    """Drops a draft."""
    return stepped(request, lambda at: actions.discard(policy=waiting(), by=request.user, at=at))


def stepped(request: PersonRequest, act: Callable[[datetime], object]) -> HttpResponse:
    """Back to the page of the open version, with a word where the step could not be taken."""
    try:
        act(timezone.now())
    except actions.Refused as refused:
        messages.error(request, str(refused))
    return HttpResponse(status=303, headers={"Location": "/sla-config/publish"})


def waiting() -> PolicyVersion:
    """The open version. Raises Refused where there is none any more."""
    found = actions.open_version()
    if found is None:
        raise actions.Refused("", _("There is no open version any more."))
    return found


class PublishForm(PlainForm):
    """What the approver names: the version they have read, what was published before it, and from when it holds."""

    seen = forms.CharField(max_length=64)
    after = forms.IntegerField(max_value=2**31 - 1)
    accepted = forms.BooleanField(required=False)
    effective_at = forms.DateTimeField(
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        error_messages={"invalid": _l("Write day and time, like 2026-07-01 09:00.")},
    )


@administrators
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: PersonRequest) -> HttpResponse:
    """The open version, what it changes, and the step that is next; a POST publishes it with its documents."""
    if request.method != "POST":
        return publish_page(request, PublishForm())
    form = PublishForm(request.POST)
    at = timezone.now()
    try:
        if form.is_valid():
            return published(request, form, at)
    except actions.Refused as refused:
        form.refuse(refused)
    except Faulty as faulty:
        form.add_error(None, str(faulty))
    except actions.Superseded:
        form = PublishForm()
        text = _(
            "Somebody else published or changed a version meanwhile. Nothing was published: this is how it stands."
        )
        messages.error(request, text)
        return publish_page(request, form, status=409)
    return publish_page(request, form, status=422)


def published(request: PersonRequest, form: PublishForm, at: datetime) -> HttpResponse:
    """Version and documents in one transaction: one is nothing without the other."""
    said = form.cleaned_data
    open_one = actions.open_version()
    if open_one is None:
        raise actions.Superseded
    if doubts_about(open_one, at) and not said["accepted"]:
        raise actions.Refused("accepted", actions.not_accepted())
    with transaction.atomic():
        version = actions.publish(policy=open_one, by=request.user, at=at, **said)
        documents.freeze(policy=version, by=request.user, at=at)
    messages.success(request, _("Version %(number)s is published.") % {"number": version.number})
    return redirect("sla_config")


def doubts_about(version: PolicyVersion, at: datetime) -> list[str]:
    """What is to be known of the calendar its promises rest on."""
    return calendar_sound.of_policy(version, str(value("support.hours", Sheet(version, at))), at)


def promised_customers(version: PolicyVersion, at: datetime) -> list[tuple[str, int]]:
    """How many customers have each plan of a version now. Three statements."""
    known, bought = Sheet(version, at).plans, buyers(at)
    rest = Customer.objects.active().count() - sum(bought.get(plan.pk, 0) for plan in known if not plan.is_default)
    return [(plan.label, rest if plan.is_default else bought.get(plan.pk, 0)) for plan in known]


def publish_page(request: PersonRequest, form: PublishForm, status: int = 200) -> HttpResponse:
    now = timezone.now()
    last = PolicyVersion.objects.filter(state=State.PUBLISHED).order_by("-number")[0]
    version = actions.open_version()
    told = {
        "form": form,
        "version": version,
        "last": last,
        "changes": changes(last, version) if version else [],
        "digest": actions.digest(version) if version else "",
        "doubts": doubts_about(version, now) if version else [],
        "findings": actions.review(version) if version else [],
        "customers": promised_customers(version, now) if version else [],
        "documents": [f"{name}, {NAMES_OF_LANGUAGES[code]}" for name in NAMES for code in LANGUAGES],
        "own": version is not None and version.author_id == request.user.pk,
        "zone": timezone.get_current_timezone_name(),
        "now": now,
        "section": "sla",
    }
    return render(request, "docs/sla_publish.html", told, status=status)
