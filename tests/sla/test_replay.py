"""`manage.py sla_replay`: the worked examples of the SLA paper come out to the second, and bad files are named."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from sla import replay

EXAMPLES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("examples.json").read_text())
GOOD = EXAMPLES[0]


def run(path: Path, cases: Any, **how: Any) -> str:
    path.write_text(cases if isinstance(cases, str) else json.dumps(cases))
    said = StringIO()
    call_command("sla_replay", str(path), stdout=said, **how)
    return said.getvalue()


@pytest.mark.parametrize("case", EXAMPLES, ids=[case["id"] for case in EXAMPLES])
def test_a_worked_example(case: dict[str, Any]) -> None:
    found = replay.answer(case)
    assert {name: found[name] for name in case["expect"]} == case["expect"]


def test_results_stand_in_the_order_of_the_cases_and_carry_their_names(tmp_path: Path) -> None:
    found = json.loads(run(tmp_path / "cases.json", EXAMPLES))
    assert [one["id"] for one in found] == [case["id"] for case in EXAMPLES]
    assert {"update_due", "warnings", "cause", "remaining_s", "status"} <= set(found[0])


def test_verify_prints_each_difference_and_fails(tmp_path: Path) -> None:
    assert "26 cases, 0 differences" in run(tmp_path / "cases.json", EXAMPLES, verify=True)
    wrong = [GOOD | {"expect": {"response": "breached", "paused_s": 0}}]
    said = StringIO()
    (tmp_path / "wrong.json").write_text(json.dumps(wrong))
    with pytest.raises(CommandError) as failed:
        call_command("sla_replay", str(tmp_path / "wrong.json"), verify=True, stdout=said)
    assert failed.value.returncode == 1
    assert "SLA-01: response is 'met', expected 'breached'" in said.getvalue()
    assert "paused_s" not in said.getvalue()


def test_undone_words_struck_pauses_and_what_the_desk_does_inside_are_understood() -> None:
    events = [
        ["2026-03-02 10:00:00", "created", "critical"],
        ["2026-03-02 10:02:00", "assigned"],
        ["2026-03-02 10:10:00", "reply", "engineer"],
        ["2026-03-02 11:00:00", "status", "waiting_customer"],
        ["2026-03-02 13:00:00", "status", "in_progress"],
        ["2026-03-02 13:05:00", "case_needed"],
        ["2026-03-02 13:06:00", "case_opened"],
        ["2026-03-02 13:07:00", "aws_reply"],
        ["2026-03-02 13:08:00", "relay"],
        ["2026-03-02 13:10:00", "reply", "engineer"],
        ["2026-03-02 13:10:05", "undo", 9],
        ["2026-03-02 13:20:00", "strike", 3],
    ]
    found = replay.answer(GOOD | {"events": events, "now": "2026-03-02 13:30:00"})
    assert (found["resolution_due"], found["paused_s"]) == ("2026-03-02T14:00:00+08:00", 0)
    assert found["update_due"] == "2026-03-02T14:00:00+08:00"


def test_a_case_may_bring_its_own_calendar(tmp_path: Path) -> None:
    own = {"zone": "Asia/Shanghai", "week": {"0": [["10:00", "10:20"]]}}
    case = GOOD | {"id": "own", "calendar": "mine", "calendars": {"mine": own}, "now": "2026-03-02 10:16:00"}
    case["events"] = [["2026-03-02 10:00:00", "created", "critical"]]
    found = replay.answer(case)
    assert found["first_response_due"] == "2026-03-02T10:15:00+08:00"
    assert (found["response"], found["running_s"]) == ("breached", 16 * 60)


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"tz": "Mars/Olympus"}, "not a time zone"),
        ({"calendar": "never"}, "'never' is not known"),
        ({"calendar": "x", "calendars": {"x": {"zone": "UTC", "week": {}}}}, "never open"),
        ({"now": "tomorrow"}, "now: 'tomorrow'"),
        ({"now": 5}, "now is no text"),
        ({"now": "2026-03-01 00:00:00"}, "nothing was created"),
        ({"events": []}, "one event creates"),
        ({"events": [["2026-03-02 10:00:00", "created", "P9"]]}, "event 0 is not understood"),
        ({"events": [["2026-03-02 10:00:00", "created", "high"], ["2026-03-02", "reply", "nobody"]]}, "event 1"),
        ({"events": [["2026-03-02 10:00:00", "created", "high"], ["x", "withdrawn"]]}, "event 1: 'x'"),
        ({"events": [["2026-03-02 10:00:00", "created", "high"], "reply"]}, "event 1 is no list"),
        ({"events": [["2026-03-02 10:00:00", "created", "high"], ["2026-03-02 11:00:00", "undo", 7]]}, "event 1"),
        ({"expect": []}, "expect is no object"),
    ],
)
def test_a_malformed_case_is_named_and_nothing_is_printed(tmp_path: Path, changed: dict[str, Any], word: str) -> None:
    said = StringIO()
    (tmp_path / "cases.json").write_text(json.dumps([GOOD, GOOD | {"id": "bad one"} | changed]))
    with pytest.raises(CommandError) as refused:
        call_command("sla_replay", str(tmp_path / "cases.json"), stdout=said)
    assert (refused.value.returncode, said.getvalue()) == (2, "")
    assert "case bad one (number 1)" in str(refused.value)
    assert word in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["{", '{"id": 1}', "\x00"])
def test_a_file_that_is_no_list_of_cases_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(CommandError) as refused:
        run(tmp_path / "cases.json", text)
    assert refused.value.returncode == 2


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("sla_replay", str(tmp_path / "none.json"))
    assert refused.value.returncode == 2
