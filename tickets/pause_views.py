"""The doors of the pause review: /sla/pauses, one pause with what striking it out would do, and striking it out."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_safe

from helpdesk.accounts.doors import fresh_key
from helpdesk.accounts.masking import masks
from helpdesk.text import Block
from sla.models import Verdict
from tickets import pauses
from tickets.access import access_ticket
from tickets.forms import DeskForm
from tickets.pages import NO_TROUBLE, Asked, Trouble, send

View = Callable[..., HttpResponse]
VIEW_WORDS = {"flagged": _l("Flagged"), "struck": _l("Struck out"), "all": _l("All pauses")}


class StrikeForm(DeskForm):
    """Why a pause shall count; the words become an internal note."""

    reason = forms.ChoiceField(
        choices=pauses.Why.choices,
        error_messages={
            "required": _l("Choose one of the reasons."),
            "invalid_choice": _l("Choose one of the reasons."),
        },
    )
    words = Block(longest=2000, error_messages={"required": _l("Write down why: colleagues read it.")})


def reviewers_only(view: View) -> View:
    """Leads, administrators and auditors; to anybody else there is no review."""

    @login_required
    @wraps(view)
    def guarded(request: Asked, *args: Any, **kwargs: Any) -> HttpResponse:
        if not pauses.may_see(request.user):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@reviewers_only
@require_safe
def pause_list(request: Asked) -> HttpResponse:
    """The pauses that are odd, those that were struck out, or all; newest first."""
    at = timezone.now()
    view = wanted if (wanted := request.GET.get("view", "")) in pauses.VIEWS else "flagged"
    context = {
        "section": "breaches",
        "now": at,
        "view": view,
        "views": VIEW_WORDS.items(),
        "page": pauses.page(request.user, view, request.GET.get("after", ""), at),
        "masked": masks(request.user),
        "desk": request.user.is_desk,
    }
    return render(request, "sla/pauses.html", context)


@reviewers_only
@require_http_methods(["GET", "HEAD", "POST"])
def pause(request: Asked, pause: int) -> HttpResponse:
    """One pause, and what striking it out would do to the due time; a POST strikes it out."""
    found = pauses.one(request.user, pause, timezone.now())
    if found is None or not request.user.is_desk:
        raise Http404
    ticket = access_ticket(request.user, found.ref)
    if request.method != "POST":
        return _page(request, found, ticket)

    def do(said: dict[str, Any], at: Any) -> str:
        pauses.strike(ticket=ticket, pause=found.number, **said, by=request.user, at=at)
        return reverse("ticket", args=[ticket.ref])

    answer = send(request, "strike", StrikeForm(request.POST), do)
    if isinstance(answer, Trouble):
        return _page(request, found, ticket, answer)
    messages.success(request, _("The pause is struck out: its time counts."))
    return answer


def _page(request: Asked, found: pauses.Pause, ticket: Any, trouble: Trouble | None = None) -> HttpResponse:
    at = timezone.now()
    effect = None if found.strike else pauses.effect(ticket, found.number, at)
    context = {
        "section": "breaches",
        "now": at,
        "pause": found,
        "verdicts": effect
        and {
            "before": Verdict(effect.before.resolution.verdict).label,
            "after": Verdict(effect.after.resolution.verdict).label,
        },
        "ticket": ticket,
        "effect": effect,
        "may_not": pauses.why_not(ticket, request.user),
        "reasons": pauses.Why.choices,
        "trouble": trouble or NO_TROUBLE,
        "once": fresh_key(),
    }
    return render(request, "sla/pause.html", context, status=trouble.status if trouble else 200)
