"""Who gets a ticket: the examples of the specification, its readings, and what holds whatever is put in."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from tickets.assignment import Engineer, Wanted, decide

TIER = {"languages": ["zh", "en"], "active": True, "leave": False, "capacity": 20, "idle_minutes": 0}


def person(name: str, shift: str, *, skill: int = 0, load: int = 0, **more: Any) -> dict[str, Any]:
    told = {"named": False, "handled_90d": False, "skills": {"rds": skill}, "load": load, "shift": shift}
    return TIER | told | {"name": name} | more


def case(name: str, priority: str, *people: dict[str, Any], due: int = 3600, **ticket: Any) -> dict[str, Any]:
    wanted = {"priority": priority, "language": "zh", "service": "rds", "response_due_in_s": due}
    return {"id": name, "ticket": wanted | ticket, "engineers": list(people)}


def replay(tmp_path: Path, *cases: Any) -> list[dict[str, Any]]:
    file = tmp_path / "cases.json"
    file.write_text(json.dumps(cases))
    said = StringIO()
    call_command("assign_replay", str(file), stdout=said)
    found: list[dict[str, Any]] = json.loads(said.getvalue())
    return found


def test_the_printed_examples(tmp_path: Path) -> None:
    one, two, three, four = replay(
        tmp_path,
        case(
            "AS-1",
            "critical",
            person("Ann", "primary", skill=2, load=4),
            person("Bo", "secondary", skill=3, load=4),
            person("Chen", "on", skill=3),
        ),
        case(
            "AS-2",
            "medium",
            person("Ann", "primary", skill=2, load=4),
            person("Bo", "secondary", skill=3, load=4),
            person("Chen", "on", skill=3, load=10),
        ),
        case(
            "AS-3",
            "high",
            person("Ann", "primary", load=18),
            person("Bo", "on", skill=2, load=6, named=True),
            person("Chen", "on", leave=True),
        ),
        case("AS-4", "critical", person("Ann", "primary", load=20), person("Bo", "off", skill=3)),
    )
    assert (one["winner"], one["runner_up"], one["totals"]) == ("Chen", "Bo", {"Ann": 70, "Bo": 77, "Chen": 78})
    assert (two["winner"], two["totals"]) == ("Bo", {"Ann": 56, "Bo": 77, "Chen": 77})
    assert (three["winner"], three["totals"]) == ("Bo", {"Bo": 65})
    assert three["excluded"] == {"Ann": "capacity", "Chen": "leave"}
    assert (four["winner"], four["runner_up"], four["totals"]) == ("Ann", None, {"Ann": 20})
    assert one["sentence_zh"] == "Chen：rds 技能 3/3、当前负载 0/20、当班，总分 78；次选 Bo 77。"
    assert three["sentence_zh"] == "Bo：rds 技能 2/3、当前负载 6/20、当班、该客户的指定工程师，总分 65。"
    assert one["sentence_en"] == "Chen: rds skill 3/3, load 0/20, on shift, total 78; next best Bo 77."
    assert one["candidates"][2] == {
        "name": "Chen",
        "tier": 0,
        "parts": {"skill": 45, "load": 25, "shift": 8, "affinity": 0},
        "total": 78,
    }


def test_the_reasons_have_an_order(tmp_path: Path) -> None:
    gone = person("Gone", "off", active=False, leave=True, load=99)
    away = person("Away", "off", leave=True, load=99)
    off = person("Off", "off", load=99, may_see=False)
    late = person("Late", "next", load=99, may_see=False, next_shift_in_s=3600)
    full = person("Full", "on", load=19, may_see=False)
    blind = person("Blind", "on", may_see=False)
    (told,) = replay(tmp_path, case("x", "medium", gone, away, off, late, full, blind))
    assert told["excluded"] == {
        "Gone": "inactive",
        "Away": "leave",
        "Off": "off shift",
        "Late": "next shift too late",
        "Full": "capacity",
        "Blind": "may not see customer",
    }
    assert (told["winner"], told["totals"]) == (None, {})
    assert told["sentence_en"].startswith("Nobody can take it: Gone inactive, Away leave")
    assert "负载已满" in told["sentence_zh"]


@pytest.mark.parametrize(
    ("priority", "begins", "why"),
    [
        ("medium", 1800, ""),
        ("medium", 1801, "next shift too late"),
        ("low", 0, ""),
        ("high", 0, "off shift"),
        ("critical", 0, "off shift"),
        ("medium", None, "next shift too late"),
    ],
)
def test_a_next_shift_is_in_time_half_an_hour_before(
    tmp_path: Path, priority: str, begins: int | None, why: str
) -> None:
    (told,) = replay(tmp_path, case("x", priority, person("Ann", "next", next_shift_in_s=begins)))
    assert told["excluded"].get("Ann", "") == why


def test_language_comes_before_everything_else(tmp_path: Path) -> None:
    best = person("Best", "on", skill=3, named=True, languages=["en"])
    none = person("None", "on", skill=3, named=True, languages=["de"])
    zh = person("Zh", "secondary", load=16, languages=["zh"])
    (told,) = replay(tmp_path, case("x", "medium", best, none, zh))
    assert (told["winner"], told["runner_up"]) == ("Zh", "Best")
    assert [c["tier"] for c in told["candidates"]] == [1, 2, 0]


def test_ties_go_to_the_freer_then_the_longest_idle_then_the_first(tmp_path: Path) -> None:
    small = person("Small", "on", load=1, capacity=10)
    large = person("Large", "on", load=3, capacity=40)
    assert replay(tmp_path, case("x", "low", small, large))[0]["winner"] == "Large"
    idle = [person("A", "on", idle_minutes=5), person("B", "on", idle_minutes=50), person("C", "on", idle_minutes=50)]
    assert replay(tmp_path, case("x", "low", *idle))[0]["winner"] == "B"


def test_affinity_is_the_larger_of_its_parts_and_no_service_asks_for_no_skill(tmp_path: Path) -> None:
    both = person("Both", "on", skill=3, named=True, handled_90d=True)
    once = person("Once", "on", skill=3, handled_90d=True)
    (told,) = replay(tmp_path, case("x", "low", both, once, service=None))
    assert [c["parts"] for c in told["candidates"]] == [
        {"skill": 0, "load": 25, "shift": 20, "affinity": 10},
        {"skill": 0, "load": 25, "shift": 20, "affinity": 6},
    ]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("{", "Expecting property name"),
        ("{}", "a list of cases is needed"),
        ('[{"id": "AS-9"}]', "case AS-9: ticket is missing"),
        ("[5]", "case 1: an object is needed"),
        (json.dumps([case("x", "p0")]), "case x: unknown priority 'p0'"),
        (json.dumps([case("x", "low", person("Ann", "night"))]), "case x: Ann: unknown shift 'night'"),
        (json.dumps([case("x", "low", person("Ann", "on", capacity=0))]), "case x: Ann: a capacity is at least 1"),
        (json.dumps([case("x", "low", person("Ann", "on", skill=4))]), "case x: Ann: a skill is"),
        (json.dumps([case("x", "low", person("Ann", "on", load="4"))]), "case x: Ann: load is no int"),
        (json.dumps([case("x", "low", person("A", "on"), person("A", "on"))]), "case x: two engineers have one name"),
    ],
)
def test_a_malformed_case_is_named_and_nothing_is_printed(tmp_path: Path, broken: str, words: str) -> None:
    file, said = tmp_path / "broken.json", StringIO()
    file.write_text(broken)
    with pytest.raises(CommandError) as raised:
        call_command("assign_replay", str(file), stdout=said)
    assert raised.value.returncode == 2
    assert words in str(raised.value)
    assert (str(raised.value).count("\n"), said.getvalue()) == (0, "")


ENGINEERS = st.lists(
    st.builds(
        Engineer,
        key=st.uuids().map(str),
        shift=st.sampled_from(["primary", "secondary", "on", "next", "off"]),
        next_shift_in_s=st.none() | st.integers(0, 10_000),
        languages=st.sampled_from([(), ("zh",), ("en",), ("zh", "en")]),
        skill=st.integers(0, 3),
        load=st.integers(0, 60),
        capacity=st.integers(1, 40),
        named=st.booleans(),
        handled_90d=st.booleans(),
        idle_s=st.integers(0, 100_000),
        active=st.booleans(),
        leave=st.booleans(),
        may_see=st.booleans(),
    ),
    max_size=8,
)
WANTED = st.builds(
    Wanted, st.integers(1, 5), st.sampled_from(["zh", "en"]), st.none() | st.just("rds"), st.integers(0, 10_000)
)


@given(WANTED, ENGINEERS)
def test_whoever_is_picked_can_take_it_and_nobody_able_speaks_better(wanted: Wanted, people: list[Engineer]) -> None:
    told = decide(wanted, people)
    able = [c for c in told.candidates if not c.excluded]
    assert (told.winner is None) == (able == [])
    assert all(0 <= c.total <= 100 for c in able)
    if told.winner:
        e = told.winner.engineer
        assert e is not None
        assert e.active
        assert not e.leave
        assert e.may_see
        assert e.shift != "off"
        assert told.winner.tier == min(c.tier for c in able)
        assert told.winner.total == max(c.total for c in able if c.tier == told.winner.tier)
    assert decide(wanted, people) == told
