"""/aws/tickets/<ref>/resources: the customer's people and the desk tick off what an event touches.

Everything works by plain forms: one resource, those picked, or all that were found; the last is asked first, with how
many they are, and asked anew where it is another number by then.
"""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from awsint import handling, handling_list
from awsint.handling_list import Asked as Wish
from awsint.handling_list import access_part, chosen, ref_of
from awsint.models import AffectedCustomer, AffectedEntity
from awsint.wishes import number
from helpdesk.accounts.doors import Busy, answered_once
from helpdesk.accounts.views import see_other
from helpdesk.sheets import as_csv
from tickets.models import Ticket
from tickets.pages import Asked, people_only
from tickets.workflow import Conflict

ALL, PICKED = "all", "picked"


@people_only
@require_safe
def resources(request: Asked, ref: str) -> HttpResponse:
    """What of this customer's an event touches, and how far it is dealt with."""
    part, ticket = access_part(request.user, ref)
    return _page(request, part, ticket, Wish.read(request.GET))


def _page(request: Asked, part: AffectedCustomer, ticket: Ticket, wish: Wish, trouble: str = "") -> HttpResponse:
    sums = handling.sums(part, wish.named if wish.q else None)
    lines, further = handling_list.page(part, wish)
    found = {state: sums[f"found_{state}" if wish.q else state] for state in handling_list.STATES}
    told: dict[str, Any] = {
        "section": "tickets",
        "now": timezone.now(),
        "part": part,
        "ticket": ticket,
        "event": part.event,
        "wish": wish,
        "lines": lines,
        "further": further,
        "sums": sums,
        "done": sums["handled"] + sums["over"],
        "chips": [(code, label, found[code]) for code, (label, _rows) in handling_list.STATES.items()],
        "open_found": found["to_do"] if wish.state in ("", "to_do") else 0,
        "trouble": trouble,
    }
    return render(request, "aws/resources.html", told, status=422 if trouble else 200)


@people_only
@require_safe
def resources_csv(request: Asked, ref: str) -> HttpResponseBase:
    part, _ticket = access_part(request.user, ref)
    sheet = handling_list.sheet(request.user, part, Wish.read(request.GET))
    return as_csv([sheet], f"aws-health-{ref_of(part)}-resources")


@people_only
@require_POST
def handle(request: Asked, ref: str) -> HttpResponse:
    """Ticks or unticks (`undo`) one, those picked, or all that the wish finds."""
    part, ticket = access_part(request.user, ref)
    said, wish = request.POST, Wish.read(request.POST)
    undo = "undo" in said
    which = said.get("undo" if undo else "handle", "")
    if which == ALL and not undo:
        wanted = chosen(part, wish).filter(handling.TO_DO)
        if said.get("sure") != str(count := wanted.count()):
            return _ask(request, part, ticket, wish, count)
    else:
        numbers = [pk for pk in map(number, said.getlist("resource") if which == PICKED else [which]) if pk is not None]
        wanted = handling.resources(part).filter(pk__in=numbers)
        if not numbers:
            return _page(request, part, ticket, wish, _("Pick at least one resource first."))
    return _act(request, part, ticket, wish, wanted, undo=undo)


def _act(
    request: Asked,
    part: AffectedCustomer,
    ticket: Ticket,
    wish: Wish,
    wanted: QuerySet[AffectedEntity],
    *,
    undo: bool,
) -> HttpResponse:
    back = reverse("aws_resources", args=[ref_of(part)]) + wish.link(after=wish.after)
    act, at = handling.untick if undo else handling.tick, timezone.now()
    try:
        with answered_once(request, at=at) as slot:
            done = act(part=part, chosen=wanted, by=request.user, at=at)
            slot.keep(303, back)
    except Conflict as conflict:
        return _page(request, part, ticket, wish, str(conflict))
    except Busy:
        return _page(request, part, ticket, wish, _("Somebody else is writing this very moment. Please send it again."))
    messages.success(request, _said(done, undo=undo))
    return see_other(back)


def _ask(request: Asked, part: AffectedCustomer, ticket: Ticket, wish: Wish, count: int) -> HttpResponse:
    told = {"section": "tickets", "part": part, "ticket": ticket, "event": part.event, "wish": wish, "count": count}
    return render(request, "aws/resources_sure.html", told)


def _said(done: int, *, undo: bool) -> str:
    if not done:
        return _("Nothing changed: somebody was faster.")
    if undo:
        return ngettext("%(n)d resource is to do again.", "%(n)d resources are to do again.", done) % {"n": done}
    return ngettext("%(n)d resource is ticked as handled.", "%(n)d resources are ticked as handled.", done) % {
        "n": done
    }
