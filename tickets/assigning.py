"""Who gets a new ticket: reads what assignment.decide asks for, and keeps what it answered.

Choices are made one after another, under a lock that lasts until the ticket is committed: nobody is chosen by a load
that another new ticket has changed meanwhile, and of fifty filed at once each goes to whom it should. Only filing takes
that lock, after nothing that anybody who waits for a load could hold; so nobody waits in a circle.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from helpdesk.accounts.models import Customer, StaffRole, User, key_of
from helpdesk.audit.record import SYSTEM, Happening
from helpdesk.kept import fetched
from oncall.duty import Colleague, duty, spoken_code
from oncall.families import FAMILIES
from tickets import loads, notify
from tickets.assignment import ALGORITHM, COLUMNS, Decision, Engineer, Wanted, decide, sentence, told_of
from tickets.models import AssignmentDecision, Ticket

HANDLED_FOR = timedelta(days=90)
BY_HAND = "manual"
WITH_PARENT = "parent"
TIGHT = (",", ":")
# The number is arbitrary; whoever files holds it from the choice until the ticket is there.
LOCK = 7240152
# A statement of its own: the next one sees what was committed while this one waited.
LOCKED = "SELECT pg_advisory_xact_lock(%s), (SELECT rank FROM sla_priority WHERE code = %s)"
# Who was never given a ticket has waited longest.
STANDINGS = """
SELECT u.id, greatest(l.points, 0), trunc(extract(epoch FROM coalesce(%(at)s - l.last_assigned_at,
    %(at)s - timestamptz 'epoch')))::bigint, h.user_id IS NOT NULL, t.named, c.restricted, u.no_mail
