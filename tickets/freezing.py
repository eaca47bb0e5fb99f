"""Freezes months: on the 3rd at three in the morning of the desk's zone, for every customer there was in that month.

What a month came to is written once, with its credit, and told to the company's administrators in the same transaction;
a customer whose month is frozen already is left as it is, so a slice that is worked twice writes once. A desk that was
down on the 3rd catches up from the first month it ever froze.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max, Min, OuterRef, QuerySet, Subquery

from helpdesk import site
from helpdesk.accounts.models import Customer, CustomerRole, Mail, Membership
from helpdesk.audit.record import SYSTEM
from helpdesk.jobs import work
from helpdesk.jobs.models import Job
from helpdesk.outbox.enqueue import Draft, enqueue
from sla import months, words
from sla.models import CreditRow, MonthReport
from sla.months import Month
from tickets import month_work

JOB = "sla.freeze"
# So many customers a slice: a second of work, and a letter each.
SLICE = 25
FORM = 1


@dataclass(frozen=True)
class Computed:
    """One customer's month as it stands now."""

    customer: Customer
    found: months.Found
    data: dict[str, Any]
    credit: CreditRow


def compute(customers: Sequence[Customer], month: Month, at: datetime) -> list[Computed]:
    """What the month of these customers comes to. Three statements for each zone among them, and one."""
    critical = most_urgent()
    found, worked = months.clocks_of(customers, month, at), month_work.work_of(customers, month)
    return [_computed(c, month, critical, found[c.pk], worked.get(c.pk, [])) for c in customers]


def most_urgent() -> str:
    """The code of the priority whose breach brings a credit by itself."""
    return min(words.read().priorities.values(), key=lambda one: one.rank).code


def _computed(
    customer: Customer, month: Month, critical: str, found: months.Found, worked: list[month_work.Worked]
) -> Computed:
    made, net, broken = months.credit_of(customer, found.listed, critical)
    gross, _net = months.counted(found.listed)
    window = month.window(customer.zone)
    credit = CreditRow(
        customer=customer,
        month=month.first,
        fee=customer.support_fee,
        currency=customer.currency,
        percent=made.percent,
        amount=made.amount,
        met=net.met,
        decided=net.decided,
        breached_gross=gross.breached,
        critical_breached=broken,
    )
    data = {
        "form": FORM,
        "customer": str(customer.pk),
        "contract": customer.contract_number,
        "month": str(month),
        "zone": customer.zone,
        "from": months.instant(window.start.astimezone(UTC)),
        "until": months.instant(window.until.astimezone(UTC)),
        **months.figures(found),
        "credit": {
            "fee": f"{customer.support_fee:.2f}",
            "currency": customer.currency,
            "percent": made.percent,
            "amount": f"{made.amount:.2f}",
            "critical": broken,
        },
        "work": month_work.by_category(worked),
        "tickets": [one.row for one in worked],
    }
    return Computed(customer, found, data, credit)


# --- Freezing --------------------------------------------------------------------------------------------------------


@transaction.atomic
def freeze(customers: Sequence[Customer], month: Month, at: datetime) -> list[MonthReport]:
    """Writes the month of those of these customers that have none yet, with credits and letters."""
    # Two that freeze at the same time: the second waits here and finds it done.
    locked = Customer.objects.select_for_update(no_key=True).filter(pk__in=[c.pk for c in customers]).order_by("pk")
    reports_of = MonthReport.objects.filter(month=month.first, customer__in=customers)
    done = set(reports_of.values_list("customer", flat=True))
    still = [c for c in locked if c.pk not in done]
    if not still:
        return []
    computed, last = compute(still, month, at), _last_of(still)
    reports = MonthReport.objects.bulk_create([_report(one, month, last.get(one.customer.pk), at) for one in computed])
    for one, row in zip(computed, reports, strict=True):
        one.credit.report, one.credit.sha256 = row, row.sha256
    CreditRow.objects.bulk_create([one.credit for one in computed])
    _tell(reports, at)
    return reports


