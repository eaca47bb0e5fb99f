"""What a version of the policy would have made of a window that is past: the same computation, other targets.

The clocks of a window are those its report counts, and those that were set aside in it, which a shorter promise might
have broken before. Each is reckoned again from its ticket's own history and calendar, with what the version promises
the ticket's plan; nothing is written to a clock. A job (helpdesk/jobs) does it in slices. It carries the targets as
they were when somebody asked and reckons as of that instant, so that what is killed and tried again says the same.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _l

from helpdesk import refs
from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry
from helpdesk.jobs import work
from helpdesk.jobs.models import Job
from sla import clocks, report
from sla.actions import digest
from sla.attainment import Attainment
from sla.changes import targets_of
from sla.clock import ClockState, Target, compute
from sla.models import PROMISED, Clock, PolicyVersion, Verdict
from sla.report import Window
from tickets.models import Ticket
from tickets.reporting import midnight

KIND = "sla.what_if"
PAGE = "/sla-config/what-if"
SPANS: dict[str, Any] = {
    "quarter": _l("Last quarter"),
    "30": _l("Last 30 days"),
    "90": _l("Last 90 days"),
}
# Clocks of one slice: well under a second.
BATCH = 200
# So many changed verdicts are listed by name; all are counted.
MOST_LISTED = 2000
COUNTED = {Verdict.MET: 0, Verdict.BREACHED: 1}


# --- Asking ----------------------------------------------------------------------------------------------------------


def window_of(span: str, at: datetime, zone: str) -> Window:
    """The whole quarter before this one, or so many days up to now."""
    today = at.astimezone(ZoneInfo(zone)).date()
    if span == "quarter":
        begins = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
        return Window(midnight(_quarter_before(begins), zone), midnight(begins, zone), zone)
    return Window(midnight(today - timedelta(days=int(span) - 1), zone), at, zone)


def _quarter_before(begins: date) -> date:
    last = begins - timedelta(days=1)
    return last.replace(month=last.month - 2, day=1)


def ask(*, policy: PolicyVersion, span: str, zone: str, by: User, at: datetime) -> Job:
    """Begins to reckon what `policy` would have made of a span. Who asks twice while it runs gets the same job."""
    args = args_of(policy, window_of(span, at, zone), span)
    running = jobs_of(policy).filter(state__in=work.UNDER_WAY, args__digest=args["digest"], args__span=span).first()
    return running or work.begin(KIND, args, by=by, at=at, page=PAGE)


def args_of(policy: PolicyVersion, window: Window, span: str) -> dict[str, Any]:
    """All that the job needs to know: drafts change, this does not."""
    plans: dict[str, list[Any]] = defaultdict(list)
    for row in targets_of(policy):
        plans[str(row.plan_id)].append(row)
    return {
        "version": policy.number,
        "digest": digest(policy),
        "span": span,
        "from": window.start.isoformat(),
        "until": window.until.isoformat(),
        "zone": window.zone,
        "targets": {
            plan: {code: [said.response_s, said.resolution_s] for code, said in clocks.seconds_of(rows).items()}
            for plan, rows in plans.items()
        },
    }


def jobs_of(policy: PolicyVersion) -> QuerySet[Job]:
    """What was asked about a version, the newest first."""
    return Job.objects.filter(kind=KIND, args__version=policy.number).order_by("-id")


# --- A slice ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A job's arguments, read."""

    window: Window
    targets: Mapping[int, Mapping[str, Target]]

    @classmethod
    def read(cls, args: Mapping[str, Any]) -> "Asked":
        told = {int(p): {code: Target(*both) for code, both in rows.items()} for p, rows in args["targets"].items()}
        return cls(window_read(args), told)

    @property
    def passes(self) -> list[tuple[str, QuerySet[Clock]]]:
        """The clocks in two passes, each in the order of its index."""
        aside = report.left_out(Verdict.PAUSED, self.window) | report.left_out(Verdict.NOT_APPLICABLE, self.window)
        return [("due_at", report.decided(self.window)), ("set_aside_at", aside)]


def window_read(args: Mapping[str, Any]) -> Window:
    return Window(datetime.fromisoformat(args["from"]), datetime.fromisoformat(args["until"]), args["zone"])


def slice_of(job: Job, at: datetime) -> work.Step:
    """Reckons the next clocks. Four statements, and at first two that count."""
    asked = Asked.read(job.args)
    found = job.cursor or {"pass": 0, "after": None, "rows": {}, "changed": [], "more": 0, "unknown": 0}
    count = job.count if job.count is not None else sum(rows.count() for _name, rows in asked.passes)
    name, rows = asked.passes[found["pass"]]
    batch = list(_after(rows, name, found["after"]).order_by(name, "id")[:BATCH])
    for clock, verdict in _reckoned(batch, asked, job.asked_at):
        _count(found, clock, verdict)
    if len(batch) == BATCH:
        found["after"] = [getattr(batch[-1], name).isoformat(), batch[-1].pk]
    else:
        found["pass"], found["after"] = found["pass"] + 1, None
    finished = found["pass"] == len(asked.passes)
    done = job.done + len(batch)
    return work.Step(found, done, max(count, done), result_of(found, done) if finished else None)


