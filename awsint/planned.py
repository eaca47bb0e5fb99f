"""Planned changes: what a customer has before them, the month as a grid, and whether they were told in time. Pure.

The promise (design/desk.md, 21): a customer is told of a change at least so many days before it begins, seven unless
another number is agreed. The lead is from when they were told to the beginning that the letter named: a change
that AWS moves afterwards neither keeps the promise nor breaks it. AWS does not always leave so much time, so there are
two figures: over all, and over the attainable ones, of which AWS itself told so many days ahead or which were kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
WEEK = 7
USUAL_DAYS = 7
# Of a day so many stand in the grid, the others fold away.
SHOWN_A_DAY = 3


@dataclass(frozen=True)
class Change:
    """A planned change as it concerns one customer: their own times, accounts and resources, and nobody else's.

    `sequence` grows with each change of times, status, accounts or resources; `changed_at` is when we learnt of the
    last one. `cancelled`: AWS closed it before it began.
    """

    part: int
    event: int
    customer: UUID
    title: str
    code: str
    service: str
    region: str
    status: str
    starts_at: datetime
    ends_at: datetime | None
    cancelled: bool
    accounts: tuple[str, ...]
    resources: int
    ticket: str
    told_at: datetime | None
    sequence: int
    changed_at: datetime
    customer_name: str = ""


# --- The month as a grid ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mark:
    """One change in the grid: when it begins, what it is called, how many customers it concerns (0 on a customer's own
    page), where a click leads (nowhere if empty)."""

    at: datetime
    title: str
    customers: int = 0
    url: str = ""
    cancelled: bool = False


@dataclass(frozen=True)
class Day:
    day: date
    inside: bool
    today: bool
    shown: tuple[Mark, ...]
    folded: tuple[Mark, ...]


@dataclass(frozen=True)
class Month:
    """The days of a month in weeks from Monday; `first` is its first day, `total` how many changes begin in it."""

    first: date
    weeks: tuple[tuple[Day, ...], ...]
    total: int

    @property
    def before(self) -> str:
        return f"{(self.first - DAY):%Y-%m}"

    @property
    def after(self) -> str:
        return f"{_next(self.first):%Y-%m}"


def month_asked(text: str, today: date) -> date:
    """The first day of the month in an address ("2026-06"); of this month where it says none."""
    try:
        found = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError:
        found = today
    return (found if 2010 <= found.year < 2100 else today).replace(day=1)


def span(first: date, zone: str) -> tuple[datetime, datetime]:
    """The two instants between which the month lies in a zone."""
    return _midnight(first, zone), _midnight(_next(first), zone)


def _next(first: date) -> date:
    return (first + 31 * DAY).replace(day=1)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def month(first: date, marks: Iterable[Mark], zone: str, today: date) -> Month:
    by_day: dict[date, list[Mark]] = {}
    for mark in sorted(marks, key=lambda one: (one.at, one.title)):
        by_day.setdefault(mark.at.astimezone(ZoneInfo(zone)).date(), []).append(mark)
    begin, last = first - first.weekday() * DAY, _next(first) - DAY
    weeks = []
    while begin <= last:
        days = [begin + number * DAY for number in range(WEEK)]
        weeks.append(tuple(_day(one, by_day.get(one, []), first, today) for one in days))
        begin += WEEK * DAY
    return Month(first, tuple(weeks), sum(len(found) for day, found in by_day.items() if _inside(day, first)))


def _day(day: date, marks: Sequence[Mark], first: date, today: date) -> Day:
    found = tuple(marks) if _inside(day, first) else ()
    # One that folds away would take as much room as it saves.
    most = len(found) if len(found) == SHOWN_A_DAY + 1 else SHOWN_A_DAY
    return Day(day, _inside(day, first), day == today, found[:most], found[most:])


def _inside(day: date, first: date) -> bool:
    return (day.year, day.month) == (first.year, first.month)


# --- Told in time ----------------------------------------------------------------------------------------------------

KEPT, AWS_LATE, LATE, UNTOLD = "kept", "aws_late", "late", "untold"
WHYS = (KEPT, AWS_LATE, LATE, UNTOLD)


@dataclass(frozen=True)
class Told:
    """What a verdict stands on. `aws_at` is when AWS first told of it, by AWS's clock, but not before the account was
    ours; `aws_starts_at` and `told_starts_at` are the beginnings named by then; `starts_at` is the one of now.

    `over_at`: when it was over, by our knowledge.
    """

    days: int
    aws_at: datetime
    aws_starts_at: datetime | None
    told_at: datetime | None
    told_starts_at: datetime | None
    starts_at: datetime | None
    over_at: datetime | None = None


@dataclass(frozen=True)
class Lead:
    """How long before its beginning a customer was told, and why not earlier; `why` is one of WHYS."""

    why: str
    lead: timedelta | None
    aws_lead: timedelta

    @property
    def kept(self) -> bool:
        return self.why == KEPT

    @property
    def attainable(self) -> bool:
        return self.why != AWS_LATE


def judge(told: Told, at: datetime) -> Lead | None:
    """The verdict; None where there is none yet, or nothing was promised: it had begun, or was over, before."""
    begins = told.aws_starts_at or told.starts_at
    if begins is None or begins <= told.aws_at:
        return None
    promised, aws_lead = told.days * DAY, begins - told.aws_at
    if told.told_at is None:
        return _untold(told, begins, promised, aws_lead, at)
    lead = (told.told_starts_at or begins) - told.told_at
    if lead >= promised:
        return Lead(KEPT, lead, aws_lead)
    return Lead(LATE if aws_lead >= promised else AWS_LATE, lead, aws_lead)


def _untold(told: Told, begins: datetime, promised: timedelta, aws_lead: timedelta, at: datetime) -> Lead | None:
    starts_at = told.starts_at or begins
    if told.over_at is not None and told.over_at < starts_at:
        return None
    if aws_lead < promised:
        return Lead(AWS_LATE, None, aws_lead) if starts_at <= at else None
    return Lead(UNTOLD, None, aws_lead) if starts_at - promised < at else None


@dataclass(frozen=True)
class Sums:
    """How many were told in time: of all that are decided, and of the attainable ones."""

    counts: dict[str, int]

    @property
    def kept(self) -> int:
        return self.counts.get(KEPT, 0)

    @property
    def all(self) -> int:
        return sum(self.counts.values())

    @property
    def attainable(self) -> int:
        return self.all - self.counts.get(AWS_LATE, 0)

    @property
    def share(self) -> str:
        return percent(self.kept, self.all)

    @property
    def attained(self) -> str:
        return percent(self.kept, self.attainable)


def percent(part: int, whole: int) -> str:
    """Two places, rounded down; a dash where there is nothing to measure (looks.md, "Rates")."""
    if not whole:
        return "—"
    hundredths = int(Fraction(part * 10000, whole))
    return f"{hundredths // 100}.{hundredths % 100:02} %"


def in_days(lead: timedelta | None) -> Any:
    """Whole days, rounded down; None where there is none."""
    return None if lead is None else lead // DAY
