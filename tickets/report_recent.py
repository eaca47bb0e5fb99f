"""The last 30 days in short, for /sla-config and the documents: how promises were kept, by priority and day."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel import dates
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.models import in_chinese
from helpdesk.templatetags.desk import DAY_FORMS
from sla import plots, report, words
from sla.attainment import Attainment
from sla.models import PROMISED, Kind, Priority
from sla.plots import Plot, Tile
from sla.report import Row, Window
from sla.terms import REPORT_DAYS
from tickets.report_rows import Left, left_of
from tickets.reporting import midnight, scope_of

NONE = Attainment()
Days = dict[date, Attainment]


@dataclass(frozen=True)
class Strip:
    """One kind of one priority: its figure, and a tile a day."""

    kept: Attainment
    tiles: list[Tile]


@dataclass(frozen=True)
class Recent:
    """What the page shows of the last days, in the reader's zone. Gross: nothing is excused."""

    first: datetime
    last: datetime
    zone: str
    total: dict[str, Attainment]
    left: list[Left]
    bars: Plot
    rows: list[tuple[Priority, list[Strip]]]


def window_of(at: datetime, zone: str, days: int = REPORT_DAYS) -> tuple[date, date, Window]:
    """The last so many days of a zone with today, and the day after them."""
    last = at.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    first = last - timedelta(days=days)
    return first, last, Window(midnight(first, zone), midnight(last, zone), zone)


def kept_lately(at: datetime, zone: str) -> str:
    """Gross attainment of everybody's last 30 days, in words. One statement."""
    window = window_of(at, zone)[2]
    return _("first response %(response)s, resolution %(resolution)s") % _sums(report.attained(window))


def recent(reader: User, at: datetime) -> Recent | None:
    """The last 30 days as somebody may read them; None to whoever has no report. Three statements."""
    try:
        scope = scope_of(reader)
    except Http404:
        return None
    zone = timezone.get_current_timezone_name()
    first, last, window = window_of(at, zone)
    told = report.attained(window, by=("kind", "priority", "day"), customers=scope.customers)
    days = [first + timedelta(days=n) for n in range((last - first).days)]
    by_kind: dict[str, Days] = defaultdict(lambda: defaultdict(Attainment))
    by_both: dict[tuple[str, str], Days] = defaultdict(lambda: defaultdict(Attainment))
    for row in told:
        kind, priority, day = row.key
        by_kind[kind][day] += row.gross
        by_both[kind, priority][day] += row.gross
    labels = [_words(day) for day in days]
    lanes = [(str(kind.label), [by_kind[kind].get(day, NONE) for day in days]) for kind in PROMISED]
    return Recent(
        first=window.start,
        last=window.until - timedelta(seconds=1),
        zone=zone,
        total=_sums(told),
        left=left_of(report.excluded(window, customers=scope.customers)),
        bars=plots.bars(lanes, labels),
        rows=[
            (priority, [_strip(by_both[kind, priority.code], days) for kind in PROMISED])
            for priority in words.read().priorities.values()
        ],
    )


def _sums(rows: list[Row]) -> dict[str, Attainment]:
    sums: dict[str, Attainment] = {kind.value: NONE for kind in PROMISED}
    for row in rows:
        sums[Kind(row.key[0]).value] += row.gross
    return sums


def _strip(known: Days, days: list[date]) -> Strip:
    return Strip(sum(known.values(), NONE), plots.strip([known.get(day, NONE) for day in days]))


def _words(day: date) -> Any:
    locale = "zh_Hans" if in_chinese() else "en"
    return dates.format_date(day, DAY_FORMS[locale], locale)
