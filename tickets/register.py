"""The register of broken promises: which of them a reader sees, in which order, and what stands beside each.

The desk sees those of the customers it may see, a company's administrator those of the company, an auditor all of them
without a name. A page is a keyset on (breached_at, id); what stands beside its rows (cause, excusal, apology, ticket)
is read for all of them at once, so a page costs the same whatever it shows. What the desk promises itself is for the
staff alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.http import QueryDict
from django.utils import timezone

from helpdesk import refs, site
from helpdesk.accounts.masking import customer_names, masks, person_names, scrubbed, typed_names
from helpdesk.accounts.models import Customer, CustomerRole, StaffRole, User, hidden_from
from helpdesk.accounts.permissions import customers_of
from sla import terms, words
from sla.clocks import calendar_of
from sla.models import Breach, BreachCause, ExcusalProposal, Kind
from sla.worktime import AROUND_THE_CLOCK
from tickets.models import OPEN, Ticket

ROWS = 25
CAP = 1000
CAUSE_WITHIN = timedelta(days=terms.CAUSE_DAYS)
# So long before the cause is due it is shown as soon due.
SOON = timedelta(days=2)
PROMISES = (Kind.RESPONSE, Kind.RESOLUTION)
# Each tab shows the kinds for which it says yes; what is for the staff alone begins with "ola".
TABS = ("promises", "updates", "ola")


def tab_kinds(tab: str) -> Q:
    if tab == "updates":
        return Q(kind="update")
    return Q(kind__startswith="ola_") if tab == "ola" else Q(kind__in=PROMISES)


def may_see(user: User) -> bool:
    """Whether there is a register for this person: staff, and administrators of a company."""
    return bool(user.is_active and (user.staff_role or administered(user)))


def administered(user: User) -> list[UUID]:
    """The companies a person is an administrator of."""
    return [c for c, role in customers_of(user).items() if role == CustomerRole.ADMIN]


def customers_for(user: User) -> QuerySet[Customer]:
    """The customers whose promises this person may check."""
    if user.staff_role == StaffRole.AUDITOR or user.sees_every_customer:
        return Customer.objects.all()
    return Customer.objects.known_to(user) if user.is_desk else Customer.objects.filter(pk__in=administered(user))


def visible_to(user: User) -> QuerySet[Breach]:
    """The breaches this person may see."""
    found = Breach.objects.all()
    if not user.staff_role:
        return found.filter(customer__in=administered(user)).exclude(kind__startswith="ola_")
    if user.is_desk and not user.sees_every_customer:
        return found.exclude(customer__in=hidden_from(user))
    return found


# --- What is asked ---------------------------------------------------------------------------------------------------

STATES = ("no_cause", "overdue", "excused", "counts", "no_apology")


@dataclass(frozen=True)
class Wish:
    """What the register's address asks for. Anything unknown in it is as if it were not there."""

    tab: str = "promises"
    q: str = ""
    kind: str = ""
    priority: str = ""
    customer: str = ""
    month: str = ""
    state: str = ""
    sort: str = "newest"
    after: str = ""
    before: str = ""

    @classmethod
    def read(cls, get: QueryDict) -> "Wish":
        def one(name: str, known: Iterable[str], otherwise: str = "") -> str:
            return value if (value := get.get(name, "")) in known else otherwise

        return cls(
            tab=one("tab", TABS, "promises"),
            q=" ".join(get.get("q", "").replace("\x00", "").split())[:80],
            kind=one("kind", Kind.values),
            priority=get.get("priority", "").replace("\x00", "")[:20],
            customer=_uuid(get.get("customer", "")),
            month=get.get("month", "") if _month(get.get("month", "")) else "",
            state=one("state", STATES),
            sort=one("sort", ("newest", "oldest"), "newest"),
            after=get.get("after", ""),
            before=get.get("before", ""),
        )

    @property
    def is_filtered(self) -> bool:
        return bool(self.q or self.kind or self.priority or self.customer or self.month or self.state)

    def link(self, **changes: Any) -> str:
        """The address of this list with something changed; cursors do not survive a change."""
        wish = replace(self, **({"after": "", "before": ""} | changes))
        plain = {"tab": "promises", "sort": "newest"}
        return "?" + urlencode([(n, v) for n, v in vars(wish).items() if v and plain.get(n) != v])

    def window(self, at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The month asked for, as instants of a zone; the last REPORT_DAYS days where none is."""
        if not self.month:
            return at - timedelta(days=terms.REPORT_DAYS), at
        year, month = _month(self.month)
        after = (year + month // 12, month % 12 + 1)
        return datetime(year, month, 1, tzinfo=zone), datetime(*after, 1, tzinfo=zone)


def _month(text: str) -> tuple[int, ...]:
    year, _dash, month = text.partition("-")
    if len(year) == 4 and len(month) == 2 and f"{year}{month}".isascii() and f"{year}{month}".isdecimal():
        found = (int(year), int(month))
        return found if 2000 <= found[0] <= 9998 and 1 <= found[1] <= 12 else ()
    return ()


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""


def chosen(user: User, wish: Wish, at: datetime) -> QuerySet[Breach]:
    """The breaches a wish means, in no order yet."""
    rows = visible_to(user).filter(tab_kinds(wish.tab if user.staff_role or wish.tab != "ola" else "promises"))
    if wish.kind:
        rows = rows.filter(kind=wish.kind)
    if wish.priority:
        rows = rows.filter(priority=wish.priority)
    if wish.customer:
        rows = rows.filter(customer=UUID(wish.customer))
    if wish.month:
        start, end = wish.window(at, timezone.get_current_timezone())
        rows = rows.filter(breached_at__gte=start, breached_at__lt=end)
    if wish.q:
        rows = _named(rows, wish.q, user)
    return _in_state(rows, wish.state, at)


def _named(rows: QuerySet[Breach], words: str, user: User) -> QuerySet[Breach]:
    number = refs.number(words) or (int(words) if words.isascii() and words.isdecimal() and len(words) < 10 else None)
    if number:
        return rows.filter(subject=refs.ref(number))
    if masks(user):
        return rows.none()
    return rows.filter(Q(customer__name__icontains=words) | Q(customer__code__iexact=words))


CAUSED = Exists(BreachCause.objects.filter(breach=OuterRef("pk")))


def _in_state(rows: QuerySet[Breach], state: str, at: datetime) -> QuerySet[Breach]:
    match state:
        case "no_cause":
            return rows.filter(~CAUSED)
        case "overdue":
            return rows.filter(~CAUSED, detected_at__lt=at - CAUSE_WITHIN)
        case "excused":
            return rows.filter(excusal__isnull=False)
        case "counts":
            return rows.filter(excusal=None)
        case "no_apology":
            return rows.filter(apologies=None)
    return rows


# --- Counts ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Owed:
    """Causes that are still to be written: those past their day, those due within two, and all."""

    overdue: int
    soon: int
    missing: int


def owed(user: User, at: datetime) -> Owed:
    """How many causes are owed, of the breaches this person sees; counted up to CAP. One statement."""
    missing = visible_to(user).filter(~CAUSED, kind__in=PROMISES).order_by("detected_at", "id")
    days = list(missing.values_list("detected_at", flat=True)[:CAP])
    overdue = sum(day < at - CAUSE_WITHIN for day in days)
    return Owed(overdue, sum(day < at - CAUSE_WITHIN + SOON for day in days) - overdue, len(days))


# Breaches a week in the twelve weeks up to one; a week begins on Monday, in the reader's zone.
WEEKS = 12


def weekly(rows: QuerySet[Breach], at: datetime, zone: ZoneInfo) -> list[tuple[datetime, int, int]]:
    """(the Monday, breaches, those of them excused) of each of the last weeks. One statement."""
    today = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday())
    mondays = [monday - timedelta(weeks=n) for n in reversed(range(WEEKS))]
    counts = {day: [0, 0] for day in mondays}
    found = rows.filter(breached_at__gte=mondays[0]).order_by()
    for when, excused in found.values_list("breached_at", "excusal__id").iterator(chunk_size=5000):
        day = next(d for d in reversed(mondays) if d <= when)
        counts[day][0] += 1
        counts[day][1] += excused is not None
    return [(day, *counts[day]) for day in mondays]  # type: ignore[misc]


# --- A page ----------------------------------------------------------------------------------------------------------


@dataclass
class Row:
    """A breach as the register shows it. Names are what this reader may read."""

    breach: Breach
    customer: str
    priority: str
    title: str
    late_s: int
    running: bool
    cause: BreachCause | None
    cause_due: datetime
    cause_state: str
    proposal: ExcusalProposal | None
    apology: Any = None
    apology_due: datetime | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    # What was typed about the cause, as far as this reader may read it.
    happened: str = ""
    changes: str = ""

    @property
    def cause_by(self) -> str:
        return self.names.get(self.cause.by_id, "") if self.cause else ""

    @property
    def excusal(self) -> Any:
        return getattr(self.breach, "excusal", None)

    @property
    def approver(self) -> str:
        return self.names.get(self.excusal.approver_id, "") if self.excusal else ""

    @property
    def asked_by(self) -> str:
        asked = self.excusal or self.proposal
        return self.names.get(asked.asked_by_id, "") if asked else ""


@dataclass
class Page:
    rows: list[Row]
    before: str = ""
    after: str = ""


def page(user: User, wish: Wish, at: datetime) -> Page:
    """The page the wish's cursor points at. Six statements, one where it is empty."""
    rows, newest = chosen(user, wish, at), wish.sort == "newest"
    key = _read_cursor(wish.after or wish.before)
    backwards = bool(key and not wish.after)
    if key:
        lookup = TupleLessThan if newest != backwards else TupleGreaterThan
        rows = rows.filter(lookup(Tuple(F("breached_at"), F("id")), key))
    order = ["-breached_at", "-id"] if newest != backwards else ["breached_at", "id"]
    taken = list(_with_rest(rows).order_by(*order)[: ROWS + 1])
    more, taken = len(taken) > ROWS, taken[:ROWS]
    if backwards:
        taken.reverse()
    if not taken:
        return Page([])
    earlier, later = (more, True) if backwards else (key is not None, more)
    return Page(told(taken, user, at), _cursor(taken[0]) if earlier else "", _cursor(taken[-1]) if later else "")


def first_overdue(user: User, at: datetime, most: int) -> list[Row]:
    """The causes that are owed longest. Six statements, one where none is."""
    rows = _in_state(visible_to(user).filter(kind__in=PROMISES), "overdue", at)
    return told(list(_with_rest(rows).order_by("detected_at", "id")[:most]), user, at)


def _with_rest(rows: QuerySet[Breach]) -> QuerySet[Breach]:
    return rows.select_related("clock", "excusal")


def _cursor(breach: Breach) -> str:
    return f"{breach.breached_at.isoformat()},{breach.pk}"


def _read_cursor(text: str) -> tuple[datetime, int] | None:
    at, _comma, number = text.rpartition(",")
    if not (number.isdecimal() and number.isascii() and len(number) < 19):
        return None
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (moment, int(number)) if moment.tzinfo else None


# What was said to the customer as an apology, the first of each breach that was not taken back.
APOLOGIES = """
SELECT DISTINCT ON (a.breach_id) a.breach_id, a.at, a.by_id, a.message FROM sla_apology a
JOIN tickets_message m ON m.id = a.message AND m.undone_at IS NULL
WHERE a.breach_id = ANY(%s) ORDER BY a.breach_id, a.at, a.id
"""


@dataclass(frozen=True)
class Apologised:
    at: datetime
    by: int
    message: int


def apologies(breaches: Iterable[Breach]) -> dict[int, Apologised]:
    """The apologies that stand, by breach. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(APOLOGIES, [[breach.pk for breach in breaches]])
        return {breach: Apologised(at, by, message) for breach, at, by, message in cursor.fetchall()}


def told(breaches: list[Breach], user: User, at: datetime) -> list[Row]:
    """The breaches with what stands beside them. Seven statements, three more for an auditor, none for nothing."""
    if not breaches:
        return []
    found = _Beside(breaches, user)
    return [found.row(breach, at) for breach in breaches]


class _Beside:
    """What stands beside some breaches, read for all of them at once, in the words of one reader."""

    def __init__(self, breaches: list[Breach], user: User) -> None:
        self.user = user
        causes = BreachCause.objects.filter(breach__in=breaches).order_by("number")
        self.causes = {cause.breach_id: cause for cause in causes}
        asked = ExcusalProposal.objects.filter(breach__in=breaches, declined=None).order_by("number")
        self.proposals = {proposal.breach_id: proposal for proposal in asked}
        self.apologies = apologies(breaches)
        self.tickets = _tickets(breaches)
        self.priorities = words.read().priorities
        self.customers = customer_names(user, [b.customer_id for b in breaches])
        self.names = person_names(user, self._people(breaches))
        them = {n for t in self.tickets.values() for n in (t.requester_id, t.assigned_to_id) if n}
        self.scrub = typed_names(self.customers, {*self.names, *them}, user)

    def _people(self, breaches: list[Breach]) -> set[int]:
        excusals = [e for b in breaches if (e := getattr(b, "excusal", None))]
        found = {c.by_id for c in self.causes.values()} | {p.asked_by_id for p in self.proposals.values()}
        found |= {e.asked_by_id for e in excusals} | {e.approver_id for e in excusals}
        return found | {one.by for one in self.apologies.values()}

    def row(self, breach: Breach, at: datetime) -> Row:
        ticket, cause = self.tickets.get(breach.subject), self.causes.get(breach.pk)
        running = breach.clock.completed_at is None and ticket is not None and ticket.status in OPEN
        due = breach.detected_at + CAUSE_WITHIN
        priority = self.priorities.get(breach.priority)
        return Row(
            breach=breach,
            customer=self.customers.get(breach.customer_id, ""),
            priority=priority.label if priority else breach.priority,
            title=ticket.title if ticket and not masks(self.user) else "",
            late_s=_late_s(breach, ticket, running, at),
            running=running,
            cause=cause,
            cause_due=due,
            cause_state="" if cause else "late" if at > due else "soon" if at > due - SOON else "owed",
            proposal=None if hasattr(breach, "excusal") else self.proposals.get(breach.pk),
            apology=self.apologies.get(breach.pk),
            apology_due=apology_due(breach),
            names=self.names,
            happened=scrubbed(cause.words, self.scrub) if cause and self.user.staff_role else "",
            changes=scrubbed(cause.corrective_action, self.scrub) if cause else "",
        )


def _tickets(breaches: list[Breach]) -> dict[str, Ticket]:
    numbers = [number for b in breaches if (number := refs.number(b.subject))]
    shown = Ticket.objects.only("id", "title", "status", "calendar_id", "requester_id", "assigned_to_id")
    return {t.ref: t for t in shown.filter(pk__in=numbers)}


def _late_s(breach: Breach, ticket: Ticket | None, running: bool, at: datetime) -> int:
    """Working seconds from the due time to the completion, or to now while it runs."""
    if not running and breach.clock.completed_at is None:
        # Withdrawn or merged after the breach: nothing completed the clock, and it stands.
        return max(0, breach.clock.running_s - breach.clock.target_s)
    work = (calendar_of(ticket.calendar_id) if ticket else AROUND_THE_CLOCK).work
    return work(breach.due_at, breach.clock.completed_at or at)


def apology_due(breach: Breach) -> datetime:
    """One working day after it was seen: that time of the next day from Monday to Friday, in the desk's own zone."""
    due = breach.detected_at.astimezone(ZoneInfo(site.current().default_zone))
    days = terms.APOLOGY_WORKING_DAYS
    while days:
        due += timedelta(days=1)
        days -= due.weekday() < 5
    return due
