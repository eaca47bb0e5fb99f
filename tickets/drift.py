"""Are the stored clocks what the history says? All open tickets and those of the last 90 days are reckoned again.

What is stored is a cache of a pure function, so there is never a difference; that there is none is evidence (E1.4). A
clock that has something to say this very minute waits for the sweep and is no difference. Compared are the clocks, what
the ticket itself keeps of them, its status, when it is to be looked at again, and the breaches.

Each night a long job does so a slice at a time (`begin`, `a_slice`); `manage.py sla_drift` does it at once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from helpdesk.audit.record import SYSTEM
from helpdesk.jobs import work
from helpdesk.jobs.models import Job
from sla import alarms, clocks, reading
from sla.clock import ClockState, Reckoning
from sla.models import Breach
from sla.reading import Stored
from tickets import stays
from tickets.deed import NO_DUE
from tickets.models import OPEN, Ticket

SPAN = timedelta(days=90)
BATCH = 500
KIND = "tickets.drift"
# So many differences are kept word for word; all are counted.
LISTED = 100
COMPARED = (
    *("target_s", "started_at", "due_at", "completed_at", "breached_at", "verdict", "next_event_at", "remaining_s"),
    "cause",
)
# Working seconds of a clock that still counts are as of its last change; of one that is over they are final.
FINAL = ("running_s", "paused_s")
# What is read of a ticket.
READ = (
    *("status", "priority", "policy", "plan", "calendar", "last_event_at", "sla_due_at", "due_kind", "queue_at"),
    *("wake_at", "customer", "source", "parent"),
)
Progress = Callable[[int, int], None]


@dataclass
class Found:
    """What was compared: tickets, those that wait for the sweep, and each difference ("HD-1042 what: stored, true")."""

    tickets: int = 0
    waiting: int = 0
    drifts: list[str] = field(default_factory=list)


def compare(at: datetime, progress: Progress = lambda done, count: None) -> Found:
    """Reckons again all that are open at `at` or were touched in the 90 days before it. Four statements a batch."""
    found, last = Found(), 0
    count = _wanted(at).count()
    while batch := _batch(at, last):
        _compare(batch, at, found)
        last = batch[-1].pk
        progress(found.tickets, count)
    return found


def _wanted(at: datetime) -> QuerySet[Ticket]:
    return Ticket.objects.filter(Q(status__in=OPEN) | Q(last_event_at__gte=at - SPAN))


def _batch(at: datetime, last: int) -> list[Ticket]:
    """The next tickets after a number, with the columns that are compared."""
    return list(_wanted(at).filter(pk__gt=last).only(*READ).order_by("pk")[:BATCH])


# --- Each night ------------------------------------------------------------------------------------------------------


def begin(at: datetime) -> Job | None:
    """Begins the nightly comparison, unless one is under way."""
    if Job.objects.filter(kind=KIND, state__in=work.UNDER_WAY).exists():
        return None
    return work.begin(KIND, {}, by=SYSTEM, at=at, page="/console/")


def a_slice(job: Job, at: datetime) -> work.Step:
    """Compares the next tickets after job.cursor; the result says how many, what differs, and over how long."""
    seen = job.cursor or {"last": 0, "waiting": 0, "drifts": 0, "list": []}
    count = _wanted(at).count() if job.count is None else job.count
    batch = _batch(at, seen["last"])
    if not batch:
        return work.Step(seen, job.done, max(count, job.done), seen | {"tickets": job.done})
    found = Found()
    _compare(batch, at, found)
    seen |= {
        "last": batch[-1].pk,
        "waiting": seen["waiting"] + found.waiting,
        "drifts": seen["drifts"] + len(found.drifts),
        "list": (seen["list"] + found.drifts)[:LISTED],
    }
    return work.Step(seen, job.done + found.tickets, count)


def last_run() -> Job | None:
    """The last comparison that came to its end. One statement."""
    return Job.objects.filter(kind=KIND, state=Job.State.DONE).order_by("-id").first()


# --- What differs ----------------------------------------------------------------------------------------------------


def _compare(batch: list[Ticket], at: datetime, found: Found) -> None:
    told = _told(batch, at)
    for ticket in batch:
        found.tickets += 1
        lines = told[ticket.ref]
        if lines:
            # Written while we read? Nobody writes while we hold it.
            with transaction.atomic():
                lines = _told([Ticket.objects.select_for_update().get(pk=ticket.pk)], at)[ticket.ref]
        found.waiting += lines is None
        found.drifts += [f"{ticket.ref} {line}" for line in lines or []]


def _told(batch: list[Ticket], at: datetime) -> dict[str, list[str] | None]:
    """The differences of each ticket, None where it waits for the sweep. Three statements."""
    refs = [ticket.ref for ticket in batch]
    facts, stored = reading.facts_of(refs), reading.clocks_of(refs)
    breaches = {breach.clock_id: breach for breach in Breach.objects.filter(subject__in=refs)}
    found: dict[str, list[str] | None] = {}
    for ticket in batch:
        now = max(at, ticket.last_event_at)
        if any(c.next_event_at and c.next_event_at <= now for c in stored[ticket.ref]):
            found[ticket.ref] = None
            continue
        reckoning = clocks.reckon_facts(facts[ticket.ref], terms=ticket.terms, at=now)
        found[ticket.ref] = list(_differences(ticket, stored[ticket.ref], breaches, reckoning, now))
    return found


def _differences(
    ticket: Ticket,
    stored: list[Stored],
    breaches: dict[int, Breach],
    reckoning: Reckoning,
    at: datetime,
) -> Iterator[str]:
    kept = {(clock.kind, clock.cycle): clock for clock in stored}
    states = clocks.applying(reckoning, ticket.terms)
    for state in states:
        clock = kept.pop((state.kind, state.cycle), None)
        if clock is None:
            yield f"{_name(state)}: not stored"
            continue
        yield from _of_clock(clock, state, at)
        yield from _of_breach(clock, breaches.get(clock.pk))
    for clock in kept.values():
        # A cycle that was taken back keeps its row.
        if clock.cause != clocks.UNDONE:
            yield f"{_name(clock)}: stored, and the history knows of none"
    yield from _of_ticket(ticket, states, reckoning)


def _name(clock: Stored | ClockState) -> str:
    return clock.kind if clock.cycle == 1 else f"{clock.kind} {clock.cycle}"


def _of_clock(clock: Stored, state: ClockState, at: datetime) -> Iterator[str]:
    expected = {name: getattr(state, name) for name in COMPARED}
    expected |= {"next_event_at": alarms.next_event_at(state, at), "cause": state.cause or ""}
    if state.verdict in ("met", "n/a"):
        expected |= {name: getattr(state, name) for name in FINAL}
    yield from _unlike(_name(state), clock, expected)


def _of_breach(clock: Stored, breach: Breach | None) -> Iterator[str]:
    if breach is None or clock.breached_at is None:
        if breach or clock.breached_at:
            yield f"{_name(clock)} breach: {'none' if clock.breached_at else 'written'}, {clock.breached_at}"
        return
    yield from _unlike(
        f"{_name(clock)} breach", breach, {n: getattr(clock, n) for n in ("due_at", "breached_at", "target_s", "cause")}
    )


def _of_ticket(ticket: Ticket, states: list[ClockState], reckoning: Reckoning) -> Iterator[str]:
    due = clocks.next_due(states)
    expected = {
        "status": reckoning.status,
        "priority_id": reckoning.priority,
        "sla_due_at": due[0] if due else None,
        "due_kind": due[1] if due else "",
        "queue_at": due[0] if due else NO_DUE,
    }
    yield from _unlike("ticket", ticket, expected)
    if ticket.wake_at not in stays.instants(ticket.status, reckoning.spans[-1].start):
        yield f"ticket wake_at: {ticket.wake_at}, since {reckoning.spans[-1].start}"


def _unlike(what: str, row: Any, expected: dict[str, Any]) -> Iterator[str]:
    for name, value in expected.items():
        if getattr(row, name) != value:
            yield f"{what} {name}: {getattr(row, name)}, {value}"
