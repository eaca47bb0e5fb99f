"""What it takes to freeze a month of many customers, in slices as the job works them; rolled back when measured."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpdesk.bench.assigning import Undo
from sla.months import Month
from tickets import freezing

CUSTOMERS, TICKETS = 1000, 20
MOST_S = 300
CUSTOMER = """
INSERT INTO accounts_customer (id, name, code, language, zone, members_see_all, is_active, restricted, support_fee,
    currency, contract_number, created_at)
SELECT gen_random_uuid(), 'Bench ' || n, 'BENCH-F' || n, 'en', (ARRAY['Asia/Shanghai', 'Europe/Berlin'])[1 + n %% 2],
    false, true, false, 20000, 'CNY', '', %(at)s
FROM generate_series(1, %(customers)s) n
"""
TICKET = """
INSERT INTO tickets_ticket (customer_id, requester_id, title, status, priority, category, source, impact, urgency,
    service, close_reason, plan_id, policy_id, calendar_id, created_at, last_event_at, due_kind, queue_at, version, tags)
SELECT c.id, (SELECT min(id) FROM accounts_user), 'Bench', 'resolved', 'high', 'technical', 'web', '', '', '', '',
    (SELECT id FROM sla_plan WHERE is_default), (SELECT min(id) FROM sla_policyversion),
    (SELECT min(id) FROM sla_calendarversion), %(at)s + n * interval '1 day', %(at)s, '', '9999-01-01Z', 1, '{}'
FROM accounts_customer c, generate_series(1, %(tickets)s) n WHERE c.code LIKE 'BENCH-F%%'
"""
CLOCK = """
INSERT INTO sla_clock (subject, kind, cycle, drill, customer_id, target_s, started_at, due_at, completed_at, verdict,
    running_s, paused_s, cause, priority, category, engineer, source)
SELECT 'HD-' || t.id, k.kind, 1, false, t.customer_id, 3600, t.created_at, t.created_at + interval '1 hour',
    t.created_at + interval '30 minutes', 'met', 1800, 0, '', 'high', 'technical', '', 'web'
FROM tickets_ticket t, (VALUES ('response'), ('resolution')) k (kind) WHERE t.title = 'Bench'
"""


@dataclass(frozen=True)
class Taken:
    customers: int
    seconds: float
    slices: int
    statements: int


def told() -> str:
    """The measurement in one line, with its verdict."""
    taken = measured()
    verdict = "ok" if taken.seconds < MOST_S else "MISSED"
    each = taken.statements / taken.slices
    return (
        f"{taken.customers:,} customers with {TICKETS} tickets each: {taken.seconds:.1f} s (< {MOST_S} s: {verdict}), "
        f"{taken.slices} slices of {freezing.SLICE}, {each:.0f} statements a slice"
    )


def measured(customers: int = CUSTOMERS) -> Taken:
    """Freezes a month that is over; nothing of it stays."""
    found: list[Taken] = []
    try:
        with transaction.atomic():
            month = Month.of(timezone.now().date()).before
            _fill(datetime(month.first.year, month.first.month, 1, tzinfo=UTC), customers)
            found.append(_freeze(month))
            raise Undo
    except Undo:
        pass
    return found[0]


def _fill(at: datetime, customers: int) -> None:
    given: dict[str, Any] = {"at": at, "customers": customers, "tickets": TICKETS}
    with connection.cursor() as cursor:
        for statement in (CUSTOMER, TICKET, CLOCK):
            cursor.execute(statement, given)
        cursor.execute("ANALYZE sla_clock, tickets_ticket")


def _freeze(month: Month) -> Taken:
    waiting, slices, done = list(freezing.wanting(month)), 0, 0
    begun = time.perf_counter()
    with CaptureQueriesContext(connection) as seen:
        for start in range(0, len(waiting), freezing.SLICE):
            done += len(freezing.freeze(waiting[start : start + freezing.SLICE], month, timezone.now()))
            slices += 1
    return Taken(done, time.perf_counter() - begun, slices, len(seen))
