"""Who of the desk is on a ticket right now, and whether it has moved since a page showed it.

A page says every few seconds that somebody looks, types or looks away: one upsert in an unlogged table, gone after
half a minute of silence; a crash may forget it. Nobody outside the desk is in it or sees it, no history is kept of it,
and the ticket's version does not move.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from helpdesk.accounts.models import User
from tickets.models import Message, Ticket

STATES = ("typing", "viewing", "away")
SILENT = timedelta(seconds=30)
# A crowd is a number after the first few faces.
FACES = 6
BEAT = """
WITH beat AS (
    INSERT INTO tickets_presence (ticket_id, user_id, state, at) VALUES (%(ticket)s, %(user)s, %(state)s, %(at)s)
    ON CONFLICT (ticket_id, user_id) DO UPDATE SET state = excluded.state, at = excluded.at
)
SELECT NULL::bigint AS message, p.state AS what, u.name, p.at
FROM tickets_presence p JOIN accounts_user u ON u.id = p.user_id
WHERE p.ticket_id = %(ticket)s AND p.user_id <> %(user)s AND p.at > %(since)s AND u.is_active
UNION ALL
(SELECT m.id, m.kind, u.name, m.at FROM tickets_message m JOIN accounts_user u ON u.id = m.author_id
WHERE m.ticket_id = %(ticket)s AND m.id > %(seen)s AND m.author_id <> %(user)s AND m.undone_at IS NULL
ORDER BY m.id DESC LIMIT 1)
"""


@dataclass(frozen=True)
class Colleague:
    """Somebody who has the ticket open."""

    name: str
    state: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Newest:
    """What somebody else said since the page was shown."""

    pk: int
    kind: str
    author: str
    at: datetime

    @property
    def is_note(self) -> bool:
        return self.kind == Message.Kind.NOTE


@dataclass(frozen=True)
class Here:
    """Who else is here, those who type first; and the newest message that the page does not show."""

    colleagues: list[Colleague]
    newest: Newest | None

    @property
    def faces(self) -> list[Colleague]:
        return self.colleagues[:FACES]

    @property
    def more(self) -> int:
        return len(self.colleagues) - FACES if len(self.colleagues) > FACES else 0

    @property
    def typing(self) -> list[Colleague]:
        return [c for c in self.colleagues if c.state == "typing"]


def beat(*, ticket: Ticket, state: str, seen: int, by: User, at: datetime) -> Here:
    """Says that `by` is on the ticket, and asks who else is and what was said after message `seen`. One statement."""
    given: dict[str, Any] = {
        "ticket": ticket.pk,
        "user": by.pk,
        "state": state,
        "at": at,
        "since": at - SILENT,
        "seen": seen,
    }
    with connection.cursor() as cursor:
        cursor.execute(BEAT, given)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    colleagues = [Colleague(name, what) for message, what, name, _at in rows if message is None]
    colleagues.sort(key=lambda c: (STATES.index(c.state), c.name))
    newest = [Newest(message, what, name, moment) for message, what, name, moment in rows if message is not None]
    return Here(colleagues, newest[0] if newest else None)


def leave(*, ticket: Ticket, by: User) -> None:
    """Somebody closed the page."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tickets_presence WHERE ticket_id = %s AND user_id = %s", [ticket.pk, by.pk])


def forget(at: datetime) -> int:
    """Removes who has been silent; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tickets_presence WHERE at <= %s", [at - SILENT])
        return int(cursor.rowcount)
