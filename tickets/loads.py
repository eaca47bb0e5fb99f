"""What each colleague has in hand: points of their open tickets, kept in the transaction that changes them.

A ticket weighs by its priority's rank (assignment.POINTS) while it is new or in progress; one that waits for the
customer, is resolved or closed weighs nothing, nor does a part of an event whose work is its parent's. The rows are a
cache of that sum: `reconcile` compares them nightly. Rows are written in the order of their users and after Ticket and
Clock, so that two writers never wait for each other.
"""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from helpdesk.kept import fetched
from tickets.assignment import POINTS
from tickets.models import AssignmentDecision, Load, Status, Ticket

log = logging.getLogger(__name__)
WEIGHING = [Status.NEW, Status.IN_PROGRESS]


class Weight(NamedTuple):
    """Whom a ticket burdens and with which priority; nobody where it weighs nothing."""

    user: int | None
    priority: str

    @classmethod
    def of(cls, ticket: Ticket) -> "Weight":
        weighs = ticket.status in WEIGHING and not ticket.is_part
        return cls(ticket.assigned_to_id if weighs else None, ticket.priority_id)


NO_WEIGHT = Weight(None, "")


@dataclass(frozen=True)
class Change:
    """What an action makes of loads: what weighed before and after, who was given the ticket, who worked on it."""

    before: Weight = NO_WEIGHT
    after: Weight = NO_WEIGHT
    given_to: int | None = None
    worked: tuple[UUID, int] | None = None


# The weight of a priority, by its rank.
POINTS_OF = "CASE (SELECT rank FROM sla_priority WHERE code = {code}) {known} ELSE 1 END".format(
    code="{code}", known=" ".join(f"WHEN {rank} THEN {points}" for rank, points in POINTS.items())
)
# As text, because every new ticket asks it; and what an action decided is written in the same breath.
DECIDED = """decided AS (INSERT INTO tickets_assignmentdecision
    (ticket_id, at, algorithm, inputs, candidates, winner_id, runner_up_id, sentence_zh, sentence_en, manual_by_id,
     reason_id)
    VALUES (%s, %s, %s, %s::json, %s::json, %s, %s, %s, %s, %s, %s))"""
HANDLED = """handled AS (INSERT INTO tickets_handled (customer_id, user_id, last_at) VALUES (%s, %s, %s)
    ON CONFLICT (customer_id, user_id) DO UPDATE SET last_at = greatest(tickets_handled.last_at, EXCLUDED.last_at))"""
LOADED = f"""loaded AS (INSERT INTO tickets_load (user_id, points, last_assigned_at)
    SELECT user_id, sum(sign * {POINTS_OF.format(code="w.priority")}), max(given)
    FROM (VALUES {{rows}}) w (user_id, sign, priority, given) GROUP BY user_id ORDER BY user_id
    ON CONFLICT (user_id) DO UPDATE SET points = tickets_load.points + EXCLUDED.points,
        last_assigned_at = coalesce(EXCLUDED.last_assigned_at, tickets_load.last_assigned_at))"""


def keep(change: Change, *, at: datetime, decided: AssignmentDecision | None = None, told: Any = None) -> None:
    """Writes an action's change of loads and, where it gave the ticket to somebody, its decision. One statement, none
    where there is nothing to write. `told` is the decision's inputs and candidates as JSON text."""
    parts: list[str] = []
    params: list[Any] = []
    if decided:
        parts.append(DECIDED)
        params += [decided.ticket_id, at, decided.algorithm, *(told or ("{}", "{}"))]
        params += [decided.winner_id, decided.runner_up_id, decided.sentence_zh, decided.sentence_en]
        params += [decided.manual_by_id, decided.reason_id]
    if change.worked:
        parts.append(HANDLED)
        params += [*change.worked, at]
    if rows := list(_rows(change, at)):
        parts.append(LOADED.format(rows=", ".join(["(%s::bigint, %s, %s, %s::timestamptz)"] * len(rows))))
        params += [value for row in rows for value in row]
    if parts:
        fetched(f"WITH {', '.join(parts)} SELECT 1", params)


def burden(given: Iterable[Weight], *, at: datetime) -> None:
    """Puts tickets on those they were given to. One statement, none where none weighs."""
    counted = Counter(weight for weight in given if weight.user)
    rows = [value for weight, number in counted.items() for value in (weight.user, number, weight.priority, at)]
    if rows:
        values = ", ".join(["(%s::bigint, %s, %s, %s::timestamptz)"] * len(counted))
        with connection.cursor() as cursor:
            cursor.execute(f"WITH {LOADED.format(rows=values)} SELECT 1", rows)


def _rows(change: Change, at: datetime) -> Iterable[tuple[Any, ...]]:
    if change.before != change.after:
        if change.before.user:
            yield change.before.user, -1, change.before.priority, None
        if change.after.user:
            yield change.after.user, 1, change.after.priority, None
    if change.given_to:
        yield change.given_to, 0, change.after.priority, at


# --- Nightly ---------------------------------------------------------------------------------------------------------

TRUTH = f"""SELECT t.assigned_to_id AS user_id, sum({POINTS_OF.format(code="t.priority")}) AS points
    FROM tickets_ticket t WHERE t.status IN ('new', 'in_progress') AND t.assigned_to_id IS NOT NULL
    AND NOT (t.source = 'aws_health' AND t.parent_id IS NOT NULL)"""
DRIFTED = f"""SELECT user_id FROM ({TRUTH} GROUP BY 1) t FULL JOIN tickets_load l USING (user_id)
    WHERE coalesce(t.points, 0) <> coalesce(l.points, 0) ORDER BY user_id"""
MENDED = f"""UPDATE tickets_load SET points = coalesce((SELECT points FROM ({TRUTH} AND t.assigned_to_id = %s
    GROUP BY 1) one), 0) WHERE user_id = %s RETURNING points"""


def reconcile() -> str:
    """Compares every load with the tickets behind it and mends what differs; says whose differed, and by how much.

    Whoever changes a ticket writes its load in the same transaction: once we hold a load's row, every change of it is
    either in what we count or waits behind us.
    """
    with connection.cursor() as cursor:
        cursor.execute(DRIFTED)
        users = [user for (user,) in cursor.fetchall()]
    drifts = [drift for user in users if (drift := _mend(user))]
    for drift in drifts:
        log.warning("load: %s", drift)
    return "; ".join(drifts) or "no drift"


def _mend(user: int) -> str:
    with transaction.atomic(), connection.cursor() as cursor:
        Load.objects.bulk_create([Load(user_id=user)], ignore_conflicts=True)
        before = Load.objects.select_for_update().get(user=user).points
        cursor.execute(MENDED, [user, user])
        after = int(cursor.fetchone()[0])
    return f"user:{user} had {before} points and has {after}" if before != after else ""
