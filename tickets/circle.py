"""Who and what stands around a ticket beside its requester and assignee, read in one statement for a page.

What most tickets do not have (kin, drafts) is only looked for here; who finds some reads them.

Whoever left the company is left out, as from the ticket itself; let in again, they stand there again.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import shared_with
from helpdesk.kept import fetched
from tickets import participants, rating
from tickets.models import Score, Ticket

MOST_ADMINS = 20
MOST_CHOICES = 500


@dataclass(frozen=True)
class Reader:
    """A participant as a page shows them. `user` is None for an outsider, `waits` where nobody has let them in yet."""

    number: int
    user: int | None
    name: str
    email: str
    waits: bool
    removable: bool


@dataclass(frozen=True)
class Rating:
    """How it went, and who said so when."""

    score: str
    comment: str
    by: str
    at: datetime

    @property
    def label(self) -> str:
        return str(Score(self.score).label)


@dataclass(frozen=True)
class Circle:
    readers: list[Reader] = field(default_factory=list)
    admins: list[str] = field(default_factory=list)
    # Colleagues who follow, by number; never read for a customer's person.
    followers: dict[int, str] = field(default_factory=dict)
    rating: Rating | None = None
    # Tickets that are linked with this one, seen or not: `relations.kin_of` reads those the viewer may see.
    near: list[int] = field(default_factory=list)
    # Whether there is a draft that the viewer may see.
    drafts: bool = False
    # The last word on whose the ticket is; never read for a customer's person.
    decision: dict[str, Any] | None = None

    @property
    def copied(self) -> str:
        """Who gets a reply as well as the requester."""
        return _(", ").join(reader.name for reader in self.readers if not reader.waits)


READ = """
SELECT
(SELECT coalesce(json_agg(r), '[]') FROM (
    SELECT p.id, p.user_id, coalesce(u.name, nullif(p.name, ''), p.email) AS name, coalesce(u.email, p.email) AS email,
        p.confirmed_by_id IS NULL AS waits, p.added_by_id
    FROM tickets_participant p LEFT JOIN accounts_user u ON u.id = p.user_id
    WHERE p.ticket_id = %(ticket)s AND (p.user_id IS NULL OR u.is_active AND EXISTS (
        SELECT 1 FROM accounts_membership m
        WHERE m.user_id = p.user_id AND m.customer_id = %(customer)s AND m.is_active))
    ORDER BY p.id
) r),
(SELECT coalesce(json_agg(a.name), '[]') FROM (
    SELECT u.name FROM accounts_membership m JOIN accounts_user u ON u.id = m.user_id
    WHERE m.customer_id = %(customer)s AND m.is_active AND m.role = 'admin' AND u.is_active AND NOT u.is_service
        AND u.id <> %(requester)s
    ORDER BY u.name LIMIT %(most)s
) a),
(SELECT coalesce(json_object_agg(u.id, u.name ORDER BY u.name), '{}') FROM tickets_follow f
    JOIN accounts_user u ON u.id = f.user_id WHERE f.ticket_id = %(ticket)s AND %(desk)s AND u.staff_role IS NOT NULL),
(SELECT json_build_object('score', s.score, 'comment', s.comment, 'by', u.name, 'at', s.at)
    FROM tickets_satisfaction s JOIN accounts_user u ON u.id = s.by_id WHERE s.ticket_id = %(ticket)s),
ARRAY(
    SELECT high_id FROM tickets_link WHERE low_id = %(ticket)s
    UNION ALL SELECT low_id FROM tickets_link WHERE high_id = %(ticket)s
    UNION ALL SELECT id FROM tickets_ticket WHERE parent_id = %(ticket)s
    UNION ALL SELECT id FROM tickets_ticket WHERE merged_into_id = %(ticket)s
    UNION ALL SELECT %(parent)s::bigint WHERE %(parent)s::bigint IS NOT NULL),
EXISTS (SELECT 1 FROM tickets_draft d JOIN accounts_user u ON u.id = d.user_id
    WHERE d.ticket_id = %(ticket)s AND (d.user_id = %(viewer)s OR %(desk)s AND u.staff_role IS NOT NULL)),
(SELECT json_build_object('at', d.at, 'reason_id', d.reason_id,
        'sentence', CASE WHEN %(chinese)s THEN d.sentence_zh ELSE d.sentence_en END,
        'winner_id', d.winner_id, 'winner', w.name, 'runner_up_id', d.runner_up_id, 'runner_up', r.name,
        'manual_by_id', d.manual_by_id, 'manual_by', m.name)
    FROM tickets_assignmentdecision d LEFT JOIN accounts_user w ON w.id = d.winner_id
    LEFT JOIN accounts_user r ON r.id = d.runner_up_id LEFT JOIN accounts_user m ON m.id = d.manual_by_id
    WHERE d.ticket_id = %(ticket)s AND %(desk)s ORDER BY d.id DESC LIMIT 1)
"""


def read(ticket: Ticket, viewer: User) -> Circle:
    """One statement."""
    given: dict[str, Any] = {
        "ticket": ticket.pk,
        "customer": ticket.customer_id,
        "requester": ticket.requester_id,
        "most": MOST_ADMINS,
        "desk": viewer.is_desk,
        "viewer": viewer.pk,
        "parent": ticket.parent_id,
        "chinese": (get_language() or "").startswith("zh"),
    }
    row = [json.loads(part) if isinstance(part, str) else part for part in fetched(READ, given)[0]]
    found, admins, followers, rated, near, drafts, decision = row
    return Circle(
        [_reader(ticket, viewer, each) for each in found],
        admins,
        {int(pk): name for pk, name in followers.items()},
        Rating(**rated | {"at": datetime.fromisoformat(rated["at"])}) if rated else None,
        near,
        drafts,
        decision,
    )


def _reader(ticket: Ticket, viewer: User, row: dict[str, Any]) -> Reader:
    removable = participants.may_remove(ticket, row["user_id"], row["added_by_id"], viewer)
    return Reader(row["id"], row["user_id"], row["name"], row["email"], row["waits"], removable)


def around(ticket: Ticket, viewer: User, *, choosing: bool, at: datetime) -> dict[str, Any]:
    """What a ticket's page says of those around it, for either side. `choosing`: somebody wants to let people in."""
    circle = read(ticket, viewer)
    return {
        "circle": circle,
        "asks_how": rating.asked_of(ticket, viewer)
        and (circle.rating is None or rating.changeable(circle.rating.at, at)),
        "scores": Score.choices,
        "everybody": ticket.customer_id in shared_with(viewer),
        "may_add": participants.may_add(ticket, viewer),
        "may_confirm": participants.may_confirm(ticket, viewer),
        "colleagues": list(participants.colleagues(ticket)[:MOST_CHOICES]) if choosing else None,
    }


def asked(get: Any, trouble: Any) -> bool:
    """Whether somebody wants to let people in: the choice is read only then."""
    return "people" in get or (trouble is not None and trouble.verb == "participants")


def names(ticket: Ticket, circle: Circle) -> list[str]:
    """Who of the customer's side can see the ticket: requester, participants, administrators, each once."""
    colleagues = [reader.name for reader in circle.readers if reader.user]
    return list(dict.fromkeys([ticket.requester.name, *colleagues, *circle.admins]))
