"""The stored stopwatches: start them, recompute them from the history, read them.

Whoever calls holds the lock on what is timed (the ticket), so that two writers cannot compute from different histories.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from helpdesk.audit.models import Entry
from helpdesk.kept import fetched, insert, kept
from sla import alarms, hours
from sla import terms as promises
from sla.clock import ClockState, Reckoning, Target, compute
from sla.models import INTERNAL, OUTWARD, PROMISED, CalendarVersion, Clock, Kind, MatrixCell, PolicyVersion, Verdict
from sla.models import Target as TargetRow
from sla.ringing import Looked, Rung, ring
from sla.worktime import AROUND_THE_CLOCK, Calendar


class Side(StrEnum):
    """Whose promises a subject has: most have both; nobody outside waits for one of the house, and what is a part of
    such a one is worked on there."""

    BOTH = "both"
    OUTWARD = "outward"
    INWARD = "inward"


@dataclass(frozen=True)
class Terms:
    """What was promised: the versions a subject is bound to, by id."""

    policy: int
    plan: int
    calendar: int
    side: Side = Side.BOTH


@dataclass(frozen=True)
class Report:
    """What reports count by: written to the clock while it is undecided, then frozen."""

    customer: UUID
    priority: str
    category: str
    source: str
    engineer: str = ""


# The highest published number effective by then, of the policy and of the calendar of the customer's plan: the one
# assigned to them at that time, where the policy names it, else the default one. As text, because every new ticket asks
# it and the ORM would build it anew each time.
IN_FORCE = """
SELECT w.customer, p.id, plan.id,
    (SELECT v.id FROM sla_calendarversion v JOIN sla_calendar c ON c.id = v.calendar_id
     WHERE (c.id = plan.calendar_id OR c.is_default)
     AND v.state = 'published' AND v.effective_at <= %(at)s
     ORDER BY coalesce(c.id = plan.calendar_id, false) DESC, v.number DESC LIMIT 1)
FROM (SELECT id FROM sla_policyversion WHERE state = 'published' AND effective_at <= %(at)s
      ORDER BY number DESC LIMIT 1) p
CROSS JOIN unnest(%(customers)s::uuid[]) w (customer)
LEFT JOIN sla_planassignment a ON a.customer_id = w.customer
    AND a.from_at <= %(at)s AND (a.until_at > %(at)s OR a.until_at IS NULL)
    AND EXISTS (SELECT FROM sla_target t WHERE t.policy_id = p.id AND t.plan_id = a.plan_id)
JOIN sla_plan plan ON plan.id = a.plan_id OR a.plan_id IS NULL AND plan.is_default
"""


def terms_in_force(at: datetime, customer: UUID | None) -> Terms:
    """The versions a subject opened at `at` for a customer is bound to; None asks for the default plan. One
    statement. Raises LookupError where none is in force."""
    return terms_of_all(at, [customer])[customer]


def terms_of_all(at: datetime, customers: Iterable[UUID | None]) -> dict[UUID | None, Terms]:
    """The same for many customers. One statement, whatever their number."""
    wanted = list(dict.fromkeys(customers))
    found = {customer: versions for customer, *versions in fetched(IN_FORCE, {"at": at, "customers": wanted})}
    if any(None in found.get(customer, (None,)) for customer in wanted):
        raise LookupError("no published policy, plan or calendar is in force")
    return {customer: Terms(*found[customer]) for customer in wanted}


def begin(*, terms: Terms, facts: Iterable[list[Any]], at: datetime) -> list[ClockState]:
    """How the clocks of a subject stand whose history begins with `facts` now. No statement: the caller may still
    write their due times into the subject's own row before that exists."""
    reckoning = compute(
        [(at, n, fact) for n, fact in enumerate(facts)], targets_of(terms), calendar_of(terms.calendar), at
    )
    return applying(reckoning, terms)


def applying(reckoning: Reckoning, terms: Terms) -> list[ClockState]:
    """The clocks of a reckoning that the subject has."""
    if terms.side == Side.BOTH:
        return reckoning.clocks
    inward = terms.side == Side.INWARD
    return [clock for clock in reckoning.clocks if (clock.kind in INTERNAL) == inward]


@dataclass(frozen=True)
class Begun:
    """Clocks that `begin` reckoned, before they are stored."""

    subject: str
    states: Iterable[ClockState]
    report: Report


def start(begun: Iterable[Begun], *, at: datetime) -> list[Clock]:
    """Stores the clocks that `begin` reckoned. One statement."""
    rows = [_row(one.subject, state, one.report, at) for one in begun for state in one.states]
    insert(rows)
    return rows


@dataclass(frozen=True)
class Told:
    """The clocks as they stand now, what they had to say, and since when the subject's status is what it is."""

    clocks: list[Clock]
    rung: Rung
    since: datetime


@dataclass(frozen=True)
class Timed:
    """A subject whose clocks are to be computed again, and what it is bound to."""

    subject: str
    terms: Terms
    report: Report


