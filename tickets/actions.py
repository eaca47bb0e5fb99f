"""Every write on a ticket: verbs that lock, decide, write history, clocks, letters and columns in one transaction.

Lock order is Ticket, Clock, Load, outbox. `at` is cut to seconds and never earlier than the ticket's last event, so
that history is in order. Facts for the SLA engine are written with the history; the clocks are computed from them.

An action joins the transaction of its door and takes no savepoint of its own: what it refuses undoes the whole door.
Whoever does several in one transaction and goes on after a refusal sets the savepoints.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.record import Happening
from sla import clocks
from sla.models import Priority
from tickets import breaches, mentions
from tickets.deed import UNDO, Deed
from tickets.models import CloseReason, Files, Message, Status, Ticket
from tickets.opening import Opening, open_many
from tickets.stays import REOPEN_WINDOW
from tickets.workflow import Conflict, Refused, check_version, stuck


def open_ticket(*, requester: User | None = None, by: User, at: datetime, **given: Any) -> Ticket:
    """Opens a ticket: the opening text, its clocks, the engineer who takes it and the letters; `given` is an Opening's.

    `requester` is given where an engineer files for a customer; then the response is met at once if the source is phone
    (sla.md, R6). Raises Refused.
    """
    return open_many([Opening(requester=requester or by, **given)], by=by, at=at)[0]


def _priority(code: str, ticket: Ticket) -> Priority:
    """A level that the ticket's own version of the policy names: no other has a target for it."""
    found = Priority.objects.filter(code=code).first() if code in clocks.targets_of(ticket.terms) else None
    if found is None:
        raise Refused("priority", _("This is not a priority we know."))
    return found


@transaction.atomic(savepoint=False)
def reply(
    *,
    ticket: Ticket,
    body: str,
    by: User,
    at: datetime,
    then: str = "",
    version: int | None = None,
    last_seen_message: int | None = None,
    undoable: bool = False,
    apologies: Sequence[int] = (),
    files: Files = (),
) -> Message:
    """A public word. An engineer's starts a new ticket; a customer's resumes a waiting or reopens a resolved one.

    `then` takes the ticket on in the same step: "ask" or "resolve"; `version` is the only one it may answer, where a
    program asks for that; `last_seen_message` the newest one its writer has read. An `undoable` reply of the desk
    reaches the customer UNDO later. `apologies` are the breaches of this ticket that it apologises for. Raises
    Conflict, on a closed ticket too.
    """
    deed = Deed.begin(ticket, by, at)
    ticket = deed.ticket
    check_version(ticket, version)
    deed.check_read(last_seen_message)
    if ticket.status == Status.CLOSED or not may(by, Right.REPLY, ticket.customer_id):
        raise Conflict(ticket, stuck(ticket))
    message = deed.say(Message.Kind.REPLY, body, files, until=at + UNDO if undoable else None)
    if apologies:
        breaches.mark_apologies(deed, apologies, message)
    if by.is_desk:
        deed.tell("ticket.answered", "requester", message=message.pk)
        if ticket.status == Status.NEW:
            deed.move("start")
            deed.take_over()
    else:
        deed.tell("ticket.customer_replied", "assignee", message=message.pk)
        deed.tell("ticket.colleague_replied", "requester", message=message.pk)
        _follow_customer(deed)
    if then and by.is_desk:
        deed.move(then)
    deed.finish()
    return message


def _follow_customer(deed: Deed) -> None:
    """What a customer's word does to the status."""
    match deed.ticket.status:
        case Status.WAITING_CUSTOMER:
            deed.move("resume")
        case Status.RESOLVED:
            _check_window(deed)
            deed.move("reopen")


def _check_window(deed: Deed) -> None:
    resolved = clocks.of_subjects([deed.ticket.ref])[deed.ticket.ref]
    since = max((c.completed_at for c in resolved if c.completed_at), default=deed.at)
    if deed.at > since + REOPEN_WINDOW:
        raise Conflict(deed.ticket, _("This was resolved more than 7 days ago. Please open a follow-up instead."))


@transaction.atomic(savepoint=False)
def note(
    *, ticket: Ticket, body: str, by: User, at: datetime, last_seen_message: int | None = None, files: Files = ()
) -> Message:
    """An internal note: on any ticket, whatever its status; no clock and no customer hears of it.

    Colleagues called in it follow from then on; the message's `unheard` are those who may not see the ticket.
    """
    deed = Deed.begin(ticket, by, at)
    if not may(by, Right.NOTE):
        raise Conflict(deed.ticket, stuck(deed.ticket))
    deed.check_read(last_seen_message)
    message = deed.say(Message.Kind.NOTE, body, files)
    message.unheard = mentions.call(message, deed)  # type: ignore[attr-defined]
    deed.tell("ticket.noted", "assignee", message=message.pk)
    deed.finish()
    return message


@transaction.atomic(savepoint=False)
def start(*, ticket: Ticket, version: int, by: User, at: datetime) -> Ticket:
    """Takes a new ticket up; where nobody had it, whoever starts has it now."""
    deed = Deed.begin(ticket, by, at)
    deed.move("start", version=version)
    deed.take_over()
    return deed.finish()


@transaction.atomic(savepoint=False)
def ask(*, ticket: Ticket, version: int, by: User, at: datetime) -> Ticket:
    """Waits for the customer: only after a public word of ours newer than the customer's last (sla.md, rule 10)."""
    deed = Deed.begin(ticket, by, at)
    check_version(deed.ticket, version)
    said = deed.ticket.messages.filter(undone_at=None).exclude(kind__in=[Message.Kind.NOTE, Message.Kind.AWS])
    last = said.order_by("at", "id").last()
    if last is None or not last.by_desk or last.kind == Message.Kind.OPENING:
        raise Refused("body", _("Ask the customer something first: the last word is theirs."))
    deed.move("ask", version=version)
    return deed.finish()