FROM accounts_user u
JOIN accounts_customer c ON c.id = %(customer)s
LEFT JOIN tickets_load l ON l.user_id = u.id
LEFT JOIN tickets_handled h ON h.user_id = u.id AND h.customer_id = c.id AND h.last_at > %(since)s
LEFT JOIN accounts_customerteam t ON t.user_id = u.id AND t.customer_id = c.id
WHERE u.is_active AND u.staff_role = 'engineer'
"""


class Standing(NamedTuple):
    """How an engineer stands to a customer, and what they have in hand."""

    load: int | None
    idle_s: int
    handled: bool
    named: bool | None
    restricted: bool
    no_mail: list[str]

    @property
    def may_see(self) -> bool:
        return not self.restricted or self.named is not None


@dataclass(frozen=True)
class Choice:
    """What the rule answered: `to` is who takes it, None where nobody can."""

    wanted: Wanted
    engineers: list[Engineer]
    decision: Decision
    colleagues: dict[str, Colleague]
    standings: dict[int, Standing]

    @property
    def told(self) -> Colleague | None:
        """Who takes it, where they want a letter about that."""
        return self.to if self.to and notify.wants(self.standings[self.to.user].no_mail, "ticket.assigned") else None

    @property
    def to(self) -> Colleague | None:
        return self.colleagues[self.decision.winner.key] if self.decision.winner else None

    @property
    def happening(self) -> Happening:
        """The line of history: the desk itself did it."""
        if self.to is None:
            excluded = len(self.decision.candidates)
            return Happening("ticket.assignment_failed", {"rule": ALGORITHM, "asked": excluded}, by=SYSTEM)
        data = {"old": None, "to": self.to.key, "rule": ALGORITHM}
        return Happening("ticket.assigned", data, ["assigned"], by=SYSTEM)


def choose(
    *, customer: Customer, reader: User, service: str, priority: str, response_due_in_s: int, at: datetime
) -> Choice:
    """Decides who takes a ticket that `reader` will read the answers of. Three statements."""
    on_duty = duty(at, service)
    rank, standings = _standings(customer.pk, priority, at)
    spoken = spoken_code(customer.language if reader.is_service else reader.language)
    wanted = Wanted(rank, spoken, service or None, response_due_in_s)
    colleagues = {c.key: c for c in on_duty if c.user in standings}
    engineers = [_engineer(key, c, standings[c.user]) for key, c in colleagues.items()]
    return Choice(wanted, engineers, decide(wanted, engineers), colleagues, standings)


def _standings(customer: UUID, priority: str, at: datetime) -> tuple[int, dict[int, Standing]]:
    ((_void, rank),) = fetched(LOCKED, [LOCK, priority])
    rows = fetched(STANDINGS, {"at": at, "customer": customer, "since": at - HANDLED_FOR})
    return rank, {user: Standing(*row) for user, *row in rows}


def _engineer(key: str, c: Colleague, s: Standing) -> Engineer:
    # By place: there may be hundreds.
    return Engineer(
        key, c.shift, c.next_shift_in_s, c.languages, c.skill, s.load or 0, c.capacity, bool(s.named), s.handled,
        s.idle_s, True, c.leave, s.may_see,
    )  # fmt: skip


def keep(choice: Choice, ticket: Ticket, *, worked: tuple[UUID, int] | None = None, at: datetime) -> None:
    """Writes the decision and burdens who was chosen. One statement."""
    first, second = choice.decision.winner, choice.decision.runner_up
    decided = AssignmentDecision(
        ticket=ticket,
        algorithm=ALGORITHM,
        winner_id=_number(first.key) if first else None,
        runner_up_id=_number(second.key) if second else None,
        sentence_zh=_sentence(choice, "zh"),
        sentence_en=_sentence(choice, "en"),
    )
    to = choice.to.user if choice.to else None
    change = loads.Change(after=loads.Weight(to, ticket.priority_id), given_to=to, worked=worked)
    loads.keep(change, at=at, decided=decided, told=_told(choice))


def given(ticket: Ticket) -> Happening:
    """The line of history where a ticket came with its engineer."""
    data = {"old": None, "to": key_of(ticket.assigned_to_id or 0), "rule": WITH_PARENT}
    return Happening("ticket.assigned", data, ["assigned"], by=SYSTEM)


def inherited(ticket: Ticket, at: datetime) -> AssignmentDecision:
    """The decision that goes with it, not written yet."""
    to = "{" + key_of(ticket.assigned_to_id or 0) + "}"
    parent = ticket.parent.ref if ticket.parent else ""
    return AssignmentDecision(
        ticket=ticket,
        at=at,
        algorithm=WITH_PARENT,
        winner_id=ticket.assigned_to_id,
        sentence_zh=f"{to} 负责它所属的工单 {parent}。" if parent else f"开单时即指定给 {to}。",
        sentence_en=f"{to} has {parent}, to which it belongs." if parent else f"It was opened for {to}.",
    )


def _number(key: str) -> int:
    return int(key.removeprefix("user:"))


def _sentence(choice: Choice, language: str) -> str:
    family = FAMILIES.get(choice.wanted.service or "")
    service = "" if family is None else family.zh if language == "zh" else family.en
    told = choice.decision.told
    names = {c.key: f"{{{c.key}}}" for c in told}
    return sentence(language, choice.wanted, told, names, service)


def _told(choice: Choice) -> tuple[str, str]:
    """Inputs and candidates as JSON: rows under one head, for there may be hundreds."""
    wanted = choice.wanted
    columns, engineers = told_of(choice.engineers)
    inputs: dict[str, Any] = {
        "ticket": {
            "rank": wanted.rank,
            "points": wanted.points,
            "language": wanted.language,
            "service": wanted.service,
            "response_due_in_s": wanted.response_due_in_s,
        },
        "columns": columns,
        "engineers": engineers,
    }
    candidates = {"columns": COLUMNS, "rows": [c.as_row() for c in choice.decision.candidates]}
    return json.dumps(inputs, separators=TIGHT), json.dumps(candidates, separators=TIGHT)


def by_hand(ticket: Ticket, *, to: User | None, by: User, reason: int | None) -> AssignmentDecision:
    """The decision of a person, not written yet: `reason` is the number of the note that says why."""
    return AssignmentDecision(
        ticket=ticket,
        algorithm=BY_HAND,
        winner_id=to.pk if to else None,
        manual_by_id=by.pk,
        reason_id=reason,
    )


# --- By hand ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Taker:
    """A colleague who may be given a ticket, with what they have in hand. `why_not` is what the rule would say."""

    user: int
    name: str
    load: int
    capacity: int
    leave: bool

    @property
    def full(self) -> bool:
        return self.load >= self.capacity


TAKERS = [StaffRole.ENGINEER, StaffRole.LEAD, StaffRole.ADMIN]
IN_HAND = """
SELECT u.id, greatest(l.points, 0) FROM accounts_user u LEFT JOIN tickets_load l ON l.user_id = u.id
WHERE u.is_active AND (u.staff_role IN ('lead', 'admin') OR u.staff_role = 'engineer' AND (
    NOT (SELECT restricted FROM accounts_customer WHERE id = %s)
    OR EXISTS (SELECT 1 FROM accounts_customerteam t WHERE t.user_id = u.id AND t.customer_id = %s)))
"""


def takers(ticket: Ticket, at: datetime) -> list[Taker]:
    """Who may be given the ticket by hand: every colleague who may see its customer, by name. Two statements."""
    with connection.cursor() as cursor:
        cursor.execute(IN_HAND, [ticket.customer_id, ticket.customer_id])
        in_hand = dict(cursor.fetchall())
    found = [c for c in duty(at, ticket.service, TAKERS) if c.user in in_hand]
    return sorted(
        (Taker(c.user, c.name, in_hand[c.user] or 0, c.capacity, c.leave) for c in found), key=lambda t: t.name
    )
