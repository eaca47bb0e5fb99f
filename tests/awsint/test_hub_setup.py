"""The hub's side of AWS Health, made by command and page: from nothing, twice, beside what others wrote."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from moto.events.models import events_backends
from moto.sqs.models import sqs_backends

from awsint import client, connecting
from awsint.client import sessions
from awsint.models import CallLog, HealthReading, Hub, Organization
from awsint.shapes import Calls
from awsint.sim import health as aws
from awsint.sim.world import HUB
from helpdesk.audit.models import Entry
from tests.awsint.conftest import hub_of
from tests.awsint.setting_up import BUS, CHINESE, HUBS, ID, KINDS, PAGE, PAYER, ROLE, RULES, SPEAKER, ran, setup, worked
from tests.awsint.simulator import Sim
from tests.cast import BORN, Cast
from tests.entering import enter, words

QUEUE, RULE = f"arn:aws:sqs:us-east-1:{HUB}:partner-health", f"arn:aws:events:us-east-1:{HUB}:rule/partner-support/"
ADDRESSES = {
    "bus_arn": BUS,
    "health_dead_queue_url": f"https://sqs.us-east-1.amazonaws.com/{HUB}/partner-health-dead",
    "health_queue_url": f"https://sqs.us-east-1.amazonaws.com/{HUB}/partner-health",
}


@pytest.fixture
def bare(house: Organization, sim: Sim) -> Organization:
    """The same with a hub that has neither bus nor queues."""
    sim.delivery.empty()
    Hub.objects.update(**dict.fromkeys(ADDRESSES, ""))
    return house


def written() -> list[str]:
    """What was asked of AWS that changes something."""
    named = CallLog.objects.order_by("id").values_list("operation", flat=True)
    return [one for one in named if not one.startswith(("Describe", "List", "Get", "Assume", "Receive"))]


def steps(*given: str, rc: int = 1) -> dict[str, dict[str, str]]:
    told = ran("aws_setup_health", SPEAKER, "--management-role", ROLE, "--json", *given, rc=rc)
    return {one["step"]: one for one in told}


def queue_named(name: str) -> Any:
    return sqs_backends[HUB]["us-east-1"].queues[name]


def bus_of_hub() -> Any:
    return events_backends[HUB]["us-east-1"].event_buses["partner-support"]


def test_a_hub_of_nothing_is_made_and_an_event_arrives(bare: Organization, hub: Hub, sim: Sim) -> None:
    planned = setup("--dry-run")
    todo = ["access", "view", "delegate", *HUBS[1:], *RULES]
    assert planned == {"features": "ok", "hub": "ok"} | dict.fromkeys(todo, "missing")
    assert (written(), len(sqs_backends[HUB]["us-east-1"].queues)) == ([], 0), "a plan changes nothing"
    assert not Hub.objects.exclude(bus_arn="", health_queue_url="").exists()
    assert setup() == planned | dict.fromkeys(todo, "done")
    assert Hub.objects.values(*ADDRESSES).get() == ADDRESSES
    told = Entry.objects.filter(action="aws.hub_changed").order_by("id").values_list("actor", "data")
    assert list(told) == [("system", {"fields": [one]}) for one in ADDRESSES]
    before = written()
    assert set(setup().values()) == {"ok"}
    assert written() == before, "the second time nothing is changed"
    # The same as deploy/aws/hub.yaml makes.
    made, dead = queue_named("partner-health"), queue_named("partner-health-dead")
    assert json.loads(made.attributes["RedrivePolicy"]) == {"deadLetterTargetArn": dead.queue_arn, "maxReceiveCount": 5}
    for one in (made, dead):
        assert (one.attributes["MessageRetentionPeriod"], one.attributes["SqsManagedSseEnabled"]) == (1209600, "true")
    assert made.attributes["VisibilityTimeout"] == 120
    (lets,) = json.loads(made.attributes["Policy"])["Statement"]
    assert (lets["Sid"], lets["Resource"]) == ("TheRuleAlone", QUEUE)
    assert lets["Condition"] == {"ArnEquals": {"aws:SourceArn": f"{RULE}partner-health"}}
    (lets,) = json.loads(bus_of_hub().policy)["Statement"]
    number = sim.world.organization(PAYER).number
    assert lets["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": number}}
    the_templates_say_the_same()
    # What AWS Health says comes by it, and so does what the speaker's own bus hands on.
    aws.happen(sim.world, "AWS_EC2_OPERATIONAL_ISSUE", accounts={SPEAKER: ["i-1"]})
    own = {"Source": "aws.health", "DetailType": KINDS[1], "Detail": json.dumps({"eventArn": "abuse"})}
    other = own | {"Source": "aws.ec2"}
    sessions.client("events", bare.place, region="us-west-2").put_events(Entries=[own, other])
    hub.refresh_from_db()
    came = client.queue("aws", HUB, hub.region, hub.health_queue_url, Calls(), at=BORN).receive(wait_s=0)
    kinds = [(json.loads(one.body)["source"], json.loads(one.body)["detail-type"]) for one in came]
    assert sorted(kinds) == [("aws.health", KINDS[1]), ("aws.health", KINDS[0])]


def the_templates_say_the_same() -> None:
    """hub.yaml makes what was made, and hub-setup.yaml allows what was asked, and nothing else."""
    asked = CallLog.objects.filter(account_number=HUB, service__in=("events", "sqs"))
    # What only mends was not asked for.
    wanted = {f"{one.service}:{one.operation}" for one in asked} | {"sqs:SetQueueAttributes"}
    for template in Path(connecting.FOLDER).rglob("hub-setup.yaml"):
        assert set(re.findall(r"\b(?:events|sqs):[A-Z]\w+", template.read_text())) == wanted
    for template in Path(connecting.FOLDER).rglob("hub.yaml"):
        parts = re.split(r"\n  (?=\w+:\n    Type: AWS)", template.read_text())
        said = {part.partition(":")[0]: " ".join(part.split()) for part in parts}
        queue = "MessageRetentionPeriod: 1209600 SqsManagedSseEnabled: true"
        assert f"QueueName: partner-health VisibilityTimeout: 120 {queue}" in said["HealthQueue"]
        assert "maxReceiveCount: 5" in said["HealthQueue"]
        assert f"QueueName: partner-health-dead {queue}" in said["HealthDeadQueue"]
        assert "Sid: TheRuleAlone" in said["HealthQueuePolicy"]
        assert "Name: partner-support" in said["Bus"]
        assert "Name: partner-health EventBusName: !Ref Bus State: ENABLED" in said["HealthRule"]


def test_what_somebody_else_wrote_stays(house: Organization, hub: Hub, sim: Sim) -> None:
    number = sim.world.organization(PAYER).number
    foreign = {"Effect": "Allow", "Principal": {"AWS": "9" * 12}, "Action": "sqs:SendMessage", "Resource": "*"}
    mine = queue_named("helpdesk-health")
    mine.policy = json.dumps({"Statement": [foreign | {"Sid": "TheRuleAlone"}]})
    mine.visibility_timeout, mine.redrive_policy = 300, None
    on = bus_of_hub()
    on._statements.clear()
    on.add_policy({"Statement": [foreign | {"Sid": f"organization-{number}", "Action": "events:PutEvents"}]})
    rule = on.rules["partner-health"]
    rule.targets[0]["Arn"] = "arn:aws:sqs:us-east-1:123456789012:helpdesk-support"
    assert [one for one, state in setup().items() if state == "done" and one in HUBS] == [
        "bus",
        "queue_policy",
        "hub_rule",
    ]
    assert set(setup().values()) == {"ok"}
    assert set(on._statements) == {f"organization-{number}", f"organization-{number}2"}
    assert [one["Sid"] for one in json.loads(mine.policy)["Statement"]] == ["TheRuleAlone", "TheRuleAlone2"]
    assert json.loads(mine.attributes["RedrivePolicy"])["deadLetterTargetArn"] == f"{mine.queue_arn}-dead"
    assert mine.attributes["VisibilityTimeout"] == 300
    assert {one["Id"] for one in rule.targets} == {"queue", "queue2"}
    assert sorted(sqs_backends[HUB]["us-east-1"].queues) == sorted(
        f"helpdesk-{one}" for one in ("health", "health-dead", "support", "support-dead")
    ), "no second queue is made"
    # Where the hub names none, the dead letters are where its queue hands them on to.
    Hub.objects.update(health_dead_queue_url="")
    assert steps(rc=0)["dead_queue"]["state"] == "done"
    assert Hub.objects.get().health_dead_queue_url == sim.queue_url("health-dead")
    # Dead letters that go elsewhere are somebody's choice.
    Hub.objects.update(health_dead_queue_url=sim.queue_url("support-dead"))
    told = steps()["queue_policy"]
    assert (told["state"], "write that one down at the hub" in told["mend"]) == ("failed", True)


def test_who_may_not_make_the_hub_is_told_how_and_a_role_of_it_does(bare: Organization, sim: Sim) -> None:
    sim.fault("denied", operation="CreateEventBus")
    told = steps()
    assert (told["hub_bus"]["state"], "--hub-role" in told["hub_bus"]["mend"]) == ("failed", True)
    assert {told[one]["state"] for one in ("bus", "hub_rule", "rule:us-east-1")} == {"skipped"}
    assert told["queue_policy"]["state"] == "done"
    role = sim.account(HUB, external_id="").role_arn
    sim.fault("deleted-recently", operation="CreateQueue")
    sqs_backends[HUB]["us-east-1"].queues.clear()
    told = steps("--hub-role", role)
    assert (told["hub_bus"]["state"], told["dead_queue"]["state"]) == ("done", "failed")
    assert "Run it again in a minute" in told["dead_queue"]["mend"]
    told = steps("--hub-role", role, rc=0)
    assert {told[one]["state"] for one in ("hub", "hub_bus", "bus")} == {"ok"}
    assert {told[one]["state"] for one in ("dead_queue", "queue_policy")} == {"done"}
    sim.account(HUB, denied=True)
    assert "trust the desk's identity" in steps("--hub-role", role)["hub"]["mend"]


def test_nothing_is_made_in_an_account_that_is_not_the_hubs(bare: Organization) -> None:
    Hub.objects.update(account_number="999999999999")
    told = steps()
    assert "profile and number" in told["hub"]["mend"]
    assert {told[one]["state"] for one in HUBS[1:]} == {"skipped"}
    assert not {"CreateEventBus", "CreateQueue"} & set(written())


def test_a_hub_in_china_is_made_in_its_own_partition(cast: Cast, sim: Sim) -> None:
    hub = hub_of("aws-cn")
    sim.delivery.empty()
    there = sim.account(CHINESE, external_id=ID, partition="aws-cn")
    Organization.objects.create(
        name="China", partition="aws-cn", account_number=CHINESE, role_arn=there.role_arn, external_id=ID,
        created_at=BORN,
    )  # fmt: skip
    told = {one["step"]: one["state"] for one in ran("aws_setup_health", CHINESE, "--json")}
    rules = ["rule:cn-north-1", "rule:cn-northwest-1"]
    assert told == {"view": "not_offered", "hub": "ok"} | dict.fromkeys([*HUBS[1:], *rules], "done")
    hub.refresh_from_db()
    assert hub.bus_arn == f"arn:aws-cn:events:cn-north-1:{HUB}:event-bus/partner-support"
    assert hub.health_queue_url == f"https://sqs.cn-north-1.amazonaws.com.cn/{HUB}/partner-health"
    policy = json.loads(sqs_backends[HUB]["cn-north-1"].queues["partner-health"].policy)
    rule = f"arn:aws-cn:events:cn-north-1:{HUB}:rule/partner-support/partner-health"
    assert policy["Statement"][0]["Condition"]["ArnEquals"]["aws:SourceArn"] == rule


def test_the_page_makes_a_hub_of_nothing_too(bare: Organization, cast: Cast, sim: Sim) -> None:
    lead, run = enter(cast.lee), f"{PAGE}/{bare.pk}"
    role = sim.account(HUB, external_id="").role_arn
    form = {"role": ROLE, "hub_role": role}
    wrong = lead.post(run, form | {"hub_role": ROLE})
    assert (wrong.status_code, "is no role of the hub's account" in words(wrong)) == (422, True)
    lead.post(run, form)
    worked("aws.health_setup")
    assert written() == []
    seen = lead.get(PAGE)
    assert "Carry out 11 steps" in words(seen)
    assert f"The hub's bus is there {BUS} missing would be done" in words(seen)
    assert f'name="hub_role" value="{role}"' in seen.content.decode()
    assert role in words(lead.post(run, form | {"carry_out": "1"}))
    lead.post(run, form | {"carry_out": "1", "sure": "1"})
    steps = worked("aws.health_setup").result["steps"]
    assert sum(one["state"] == "done" for one in steps) == 11
    assert Hub.objects.values(*ADDRESSES).get() == ADDRESSES
    assert words(lead.get("/aws/hubs/aws/")).count("Lee changed the hub") == 3
    # What the doctor finds of the hub is well, and what somebody spoils is found.
    HealthReading.objects.create(organization=bare, read_at=timezone.now(), next_at=timezone.now())
    assert [one["what"] for one in ran("aws_doctor", "--json", rc=1) if not one["ok"]] == [
        "Queue for support cases", "Dead letters of support cases",
    ]  # fmt: skip
    bus_of_hub().rules["partner-health"].disable()
    bus_of_hub()._statements.clear()
    found = {one["what"]: one for one in ran("aws_doctor", "--json", rc=1) if not one["ok"]}
    assert found["The hub's rule sends both kinds of notice to its queue"]["text"] == "the rule is disabled"
    assert "aws_setup_health" in found["The hub's bus lets the organization in"]["mend"]