def recompute(subject: str, *, terms: Terms, report: Report, at: datetime) -> Told:
    """Computes the clocks again from the whole history and stores what changed. Three statements, two if nothing did.

    That time passed is no change: running_s and paused_s of an undecided clock are as of its last one. A breach or a
    warning that is new is written down as well (ringing.py).
    """
    one = Timed(subject, terms, report)
    again = _Again.of(one, reckon(subject, terms=terms, at=at), all_of(subject), at)
    _store(again.found, again.gone, at)
    return again.told(at)


def recompute_all(timed: Sequence[Timed], *, at: datetime) -> list[Told]:
    """The same for many subjects, in their order: three statements for all of them, and those of what rings."""
    subjects = [one.subject for one in timed]
    stored, facts = all_of_subjects(subjects), defaultdict[str, list[Any]](list)
    rows = Entry.objects.filter(subject__in=subjects, fact__isnull=False).order_by("at", "id")
    for subject, when, number, fact in rows.values_list("subject", "at", "pk", "fact"):
        facts[subject].append((when, number, fact))
    again = [
        _Again.of(one, reckon_facts(facts[one.subject], terms=one.terms, at=at), stored.get(one.subject, ()), at)
        for one in timed
    ]
    _store([clock for one in again for clock in one.found], [clock for one in again for clock in one.gone], at)
    return [one.told(at) for one in again]


@dataclass(frozen=True)
class _Again:
    """A subject's clocks before they are stored: as they were and are, and those of which history knows no more."""

    policy: int
    found: list[Looked]
    gone: list[Clock]
    since: datetime

    @classmethod
    def of(cls, timed: Timed, reckoning: Reckoning, clocks: Iterable[Clock], at: datetime) -> "_Again":
        stored = {(c.kind, c.cycle): c for c in clocks}
        drill = any(c.drill for c in stored.values())
        found: list[Looked] = []
        for state in applying(reckoning, timed.terms):
            before = stored.pop((state.kind, state.cycle), None)
            found.append(Looked(before, _row(timed.subject, state, timed.report, at, before, drill), state))
        return cls(timed.terms.policy, found, list(stored.values()), reckoning.spans[-1].start)

    def told(self, at: datetime) -> Told:
        """What they say once they are stored."""
        rung = ring(self.found, policy=number_of(self.policy), at=at)
        return Told([one.after for one in self.found], rung, self.since)


def _store(found: Sequence[Looked], gone: Iterable[Clock], at: datetime) -> None:
    """Writes the rows that changed, and ends the cycles of which the history knows no more. No or one statement."""
    ended = [_undone(clock, at) for clock in gone if clock.cause != UNDONE]
    changed = [one.after for one in found if one.before is None or _told(one.after) != _told(one.before)]
    if ended or changed:
        # Those that end go first, and cycles in their order: at no moment do two of a kind run.
        insert([*ended, *changed], unique=("subject", "kind", "cycle"), update=tuple(STORED))
    for one in found:
        if one.before is not None:
            one.after.pk = one.before.pk


def _undone(clock: Clock, at: datetime) -> Clock:
    """A cycle that a reply began which was taken back. Its row stays, for warnings point at it, and may serve again."""
    clock.verdict, clock.cause, clock.completed_at = Verdict.NOT_APPLICABLE, UNDONE, at
    clock.due_at = clock.next_event_at = None
    return clock


def _told(clock: Clock) -> tuple[Any, ...]:
    return tuple(getattr(clock, name) for name in TOLD)


def reckon(subject: str, *, terms: Terms, at: datetime) -> Reckoning:
    """The computation itself, with the spans behind it. One statement."""
    return reckon_facts([(e.at, e.pk, e.fact) for e in _facts(subject)], terms=terms, at=at)


@kept
def _facts(subject: str) -> QuerySet[Entry]:
    return Entry.objects.filter(subject=subject, fact__isnull=False).only("at", "fact").order_by("at", "id")


def reckon_facts(facts: Iterable[tuple[datetime, int, Any]], *, terms: Terms, at: datetime) -> Reckoning:
    """The same from facts that the caller has read already; an entry without a fact has no say. No statement."""
    heard = [(when, number, fact) for when, number, fact in facts if fact]
    return compute(heard, targets_of(terms), calendar_of(terms.calendar), at)


def of_subjects(subjects: Iterable[str]) -> dict[str, list[Clock]]:
    """What each subject's customer is promised now, response first; of the updates the one under way. One statement."""
    under_way = Q(kind=Kind.UPDATE, completed_at=None)
    return _by_subject(Clock.objects.filter(Q(kind__in=PROMISED) | under_way, subject__in=list(subjects)))


def all_of_subjects(subjects: Iterable[str]) -> dict[str, list[Clock]]:
    """Every cycle of every clock of each subject, internal ones too. One statement."""
    return _by_subject(Clock.objects.filter(subject__in=list(subjects)))


