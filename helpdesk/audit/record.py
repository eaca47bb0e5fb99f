"""The only writer of history.

An action calls `record` once, inside its own transaction, with everything that happened in it: if the history cannot
be written, nothing happened. Who sat where (address, browser) is set by the door for the length of a request.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.db import connection

from helpdesk.audit.models import Entry, Origin


class Actor(Protocol):
    """Whoever acts: a person or the desk itself."""

    @property
    def key(self) -> str: ...


@dataclass(frozen=True)
class System:
    """The desk itself, acting on a rule."""

    key: str = "system"


SYSTEM = System()


@dataclass(frozen=True)
class Happening:
    """One line of history before it is written. `data` holds codes, numbers and keys only."""

    action: str
    data: dict[str, Any] = field(default_factory=dict)
    fact: list[Any] | None = None
    public: bool = False


@dataclass(frozen=True)
class Sender:
    """The address and browser a request came from."""

    ip: str | None
    user_agent: str


sender: ContextVar[Sender | None] = ContextVar("sender", default=None)


def record(
    happenings: Iterable[Happening], *, by: Actor, at: datetime, subject: str, customer: UUID | None = None
) -> list[Entry]:
    """Writes the happenings in their order, at one instant, and where they came from. One or two statements."""
    if not connection.in_atomic_block:
        raise RuntimeError("history is written inside the action's own transaction")
    entries = Entry.objects.bulk_create(
        Entry(
            at=at,
            actor=by.key,
            actor_role=role_of(by),
            action=h.action,
            subject=subject,
            customer=customer,
            audience="public" if h.public else "staff",
            data=h.data,
            fact=h.fact,
        )
        for h in happenings
    )
    if (origin := sender.get()) and entries:
        Origin.objects.create(entry_id=entries[0].pk, at=at, ip=origin.ip, user_agent=origin.user_agent[:300])
    return entries


def role_of(actor: Actor) -> str:
    """The capacity somebody acted in: a staff role, customer, or system."""
    if isinstance(actor, System):
        return "system"
    return getattr(actor, "staff_role", None) or "customer"
