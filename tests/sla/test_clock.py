"""The worked examples of the SLA paper that run round the clock, and our own cases at the edges.

Cases are written in the form that sla_replay reads: local times, and for the examples the results as it prints them.
Some are refused by the desk itself (SLA-16, a reply to nothing, a silent resolution): the arithmetic holds anyway.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sla.clock import Fact, Reckoning, Span, Target, compute
from sla.worktime import AROUND_THE_CLOCK

TARGETS = {
    "critical": Target(15 * 60, 4 * 3600, 3600, assign_s=300, case_s=1800, relay_s=1800),
    "high": Target(60 * 60, 8 * 3600, 4 * 3600, assign_s=900, case_s=3600, relay_s=3600),
    "medium": Target(240 * 60, 24 * 3600, 24 * 3600, assign_s=3600, relay_s=4 * 3600),
    "low": Target(1440 * 60, 72 * 3600, 72 * 3600, assign_s=4 * 3600, relay_s=8 * 3600),
}
SHANGHAI = "Asia/Shanghai"


def instant(text: str, zone: str = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def replay(events: list[list[Any]], now: str, zone: str = SHANGHAI) -> Reckoning:
    facts: list[Fact] = [(instant(at, zone), seq, fact) for seq, (at, *fact) in enumerate(events)]
    return compute(facts, TARGETS, AROUND_THE_CLOCK, instant(now, zone))


def told(reckoning: Reckoning, zone: str = SHANGHAI) -> dict[str, Any]:
    """A reckoning in the words of sla_replay."""
    response, resolution = reckoning.response, reckoning.resolution

    def local(at: datetime | None) -> str | None:
        return None if at is None else at.astimezone(ZoneInfo(zone)).isoformat()

    return {
        "first_response_due": local(response.due_at),
        "first_response_at": local(reckoning.first_response_at),
        "response": response.verdict,
        "response_breached_at": local(response.breached_at),
        "resolution_due": local(resolution.due_at),
        "resolved_at": local(reckoning.resolved_at),
        "resolution": resolution.verdict,
        "resolution_breached_at": local(resolution.breached_at),
        "paused_s": resolution.paused_s,
        "reopen_gap_s": resolution.reopen_gap_s,
        "running_s": resolution.running_s,
        "remaining_s": resolution.remaining_s,
        "cause": resolution.cause,
        "status": reckoning.status,
    }


# --- The worked examples ---------------------------------------------------------------------------------------------

DAY = "2026-03-02 "
ISO_DAY = "2026-03-02T"
EXAMPLES: dict[str, tuple[str, list[list[Any]], str, dict[str, Any]]] = {
    "SLA-01": (
        SHANGHAI,
        [
            [DAY + "10:00:00", "created", "critical"],
            [DAY + "10:15:00", "reply", "engineer"],
            [DAY + "14:00:00", "status", "resolved"],
        ],
        DAY + "20:00:00",
        {
            "first_response_due": ISO_DAY + "10:15:00+08:00",
            "first_response_at": ISO_DAY + "10:15:00+08:00",
            "response": "met",
            "response_breached_at": None,
            "resolution_due": ISO_DAY + "14:00:00+08:00",
            "resolved_at": ISO_DAY + "14:00:00+08:00",
            "resolution": "met",
            "resolution_breached_at": None,
            "paused_s": 0,
            "reopen_gap_s": 0,
            "running_s": 14400,
            "status": "resolved",
        },
    ),
    "SLA-02": (
        SHANGHAI,
        [
            [DAY + "10:00:00", "created", "critical"],
            [DAY + "10:15:01", "reply", "engineer"],
            [DAY + "14:00:01", "status", "resolved"],
        ],
        DAY + "20:00:00",
        {
            "first_response_due": ISO_DAY + "10:15:00+08:00",
            "first_response_at": ISO_DAY + "10:15:01+08:00",
            "response": "breached",
            "response_breached_at": ISO_DAY + "10:15:00+08:00",
            "resolution_due": ISO_DAY + "14:00:00+08:00",
            "resolution": "breached",
            "resolution_breached_at": ISO_DAY + "14:00:00+08:00",
            "paused_s": 0,
            "running_s": 14401,
            "cause": None,
        },
    ),
    "SLA-09": (
        SHANGHAI,
        [
            [DAY + "10:00:00", "created", "critical"],
            [DAY + "10:05:00", "reply", "engineer", "internal"],
            [DAY + "10:14:00", "reply", "engineer"],
            [DAY + "12:00:00", "status", "resolved"],
        ],
        DAY + "20:00:00",
        {
            "first_response_due": ISO_DAY + "10:15:00+08:00",
            "first_response_at": ISO_DAY + "10:14:00+08:00",
            "response": "met",
            "resolution_due": ISO_DAY + "14:00:00+08:00",
            "resolution": "met",
            "paused_s": 0,
            "running_s": 7200,
        },
    ),
    "SLA-10": (
        SHANGHAI,
        [
            [DAY + "10:00:00", "created", "critical"],
            [DAY + "10:10:00", "reply", "aws"],
            [DAY + "10:16:00", "reply", "engineer"],
            [DAY + "12:00:00", "status", "resolved"],
        ],
        DAY + "20:00:00",
        {
            "first_response_due": ISO_DAY + "10:15:00+08:00",
            "first_response_at": ISO_DAY + "10:16:00+08:00",
            "response": "breached",
            "response_breached_at": ISO_DAY + "10:15:00+08:00",
            "resolution_due": ISO_DAY + "14:00:00+08:00",
            "resolution": "met",
            "running_s": 7200,
        },
    ),
    "SLA-16": (
        SHANGHAI,
        [
            [DAY + "10:00:00", "created", "critical"],
            [DAY + "10:05:00", "status", "waiting_customer"],
            [DAY + "10:30:00", "reply", "engineer"],
            [DAY + "10:30:00", "status", "in_progress"],
            [DAY + "14:20:00", "status", "resolved"],
        ],
        DAY + "20:00:00",
        {
            "first_response_due": ISO_DAY + "10:15:00+08:00",
            "response": "breached",
            "response_breached_at": ISO_DAY + "10:15:00+08:00",
            "resolution_due": ISO_DAY + "14:25:00+08:00",
            "resolution": "met",
            "paused_s": 1500,
            "running_s": 14100,
        },
    ),
    "SLA-17": (
        SHANGHAI,
        [
            [DAY + "10:00:00", "created", "critical"],
            [DAY + "10:10:00", "reply", "engineer"],
            [DAY + "10:10:00", "status", "waiting_customer"],
            [DAY + "11:10:00", "status", "in_progress"],
            [DAY + "15:00:00", "status", "resolved"],
        ],
        DAY + "20:00:00",
        {
            "first_response_due": ISO_DAY + "10:15:00+08:00",
            "first_response_at": ISO_DAY + "10:10:00+08:00",
            "response": "met",
            "response_breached_at": None,
            "resolution_due": ISO_DAY + "15:00:00+08:00",
            "resolved_at": ISO_DAY + "15:00:00+08:00",
            "resolution": "met",
            "resolution_breached_at": None,
            "paused_s": 3600,
            "reopen_gap_s": 0,
            "running_s": 14400,
            "status": "resolved",
        },
    ),
    "SLA-18": (
        SHANGHAI,
        [
            [DAY + "09:00:00", "created", "high"],
            [DAY + "09:30:00", "reply", "engineer"],
            [DAY + "09:30:00", "status", "waiting_customer"],
            [DAY + "09:50:00", "status", "in_progress"],
            [DAY + "12:00:00", "status", "waiting_customer"],
            [DAY + "12:45:00", "status", "in_progress"],
            [DAY + "20:00:00", "status", "waiting_customer"],
            ["2026-03-03 06:00:00", "status", "in_progress"],
        ],
        "2026-03-03 06:00:00",
        {
            "first_response_due": ISO_DAY + "10:00:00+08:00",
            "response": "met",
            "resolution_due": ISO_DAY + "18:05:00+08:00",
            "resolved_at": None,
            "resolution": "breached",
            "resolution_breached_at": ISO_DAY + "18:05:00+08:00",
            "paused_s": 39900,
            "running_s": 35700,
            "status": "in_progress",
        },
    ),
    "SLA-20": (
        SHANGHAI,
        [
            [DAY + "10:00:00", "created", "critical"],
            [DAY + "10:05:00", "reply", "engineer"],
            [DAY + "11:00:00", "status", "waiting_customer"],
        ],
        DAY + "20:00:00",
        {
            "first_response_due": ISO_DAY + "10:15:00+08:00",
            "response": "met",
            "resolution_due": None,
            "resolution": "paused",
            "resolution_breached_at": None,
            "paused_s": 32400,
            "running_s": 3600,
            "remaining_s": 10800,
            "status": "waiting_customer",
        },
    ),
    "SLA-24": (
        SHANGHAI,
        [
            [DAY + "10:00:00", "created", "medium"],
            [DAY + "10:40:00", "reply", "engineer"],
            [DAY + "11:00:00", "priority", "critical"],
            [DAY + "13:50:00", "status", "resolved"],
        ],
        DAY + "20:00:00",
        {
            "first_response_due": ISO_DAY + "14:00:00+08:00",
            "response": "met",
            "resolution_due": ISO_DAY + "14:00:00+08:00",
            "resolution": "met",
            "paused_s": 0,
            "running_s": 13800,
            "cause": None,
        },
    ),
    "SLA-25": (
        SHANGHAI,
        [
            [DAY + "10:00:00", "created", "low"],
            [DAY + "11:00:00", "reply", "engineer"],
            [DAY + "15:00:00", "priority", "critical"],
            [DAY + "16:00:00", "status", "resolved"],
        ],
        DAY + "20:00:00",
        {
            "first_response_due": "2026-03-03T10:00:00+08:00",
            "response": "met",
            "resolution_due": ISO_DAY + "14:00:00+08:00",
            "resolution": "breached",
            "resolution_breached_at": ISO_DAY + "15:00:00+08:00",
            "running_s": 21600,
            "cause": "priority_raised",
        },
    ),
    "SLA-29": (
        SHANGHAI,
        [
            [DAY + "10:00:00", "created", "critical"],
            [DAY + "10:10:00", "reply", "engineer"],
            [DAY + "15:00:00", "priority", "low"],
            [DAY + "16:00:00", "status", "resolved"],
        ],
        DAY + "20:00:00",
        {
            "first_response_due": ISO_DAY + "10:15:00+08:00",
            "response": "met",
            "resolution_due": ISO_DAY + "14:00:00+08:00",
            "resolution": "breached",
            "resolution_breached_at": ISO_DAY + "14:00:00+08:00",
            "running_s": 21600,
            "cause": None,
        },
    ),
    "SLA-32": (
        SHANGHAI,
        [
            [DAY + "10:00:00", "created", "critical"],
            [DAY + "10:10:00", "reply", "engineer"],
            [DAY + "13:00:00", "status", "resolved"],
            ["2026-03-03 13:00:00", "status", "in_progress"],
            ["2026-03-03 13:50:00", "status", "resolved"],
        ],
        "2026-03-04 10:00:00",
        {
            "first_response_due": ISO_DAY + "10:15:00+08:00",
            "response": "met",
            "resolution_due": "2026-03-03T14:00:00+08:00",
            "resolved_at": "2026-03-03T13:50:00+08:00",
            "resolution": "met",
            "paused_s": 0,
            "reopen_gap_s": 86400,
            "running_s": 13800,
        },
    ),
    "SLA-44": (
        "America/New_York",
        [
            ["2026-11-01 00:30:00", "created", "critical"],
            ["2026-11-01 00:40:00", "reply", "engineer"],
            ["2026-11-01 03:30:01", "status", "resolved"],
        ],
        "2026-11-01 12:00:00",
        {
            "first_response_due": "2026-11-01T00:45:00-04:00",
            "response": "met",
            "resolution_due": "2026-11-01T03:30:00-05:00",
            "resolution": "breached",
            "resolution_breached_at": "2026-11-01T03:30:00-05:00",
            "running_s": 14401,
        },
    ),
}


@pytest.mark.parametrize("case", EXAMPLES)
def test_worked_example(case: str) -> None:
    zone, events, now, expect = EXAMPLES[case]
    result = told(replay(events, now, zone), zone)
    assert {key: result[key] for key in expect} == expect


# --- Our own cases: a critical ticket of 10:00 (response 10:15, resolution 14:00), times of one day ------------------


def story(*lines: str, now: str) -> Reckoning:
    """A history from lines such as "10:05 reply engineer"; dates are one day, in UTC."""
    events: list[list[Any]] = []
    for line in lines:
        at, kind, *words = line.split()
        events.append([DAY + at, kind, *(int(word) if kind in ("undo", "strike") else word for word in words)])
    return replay(events, DAY + now, "UTC")


def at(text: str) -> datetime:
    return instant(DAY + text, "UTC")


CRITICAL = "10:00 created critical"


def test_before_any_word_both_clocks_run() -> None:
    now = story(CRITICAL, now="10:00")
    assert (now.status, now.priority) == ("new", "critical")
    assert (now.response.verdict, now.response.due_at) == ("open", at("10:15"))
    assert (now.resolution.verdict, now.resolution.due_at) == ("open", at("14:00"))
    assert now.response.next_event_at == at("10:15:01")
    assert now.resolution.next_event_at == at("14:00:01")
    assert now.first_response_at is None
    assert now.resolved_at is None


@pytest.mark.parametrize(("now", "verdict"), [("10:15", "open"), ("10:15:01", "breached")])
def test_in_the_due_second_a_clock_is_open_and_one_later_it_is_breached(now: str, verdict: str) -> None:
    response = story(CRITICAL, now=now).response
    assert response.verdict == verdict
    assert response.breached_at == (at("10:15") if verdict == "breached" else None)
    assert response.next_event_at == (None if verdict == "breached" else at("10:15:01"))


@pytest.mark.parametrize("by", ["bot", "aws", "customer", "engineer internal", "bot internal"])
def test_only_a_public_word_of_a_person_of_ours_is_an_answer(by: str) -> None:
    assert story(CRITICAL, f"10:05 reply {by}", now="10:10").first_response_at is None


def test_the_first_answer_counts_and_later_ones_do_not_move_it() -> None:
    now = story(CRITICAL, "10:05 reply engineer", "10:20 reply engineer", now="11:00")
    assert now.first_response_at == at("10:05")
    assert now.response.running_s == 300


def test_a_reply_written_with_the_resolution_answers_and_resolves() -> None:
    now = story(CRITICAL, "10:15 reply engineer", "10:15 status resolved", now="12:00")
    assert (now.response.verdict, now.resolution.verdict) == ("met", "met")


def test_a_silent_resolution_leaves_the_answer_owed() -> None:
    """The response clock has one interval, [created, forever): only a public word or a withdrawal ends it."""
    silent = [CRITICAL, "10:05 status resolved"]
    assert story(*silent, now="10:15").response.verdict == "open"
    assert story(*silent, now="10:16").response.verdict == "breached"
    assert story(*silent, "10:14 reply engineer", now="10:16").response.verdict == "met"


def test_a_phone_call_was_answered_when_it_began() -> None:
    now = story("10:00 created critical phone", now="12:00")
    assert (now.response.verdict, now.first_response_at) == ("met", at("10:00"))


@pytest.mark.parametrize("source", ["web", "mail", "api", "aws"])
def test_no_other_source_answers(source: str) -> None:
    assert story(f"10:00 created critical {source}", now="12:00").response.verdict == "breached"


def test_a_pause_that_begins_in_the_due_second_comes_too_late() -> None:
    paused = [CRITICAL, "14:00 status waiting_customer"]
    still = story(*paused, now="14:00").resolution
    assert (still.verdict, still.due_at, still.next_event_at) == ("open", at("14:00"), at("14:00:01"))
    late = story(*paused, now="14:00:01").resolution
    assert (late.verdict, late.breached_at, late.paused_s) == ("breached", at("14:00"), 1)


def test_a_pause_one_second_earlier_saves_the_clock() -> None:
    resolution = story(CRITICAL, "13:59:59 status waiting_customer", now="20:00").resolution
    assert (resolution.verdict, resolution.remaining_s, resolution.due_at) == ("paused", 1, None)
    assert resolution.next_event_at is None


def test_paused_and_resolved_in_the_due_second_is_met() -> None:
    resolution = story(CRITICAL, "14:00 status waiting_customer", "14:00 status resolved", now="20:00").resolution
    assert (resolution.verdict, resolution.completed_at, resolution.due_at) == ("met", at("14:00"), at("14:00"))


def test_resolved_out_of_a_pause_is_judged_by_what_was_left() -> None:
    resolution = story(CRITICAL, "11:00 status waiting_customer", "18:00 status resolved", now="20:00").resolution
    assert (resolution.verdict, resolution.due_at) == ("met", at("21:00"))
    assert (resolution.running_s, resolution.paused_s) == (3600, 7 * 3600)


def test_closed_and_resolved_are_one_stay() -> None:
    now = story(CRITICAL, "12:00 status resolved", "13:00 status closed", now="20:00")
    assert (now.status, now.resolved_at, now.resolution.reopen_gap_s) == ("closed", at("12:00"), 0)


def test_new_and_in_progress_are_one_running_stretch() -> None:
    now = story(CRITICAL, "10:05 status in_progress", "10:06 status in_progress", now="11:00")
    assert now.spans == (Span(at("10:00"), None, "running"),)


def test_reopened_the_clock_goes_on_where_it_stood() -> None:
    reopened = [CRITICAL, "13:00 status resolved", "15:00 status in_progress"]
    resolution = story(*reopened, now="15:30").resolution
    assert (resolution.verdict, resolution.due_at, resolution.completed_at) == ("open", at("16:00"), None)
    assert (resolution.reopen_gap_s, resolution.running_s) == (7200, 3 * 3600 + 1800)
    assert story(*reopened, now="16:00:01").resolution.breached_at == at("16:00")


def test_reopened_into_a_pause_it_waits() -> None:
    resolution = story(CRITICAL, "13:00 status resolved", "15:00 status waiting_customer", now="16:00").resolution
    assert (resolution.verdict, resolution.remaining_s, resolution.paused_s) == ("paused", 3600, 3600)


EXACT = [CRITICAL, "14:00 status resolved", "15:00 status in_progress"]


def test_completed_in_the_due_second_and_reopened_it_breaches_with_the_next_running_second() -> None:
    spared = story(*EXACT, now="15:00").resolution
    assert (spared.verdict, spared.due_at, spared.next_event_at) == ("open", at("14:00"), at("15:00:01"))
    late = story(*EXACT, now="15:00:01").resolution
    assert (late.verdict, late.breached_at, late.cause) == ("breached", at("14:00"), None)


def test_spared_and_paused_it_waits_without_a_next_event() -> None:
    paused = story(*EXACT, "15:00 status waiting_customer", now="18:00").resolution
    assert (paused.verdict, paused.due_at, paused.remaining_s) == ("paused", at("14:00"), 0)
    assert paused.next_event_at is None


def test_spared_and_resolved_again_without_a_running_second_it_stays_met() -> None:
    again = [*EXACT, "15:00 status resolved", "16:00 status in_progress"]
    met = story(*again[:-1], now="15:30").resolution
    assert (met.verdict, met.due_at, met.completed_at) == ("met", at("14:00"), at("15:00"))
    assert story(*again, now="16:00").resolution.verdict == "open"
    assert story(*again, now="16:00:01").resolution.breached_at == at("14:00")


def test_spared_and_then_given_more_time_it_is_an_ordinary_clock_again() -> None:
    paused = story(*EXACT, "15:00 priority high", "19:00 status waiting_customer", now="19:00:01").resolution
    assert (paused.verdict, paused.breached_at) == ("breached", at("19:00"))


def test_a_breached_clock_keeps_its_target_through_a_change_while_resolved() -> None:
    lines = [CRITICAL, "15:00 status resolved", "15:10 priority low", "16:00 status in_progress"]
    resolution = story(*lines, now="17:00").resolution
    assert (resolution.target_s, resolution.due_at, resolution.cause) == (4 * 3600, at("14:00"), None)


def test_a_breach_stays_through_resolution_and_reopening() -> None:
    resolution = story(CRITICAL, "15:00 status resolved", "16:00 status in_progress", now="17:00").resolution
    assert (resolution.verdict, resolution.due_at, resolution.breached_at) == ("breached", at("14:00"), at("14:00"))
    assert (resolution.running_s, resolution.reopen_gap_s) == (6 * 3600, 3600)


def test_raised_in_time_the_new_due_time_counts_from_creation() -> None:
    now = story("10:00 created low", "10:10 priority critical", now="10:10")
    assert (now.response.due_at, now.resolution.due_at) == (at("10:15"), at("14:00"))
    assert (now.priority, now.response.target_s) == ("critical", 900)


def test_raised_too_late_breaches_at_the_change_with_its_cause() -> None:
    response = story("10:00 created low", "10:20 priority critical", now="10:20").response
    assert (response.verdict, response.due_at, response.breached_at) == ("breached", at("10:15"), at("10:20"))
    assert response.cause == "priority_raised"


def test_raised_in_the_very_second_of_the_new_due_time_is_an_ordinary_breach() -> None:
    raised = ["10:00 created low", "10:15 priority critical"]
    assert story(*raised, now="10:15").response.verdict == "open"
    late = story(*raised, now="10:15:01").response
    assert (late.breached_at, late.cause) == (at("10:15"), None)
    assert story(*raised, "10:15 reply engineer", now="11:00").response.verdict == "met"


def test_raised_while_paused_finds_when_the_running_seconds_reached_the_target() -> None:
    paused = [
        "10:00 created low",
        "12:00 status waiting_customer",
        "13:00 status in_progress",
        "17:00 status waiting_customer",
    ]
    resolution = story(*paused, "18:00 priority critical", now="20:00").resolution
    assert (resolution.due_at, resolution.breached_at) == (at("15:00"), at("18:00"))
    assert resolution.cause == "priority_raised"


def test_raised_while_paused_with_time_left_keeps_the_pause() -> None:
    resolution = story("10:00 created low", "12:00 status waiting_customer", "18:00 priority critical", now="20:00")
    assert (resolution.resolution.verdict, resolution.resolution.remaining_s) == ("paused", 7200)


def test_lowered_before_the_breach_the_due_time_moves_out() -> None:
    now = story(CRITICAL, "10:15 priority high", "14:00 priority medium", now="15:00")
    assert (now.response.due_at, now.response.breached_at) == (at("11:00"), at("11:00"))
    assert (now.resolution.verdict, now.resolution.target_s) == ("open", 24 * 3600)


def test_lowered_in_the_due_second_still_saves_the_clock() -> None:
    assert story(CRITICAL, "14:00 priority high", now="14:30").resolution.due_at == at("18:00")
    paused = story(CRITICAL, "14:00 status waiting_customer", "14:00 priority high", now="20:00").resolution
    assert (paused.verdict, paused.remaining_s) == ("paused", 4 * 3600)


def test_raised_and_lowered_in_one_second_the_breach_stays() -> None:
    resolution = story("10:00 created low", "15:00 priority critical", "15:00 priority low", now="16:00").resolution
    assert (resolution.verdict, resolution.due_at, resolution.target_s) == ("breached", at("14:00"), 4 * 3600)


def test_a_completed_response_keeps_its_verdict_and_its_target() -> None:
    response = story("10:00 created low", "11:00 reply engineer", "12:00 priority critical", now="13:00").response
    assert (response.verdict, response.target_s) == ("met", 86_400)


def test_a_change_while_resolved_takes_effect_on_reopening() -> None:
    resolved = ["10:00 created low", "15:00 status resolved", "16:00 priority critical"]
    assert story(*resolved, now="18:00").resolution.verdict == "met"
    reopened = story(*resolved, "17:00 status in_progress", now="17:00").resolution
    assert (reopened.due_at, reopened.breached_at, reopened.cause) == (at("14:00"), at("17:00"), "priority_raised")


def test_a_change_while_resolved_with_time_left_moves_the_due_time_on_reopening() -> None:
    changed = ["10:00 created low", "12:00 status resolved", "13:00 priority critical", "15:00 status in_progress"]
    assert story(*changed, now="15:00").resolution.due_at == at("17:00")


def test_a_resolution_after_a_pause_is_not_spared_by_a_priority_raised_over_it() -> None:
    """The new target was used up at 14:00, two hours before the resolution: nothing was completed at or before it."""
    lines = ["10:00 created low", "14:00 status waiting_customer", "16:00 status resolved", "17:00 priority critical"]
    resolution = story(*lines, "18:00 status in_progress", now="18:00").resolution
    assert (resolution.due_at, resolution.breached_at, resolution.cause) == (
        at("14:00"),
        at("18:00"),
        "priority_raised",
    )


def test_the_same_priority_again_changes_nothing() -> None:
    again = story(*EXACT, "15:00 priority critical", now="15:00")
    assert again == story(*EXACT, now="15:00")


def test_withdrawn_in_time_is_not_applicable_and_all_freezes() -> None:
    withdrawn = [CRITICAL, "10:10 status waiting_customer", "10:12 status in_progress", "10:15 withdrawn"]
    now = story(*withdrawn, "10:20 reply engineer", "10:30 status in_progress", now="20:00")
    assert now.status == "closed"
    assert (now.response.verdict, now.response.due_at, now.first_response_at) == ("n/a", at("10:15"), None)
    assert (now.resolution.verdict, now.resolution.due_at) == ("n/a", at("14:02"))
    assert (now.resolution.running_s, now.resolution.paused_s, now.resolved_at) == (780, 120, None)
    assert (now.response.running_s, now.response.next_event_at, now.resolution.next_event_at) == (900, None, None)


def test_withdrawn_while_paused_has_no_due_time() -> None:
    resolution = story(CRITICAL, "11:00 status waiting_customer", "12:00 withdrawn", now="20:00").resolution
    assert (resolution.verdict, resolution.due_at, resolution.remaining_s) == ("n/a", None, None)
    assert resolution.paused_s == 3600


def test_withdrawn_after_a_breach_the_breach_stays() -> None:
    now = story(CRITICAL, "10:16 withdrawn", now="20:00")
    assert (now.response.verdict, now.response.breached_at) == ("breached", at("10:15"))
    assert now.resolution.verdict == "n/a"


def test_withdrawn_after_an_answer_and_a_resolution_keeps_both_verdicts() -> None:
    now = story(CRITICAL, "10:05 reply engineer", "12:00 status resolved", "13:00 withdrawn", now="20:00")
    assert (now.response.verdict, now.resolution.verdict, now.resolved_at) == ("met", "met", at("12:00"))
    assert now.resolution.running_s == 7200


def test_created_waiting_the_pause_begins_at_once() -> None:
    now = story(CRITICAL, "10:00 status waiting_customer", now="12:00")
    assert (now.resolution.verdict, now.resolution.remaining_s) == ("paused", 4 * 3600)
    assert now.spans == (Span(at("10:00"), None, "paused"),)


def test_created_closed_is_met_at_once() -> None:
    now = story(CRITICAL, "10:00 status closed", now="12:00")
    assert (now.resolution.verdict, now.resolved_at, now.resolution.running_s) == ("met", at("10:00"), 0)


def test_what_comes_after_now_is_ignored() -> None:
    later = ["10:10 reply engineer", "10:11 status waiting_customer", "10:12 priority low", "10:13 withdrawn"]
    assert story(CRITICAL, *later, now="10:09") == story(CRITICAL, now="10:09")


def test_a_fact_at_now_counts() -> None:
    assert story(CRITICAL, "10:10 reply engineer", now="10:10").response.verdict == "met"


def test_a_fraction_of_now_is_cut() -> None:
    facts: list[Fact] = [(at("10:00"), 1, ["created", "critical"])]
    now = at("10:15") + timedelta(milliseconds=900)
    assert compute(facts, TARGETS, AROUND_THE_CLOCK, now).response.verdict == "open"


def test_facts_of_one_second_are_taken_by_their_id_in_whatever_order_they_come() -> None:
    facts: list[Fact] = [
        (at("14:00"), 9, ["status", "in_progress"]),
        (at("14:00"), 8, ["status", "waiting_customer"]),
        (at("10:00"), 3, ["created", "high"]),
    ]
    now = compute(facts, TARGETS, AROUND_THE_CLOCK, at("15:00"))
    assert (now.status, now.resolution.paused_s) == ("in_progress", 0)


def test_without_a_creation_there_is_nothing_to_reckon() -> None:
    with pytest.raises(ValueError, match="created"):
        story(CRITICAL, now="09:59")


def test_an_unknown_status_is_refused() -> None:
    with pytest.raises(KeyError):
        story(CRITICAL, "10:10 status asleep", now="11:00")


def test_the_spans_tell_the_whole_time_without_empty_stretches() -> None:
    lines = [
        "11:00 status waiting_customer",
        "12:00 status in_progress",
        "12:00 status resolved",
        "12:30 status in_progress",
        "12:40 status waiting_customer",
        "12:40 status in_progress",
        "13:00 status resolved",
    ]
    assert story(CRITICAL, *lines, now="20:00").spans == (
        Span(at("10:00"), at("11:00"), "running"),
        Span(at("11:00"), at("12:00"), "paused"),
        Span(at("12:00"), at("12:30"), "stopped"),
        Span(at("12:30"), at("13:00"), "running"),
        Span(at("13:00"), None, "stopped"),
    )


# --- Undo ------------------------------------------------------------------------------------------------------------


def test_a_reply_taken_back_never_was_nor_the_status_written_with_it() -> None:
    undone = [CRITICAL, "10:14:50 reply engineer", "10:14:50 status waiting_customer"]
    assert story(*undone, now="10:15:00").response.verdict == "met"
    now = story(*undone, "10:15:01 undo 1", now="12:00")
    assert (now.response.verdict, now.response.breached_at, now.first_response_at) == ("breached", at("10:15"), None)
    assert (now.status, now.resolution.paused_s) == ("new", 0)


def test_an_undo_after_now_has_not_happened() -> None:
    assert story(CRITICAL, "10:10 reply engineer", "10:10:09 undo 1", now="10:10:08").response.verdict == "met"


def test_an_undo_takes_only_what_its_own_action_wrote() -> None:
    """Another action in the same second begins with a fact that is no status."""
    lines = ["10:10 reply engineer", "10:10 status in_progress", "10:10 reply engineer", "10:10 status resolved"]
    now = story(CRITICAL, *lines, "10:10:05 undo 1", now="11:00")
    assert (now.status, now.first_response_at) == ("resolved", at("10:10"))
    last = story(CRITICAL, *lines, "10:10:05 undo 3", now="11:00")
    assert (last.status, last.first_response_at) == ("in_progress", at("10:10"))


def test_a_status_of_a_later_second_is_not_taken_back() -> None:
    lines = ["10:10 reply engineer", "10:10:01 status waiting_customer", "10:10:05 undo 1"]
    assert story(CRITICAL, *lines, now="11:00").status == "waiting_customer"


def test_kinds_that_no_clock_hears_stand_in_the_way_of_nothing() -> None:
    lines = ["10:10 reply engineer", "10:10 assigned", "10:10 status waiting_customer", "10:10:05 undo 1"]
    assert story(CRITICAL, *lines, now="11:00").status == "new"


def test_a_withdrawal_taken_back_lets_the_clocks_run_on() -> None:
    now = story(CRITICAL, "10:05 withdrawn", "10:10 undo 1", "10:12 reply engineer", now="10:12")
    assert (now.status, now.response.verdict, now.resolution.due_at) == ("new", "met", at("14:00"))


def test_an_undo_that_names_nothing_takes_nothing() -> None:
    assert story(CRITICAL, "10:05 reply engineer", "10:06 undo 77", now="11:00").response.verdict == "met"
    assert story(CRITICAL, "10:05 undo 2", "10:06 reply engineer", now="11:00").response.verdict == "met"


def test_an_undo_taken_back_gives_the_reply_back() -> None:
    now = story(CRITICAL, "10:05 reply engineer", "10:06 undo 1", "10:07 undo 2", now="10:08")
    assert now.first_response_at == at("10:05")


def test_a_breach_seen_before_an_undo_stays_though_its_second_never_ran() -> None:
    """The reply resumed the clock one second before the target: in the 14 seconds before the undo it was breached."""
    lines = [
        CRITICAL,
        "13:59:59 status waiting_customer",
        "15:00:00 reply engineer",
        "15:00:00 status in_progress",
        "15:00:14 undo 2",
    ]
    resolution = story(*lines, now="16:00").resolution
    assert (resolution.verdict, resolution.due_at, resolution.breached_at) == (
        "breached",
        at("15:00:01"),
        at("15:00:01"),
    )
    assert resolution.next_event_at is None
    quick = [*lines[:-1], "15:00:01 undo 2"]
    assert story(*quick, now="16:00").resolution.verdict == "paused"


def test_of_two_breaches_taken_back_the_one_recorded_first_stands() -> None:
    lines = [
        "10:00 created low",
        "15:00 priority critical",
        "15:01 undo 1",
        "19:00 priority high",
        "19:01 undo 3",
    ]
    resolution = story(*lines, now="20:00").resolution
    assert (resolution.breached_at, resolution.target_s) == (at("15:00"), 4 * 3600)


# --- The regular update (U1-U4, R9) ----------------------------------------------------------------------------------


def cycles(now: Reckoning) -> list[tuple[str, datetime | None, datetime | None]]:
    return [(c.verdict, c.due_at, c.completed_at) for c in now.updates]


def test_u1_each_public_word_begins_the_next() -> None:
    lines = [CRITICAL, "10:10 reply engineer"]
    assert story(*lines, now="10:30").update_due == at("11:10")
    now = story(*lines, "11:00 reply engineer", now="11:30")
    assert now.update_due == at("12:00")
    assert cycles(now) == [("met", at("11:10"), at("11:00")), ("open", at("12:00"), None)]


def test_u2_none_is_owed_while_paused_and_a_whole_one_on_resume() -> None:
    lines = [CRITICAL, "11:00 reply engineer", "11:30 status waiting_customer"]
    assert story(*lines, now="12:00").update_due is None
    now = story(*lines, "12:30 status in_progress", now="12:40")
    assert now.update_due == at("13:30")
    assert [c.verdict for c in now.updates] == ["n/a", "open"]


def test_u3_an_aws_reply_that_was_published_is_a_word_once_we_have_answered() -> None:
    lines = [CRITICAL, "10:30 reply aws", "11:00 reply engineer", "11:20 reply aws"]
    assert story(*lines, now="11:30").update_due == at("12:20")
    assert story(*lines[:2], now="10:40").updates == ()


def test_u4_before_the_first_answer_only_that_is_owed() -> None:
    now = story(CRITICAL, now="10:10")
    assert (now.update_due, now.updates, now.response.due_at) == (None, (), at("10:15"))


def test_a_missed_update_is_broken_once_and_the_next_word_begins_anew() -> None:
    now = story(CRITICAL, "10:10 reply engineer", "11:10:01 reply engineer", "12:10:01 reply engineer", now="12:30")
    assert cycles(now) == [
        ("breached", at("11:10"), at("11:10:01")),
        ("met", at("12:10:01"), at("12:10:01")),
        ("open", at("13:10:01"), None),
    ]


def test_a_broken_cycle_stays_broken_when_the_ticket_is_resolved_and_none_is_owed_then() -> None:
    now = story(CRITICAL, "10:10 reply engineer", "11:30 status resolved", now="12:00")
    assert cycles(now) == [("breached", at("11:10"), at("11:30"))]


def test_a_priority_gives_the_cycle_under_way_its_own_time() -> None:
    lines = ["10:00 created high", "10:10 reply engineer", "12:00 priority critical"]
    (cycle,) = story(*lines, now="12:01").updates
    assert (cycle.due_at, cycle.breached_at, cycle.cause) == (at("11:10"), at("12:00"), "priority_raised")
    (kept, after) = story(*lines[:2], "10:30 reply engineer", "10:40 priority critical", now="10:50").updates
    assert (kept.target_s, after.target_s, after.due_at) == (4 * 3600, 3600, at("11:30"))


def test_a_reply_that_was_taken_back_began_nothing() -> None:
    lines = [CRITICAL, "10:10 reply engineer", "10:30 reply engineer", "10:30:10 undo 2"]
    assert cycles(story(*lines, now="10:40")) == [("open", at("11:10"), None)]


# --- Among ourselves (rule 14) ---------------------------------------------------------------------------------------


def internal(now: Reckoning) -> list[tuple[str, int, str, datetime | None]]:
    return [(c.kind, c.cycle, c.verdict, c.due_at) for c in now.internal]


def test_until_somebody_has_it() -> None:
    assert internal(story(CRITICAL, now="10:05")) == [("ola_assign", 1, "open", at("10:05"))]
    assert internal(story(CRITICAL, "10:05 assigned", now="11:00")) == [("ola_assign", 1, "met", at("10:05"))]
    late = story(CRITICAL, "10:05:01 assigned", now="11:00").internal[0]
    assert (late.verdict, late.breached_at, late.marks) == ("breached", at("10:05"), ())


def test_until_the_case_is_opened_where_one_is_promised_so_soon() -> None:
    lines = ["10:00 assigned", "10:20 case_needed", "10:30 status waiting_customer"]
    assert internal(story(CRITICAL, *lines, "10:50 case_opened", now="11:00"))[1:] == [
        ("ola_case", 1, "met", at("10:50"))
    ]
    assert internal(story("10:00 created medium", *lines, now="18:00"))[1:] == []
    lowered = story(CRITICAL, *lines, "10:40 priority medium", now="12:00")
    assert internal(lowered)[1:] == [("ola_case", 1, "n/a", at("10:50"))]


def test_until_what_aws_says_is_passed_on() -> None:
    lines = [CRITICAL, "10:00 assigned", "10:10 aws_reply", "10:20 aws_reply", "10:40 relay", "11:00 aws_reply"]
    assert internal(story(*lines, "11:31 reply engineer", now="12:00"))[1:] == [
        ("ola_relay", 1, "met", at("10:40")),
        ("ola_relay", 2, "breached", at("11:30")),
    ]
    assert internal(story(*lines, "11:05 status resolved", now="12:00"))[-1][2] == "n/a"


def test_whoever_took_it_over_with_a_word_taken_back_keeps_it() -> None:
    lines = [CRITICAL, "10:04 reply engineer", "10:04 status in_progress", "10:04 assigned", "10:04:10 undo 1"]
    now = story(*lines, now="10:10")
    assert (now.status, now.response.verdict) == ("new", "open")
    assert internal(now) == [("ola_assign", 1, "met", at("10:05"))]


# --- A pause that is struck out --------------------------------------------------------------------------------------

PAUSED = ["10:00 created critical", "10:10 reply engineer", "11:00 status waiting_customer", "13:00 status in_progress"]


def test_a_struck_pause_counts_as_running_time() -> None:
    assert story(*PAUSED, now="13:30").resolution.due_at == at("16:00")
    now = story(*PAUSED, "13:10 strike 2", now="13:30")
    clock = now.resolution
    assert (clock.due_at, clock.verdict, clock.running_s, clock.paused_s) == (at("14:00"), "open", 12600, 0)
    assert [(s.kind, s.struck) for s in now.spans] == [("running", False), ("paused", True), ("running", False)]


def test_a_strike_breaks_at_its_own_instant_what_had_run_out() -> None:
    clock = story(*PAUSED, "14:30 strike 2", now="15:00").resolution
    assert (clock.due_at, clock.breached_at, clock.cause) == (at("14:00"), at("14:30"), "pause_struck")
    kept = story(*PAUSED, "14:00 strike 2", "14:00 status resolved", now="15:00").resolution
    assert (kept.verdict, kept.breached_at) == ("met", None)


def test_a_strike_leaves_what_is_decided_until_it_opens_again() -> None:
    lines = [*PAUSED, "15:00 status resolved", "15:10 strike 2"]
    assert story(*lines, now="15:20").resolution.verdict == "met"
    clock = story(*lines, "15:30 status in_progress", now="15:30").resolution
    assert (clock.due_at, clock.breached_at, clock.cause) == (at("14:00"), at("15:30"), "pause_struck")
    broken = story(*PAUSED, "16:30 strike 2", now="17:00").resolution
    assert (broken.due_at, broken.breached_at, broken.cause) == (at("16:00"), at("16:00"), None)


def test_a_pause_that_lasts_may_be_struck_and_the_ticket_still_waits() -> None:
    now = story(*PAUSED[:3], "12:00 strike 2", now="12:30")
    assert (now.status, now.resolution.verdict, now.resolution.due_at) == ("waiting_customer", "open", at("14:00"))
    assert now.update_due == at("13:00"), "a word is owed again"
    assert now.spans[-1].start == at("11:00")
    later = story(
        *PAUSED[:3], "12:00 strike 2", "12:40 status in_progress", "12:50 status waiting_customer", now="13:30"
    )
    assert (later.resolution.verdict, later.resolution.remaining_s) == ("paused", 70 * 60)


def test_a_strike_that_was_taken_back_or_names_no_pause_changes_nothing() -> None:
    plain = story(*PAUSED, now="13:30")
    assert story(*PAUSED, "13:10 strike 2", "13:20 undo 4", now="13:30") == plain
    for number in (0, 1, 3, 9):
        assert story(*PAUSED, f"13:10 strike {number}", now="13:30") == plain
