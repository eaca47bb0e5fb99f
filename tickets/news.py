"""What an engineer should hear of without asking: assigned to them, answered by a customer, due soon, new.

One statement a poll, on the history by its key from where the browser stopped. Ids are drawn before they are committed,
so each poll looks a little behind the last id it knew, and the browser forgets what it has told; what happened before
the browser began is never told. Nothing is told of a ticket that `visible_to` would not show.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from helpdesk.accounts.models import News, User
from tickets.models import OPEN, Ticket

# More than is written in the second that a transaction may last.
OVERLAP = 500
# A browser that slept long is told of the latest only.
FARTHEST = 20_000
MOST = 30
SOON = timedelta(hours=1)
SQL = """
WITH top AS (SELECT coalesce(max(id), 0) AS id FROM audit_entry),
     mine AS NOT MATERIALIZED ({visible}),
     happened AS (
        SELECT e.id, e.at, e.action, e.actor_role, e.data ->> 'to' AS receiver,
               CASE WHEN e.subject ~ '^HD-[0-9]{{1,18}}$' THEN substr(e.subject, 4)::bigint END AS ticket
        FROM audit_entry e
        WHERE e.id > greatest(%(since)s - %(overlap)s, (SELECT id FROM top) - %(farthest)s) AND e.at >= %(begun)s
          AND e.action IN ('ticket.opened', 'ticket.assigned', 'ticket.replied') AND e.actor <> %(me)s
     )
SELECT top.id, told.* FROM top LEFT JOIN (
    (SELECT h.id::text AS key, n.kind, h.at, t.id AS ticket, t.title
     FROM happened h JOIN mine t ON t.id = h.ticket
     CROSS JOIN LATERAL (SELECT CASE
        WHEN h.action = 'ticket.opened' THEN 'new'
        WHEN h.action = 'ticket.assigned' AND h.receiver = %(me)s THEN 'assigned'
        WHEN h.action = 'ticket.replied' AND h.actor_role = 'customer' AND (t.assigned_to_id = %(user)s OR EXISTS (
            SELECT 1 FROM tickets_follow f WHERE f.ticket_id = t.id AND f.user_id = %(user)s)) THEN 'replied'
     END AS kind) n
     WHERE n.kind = ANY(%(kinds)s) ORDER BY h.id DESC LIMIT %(most)s)
    UNION ALL
    (SELECT 'due ' || t.id || ' ' || extract(epoch FROM t.queue_at)::bigint, 'soon', t.queue_at, t.id, t.title
     FROM mine t WHERE t.assigned_to_id = %(user)s AND t.status = ANY(%(open)s) AND %(due)s
       AND t.queue_at >= %(at)s AND t.queue_at < %(soon)s ORDER BY t.queue_at LIMIT %(most)s)
) told ON true
"""


@dataclass(frozen=True)
class Mark:
    """Where a browser stands: the last id it was told up to, and since when it listens."""

    since: int
    begun: int

    @classmethod
    def read(cls, text: str) -> "Mark | None":
        since, _dash, begun = text.partition("-")
        if not all(part.isdecimal() and part.isascii() and len(part) < 16 for part in (since, begun)):
            return None
        return cls(int(since), int(begun))

    def __str__(self) -> str:
        return f"{self.since}-{self.begun}"


@dataclass(frozen=True)
class Item:
    """One piece of news; `key` is the same each time it is told."""

    key: str
    kind: str
    at: datetime
    ticket: int
    title: str


def news(user: User, mark: Mark | None, at: datetime) -> tuple[Mark, list[Item]]:
    """What `user` should hear since `mark`, oldest first, and the new mark. One statement.

    Without a mark the browser begins now: it is told what is due soon and nothing of the past.
    """
    began = mark or Mark(0, int(at.timestamp()))
    rows = Ticket.objects.visible_to(user).order_by()
    visible, given = rows.values("id", "title", "assigned_to_id", "status", "queue_at").query.sql_with_params()
    named = {f"v{n}": value for n, value in enumerate(given)}
    params: dict[str, Any] = named | {
        "since": began.since,
        "overlap": OVERLAP,
        "farthest": FARTHEST if mark else 0,
        "begun": _instant(began.begun),
        "me": user.key,
        "user": user.pk,
        "kinds": [kind for kind in user.news if kind in News.values],
        "due": News.SOON in user.news,
        "open": [str(status) for status in OPEN],
        "at": at,
        "soon": at + SOON,
        "most": MOST,
    }
    # The text is the ORM's own, with its parameters beside it.
    sql = SQL.format(visible=visible % tuple(f"%(v{n})s" for n in range(len(given))))
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found = cursor.fetchall()
    items = [Item(*row[1:]) for row in found if row[1] is not None]
    return Mark(found[0][0], began.begun), _once_a_ticket(
        sorted(items, key=lambda item: (item.at, len(item.key), item.key))
    )


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(min(seconds, 253_402_300_000), UTC)


def _once_a_ticket(items: list[Item]) -> list[Item]:
    """Whoever is given a new ticket need not hear that it is new as well."""
    assigned = {item.ticket for item in items if item.kind == News.ASSIGNED}
    return [item for item in items if item.kind != News.NEW or item.ticket not in assigned]
