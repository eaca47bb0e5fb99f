"""The life of a ticket, as one table: verb, from, to, who may, what the clocks do, who hears.

Who may: the desk's people and the customer's by right; the desk itself, on a rule, from the statuses that the row names.

`move` is the only writer of Ticket.status. It writes where the status is still the one we saw; where it is not, or the
version the person looked at is gone, it raises Conflict and nothing has happened. Closed is final.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from helpdesk import refs
from helpdesk.accounts.doors import Refused as Refused
from helpdesk.accounts.models import CustomerRole, User
from helpdesk.accounts.permissions import Doer, Right, customers_of, may
from helpdesk.audit.models import Entry
from helpdesk.audit.record import Happening, System
from tickets.models import Status, Ticket


class Conflict(Exception):
    """Somebody was quicker, or the ticket is no longer where this makes sense. `ticket` is the fresh one."""

    def __init__(self, ticket: Ticket, message: str) -> None:
        super().__init__(message)
        self.ticket = ticket


class Stale(Conflict):
    """The person, or the program, looked at an older ticket than this one."""


class Crossed(Conflict):
    """Somebody wrote meanwhile what the writer has not read."""


@dataclass(frozen=True)
class Verb:
    """One row of the table. `clocks` says what the resolution clock does; `hears` who gets a letter.

    `system` holds the statuses from which the desk itself may take this step (waking.py says when).
    """

    name: str
    label: Any
    sources: frozenset[str]
    target: str
    action: str
    clocks: str
    public: bool = True
    desk: Right | None = None
    customer: Right | None = None
    system: tuple[str, ...] = ()
    hears: tuple[str, ...] = ()


N, P, W, R, C = Status.NEW, Status.IN_PROGRESS, Status.WAITING_CUSTOMER, Status.RESOLVED, Status.CLOSED


def _verb(name: str, label: Any, sources: tuple[str, ...], target: str, action: str, clocks: str, **rest: Any) -> Verb:
    return Verb(name, label, frozenset(sources), target, f"ticket.{action}", clocks, **rest)


# fmt: off
TABLE: dict[str, Verb] = {v.name: v for v in [
    _verb("start",    _l("Start work"),        (N,),         P, "started",   "runs",    desk=Right.WORK),
    _verb("ask",      _l("Wait for customer"), (N, P),       W, "asked",     "pauses",  desk=Right.WORK, hears=("requester",)),
    _verb("resume",   _l("Resume"),            (W,),         P, "resumed",   "runs",    desk=Right.WORK, customer=Right.REPLY),
    _verb("resolve",  _l("Resolve"),           (N, P, W),    R, "resolved",  "stops",   desk=Right.WORK, system=(W,), hears=("requester",)),
    _verb("close",    _l("It is solved"),      (R,),         C, "closed",    "stops",   customer=Right.CONFIRM, system=(R,), hears=("requester", "assignee")),
    _verb("reopen",   _l("Reopen"),            (R,),         P, "reopened",  "resumes", desk=Right.REOPEN, customer=Right.REOPEN, system=(R,), hears=("requester", "assignee")),
    _verb("withdraw", _l("Withdraw"),          (N, P, W),    C, "withdrawn", "ends",    desk=Right.WORK, customer=Right.WITHDRAW, hears=("requester", "assignee")),
]}
# fmt: on
# What history calls them.
STEPS = [verb.action for verb in TABLE.values()]


@dataclass
class Moved:
    """A status that was written: its history line and the columns that came with it."""

    happening: Happening
    verb: Verb
    data: dict[str, Any] = field(default_factory=dict)


def move(ticket: Ticket, name: str, *, by: Doer, version: int | None = None, **columns: Any) -> Moved:
    """Takes `ticket` (locked) one step and returns the history line to record.

    `version` is the one the person looked at, None where the step is implied by a message. Raises Conflict.
    """
    verb = TABLE[name]
    check_version(ticket, version)
    if ticket.status not in verb.sources or not may_move(ticket, verb, by):
        raise Conflict(ticket, stuck(ticket))
    old = ticket.status
    if not Ticket.objects.filter(pk=ticket.pk, status=old).update(status=verb.target, **columns):
        ticket.refresh_from_db(fields=["status"])
        raise Conflict(ticket, stuck(ticket))
    ticket.status = verb.target
    for column, value in columns.items():
        setattr(ticket, column, value)
    fact = ["withdrawn"] if name == "withdraw" else ["status", verb.target]
    data = {"old": old, "new": verb.target}
    return Moved(Happening(verb.action, data | _codes(columns), fact, verb.public), verb)


def undo(ticket: Ticket, steps: Sequence[Entry], **columns: Any) -> dict[str, str]:
    """Takes back the steps that one action took on a locked ticket; returns old and new status for the history.

    The ticket has the status from before the first of them again. The action writes the undo fact for the clocks and
    says who may, and for how long. Raises Conflict where the ticket took another step since.
    """
    before, after = steps[0].data["old"], steps[-1].data["new"]
    columns["close_reason"] = ""
    if ticket.status != after or stepped_since(ticket, steps[-1]):
        raise Conflict(ticket, stuck(ticket))
    if not Ticket.objects.filter(pk=ticket.pk, status=after).update(status=before, **columns):
        ticket.refresh_from_db(fields=["status"])
        raise Conflict(ticket, stuck(ticket))
    ticket.status = before
    for column, value in columns.items():
        setattr(ticket, column, value)
    return {"old": after, "new": before}


def stepped_since(ticket: Ticket, entry: Entry) -> bool:
    """Whether a ticket took another step after the one that `entry` wrote."""
    return Entry.objects.filter(subject=ticket.ref, action__in=STEPS, pk__gt=entry.pk).exists()


def _codes(columns: dict[str, Any]) -> dict[str, Any]:
    return {"reason": columns["close_reason"]} if columns.get("close_reason") else {}


def check_version(ticket: Ticket, version: int | None) -> None:
    """Raises Stale where the person looked at an older ticket than this one."""
    if version is not None and version != ticket.version:
        raise Stale(ticket, _("The ticket changed while you had it open. Please look at it again."))


def may_move(ticket: Ticket, verb: Verb, user: Doer) -> bool:
    """Whether `user` has the right this verb asks of their side."""
    if isinstance(user, System):
        return ticket.status in verb.system
    right = verb.desk if user.is_desk else verb.customer
    if right is None or not may(user, right, ticket.customer_id):
        return False
    # A colleague who reads along may write; that it is over, the requester says or the company's administrator.
    return user.is_desk or verb.target != C or speaks_for(ticket, user)


def speaks_for(ticket: Ticket, user: User) -> bool:
    """Whether a person of the customer's may say that a ticket is over."""
    return user.pk == ticket.requester_id or customers_of(user).get(ticket.customer_id) == CustomerRole.ADMIN


def offered(ticket: Ticket, user: User) -> list[Verb]:
    """The verbs this person may use on this ticket now, in the table's order."""
    return [v for v in TABLE.values() if ticket.status in v.sources and may_move(ticket, v, user)]


def stuck(ticket: Ticket) -> str:
    """Why nothing happened, in the reader's language."""
    if ticket.merged_into_id:
        return _("%(ref)s was merged into %(into)s meanwhile: please go on there.") % {
            "ref": ticket.ref,
            "into": refs.ref(ticket.merged_into_id),
        }
    return {
        N: _("The ticket is new: that step is not possible yet."),
        P: _("The ticket is in progress now: that step is no longer possible."),
        W: _("The ticket is waiting for the customer now: that step is no longer possible."),
        R: _("The ticket has been resolved meanwhile."),
        C: _("The ticket has been closed meanwhile. A closed ticket stays closed: open a follow-up instead."),
    }[Status(ticket.status)]
