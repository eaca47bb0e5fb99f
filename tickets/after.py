"""Where one goes from a ticket: the list it was opened from, the ticket beside it there, and the way on after sending.

A ticket's address carries its list as `from`: the list's own address, read back by queue.Wish alone, so that it can
lead nowhere but to a list. The neighbour is looked for when somebody goes there, by the ticket's place in the order;
what was sent may have moved the ticket, so the way on starts from the place it had before.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Self
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from helpdesk.accounts.models import AfterSend, User
from helpdesk.accounts.preferences import prefer
from tickets import queue
from tickets.models import Ticket

LONGEST = 1000


@dataclass(frozen=True)
class Place:
    """A list and, where one came from a page of it, nothing more: cursors of pages do not count here."""

    wish: queue.Wish

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """The list this ticket was opened from; without one, all open tickets."""
        said = request.POST.get("from") or request.GET.get("from") or ""
        wish = queue.Wish.read(QueryDict(said)) if len(said) <= LONGEST else queue.Wish()
        return cls(replace(wish, after="", before=""))

    @cached_property
    def came(self) -> str:
        """What `from` says: empty for the plain list of all open tickets."""
        return self.wish.link().removeprefix("?")

    @cached_property
    def query(self) -> str:
        """The end of a ticket's address that keeps the list."""
        return f"?{urlencode({'from': self.came})}" if self.came else ""

    @property
    def label(self) -> Any:
        return _("Search") if self.wish.q else queue.VIEWS[self.wish.view]

    @property
    def link(self) -> str:
        return reverse("tickets") + (f"?{self.came}" if self.came else "")

    @property
    def has_order(self) -> bool:
        """What a search found stands in the order of its marks, which nobody can walk."""
        return not self.wish.q

    def ticket(self, ticket: Ticket) -> str:
        return reverse("ticket", args=[ticket.ref]) + self.query

    def beside(self, name: str, ticket: Ticket, cursor: str = "") -> str:
        """The door that leads to the "next" or the "previous" ticket, from `cursor` or the ticket's own place."""
        said = [(key, value) for key, value in (("from", self.came), ("at", cursor)) if value]
        return reverse(f"ticket_{name}", args=[ticket.ref]) + (f"?{urlencode(said)}" if said else "")


def ways(request: HttpRequest, ticket: Ticket) -> dict[str, Any]:
    """What a ticket's page shows of its list."""
    place = Place.of(request)
    beside = {name: place.beside(name, ticket) for name in ("next", "previous")}
    return {"place": place, "after_send": AfterSend.choices, **beside}


def neighbour(place: Place, ticket: Ticket, user: User, cursor: str, at: datetime, *, back: bool) -> Ticket | None:
    """The ticket after (before) this one in its list. One statement.

    A ticket that has left the list stands before its first.
    """
    rows = queue.chosen(Ticket.objects.visible_to(user).exclude(pk=ticket.pk), place.wish, user, at)
    left = place.wish.only_open and not ticket.is_open
    own = "" if left else queue.cursor(ticket, place.wish)
    found: Ticket | None = queue.beyond(rows, place.wish, cursor, own, back=back).first()
    return found


def leaves(answer: HttpResponse, ticket: Ticket) -> bool:
    """Whether an answer leads away from the ticket, so that a word about it must name it."""
    return answer.headers["Location"].partition("?")[0] != reverse("ticket", args=[ticket.ref])


def way_on(request: HttpRequest, user: User, ticket: Ticket) -> str:
    """Where a sent reply or note leads, `ticket` being as it stood before; the choice is remembered for the next."""
    place = Place.of(request)
    choice = request.POST.get("after", "")
    if not user.is_desk or choice not in AfterSend.values:
        return place.ticket(ticket) if user.is_desk else reverse("ticket", args=[ticket.ref])
    prefer(person=user, after_send=choice)
    if choice == AfterSend.STAY:
        return place.ticket(ticket)
    if choice == AfterSend.LIST or not place.has_order:
        return place.link
    return place.beside("next", ticket, queue.cursor(ticket, place.wish))
