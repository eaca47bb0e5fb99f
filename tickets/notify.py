"""Who hears of what: the letters of an action, written in its own transaction.

Customer side: one letter, to the requester in their language with the participants in copy, so that everybody sees who
else has it. An outsider gets only what was said after they were let in (security.md, M-04), never a mere change of
status. Desk side: the assignee and those who follow, each alone. Whoever caused an event gets no letter about it, and
whoever left hears nothing; the receipt of a new ticket is the one exception. Nobody gets what they said they do without
(preferences.py), which the statement that reads the hearers knows. Letters carry numbers and codes; words are made when
they leave.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from helpdesk.accounts.models import Mail, User, key_of
from helpdesk.audit.record import Actor
from helpdesk.kept import fetched
from helpdesk.outbox.enqueue import Draft, Hold, Reader, enqueue
from helpdesk.outbox.models import Letter
from tickets.models import Ticket

# What somebody may do without, of all that is told here.
TOPICS = {
    "ticket.received": Mail.FILED,
    "ticket.answered": Mail.REPLIES,
    "ticket.colleague_replied": Mail.REPLIES,
    "ticket.aws_said": Mail.AWS,
    "ticket.aws_status": Mail.AWS,
    "ticket.aws_event": Mail.AWS,
    "ticket.aws_event_news": Mail.AWS,
    "ticket.closed": Mail.CLOSINGS,
    "ticket.auto_closed": Mail.CLOSINGS,
    "ticket.assigned": Mail.ASSIGNED,
    "ticket.mentioned": Mail.MENTIONED,
    "ticket.warning": Mail.WARNING,
}


@dataclass(frozen=True)
class News:
    """Something to be heard of: a kind of letter, which sides hear it ("requester", "assignee") and its numbers.

    `to` is one person who hears it alone. `guard` names what must still be true when its letters leave.
    """

    kind: str
    hearers: tuple[str, ...]
    data: dict[str, Any] = field(default_factory=dict)
    to: User | None = None
    guard: str = ""


@dataclass
class Hearer:
    """Somebody who hears of a ticket. `since` is an outsider's: the last message not meant for them."""

    side: str
    key: str
    email: str
    language: str
    zone: str
    since: int | None
    name: str


def tell(ticket: Ticket, news: Iterable[News], *, by: Actor, at: datetime, hold: Hold | None = None) -> list[Letter]:
    """Writes one letter a side or person: of several news of one action the last gives the kind (a reply that asks)."""
    told = _Telling.of(ticket, news, by)
    drafts = told.drafts(hearers(ticket, told.topics) if told.sides else [])
    if not drafts:
        return []
    return enqueue(drafts, at=at, subject=ticket.ref, customer=ticket.customer_id, hold=hold)


def tell_all(told: Iterable[tuple[Ticket, Iterable[News]]], *, by: Actor, at: datetime) -> list[Letter]:
    """The same of many tickets at once. Two statements for all of them."""
    tellings = [_Telling.of(ticket, news, by) for ticket, news in told]
    known = hearers_of_all([(one.ticket, one.topics) for one in tellings if one.sides])
    return enqueue([draft for one in tellings for draft in one.drafts(known.get(one.ticket.pk, []))], at=at)


@dataclass
class _Telling:
    """The news of one action on a ticket, by side; and the letters of those who get one of their own."""

    ticket: Ticket
    sides: dict[str, News]
    own: list[Draft]
    # Who gets a letter of their own gets no second one.
    alone: set[str]

    @classmethod
    def of(cls, ticket: Ticket, news: Iterable[News], by: Actor) -> "_Telling":
        news = list(news)
        told = cls(ticket, {}, [], {by.key, *(one.to.key for one in news if one.to)})
        begin: dict[str, Any] = {"ref": ticket.ref, "by": by.key}
        for one in news:
            for side in one.hearers:
                before = told.sides[side].data if side in told.sides else begin
                told.sides[side] = News(one.kind, (), before | one.data, guard=one.guard)
            if one.to and one.to.key != by.key and wants(one.to.no_mail, one.kind):
                told.own.append(told.about(Draft(one.kind, one.to, begin | one.data)))
        return told

    @property
    def topics(self) -> dict[str, str]:
        return {side: str(TOPICS.get(news.kind, "")) for side, news in self.sides.items()}

    def drafts(self, known: Iterable[Hearer]) -> list[Draft]:
        heard = [h for h in known if h.key not in self.alone]
        found = list(self.own)
        for side, news in self.sides.items():
            found += map(self.about, _letters(side, news, [h for h in heard if h.side == side]))
        return found

    def about(self, draft: Draft) -> Draft:
        return replace(draft, subject=self.ticket.ref, customer=self.ticket.customer_id)


def wants(no_mail: Iterable[str], kind: str) -> bool:
    """Whether somebody who does without `no_mail` gets a letter of this kind."""
    return TOPICS.get(kind, "") not in no_mail


def _letters(side: str, news: News, who: list[Hearer]) -> list[Draft]:
    if side == "assignee":
        return [Draft(news.kind, hearer, news.data, guard=news.guard) for hearer in who]
    # Without words of ours or theirs there is nothing for somebody outside.
    who = [h for h in who if h.since is None or news.data.get("message", 0) > h.since]
    if not who:
        return []
    since = [h.since for h in who if h.since is not None]
    data = news.data | ({"since": max(since)} if since else {})
    return [Draft(news.kind, who[0], data, cc=tuple(who[1:]), guard=news.guard)]


