"""The register's doors: /sla/breaches, one breach, and what may be said about it."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_POST, require_safe

from helpdesk import sheets
from helpdesk.accounts.doors import fresh_key
from helpdesk.accounts.masking import masks
from sla import attainment, plots, report, words
from sla.models import Breach, Kind
from sla.models.register import Reason, Why
from tickets import breach_story, breaches, register, register_sheet
from tickets.models import Ticket
from tickets.pages import NO_TROUBLE, Asked, Trouble, desk_only, send
from tickets.register_forms import CauseForm, DecisionForm, DeclineForm, ExcuseForm

MOST_CHOICES = 500
# So many of the causes owed longest stand on top.
ON_TOP = 5
View = Callable[..., HttpResponseBase]
TAB_WORDS = {"promises": _l("Response and resolution"), "updates": _l("Updates"), "ola": _l("Internal targets")}
STATE_WORDS = {
    "no_cause": _l("Without a cause"),
    "overdue": _l("Cause overdue"),
    "no_apology": _l("Without an apology"),
    "excused": _l("Excused"),
    "counts": _l("Not excused"),
}


def readers_only(view: View) -> View:
    """Staff and company administrators; to anybody else there is no register."""

    @login_required
    @wraps(view)
    def guarded(request: Asked, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not register.may_see(request.user):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


# --- The register ----------------------------------------------------------------------------------------------------


@readers_only
@require_safe
def breach_list(request: Asked) -> HttpResponse:
    """Every broken promise, the newest first; causes that are owed longest stand on top of the desk's own."""
    at, wish, user = timezone.now(), register.Wish.read(request.GET), request.user
    rows = register.chosen(user, wish, at)
    first = not (wish.is_filtered or wish.after or wish.before) and wish.tab == "promises"
    context = {
        "section": "breaches",
        "now": at,
        "wish": wish,
        "page": register.page(user, wish, at),
        "owed": register.owed(user, at) if user.staff_role else None,
        "overdue": register.first_overdue(user, at, ON_TOP) if first and user.is_desk else [],
        "tabs": [(tab, label) for tab, label in TAB_WORDS.items() if user.staff_role or tab != "ola"],
        "kinds": [(k.value, k.label) for k in Kind if wish.tab == "promises" and k in register.PROMISES],
        "priorities": words.read().priorities,
        "customers": _customers(user),
        "states": STATE_WORDS.items(),
        "masked": masks(user),
        "desk": user.is_desk,
        **figures(request, wish, at),
        **_weeks(rows, at),
    }
    return render(request, "sla/breaches.html", context)


def _customers(user: Any) -> list[tuple[str, str]]:
    """What the filter offers: (id, name) of the customers this person checks."""
    if masks(user):
        return []
    found = register.customers_for(user).order_by("name").values_list("pk", "name")[:MOST_CHOICES]
    return [(str(pk), name) for pk, name in found]


def figures(request: Asked, wish: register.Wish, at: datetime) -> dict[str, Any]:
    """How well promises were kept in the window the list shows, gross and net. One statement."""
    zone = timezone.get_current_timezone()
    start, until = wish.window(at, zone)
    by = {"kind": wish.kind, "priority": wish.priority, "customer": wish.customer}
    chosen = {name: [value] for name, value in by.items() if value}
    rows = report.attained(
        report.Window(start, until, str(zone)),
        by=("kind",),
        customers=register.customers_for(request.user),
        chosen=chosen,
    )
    gross = sum((row.gross for row in rows), attainment.Attainment())
    net = sum((row.net for row in rows), attainment.Attainment())
    return {"gross": gross, "net": net, "start": start, "until": until, "zone": str(zone)}


