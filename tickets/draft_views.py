"""The door of drafts: what stands in the composer is saved while one types, by a button, or discarded."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tickets import after, attaching, drafting
from tickets.access import access_ticket, where_it_went
from tickets.forms import DraftForm
from tickets.models import Draft, Ticket
from tickets.pages import Asked, Trouble, people_only
from tickets.receiving import standing_on_form, takes_files
from tickets.views import ticket_page
from tickets.workflow import Conflict


@takes_files
@people_only
@require_POST
def draft(request: Asked, ref: str) -> HttpResponse:
    """Saves a draft, on the ticket that one was merged into meanwhile.

    The page's own script asks for the line under the text alone (`quiet`).
    """
    ticket, form = where_it_went(request.user, access_ticket(request.user, ref)), DraftForm(request.POST)
    if not form.is_valid():
        return _not_saved(request, ticket, Trouble("draft", form), {"draft_error": form["body"]})
    try:
        kept = _save(request, ticket, form.cleaned_data)
    except drafting.Newer as newer:
        conflict = Conflict(ticket, _("Another window changed this draft meanwhile."))
        return _not_saved(request, ticket, Trouble("draft", form, 409, conflict), {"newer": newer})
    if "quiet" in request.POST:
        return _line(request, ticket, {"draft": kept})
    attaching.stand(standing_on_form(request, timezone.now()) if kept else [], ticket, by=request.user)
    messages.success(request, _("The draft is saved.") if kept else _("The draft is discarded."))
    place = after.Place.of(request).ticket(ticket) if request.user.is_desk else reverse("ticket", args=[ticket.ref])
    return HttpResponse(status=303, headers={"Location": place})


def _save(request: Asked, ticket: Ticket, said: dict[str, Any]) -> Draft | None:
    body = "" if "discard" in request.POST else said["body"]
    given = {"ticket": ticket, "user": request.user, "kind": said["kind"], "body": body, "at": timezone.now()}
    if "both" in request.POST and body:
        return drafting.keep_both(**given)
    return drafting.save(**given, seen=said["draft_at"])


def _not_saved(request: Asked, ticket: Ticket, trouble: Trouble, why: dict[str, Any]) -> HttpResponse:
    if "quiet" in request.POST:
        return _line(request, ticket, {"seen": trouble.form.data.get("draft_at", ""), **why}, trouble.status)
    return ticket_page(request, ticket, trouble)


def _line(request: Asked, ticket: Ticket, told: dict[str, Any], status: int = 200) -> HttpResponse:
    here = reverse("ticket", args=[ticket.ref])
    return render(request, "tickets/_draft_line.html", {"ticket": ticket, "here": here, **told}, status=status)
