"""The simulator: its organizations have the world's accounts, it is steered from outside, and it forgets keys."""

import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from awsint import client, demo
from awsint.models import Account, Organization
from awsint.shapes import AwsError, Calls, Denied, Place
from awsint.sim.scenarios import lively
from awsint.sim.scenarios.accounts import ACCOUNTS
from awsint.sim.world import AWS, Case
from helpdesk import supervisor
from helpdesk.accounts import demo as people
from tests.awsint.conftest import ACME
from tests.awsint.simulator import Sim
from tests.awsint.test_client import AT, support
from tests.cast import BORN

PARENT = "222233334444"


def steer(sim: Sim, what: str, **given: Any) -> Any:
    asked = urllib.request.Request(f"{sim.url}/_sim/{what}", json.dumps(given).encode())
    with urllib.request.urlopen(asked, timeout=5) as answer:
        return json.load(answer)


def test_an_organization_lists_its_accounts_to_whom_it_trusts(acme: Account, sim: Sim) -> None:
    there = sim.account(PARENT, external_id="parent-external-id", role="PartnerOrganizationSync", name="parent")
    sim.world.organization(PARENT, ACME, *(f"5555000000{n:02}" for n in range(25)))
    made = Calls()
    parent = client.organization(Place(PARENT, "aws", there.role_arn, "parent-external-id"), made, at=AT)
    found = list(parent.accounts())
    assert (len(found), found[0].name, found[1].number) == (27, "parent", ACME)
    assert parent.describe()["MasterAccountId"] == PARENT
    with pytest.raises(Denied):
        list(client.organization(acme.place, made, at=AT).accounts())
    parent.aws.call("enable_aws_service_access", ServicePrincipal="health.amazonaws.com")
    parent.aws.call("register_delegated_administrator", AccountId=ACME, ServicePrincipal="health.amazonaws.com")
    assert len(list(client.organization(acme.place, made, at=AT).accounts())) == 27
    # To be a member is not to let anybody in.
    with pytest.raises(Denied):
        client.check(
            Place("555500000001", "aws", "arn:aws:iam::555500000001:role/PartnerSupportSync", "any"), made, at=AT
        )


def test_a_drill_steers_it_from_outside(acme: Account, sim: Sim) -> None:
    case = steer(sim, "open", account=ACME, subject="数据库连接数", body="打满了。", language="zh")
    steer(sim, "clock", at="2026-03-02T10:00:00+00:00")
    assert steer(sim, "answer", account=ACME, case=case, body="正在查看。") == "2026-03-02T10:00:00.000Z"
    assert steer(sim, "clock", at="2026-03-02T10:00:00+00:00", advance=90) == "2026-03-02T10:01:30+00:00"
    steer(sim, "clock")
    assert steer(sim, "setting", redacts=True)["redacts"] is True
    support(acme).add_communication(case, "key AKIAABCDEFGHIJKLMNOP")
    told = [one.body for one in support(acme).said(case)]
    assert sorted(told) == sorted(["打满了。", "正在查看。", "key [REDACTED]"])
    assert (ACME, "AddCommunicationToCase", "key AKIAABCDEFGHIJKLMNOP") in sim.world.bodies
    steer(sim, "vanish", case=case)
    assert list(support(acme).open_cases()) == []
    with pytest.raises(urllib.error.HTTPError, match="422"):
        steer(sim, "setting", nothing=1)


def test_a_restart_forgets_what_it_lent_and_nobody_notices(acme: Account, sim: Sim) -> None:
    sim.open(ACME, "ALB answers 503", "All targets are unhealthy.")
    api = support(acme)
    assert len(list(api.open_cases())) == 1
    sim.world.keys.clear()
    assert len(list(api.open_cases())) == 1


def test_the_demos_accounts_are_the_scenarios(db: None, sim: Sim, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    people.seed(at=BORN)
    count = demo.seed(at=BORN)
    lively.begin(sim.world)
    assert (count, demo.seed(at=BORN)) == (len(ACCOUNTS), count)
    assert Account.objects.connected().count() == count
    states: dict[str, str] = {}
    for account in Account.objects.filter(partition="aws"):
        try:
            states[account.name] = f"{len(list(support(account).open_cases()))} open"
        except AwsError as error:
            states[account.name] = error.kind
    assert states["acme-production"] == "1 open"
    assert (states["nordlicht-iot"], states["tidewater-grid"]) == ("NO_PLAN", "ACCESS_DENIED")
    organization = Organization.objects.get()
    members = {one.number: one for one in client.organization(organization.place, Calls(), at=AT).accounts()}
    assert set(Account.objects.filter(organization=organization).values_list("number", flat=True)) < set(members)
    assert members["210000000091"].status == "SUSPENDED"


def test_a_lively_day_brings_cases_words_and_an_end(sim: Sim) -> None:
    world = sim.world
    world.set_clock(AT)
    lively.begin(world)

    def cases() -> list[Case]:
        return [case for cases in world.cases.values() for case in cases.values()]

    for _minute in range(120):
        world.advance(minutes=1)
        lively.live(world)
    assert len(cases()) == len(lively.CASES) + len(lively.MORE)
    assert "unassigned" not in {case.status for case in cases()}
    assert max(sum(word.by == AWS for word in case.words) for case in cases()) <= lively.OFTEN
    ours = sim.open("310000000021", "新案例", "请协助。", language="zh")
    for _turn in range(4):
        for _minute in range(3):
            world.advance(minutes=1)
            lively.live(world)
        said = ours.newest_first[0]
        assert said.by == AWS
        assert said.body.startswith("您好")
        sim.answer(ours, "已按建议处理。", by="ops")
    world.advance(minutes=3)
    lively.live(world)
    assert ours.status == "resolved"


@pytest.mark.parametrize(
    ("env", "kept", "comes"),
    [
        ({}, [], True),
        ({}, ["pg.json", "demo.json"], True),
        ({}, ["pg.json"], False),
        ({"DATABASE_URL": "postgres://elsewhere/helpdesk"}, [], False),
        ({"DEMO": "day"}, [], False),
        ({"DEMO": "day", "AWS_SIM": "1"}, ["pg.json"], True),
        ({"AWS_SIM": "0"}, [], False),
        ({"AWS_PROFILE": "hub", "AWS_SIM": "1"}, [], False),
        ({"STORAGE_URL": "s3://files"}, [], False),
        ({"SITE_URL": "https://desk.example"}, [], False),
    ],
)
def test_make_run_simulates_aws_for_a_demo_alone(
    env: dict[str, str], kept: list[str], comes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside = ("DATABASE_URL", "SITE_URL", "EMAIL_URL", "STORAGE_URL", "DEMO", "AWS_SIM", "AWS_SECRET_ACCESS_KEY")
    for name in (*aside, *supervisor.AWS_IS_KNOWN):
        monkeypatch.setenv(name, env.get(name, ""))
        if name not in env:
            monkeypatch.delenv(name)
    for name in kept:
        (tmp_path / name).touch()
    door = supervisor._simulate_aws(tmp_path)
    assert (door is not None) is comes
    if door:
        assert os.environ["AWS_ENDPOINT_URL"].endswith(str(door.getsockname()[1]))
        door.close()
