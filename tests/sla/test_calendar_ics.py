"""Holidays out of iCalendar files, and what a list would make of a calendar's year."""

import random
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla.calendar_ics import read_ics
from sla.calendar_text import Day, lines_of
from sla.calendar_year import days_in, hours_of, open_days, picture, preview

OFFICE: dict[str, Any] = {
    "kind": "hours",
    "week": {str(day): [["09:00", "12:00"], ["13:00", "18:00"]] for day in range(5)},
}


def event(summary: str, start: str, *more: str) -> str:
    lines = ["BEGIN:VEVENT", f"UID:{summary}-{start}", "DTSTAMP:20260101T000000Z", f"SUMMARY:{summary}"]
    return "\r\n".join([*lines, f"DTSTART;VALUE=DATE:{start}", *more, "END:VEVENT"])


def file(*events: str) -> bytes:
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//holidays//EN"]
    return "\r\n".join([*head, *events, "END:VCALENDAR", ""]).encode()


def told(*events: str, year: int = 2027) -> list[str]:
    read = read_ics(file(*events), year)
    assert not read.faults, read.faults
    return [f"{d.date:%m-%d}{' w' if d.worked else ''} {d.name}".rstrip() for d in read.days]


def test_the_end_of_an_event_is_no_day_of_it() -> None:
    assert told(event("元旦", "20270101", "DTEND;VALUE=DATE:20270104")) == ["01-01 元旦", "01-02 元旦", "01-03 元旦"]
    assert told(event("One", "20270101", "DTEND;VALUE=DATE:20270102")) == ["01-01 One"]
    assert told(event("One", "20270101", "DTEND;VALUE=DATE:20270101")) == ["01-01 One"]
    assert told(event("One", "20270101")) == ["01-01 One"]
    assert told(event("Two", "20270101", "DURATION:P2D")) == ["01-01 Two", "01-02 Two"]


def test_an_event_over_the_turn_of_the_year_gives_the_days_of_the_year_asked_for() -> None:
    assert told(event("Break", "20261230", "DTEND;VALUE=DATE:20270103")) == ["01-01 Break", "01-02 Break"]


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=YEARLY", ["05-01"]),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", ["11-25"]),
        ("FREQ=YEARLY;UNTIL=20261231", []),
        ("FREQ=YEARLY;UNTIL=20280101T000000Z", ["05-01"]),
        ("FREQ=YEARLY;COUNT=2", []),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", []),
    ],
)
def test_a_rule_is_unrolled_within_the_year(rule: str, days: list[str]) -> None:
    other = event("Always", "20270102")
    assert [line for line in told(event("Day", "20200501", f"RRULE:{rule}"), other) if "Day" in line] == [
        f"{day} Day" for day in days
    ]


def test_days_taken_out_of_a_rule_and_put_in_beside_it() -> None:
    more = ("RRULE:FREQ=MONTHLY;COUNT=3", "EXDATE;VALUE=DATE:20270210", "RDATE;VALUE=DATE:20270701")
    assert told(event("Tenth", "20270110", *more)) == ["01-10 Tenth", "03-10 Tenth", "07-01 Tenth"]


def test_where_days_are_marked_festivals_are_left_out_and_counted() -> None:
    marked = [event("春节（休）", "20270205"), event("春节（班）", "20270220"), event("元宵节", "20270220")]
    assert told(*marked) == ["02-05 春节", "02-20 w 春节"]
    assert "1 events without a mark" in read_ics(file(*marked), 2027).notes[0].text
    apple = [
        event("春节", "20270205", "X-APPLE-SPECIAL-DAY:WORK-HOLIDAY"),
        event("春节", "20270220", "X-APPLE-SPECIAL-DAY:ALTERNATE-WORKDAY"),
        event("情人节", "20270214"),
    ]
    assert told(*apple) == ["02-05 春节", "02-20 w 春节"]
    assert told(event("Make-up workday", "20270220")) == ["02-20 w Make-up workday"]


