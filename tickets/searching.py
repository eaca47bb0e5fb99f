"""The doors of the search: what a list shows when words were typed, and likely twins of a ticket being filed.

A number goes to its ticket and a company's whole name to its queue; anything else is looked up in all that was said.
While somebody types (htmx) nothing goes anywhere.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from helpdesk import refs
from helpdesk.accounts.models import StaffRole, User
from helpdesk.text import showable
from tickets import excerpts, queue, search
from tickets.access import readable
from tickets.models import Message, Ticket
from tickets.pages import Asked
from tickets.similar import similar

ROWS = 25


@dataclass(frozen=True)
class Row:
    """One ticket found: its title and the best place in it, marked. `message` is None where its number was typed."""

    ticket: Ticket
    title: SafeString
    message: Message | None = None
    excerpt: SafeString | None = None


def results(
    request: Asked, base: "QuerySet[Ticket]", wish: queue.Wish, at: datetime
) -> dict[str, Any] | HttpResponseRedirect:
    """What matches the words of a wish among its filters: a page's context, or where to go instead.

    `base` must have passed visible_to. Four statements, whatever is found.
    """
    user = request.user
    number, asked = refs.number(wish.q), search.question(wish.q)
    known = search.names(asked, user)
    if not request.htmx and (elsewhere := _elsewhere(base, wish, number, known, user)):
        return elsewhere
    tickets = queue.chosen(base, replace(wish, q=""), user, at)
    narrowed = tickets if wish.is_narrowed or wish.statuses or wish.view != "all" else None
    found = search.find(asked, known, user, narrowed, at=at)
    page = _page(request.GET.get("page", ""))
    hits = found.hits[(page - 1) * ROWS : page * ROWS]
    if number and page == 1:
        hits = [(number, 0), *(hit for hit in hits if hit[0] != number)]
    rows = _rows(hits, tickets, asked.shown, user, at)
    link = wish.link() + "&page="
    return {
        "asked": asked,
        "found": rows,
        "counted": found,
        "companies": [name for name in known if name.customer] if user.is_desk else [],
        "earlier": f"{link}{page - 1}" if page > 1 else "",
        "later": f"{link}{page + 1}" if len(found.hits) > page * ROWS else "",
    }


def _elsewhere(
    base: "QuerySet[Ticket]", wish: queue.Wish, number: int | None, known: list[search.Name], user: User
) -> HttpResponseRedirect | None:
    if number and wish.q.casefold().startswith("hd") and base.filter(pk=number).exists():
        return redirect("ticket", refs.ref(number))
    called = [n.customer for n in known if wish.q.casefold() in (n.name.casefold(), n.code.casefold()) and n.customer]
    if user.is_desk and len(called) == 1:
        return HttpResponseRedirect(wish.link(q="", customer=str(called[0])))
    return None


def _page(text: str) -> int:
    return max(1, int(text)) if text.isdecimal() and text.isascii() and len(text) < 4 else 1


def _rows(
    hits: list[tuple[int, int]], tickets: "QuerySet[Ticket]", terms: list[str], user: User, at: datetime
) -> list[Row]:
    """The hits as far as this person may see them: what they may not is left out here once more. Two statements."""
    seen = tickets.select_related("customer", "requester", "assigned_to", "priority").in_bulk([t for t, _m in hits])
    said = Message.objects.filter(pk__in=[m for _t, m in hits], ticket__in=seen)
    messages = readable(said, user, at).defer("html").in_bulk()
    return [_row(seen[t], messages.get(m), terms) for t, m in hits if t in seen and (m in messages or not m)]


def _row(ticket: Ticket, message: Message | None, terms: list[str]) -> Row:
    line = excerpts.excerpt(message.body, terms) if message else None
    return Row(ticket, excerpts.marked(ticket.title, terms), message, line)


# --- Filing ----------------------------------------------------------------------------------------------------------


@require_POST
def similar_tickets(request: Asked) -> HttpResponse:
    """Likely twins of what is being typed; whoever was logged out meanwhile goes on typing and meets no login page."""
    if not request.user.is_authenticated or request.user.staff_role == StaffRole.AUDITOR:
        raise Http404
    return render(request, "tickets/_similar.html", {"similar": likely(request)})


def likely(request: Asked) -> list[Ticket]:
    """Likely twins of the form's words among what its reader may see, of the form's company where it names one."""
    title, text = (showable(request.POST.get(name, "")) for name in ("title", "description"))
    try:
        customer = UUID(request.POST.get("customer", ""))
    except ValueError:
        customer = None
    return similar(title=title, text=text, customer=customer, user=request.user)
