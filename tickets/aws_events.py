"""What an event at AWS does to a ticket that stands for it: further words, and a priority that goes up.

The desk itself acts here, on a rule. The customer hears of each change in one letter, without a human; of the parent,
which belongs to the house, whoever has it. A poll or a late message raises a priority and never lowers one, so what a
person decided to lower stays low until AWS says something worse.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from helpdesk import richtext
from helpdesk.accounts import house
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Doer
from helpdesk.audit.record import SYSTEM, Happening
from helpdesk.kept import insert
from helpdesk.text import clean_block, showable
from sla import clocks
from sla.models import Priority
from tickets import search
from tickets.deed import Deed
from tickets.deeds import begin_all, finish_all, say_all
from tickets.models import Message, Source, Status, Ticket
from tickets.workflow import Conflict

NEWS = "ticket.aws_event_news"


@dataclass(frozen=True, kw_only=True)
class Word:
    """What is new to a ticket.

    `quiet` writes no letter: a further page of what was just told. `priority` that is no higher changes nothing.
    """

    ticket: Ticket
    body: str = ""
    said_at: datetime
    priority: str = ""
    quiet: bool = False


@transaction.atomic(savepoint=False)
def follow(word: Word, *, by: Doer = SYSTEM, at: datetime) -> Ticket:
    """Puts what is new into the timeline and raises the priority, as one step with one letter."""
    deed = begin(word.ticket, by, at)
    if word.body:
        message = _message(deed, word, house.aws(deed.at))
        insert([message])
        search.index([message])
        _said(deed, message, word)
    if word.priority:
        _raise(deed, Priority.objects.filter(code=word.priority).first())
    return deed.finish()


@transaction.atomic(savepoint=False)
def follow_all(words: Sequence[Word], *, at: datetime) -> set[int]:
    """The same of many tickets, in statements for all of them; returns the numbers of those it did, the others being
    for `follow` (deeds.py)."""
    deeds = begin_all([word.ticket.pk for word in words], at)
    done = [(deeds[word.ticket.pk], word) for word in words if word.ticket.pk in deeds]
    voice = house.aws(at)
    said = [(deed, word, _message(deed, word, voice)) for deed, word in done if word.body]
    say_all([message for _deed, _word, message in said])
    for deed, word, message in said:
        _said(deed, message, word)
    wanted = {word.priority for _deed, word in done if word.priority}
    levels = Priority.objects.in_bulk(wanted, field_name="code") if wanted else {}
    for deed, word in done:
        if word.priority:
            _raise(deed, levels.get(word.priority))
    finish_all([deed for deed, _word in done], at=at)
    return set(deeds)


def begin(ticket: Ticket, by: Doer, at: datetime) -> Deed:
    """Locks the ticket, or the one it was merged into."""
    while True:
        try:
            return Deed.begin(ticket, by, at)
        except Conflict as merged:
            if merged.ticket.merged_into is None:
                raise
            ticket = merged.ticket.merged_into


def _message(deed: Deed, word: Word, voice: User) -> Message:
    text = clean_block(showable(word.body))
    return Message(
        ticket=deed.ticket,
        kind=Message.Kind.AWS,
        author=voice,
        by_desk=False,
        source=Source.AWS_HEALTH,
        body=text,
        html=richtext.as_typed(text),
        at=deed.at,
        released_at=deed.at,
        said_at=word.said_at,
        said_by=None,
    )


def _said(deed: Deed, message: Message, word: Word) -> None:
    deed.happen(Happening("ticket.aws_said", {"message": message.pk}, public=True))
    if word.quiet:
        return
    if deed.ticket.is_open:
        # What the customer reads is one of the regular updates; it is nobody's first answer.
        deed.happen(Happening("ticket.aws_shown", {"message": message.pk}, ["reply", "aws"], public=True))
    deed.tell(NEWS, "requester", message=message.pk)
    if not deed.ticket.is_part:
        deed.tell(NEWS, "assignee", message=message.pk)


def _raise(deed: Deed, level: Priority | None) -> None:
    ticket = deed.ticket
    if level is None or level.code not in clocks.targets_of(ticket.terms):
        return
    if level.rank >= ticket.priority.rank or ticket.status == Status.CLOSED:
        return
    old, ticket.priority = ticket.priority_id, level
    deed.changed["priority"] = level
    data = {"old": old, "new": level.code}
    deed.happen(Happening("ticket.health_raised", data, ["priority", level.code], public=True))
    sides = ["requester"] if ticket.is_part else ["requester", "assignee"]
    kind = NEWS if any(news.kind == NEWS for news in deed.news) else "ticket.prioritised"
    deed.tell(kind, *sides, **data)
