"""Writes many tickets by COPY: as they would stand had each been filed, answered and worked by the actions.

10,000 are open, however many there are in all: the rest are settled, evenly over two years. Eight tickets in ten belong
to two companies in ten. Ids are drawn here and the sequences set behind them.
"""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Model

from helpdesk import refs
from helpdesk.bench import lives, people, words
from oncall.families import FAMILIES
from sla import alarms, clocks
from sla.clock import ClockState
from tickets import cutting, search, stays
from tickets.deed import NO_DUE
from tickets.loads import reconcile
from tickets.models import Category, SearchRow, Status

OPEN = 10_000
BIG = 20_000
SMALL = 5
SMALL_OPEN = 2
TRAINEES = 3
SPAN = timedelta(days=730)
# A settled ticket is at least this old; the younger half of a week of them is still waiting for a word.
SETTLED_FOR = timedelta(days=8)
RESOLVED_FOR = timedelta(days=11)
BATCH = 2_000
MOULDS = 300
SEED = 1042
COLUMNS = {
    "tickets_ticket": (
        "id customer_id requester_id assigned_to_id title status priority category source impact urgency service close_reason "
        "plan_id policy_id calendar_id created_at last_event_at sla_due_at due_kind queue_at wake_at version tags"
    ),
    "tickets_message": "id ticket_id kind author_id by_desk source body html at released_at",
    "tickets_searchrow": "message_id ticket_id edition words",
    "audit_entry": "id at actor actor_role action subject customer audience data fact",
    "sla_clock": (
        "id subject kind cycle drill customer_id target_s started_at due_at completed_at breached_at verdict next_event_at "
        "running_s paused_s remaining_s cause priority category engineer source"
    ),
}
# Who worked for which customer, as the actions would have kept it.
HANDLED = """
INSERT INTO tickets_handled (customer_id, user_id, last_at)
SELECT customer_id, assigned_to_id, max(last_event_at) FROM tickets_ticket WHERE status <> 'new' AND assigned_to_id IS NOT NULL
GROUP BY 1, 2
"""
# What the sweep would have written.
BROKEN = """
INSERT INTO sla_breach (clock_id, subject, customer_id, kind, priority, target_s, policy, due_at, breached_at, detected_at, cause)
SELECT id, subject, customer_id, kind, priority, target_s, 1, due_at, breached_at, breached_at, cause
FROM sla_clock WHERE breached_at IS NOT NULL
"""
SERVICES = list(FAMILIES)
ACTIONS = {"engineer": "replied", "customer": "replied", "last": "replied"}
Progress = Callable[[int, int], None]
# Lines of COPY's text format, by table.
Batch = dict[str, list[str]]


class Draft(NamedTuple):
    """A ticket before its life is told: when, and what is fixed about it. `place` counts among its kind."""

    created_at: datetime
    place: int
    status: str
    priority: str


@dataclass
class Counters:
    """The last id given in each table."""

    tickets_ticket: int
    tickets_message: int
    audit_entry: int
    sla_clock: int


def load(count: int, *, at: datetime, companies: int = people.COMPANIES, progress: Progress) -> Counters:
    """Fills an empty desk with `count` tickets as of `at`; returns the last id of each table."""
    at = at.replace(microsecond=0)
    writer = Writer(count, people.write(at - SPAN, companies), at)
    done = 0
    with without_index(SearchRow), connection.cursor() as cursor:
        for batch in ahead(writer.batches()):
            for table, lines in batch.items():
                with cursor.copy(f"COPY {table} ({', '.join(COLUMNS[table].split())}) FROM STDIN") as copy:
                    copy.write("".join(lines))
            done += min(BATCH, count - done)
            progress(done, count)
        for table, last in vars(writer.last).items():
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, last])
        cursor.execute(HANDLED)
        cursor.execute(BROKEN)
    reconcile()
    return writer.last


@contextmanager
def without_index(model: type[Model]) -> Iterator[None]:
    """Takes the model's indexes away for the length of the block: built at once they take a fraction of the time."""
    with connection.schema_editor() as editor:
        for index in model._meta.indexes:
            editor.remove_index(model, index)
    yield
    with connection.schema_editor() as editor:
        # An index waits for no key that is still to be checked.
        editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for index in model._meta.indexes:
            editor.add_index(model, index)
        # As before, for whoever goes on in the same transaction.
        editor.execute("SET CONSTRAINTS ALL DEFERRED")


def ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches; the next one is told while PostgreSQL takes this one."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, batches, None)
        while batch := coming.result():
            coming = pool.submit(next, batches, None)
            yield batch


