"""The doors of what moves while one works: the ticket beside this one in its list, who else is on it, and news."""

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from helpdesk import refs
from tickets import after, presence
from tickets import news as newsroom
from tickets.access import access_ticket
from tickets.forms import BeatForm
from tickets.pages import Asked, desk_only


@desk_only
@require_safe
def next_ticket(request: Asked, ref: str) -> HttpResponse:
    return _beside(request, ref, back=False)


@desk_only
@require_safe
def previous_ticket(request: Asked, ref: str) -> HttpResponse:
    return _beside(request, ref, back=True)


def _beside(request: Asked, ref: str, *, back: bool) -> HttpResponse:
    """Leads to the neighbour in the list, or back to the list with a word where there is none."""
    ticket, place = access_ticket(request.user, ref), after.Place.of(request)
    if not place.has_order:
        return redirect(place.link)
    cursor = request.GET.get("at", "")
    found = after.neighbour(place, ticket, request.user, cursor, timezone.now(), back=back)
    if found:
        return redirect(place.ticket(found))
    messages.info(request, _("That was the first of this list.") if back else _("That was the last of this list."))
    return redirect(place.link)


@desk_only
@require_POST
def present(request: Asked, ref: str) -> HttpResponse:
    """Somebody looks, types, looks away or leaves; the answer is who else is here and what the page does not show."""
    ticket, form = access_ticket(request.user, ref), BeatForm(request.POST)
    if request.POST.get("state") == "gone":
        presence.leave(ticket=ticket, by=request.user)
        return HttpResponse(status=204)
    if not form.is_valid():
        return HttpResponse(status=422)
    state, seen = form.cleaned_data["state"], form.cleaned_data["seen"]
    here = presence.beat(ticket=ticket, state=state, seen=seen, by=request.user, at=timezone.now())
    changed = ticket.version > form.cleaned_data["version"]
    link = after.Place.of(request).ticket(ticket)
    return render(request, "tickets/_present.html", {"present": here, "changed": changed, "link": link})


@desk_only
@require_safe
def news(request: Asked) -> HttpResponse:
    """What concerns this person since the mark their browser holds, and the mark for the next time."""
    mark = newsroom.Mark.read(request.GET.get("since", ""))
    mark, items = newsroom.news(request.user, mark, timezone.now())
    told = [
        {
            "key": item.key,
            "kind": item.kind,
            "ref": refs.ref(item.ticket),
            "title": item.title,
            "time": f"{timezone.localtime(item.at):%H:%M}",
        }
        for item in items
    ]
    return JsonResponse({"since": str(mark), "news": told})
