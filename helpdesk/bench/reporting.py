"""What a report costs over a million decided clocks: each of its statements, in tables of their own that are dropped."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sla import report
from sla.models import Kind
from sla.report import Window

CLOCKS, CUSTOMERS, DAYS = 1_000_000, 1000, 90
MOST_MS, ROUNDS = 2000, 3
# The same tables, with the same indexes, where the very statements of a report find them.
TABLES = """
DROP SCHEMA IF EXISTS bench_report CASCADE;
CREATE SCHEMA bench_report;
CREATE TABLE bench_report.sla_clock (LIKE public.sla_clock INCLUDING ALL);
CREATE TABLE bench_report.sla_breach (LIKE public.sla_breach INCLUDING ALL);
CREATE TABLE bench_report.sla_excusal (LIKE public.sla_excusal INCLUDING ALL);
SET search_path = bench_report, public;
"""
# One in twenty broken, one in a hundred of those excused; as many of a hundred paused, void or still open.
FILL = """
INSERT INTO sla_clock (drill, subject, kind, cycle, customer_id, target_s, started_at, due_at, completed_at, breached_at,
    set_aside_at, verdict, running_s, paused_s, cause, priority, category, engineer, source)
SELECT false, 'HD-' || n / 2, (ARRAY['response', 'resolution'])[1 + n %% 2], 1,
    md5((n %% %(customers)s)::text)::uuid, 14400, d, d + interval '4 hours',
    CASE WHEN v IN ('met', 'breached') THEN d + interval '3 hours' END,
    CASE v WHEN 'breached' THEN d + interval '4 hours' END, CASE WHEN v IN ('paused', 'n/a') THEN d END,
    v, 14400, 0, '', (ARRAY['critical', 'high', 'medium', 'low'])[1 + n %% 4],
    (ARRAY['technical', 'billing', 'account'])[1 + n %% 3], 'user:' || n %% 40, (ARRAY['web', 'api', 'email'])[1 + n %% 3]
FROM (SELECT n, %(start)s::timestamptz + (n::bigint * 7919 %% (%(days)s * 86400)) * interval '1 second' AS d,
        CASE WHEN n > %(clocks)s THEN (ARRAY['paused', 'n/a', 'open'])[1 + n %% 3]
             WHEN n %% 20 = 0 THEN 'breached' ELSE 'met' END AS v
      FROM generate_series(1, %(clocks)s + %(clocks)s / 100) n) made;
INSERT INTO sla_breach (clock_id, subject, customer_id, kind, priority, target_s, policy, due_at, breached_at,
    detected_at, cause)
SELECT id, subject, customer_id, kind, priority, target_s, 1, due_at, due_at, due_at, '' FROM sla_clock
WHERE verdict = 'breached';
INSERT INTO sla_excusal (breach_id, reason, note, arn, at, asked_by_id, approver_id)
SELECT id, 'force_majeure', '', '', due_at, 1, 2 FROM sla_breach WHERE id %% 100 = 0;
"""


@dataclass(frozen=True)
class Taken:
    """One statement of a report: what it is for, p50 milliseconds, rows it gave, and its text."""

    name: str
    ms: float
    rows: int
    sql: str
    plan: list[str]


def told() -> Iterator[str]:
    """The measurement, a line a statement and a verdict at the end; then what was said to the database."""
    taken = measured(timezone.now())
    for one in taken:
        yield f"  {one.name:<28} {one.ms:7.0f} ms  {one.rows:>7,} rows"
    whole = sum(one.ms for one in taken if one.name in PAGE)
    yield f"  a report by customer: {whole:.0f} ms (< {MOST_MS} ms: {'ok' if whole < MOST_MS else 'MISSED'})"
    for one in taken:
        yield f"\n{one.name}\n{one.sql}"
        yield from (f"    {line}" for line in one.plan)


# What the page of one report asks.
PAGE = ("by kind and customer", "over time, by week", "not counted")


def measured(at: datetime, clocks: int = CLOCKS) -> list[Taken]:
    """Asks each statement of a report over so many clocks; nothing of it stays."""
    start = at - timedelta(days=DAYS + 1)
    window = Window(start, at, "Asia/Shanghai")
    with many_clocks(start, clocks):
        return [_taken(name, ask) for name, ask in _asked(window, at).items()]


def _asked(window: Window, at: datetime) -> dict[str, Callable[[], list[Any]]]:
    def parted(*by: str) -> Callable[[], list[Any]]:
        return lambda: report.attained(window, by=by, kinds=Kind.values, as_of=at)

    return {
        "by kind and priority": parted("kind", "priority"),
        "by kind and customer": parted("kind", "customer"),
        "by kind and engineer": parted("kind", "engineer"),
        "over time, by week": lambda: report.over_time(_weeks(window), as_of=at),
        "not counted": lambda: report.excluded(window),
    }


def _weeks(window: Window) -> list[Window]:
    week = timedelta(days=7)
    starts = [window.start + n * week for n in range(-(-(window.until - window.start) // week))]
    return [Window(start, min(start + week, window.until), window.zone) for start in starts]


def _taken(name: str, ask: Callable[[], list[Any]]) -> Taken:
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        rows = ask()
        times.append((time.perf_counter() - begun) * 1000)
    with CaptureQueriesContext(connection) as said:
        ask()
    sql = said.captured_queries[-1]["sql"]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) " + sql.replace("%", "%%"), [])
        plan = [line for (line,) in cursor.fetchall()]
    return Taken(name, statistics.median(times), len(rows), sql, plan)


@contextmanager
def many_clocks(start: datetime, clocks: int) -> Iterator[None]:
    """So many decided clocks in a schema of their own, vacuumed as a database's own are each night; then gone."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(TABLES)
            cursor.execute(FILL, {"start": start, "clocks": clocks, "customers": CUSTOMERS, "days": DAYS})
            for table in ("sla_clock", "sla_breach", "sla_excusal"):
                cursor.execute(f"VACUUM ANALYZE bench_report.{table}")
            yield
        finally:
            cursor.execute("SET search_path = public; DROP SCHEMA IF EXISTS bench_report CASCADE")
