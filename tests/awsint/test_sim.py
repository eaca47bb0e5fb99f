"""The simulator keeps to AWS's own model, tells its hub what changed, and remembers."""

import json
from pathlib import Path

import pytest

from awsint import client
from awsint.models import Account, Hub
from awsint.shapes import Calls
from awsint.sim import keeping, wire
from awsint.sim.scenarios import lively
from awsint.sim.world import World
from tests.awsint.conftest import ACME
from tests.awsint.simulator import Sim
from tests.awsint.test_client import AT


def test_what_the_model_does_not_know_is_refused(acme: Account, sim: Sim) -> None:
    with pytest.raises(wire.ApiError, match="is not known"):
        wire.decode("support", "DescribeCases", b'{"caseIds": []}')
    with pytest.raises(wire.ApiError, match="is required"):
        wire.decode("support", "CreateCase", b'{"subject": "x"}')
    with pytest.raises(wire.ApiError, match="more than 100"):
        wire.decode("support", "DescribeCases", json.dumps({"maxResults": 101}).encode())
    with pytest.raises(wire.Drifted, match="is not known"):
        wire.encode("support", "DescribeCases", {"cases": [{"caseId": "x", "lastUpdated": "y"}]})
    with pytest.raises(wire.Drifted, match="is no string"):
        wire.encode("support", "CreateCase", {"caseId": 7})


def test_a_change_of_a_case_lies_in_the_hubs_queue(acme: Account, hub: Hub, sim: Sim) -> None:
    case = sim.open(ACME, "ALB answers 503", "All targets are unhealthy.")
    sim.answer(case, "We are looking.")
    sim.status(case, "work-in-progress")
    sim.status(case, "resolved")
    queue = client.queue("aws", hub.account_number, hub.region, sim.queue_url("support"), Calls(), at=AT)
    assert queue.depth() == 3
    messages = queue.receive(wait_s=0)
    events = [json.loads(one.body) for one in messages]
    assert [e["detail"]["event-name"] for e in events] == ["CreateCase", "AddCommunicationToCase", "ResolveCase"]
    assert {(e["account"], e["detail"]["case-id"]) for e in events} == {(ACME, case.number)}
    assert [e["detail"]["origin"] for e in events] == ["", "AWS", ""]
    assert queue.receive(wait_s=0) == []
    assert queue.delete([one.handle for one in messages]) == []
    assert queue.depth() == 0


def test_events_come_twice_and_in_any_order_where_asked(acme: Account, sim: Sim) -> None:
    case = sim.open(ACME, "first", "body")
    sim.fault("swap", operation="Deliver")
    sim.answer(case, "one")
    sim.fault("duplicate", operation="Deliver")
    sim.status(case, "resolved")
    names = [json.loads(text)["detail"]["event-name"] for text in sim.waiting("support")]
    assert names == ["CreateCase", *["ResolveCase"] * 3, "AddCommunicationToCase"]
    sim.fault("lose", operation="Deliver")
    sim.answer(case, "nobody hears of this")
    assert len(sim.waiting("support")) == 5


def test_a_demos_aws_remembers_and_lives(tmp_path: Path) -> None:
    world = World()
    lively.begin(world)
    before = sum(len(case.words) for cases in world.cases.values() for case in cases.values())
    keeping.save(world, tmp_path / "kept.json")
    again = World()
    assert keeping.load(again, tmp_path / "kept.json")
    assert again.cases == world.cases
    assert again.files == world.files
    assert not keeping.load(World(), tmp_path / "none.json")
    again.advance(minutes=5)
    for _second in range(3):
        lively.live(again)
        again.advance(minutes=5)
    after = sum(len(case.words) for cases in again.cases.values() for case in cases.values())
    assert after > before
    assert keeping.mark(again) != keeping.mark(world)
