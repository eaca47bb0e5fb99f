"""What happens on a ticket because of its cases at AWS: words of AWS, another status, an engineer's leave to read them.

Each is one action of the desk itself, on a rule: AWS's words stand in the timeline, the customer hears of them without
a human (decisions.md, AWS), whoever has the ticket and those who follow it too. They are nobody's first answer. What is
`held` is told as a notice only and read by the customer once an engineer lets them. A status moves the ticket in one
case alone: AWS reopens what we hold for resolved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from helpdesk import richtext
from helpdesk.accounts import house
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Doer, Right, may
from helpdesk.audit.record import SYSTEM, Happening
from helpdesk.text import clean_block, showable
from tickets import search
from tickets.deed import NO_DUE, Deed
from tickets.models import Attachment, Files, Message, Source, Status, Ticket, Turn
from tickets.opening import Opening, open_many
from tickets.workflow import Conflict, stuck

# Held words are released when an engineer says so, and not before.
NEVER = NO_DUE
REOPENED = "reopened"


@dataclass(frozen=True, kw_only=True)
class AwsWords:
    """One communication of a case. `at` is AWS's time, `submitted_by` who wrote it there.

    `automatic` is an acknowledgement that no human wrote; `held` words are a notice only until an engineer has read
    them.
    """

    body: str
    submitted_by: str
    at: datetime
    by_aws: bool
    automatic: bool = False
    held: bool = False
    files: Files = ()

    @property
    def counts(self) -> bool:
        """Whether AWS said something, to the promises."""
        return self.by_aws and not self.automatic


@dataclass(frozen=True)
class CaseTurn:
    """That a case has another status, and who has to act by all cases of the ticket then: "us" or "aws"."""

    display_id: str
    old: str
    new: str
    who_acts: str

    @property
    def data(self) -> dict[str, str]:
        return {"case": self.display_id, "case_old": self.old, "case_new": self.new}


# --- Words -----------------------------------------------------------------------------------------------------------


@transaction.atomic(savepoint=False)
def say(
    *,
    ticket: Ticket,
    words: Sequence[AwsWords],
    turn: CaseTurn | None = None,
    quiet: bool = False,
    by: Doer = SYSTEM,
    at: datetime,
) -> list[Message]:
    """Puts what was said at AWS into the timeline, in its order, and tells of it in one letter a side.

    With `turn` the letter says the case's new status too, so that both are one letter; a status that leads to another
    ticket (`turned`) is a step of its own. `quiet` is for what was said before we read the case first: no letters, no
    promise. A ticket that was merged has it where it went.
    """
    deed = _begin(ticket, by, at)
    said = _messages(deed, words)
    for message, one in zip(said, words, strict=True):
        _happened(deed, message, one, quiet)
    if said and not quiet:
        _tell(deed, said)
    if turn:
        _turn(deed, turn, quiet)
    deed.finish()
    return said


def _begin(ticket: Ticket, by: Doer, at: datetime) -> Deed:
    """Locks the ticket, or the one it was merged into: AWS goes on, wherever we do."""
    while True:
        try:
            return Deed.begin(ticket, by, at)
        except Conflict as merged:
            if merged.ticket.merged_into is None:
                raise
            ticket = merged.ticket.merged_into


def _messages(deed: Deed, words: Sequence[AwsWords]) -> list[Message]:
    """Two statements and those of the files, whatever was said."""
    if not words:
        return []
    voice = house.aws(deed.at)
    said = [_message(deed, one, voice) for one in words]
    Message.objects.bulk_create(said)
    search.index(said)
    for message, one in zip(said, words, strict=True):
        hang(message=message, files=one.files)
    return said


def hang(*, message: Message, files: Files) -> None:
    """Shows files that came from AWS with the message they belong to, whenever they arrive and however large."""
    if files:
        Attachment.objects.filter(pk__in=files, message=None).update(message=message)


def _message(deed: Deed, one: AwsWords, voice: User) -> Message:
    body = clean_block(showable(one.body))
    return Message(
        ticket=deed.ticket,
        kind=Message.Kind.AWS,
        author=voice,
        by_desk=False,
        source=Source.AWS_SUPPORT,
        body=body,
        html=richtext.as_typed(body),
        at=deed.at,
        released_at=NEVER if one.held else deed.at,
        said_at=one.at,
        said_by=None if one.by_aws else showable(one.submitted_by),
    )


def _happened(deed: Deed, message: Message, one: AwsWords, quiet: bool) -> None:
    """Among ourselves the word is to be passed on; of the regular updates one that the customer reads is one."""
    counts = one.counts and not quiet and deed.ticket.is_open
    deed.happen(Happening("ticket.aws_said", {"message": message.pk}, ["aws_reply"] if counts else None, public=True))
    if counts and not one.held:
        _shown(deed, message)


def _shown(deed: Deed, message: Message) -> None:
    deed.happen(Happening("ticket.aws_shown", {"message": message.pk}, ["reply", "aws"], public=True))


def _tell(deed: Deed, said: Sequence[Message]) -> None:
    read = [m.pk for m in said if m.released_at <= deed.at]
    # Held words are no words: an outsider hears nothing, and the letter has nothing to quote.
    customer = {"words": read, "message": read[-1]} if read else {"held": len(said)}
    deed.tell("ticket.aws_said", "requester", **customer)
    deed.tell("ticket.aws_said", "assignee", words=[m.pk for m in said], message=said[-1].pk)


@transaction.atomic(savepoint=False)
def reviewed(*, message: Message, by: User, at: datetime) -> Message:
    """Lets the customer read held words of AWS: an engineer has read them, and passes them on. Raises Conflict."""
    deed = _begin(message.ticket, by, at)
    message = Message.objects.select_for_update().get(pk=message.pk)
    held = message.kind == Message.Kind.AWS and message.released_at > deed.at and message.ticket_id == deed.ticket.pk
    if not held or not may(by, Right.WORK):
        raise Conflict(deed.ticket, stuck(deed.ticket))
    message.released_at = deed.at
    message.save(update_fields=["released_at"])
    open_ = deed.ticket.is_open
    deed.happen(Happening("ticket.aws_released", {"message": message.pk}, ["relay"] if open_ else None))
    if open_ and message.said_by is None:
        _shown(deed, message)
    deed.tell("ticket.aws_said", "requester", words=[message.pk], message=message.pk)
    deed.finish()
    return message


# --- Status ----------------------------------------------------------------------------------------------------------


@transaction.atomic(savepoint=False)
def turned(
    *,
    ticket: Ticket,
    display_id: str,
    old: str,
    new: str,
    who_acts: str,
    quiet: bool = False,
    by: Doer = SYSTEM,
    at: datetime,
) -> Ticket:
    """A case has another status: the line of history, the letter, and whose turn it is by the ticket's cases.

    One that AWS reopens reopens a resolved ticket. Returns the ticket that goes on: where this one is closed, and the
    case is not, a new one that follows it.
    """
    turn = CaseTurn(display_id, old, new, who_acts)
    deed = _begin(ticket, by, at)
    if new == REOPENED and deed.ticket.status == Status.CLOSED:
        return _follow(deed, turn)
    _turn(deed, turn, quiet)
    return deed.finish()


def _turn(deed: Deed, turn: CaseTurn, quiet: bool) -> None:
    ticket = deed.ticket
    ticket.case_turn = deed.changed["case_turn"] = Turn.AWS if turn.who_acts == Turn.AWS else Turn.US
    deed.happen(Happening("ticket.aws_status", turn.data, public=True))
    if turn.new == REOPENED and ticket.status == Status.RESOLVED:
        deed.move("reopen")
    if not quiet:
        _tell_status(deed, turn.data)


def _tell_status(deed: Deed, data: dict[str, str]) -> None:
    """One letter a side: where it goes with words of AWS, theirs says the status too."""
    spoken = any(news.kind == "ticket.aws_said" for news in deed.news)
    kind = "ticket.aws_said" if spoken else "ticket.aws_status"
    deed.tell(kind, "requester", **data)
    deed.tell(kind, "assignee", **data)


def _follow(deed: Deed, turn: CaseTurn) -> Ticket:
    """Closed is final: what AWS goes on with is a ticket of its own, filed for the same person."""
    ticket = deed.ticket
    deed.happen(Happening("ticket.aws_status", turn.data, public=True))
    deed.finish()
    with translation.override(ticket.requester.language):
        text = _("AWS reopened case %(case)s after %(ref)s was closed.") % {"case": turn.display_id, "ref": ticket.ref}
    opening = Opening(
        customer=ticket.customer,
        requester=ticket.requester,
        title=ticket.title,
        description=text,
        category=ticket.category,
        service=ticket.service,
        priority=ticket.priority_id,
        source=Source.AWS_SUPPORT,
        author=house.aws(deed.at),
        follows=ticket,
        case_turn=Turn.AWS if turn.who_acts == Turn.AWS else Turn.US,
    )
    return open_many([opening], by=deed.by, at=deed.at)[0]


# --- Promises among ourselves -----------------------------------------------------------------------------------------

FACTS = ("relay", "case_needed", "case_opened")


@transaction.atomic(savepoint=False)
def heard(
    *, ticket: Ticket, action: str, fact: str, data: dict[str, Any] | None = None, by: Doer = SYSTEM, at: datetime
) -> Ticket:
    """Writes a line of history, for the staff alone, that the promises among ourselves hear (sla.md, rule 14): that
    AWS's words were passed on, that a case is wanted or was opened."""
    if fact not in FACTS:
        raise ValueError(fact)
    deed = _begin(ticket, by, at)
    deed.happen(Happening(action, data or {}, [fact]))
    return deed.finish()