@transaction.atomic(savepoint=False)
def resume(*, ticket: Ticket, version: int, by: User, at: datetime) -> Ticket:
    """Takes a waiting ticket up again."""
    deed = Deed.begin(ticket, by, at)
    deed.move("resume", version=version)
    return deed.finish()


@transaction.atomic(savepoint=False)
def resolve(*, ticket: Ticket, version: int, body: str, by: User, at: datetime, undoable: bool = False) -> Ticket:
    """Says publicly how it was solved and asks the customer to confirm."""
    return _say_and_move(ticket, "resolve", version, body, by, at, undoable)


@transaction.atomic(savepoint=False)
def close(*, ticket: Ticket, version: int, by: User, at: datetime, body: str = "") -> Ticket:
    """The customer confirms that it is solved. Closed is final."""
    return _say_and_move(ticket, "close", version, body, by, at, close_reason=CloseReason.CONFIRMED)


@transaction.atomic(savepoint=False)
def reopen(*, ticket: Ticket, version: int, body: str, by: User, at: datetime, undoable: bool = False) -> Ticket:
    """It is not solved after all: the resolution clock runs on from where it stood."""
    return _say_and_move(ticket, "reopen", version, body, by, at, undoable)


@transaction.atomic(savepoint=False)
def withdraw(*, ticket: Ticket, version: int, reason: str, by: User, at: datetime) -> Ticket:
    """Ends a ticket without a solution: withdrawn by the customer, duplicate or spam by the desk."""
    allowed = [CloseReason.DUPLICATE, CloseReason.SPAM] if by.is_desk else [CloseReason.WITHDRAWN]
    if reason not in allowed:
        raise Refused("reason", _("Choose one of the reasons."))
    return _say_and_move(ticket, "withdraw", version, "", by, at, close_reason=reason)


def _say_and_move(
    ticket: Ticket,
    verb: str,
    version: int,
    body: str,
    by: User,
    at: datetime,
    undoable: bool = False,
    **columns: Any,
) -> Ticket:
    deed = Deed.begin(ticket, by, at)
    check_version(deed.ticket, version)
    if verb == "reopen" and not by.is_desk:
        _check_window(deed)
    if body:
        deed.say(Message.Kind.REPLY, body, until=at + UNDO if undoable else None)
    deed.move(verb, version=version, **columns)
    return deed.finish()


@transaction.atomic(savepoint=False)
def assign(*, ticket: Ticket, version: int, to: User | None, reason: str, by: User, at: datetime) -> Ticket:
    """Gives the ticket to somebody of the desk, or to nobody. Raises Refused where they cannot take it.

    It needs a reason, unless one takes what nobody has.
    """
    deed = Deed.begin(ticket, by, at)
    _may_work(deed, version)
    if to is not None and not (to.is_desk and Ticket.objects.visible_to(to).filter(pk=ticket.pk).exists()):
        raise Refused("to", _("This person cannot take tickets."))
    held = deed.ticket.assigned_to_id
    if held != (to.pk if to else None):
        if not reason.strip() and not (held is None and to == by):
            raise Refused("reason", _("Write down why: colleagues read it."))
        deed.assign(to, reason)
        deed.tell("ticket.assigned", "assignee")
    return deed.finish()


@transaction.atomic(savepoint=False)
def prioritise(*, ticket: Ticket, version: int, priority: str, reason: str, by: User, at: datetime) -> Ticket:
    """Changes the priority, with a reason; open clocks are reckoned from creation with the new target (rule 7).

    Lowering in the last quarter of a running target needs a lead.
    """
    deed = Deed.begin(ticket, by, at)
    ticket = deed.ticket
    _may_work(deed, version)
    level = _priority(priority, ticket)
    if not reason.strip():
        raise Refused("reason", _("Write down why: the customer's promise changes with it."))
    if level.code == ticket.priority_id:
        raise Refused("priority", _("The ticket has this priority already."))
    if level.rank > ticket.priority.rank:
        _may_lower(deed)
    old, ticket.priority = ticket.priority_id, level
    deed.changed["priority"] = level
    # The reason is for colleagues: an internal note, which the history names by its number.
    data = {"old": old, "new": level.code, "message": deed.say(Message.Kind.NOTE, reason, silent=True).pk}
    deed.happen(Happening("ticket.prioritised", data, ["priority", level.code], public=True))
    deed.tell("ticket.prioritised", "requester", "assignee", old=old, new=level.code)
    return deed.finish()


def _may_work(deed: Deed, version: int) -> None:
    check_version(deed.ticket, version)
    if deed.ticket.status == Status.CLOSED or not may(deed.by, Right.WORK):
        raise Conflict(deed.ticket, stuck(deed.ticket))


def _may_lower(deed: Deed) -> None:
    if deed.person.staff_role in ("lead", "admin"):
        return
    terms = deed.ticket.terms
    reckoning = clocks.reckon(deed.ticket.ref, terms=terms, at=deed.at)
    for state in (reckoning.response, reckoning.resolution):
        if state.verdict in ("open", "paused") and state.running_s * 4 >= state.target_s * 3:
            raise Refused("priority", _("Three quarters of the promised time are used: a lead must lower it now."))
