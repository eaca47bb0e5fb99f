"""What the sweep reads to find the clocks that are due: few among many, in a table of its own that is rolled back."""

import json
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from helpdesk.bench.assigning import Undo
from sla import ringing

OPEN, DUE = 200_000, 50
MOST_ROWS, MOST_MS = 60, 5
ROUNDS = 200
# The same table, with the same indexes, where the very statement of the sweep finds it.
TABLE = """
CREATE SCHEMA bench_sweep;
CREATE TABLE bench_sweep.sla_clock (LIKE public.sla_clock INCLUDING ALL);
SET LOCAL search_path = bench_sweep, public;
"""
# Of the open ones some are due; as many again are decided and not in the index.
CLOCKS = """
INSERT INTO sla_clock (subject, kind, cycle, drill, customer_id, target_s, started_at, due_at, completed_at, verdict,
    next_event_at, running_s, paused_s, cause, priority, category, engineer, source)
SELECT 'HD-' || n, 'resolution', 1, false, gen_random_uuid(), 14400, %(at)s, %(at)s,
    CASE WHEN n > %(open)s THEN %(at)s::timestamptz END, CASE WHEN n > %(open)s THEN 'met' ELSE 'open' END,
    CASE WHEN n <= %(due)s THEN %(at)s - n * interval '1 second'
         WHEN n <= %(open)s THEN %(at)s + (1 + (n * 7919) %% 1000000) * interval '1 second' END,
    0, 0, '', 'high', 'technical', '', 'web'
FROM generate_series(1, 2 * %(open)s) n
"""


@dataclass(frozen=True)
class Taken:
    """Rows that the index gave, whether they were sorted, the index's name, and p50 milliseconds of the whole look."""

    rows: int
    sorts: bool
    index: str
    found: int
    ms: float


def told() -> str:
    """The measurement in one line, with a verdict each."""
    taken = measured(timezone.now())
    rows = "ok" if taken.rows <= MOST_ROWS and taken.found == DUE else "MISSED"
    sort = "MISSED: sorted" if taken.sorts else "no sort: ok"
    ms = "ok" if taken.ms < MOST_MS else "MISSED"
    return (
        f"{OPEN:,} open clocks, {taken.found} due: {taken.rows} rows of {taken.index} (<= {MOST_ROWS}: {rows}), "
        f"{sort}, {taken.ms:.2f} ms (< {MOST_MS} ms: {ms})"
    )


def measured(at: datetime, count: int = OPEN) -> Taken:
    """Looks for the due clocks among `count` open ones; nothing of it stays."""
    with many_clocks(at, count):
        plan = _plan(at)
        nodes = list(_nodes(plan))
        (scan,) = [node for node in nodes if "Index" in node["Node Type"]]
        times = []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            found = ringing.due(at)
            times.append((time.perf_counter() - begun) * 1000)
        return Taken(
            rows=int(scan["Actual Rows"]) + int(scan.get("Rows Removed by Filter", 0)),
            sorts=any("Sort" in node["Node Type"] for node in nodes),
            index=scan["Index Name"],
            found=len(found),
            ms=statistics.median(times),
        )


@contextmanager
def many_clocks(at: datetime, count: int) -> Iterator[None]:
    """So many open clocks, for the length of a transaction that is undone."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(TABLE)
            cursor.execute(CLOCKS, {"at": at, "open": count, "due": DUE})
            cursor.execute("ANALYZE bench_sweep.sla_clock")
            yield
            raise Undo
    except Undo:
        pass


def _plan(at: datetime) -> dict[str, Any]:
    first = ringing.FIRST
    with connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {ringing.DUE}", [at, first.at, first.clock, ringing.SLICE]
        )
        (found,) = cursor.fetchone()
    told = json.loads(found) if isinstance(found, str) else found
    plan: dict[str, Any] = told[0]["Plan"]
    return plan


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)
