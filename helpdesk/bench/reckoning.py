"""How long clocks take to reckon: one long history in office hours, and the nightly comparison of many short ones."""

import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from sla.clock import compute
from sla.facts import Fact
from sla.replay import TARGETS, shipped
from tickets import drift

EVENTS, MOST_MS = 30, 1.0
LEAST_PER_S = 2_000
ROUNDS = 500
ZERO = datetime(2026, 3, 2, 2, tzinfo=UTC)


def told() -> str:
    """Both measurements in a line each, with a verdict."""
    return f"{computed()}\n{recomputed(timezone.now())}"


def computed() -> str:
    """One ticket with 30 events that were weeks apart, on CN-8x5."""
    facts, calendar = long_history(), shipped()["CN-8x5"]
    now = facts[-1][0] + timedelta(days=1)
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        compute(facts, TARGETS, calendar, now)
        times.append((time.perf_counter() - begun) * 1000)
    ms = statistics.median(times)
    verdict = "ok" if ms < MOST_MS else "MISSED"
    return f"compute of {EVENTS} events on CN-8x5: {ms:.3f} ms (< {MOST_MS:.0f} ms: {verdict})"


def long_history() -> list[Fact]:
    """Thirty facts over two months: answers, waits, a priority that goes up and down, a reopening."""
    told: list[list[Any]] = [["created", "medium"], ["assigned"], ["reply", "engineer"], ["status", "in_progress"]]
    for _ in range(5):
        told += [
            ["reply", "engineer"],
            ["status", "waiting_customer"],
            ["reply", "customer"],
            ["status", "in_progress"],
        ]
    told += [["priority", "low"], ["reply", "engineer"], ["status", "resolved"]]
    told += [["reply", "customer"], ["status", "in_progress"], ["priority", "medium"]]
    assert len(told) == EVENTS
    return [(ZERO + timedelta(hours=47 * n), n, fact) for n, fact in enumerate(told)]


def recomputed(at: datetime) -> str:
    """What the nightly job does with the loaded desk, reading and comparing included."""
    begun = time.perf_counter()
    found = drift.compare(at)
    seconds = time.perf_counter() - begun
    rate = found.tickets / seconds
    verdict = "ok" if rate >= LEAST_PER_S else "MISSED"
    return (
        f"recompute of {found.tickets:,} tickets with 8 events: {rate:,.0f}/s (>= {LEAST_PER_S:,}/s: {verdict}), "
        f"{found.waiting} waited for the sweep, {len(found.drifts)} differences"
    )
