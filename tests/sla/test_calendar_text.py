"""What is pasted as next year's list: each way to write it, what is wrong and where, and the same as text again."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla.calendar_text import (
    Day,
    Unreadable,
    days_of,
    lines_of,
    read_lines,
    rules_with,
    windows_of,
    windows_text,
)

NOTICE = """一、元旦：1月1日（周四）至3日（周六）放假调休，共3天。1月4日（周日）上班。
二、春节：2月15日（农历腊月二十八、周日）至23日（农历正月初七、周一）放假调休，共9天。2月14日（周六）、2月28日（周六）上班。
三、清明节：4月4日（周六）至6日（周一）放假，共3天。
四、劳动节：5月1日（周五）至5日（周二）放假调休，共5天。5月9日（周六）上班。
五、端午节：6月19日（周五）至21日（周日）放假，共3天。
六、中秋节：9月25日（周五）至27日（周日）放假，共3天。
七、国庆节：10月1日（周四）至7日（周三）放假调休，共7天。9月20日（周日）、10月10日（周六）上班。"""


def told(text: str, year: int | None = 2027) -> list[str]:
    """Each day as month-day, w where it is worked, its windows and its name."""
    read = read_lines(text, year)
    assert not read.faults, read.faults
    return [
        " ".join(filter(None, [f"{d.date:%m-%d}", "w" if d.worked else "", windows_text(d.windows or ()), d.name]))
        for d in read.days
    ]


@pytest.mark.parametrize(
    ("line", "days"),
    [
        ("2027-01-01", ["01-01"]),
        ("2027/1/1 元旦", ["01-01 元旦"]),
        ("2027-02-05..02-07 春节", ["02-05 春节", "02-06 春节", "02-07 春节"]),
        ("2027-02-05 .. 2027-02-06", ["02-05", "02-06"]),
        ("2027-02-05 至 06 春节", ["02-05 春节", "02-06 春节"]),
        ("2027-12-31..31", ["12-31"]),
        ("2027-02-14 workday", ["02-14 w"]),
        ("2027-02-14 补班", ["02-14 w"]),
        ("2027-02-14 班", ["02-14 w"]),
        ("2027-02-14 春节（班）", ["02-14 w 春节"]),
        ("2027-02-14 workday 09:00-12:00", ["02-14 w 09:00-12:00"]),
        ("2027-02-14 上班 9:00-12:00，13:00-24:00", ["02-14 w 09:00-12:00, 13:00-24:00"]),
        ("补班：2月14日、2月28日", ["02-14 w", "02-28 w"]),
        ("1月1日至3日放假", ["01-01", "01-02", "01-03"]),
        ("1月31日至2月1日放假调休，共2天。", ["01-31", "02-01"]),
        ("2027年2月14日（星期日）上班", ["02-14 w"]),
        ("劳动节 5月1日至2日放假，5月8日上班", ["05-01 劳动节", "05-02 劳动节", "05-08 w 劳动节"]),
        ("2027-08-30 Summer bank holiday", ["08-30 Summer bank holiday"]),
        ("2027-05-01 Workers' Day", ["05-01 Workers' Day"]),
        ("# a remark", []),
        ("   ", []),
    ],
)
def test_each_way_to_write_a_day(line: str, days: list[str]) -> None:
    assert told(line) == days


def test_the_notice_of_the_state_council_is_the_calendar_that_ships() -> None:
    import json
    from pathlib import Path

    shipped = json.loads((Path(__file__).parents[2] / "sla" / "calendars.json").read_text())["CN-8x5"]
    read = read_lines(NOTICE, 2026)
    assert (read.faults, read.notes) == ((), ())
    rules = rules_with(shipped, read.days)
    assert rules["closed"] == shipped["closed"]
    assert rules["workdays"] == shipped["workdays"]
    assert rules["names"]["2026-02-14"] == "春节"


@pytest.mark.parametrize(
    ("text", "where", "word"),
    [
        ("2027-01-01\nNew Year", "line 2", "There is no date"),
        ("2027-01-01\n\n2027-01-01", "line 3", "twice (line 1)"),
        ("2027-01-01..03\n2027-01-02 workday", "line 2", "2027-01-02 is a workday and closed as well (line 1)"),
        ("2027-02-30", "line 1", "There is no day 2027-02-30"),
        ("2028-01-01", "line 1", "does not lie in 2027"),
        ("2027-02-11..02-05", "line 1", "ends before it starts"),
        ("2027-01-01..12-31", "line 1", "More than 60 days"),
        ("2027-02-14 workday 12:00-09:00", "line 1", "ends before it starts"),
        ("2027-02-14 workday 09:00-12:00, 11:00-13:00", "line 1", "overlap"),
        ("2027-02-14 workday 09:00-25:00", "line 1", "no time from 00:00 to 24:00"),
        ("2027-01-01" + " " * 3000, "line 1", "longer than 2000 characters"),
        ("2027-02-14 workday 09:00", "line 1", "is not a window"),
    ],
)
def test_what_is_wrong_is_named_at_its_line(text: str, where: str, word: str) -> None:
    faults = read_lines(text, 2027).faults
    assert [fault.where for fault in faults] == [where]
    assert word in faults[0].text


def test_a_weekday_that_does_not_fit_its_date_is_told_and_not_refused() -> None:
    read = read_lines("2月14日（星期六）上班", 2027)
    assert ([d.worked for d in read.days], read.faults) == ([True], ())
    assert "2027-02-14 is not the weekday it says (星期六)" in read.notes[0].text


def test_without_a_year_given_each_line_says_its_own() -> None:
    assert "Write the year" in read_lines("1月1日放假").faults[0].text
    assert told("2027-01-01\n2028-01-01", None) == ["01-01", "01-01"]
    assert "between 2000 and 2100" in read_lines("1900-01-01").faults[0].text


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", []),
        ("09:00-12:00", [["09:00", "12:00"]]),
        ("13:00-18:00, 9:00-12:00", [["09:00", "12:00"], ["13:00", "18:00"]]),
        ("00:00–24:00", [["00:00", "24:00"]]),
        ("09：00 至 12：00；13：00～18：00", [["09:00", "12:00"], ["13:00", "18:00"]]),
        ("09:00-12:00 12:00-13:00", [["09:00", "12:00"], ["12:00", "13:00"]]),
    ],
)
def test_windows(text: str, pairs: Any) -> None:
    assert windows_of(text) == pairs


@pytest.mark.parametrize("text", ["9-12", "09:00-12", "12:00-09:00", "09:00-09:00", "09:60-10:00", "24:01-24:30", "x"])
def test_what_is_no_window(text: str) -> None:
    with pytest.raises(Unreadable):
        windows_of(text)


# --- Properties ------------------------------------------------------------------------------------------------------

MINUTES = st.lists(st.integers(0, 1440), min_size=2, max_size=8, unique=True).filter(lambda found: len(found) % 2 == 0)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


WINDOWS = MINUTES.map(
    lambda found: tuple((clock(a), clock(b)) for a, b in zip(sorted(found)[::2], sorted(found)[1::2], strict=True))
)
NAMES = st.sampled_from(["", "春节", "国庆节", "New Year", "Labour Day"])
DATES = st.integers(0, 364).map(lambda n: date(2027, 1, 1) + timedelta(days=n))
CLOSED = st.builds(Day, DATES, name=NAMES)
WORKED = st.builds(Day, DATES, st.just(True), st.none() | WINDOWS, NAMES)
LISTS = st.lists(CLOSED | WORKED, max_size=60, unique_by=lambda day: day.date)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(LISTS)
def test_what_is_written_reads_as_the_same_days(days: list[Day]) -> None:
    read = read_lines(lines_of(days), 2027)
    assert read.faults == ()
    assert [(d.date, d.says, d.name) for d in read.days] == [
        (d.date, d.says, d.name) for d in sorted(days, key=lambda day: day.date)
    ]
    rules = rules_with({"week": {}}, days)
    assert [(d.date, d.says, d.name) for d in days_of(rules)] == [(d.date, d.says, d.name) for d in read.days]


@settings(derandomize=True, max_examples=200, deadline=None)
@given(WINDOWS)
def test_windows_read_as_they_are_written(windows: tuple[tuple[str, str], ...]) -> None:
    assert windows_of(windows_text(windows)) == [list(pair) for pair in windows]


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(max_size=80) | st.from_regex(r"[0-9月日至.: -]{0,40}", fullmatch=True))
def test_whatever_is_pasted_is_read_or_named(text: str) -> None:
    read = read_lines(text, 2027)
    assert all(day.date.year == 2027 for day in read.days)
    assert all(fault.text for fault in read.faults)
