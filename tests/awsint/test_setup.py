"""aws_setup_health and aws_doctor against the simulator, and what is deployed for AWS Health."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from moto.events.models import events_backends

from awsint import connecting, hub_policies
from awsint.models import HealthReading, Hub, Organization
from awsint.sim import health as aws
from helpdesk.jobs.models import Job
from tests.awsint.conftest import connected, hub_of
from tests.awsint.setting_up import (
    BUS,
    CHINESE,
    HUBS,
    KINDS,
    PAGE,
    PAYER,
    ROLE,
    RULES,
    SPEAKER,
    ran,
    setup,
    told,
    worked,
)
from tests.awsint.simulator import Sim
from tests.cast import BORN, Cast
from tests.entering import enter, words


def changes(sim: Sim) -> set[str]:
    return {name for _number, name in sim.world.calls if not name.startswith(("Describe", "List"))}


def test_what_is_missing_is_done_and_done_once(house: Organization, sim: Sim) -> None:
    planned = setup("--dry-run")
    assert changes(sim) == set(), "a plan changes nothing"
    todo = ["access", "view", "delegate", *RULES]
    there = ["features", *HUBS]
    assert planned == dict.fromkeys(there, "ok") | dict.fromkeys(todo, "missing")
    assert setup() == {**planned, **dict.fromkeys(todo, "done")}
    assert set(setup().values()) == {"ok"}
    for region in ("us-east-1", "us-west-2", "eu-west-1"):
        rule = events_backends[SPEAKER][region].describe_rule("partner-health", None)
        assert [(one["Arn"], one["RoleArn"]) for one in rule.targets] == [
            (BUS, f"arn:aws:iam::{SPEAKER}:role/PartnerHealthEvents")
        ]


def test_a_rule_that_forgets_abuse_is_mended(house: Organization, sim: Sim) -> None:
    setup()
    rule = events_backends[SPEAKER]["us-west-2"].describe_rule("partner-health", None)
    rule.event_pattern = type(rule.event_pattern).load(json.dumps({"source": ["aws.health"], "detail-type": KINDS[:1]}))
    told = ran("aws_doctor", "--language", "en", rc=1)
    assert "the rule lacks AWS Health Event or AWS Health Abuse Event" in told
    assert [step for step, state in setup().items() if state == "done"] == ["rule:us-west-2"]


@pytest.mark.parametrize(
    ("principal", "condition", "lets"),
    [
        ({"AWS": ["9" * 12, SPEAKER]}, {}, True),
        ({"AWS": f"arn:aws:iam::{SPEAKER}:root"}, {}, True),
        ("*", {"StringEquals": {"aws:PrincipalOrgID": ["o-1", "o-house"]}}, True),
        ("*", {"StringEquals": {"aws:PrincipalOrgID": "o-other"}}, False),
        ({"AWS": "9" * 12}, {}, False),
        ({"Service": "events.amazonaws.com"}, {}, False),
    ],
)
def test_whom_a_bus_lets_in(principal: Any, condition: dict[str, Any], lets: bool) -> None:
    one = {"Effect": "Allow", "Action": ["events:PutEvents"], "Principal": principal, "Condition": condition}
    assert hub_policies.lets_in({"Statement": one}, SPEAKER, "o-house") is lets
    assert not hub_policies.lets_in({"Statement": [one | {"Effect": "Deny"}]}, SPEAKER, "o-house")


def test_who_may_not_switch_is_told_how_it_is_done(house: Organization) -> None:
    told = ran("aws_setup_health", SPEAKER, "--json", rc=1)
    failed = {one["step"]: one for one in told if one["state"] == "failed"}
    assert "--management-role" in failed["access"]["mend"]
    assert {one["step"]: one["state"] for one in told}["delegate"] == "skipped"
    chinese = ran("aws_setup_health", SPEAKER, "--language", "zh-hans", rc=1)
    assert "只有管理账户可以执行" in chinese


def test_bad_input_is_named(house: Organization) -> None:
    for given in (
        ("o-nobody",),
        (SPEAKER, "--region", "cn-north-1"),
        (SPEAKER, "--region", "nowhere"),
        (SPEAKER, "--management-role", "arn:aws-cn:iam::100000000071:role/x"),
    ):
        with pytest.raises(CommandError) as error:
            call_command("aws_setup_health", *given)
        assert error.value.returncode == 2
    with pytest.raises(CommandError) as error:
        call_command("aws_doctor", "--region", "../x")
    assert error.value.returncode == 2


def test_the_doctor_finds_all_well_and_each_thing_that_is_not(house: Organization, cast: Cast, sim: Sim) -> None:
    setup()
    connected(sim, cast, "111122223333", "a" * 32, organization=house)
    never = ran("aws_doctor", rc=1)
    assert "never read" in never
    assert never.count("[WRONG]") == 1
    now = timezone.now()
    HealthReading.objects.create(organization=house, read_at=now, next_at=now)
    assert "WRONG" not in ran("aws_doctor", "--region", "eu-west-1")
    aws.of(sim.world).switched_off.add(SPEAKER)
    aws.of(sim.world).switched_off.add(PAYER)
    sim.account("111122223333", external_id="changed")
    Hub.objects.update(dead_queue_url="")
    HealthReading.objects.update(read_at=datetime(2026, 1, 1, tzinfo=UTC))
    found = {(one["about"], one["what"]): one for one in ran("aws_doctor", "--json", rc=1) if not one["ok"]}
    assert len(found) == 5
    assert all(one["mend"] for one in found.values())
    chinese = ran("aws_doctor", "--language", "zh-hans", rc=1)
    assert chinese.count("[有误]") == 5
    assert "aws_setup_health" in chinese


def test_china_is_read_account_by_account(cast: Cast, sim: Sim) -> None:
    hub = hub_of("aws-cn")
    told(hub, sim)
    account = connected(sim, cast, CHINESE, "c" * 32, partition="aws-cn")
    Organization.objects.create(
        name="China", partition="aws-cn", account_number="100000000074", role_arn="r", external_id="z" * 32,
        created_at=BORN,
    )  # fmt: skip
    now = timezone.now()
    HealthReading.objects.create(account=account, read_at=now, next_at=now)
    assert "not offered in this partition" in ran("aws_doctor")


# --- From the browser ------------------------------------------------------------------------------------------------


def test_a_lead_sees_the_plan_and_carries_it_out_once(house: Organization, cast: Cast, sim: Sim) -> None:
    lead, run = enter(cast.lee), f"{PAGE}/{house.pk}"
    assert "Nobody has looked yet" in words(lead.get(PAGE))
    form = {"role": ROLE, "regions": "eu-west-1, us-east-1"}
    assert lead.post(run, form).status_code == 303
    assert "Waits for a worker" in words(lead.get(PAGE))
    worked("aws.health_setup")
    assert changes(sim) == set(), "a look changes nothing"
    plan = words(lead.get(PAGE))
    assert "Carry out 6 steps" in plan
    assert plan.count("would be done") == 6
    assert "Rule for both kinds of notice to the hub's bus, in eu-west-1 missing would be done" in plan
    # The first click asks.
    asked = words(lead.post(run, form | {"carry_out": "1"}))
    assert "Carry out the set-up of Partner?" in asked
    assert Job.objects.count() == 1
    assert lead.post(run, form | {"carry_out": "1", "sure": "1"}).status_code == 303
    result = worked("aws.health_setup").result
    assert sum(one["state"] == "done" for one in result["steps"]) == 6
    house.refresh_from_db()
    assert house.health_regions == ["eu-west-1"]
    assert "had AWS Health set up, 6 steps done" in words(lead.get(f"/aws/organizations/{house.pk}/"))
    before = len(changes(sim))
    lead.post(run, form)
    worked("aws.health_setup")
    assert "There is nothing to do" in words(lead.get(PAGE))
    assert len(changes(sim)) == before
    # The command finds the same, with the region that was written down.
    told = ran("aws_setup_health", SPEAKER, "--management-role", ROLE, "--json")
    assert [one["step"] for one in told if one["step"].startswith("rule:")] == RULES


def test_what_aws_refuses_is_said_with_the_way_on(house: Organization, cast: Cast) -> None:
    lead, run = enter(cast.lee), f"{PAGE}/{house.pk}"
    lead.post(run, {"role": "", "carry_out": "1", "sure": "1"})
    worked("aws.health_setup")
    seen = words(lead.get(PAGE))
    assert "AccessDeniedException" in seen
    assert "Only the management account may do this" in seen
    assert "not tried, because what it needs failed" in seen
    for wrong in ({"role": "arn:aws-cn:iam::100000000071:role/x"}, {"regions": "cn-north-1"}, {"regions": "x"}):
        answer = lead.post(run, {"role": "", "regions": ""} | wrong)
        assert answer.status_code == 422
        assert next(iter(wrong.values())) in answer.content.decode(), "what was typed stays"
    Hub.objects.all().delete()
    assert lead.post(run, {}).status_code == 422


def test_nobody_but_managers_sets_anything_up(house: Organization, cast: Cast) -> None:
    for person in (cast.ana, cast.cora, cast.audrey):
        client = enter(person)
        for url in (PAGE, f"{PAGE}/{house.pk}/health.yaml"):
            assert client.get(url).status_code == 404, person
        assert client.post(f"{PAGE}/{house.pk}", {"carry_out": "1", "sure": "1"}).status_code == 404
    assert "/login" in Client().get(PAGE)["Location"]
    assert not Job.objects.exists()


def test_templates_come_with_the_bus_filled_in(house: Organization, cast: Cast) -> None:
    lead = enter(cast.lee)
    assert 'name = "partner-support"' in lead.get(f"{PAGE}/{house.pk}/hub.tf").content.decode()
    for form in ("health.yaml", "health.tf"):
        assert BUS in lead.get(f"{PAGE}/{house.pk}/{form}").content.decode()
    assert (
        'Default: "arn:aws:iam::123456789012:role/hub"'
        in lead.get(f"{PAGE}/{house.pk}/hub-setup.yaml").content.decode()
    )
    assert lead.get(f"{PAGE}/{house.pk}/hub.yaml").status_code == 404


# --- What is deployed (cfn-lint reads health.yaml in test_connecting.py) ----------------------------------------------


@pytest.mark.parametrize("name", ["health", "hub"])
def test_terraform_says_what_the_template_says(name: str) -> None:
    text = (Path(connecting.FOLDER) / "terraform" / f"{name}.tf").read_text()
    bare = re.sub(r'"(?:\\.|[^"\\])*"|#.*', "", text)
    for opens, closes in ("{}", "[]", "()"):
        assert bare.count(opens) == bare.count(closes) > 0
    assert all(f'"{kind}"' in text for kind in KINDS)
    for template in Path(connecting.FOLDER).rglob(f"{name}.yaml"):
        assert f"detail-type: [{', '.join(KINDS)}]" in template.read_text()
    declared = set(re.findall(r'^(?:resource|data) "(\w+)" "(\w+)"', text, re.MULTILINE))
    named = set(re.findall(r"\b(aws_\w+)\.(\w+)[.\[)]", text))
    assert named <= declared


def test_the_hub_in_terraform_is_the_hub_of_the_template() -> None:
    text, template = (
        (Path(connecting.FOLDER) / path).read_text() for path in (Path("terraform") / "hub.tf", Path("hub.yaml"))
    )
    one = r"\b(?:sqs|events|sts|iam):[A-Z]\w+"
    # PutEvents is what a statement on a bus allows where nothing else is said.
    assert set(re.findall(one, text)) == set(re.findall(one, template)) - {"events:PutEvents"}
    for said in (
        "partner-support",
        "1209600",
        "TheRuleAlone",
        "PartnerHelpDesk",
        "PartnerHubSetup",
        "aws:PrincipalOrgID",
    ):
        assert (said in text, said in template) == (True, True)
    outputs = {name.replace("_", "") for name in re.findall(r'^output "(\w+)"', text, re.MULTILINE)}
    wanted = re.findall(r"^  (\w+):\n    Value", template, re.MULTILINE)
    assert outputs == {name.lower() for name in wanted} - {"region"}
