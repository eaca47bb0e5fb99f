"""Splitting a message off into a ticket of its own.

The text opens the new ticket and stays where it was said, with its files; whoever wrote it is its author there too. The
new ticket's clocks begin now. An internal note is never split off: its text would reach the customer.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, customers_of, may
from helpdesk.audit.record import Happening
from tickets import actions, attaching
from tickets.deed import Deed
from tickets.models import Link, Message, Ticket
from tickets.workflow import Conflict, Refused, check_version, stuck


@transaction.atomic(savepoint=False)
def split(
    *,
    ticket: Ticket,
    version: int,
    message: Message,
    title: str,
    category: str,
    impact: str,
    urgency: str,
    by: User,
    at: datetime,
) -> Ticket:
    """Opens a ticket with the text of `message`, linked to `ticket`; returns the new one. Raises Conflict, Refused."""
    deed = Deed.begin(ticket, by, at)
    check_version(deed.ticket, version)
    if not may(by, Right.WORK):
        raise Conflict(deed.ticket, stuck(deed.ticket))
    if message.kind == Message.Kind.NOTE:
        raise Refused("message", _("An internal note cannot become a ticket: the customer would read it."))
    if message.kind == Message.Kind.AWS:
        raise Refused(
            "message", _("What AWS said belongs to its case and stays here. Write it anew where it is needed.")
        )
    requester = requester_of(deed.ticket, message)
    made = actions.open_ticket(
        customer=deed.ticket.customer,
        title=title,
        description=message.body,
        category=category,
        impact=impact,
        urgency=urgency,
        requester=requester,
        author=message.author,
        by=by,
        at=deed.at,
    )
    attaching.copy(message, made)
    Link.objects.create(low=deed.ticket, high=made)
    # Another person's number is nothing for this one to read.
    same = requester == deed.ticket.requester
    deed.happen(Happening("ticket.split", {"ref": made.ref, "message": message.pk}, public=same))
    deed.finish()
    new = Deed(made, by, deed.at)
    new.happen(Happening("ticket.split_off", {"ref": deed.ticket.ref, "message": message.pk}, public=same))
    new.finish()
    return made


def requester_of(ticket: Ticket, message: Message) -> User:
    """Whoever wrote it, where that is a person of the company's; else who asked the whole."""
    author = message.author
    theirs = not author.is_desk and not author.is_service and ticket.customer_id in customers_of(author)
    return author if theirs else ticket.requester
