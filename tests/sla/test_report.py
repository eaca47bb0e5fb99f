"""What a report counts: the window, the reasons left out, and that its parts add up to the whole."""

from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpdesk.accounts.models import Customer
from sla import report
from sla.attainment import Attainment
from sla.models import Breach, Clock, Excusal
from sla.report import Excluded, Window
from tests.cast import Cast

pytestmark = pytest.mark.django_db
MARCH = Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC), "UTC")
NUMBERS = count(5000)


def clock(cast: Cast, verdict: str, due: datetime | None, **more: Any) -> Clock:
    """A stored clock, as the desk would have left it."""
    given: dict[str, Any] = {
        "kind": "resolution",
        "customer": cast.acme,
        "priority": "high",
        "category": "technical",
        "engineer": cast.ana.key,
        "source": "web",
        "completed_at": due if verdict == "met" else None,
        **more,
    }
    started = (due or given.get("set_aside_at") or MARCH.start) - timedelta(hours=8)
    broken = due if verdict == "breached" else None
    return Clock.objects.create(
        subject=f"HD-{next(NUMBERS)}", target_s=28_800, started_at=started, due_at=due, verdict=verdict,
        breached_at=broken, **given,
    )  # fmt: skip


def excuse(cast: Cast, broken: Clock, at: datetime) -> None:
    assert broken.due_at
    breach = Breach.objects.create(
        clock=broken, subject=broken.subject, customer=broken.customer, kind=broken.kind, priority=broken.priority,
        target_s=broken.target_s, policy=1, due_at=broken.due_at, breached_at=broken.due_at, detected_at=broken.due_at,
    )  # fmt: skip
    Excusal.objects.create(breach=breach, reason="force_majeure", asked_by=cast.ana, approver=cast.lee, at=at)


def whole(window: Window = MARCH, **asked: Any) -> report.Row:
    return sum(report.attained(window, **asked), report.Row((), Attainment(), Attainment()))


def over_time(windows: list[Window]) -> list[list[report.Row]]:
    told = report.over_time(windows)
    return [sorted((r for r in told if r.key[0] == n), key=lambda r: r.key[1]) for n in range(len(windows))]


def day(number: int, month: int = 3) -> datetime:
    return datetime(2026, month, number, 12, tzinfo=UTC)


def test_a1_a_window_counts_what_is_due_in_it_and_lists_the_rest(cast: Cast) -> None:
    for number in range(1, 9):
        clock(cast, "met", day(number))
    clock(cast, "breached", day(9))
    clock(cast, "paused", None, set_aside_at=day(10))
    clock(cast, "n/a", day(20), set_aside_at=day(11))
    april = clock(cast, "met", day(2, 4), completed_at=day(31))
    assert str(whole().gross) == "88.88 %"
    assert report.excluded(MARCH) == [Excluded("paused", "resolution", 1), Excluded("n/a", "resolution", 1)]
    assert april not in report.decided(MARCH)
    assert whole(Window(MARCH.until, MARCH.until + timedelta(days=30), "UTC")).gross == Attainment(1)


def test_a3_where_nothing_was_due_there_is_no_figure(cast: Cast) -> None:
    assert report.attained(MARCH) == []
    assert str(whole().gross) == "—"


def test_a4_an_excused_breach_counts_gross_and_not_net(cast: Cast) -> None:
    for number in range(1, 9):
        clock(cast, "met", day(number))
    excuse(cast, clock(cast, "breached", day(9)), at=day(12))
    assert (str(whole().gross), str(whole().net)) == ("88.88 %", "100.00 %")
    before, after = whole(as_of=day(11)), whole(as_of=day(12))
    assert (before.excused, after.excused) == (0, 1), "an excusal counts from its instant on"


def test_a_window_begins_with_its_first_instant_and_ends_before_its_last(cast: Cast) -> None:
    clock(cast, "met", MARCH.start)
    clock(cast, "met", MARCH.until)
    assert whole().gross == Attainment(1)


def test_an_open_clock_is_listed_and_not_counted(cast: Cast) -> None:
    clock(cast, "open", day(30), next_event_at=day(29))
    clock(cast, "n/a", day(12), set_aside_at=day(3, 4))
    assert whole().gross.decided == 0
    assert report.excluded(MARCH) == [Excluded("open", "resolution", 1)], "what was withdrawn in April is April's"


def test_a_drill_is_listed_and_not_counted(cast: Cast) -> None:
    clock(cast, "breached", day(5), drill=True)
    clock(cast, "met", day(5), drill=True)
    assert report.attained(MARCH) == []
    assert report.excluded(MARCH) == [Excluded("drill", "resolution", 2)]


def test_days_begin_where_the_zone_says(cast: Cast) -> None:
    clock(cast, "met", datetime(2026, 3, 5, 20, tzinfo=UTC))
    for zone, number in (("UTC", 5), ("Asia/Shanghai", 6)):
        [row] = report.attained(Window(MARCH.start, MARCH.until, zone), by=("kind", "day"))
        assert row.key == ("resolution", day(number).date())


def test_the_parts_add_up_to_the_whole(cast: Cast) -> None:
    """Whatever it is parted by, and however often: the sums of the parts are the whole, gross and net."""
    ways = ["kind", "priority", "customer", "category", "engineer", "source", "day"]
    for number in range(60):
        broken = number % 7 == 0
        made = clock(
            cast,
            "breached" if broken else "met",
            day(1 + number % 28),
            kind=("response", "resolution")[number % 2],
            customer=(cast.acme, cast.globex)[number % 3 % 2],
            priority=("critical", "high", "low")[number % 3],
            category=("technical", "billing")[number % 5 % 2],
            source=("web", "email", "phone")[number % 4 % 3],
            engineer=("", cast.ana.key)[number % 6 % 2],
        )
        if number % 21 == 0:
            excuse(cast, made, at=day(28))
    total = whole()
    assert (total.gross, total.excused) == (Attainment(51, 9), 3)
    for by in [(way,) for way in ways] + list(pairwise(ways)) + [tuple(ways)]:
        rows = report.attained(MARCH, by=by)
        zero = report.Row((), Attainment(), Attainment())
        added = sum(rows, zero)
        assert (added.gross, added.net) == (total.gross, total.net), by
        assert len({row.key for row in rows}) == len(rows)
    for name, values in {"priority": ["critical", "high", "low"], "source": ["web", "email", "phone"]}.items():
        assert sum(whole(chosen={name: [value]}).gross.decided for value in values) == total.gross.decided
    weeks = [Window(day(1 + 7 * n), day(8 + 7 * n), "UTC") for n in range(4)]
    for week, rows in zip(weeks, over_time(weeks), strict=True):
        alone = report.attained(week)
        assert [(row.key[1], row.gross, row.net) for row in rows] == [(row.key[0], row.gross, row.net) for row in alone]
    halves = [Window(MARCH.start, day(15), "UTC"), Window(day(15), MARCH.until, "UTC")]
    assert sum(whole(half).gross.decided for half in halves) == total.gross.decided


def test_it_is_one_statement_whatever_it_is_asked_by(cast: Cast) -> None:
    clock(cast, "met", day(3))
    theirs = Customer.objects.filter(pk=cast.globex.pk)
    for call in (
        lambda: report.attained(MARCH, by=("kind", "customer", "day"), customers=theirs, as_of=day(5)),
        lambda: report.excluded(MARCH, customers=theirs),
        lambda: report.over_time([MARCH, MARCH], customers=theirs),
    ):
        with CaptureQueriesContext(connection) as said:
            assert call() == []
        assert len(said) == 1