@pytest.mark.parametrize(
    ("content", "where", "word"),
    [
        (b"", "", "no iCalendar"),
        (b"\x89PNG\r\n\x1a\n\xff", "", "no iCalendar"),
        (b"2027-01-01\n", "", "no iCalendar"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "", "no"),
        (file(), "", "no event"),
        (file(event("Old", "20200101")), "", "lies in 2027"),
        (file(event("A", "20270101"), event("B", "20270101")), "event 2 (B)", "twice (event 1 (A))"),
        (file(event("A（休）", "20270101"), event("A（班）", "20270101")), "event 2 (A（班）)", "workday and closed"),
        (file(event("Back", "20270105", "DTEND;VALUE=DATE:20270101")), "event 1 (Back)", "ends before it starts"),
        (file(event("Long", "20270105", "DTEND;VALUE=DATE:20271201")), "event 1 (Long)", "More than 60 days"),
        (
            file(event("X", "20270105").replace(";VALUE=DATE:20270105", ":20270105T090000Z")),
            "event 1 (X)",
            "only whole days",
        ),
        (file(event("X", "20270105").replace("DTSTART;VALUE=DATE:20270105", "LOCATION:x")), "event 1 (X)", "no start"),
        (file(event("X", "20270105", "RRULE:FREQ=SECONDLY")), "event 1 (X)", "repetition cannot be read"),
        (file(event("X", "18000105", "RRULE:FREQ=DAILY")), "event 1 (X)", "before 1900"),
    ],
)
def test_what_is_wrong_is_named_at_its_event(content: bytes, where: str, word: str) -> None:
    faults = read_ics(content, 2027).faults
    assert [fault.where for fault in faults] == [where]
    assert word in faults[0].text


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=120).map(lambda text: file(event("X", "20270105", text))))
def test_whatever_is_uploaded_is_read_or_named(content: bytes) -> None:
    read = read_ics(content, 2027)
    assert read.days or read.faults


# --- The year --------------------------------------------------------------------------------------------------------


def test_the_preview_says_what_is_added_the_same_and_in_conflict() -> None:
    rules = OFFICE | {
        "closed": ["2027-01-01", "2027-05-03", "2026-10-01"],
        "workdays": {"2027-02-20": None},
        "names": {"2027-01-01": "New Year"},
    }
    days = [Day(date(2027, 1, 1)), Day(date(2027, 2, 20)), Day(date(2027, 3, 1), name="Spring")]
    seen = preview("Asia/Shanghai", rules, days, 2027)
    assert [d.date.isoformat() for d in seen.added] == ["2027-03-01"]
    assert [d.date.isoformat() for d in seen.same] == ["2027-01-01"]
    assert [(c.old.worked, c.new.worked) for c in seen.conflicts] == [(True, False)]
    assert [d.date.isoformat() for d in seen.kept] == ["2027-05-03"]
    assert seen.rules["closed"] == ["2026-10-01", "2027-01-01", "2027-02-20", "2027-03-01", "2027-05-03"]
    assert seen.rules["names"]["2027-01-01"] == "New Year", "a list without names leaves those that are known"
    assert {m.number: m.change for m in seen.months if m.change} == {2: -1, 3: -1}


LISTS = st.lists(
    st.builds(Day, st.integers(0, 364).map(lambda n: date(2027, 1, 1) + timedelta(days=n)), st.booleans()),
    max_size=80,
    unique_by=lambda day: day.date,
)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(LISTS, LISTS)
def test_working_days_are_those_an_independent_count_finds(old: list[Day], new: list[Day]) -> None:
    rules = OFFICE | {
        "closed": [d.date.isoformat() for d in old if not d.worked],
        "workdays": {d.date.isoformat(): None for d in old if d.worked},
    }
    seen = preview("Asia/Shanghai", rules, new, 2027)
    said = {d.date: d.worked for d in old} | {d.date: d.worked for d in new}
    for month in seen.months:
        days = [day for day in days_in(2027) if day.month == month.number]
        assert month.after == sum(said.get(day, day.weekday() < 5) for day in days)
    office = hours_of("Asia/Shanghai", seen.rules)
    assert seen.picture.open_days == sum(open_days(2027, office)) == sum(m.after for m in seen.months)
    assert office is not None
    begin, end = (hours_instant(2027 + n) for n in range(2))
    assert office.work(begin, end) == seen.picture.open_days * 8 * 3600, "the clocks count the same days"


def hours_instant(year: int) -> Any:
    from datetime import datetime

    return datetime(year, 1, 1, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_the_picture_holds_every_day_once_and_inside() -> None:
    shown = picture(2028, hours_of("Asia/Shanghai", OFFICE), {})
    squares = [square for month in shown.months for square in month.squares]
    assert len({square.day for square in squares}) == len(squares) == 366
    for month in shown.months:
        for square in month.squares:
            assert 0 < month.x + square.x < shown.width
            assert 0 < month.y + square.y < shown.height


def test_a_file_becomes_lines_that_say_the_same() -> None:
    events = [event(f"Day {n}", f"2027{random.Random(n).randint(1, 12):02}{n + 1:02}") for n in range(20)]
    read = read_ics(file(*events), 2027)
    assert lines_of(read.days).count("\n") == len(read.days) - 1
