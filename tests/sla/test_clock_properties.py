"""What holds for every history: against a counter that walks second by second, and over time.

The counter knows nothing of due times in advance: it keeps the list of the seconds that ran, and a target is reached
at the end of its last second. A second calendar, of short shifts, shows that the clock asks for work and add only.
"""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sla.clock import MODES, Fact, Reckoning, Target, compute
from sla.worktime import AROUND_THE_CLOCK, SECOND, Calendar

ZERO = datetime(2026, 3, 2, tzinfo=UTC)
TARGETS = {"critical": Target(3, 6, 4), "high": Target(6, 12, 7), "low": Target(12, 25, 9)}
AMONG_US = {"assign_s": 3, "case_s": 4, "relay_s": 5}
ALL_TARGETS = {
    "critical": replace(TARGETS["critical"], **AMONG_US),
    "high": replace(TARGETS["high"], assign_s=6, case_s=8, relay_s=10),
    "low": replace(TARGETS["low"], assign_s=9, relay_s=12),
}
HORIZON = 45


def second(n: int) -> datetime:
    return ZERO + n * SECOND


class Shifts:
    """Works the seconds 0-4 of every ten."""

    def work(self, a: datetime, b: datetime) -> int:
        return sum(self.works(n) for n in range((a - ZERO) // SECOND, (b - ZERO) // SECOND))

    def add(self, a: datetime, n: int) -> datetime:
        while n:
            n -= self.works((a - ZERO) // SECOND)
            a += SECOND
        return a

    def works(self, n: int) -> bool:
        return n % 10 < 5


CALENDARS: list[Calendar] = [AROUND_THE_CLOCK, Shifts()]

words = st.one_of(
    st.sampled_from(sorted(MODES)).map(lambda status: ["status", status]),
    st.sampled_from(sorted(TARGETS)).map(lambda priority: ["priority", priority]),
    st.sampled_from(
        [["reply", "engineer"], ["reply", "engineer", "internal"], ["reply", "bot"], ["reply", "customer"]]
    ),
)
rarely = st.one_of(words, words, words, st.just(["withdrawn"]))
created = st.tuples(st.sampled_from(sorted(TARGETS)), st.sampled_from([[], [], ["web"], ["phone"]])).map(
    lambda pair: ["created", pair[0], *pair[1]]
)


@st.composite
def histories(draw: st.DrawFn, word: st.SearchStrategy[list[Any]] = rarely) -> list[Fact]:
    """Facts in order; the gaps are short beside the targets, so that ties and exact hits are common."""
    facts: list[Fact] = [(second(draw(st.integers(0, 9))), 10, draw(created))]
    for gap, fact in draw(st.lists(st.tuples(st.integers(0, 7), word), max_size=9)):
        facts.append((facts[-1][0] + gap * SECOND, facts[-1][1] + 1, fact))
    return facts


@st.composite
def with_undos(draw: st.DrawFn) -> list[Fact]:
    facts = draw(histories())
    for gap, named in draw(st.lists(st.tuples(st.integers(0, 5), st.integers(11, 20)), min_size=1, max_size=2)):
        facts.append((facts[-1][0] + gap * SECOND, facts[-1][1] + 1, ["undo", named]))
        facts.append((facts[-1][0], facts[-1][1] + 1, draw(words)))
    return facts


among_us = st.sampled_from([["assigned"], ["aws_reply"], ["relay"], ["case_needed"], ["case_opened"], ["reply", "aws"]])


@st.composite
def with_everything(draw: st.DrawFn) -> list[Fact]:
    """Undos, struck pauses and what only the internal clocks hear as well."""
    facts = draw(histories(st.one_of(words, words, among_us)))
    late = st.sampled_from(["undo", "strike", "strike"])
    for gap, kind, named in draw(st.lists(st.tuples(st.integers(0, 5), late, st.integers(11, 20)), max_size=3)):
        facts.append((facts[-1][0] + gap * SECOND, facts[-1][1] + 1, [kind, named]))
        facts.append((facts[-1][0] + gap * SECOND, facts[-1][1] + 1, draw(words)))
    return facts


calendars = st.sampled_from(CALENDARS)
many = settings(derandomize=True, deadline=None, max_examples=150)


# --- The counter -----------------------------------------------------------------------------------------------------


def count(facts: list[Fact], calendar: Calendar, now: int) -> dict[str, Any]:
    """The same reckoning by living through it, second by second."""
    start = (facts[0][0] - ZERO) // SECOND
    status, wanted = "new", facts[0][2][1]
    target = {"response": TARGETS[wanted].response_s, "resolution": TARGETS[wanted].resolution_s}
    ran: dict[str, list[int]] = {"response": [], "resolution": []}
    missed: dict[str, tuple[int, int]] = {}
    answered = start if facts[0][2][2:] == ["phone"] else None
    done: int | None = None
    completions: set[int] = set()
    paused = gap = changed = 0
    over = False
    frozen_due: int | None = None

    def reached(kind: str) -> int | None:
        return ran[kind][target[kind] - 1] + 1 if len(ran[kind]) >= target[kind] else None

    def judge(t: int) -> None:
        end = reached("response")
        if "response" not in missed and answered is None and not over and end is not None and t > end:
            missed["response"] = (end, max(end, changed))
        end = reached("resolution")
        spared = end in completions and len(ran["resolution"]) == target["resolution"]
        if "resolution" not in missed and done is None and not over and end is not None and t > end and not spared:
            missed["resolution"] = (end, max(end, changed))

    for t in range(start, now + 1):
        judge(t)
        for at, _, fact in facts[1:]:
            if at != second(t) or over:
                continue
            if fact[0] == "reply" and fact[1:] == ["engineer"] and answered is None:
                answered = t
            elif fact[0] == "status":
                was, status = status, fact[1]
                if MODES[was] == "stopped" != MODES[status]:
                    assert done is not None
                    gap += t - done
                    done = None
                    if "resolution" not in missed and target["resolution"] != TARGETS[wanted].resolution_s:
                        target["resolution"], changed = TARGETS[wanted].resolution_s, t
                elif MODES[was] != "stopped" == MODES[status]:
                    done = t
                    completions.add(t)
                    left = target["resolution"] - len(ran["resolution"])
                    end = reached("resolution")
                    frozen_due = end if end is not None else (calendar.add(second(t), left) - ZERO) // SECOND
            elif fact[0] == "priority":
                wanted = fact[1]
                if answered is None and "response" not in missed:
                    target["response"], changed = TARGETS[wanted].response_s, t
                if done is None and "resolution" not in missed:
                    target["resolution"], changed = TARGETS[wanted].resolution_s, t
            elif fact[0] == "withdrawn":
                frozen_due = due_of_resolution(calendar, t, status, target, ran, done, frozen_due, reached)
                over = True
            judge(t)
        if t == now:
            break
        if calendar.work(second(t), second(t + 1)):
            ran["response"].append(t)
            if not over and MODES[status] == "running":
                ran["resolution"].append(t)
            if not over and MODES[status] == "paused":
                paused += 1
    due = due_of_resolution(calendar, now, status, target, ran, done, frozen_due, reached)
    if over:
        due, status = frozen_due, "closed"
    response = "breached" if "response" in missed else "met" if answered is not None else "n/a" if over else "open"
    resolution = "breached" if "resolution" in missed else "met" if done is not None else "n/a" if over else "open"
    return {
        "response": response,
        "answered": None if answered is None else second(answered),
        "response missed": _missed(missed.get("response")),
        "resolution": resolution,
        "due": second(missed["resolution"][0]) if "resolution" in missed else due if due is None else second(due),
        "done": None if done is None else second(done),
        "resolution missed": _missed(missed.get("resolution")),
        "running": len(ran["resolution"]),
        "paused": paused,
        "gap": gap,
        "status": status,
    }


def due_of_resolution(
    calendar: Calendar, t: int, status: str, target: Any, ran: Any, done: Any, frozen: Any, reached: Any
) -> int | None:
    end: int | None = reached("resolution")
    if done is not None:
        return frozen  # type: ignore[no-any-return]
    if end is not None:
        return end
    if MODES[status] == "paused":
        return None
    return (calendar.add(second(t), target["resolution"] - len(ran["resolution"])) - ZERO) // SECOND


def _missed(pair: tuple[int, int] | None) -> tuple[datetime, datetime] | None:
    return None if pair is None else (second(pair[0]), second(pair[1]))


def summary(reckoning: Reckoning) -> dict[str, Any]:
    response, resolution = reckoning.response, reckoning.resolution
    return {
        "response": response.verdict,
        "answered": reckoning.first_response_at,
        "response missed": response.breached_at and (response.due_at, response.breached_at),
        "resolution": "open" if resolution.verdict == "paused" else resolution.verdict,
        "due": resolution.due_at,
        "done": reckoning.resolved_at,
        "resolution missed": resolution.breached_at and (resolution.due_at, resolution.breached_at),
        "running": resolution.running_s,
        "paused": resolution.paused_s,
        "gap": resolution.reopen_gap_s,
        "status": reckoning.status,
    }


@settings(many, max_examples=1000)
@given(histories(), calendars, st.integers(0, HORIZON))
def test_a_counter_that_walks_through_the_seconds_agrees(facts: list[Fact], calendar: Calendar, later: int) -> None:
    now = (facts[0][0] - ZERO) // SECOND + later
    assert summary(compute(facts, TARGETS, calendar, second(now))) == count(facts, calendar, now)


def test_a_spared_clock_reopened_outside_the_shift_breaches_with_the_next_working_second() -> None:
    facts: list[Fact] = [
        (second(0), 0, ["created", "critical"]),
        (second(11), 1, ["status", "resolved"]),
        (second(16), 2, ["status", "in_progress"]),
    ]
    clock = compute(facts, TARGETS, Shifts(), second(16)).resolution
    assert (clock.due_at, clock.next_event_at) == (second(11), second(21))
    assert compute(facts, TARGETS, Shifts(), second(20)).resolution.verdict == "open"
    assert compute(facts, TARGETS, Shifts(), second(21)).resolution.breached_at == second(11)


def test_a_word_outside_the_shift_after_the_due_time_is_late() -> None:
    facts: list[Fact] = [(second(2), 0, ["created", "critical"]), (second(6), 1, ["reply", "engineer"])]
    clock = compute(facts, TARGETS, Shifts(), second(6)).response
    assert (clock.due_at, clock.verdict, clock.running_s) == (second(5), "breached", 3)


# --- Over time -------------------------------------------------------------------------------------------------------


def clocks(reckoning: Reckoning) -> list[Any]:
    return [reckoning.response, reckoning.resolution]


def moments(facts: list[Fact], calendar: Calendar) -> list[Reckoning]:
    start = (facts[0][0] - ZERO) // SECOND
    return [compute(facts, TARGETS, calendar, second(n)) for n in range(start, start + HORIZON)]


@many
@given(st.one_of(histories(), with_undos()), calendars)
def test_a_breach_never_becomes_anything_else(facts: list[Fact], calendar: Calendar) -> None:
    told = moments(facts, calendar)
    for before, after in pairwise(told):
        for then, now in zip(clocks(before), clocks(after), strict=True):
            if then.verdict == "breached":
                fixed = ("verdict", "due_at", "breached_at", "cause", "target_s")
                assert [getattr(now, name) for name in fixed] == [getattr(then, name) for name in fixed]


@many
@given(histories(), calendars)
def test_met_opens_again_only_by_a_reopening(facts: list[Fact], calendar: Calendar) -> None:
    told = moments(facts, calendar)
    for before, after in pairwise(told):
        if before.response.verdict == "met":
            assert (after.response.verdict, after.response.due_at) == ("met", before.response.due_at)
        if before.resolution.verdict == "met" and after.resolution.verdict != "met":
            assert before.status in ("resolved", "closed")
            assert after.resolution.reopen_gap_s > before.resolution.reopen_gap_s


@many
@given(histories(), calendars)
def test_between_facts_a_clock_changes_at_its_next_event_and_not_before(facts: list[Fact], calendar: Calendar) -> None:
    """What the sweep lives by: nothing to look at before next_event_at, and then a breach."""
    last = facts[-1][0]
    told = compute(facts, TARGETS, calendar, last)
    for place, clock in enumerate(clocks(told)):
        undecided = clock.verdict == "open"
        assert (clock.next_event_at is not None) == undecided
        if clock.next_event_at is not None:
            before, then = (
                clocks(compute(facts, TARGETS, calendar, now))[place].verdict
                for now in (max(last, clock.next_event_at - SECOND), clock.next_event_at)
            )
            assert (before, then) == ("open", "breached")
        else:
            much_later = clocks(compute(facts, TARGETS, calendar, last + 500 * SECOND))[place]
            assert much_later.verdict == clock.verdict


@many
@given(histories(), calendars, st.randoms(use_true_random=False))
def test_the_order_in_which_facts_are_given_does_not_matter(facts: list[Fact], calendar: Calendar, random: Any) -> None:
    shuffled = list(facts)
    random.shuffle(shuffled)
    assert compute(shuffled, TARGETS, calendar, second(60)) == compute(facts, TARGETS, calendar, second(60))


@many
@given(st.one_of(histories(), with_undos()), calendars, st.integers(0, 9))
def test_facts_that_no_clock_hears_change_nothing(facts: list[Fact], calendar: Calendar, place: int) -> None:
    at = facts[place % len(facts)][0]
    noise: list[Fact] = [(at, n, fact) for n, fact in ((0, ["assigned"]), (99, ["aws_reply"]), (98, ["relay"]))]
    assert compute([*noise, *facts], TARGETS, calendar, second(60)) == compute(facts, TARGETS, calendar, second(60))


@many
@given(histories(), calendars, st.integers(0, 9))
def test_a_reply_undone_at_once_leaves_no_trace(facts: list[Fact], calendar: Calendar, place: int) -> None:
    at, id_, _ = facts[place % len(facts)]
    spread: list[Fact] = [(when, 10 * n, fact) for when, n, fact in facts]
    passing: list[Fact] = [
        (at, 10 * id_ + 1, ["reply", "engineer"]),
        (at, 10 * id_ + 2, ["status", "waiting_customer"]),
        (at, 10 * id_ + 3, ["undo", 10 * id_ + 1]),
    ]
    assert compute(spread + passing, TARGETS, calendar, second(60)) == compute(spread, TARGETS, calendar, second(60))


@many
@given(histories(), calendars)
def test_the_spans_cover_the_time_from_creation_without_gap_and_add_up(facts: list[Fact], calendar: Calendar) -> None:
    now = second(60)
    told = compute(facts, TARGETS, calendar, now)
    spans = told.spans
    assert spans[0].start == facts[0][0]
    assert spans[-1].end is None
    assert all(one.end == next_.start and one.kind != next_.kind for one, next_ in pairwise(spans))
    worked = {
        kind: sum(calendar.work(s.start, s.end or now) for s in spans if s.kind == kind) for kind in MODES.values()
    }
    assert (worked["running"], worked["paused"]) == (told.resolution.running_s, told.resolution.paused_s)


def test_a_very_long_history_is_reckoned_in_one_pass() -> None:
    """20,000 facts with a priority change at every tenth: a quadratic walk would not end within the guard."""
    facts: list[Fact] = [(ZERO, 0, ["created", "low"])]
    for n in range(1, 20_000):
        status = ["status", "waiting_customer" if n % 2 else "in_progress"]
        facts.append((second(n), n, ["priority", "high" if n % 20 else "low"] if n % 10 == 0 else status))
    targets = {code: Target(10**7, 10**7 + rank) for rank, code in enumerate(TARGETS)}

    class Counting:
        asked = 0

        def work(self, a: datetime, b: datetime) -> int:
            self.asked += 1
            return AROUND_THE_CLOCK.work(a, b)

        def add(self, a: datetime, n: int) -> datetime:
            self.asked += 1
            return AROUND_THE_CLOCK.add(a, n)

    calendar = Counting()
    assert compute(facts, targets, calendar, second(30_000)).resolution.verdict == "paused"
    assert calendar.asked < 4 * len(facts)


# --- Cycles and struck pauses ----------------------------------------------------------------------------------------


def count_updates(facts: list[Fact], calendar: Calendar, now: int) -> list[tuple[Any, ...]]:
    """The cycles of the regular update, lived through second by second: start, end, verdict, missed."""
    start = (facts[0][0] - ZERO) // SECOND
    status, wanted, over = "new", facts[0][2][1], False
    answered = facts[0][2][2:] == ["phone"]
    cycles: list[dict[str, Any]] = []
    open_: dict[str, Any] | None = None

    def begin(t: int) -> None:
        nonlocal open_
        if answered and open_ is None and not over and MODES[status] == "running":
            open_ = {
                "start": t,
                "ran": [],
                "target": TARGETS[wanted].update_s,
                "changed": t,
                "missed": None,
                "end": None,
            }
            cycles.append(open_)

    def finish(t: int, verdict: str) -> None:
        nonlocal open_
        if open_ is None:
            return
        if open_["start"] == t and verdict == "n/a":
            cycles.remove(open_)
        open_["end"], open_["verdict"] = t, "breached" if open_["missed"] is not None else verdict
        open_ = None

    def judge(t: int) -> None:
        if open_ and open_["missed"] is None and len(open_["ran"]) >= open_["target"]:
            end = open_["ran"][open_["target"] - 1] + 1
            if t > end:
                open_["missed"] = max(end, open_["changed"])

    begin(start)
    for t in range(start, now + 1):
        judge(t)
        for at, _, fact in facts[1:]:
            if at != second(t) or over:
                continue
            if fact == ["reply", "engineer"] or (fact == ["reply", "aws"] and answered):
                answered = True
                if not (open_ and open_["start"] == t):
                    finish(t, "met")
                begin(t)
            elif fact[0] == "status":
                status = fact[1]
                if MODES[status] != "running":
                    finish(t, "n/a")
                begin(t)
            elif fact[0] == "priority":
                wanted = fact[1]
                if open_ and open_["missed"] is None and open_["target"] != TARGETS[wanted].update_s:
                    open_["target"], open_["changed"] = TARGETS[wanted].update_s, t
            elif fact[0] == "withdrawn":
                over = True
                finish(t, "n/a")
            judge(t)
        if t < now and open_ and calendar.work(second(t), second(t + 1)):
            open_["ran"].append(t)
    for cycle in cycles:
        if cycle["end"] is None:
            cycle["verdict"] = "open" if cycle["missed"] is None else "breached"
    return [(c["start"], c["end"], c["verdict"], c["missed"]) for c in cycles]


@settings(many, max_examples=600)
@given(histories(st.one_of(rarely, st.just(["reply", "aws"]))), calendars, st.integers(0, HORIZON))
def test_a_counter_of_updates_agrees(facts: list[Fact], calendar: Calendar, later: int) -> None:
    now = (facts[0][0] - ZERO) // SECOND + later

    def seconds(at: datetime | None) -> int | None:
        return None if at is None else (at - ZERO) // SECOND

    told = [
        (seconds(c.started_at), seconds(c.completed_at), c.verdict, seconds(c.breached_at))
        for c in compute(facts, TARGETS, calendar, second(now)).updates
    ]
    assert told == count_updates(facts, calendar, now)


@many
@given(with_everything(), calendars)
def test_no_breach_of_any_cycle_becomes_anything_else(facts: list[Fact], calendar: Calendar) -> None:
    start = (facts[0][0] - ZERO) // SECOND
    told = [compute(facts, ALL_TARGETS, calendar, second(n)) for n in range(start, start + HORIZON)]
    for before, after in pairwise(told):
        now = {(c.kind, c.cycle): c for c in after.clocks}
        for then in before.clocks:
            if then.breached_at:
                fixed = ("verdict", "due_at", "breached_at", "cause", "target_s", "started_at")
                later = now[then.kind, then.cycle]
                assert [getattr(later, name) for name in fixed] == [getattr(then, name) for name in fixed]


@many
@given(with_everything(), calendars)
def test_at_most_one_cycle_of_a_kind_is_not_over_and_it_is_the_last(facts: list[Fact], calendar: Calendar) -> None:
    told = compute(facts, ALL_TARGETS, calendar, second(60))
    for kind in {c.kind for c in told.clocks} - {"response", "resolution"}:
        cycles = [c for c in told.clocks if c.kind == kind]
        assert all(c.completed_at for c in cycles[:-1])
        assert [c.cycle for c in cycles] == sorted({c.cycle for c in cycles})


@many
@given(with_everything(), calendars)
def test_met_opens_again_only_by_a_reopening_an_undone_reply_or_none(facts: list[Fact], calendar: Calendar) -> None:
    start = (facts[0][0] - ZERO) // SECOND
    undos = {at for at, _id, fact in facts if fact[0] == "undo"}
    told = [(second(n), compute(facts, ALL_TARGETS, calendar, second(n))) for n in range(start, start + HORIZON)]
    for (_then, before), (now, after) in pairwise(told):
        if now in undos:
            continue
        later = {(c.kind, c.cycle): c.verdict for c in after.clocks}
        for clock in before.clocks:
            if clock.verdict == "met" and later[clock.kind, clock.cycle] != "met":
                assert clock.kind == "resolution"
                assert after.resolution.reopen_gap_s > before.resolution.reopen_gap_s


@many
@given(histories(), calendars, st.integers(11, 20), st.integers(0, 9))
def test_a_strike_never_makes_a_due_time_later_and_dates_no_breach_before_itself(
    facts: list[Fact], calendar: Calendar, named: int, gap: int
) -> None:
    at = facts[-1][0] + gap * SECOND
    plain = compute(facts, TARGETS, calendar, at)
    struck = compute([*facts, (at, 99, ["strike", named])], TARGETS, calendar, at)
    assert struck.response == plain.response
    before, after = plain.resolution, struck.resolution
    if plain.status in ("resolved", "closed") or before.verdict in ("breached", "n/a"):
        assert after == before
    elif before.due_at is not None:
        assert after.due_at is not None
        assert after.due_at <= before.due_at
    if after.breached_at and not before.breached_at:
        assert (after.breached_at, after.cause) == (at, "pause_struck")