def opened(
    ticket: Ticket, *, by: Actor, engineer: Reader | None, leads: Iterable[User], receipt: str = "ticket.received"
) -> list[Draft]:
    """The receipt for the requester, with the promise's due times; and who has the ticket now, or that nobody could be
    given it. No statement: whoever opened it writes them."""
    about: dict[str, Any] = {"subject": ticket.ref, "customer": ticket.customer_id}
    requester, ref = ticket.requester, {"ref": ticket.ref}
    drafts = []
    if receipt and not requester.is_service and wants(requester.no_mail, receipt):
        drafts.append(Draft(receipt, requester, ref | {"priority": ticket.priority_id}, **about))
    if engineer and engineer.key != by.key:
        drafts.append(Draft("ticket.assigned", engineer, ref, **about))
    return drafts + [Draft("ticket.assignment_failed", lead, ref, **about) for lead in leads]


def leads() -> list[User]:
    """Who hears that a ticket has nobody: the leads, or the administrators where there is no lead. One statement."""
    found = list(User.objects.filter(is_active=True, staff_role__in=["lead", "admin"]).order_by("pk"))
    return [u for u in found if u.staff_role == "lead"] or found


# Each in its order: the requester first, then colleagues and outsiders as they came. `w` is the ticket asked about.
HEARERS = {
    "requester": """
SELECT 'requester', 0, 0, u.id, u.email, u.language, u.zone, NULL::bigint, u.name FROM accounts_user u
WHERE u.id = {requester} AND u.is_active AND NOT u.is_service AND NOT {requester_topic} = ANY(u.no_mail)
AND EXISTS (
    SELECT 1 FROM accounts_membership m WHERE m.user_id = u.id AND m.customer_id = {customer} AND m.is_active)
UNION ALL
SELECT 'requester', 1, p.id, u.id, u.email, u.language, u.zone, NULL, u.name FROM tickets_participant p
JOIN accounts_user u ON u.id = p.user_id
JOIN accounts_membership m ON m.user_id = u.id AND m.customer_id = {customer} AND m.is_active
WHERE p.ticket_id = {ticket} AND u.is_active AND NOT {requester_topic} = ANY(u.no_mail)
UNION ALL
SELECT 'requester', 2, p.id, NULL, p.email, p.language, c.zone, p.since, p.name FROM tickets_participant p
JOIN accounts_customer c ON c.id = {customer}
WHERE p.ticket_id = {ticket} AND p.user_id IS NULL AND p.confirmed_by_id IS NOT NULL""",
    "assignee": """
SELECT 'assignee', 3, u.id, u.id, u.email, u.language, u.zone, NULL::bigint, u.name FROM accounts_user u
WHERE u.is_active AND u.staff_role IN ('engineer', 'lead', 'admin') AND NOT {assignee_topic} = ANY(u.no_mail)
AND (u.id = {assignee} OR NOT 'followed' = ANY(u.no_mail) AND u.id IN (
    SELECT f.user_id FROM tickets_follow f WHERE f.ticket_id = {ticket})
) AND (u.staff_role <> 'engineer' OR NOT EXISTS (
    SELECT 1 FROM accounts_customer c WHERE c.id = {customer} AND c.restricted AND NOT EXISTS (
        SELECT 1 FROM accounts_customerteam t WHERE t.customer_id = c.id AND t.user_id = u.id)))""",
}
GIVEN = {
    "ticket": "bigint", "customer": "uuid", "requester": "bigint", "assignee": "bigint", "requester_topic": "text",
    "assignee_topic": "text",
}  # fmt: skip
ONE = {name: f"%({name})s" for name in GIVEN}
EACH = {name: f"w.{name}" for name in GIVEN}


def hearers(ticket: Ticket, sides: Mapping[str, str]) -> list[Hearer]:
    """Those of these sides who hear of the ticket now, and do not do without the side's topic. One statement."""
    text = "\nUNION ALL".join(HEARERS[side].format(**ONE) for side in sides)
    return [_hearer(*row) for row in fetched(text + "\nORDER BY 2, 3", _given(ticket, sides))]


def hearers_of_all(asked: Sequence[tuple[Ticket, Mapping[str, str]]]) -> dict[int, list[Hearer]]:
    """The same of many tickets, by their number; none of a side that a ticket does not ask for. One statement."""
    found: dict[int, list[Hearer]] = {}
    given = [_given(ticket, sides) for ticket, sides in asked]
    columns = {name: [one.get(name) for one in given] for name in GIVEN}
    # Without a topic of its own a side is not asked for: nothing equals null.
    among = ", ".join(f"%({name})s::{kind}[]" for name, kind in GIVEN.items())
    each = "\nUNION ALL".join(side.format(**EACH) for side in HEARERS.values())
    text = f"SELECT w.ticket, h.* FROM unnest({among}) AS w ({', '.join(GIVEN)}), LATERAL ({each}) h ORDER BY 1, 3, 4"  # noqa: S608
    for ticket, *row in fetched(text, columns) if asked else ():
        found.setdefault(ticket, []).append(_hearer(*row))
    return found


def _given(ticket: Ticket, sides: Mapping[str, str]) -> dict[str, Any]:
    return {
        "ticket": ticket.pk,
        "customer": ticket.customer_id,
        "requester": ticket.requester_id,
        "assignee": ticket.assigned_to_id,
        **{f"{side}_topic": topic for side, topic in sides.items()},
    }


def _hearer(
    side: str,
    _rank: int,
    number: int,
    user: int | None,
    email: str,
    language: str,
    zone: str,
    since: int | None,
    name: str,
) -> Hearer:
    return Hearer(side, key_of(user) if user else f"participant:{number}", email, language, zone, since, name)
