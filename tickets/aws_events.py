"""What an event at AWS does to a ticket that stands for it: further words, and a priority that goes up.

The desk itself acts here, on a rule. The customer hears of each change in one letter, without a human; of the parent,
which belongs to the house, whoever has it. A poll or a late message raises a priority and never lowers one, so what a
person decided to lower stays low until AWS says something worse.
"""

from datetime import datetime

from django.db import transaction

from helpdesk import richtext
from helpdesk.accounts import house
from helpdesk.accounts.permissions import Doer
from helpdesk.audit.record import SYSTEM, Happening
from helpdesk.kept import insert
from helpdesk.text import clean_block, showable
from sla import clocks
from sla.models import Priority
from tickets import search
from tickets.deed import Deed
from tickets.models import Message, Source, Status, Ticket
from tickets.workflow import Conflict

NEWS = "ticket.aws_event_news"


@transaction.atomic(savepoint=False)
def follow(
    *,
    ticket: Ticket,
    body: str = "",
    said_at: datetime | None = None,
    priority: str = "",
    quiet: bool = False,
    by: Doer = SYSTEM,
    at: datetime,
) -> Ticket:
    """Puts what is new into the timeline and raises the priority, as one step with one letter.

    `quiet` writes no letter: a further page of what was just told. `priority` that is no higher changes nothing.
    """
    deed = begin(ticket, by, at)
    if body:
        _say(deed, body, said_at or deed.at, quiet)
    if priority:
        _raise(deed, priority)
    return deed.finish()


def begin(ticket: Ticket, by: Doer, at: datetime) -> Deed:
    """Locks the ticket, or the one it was merged into."""
    while True:
        try:
            return Deed.begin(ticket, by, at)
        except Conflict as merged:
            if merged.ticket.merged_into is None:
                raise
            ticket = merged.ticket.merged_into


def _say(deed: Deed, body: str, said_at: datetime, quiet: bool) -> None:
    text = clean_block(showable(body))
    message = Message(
        ticket=deed.ticket,
        kind=Message.Kind.AWS,
        author=house.aws(deed.at),
        by_desk=False,
        source=Source.AWS_HEALTH,
        body=text,
        html=richtext.as_typed(text),
        at=deed.at,
        released_at=deed.at,
        said_at=said_at,
        said_by=None,
    )
    insert([message])
    search.index([message])
    deed.happen(Happening("ticket.aws_said", {"message": message.pk}, public=True))
    if quiet:
        return
    if deed.ticket.is_open:
        # What the customer reads is one of the regular updates; it is nobody's first answer.
        deed.happen(Happening("ticket.aws_shown", {"message": message.pk}, ["reply", "aws"], public=True))
    deed.tell(NEWS, "requester", message=message.pk)
    if not deed.ticket.is_part:
        deed.tell(NEWS, "assignee", message=message.pk)


def _raise(deed: Deed, priority: str) -> None:
    ticket = deed.ticket
    level = Priority.objects.filter(code=priority).first() if priority in clocks.targets_of(ticket.terms) else None
    if level is None or level.rank >= ticket.priority.rank or ticket.status == Status.CLOSED:
        return
    old, ticket.priority = ticket.priority_id, level
    deed.changed["priority"] = level
    data = {"old": old, "new": level.code}
    deed.happen(Happening("ticket.health_raised", data, ["priority", level.code], public=True))
    sides = ["requester"] if ticket.is_part else ["requester", "assignee"]
    kind = NEWS if any(news.kind == NEWS for news in deed.news) else "ticket.prioritised"
    deed.tell(kind, *sides, **data)
