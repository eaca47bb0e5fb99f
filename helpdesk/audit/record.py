"""The only writer of history.

An action calls `record` once, inside its own transaction, with everything that happened in it: if the history cannot
be written, nothing happened. Who sat where (address, browser) is set by the door for the length of a request.
"""

import json
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.db import connection

from helpdesk.kept import fetched


class Actor(Protocol):
    """Whoever acts: a person or the desk itself."""

    @property
    def key(self) -> str: ...


@dataclass(frozen=True)
class System:
    """The desk itself, acting on a rule: no row, no login, and no right but what the workflow table gives it.

    It stands wherever an action takes `by`, so it answers what actions ask of a person before they ask for rights.
    """

    key: str = "system"
    is_desk: bool = False


SYSTEM = System()


@dataclass(frozen=True)
class Happening:
    """One line of history before it is written. `data` holds codes, numbers and keys only.

    `by` is who did it, where that is not who did the rest of the action: the desk itself, on a rule.
    """

    action: str
    data: dict[str, Any] = field(default_factory=dict)
    fact: list[Any] | None = None
    public: bool = False
    by: Actor | None = None


@dataclass(frozen=True)
class Sender:
    """The address and browser a request came from."""

    ip: str | None
    user_agent: str


# As text, because every write asks it and the ORM would build two statements anew each time. Ids are drawn in the order
# of the rows.
ROW = "(%s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s::jsonb)"
COLUMNS = ROW.count("%s")
ENTRIES = (
    "INSERT INTO audit_entry (at, actor, actor_role, action, subject, customer, audience, data, fact) "
    "VALUES {rows} RETURNING id"
)
WITH_ORIGIN = (
    "WITH entry AS (INSERT INTO audit_entry (at, actor, actor_role, action, subject, customer, audience, data, fact) "
    "VALUES {rows} RETURNING id), origin AS (INSERT INTO audit_origin (entry_id, at, ip, user_agent) "
    "SELECT min(id), %s::timestamptz, %s::inet, %s FROM entry) SELECT id FROM entry ORDER BY id"
)

sender: ContextVar[Sender | None] = ContextVar("sender", default=None)


def record(
    happenings: Iterable[Happening], *, by: Actor, at: datetime, subject: str, customer: UUID | None = None
) -> list[int]:
    """Writes the happenings in their order, at one instant, and where they came from; returns their ids.

    One statement.
    """
    return record_all([About(happenings, subject, customer)], by=by, at=at)


@dataclass(frozen=True)
class About:
    """What happened to one subject."""

    happenings: Iterable[Happening]
    subject: str
    customer: UUID | None = None


def record_all(told: Iterable[About], *, by: Actor, at: datetime) -> list[int]:
    """The same for several subjects of one action. One statement."""
    if not connection.in_atomic_block:
        raise RuntimeError("history is written inside the action's own transaction")
    rows: list[Any] = []
    for one in told:
        for h in one.happenings:
            audience, fact = "public" if h.public else "staff", None if h.fact is None else json.dumps(h.fact)
            actor, data = h.by or by, json.dumps(h.data)
            rows += [at, actor.key, role_of(actor), h.action, one.subject, one.customer, audience, data, fact]
    if not rows:
        return []
    origin = sender.get()
    sql = WITH_ORIGIN if origin else ENTRIES
    whence = [at, origin.ip, origin.user_agent[:300]] if origin else []
    return [number for (number,) in fetched(sql.format(rows=", ".join([ROW] * (len(rows) // COLUMNS))), rows + whence)]


def role_of(actor: Actor) -> str:
    """The capacity somebody acted in: a staff role, customer, or system."""
    if isinstance(actor, System):
        return "system"
    return getattr(actor, "staff_role", None) or "customer"