@kept
def all_of(subject: str) -> QuerySet[Clock]:
    """The same of one subject."""
    return Clock.objects.filter(subject=subject).order_by("id")


def promised_now(every: Iterable[Clock]) -> list[Clock]:
    """Of every cycle of a subject's clocks those that `of_subjects` reads. No statement."""
    return [c for c in every if c.kind in PROMISED or (c.kind == Kind.UPDATE and c.completed_at is None)]


def internal_last(every: Iterable[Clock]) -> list[Clock]:
    """Of every cycle of a subject's clocks the last of each promise among ourselves. No statement."""
    return list({c.kind: c for c in every if c.kind not in (*PROMISED, Kind.UPDATE)}.values())


def _by_subject(rows: QuerySet[Clock]) -> dict[str, list[Clock]]:
    found: dict[str, list[Clock]] = defaultdict(list)
    for clock in rows.order_by("subject", "id"):
        found[clock.subject].append(clock)
    return found


def next_due(clocks: Iterable[Clock | ClockState]) -> tuple[datetime, str] | None:
    """The least due time still to be kept, and whose: clocks not completed, open or breached; never an internal one."""
    running = [
        (c.due_at, c.kind)
        for c in clocks
        if c.completed_at is None and c.due_at and c.kind in OUTWARD and c.verdict in (Verdict.OPEN, Verdict.BREACHED)
    ]
    return min(running, default=None)


def targets_of(terms: Terms) -> Mapping[str, Target]:
    """Seconds promised per priority code."""
    return _targets(terms.policy, terms.plan)


# A published version never changes (a trigger sees to it), so what was read once stays true.
@lru_cache(maxsize=64)
def _targets(policy: int, plan: int) -> Mapping[str, Target]:
    return seconds_of(TargetRow.objects.filter(policy=policy, plan=plan).select_related("priority"))


def seconds_of(rows: Iterable[TargetRow]) -> dict[str, Target]:
    """What the rows of one plan promise, in seconds per priority code. No statement where they know their priority."""
    return {
        row.priority.code: Target(
            response_s=row.response_time_minutes * 60,
            resolution_s=row.resolution_time_hours * 3600,
            update_s=row.update_minutes * 60,
            **promises.among_us(row.priority.rank),
        )
        for row in rows
    }


@lru_cache(maxsize=64)
def number_of(policy: int) -> int:
    """The number people know a policy version by."""
    return PolicyVersion.objects.values_list("number", flat=True).get(pk=policy)


@lru_cache(maxsize=64)
def matrix_of(policy: int) -> Mapping[tuple[str, str], str]:
    """{(impact code, urgency code): priority code} of a policy version."""
    cells = MatrixCell.objects.filter(policy=policy)
    return {(i, u): p for i, u, p in cells.values_list("impact__code", "urgency__code", "priority__code")}


@lru_cache(maxsize=64)
def calendar_of(calendar: int) -> Calendar:
    """The working hours of a calendar version."""
    zone, rules, known = CalendarVersion.objects.values_list("zone", "rules", "known_until").get(pk=calendar)
    return AROUND_THE_CLOCK if rules["kind"] == "24x7" else hours.read(rules | {"zone": zone}, known)


TOLD = [
    *("target_s", "started_at", "due_at", "completed_at", "breached_at", "verdict", "next_event_at"),
    *("remaining_s", "cause", "priority", "category", "engineer", "source"),
]
STORED = [*TOLD, "set_aside_at", "running_s", "paused_s"]
SET_ASIDE = (Verdict.PAUSED, Verdict.NOT_APPLICABLE)
# Why a cycle does not count: what began it was taken back.
UNDONE = "undone"
DECIDED = (Verdict.MET, Verdict.BREACHED, Verdict.NOT_APPLICABLE)


def _row(
    subject: str, state: ClockState, report: Report, at: datetime, stored: Clock | None = None, drill: bool = False
) -> Clock:
    frozen = stored is not None and stored.verdict in DECIDED and stored.verdict == state.verdict
    told = stored if frozen and stored else report
    return Clock(
        subject=subject,
        kind=Kind(state.kind),
        cycle=state.cycle,
        drill=drill,
        customer_id=report.customer,
        target_s=state.target_s,
        started_at=state.started_at,
        due_at=state.due_at,
        completed_at=state.completed_at,
        breached_at=state.breached_at,
        set_aside_at=_set_aside_at(state, stored, at),
        verdict=state.verdict,
        next_event_at=alarms.next_event_at(state, at),
        running_s=state.running_s,
        paused_s=state.paused_s,
        remaining_s=state.remaining_s,
        cause=state.cause or "",
        priority=told.priority,
        category=told.category,
        engineer=told.engineer,
        source=told.source,
    )


def _set_aside_at(state: ClockState, stored: Clock | None, at: datetime) -> datetime | None:
    """Whoever pauses or ends a clock writes when; whoever looks at it later leaves that."""
    if state.verdict not in SET_ASIDE:
        return None
    return stored.set_aside_at if stored and stored.verdict == state.verdict else at