def _after(rows: QuerySet[Clock], name: str, after: Sequence[Any] | None) -> QuerySet[Clock]:
    if after is None:
        return rows
    when, pk = datetime.fromisoformat(after[0]), after[1]
    return rows.filter(Q(**{f"{name}__gt": when}) | Q(**{name: when, "id__gt": pk}))


def _reckoned(batch: list[Clock], asked: Asked, now: datetime) -> Iterator[tuple[Clock, str | None]]:
    """Each clock with its verdict under the other targets; None where those promise it nothing. Two statements."""
    subjects = {clock.subject for clock in batch}
    numbers = [number for subject in subjects if (number := refs.number(subject))]
    tickets = {ticket.ref: ticket for ticket in Ticket.objects.filter(pk__in=numbers)}
    facts = _facts(subjects)
    known: dict[str, dict[str, ClockState]] = {}
    for clock in batch:
        if clock.subject not in known:
            known[clock.subject] = _states(tickets.get(clock.subject), facts[clock.subject], asked, now)
        state = known[clock.subject].get(clock.kind)
        yield clock, state.verdict if state else None


def _facts(subjects: set[str]) -> dict[str, list[tuple[datetime, int, Any]]]:
    found: dict[str, list[tuple[datetime, int, Any]]] = defaultdict(list)
    told = Entry.objects.filter(subject__in=subjects, fact__isnull=False).order_by("at", "id")
    for subject, when, number, fact in told.values_list("subject", "at", "id", "fact"):
        if fact:
            found[subject].append((when, number, fact))
    return found


def _states(ticket: Ticket | None, facts: list[Any], asked: Asked, now: datetime) -> dict[str, ClockState]:
    targets = asked.targets.get(ticket.plan_id) if ticket else None
    if ticket is None or targets is None:
        return {}
    try:
        reckoning = compute(facts, targets, clocks.calendar_of(ticket.calendar_id), now)
    except KeyError:
        # It had a priority for which the version has no target.
        return {}
    return {"response": reckoning.response, "resolution": reckoning.resolution}


def _count(found: dict[str, Any], clock: Clock, verdict: str | None) -> None:
    if verdict is None:
        found["unknown"] += 1
        return
    row = found["rows"].setdefault(f"{clock.priority}/{clock.kind}", [0, 0, 0, 0])
    for place, said in ((0, clock.verdict), (2, verdict)):
        if said in COUNTED:
            row[place + COUNTED[Verdict(said)]] += 1
    if clock.verdict != verdict and {clock.verdict, verdict} & {Verdict.BREACHED}:
        found["more"] += 1
        if len(found["changed"]) < MOST_LISTED:
            found["changed"].append([clock.subject, clock.kind, clock.priority, clock.verdict, verdict])


def result_of(found: Mapping[str, Any], clocks_seen: int) -> dict[str, Any]:
    """What is kept of a job that is done."""
    return {name: found[name] for name in ("rows", "changed", "more", "unknown")} | {"clocks": clocks_seen}


# --- The result ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Compared:
    """The clocks of one priority and kind: as they were, and as they would have been."""

    priority: str
    kind: str
    stored: Attainment
    draft: Attainment

    @property
    def more(self) -> int:
        """Breaches more, or fewer."""
        return self.draft.breached - self.stored.breached

    @property
    def apart(self) -> int:
        return abs(self.more)

    def __add__(self, other: "Compared") -> "Compared":
        return Compared("", self.kind, self.stored + other.stored, self.draft + other.draft)


@dataclass(frozen=True)
class Change:
    """One clock whose verdict would have been another."""

    ref: str
    kind: str
    priority: str
    was: str
    would: str


def compared(result: Mapping[str, Any]) -> list[Compared]:
    """The rows of a result."""
    found = []
    for name, (met, breached, would_meet, would_breach) in result["rows"].items():
        priority, _slash, kind = name.rpartition("/")
        found.append(Compared(priority, kind, Attainment(met, breached), Attainment(would_meet, would_breach)))
    return sorted(found, key=lambda row: (row.priority, PROMISED.index(row.kind)))


def changed(result: Mapping[str, Any]) -> list[Change]:
    """The clocks by name, in the order of their due times."""
    return [Change(*one) for one in result["changed"]]
