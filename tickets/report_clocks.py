"""The clocks behind a number of a report: a list with a keyset, searched by a ticket's number.

Its last page costs what the first one costs. Sorted by how late they are, only those that are late stand in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import DurationField, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.fields.tuple_lookups import Tuple, TupleLessThan
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _l

from helpdesk import refs
from sla import report
from sla.models import PROMISED, Clock, Kind, Verdict
from sla.report import Window
from tickets.reporting import Scope, Wish

ROWS = 50
SLICE = 2000
SHOWS: dict[str, Any] = {
    "decided": _l("All that count"),
    "met": _l("Met"),
    "breached": _l("Breached"),
    "excused": _l("Breached and excused"),
    report.PAUSED: _l("Paused"),
    report.NOT_APPLICABLE: _l("Not applicable"),
    report.DRILL: _l("Drills"),
    report.OPEN: _l("Still open"),
}
SORTS: dict[str, Any] = {"due": _l("Newest first"), "late": _l("Most late first")}
# Those that have no due time in the window stand by when they were set aside.
BY_SET_ASIDE = (report.PAUSED, report.NOT_APPLICABLE)


@dataclass(frozen=True)
class Look:
    """Which of the clocks are asked for, and in which order. Anything unknown is as if it were not there."""

    show: str = "decided"
    sort: str = "due"
    q: str = ""
    after: str = ""

    @classmethod
    def read(cls, get: QueryDict) -> "Look":
        show, sort = get.get("show", ""), get.get("sort", "")
        show = show if show in SHOWS else "decided"
        return cls(
            show="breached" if sort == "late" and show in ("decided", "met") else show,
            sort=sort if sort in SORTS and show not in report.REASONS else "due",
            q=" ".join(get.get("q", "").replace("\x00", "").split())[:40],
            after=get.get("after", ""),
        )

    @property
    def moment(self) -> str:
        """The column they stand by."""
        return "set_aside_at" if self.show in BY_SET_ASIDE else "due_at"

    def words(self, **changes: str) -> dict[str, str]:
        """As an address says it; a cursor does not survive a change."""
        plain = {"show": "decided", "sort": "due", "q": ""}
        said = {"show": self.show, "sort": self.sort, "q": self.q} | changes
        return {name: value for name, value in said.items() if value and plain.get(name) != value}


@dataclass
class Page:
    """One page; `after` is the cursor of the next, empty where there is none."""

    rows: list[Clock] = field(default_factory=list)
    after: str = ""


def page_of(rows: QuerySet[Clock], look: Look, at: datetime, most: int = ROWS) -> Page:
    """The page that the cursor points at, the first where it says nothing. One statement."""
    key = _read(look)
    # How late a clock is that still runs is as of the first page.
    at = key[2] if key and key[2] else at
    asked = _sorted(rows, look, at)
    if key:
        asked = _beyond(asked, look, key)
    taken = list(asked[: most + 1])
    return Page(taken[:most], _cursor(taken[most - 1], look, at) if len(taken) > most else "")


def every(rows: QuerySet[Clock], look: Look, at: datetime) -> Iterator[list[Clock]]:
    """All of them, a slice at a time. One statement each."""
    after = ""
    while True:
        page = page_of(rows, Look(look.show, look.sort, look.q, after), at, SLICE)
        yield page.rows
        if not (after := page.after):
            return


def chosen(wish: Wish, look: Look, scope: Scope, window: Window, at: datetime) -> QuerySet[Clock]:
    """The clocks that are asked for, in no order yet."""
    kinds = wish.values("kind")
    allowed = [kind for kind in Kind if scope.inside or not kind.value.startswith("ola")]
    asked: dict[str, Any] = {
        "customers": scope.customers,
        "kinds": [kind for kind in allowed if kind in kinds] if kinds else PROMISED,
        "chosen": wish.without("kind").filters,
    }
    if look.show in report.REASONS:
        rows = report.left_out(look.show, window, **asked)
    else:
        rows = report.decided(window, **asked)
    if look.show in (Verdict.MET, Verdict.BREACHED):
        rows = rows.filter(verdict=look.show)
    if look.show == "excused":
        rows = rows.filter(verdict=Verdict.BREACHED, breach__excusal__at__lte=at)
    return _found(rows, look.q) if look.q else rows


def _found(rows: QuerySet[Clock], q: str) -> QuerySet[Clock]:
    number = refs.number(q)
    return rows.filter(subject=refs.ref(number)) if number else rows.none()


def _sorted(rows: QuerySet[Clock], look: Look, at: datetime) -> QuerySet[Clock]:
    over = ExpressionWrapper(Coalesce(F("completed_at"), Value(at)) - F("due_at"), output_field=DurationField())
    rows = rows.annotate(late=over, excused_at=F("breach__excusal__at"))
    return rows.order_by("-late", "-id") if look.sort == "late" else rows.order_by(f"-{look.moment}", "-id")


Key = tuple[Any, int, datetime | None]


def _beyond(rows: QuerySet[Clock], look: Look, key: Key) -> QuerySet[Clock]:
    if look.sort == "late":
        return rows.filter(Q(late__lt=key[0]) | Q(late=key[0], id__lt=key[1]))
    return rows.filter(TupleLessThan(Tuple(F(look.moment), F("id")), key[:2]))


def _cursor(clock: Any, look: Look, at: datetime) -> str:
    if look.sort == "late":
        return f"{int(clock.late.total_seconds())},{clock.pk},{at.isoformat()}"
    return f"{getattr(clock, look.moment).isoformat()},{clock.pk}"


def _read(look: Look) -> Key | None:
    first, _comma, rest = look.after.partition(",")
    number, _comma, moment = rest.partition(",")
    if not (number.isdecimal() and number.isascii() and len(number) < 19) or bool(moment) != (look.sort == "late"):
        return None
    try:
        if look.sort == "late":
            at = datetime.fromisoformat(moment)
            return (timedelta(seconds=int(first[:12])), int(number), at) if at.tzinfo else None
        at = datetime.fromisoformat(first)
    except (ValueError, OverflowError):
        return None
    return (at, int(number), None) if at.tzinfo else None
