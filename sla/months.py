"""A customer's month: the clocks behind it, what they come to, and how that differs from what was frozen.

The month is the one of the customer's zone. What is counted is counted from the very rows that are frozen beside it, so
a number and the clocks behind it cannot disagree; which clocks belong to the month is report.py's word. Everything in
`data` is a whole number, a text or a list of them: its canonical text, and so its digest, is the same everywhere.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import CharField, F, QuerySet, Value

from helpdesk.accounts.models import Customer
from sla import report, terms
from sla.attainment import Attainment
from sla.credits import Credit, credit
from sla.models import PROMISED, Clock, Verdict

FREEZE_HOUR = 3
FIRST_YEAR, LAST_YEAR = 2000, 9998


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """A month of the calendar, by its first day."""

    first: date

    @classmethod
    def of(cls, day: date) -> "Month":
        return cls(date(day.year, day.month, 1))

    @classmethod
    def read(cls, text: str) -> "Month":
        """ "2026-10". Raises ValueError."""
        year, dash, month = text.partition("-")
        if (
            not dash
            or (len(year), len(month)) != (4, 2)
            or not (year + month).isascii()
            or not (year + month).isdigit()
        ):
            raise ValueError("a month is written like 2026-10")
        if not FIRST_YEAR <= int(year) <= LAST_YEAR:
            raise ValueError("no month of this desk")
        return cls(date(int(year), int(month), 1))

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"

    @property
    def after(self) -> "Month":
        return Month.of(self.first + timedelta(days=32))

    @property
    def before(self) -> "Month":
        return Month.of(self.first - timedelta(days=1))

    def window(self, zone: str) -> report.Window:
        """Its instants in a zone."""
        starts, ends = (datetime(d.year, d.month, 1, tzinfo=ZoneInfo(zone)) for d in (self.first, self.after.first))
        return report.Window(starts, ends, zone)

    def frozen_from(self, zone: str) -> datetime:
        """When it is to be frozen: on a day of the next month, early in the morning of a zone."""
        then = self.after.first
        return datetime(then.year, then.month, terms.FREEZE_DAY, FREEZE_HOUR, tzinfo=ZoneInfo(zone))


# --- The clocks of a month -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listed:
    """One clock that counts, as a report keeps it: in this order, as a list."""

    ref: str
    kind: str
    cycle: int
    priority: str
    category: str
    due: str
    verdict: str
    completed: str
    # Why its breach was excused; empty where it counts.
    excused: str

    @property
    def key(self) -> tuple[str, str, int]:
        return self.ref, self.kind, self.cycle

    @property
    def row(self) -> list[Any]:
        return [getattr(self, name) for name in self.__slots__]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One clock that does not count, and why (report.REASONS)."""

    ref: str
    kind: str
    cycle: int
    reason: str

    @property
    def row(self) -> list[Any]:
        return [self.ref, self.kind, self.cycle, self.reason]


@dataclass
class Found:
    """The clocks of one customer's month."""

    listed: list[Listed] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def by_zone(customers: Iterable[Customer]) -> dict[str, list[Customer]]:
    """The customers whose months begin at the same instants."""
    found: dict[str, list[Customer]] = defaultdict(list)
    for customer in customers:
        found[customer.zone].append(customer)
    return found


def clocks_of(customers: Iterable[Customer], month: Month, at: datetime) -> dict[UUID, Found]:
    """The clocks of these customers' month, excusals as of `at`. Two statements for each zone among them."""
    found: dict[UUID, Found] = defaultdict(Found)
    for zone, some in by_zone(customers).items():
        window, whose = month.window(zone), Customer.objects.filter(pk__in=[one.pk for one in some])
        for customer, one in _decided(window, whose, at):
            found[customer].listed.append(one)
        for customer, other in _left_out(window, whose):
            found[customer].left_out.append(other)
    return found


def _decided(window: report.Window, whose: QuerySet[Customer], at: datetime) -> Iterable[tuple[UUID, Listed]]:
    rows = report.decided(window, customers=whose).order_by("due_at", "subject", "kind", "cycle")
    told = (*("customer", "subject", "kind", "cycle", "priority", "category", "due_at", "verdict", "completed_at"),)
    for row in rows.values_list(*told, "breach__excusal__reason", "breach__excusal__at"):
        customer, ref, kind, cycle, priority, category, due, verdict, completed, reason, since = row
        excused = reason if since and since <= at and verdict == Verdict.BREACHED else ""
        yield (
            customer,
            Listed(ref, kind, cycle, priority, category, instant(due), verdict, instant(completed), excused),
        )


