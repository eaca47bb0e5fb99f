"""What the desk says to AWS from a ticket, and what becomes of it: its words, its history and its facts.

Awsint decides what leaves and when it arrived; here it stands on the ticket. A word to AWS is a message of AWS's kind
that somebody of the desk wrote: the customer reads it, whose account it is about, and it is no answer to them. A note
is none.
"""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from helpdesk import richtext
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.record import SYSTEM, Happening
from helpdesk.text import clean_block
from tickets import attaching, search
from tickets.deed import Deed
from tickets.models import Files, Message, Source, Status, Ticket
from tickets.notify import News
from tickets.workflow import Conflict, Refused, stuck

# What may leave: words that stand between us and the customer, and what was written for AWS. Never a note.
MAY_LEAVE = (Message.Kind.OPENING, Message.Kind.REPLY, Message.Kind.AWS)


def begin(*, ticket: Ticket, by: User, at: datetime, closed: bool = False) -> Deed:
    """Locks a ticket that somebody of the desk works on. Raises Conflict where nothing can be said about it any more.

    `closed` lets them do what may be left to do on one that is.
    """
    deed = Deed.begin(ticket, by, at)
    if (deed.ticket.status == Status.CLOSED and not closed) or not may(by, Right.WORK):
        raise Conflict(deed.ticket, stuck(deed.ticket))
    return deed


def word(deed: Deed, *, body: str, files: Files) -> Message:
    """A message to AWS, as it was typed: AWS reads no Markdown."""
    text = clean_block(body)
    message = Message.objects.create(
        ticket=deed.ticket,
        kind=Message.Kind.AWS,
        author=deed.person,
        by_desk=True,
        source=Source.WEB,
        body=text,
        html=richtext.as_typed(text),
        at=deed.at,
        released_at=deed.at,
        said_by=deed.person.name,
    )
    search.index([message])
    attaching.bind(message, files, by=deed.person)
    return message


def chosen(deed: Deed, message: Message) -> Message:
    """A message of this ticket that may leave for AWS as it is. Raises Refused."""
    theirs = message.kind == Message.Kind.AWS and not message.by_desk
    # What can still be taken back could not be taken back from AWS.
    withdrawn = message.undone_at or message.released_at > deed.at
    if message.ticket_id != deed.ticket.pk or message.kind not in MAY_LEAVE or withdrawn or theirs:
        raise Refused("message", _("This cannot be sent to AWS: internal notes and what was taken back never leave."))
    return message


def wanted(deed: Deed, **data: Any) -> None:
    """An engineer decided that AWS is asked: from here the time runs in which the case has to be open."""
    deed.happen(Happening("ticket.case_wanted", data, ["case_needed"]))


def asked(deed: Deed, *, case: str, message: int) -> None:
    """Somebody sends words to AWS."""
    deed.happen(Happening("ticket.aws_asked", {"case": case, "message": message}, public=True))


def closing(deed: Deed, *, case: str) -> None:
    """Somebody resolves a case at AWS."""
    deed.happen(Happening("ticket.case_closing", {"case": case}))


def opened(*, ticket: Ticket, case: str, message: int | None, who_acts: str, at: datetime) -> Deed:
    """AWS has the case. `who_acts` is whose turn it is by all of the ticket's cases."""
    deed = Deed.begin(ticket, SYSTEM, at)
    deed.ticket.case_turn = deed.changed["case_turn"] = who_acts or None
    deed.happen(Happening("ticket.case_opened", {"case": case, "message": message}, ["case_opened"], public=True))
    return deed


def refused(*, ticket: Ticket, to: User, message: int | None, code: str, at: datetime) -> Deed:
    """AWS does not take it: whoever wrote it hears why, and the words stay where they are."""
    deed = Deed.begin(ticket, SYSTEM, at)
    data = {"code": code, "message": message}
    deed.happen(Happening("ticket.case_refused", data))
    deed.news.append(News("ticket.case_refused", (), data, to=to))
    return deed


def doubled(*, ticket: Ticket, cases: list[str], at: datetime) -> Deed:
    """More than one copy stands at AWS: a person has to close the others."""
    deed = Deed.begin(ticket, SYSTEM, at)
    deed.happen(Happening("ticket.case_doubled", {"cases": cases}))
    return deed