def _last_of(customers: Sequence[Customer]) -> dict[UUID, tuple[int, str]]:
    """Number and digest of each customer's newest report."""
    rows = MonthReport.objects.filter(customer__in=customers).order_by("customer", "-no").distinct("customer")
    return {customer: (no, sha256) for customer, no, sha256 in rows.values_list("customer", "no", "sha256")}


def _report(one: Computed, month: Month, last: tuple[int, str] | None, at: datetime) -> MonthReport:
    no, prev = last or (0, "")
    return MonthReport(
        customer=one.customer,
        month=month.first,
        no=no + 1,
        frozen_at=at,
        data=one.data,
        sha256=months.digest(one.data, prev),
        prev=prev,
    )


def _tell(reports: Sequence[MonthReport], at: datetime) -> None:
    """A letter to each administrator of the companies who wants it. Two statements."""
    rows = Membership.objects.filter(customer__in=[r.customer_id for r in reports], role=CustomerRole.ADMIN)
    rows = rows.filter(is_active=True, user__is_active=True, user__is_service=False).exclude(
        user__no_mail__contains=[Mail.MONTHS.value]
    )
    of = {row.customer_id: row for row in reports}
    drafts = []
    for member in rows.select_related("user", "customer").order_by("pk"):
        # In the customer's language, as its documents are; times are those of the report.
        reader = _Reader(member.user.key, member.user.email, member.customer.language, member.customer.zone)
        drafts.append(Draft("sla.month", reader, {"report": of[member.customer_id].pk}))
    enqueue(drafts, at=at)


@dataclass(frozen=True)
class _Reader:
    key: str
    email: str
    language: str
    zone: str


# --- When ------------------------------------------------------------------------------------------------------------


def wanting(month: Month) -> QuerySet[Customer]:
    """The customers whose month is not frozen yet: active, and there before it ended."""
    done = MonthReport.objects.filter(month=month.first, customer=OuterRef("pk")).values("pk")[:1]
    ended = month.window("UTC").until
    rows = Customer.objects.active().filter(created_at__lt=ended)
    return rows.annotate(frozen=Subquery(done)).filter(frozen=None).order_by("pk")


def due_months(at: datetime) -> list[Month]:
    """The months that should be frozen by now and may not be: from the first one that ever was, or the last one."""
    last = Month.of(at.astimezone(ZoneInfo(site.current().default_zone)).date()).before
    if at < last.frozen_from(site.current().default_zone):
        last = last.before
    first = MonthReport.objects.aggregate(first=Min("month"))["first"]
    found, one = [], Month.of(first) if first else last
    while one <= last:
        found.append(one)
        one = one.after
    return found


def begin_due(at: datetime) -> list[Job]:
    """Asks for a job for each month that lacks a report, unless one is under way."""
    running = set(Job.objects.filter(kind=JOB, state__in=work.UNDER_WAY).values_list("args__month", flat=True))
    wanted = [m for m in due_months(at) if str(m) not in running and wanting(m).exists()]
    return [work.begin(JOB, {"month": str(m)}, by=SYSTEM, at=at, page=f"/sla/months?month={m}") for m in wanted]


def slice_of(job: Job, at: datetime) -> work.Step:
    """Freezes the next few customers of a month."""
    month = Month.read(job.args["month"])
    rows = wanting(month)
    count = job.count if job.count is not None else rows.count()
    if job.cursor:
        rows = rows.filter(pk__gt=UUID(job.cursor))
    customers = list(rows[:SLICE])
    freeze(customers, month, at)
    done = min(count, job.done + len(customers))
    cursor = str(customers[-1].pk) if customers else job.cursor
    return work.Step(cursor, done, count, None if len(customers) == SLICE else {"frozen": done})


def newest_month() -> Month | None:
    """The last month that was frozen for anybody."""
    found = MonthReport.objects.aggregate(last=Max("month"))["last"]
    return Month.of(found) if found else None