def _weeks(rows: Any, at: datetime) -> dict[str, Any]:
    """Breaches of each week: solid those that count, outlined those that were excused."""
    zone: ZoneInfo = timezone.get_current_timezone()
    weeks = register.weekly(rows, at, zone)
    values = [attainment.Attainment(excused, count - excused) for _day, count, excused in weeks]
    labels = [f"{day:%m-%d}" for day, *_counts in weeks]
    return {
        "weeks": weeks,
        "plot": plots.bars([("", values)], labels),
        "any_week": any(count for _d, count, _e in weeks),
    }


@readers_only
@require_safe
def sheet(request: Asked, form: str) -> HttpResponseBase:
    """The rows that the list means, as a file: CSV or XLSX."""
    if form not in ("csv", "xlsx"):
        raise Http404
    at, wish = timezone.now(), register.Wish.read(request.GET)
    tables, name = [register_sheet.table(request.user, wish, at)], f"breaches-{timezone.localdate(at)}"
    return sheets.as_xlsx(tables, name) if form == "xlsx" else sheets.as_csv(tables, name)


# --- One breach ------------------------------------------------------------------------------------------------------


@readers_only
@require_safe
def breach(request: Asked, breach: int) -> HttpResponse:
    return breach_page(request, _find(request, breach))


def _find(request: Asked, number: int) -> Breach:
    found = register.visible_to(request.user).select_related("clock", "excusal").filter(pk=number).first()
    if found is None:
        raise Http404
    return found


def breach_page(request: Asked, found: Breach, trouble: Trouble | None = None) -> HttpResponse:
    """What was promised, what happened, and what people said of it; with the forms of whoever may say more."""
    at, user = timezone.now(), request.user
    row = register.told([found], user, at)[0]
    ticket = Ticket.objects.select_related("requester", "customer").get(pk=found.subject.removeprefix("HD-"))
    asked = row.proposal
    context = {
        "section": "breaches",
        "now": at,
        "row": row,
        "ticket": ticket,
        "story": breach_story.story(found, ticket, user, at),
        "desk": user.is_desk,
        "staff": bool(user.staff_role),
        "reaches_ticket": not masks(user),
        "priority": words.read().priorities.get(found.priority),
        "why": Why.choices,
        "reasons": Reason.choices,
        "may_not": breaches.why_not(found, asked, ticket, user) if asked and user.is_desk else "",
        "trouble": trouble or NO_TROUBLE,
        "once": fresh_key(),
    }
    answer = render(request, "sla/breach.html", context, status=trouble.status if trouble else 200)
    if trouble and trouble.retry_after:
        answer.headers["Retry-After"] = str(trouble.retry_after)
    return answer


def _say(request: Asked, number: int, verb: str, form: Any, act: Callable[..., object], done: str) -> HttpResponse:
    found = _find(request, number)
    here = reverse("breach", args=[number])

    def do(said: dict[str, Any], at: datetime) -> str:
        act(breach=found, **said, by=request.user, at=at)
        return here

    answer = send(request, verb, form, do)
    if isinstance(answer, Trouble):
        return breach_page(request, _find(request, number), answer)
    messages.success(request, done)
    return answer


@desk_only
@require_POST
def explain(request: Asked, breach: int) -> HttpResponse:
    return _say(request, breach, "explain", CauseForm(request.POST), breaches.explain, _("The cause is written down."))


@desk_only
@require_POST
def propose(request: Asked, breach: int) -> HttpResponse:
    done = _("Asked. A lead or an administrator other than you decides.")
    return _say(request, breach, "propose", ExcuseForm(request.POST), breaches.propose, done)


@desk_only
@require_POST
def approve(request: Asked, breach: int) -> HttpResponse:
    done = _("Excused. Net figures no longer count it; gross ones always will.")
    return _say(request, breach, "approve", DecisionForm(request.POST), breaches.approve, done)


@desk_only
@require_POST
def decline(request: Asked, breach: int) -> HttpResponse:
    done = _("Declined. The breach counts.")
    return _say(request, breach, "decline", DeclineForm(request.POST), breaches.decline, done)
