"""The doors of those around a ticket: who reads it, who follows it, how it went."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from tickets import following, mentions, participants, rating
from tickets.access import access_ticket
from tickets.forms import DeskForm
from tickets.pages import Asked, Trouble, desk_only, people_only, send
from tickets.people_forms import ParticipantForm, RatingForm
from tickets.views import ticket_page


def _through(
    request: Asked, ref: str, name: str, form: DeskForm, act: Callable[..., object], done: str
) -> HttpResponse:
    """One way through every verb, as in views.py; who can no longer see the ticket afterwards goes to the list."""
    found = access_ticket(request.user, ref)

    def do(said: dict[str, Any], at: datetime) -> str:
        act(ticket=found, **said, by=request.user, at=at)
        still = type(found).objects.visible_to(request.user).filter(pk=found.pk).exists()
        return reverse("ticket", args=[found.ref]) if still else reverse("tickets")

    answer = send(request, name, form, do)
    if isinstance(answer, Trouble):
        return ticket_page(request, access_ticket(request.user, ref), answer)
    messages.success(request, done)
    return answer


# --- Who reads it ----------------------------------------------------------------------------------------------------


@people_only
@require_POST
def participate(request: Asked, ref: str) -> HttpResponse:
    """Lets a colleague in, or proposes an address."""
    form = ParticipantForm(request.POST)

    def act(*, person: Any, email: str, name: str, **given: Any) -> object:
        if person:
            return participants.add(person=person, **given)
        return participants.invite(email=email, name=name, **given)

    return _through(request, ref, "participants", form, act, _("Those who read this ticket are changed."))


@people_only
@require_POST
def confirm(request: Asked, ref: str, number: int) -> HttpResponse:
    """Lets a proposed outsider in."""

    def act(**given: Any) -> object:
        return participants.confirm(number=number, **given)

    done = _("What is said to the customer from now on goes to this address too.")
    return _through(request, ref, "participants", DeskForm(request.POST), act, done)


@people_only
@require_POST
def remove(request: Asked, ref: str, number: int) -> HttpResponse:
    """Ends somebody's taking part, or one's own."""

    def act(**given: Any) -> object:
        return participants.remove(number=number, **given)

    done = _("Removed: they read nothing of this ticket any more.")
    return _through(request, ref, "participants", DeskForm(request.POST), act, done)


# --- Who follows it --------------------------------------------------------------------------------------------------


@desk_only
@require_POST
def follow(request: Asked, ref: str) -> HttpResponse:
    return _through(request, ref, "follow", DeskForm(request.POST), following.follow, _("You follow this ticket."))


@desk_only
@require_POST
def unfollow(request: Asked, ref: str) -> HttpResponse:
    done = _("You no longer follow this ticket.")
    return _through(request, ref, "unfollow", DeskForm(request.POST), following.unfollow, done)


@desk_only
@require_safe
def colleagues(request: Asked, ref: str) -> HttpResponse:
    """Whom somebody may mean who types "@li" in a note, for the page's script."""
    found = access_ticket(request.user, ref)
    return JsonResponse({"colleagues": mentions.suggested(request.GET.get("q", "")[:80], found)})


# --- How it went -----------------------------------------------------------------------------------------------------


@people_only
@require_POST
def rate(request: Asked, ref: str) -> HttpResponse:
    """The customer's answer on a closed ticket."""
    if request.user.is_desk:
        raise Http404

    def act(*, body: str, **given: Any) -> object:
        return rating.rate(comment=body, **given)

    return _through(request, ref, "rate", RatingForm(request.POST), act, _("Thank you. Our engineers read it."))
