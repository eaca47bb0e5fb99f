"""One verb on many tickets: each is a write of its own, answered on its own.

A ticket that cannot be changed stops no other and is not stopped by one; none waits for the locks of the rest. Each has
its own key, so that a form sent twice gives each ticket the first answer again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from helpdesk.accounts.doors import Busy, Mismatch, Refused, once
from helpdesk.accounts.models import User
from tickets import actions, tagging
from tickets.models import CloseReason, Ticket
from tickets.workflow import Conflict

MOST = 100
Act = Callable[..., object]


@dataclass(frozen=True)
class Pick:
    """A ticket somebody picked, and which state of it they looked at; 0 where they saw none."""

    number: int
    version: int = 0


@dataclass(frozen=True)
class Answer:
    """What became of one ticket: done, or why not."""

    ticket: Ticket
    problem: str = ""


def picks(values: Iterable[str]) -> list[Pick]:
    """What the boxes of a form say, "1042" or "1042.7", each ticket once; anything else is no pick."""
    found: dict[int, Pick] = {}
    for value in values:
        number, _dot, version = value.partition(".")
        if _is_number(number) and (not version or _is_number(version)):
            found.setdefault(int(number), Pick(int(number), int(version or 0)))
    return list(found.values())


def _is_number(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) < 10


def act_for(subject: str, said: dict[str, Any]) -> Act:
    """The action that a form of the page means, with its words."""
    match subject:
        case "assign":
            return partial(actions.assign, to=said["to"], reason=said["reason"])
        case "prioritise":
            return partial(actions.prioritise, priority=said["priority"], reason=said["reason"])
        case "tag":
            return partial(tagging.tag, add=said["add"], remove=said["remove"])
    match said["step"]:
        case "resolve":
            return partial(actions.resolve, body=said["body"])
        case CloseReason.DUPLICATE | CloseReason.SPAM as reason:
            return partial(actions.withdraw, reason=str(reason))
    return {"start": actions.start, "ask": actions.ask, "resume": actions.resume}[said["step"]]


def run(
    act: Act, picked: Iterable[Pick], tickets: dict[int, Ticket], *, key: str, digest: str, by: User, at: datetime
) -> list[Answer]:
    """Does `act` on each pick that is among `tickets` (which must have passed visible_to); the answers in their order.

    `key` and `digest` make the whole count once, as doors.once says. Must run outside a transaction.
    """
    answers = []
    for pick in picked:
        if ticket := tickets.get(pick.number):
            own = f"{key}-{pick.number}" if key else ""
            answers.append(Answer(ticket, _one(act, ticket, pick.version, own, digest, by, at)))
    return answers


def _one(act: Act, ticket: Ticket, version: int, key: str, digest: str, by: User, at: datetime) -> str:
    """Why a ticket was not changed; empty where it was."""
    path = f"bulk {ticket.ref}"
    try:
        with once(owner=by.key, key=key, path=path, digest=digest, at=at) as slot:
            if slot.answer is None:
                act(ticket=ticket, version=version, by=by, at=at)
                slot.keep(204, "")
    except (Refused, Conflict) as refused:
        return str(refused)
    except Mismatch:
        return _("This form was sent before with other words. If you mean these as well, send them now.")
    except Busy:
        return _("Somebody else is writing this very moment. Please try this one again.")
    return ""
