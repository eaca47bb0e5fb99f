"""/aws/calls: what we asked AWS, a day at a time, and how often an hour; no bodies, and hidden accounts left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import F, QuerySet, Sum
from django.utils import timezone

from awsint.models import Account, CallHour, CallLog
from awsint.wishes import Wish, choice, digits, hidden_numbers, newest, word
from helpdesk.accounts.masking import aws_name, aws_number, masks
from helpdesk.accounts.models import User
from sla import plots
from sla.attainment import Attainment
from sla.plots import Plot

DAY = timedelta(hours=24)
SERVICES = ["support", "sts", "sqs", "organizations", "health"]
# A dry run that succeeds answers so.
FINE = ["ok", "DryRunOperationException"]
RESULTS = ["ok", "failed"]


@dataclass(frozen=True)
class Asked(Wish):
    """`day` in the reader's zone; without one the last 24 hours."""

    service: str = ""
    account: str = ""
    result: str = ""
    day: str = ""

    @classmethod
    def read(cls, get: Mapping[str, str]) -> "Asked":
        try:
            day = date.fromisoformat(get.get("day", "")).isoformat()
        except ValueError:
            day = ""
        return cls(
            service=choice(get, "service", SERVICES),
            account=digits(word(get, "account"))[:12],
            result=choice(get, "result", RESULTS),
            day=day,
            after=word(get, "after"),
        )

    def span(self, at: datetime) -> tuple[datetime, datetime]:
        """The day that is shown: its partitions are all that is looked into."""
        if not self.day:
            return at - DAY, at + timedelta(minutes=1)
        start = timezone.make_aware(datetime.combine(date.fromisoformat(self.day), time()))
        return start, start + DAY


@dataclass(frozen=True)
class Line:
    call: Any
    account: str
    number: str
    failed: bool


def page(user: User, wish: Asked, at: datetime) -> tuple[list[Line], str]:
    """The newest calls and the way to further ones. Two statements, one where there is none."""
    start, end = wish.span(at)
    rows = _mine(user, wish, CallLog.objects.filter(at__gte=start, at__lt=end))
    if wish.result:
        rows = rows.filter(result__in=FINE) if wish.result == "ok" else rows.exclude(result__in=FINE)
    found, further = newest(rows, "at", wish.after)
    numbers = {call.account_number for call in found}
    known = {a.number: a for a in Account.objects.filter(number__in=numbers)} if numbers else {}
    return [_line(user, call, known.get(call.account_number)) for call in found], further and wish.link(after=further)


def _mine(user: User, wish: Asked, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Calls of the accounts that somebody may see, and of our own hubs."""
    if (hidden := hidden_numbers(user)) is not None:
        rows = rows.exclude(account_number__in=hidden)
    if wish.service:
        rows = rows.filter(service=wish.service)
    return rows.filter(account_number=wish.account) if wish.account and not masks(user) else rows


def _line(user: User, call: Any, account: Account | None) -> Line:
    return Line(
        call=call,
        account=aws_name(user, account.pk, account.name) if account else "",
        number=aws_number(user, call.account_number),
        failed=call.result not in FINE,
    )


# --- By the hour -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hour:
    at: datetime
    calls: int
    failed: int
    # Of one call, in milliseconds.
    mean_ms: int


def hours(user: User, wish: Asked, at: datetime) -> list[Hour]:
    """The hours of the day that is shown in which something was asked. One statement."""
    start, end = wish.span(at)
    rows = _mine(user, wish, CallHour.objects.filter(hour__gt=start - timedelta(hours=1), hour__lt=end))
    told = rows.order_by("hour").values("hour").annotate(all=Sum("calls"), bad=Sum("failed"), took=Sum(F("ms")))
    return [Hour(one["hour"], one["all"], one["bad"], round(one["took"] / one["all"])) for one in told if one["all"]]


def plot(found: Sequence[Hour], wish: Asked, at: datetime, name: str) -> Plot:
    """Outlined what was answered, solid what failed."""
    first, end = wish.span(at)
    # Hours are counted in UTC; some zones are half an hour off.
    start = first.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    count = -((start - end) // timedelta(hours=1))
    known = {hour.at: Attainment(hour.calls - hour.failed, hour.failed) for hour in found}
    places = [start + timedelta(hours=place) for place in range(count)]
    labels = [f"{timezone.localtime(place):%H:%M}" for place in places]
    return plots.bars([(name, [known.get(place, Attainment()) for place in places])], labels)