class Writer:
    """Tells the lives as lines of COPY's text format."""

    def __init__(self, count: int, who: people.People, at: datetime) -> None:
        self.count, self.who, self.at = count, who, at
        self.open = min(OPEN, count // 3)
        self.big = min(BIG, count // 5)
        self.chance = random.Random(SEED)
        self.terms = clocks.terms_in_force(at, None)
        self.targets = clocks.targets_of(self.terms)
        self.moulds = lives.moulds(MOULDS, self.targets, self.chance)
        self.texts = {
            chinese: {part: Said(_escaped(text.body), _escaped(text.html), text.body) for part, text in parts.items()}
            for chinese, parts in words.texts().items()
        }
        self.last = Counters(1000, 0, 0, 0)
        self.lines: dict[str, list[str]] = {}

    def batches(self) -> Iterator[Batch]:
        """Lines by table, in an order that keys allow, BATCH tickets at a time."""
        drafts = merge(self._settled(), self._open())
        while True:
            self.lines = {table: [] for table in COLUMNS}
            for _, draft in zip(range(BATCH), drafts, strict=False):
                self._ticket(draft)
            if not self.lines["tickets_ticket"]:
                return
            yield self.lines

    # When and what

    def _settled(self) -> Iterator[Draft]:
        total = self.count - self.open
        begin, step = self.at - SPAN, (SPAN - SETTLED_FOR) / total
        for place in range(total):
            created = (begin + place * step).replace(microsecond=0)
            yield Draft(created, place, "resolved" if created > self.at - RESOLVED_FOR else "closed", "")

    def _open(self) -> list[Draft]:
        """Most are on time, some are late; the oldest first."""
        drafts = []
        for place in range(self.open):
            priority = lives.any_priority(self.chance)
            age = 600 + int(self.targets[priority].resolution_s * 1.3 * self.chance.random())
            status = "in_progress" if place < TRAINEES else self._open_status()
            drafts.append(Draft(self.at - timedelta(seconds=age), place, status, priority))
        return sorted(drafts)

    def _open_status(self) -> str:
        return self.chance.choices(["new", "in_progress", "waiting_customer"], [15, 50, 35])[0]

    def _company(self, draft: Draft) -> people.Company:
        """Small's and Big's tickets are counted out; two in ten of the others' companies have eight in ten tickets."""
        is_open = draft.status not in ("resolved", "closed")
        total, big, small = (
            (self.open, self.big // 10, SMALL_OPEN)
            if is_open
            else (self.count - self.open, self.big - self.big // 10, SMALL - SMALL_OPEN)
        )
        if TRAINEES <= draft.place < TRAINEES + small:
            return self.who.companies[people.SMALL]
        # The places left are counted anew, so that Small's take none of Big's.
        place = draft.place - small if draft.place >= TRAINEES + small else draft.place
        if (place + 1) * big // (total - small) > place * big // (total - small):
            return self.who.companies[people.BIG]
        rest = self.who.companies[people.BIG + 1 :]
        large = len(self.who.companies) // 5 - 1
        share = (0.8 * self.count - self.big) / (self.count - self.big - SMALL)
        return self.chance.choice(rest[:large] if self.chance.random() < share else rest[large:])

    # Rows

    def _ticket(self, draft: Draft) -> None:
        self.last.tickets_ticket += 1
        number = self.last.tickets_ticket
        life = self._life(draft)
        row = Row(
            number=number,
            draft=draft,
            life=life,
            company=(company := self._company(draft)),
            requester=company.people[number % len(company.people)],
            engineers=self._engineers(draft, life),
            category=self.chance.choices(Category.values, [80, 12, 8])[0],
            texts=self.texts[number % 2 == 0],
        )
        settled = life.status in self.moulds
        states = [lives.moved(c, draft.created_at) for c in life.clocks] if settled else list(life.clocks)
        self.lines["tickets_ticket"].append(self._ticket_line(row, states))
        self._steps(row)
        for state in states:
            self.last.sla_clock += 1
            self.lines["sla_clock"].append(_clock_line(self.last.sla_clock, row, state, self.at))

    def _life(self, draft: Draft) -> lives.Life:
        if draft.status in self.moulds:
            return self.chance.choice(self.moulds[draft.status])
        age = int((self.at - draft.created_at).total_seconds())
        return lives.open_life(draft.status, draft.priority, age, self.targets, self.at, self.chance)

    def _engineers(self, draft: Draft, life: lives.Life) -> list[int | None]:
        """Whoever had it, in order; half of the new ones were laid aside again."""
        times = sum(step.name == "assigned" for step in life.steps)
        trainee = draft.place < TRAINEES and life.status == "in_progress"
        had: list[int | None] = [*self.chance.choices(self.who.engineers[:-1], k=times)]
        if trainee:
            had[-1] = self.who.engineers[-1]
        elif life.status == "new" and draft.place % 2:
            had[-1] = None
        return had

    def _ticket_line(self, row: "Row", states: list[ClockState]) -> str:
        due = clocks.next_due(states)
        _, impact, urgency = lives.PRIORITIES[row.life.priority]
        last = row.at(row.life.steps[-1])
        # The last step is the one that led to where it stays.
        stay = stays.PLAN.get(Status(row.life.status))
        return (
            f"{row.number}\t{row.company.key}\t{row.requester}\t{row.engineers[-1] or NULL}\t{words.title(row.number)}\t"
            f"{row.life.status}\t{row.life.priority}\t{row.category}\tweb\t{impact}\t{urgency}\t{SERVICES[row.number % len(SERVICES)]}\t"
            f"{'confirmed' if row.life.status == 'closed' else ''}\t{self.terms.plan}\t{self.terms.policy}\t"
            f"{self.terms.calendar}\t{row.draft.created_at}\t{last}\t{due[0] if due else NULL}\t{due[1] if due else ''}\t"
            f"{due[0] if due else NO_DUE}\t{last + stay.told if stay else NULL}\t{row.life.writes}\t{{}}\n"
        )

    def _steps(self, row: "Row") -> None:
        handed, owner = 0, None
        for step in row.life.steps:
            data: dict[str, Any]
            if step.name in lives.SAID:
                data = {"message": self._message(row, step, owner)}
                if step.name == "opened":
                    _, impact, urgency = lives.PRIORITIES[row.life.priority]
                    data |= {"priority": row.life.priority, "impact": impact, "urgency": urgency, "source": "web"}
            elif step.name == "assigned":
                to = row.engineers[handed]
                data = {"old": owner and f"user:{owner}", "to": to and f"user:{to}"}
                handed, owner = handed + 1, to
            else:
                data = {"old": step.old, "new": lives.NEW_STATUS[step.name]}
            self.last.audit_entry += 1
            self.lines["audit_entry"].append(_entry_line(self.last.audit_entry, row, step, data, owner))

    def _message(self, row: "Row", step: lives.Step, owner: int | None) -> int:
        self.last.tickets_message += 1
        number = self.last.tickets_message
        said = row.texts["opening" if step.name == "opened" else step.name]
        kind = "opening" if step.name == "opened" else "reply"
        author = row.requester if step.by_customer else owner or row.first_engineer
        about = f"i-0{row.number:011x}"
        self.lines["tickets_message"].append(
            f"{number}\t{row.number}\t{kind}\t{author}\t{'f' if step.by_customer else 't'}\tweb\t"
            f"{said.body.replace('{id}', about)}\t{said.html.replace('{id}', about)}\t{row.at(step)}\t{row.at(step)}\n"
        )
        marks = search.marks(kind, UUID(row.company.key), row.requester)
        found_by = cutting.literal(words.title(row.number), said.plain.replace("{id}", about), marks)
        self.lines["tickets_searchrow"].append(f"{number}\t{row.number}\t{search.EDITION}\t{found_by}\n")
        return number


NULL = "\\N"


class Said(NamedTuple):
    """A text in COPY's escapes, and as it was said."""

    body: str
    html: str
    plain: str


@dataclass(frozen=True, slots=True)
class Row:
    """One ticket while its rows are written."""

    number: int
    draft: Draft
    life: lives.Life
    company: people.Company
    requester: int
    engineers: list[int | None]
    category: str
    texts: Mapping[str, Said]

    @property
    def first_engineer(self) -> int | None:
        return next(filter(None, self.engineers))

    def at(self, step: lives.Step) -> datetime:
        return self.draft.created_at + timedelta(seconds=step.after)


def _entry_line(number: int, row: Row, step: lives.Step, data: dict[str, Any], owner: int | None) -> str:
    by_customer = step.by_customer or (step.name == "resumed" and row.life.status == "in_progress")
    actor = row.requester if by_customer else owner or row.first_engineer
    audience = "staff" if step.name == "assigned" else "public"
    fact = NULL if step.fact is None else _json(step.fact)
    return (
        f"{number}\t{row.at(step)}\tuser:{actor}\t{'customer' if by_customer else 'engineer'}\t"
        f"ticket.{ACTIONS.get(step.name, step.name)}\t{refs.ref(row.number)}\t{row.company.key}\t{audience}\t"
        f"{_json(data)}\t{fact}\n"
    )


def _clock_line(number: int, row: Row, state: ClockState, at: datetime) -> str:
    engineer = f"user:{row.engineers[-1]}" if row.engineers[-1] else ""
    values = (
        *(
            number,
            refs.ref(row.number),
            state.kind,
            state.cycle,
            False,
            row.company.key,
            state.target_s,
            state.started_at,
        ),
        *(state.due_at, state.completed_at, state.breached_at, state.verdict, alarms.next_event_at(state, at)),
        *(state.running_s, state.paused_s, state.remaining_s, state.cause or "", row.life.priority),
        *(row.category, engineer, "web"),
    )
    return "\t".join(NULL if v is None else str(v) for v in values) + "\n"


_encode = json.JSONEncoder(separators=(",", ":")).encode


def _json(value: Any) -> str:
    # Codes, numbers and keys: nothing COPY would want escaped.
    return _encode(value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def bar(write: Callable[[str], object]) -> Progress:
    """Draws how far it is, at most five times a second."""
    begun = time.monotonic()
    drawn = 0.0

    def draw(done: int, count: int) -> None:
        nonlocal drawn
        now = time.monotonic()
        if now - drawn < 0.2 and done < count:
            return
        drawn = now
        filled = 30 * done // count
        rate = done / max(now - begun, 0.001)
        left = (count - done) / max(rate, 1)
        write(
            f"\r[{'#' * filled}{'.' * (30 - filled)}] {100 * done // count:3} %  {done:,} of {count:,} tickets  "
            f"{rate:,.0f}/s  {left:.0f} s left   "
        )
        if done == count:
            write("\n")

    return draw
