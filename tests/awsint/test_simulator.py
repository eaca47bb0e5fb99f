"""The simulator: its organizations have the world's accounts, it is steered from outside, and it forgets keys."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from awsint import client
from awsint.models import Account
from awsint.shapes import Calls, Denied, Place
from tests.awsint.conftest import ACME
from tests.awsint.simulator import Sim
from tests.awsint.test_client import AT, support

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
