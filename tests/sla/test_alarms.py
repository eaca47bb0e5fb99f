"""Who is to be warned when: the worked examples W1 to W6 of sla.md, and what holds for every history.

A sweeper looks at a clock whenever it says that it has something to say, and at each fact; another one looks at every
single second. Both must say the same, each thing once.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.alarms import next_event_at, owed
from sla.clock import WARN_AT, Fact, Target, compute
from sla.worktime import AROUND_THE_CLOCK, SECOND, Calendar
from tests.sla.test_clock_properties import TARGETS as SHORT
from tests.sla.test_clock_properties import calendars, histories, many, second, with_undos

DAY = datetime.fromisoformat("2026-03-02T00:00:00+00:00")
CHECKLIST = {
    "critical": Target(15 * 60, 4 * 3600),
    "high": Target(3600, 8 * 3600),
    "medium": Target(4 * 3600, 24 * 3600),
    "low": Target(24 * 3600, 72 * 3600),
}
# What was said: of which clock, how many percent (100: broken), at which instant, and seen when.
Said = tuple[str, int, datetime, datetime]


def at(text: str) -> datetime:
    hours, minutes, *seconds = (int(part) for part in text.split(":"))
    return DAY + timedelta(hours=hours, minutes=minutes, seconds=sum(seconds))


class Sweeper:
    """Looks at the clocks of one history, and remembers what it said."""

    def __init__(self, facts: list[Fact], targets: dict[str, Target], calendar: Calendar) -> None:
        self.facts, self.targets, self.calendar = facts, targets, calendar
        self.told: dict[tuple[str, int], set[int]] = {}
        self.said: list[Said] = []
        self.superseded: list[tuple[str, int]] = []

    def look(self, now: datetime) -> datetime | None:
        """Says what there is to say; returns when to look again if nothing happens."""
        reckoning = compute([f for f in self.facts if f[0] <= now], self.targets, self.calendar, now)
        for clock in (reckoning.response, reckoning.resolution):
            told = self.told.setdefault((clock.kind, clock.target_s), set())
            found = owed(clock, told, now)
            self.superseded += [(clock.kind, mark.percent) for mark in found.superseded]
            told.update(mark.percent for mark in found.superseded)
            if found.warning:
                told.add(found.warning.percent)
                self.said.append((clock.kind, found.warning.percent, found.warning.at, now))
            if clock.breached_at and (clock.kind, 100) not in [s[:2] for s in self.said]:
                self.said.append((clock.kind, 100, clock.breached_at, now))
        both = [next_event_at(clock, now) for clock in (reckoning.response, reckoning.resolution)]
        return min((when for when in both if when), default=None)

    def follow(self, until: datetime) -> "Sweeper":
        """Looks at each fact, and whenever a clock asked for it; never at another instant."""
        coming = sorted({f[0] for f in self.facts})
        now: datetime | None = coming[0]
        while now is not None and now <= until:
            wanted = self.look(now)
            facts = [when for when in coming if when > now]
            now = min([*facts[:1], *([wanted] if wanted else [])], default=None)
        return self


def story(*lines: str) -> Sweeper:
    facts: list[Fact] = []
    for number, line in enumerate(lines):
        when, kind, *words = line.split()
        facts.append((at(when), number, [kind, *words]))
    return Sweeper(facts, CHECKLIST, AROUND_THE_CLOCK)


def of(said: Iterable[Said], kind: str) -> list[tuple[int, datetime]]:
    return [(percent, when) for which, percent, when, _seen in said if which == kind]


def marks(*lines: str) -> list[tuple[int, datetime]]:
    return [(int(percent), at(when)) for percent, when in (line.split() for line in lines)]


def test_w1_the_resolution_is_warned_of_three_times_and_broken_after_its_due_second() -> None:
    said = story("10:00 created critical", "10:01 reply engineer").follow(at("20:00")).said
    assert of(said, "resolution") == marks("50 12:00", "75 13:00", "90 13:36", "100 14:00")
    assert said[-1][3] == at("14:00:01"), "in the due second itself all is still well"


def test_w2_so_is_the_response_to_the_second() -> None:
    said = story("10:00 created critical").follow(at("10:20")).said
    assert of(said, "response") == marks("50 10:07:30", "75 10:11:15", "90 10:13:30", "100 10:15")


def test_w3_time_with_the_customer_does_not_count() -> None:
    waited = ["11:00 status waiting_customer", "12:00 status in_progress"]
    said = story("10:00 created critical", "10:01 reply engineer", *waited).follow(at("20:00")).said
    assert of(said, "resolution") == marks("50 13:00", "75 14:00", "90 14:36", "100 15:00")


def test_w4_of_three_that_a_raised_priority_passed_only_the_highest_is_told() -> None:
    sweeper = story("10:00 created medium", "10:01 reply engineer", "13:40 priority critical").follow(at("13:59"))
    assert of(sweeper.said, "resolution") == marks("90 13:40")
    assert sweeper.superseded == [("resolution", 50), ("resolution", 75)]


def test_w5_once_the_breach_is_past_nobody_is_warned() -> None:
    sweeper = story("10:00 created critical", "10:01 reply engineer")
    sweeper.look(at("11:00"))
    sweeper.look(at("15:00"))
    assert sweeper.said == [("resolution", 100, at("14:00"), at("15:00"))]
    assert sweeper.superseded == [("resolution", 50), ("resolution", 75), ("resolution", 90)]


@pytest.mark.parametrize(
    ("kind", "seconds"), [("response", [43_200, 64_800, 77_760]), ("resolution", [129_600, 194_400, 233_280])]
)
def test_w6_the_seconds_of_a_low_ticket(kind: str, seconds: list[int]) -> None:
    clock = getattr(compute([(DAY, 1, ["created", "low"])], CHECKLIST, AROUND_THE_CLOCK, DAY), kind)
    assert clock.marks == tuple((p, DAY + s * SECOND) for p, s in zip(WARN_AT, seconds, strict=True))


def test_a_target_is_warned_of_once_however_often_it_comes_back() -> None:
    there_and_back = ["12:30 priority high", "12:40 priority critical"]
    said = story("10:00 created critical", "10:01 reply engineer", *there_and_back).follow(at("13:10")).said
    assert of(said, "resolution") == marks("50 12:00", "75 13:00")


def test_a_mark_passed_before_the_pause_is_told_in_it() -> None:
    sweeper = story("10:00 created critical", "10:01 reply engineer", "12:10 status waiting_customer")
    sweeper.look(at("11:00"))
    assert sweeper.look(at("12:11")) is None
    assert of(sweeper.said, "resolution") == marks("50 12:00")


def test_what_is_done_is_not_warned_of_and_what_is_reopened_goes_on() -> None:
    reopened = ["12:30 status resolved", "15:00 status in_progress"]
    said = story("10:00 created critical", "10:01 reply engineer", *reopened).follow(at("20:00")).said
    assert of(said, "resolution") == marks("50 12:00", "75 15:30", "90 16:06", "100 16:30")


def test_a_mark_between_two_seconds_is_the_later_one() -> None:
    clock = compute([(DAY, 1, ["created", "odd"])], {"odd": Target(7, 7)}, AROUND_THE_CLOCK, DAY).response
    assert [(m.percent, (m.at - DAY) // SECOND) for m in clock.marks] == [(50, 4), (75, 6), (90, 7)]


def everything(facts: list[Fact], calendar: Calendar, step: Callable[[Sweeper], None]) -> list[Said]:
    sweeper = Sweeper(facts, SHORT, calendar)
    step(sweeper)
    return sweeper.said


@many
@given(st.one_of(histories(), with_undos()), calendars)
def test_who_looks_only_when_asked_misses_nothing(facts: list[Fact], calendar: Calendar) -> None:
    first, last = facts[0][0], second(90)

    def each_second(sweeper: Sweeper) -> None:
        for n in range((last - first) // SECOND + 1):
            sweeper.look(first + n * SECOND)

    watched = everything(facts, calendar, each_second)
    asked = everything(facts, calendar, lambda sweeper: sweeper.follow(last) and None)
    assert asked == watched
    assert len({said[:2] for said in watched if said[1] == 100}) == len([s for s in watched if s[1] == 100])


@many
@given(histories(), calendars, st.lists(st.integers(1, 20), min_size=1, max_size=20))
def test_after_a_breach_there_is_nothing_more_to_say(facts: list[Fact], calendar: Calendar, gaps: list[int]) -> None:
    sweeper, now = Sweeper(facts, SHORT, calendar), facts[0][0]
    for gap in gaps:
        now += gap * SECOND
        sweeper.look(now)
    for kind in ("response", "resolution"):
        percents = [percent for percent, _at in of(sweeper.said, kind)]
        assert 100 not in percents[:-1]
