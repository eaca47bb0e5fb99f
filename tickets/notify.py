"""Who hears of what: the letters of an action, written in its own transaction.

Customer side: the requester, in their language. Desk side: the assignee. Whoever caused an event gets no letter about
it; the receipt of a new ticket is the one exception. Letters carry numbers and codes; words are made when they leave.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from helpdesk.accounts.models import User
from helpdesk.outbox.enqueue import Draft, enqueue
from helpdesk.outbox.models import Letter
from tickets.models import Ticket


@dataclass(frozen=True)
class News:
    """Something to be heard of: a kind of letter, who hears it ("requester", "assignee") and its numbers."""

    kind: str
    hearers: tuple[str, ...]
    data: dict[str, Any] = field(default_factory=dict)


def tell(ticket: Ticket, news: Iterable[News], *, by: User, at: datetime) -> list[Letter]:
    """Writes one letter a person: of several news of one action the last gives the kind (a reply that also asks)."""
    drafts: dict[int, Draft] = {}
    for one in news:
        for person in people(ticket, one.hearers, by):
            before = drafts[person.pk].data if person.pk in drafts else {"ref": ticket.ref, "by": by.key}
            drafts[person.pk] = Draft(one.kind, person, before | one.data)
    return enqueue(drafts.values(), at=at, subject=ticket.ref, customer=ticket.customer_id) if drafts else []


def receipt(ticket: Ticket, *, at: datetime, **data: Any) -> list[Letter]:
    """The letter that says we have it, with the promise's due times."""
    if ticket.requester.is_service:
        return []
    draft = Draft("ticket.received", ticket.requester, {"ref": ticket.ref, **data})
    return enqueue([draft], at=at, subject=ticket.ref, customer=ticket.customer_id)


def people(ticket: Ticket, hearers: tuple[str, ...], by: User) -> list[User]:
    """The people behind the words, without the one who acted and without those who left."""
    columns = {"requester": "requester", "assignee": "assigned_to"}
    chosen: list[User | None] = [getattr(ticket, columns[h]) for h in hearers]
    return [p for p in chosen if p is not None and p.is_active and not p.is_service and p.pk != by.pk]
