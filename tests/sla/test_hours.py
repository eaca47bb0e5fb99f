"""Office hours: windows, exceptions and changes of the clocks; a counter agrees on random calendars."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla import hours
from sla.hours import BadCalendar, Hours, local_instant, read

SHIPPED = json.loads((Path(hours.__file__).with_name("calendars.json")).read_text())
CN, US, UK = (read(SHIPPED[name]) for name in ("CN-8x5", "US-8x5", "UK-night"))
SECOND = timedelta(seconds=1)


def at(text: str, calendar: Hours = CN) -> datetime:
    return local_instant(datetime.fromisoformat(text), calendar.zone)


def local(t: datetime, calendar: Hours = CN) -> str:
    return f"{t.astimezone(calendar.zone):%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(
    ("calendar", "a", "b", "expected"),
    [
        (CN, "2026-03-02 09:00", "2026-03-02 18:00", 8 * 3600),
        (CN, "2026-03-02 11:30", "2026-03-02 13:30", 3600),
        (CN, "2026-03-06 17:30", "2026-03-09 09:30", 3600),
        (CN, "2026-03-07 00:00", "2026-03-09 00:00", 0),
        # The make-up Saturday counts, the nine days of Spring Festival do not.
        (CN, "2026-02-14 17:00", "2026-02-24 10:00", 2 * 3600),
        (CN, "2026-10-01 00:00", "2026-10-08 00:00", 0),
        (CN, "2026-10-10 00:00", "2026-10-11 00:00", 8 * 3600),
        # Nights of the clock changes in London: five hours in spring, seven in autumn.
        (UK, "2026-03-29 00:00", "2026-03-30 00:00", 5 * 3600),
        (UK, "2026-10-25 00:00", "2026-10-26 00:00", 7 * 3600),
        (US, "2026-11-01 00:00", "2026-11-03 00:00", 8 * 3600),
    ],
)
def test_working_time_between_two_instants(calendar: Hours, a: str, b: str, expected: int) -> None:
    assert calendar.work(at(a, calendar), at(b, calendar)) == expected


@pytest.mark.parametrize(
    ("a", "n", "expected"),
    [
        ("2026-03-06 17:30", 3600, "2026-03-09 09:30:00"),
        # The earliest instant: the end of a window, not the start of the next.
        ("2026-03-06 17:00", 3600, "2026-03-06 18:00:00"),
        ("2026-03-06 17:00", 3601, "2026-03-09 09:00:01"),
        ("2026-02-14 17:00", 8 * 3600, "2026-02-24 17:00:00"),
        ("2026-03-07 12:00", 0, "2026-03-07 12:00:00"),
        ("2026-03-02 11:00", 2 * 3600, "2026-03-02 14:00:00"),
    ],
)
def test_when_so_much_is_worked(a: str, n: int, expected: str) -> None:
    assert local(CN.add(at(a), n)) == expected


def test_to_midnight_no_minute_is_lost() -> None:
    whole = read({"zone": "Asia/Shanghai", "week": {str(d): [["00:00", "24:00"]] for d in range(7)}})
    assert whole.work(at("2026-03-02 00:00"), at("2026-03-04 00:00")) == 2 * 86_400
    assert whole.add(at("2026-03-02 23:59:59"), 2) == at("2026-03-03 00:00:01")


def test_a_night_is_two_windows_that_meet() -> None:
    night = read(
        {"zone": "Asia/Shanghai", "week": {str(d): [["22:00", "24:00"], ["00:00", "06:00"]] for d in range(7)}}
    )
    assert night.work(at("2026-03-02 22:00"), at("2026-03-03 06:00")) == 8 * 3600


def test_windows_that_overlap_count_once() -> None:
    twice = read({"zone": "Asia/Shanghai", "week": {"0": [["09:00", "12:00"], ["11:00", "13:00"]]}})
    assert twice.work(at("2026-03-02 00:00"), at("2026-03-03 00:00")) == 4 * 3600


def test_a_workday_may_have_hours_of_its_own() -> None:
    short = read(SHIPPED["CN-8x5"] | {"workdays": {"2026-03-07": [["10:00", "12:00"]]}})
    assert short.work(at("2026-03-07 00:00"), at("2026-03-08 00:00")) == 2 * 3600


@pytest.mark.parametrize(
    ("local", "zone", "last", "expected"),
    [
        ("2026-11-01 01:30", "America/New_York", False, "2026-11-01T05:30:00+00:00"),
        ("2026-11-01 01:30", "America/New_York", True, "2026-11-01T06:30:00+00:00"),
        # Not there: the instant of the change.
        ("2026-03-08 02:30", "America/New_York", False, "2026-03-08T07:00:00+00:00"),
        ("2026-03-08 02:30", "America/New_York", True, "2026-03-08T07:00:00+00:00"),
        ("2026-03-29 01:15", "Europe/London", False, "2026-03-29T01:00:00+00:00"),
    ],
)
def test_local_times_that_are_there_twice_or_not_at_all(local: str, zone: str, last: bool, expected: str) -> None:
    assert local_instant(datetime.fromisoformat(local), ZoneInfo(zone), last=last).isoformat() == expected


@pytest.mark.parametrize(
    ("rules", "path"),
    [
        ({"zone": "Mars/Olympus", "week": {"0": [["09:00", "10:00"]]}}, "zone"),
        ({"zone": "Asia/Shanghai", "week": {"7": [["09:00", "10:00"]]}}, "week.7"),
        ({"zone": "Asia/Shanghai", "week": {"0": [["18:00", "09:00"]]}}, "week.0"),
        ({"zone": "Asia/Shanghai", "week": {"0": [["09:00", "09:00"]]}}, "week.0"),
        ({"zone": "Asia/Shanghai", "week": {"0": [["09:00", "24:01"]]}}, "week.0"),
        ({"zone": "Asia/Shanghai", "week": {"0": [["9:00", "10:00"]]}}, "week.0"),
        ({"zone": "Asia/Shanghai", "week": {"0": [["09:00"]]}}, "week.0"),
        ({"zone": "Asia/Shanghai", "week": {}}, "week"),
        ({"zone": "Asia/Shanghai", "week": []}, "week"),
        ({"zone": "Asia/Shanghai", "week": {"0": [["09:00", "10:00"]]}, "closed": ["2026-02-30"]}, "closed"),
        ({"zone": "Asia/Shanghai", "week": {"0": [["09:00", "10:00"]]}, "workdays": {"x": None}}, "workdays"),
    ],
)
def test_rules_that_make_no_sense_are_named(rules: dict[str, Any], path: str) -> None:
    with pytest.raises(BadCalendar) as refused:
        read(rules)
    assert refused.value.path == path


def test_a_calendar_that_never_opens_again_says_so() -> None:
    once = Hours(ZoneInfo("Asia/Shanghai"), ((),) * 7, frozenset(), {date(2026, 3, 2): ((540, 720),)})
    assert local(once.add(at("2026-03-01 00:00"), 3 * 3600)) == "2026-03-02 12:00:00"
    with pytest.raises(BadCalendar, match="never open"):
        once.add(at("2026-03-03 00:00"), 1)


# --- Against a counter of seconds ------------------------------------------------------------------------------------

times = st.integers(0, 24 * 4).map(lambda q: 15 * q)
windows = st.lists(st.tuples(times, times).filter(lambda w: w[0] < w[1]), max_size=3).map(lambda w: tuple(sorted(w)))
zones = st.sampled_from(["Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe", "UTC"])
calendars = st.builds(
    lambda zone, week, closed: Hours(ZoneInfo(zone), tuple(week), frozenset(closed)),
    zones,
    st.lists(windows, min_size=7, max_size=7).filter(any),
    st.lists(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=20),
)
instants = st.datetimes(datetime(2025, 12, 1), datetime(2027, 2, 1), timezones=st.just(UTC)).map(
    lambda t: t.replace(microsecond=0)
)


def minutes_open(calendar: Hours, a: datetime, b: datetime) -> int:
    """Counts by looking at the wall clock of every quarter of an hour: another way to the same sum."""
    step, total, t = timedelta(minutes=15), 0, a
    while t < b:
        wall = t.astimezone(calendar.zone)
        minute = 60 * wall.hour + wall.minute
        total += any(opens <= minute < closes for opens, closes in calendar.windows_on(wall.date()))
        t += step
    return total * 15 * 60


@settings(derandomize=True, deadline=None, max_examples=60)
@given(calendars, st.dates(date(2026, 1, 2), date(2026, 12, 20)), st.integers(1, 400))
def test_a_counter_of_quarters_agrees(calendar: Hours, day: date, quarters: int) -> None:
    a = datetime(day.year, day.month, day.day, tzinfo=UTC)
    b = a + quarters * timedelta(minutes=15)
    if calendar.zone.key in ("Asia/Shanghai", "UTC"):
        assert calendar.work(a, b) == minutes_open(calendar, a, b)
    else:
        # Where clocks change a wall time is there twice or not at all: windows decide by the rule, not by the wall.
        assert abs(calendar.work(a, b) - minutes_open(calendar, a, b)) <= 2 * 3600


@settings(derandomize=True, deadline=None, max_examples=60)
@given(calendars, instants, st.integers(1, 400_000))
def test_add_and_work_are_inverse(calendar: Hours, a: datetime, n: int) -> None:
    t = calendar.add(a, n)
    assert calendar.work(a, t) == n
    assert calendar.work(a, t - SECOND) == n - 1


@settings(derandomize=True, deadline=None, max_examples=60)
@given(calendars, instants, instants, instants)
def test_work_adds_up_and_never_falls(calendar: Hours, a: datetime, b: datetime, c: datetime) -> None:
    a, b, c = sorted((a, b, c))
    assert calendar.work(a, b) + calendar.work(b, c) == calendar.work(a, c) >= 0
    assert calendar.work(c, a) == 0
