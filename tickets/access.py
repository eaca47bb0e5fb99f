"""The only way to a ticket: what a person may see.

Leads and admins see every ticket, engineers all but those of restricted customers whose team they are not on. A
customer's member sees the tickets they requested or take part in there; a customer's admin, and where the company wants
it every member, sees all of that customer's. An auditor, and anybody else, sees none: to them a ticket does not exist
(404).
"""

from datetime import datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.db import models
from django.http import Http404

from helpdesk import refs
from helpdesk.accounts.models import hidden_from
from helpdesk.accounts.permissions import customers_of, whole_for
from helpdesk.kept import kept

if TYPE_CHECKING:
    from helpdesk.accounts.models import User
    from tickets.models import Attachment, Message, Participant, Ticket


# What a page says of a person.
NAMED = ["name", "email", "phone", "language", "zone"]
# The rendered text and not its source.
SHOWN = [
    *("ticket_id", "kind", "by_desk", "author_id", "source", "html", "at", "released_at", "origin_id"),
    *("said_at", "said_by"),
]


class TicketQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: "User") -> Self:
        """The tickets `user` may see."""
        if user.sees_every_customer:
            return self
        if user.is_desk:
            return self.exclude(customer__in=hidden_from(user))
        whole, partly = _companies(user)
        ways = [models.Q(customer__in=whole)] if whole else []
        if partly:
            taking_part = models.Exists(_participations(user).filter(ticket=models.OuterRef("pk")))
            ways += [models.Q(requester=user, customer__in=partly), models.Q(taking_part, customer__in=partly)]
        return self.filter(reduce(or_, ways)) if ways else self.none()

    def parts_visible_to(self, user: "User") -> list[Self]:
        """The same tickets in parts, each in the order of an index of its own: for lists, where an OR would walk all.

        A ticket may stand in two of them.
        """
        if user.is_desk:
            return [self.visible_to(user)]
        whole, partly = _companies(user)
        parts = [self.filter(customer=customer) for customer in whole]
        if partly:
            part = self.filter(pk__in=_participations(user).values("ticket"), customer__in=partly)
            parts += [self.requested_by(user), part]
        return parts

    def requested_by(self, user: "User") -> Self:
        """The tickets somebody of a customer filed and may see still."""
        return self.filter(requester=user, customer__in=list(customers_of(user)))

    def open(self) -> Self:
        from tickets.models import OPEN

        return self.filter(status__in=OPEN)


def _companies(user: "User") -> tuple[list["UUID"], list["UUID"]]:
    """The companies a person sees all tickets of, and those where they see their own."""
    whole = whole_for(user)
    return whole, [c for c in customers_of(user) if c not in whole]


def _participations(user: "User") -> "models.QuerySet[Participant]":
    from tickets.models import Participant

    return Participant.objects.filter(user=user)


def in_order(parts: list[Any], order: list[str], most: int, *related: str) -> "models.QuerySet[Any]":
    """The first `most` tickets of all `parts`, with `related` rows: each part gives its own first by its index."""
    from tickets.models import Ticket

    if not parts:
        return Ticket.objects.none()
    rows = parts[0]
    if len(parts) > 1:
        firsts = [part.order_by(*order).values("pk")[:most] for part in parts]
        rows = Ticket.objects.filter(pk__in=firsts[0].union(*firsts[1:], all=True))
    found: models.QuerySet[Any] = (rows.select_related(*related) if related else rows).order_by(*order)[:most]
    return found


def access_ticket(user: "User", ref: str) -> "Ticket":
    """The ticket called `ref`, or 404 where it does not exist for this person. One statement.

    With its company: an action locks and reads it again anyway, and a page reads whom it names with the timeline.
    """
    from tickets.models import Ticket

    number = refs.number(ref)
    if number is None:
        raise Http404
    if user.is_desk:
        found = _seen_by_desk(number, user.pk, role=user.staff_role)
    else:
        found = list(Ticket.objects.visible_to(user).select_related("customer").filter(pk=number))
    if not found:
        raise Http404
    return found[0]


@kept
def _seen_by_desk(number: int, viewer: int, *, role: str) -> "models.QuerySet[Ticket]":
    from helpdesk.accounts.models import User
    from tickets.models import Ticket

    colleague = User(pk=viewer, staff_role=role)
    return Ticket.objects.visible_to(colleague).select_related("customer").filter(pk=number)


def where_it_went(user: "User", ticket: "Ticket") -> "Ticket":
    """The ticket that one was merged into, at the end of the way, as far as this person may follow; else itself.

    No statement where it was not merged, one each step where it was.
    """
    from tickets.models import Ticket

    while ticket.merged_into_id:
        following = Ticket.objects.visible_to(user).filter(pk=ticket.merged_into_id).first()
        if following is None:
            break
        ticket = following
    return ticket


def people_of(ticket: "Ticket", others: set[int]) -> dict[int, "User"]:
    """The ticket's requester and assignee, who stand in it from now on, and others, by number. One statement."""
    ours = {ticket.requester_id, ticket.assigned_to_id} - {None}
    found = {person.pk: person for person in _named(sorted(others | ours))}
    ticket.requester = found[ticket.requester_id]
    ticket.assigned_to = found[ticket.assigned_to_id] if ticket.assigned_to_id else None
    return found


@kept
def _named(numbers: list[int]) -> "models.QuerySet[User]":
    from helpdesk.accounts.models import User

    # However many they are, it is one statement.
    return User.objects.only(*NAMED).extra(where=["id = ANY(%s)"], params=[numbers])


def messages_visible_to(user: "User", ticket: "Ticket", at: datetime) -> "models.QuerySet[Message]":
    """What was said on a ticket that `user` may read at an instant, as a page needs it.

    A customer never meets a note, nor a reply that can still be taken back; nobody one that was. Of a ticket that was
    merged, what was said there: its requester, who may not see the other, keeps that.
    """
    from tickets.models import Message

    here = Message.objects.filter(origin=ticket) if ticket.merged_into_id else ticket.messages
    return readable(here.only(*SHOWN).order_by("at", "id"), user, at)


def readable(said: "models.QuerySet[Message]", user: "User", at: datetime) -> "models.QuerySet[Message]":
    """Of messages on tickets that `user` may see, those that they may read at an instant."""
    return said.filter(undone_at=None) if user.is_desk else public(said, at)


def public(said: "models.QuerySet[Message]", at: datetime) -> "models.QuerySet[Message]":
    """Of messages, those that the customer's side may read at an instant, whoever of it that is."""
    return said.filter(undone_at=None, released_at__lte=at).exclude(kind="note")


def access_file(user: "User", ref: str, number: UUID, at: datetime) -> "Attachment":
    """A file on a message that `user` may read at this instant, or 404. Asked anew at each download."""
    from tickets.models import Attachment

    seen = messages_visible_to(user, access_ticket(user, ref), at)
    found = Attachment.objects.filter(pk=number, message__in=seen.order_by().values("pk")).first()
    if found is None:
        raise Http404
    return found