def _left_out(window: report.Window, whose: QuerySet[Customer]) -> Iterable[tuple[UUID, LeftOut]]:
    arms = [
        report.left_out(reason, window, customers=whose)
        .order_by()
        .annotate(why=Value(reason, output_field=CharField()))
        .values_list("customer", "subject", "kind", "cycle", F("why"))
        for reason in report.REASONS
    ]
    rows = arms[0].union(*arms[1:], all=True)
    for customer, *told in sorted(rows, key=lambda row: tuple(map(str, row))):
        yield customer, LeftOut(*told)


def instant(at: datetime | None) -> str:
    """As a report keeps an instant: in UTC, to the second. Empty for none."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else ""


# --- What they come to (pure) ----------------------------------------------------------------------------------------


def counted(listed: Iterable[Listed]) -> tuple[Attainment, Attainment]:
    """Gross and net of some clocks."""
    gross, excused = Attainment(), 0
    for one in listed:
        met = one.verdict == Verdict.MET
        gross += Attainment(int(met), int(not met))
        excused += bool(one.excused)
    return gross, gross.excused(excused)


def figures(found: Found) -> dict[str, Any]:
    """What a report says of clocks: by kind and priority, together, and what was left out with its number."""
    groups: dict[tuple[str, str], list[Listed]] = defaultdict(list)
    for one in found.listed:
        groups[one.kind, one.priority].append(one)
    reasons = Counter(one.reason for one in found.left_out)
    return {
        "rows": [[*key, *_pair(groups[key])] for key in sorted(groups)],
        "kinds": {kind: _pair([x for x in found.listed if x.kind == kind]) for kind in PROMISED},
        "all": _pair(found.listed),
        "excluded": {reason: reasons[reason] for reason in report.REASONS},
        "clocks": [one.row for one in found.listed],
        "left_out": [one.row for one in found.left_out],
    }


def _pair(listed: Sequence[Listed]) -> list[int]:
    """Met, breached gross, breached net."""
    gross, net = counted(listed)
    return [gross.met, gross.breached, net.breached]


def credit_of(customer: Customer, listed: Sequence[Listed], critical: str) -> tuple[Credit, Attainment, bool]:
    """What the month is worth, the net attainment behind it, and whether a critical promise was broken unexcused."""
    _gross, net = counted(listed)
    broken = any(x.verdict == Verdict.BREACHED and x.priority == critical and not x.excused for x in listed)
    return credit(net, critical_breached=broken, fee=customer.support_fee), net, broken


def canonical(data: Mapping[str, Any]) -> str:
    """The one text of what a report says."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(data: Mapping[str, Any], prev: str = "") -> str:
    """The sha256 of a report, with that of the report before in it."""
    return hashlib.sha256(f"{prev}\n{canonical(data)}".encode()).hexdigest()


# --- What is different by now ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Restated:
    """One clock that says something else now than when the month was frozen; None where it is not of the month."""

    key: tuple[str, str, int]
    then: Listed | None
    now: Listed | None
    # Where it is not of this month any more: how it stands, and when it is due.
    verdict: str = ""
    due: str = ""


def restated(data: Mapping[str, Any], found: Found) -> list[Restated]:
    """The differences, by ticket. One statement, none where nothing differs."""
    then = {one.key: one for one in (Listed(*row) for row in data["clocks"])}
    now = {one.key: one for one in found.listed}
    keys = [key for key in sorted(then.keys() | now.keys()) if then.get(key) != now.get(key)]
    gone = _as_they_stand([key for key in keys if key not in now])
    return [Restated(key, then.get(key), now.get(key), *gone.get(key, ("", ""))) for key in keys]


def _as_they_stand(keys: Sequence[tuple[str, str, int]]) -> dict[tuple[str, str, int], tuple[str, str]]:
    if not keys:
        return {}
    rows = Clock.objects.filter(subject__in={ref for ref, _kind, _cycle in keys})
    told = rows.values_list("subject", "kind", "cycle", "verdict", "due_at")
    return {(ref, kind, cycle): (verdict, instant(due)) for ref, kind, cycle, verdict, due in told}
