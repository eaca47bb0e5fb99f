"""Who hears of what: the letters of an action, written in its own transaction.

Customer side: the requester, in their language. Desk side: the assignee. Whoever caused an event gets no letter about
it; the receipt of a new ticket is the one exception. Letters carry numbers and codes; words are made when they leave.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from helpdesk.accounts.models import User
from helpdesk.outbox.enqueue import Draft, Hold, Reader, enqueue
from helpdesk.outbox.models import Letter
from tickets.models import Ticket


@dataclass(frozen=True)
class News:
    """Something to be heard of: a kind of letter, who hears it ("requester", "assignee") and its numbers."""

    kind: str
    hearers: tuple[str, ...]
    data: dict[str, Any] = field(default_factory=dict)


def tell(ticket: Ticket, news: Iterable[News], *, by: User, at: datetime, hold: Hold | None = None) -> list[Letter]:
    """Writes one letter a person: of several news of one action the last gives the kind (a reply that also asks)."""
    drafts: dict[int, Draft] = {}
    for one in news:
        for person in people(ticket, one.hearers, by):
            before = drafts[person.pk].data if person.pk in drafts else {"ref": ticket.ref, "by": by.key}
            drafts[person.pk] = Draft(one.kind, person, before | one.data)
    if not drafts:
        return []
    return enqueue(drafts.values(), at=at, subject=ticket.ref, customer=ticket.customer_id, hold=hold)


def opened(
    ticket: Ticket, *, by: User, engineer: Reader | None, leads: Iterable[User], at: datetime, priority: str
) -> list[Letter]:
    """The receipt for the requester; and who has the ticket now, or that nobody could be given it. One statement."""
    ref = ticket.ref
    drafts = [] if ticket.requester.is_service else [_receipt(ticket, priority)]
    if engineer and engineer.key != by.key:
        drafts.append(Draft("ticket.assigned", engineer, {"ref": ref}))
    drafts += [Draft("ticket.assignment_failed", lead, {"ref": ref}) for lead in leads]
    return enqueue(drafts, at=at, subject=ref, customer=ticket.customer_id) if drafts else []


def _receipt(ticket: Ticket, priority: str) -> Draft:
    """The letter that says we have it, with the promise's due times."""
    return Draft("ticket.received", ticket.requester, {"ref": ticket.ref, "priority": priority})


def leads() -> list[User]:
    """Who hears that a ticket has nobody: the leads, or the administrators where there is no lead. One statement."""
    found = list(User.objects.filter(is_active=True, staff_role__in=["lead", "admin"]).order_by("pk"))
    return [u for u in found if u.staff_role == "lead"] or found


def people(ticket: Ticket, hearers: tuple[str, ...], by: User) -> list[User]:
    """The people behind the words, without the one who acted and without those who left."""
    columns = {"requester": "requester", "assignee": "assigned_to"}
    chosen: list[User | None] = [getattr(ticket, columns[h]) for h in hearers]
    return [p for p in chosen if p is not None and p.is_active and not p.is_service and p.pk != by.pk]
