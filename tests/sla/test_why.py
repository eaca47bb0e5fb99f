"""Why a clock is due when it is: the sum is the target to the second, whatever happened."""

import itertools
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla import hours
from sla.clock import Fact, Reckoning, Target, compute
from sla.why import Explained, explain, windows_between
from sla.worktime import AROUND_THE_CLOCK, SECOND, Calendar

TARGETS = {
    "critical": Target(15 * 60, 4 * 3600, 3600, assign_s=300),
    "high": Target(3600, 8 * 3600, 4 * 3600, assign_s=900),
    "low": Target(86_400, 259_200, 259_200, assign_s=14_400),
}
SHIPPED = json.loads(Path("sla/calendars.json").read_text())
NAMED: dict[str, Calendar] = {name: hours.read(rules) for name, rules in SHIPPED.items()}
NAMED["24x7"] = AROUND_THE_CLOCK
# Weeks with a make-up Saturday, a holiday and a change of clocks.
BEGINS = [
    datetime(2026, 2, 13, 3, tzinfo=UTC),
    datetime(2026, 3, 6, 20, tzinfo=UTC),
    datetime(2026, 9, 30, 9, tzinfo=UTC),
]
BEGINS += [datetime(2026, 3, 28, 22, tzinfo=UTC), datetime(2026, 10, 30, 4, tzinfo=UTC)]
many = settings(derandomize=True, deadline=None, max_examples=300)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}+08:00").astimezone(UTC)


def told(calendar: str, now: str, *lines: str, kind: str = "resolution") -> Explained:
    facts: list[Fact] = []
    for number, line in enumerate(lines):
        day, time, *words = line.split()
        facts.append((at(f"{day}T{time}"), number, words))
    reckoning = compute(facts, TARGETS, NAMED[calendar], at(now.replace(" ", "T")))
    return explain(getattr(reckoning, kind), reckoning.spans, NAMED[calendar], at(now.replace(" ", "T")))


def kinds(why: Explained) -> list[tuple[str, int]]:
    return [(stretch.kind, stretch.seconds) for stretch in why.stretches]


def test_a_pause_stands_between_what_ran() -> None:
    why = told(
        "24x7",
        "03-02 13:00",
        "03-02 10:00 created critical",
        "03-02 11:00 status waiting_customer",
        "03-02 12:00 status in_progress",
    )
    assert kinds(why) == [("runs", 3600), ("pause", 3600), ("runs", 3600), ("left", 7200)]
    assert (why.due, why.used_s, why.adds_up) == (at("03-02T15:00"), 4 * 3600, True)


def test_while_it_is_paused_what_remains_completes_the_sum() -> None:
    why = told("24x7", "03-02 13:00", "03-02 10:00 created critical", "03-02 11:00 status waiting_customer")
    assert kinds(why) == [("runs", 3600), ("pause", 7200)]
    assert (why.due, why.remaining_s, why.adds_up) == (None, 10_800, True)


def test_each_window_of_the_office_hours_is_named() -> None:
    why = told("CN-8x5", "03-06 17:30", "03-06 17:30 created high")
    windows = [(w.start, w.end) for stretch in why.stretches for w in stretch.windows]
    assert windows == [
        (at("03-06T17:30"), at("03-06T18:00")),
        (at("03-09T09:00"), at("03-09T12:00")),
        (at("03-09T13:00"), at("03-09T17:30")),
    ]
    assert why.adds_up


def test_the_spring_festival_is_skipped_and_the_make_up_day_used() -> None:
    """SLA-38: a make-up Saturday, then nine days off."""
    why = told("CN-8x5", "02-14 17:00", "02-14 17:00 created high")
    assert why.due == at("02-24T17:00")
    assert why.made_up == (date(2026, 2, 14),)
    assert why.holidays == tuple(date(2026, 2, day) for day in (16, 17, 18, 19, 20, 23))


def test_the_time_it_was_resolved_is_a_gap() -> None:
    why = told(
        "24x7",
        "03-03 13:10",
        "03-02 10:00 created critical",
        "03-02 13:00 status resolved",
        "03-03 13:00 status in_progress",
    )
    assert kinds(why) == [("runs", 10_800), ("gap", 86_400), ("runs", 600), ("left", 3000)]


def test_the_response_is_one_stretch_whatever_the_status() -> None:
    why = told(
        "24x7", "03-02 10:10", "03-02 10:00 created critical", "03-02 10:05 status waiting_customer", kind="response"
    )
    assert kinds(why) == [("runs", 600), ("left", 300)]


def test_what_came_after_the_due_time_is_not_told() -> None:
    why = told("24x7", "03-02 18:00", "03-02 10:00 created critical", "03-02 15:00 status waiting_customer")
    assert kinds(why) == [("runs", 14_400)]


WORDS = st.one_of(
    st.sampled_from(["in_progress", "waiting_customer", "resolved"]).map(lambda s: ["status", s]),
    st.sampled_from(sorted(TARGETS)).map(lambda p: ["priority", p]),
    st.just(["reply", "engineer"]),
    st.just(["withdrawn"]),
)


@st.composite
def lives(draw: st.DrawFn) -> list[Fact]:
    begin = draw(st.sampled_from(BEGINS)) + draw(st.integers(0, 86_400)) * SECOND
    facts: list[Fact] = [(begin, 10, ["created", draw(st.sampled_from(sorted(TARGETS)))])]
    for gap, fact in draw(st.lists(st.tuples(st.integers(0, 60_000), WORDS), max_size=8)):
        facts.append((facts[-1][0] + gap * SECOND, facts[-1][1] + 1, fact))
    return facts


@many
@given(lives(), st.sampled_from(sorted(NAMED)), st.integers(0, 400_000))
def test_windows_and_what_remains_are_the_target(facts: list[Fact], calendar: str, later: int) -> None:
    now = facts[-1][0] + later * SECOND
    reckoning: Reckoning = compute(facts, TARGETS, NAMED[calendar], now)
    for state in reckoning.clocks:
        why = explain(state, reckoning.spans, NAMED[calendar], now)
        used = [window for stretch in why.stretches if stretch.counts for window in stretch.windows]
        if why.due is not None:
            assert sum(window.seconds for window in used) == state.target_s == why.used_s
        elif state.verdict == "paused":
            assert sum(window.seconds for window in used) + (why.remaining_s or 0) == state.target_s
        assert all(a.end <= b.start for a, b in itertools.pairwise(used))


@many
@given(st.sampled_from(sorted(NAMED)), st.sampled_from(BEGINS), st.integers(0, 200_000), st.integers(0, 900_000))
def test_windows_are_what_the_calendar_works(calendar: str, begin: datetime, after: int, long: int) -> None:
    a = begin + timedelta(seconds=after)
    b = a + timedelta(seconds=long)
    windows: list[Any] = list(windows_between(NAMED[calendar], a, b))
    assert sum(window.seconds for window in windows) == NAMED[calendar].work(a, b)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_every_shipped_calendar_is_one_of_hours(name: str) -> None:
    assert isinstance(NAMED[name], hours.Hours)
