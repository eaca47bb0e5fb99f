"""The doors of canned replies: the page where the desk keeps them, and the picker at a ticket's composer. Desk only.

The picker is asked for when somebody wants it, so a ticket's page pays nothing for it. Without a script it is a page of
links that lead back to the ticket with the text in its composer; with one it opens in place and puts the text where the
cursor is.
"""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from helpdesk.accounts.doors import fresh_key
from helpdesk.accounts.permissions import Right, may
from helpdesk.text import showable
from tickets import canned
from tickets.access import access_ticket, people_of
from tickets.blanks import BLANKS
from tickets.forms import CannedForm, DeskForm, SeenVersion
from tickets.models import Canned, Ticket
from tickets.pages import Asked, Trouble, desk_only, send

MOST = 200
PICKED = 50


# --- The page --------------------------------------------------------------------------------------------------------


@desk_only
@require_safe
def canned_replies(request: Asked) -> HttpResponse:
    """One's own and the shared ones, by name."""
    words = _words(request)
    rows = list(canned.matching(canned.readable_by(request.user), words)[: MOST + 1])
    context = {
        "section": "canned",
        "words": words,
        "rows": [(row, canned.may_write(request.user, row)) for row in rows[:MOST]],
        "more": len(rows) > MOST,
        "most": MOST,
    }
    return render(request, "tickets/canned.html", context)


def _words(request: Asked) -> str:
    return showable(request.GET.get("find", ""))[:200]


@desk_only
def new(request: Asked) -> HttpResponse:
    """Writes one."""
    if request.method != "POST":
        return _page(request, CannedForm(), None)
    form = CannedForm(request.POST)

    def act(typed: dict[str, Any], at: datetime) -> str:
        canned.write(**typed, by=request.user, at=at)
        return reverse("canned")

    answer = send(request, "canned", form, act)
    if isinstance(answer, Trouble):
        return _page(request, form, None, status=answer.status)
    messages.success(request, _("The canned reply is saved."))
    return answer


@desk_only
def edit(request: Asked, pk: int) -> HttpResponse:
    """Changes one."""
    found = _own(request, pk)
    if request.method != "POST":
        told = {"name": found.name, "body_zh": found.body_zh, "body_en": found.body_en, "shared": found.is_shared}
        return _page(request, CannedForm(initial=told), found)
    form = CannedForm(request.POST)

    def act(typed: dict[str, Any], at: datetime) -> str:
        canned.change(canned=found, version=_seen(request), **typed, by=request.user, at=at)
        return reverse("canned")

    answer = send(request, "canned", form, act)
    if isinstance(answer, Trouble):
        # As it stands now: whoever sends once more has seen that a colleague was quicker.
        return _page(request, form, _own(request, pk), status=answer.status)
    messages.success(request, _("The canned reply is saved."))
    return answer


@desk_only
def delete(request: Asked, pk: int) -> HttpResponse:
    """Asks, then deletes one."""
    found, form, status = _own(request, pk), DeskForm(request.POST), 200
    if request.method == "POST":

        def act(typed: dict[str, Any], at: datetime) -> str:
            canned.remove(canned=found, version=_seen(request), by=request.user, at=at)
            return reverse("canned")

        answer = send(request, "canned", form, act)
        if not isinstance(answer, Trouble):
            messages.success(request, _("The canned reply is deleted."))
            return answer
        found, status = _own(request, pk), answer.status
    context = {"section": "canned", "one": found, "form": form, "once": fresh_key()}
    return render(request, "tickets/canned_delete.html", context, status=status)


def _own(request: Asked, pk: int) -> Canned:
    """One that this person may write; to them no other has this address."""
    found: Canned = get_object_or_404(canned.readable_by(request.user), pk=pk)
    if not canned.may_write(request.user, found):
        raise Http404
    return found


def _seen(request: Asked) -> int:
    return SeenVersion(required=False).to_python(request.POST.get("version"))


def _page(request: Asked, form: CannedForm, found: Canned | None, status: int = 200) -> HttpResponse:
    context = {
        "section": "canned",
        "form": form,
        "one": found,
        "blanks": [(f"{{{name}}}", label) for name, label in BLANKS.items()],
        "may_share": may(request.user, Right.CANNED),
        "once": fresh_key(),
    }
    return render(request, "tickets/canned_one.html", context, status=status)


# --- At a ticket -----------------------------------------------------------------------------------------------------


@desk_only
@require_safe
def picker(request: Asked, ref: str) -> HttpResponse:
    """What can be put into this ticket's composer, as a page or, for the composer itself, as its list."""
    ticket = access_ticket(request.user, ref)
    words = _words(request)
    rows = list(canned.matching(canned.readable_by(request.user), words)[: PICKED + 1])
    context = {
        "section": "tickets",
        "ticket": ticket,
        "words": words,
        "rows": rows[:PICKED],
        "more": len(rows) > PICKED,
        "came": request.GET.get("from", ""),
    }
    part = "tickets/_canned_list.html" if request.htmx else "tickets/canned_pick.html"
    return render(request, part, context)


@desk_only
@require_safe
def filled_in(request: Asked, ref: str, pk: int) -> HttpResponse:
    """The text alone, for the script that puts it where the cursor is."""
    ticket = access_ticket(request.user, ref)
    people_of(ticket, set())
    found = get_object_or_404(canned.readable_by(request.user), pk=pk)
    text = canned.text_for(found, ticket, by=request.user, at=timezone.now())
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


def put_in(request: Asked, ticket: Ticket) -> dict[str, Any]:
    """What the composer begins with where the address names a canned reply; nothing is asked where it does not."""
    number = request.GET.get("canned", "")
    if not (number.isdecimal() and number.isascii() and len(number) < 10):
        return {}
    found = canned.readable_by(request.user).filter(pk=number).first()
    return {"put_in": canned.text_for(found, ticket, by=request.user, at=timezone.now())} if found else {}
