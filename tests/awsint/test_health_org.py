"""/aws/health/org: every switch looked at by a worker, kept for whoever checks us, and how what is off is mended."""

import json
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from awsint import health_looking
from awsint.models import HealthEvent, HealthReading, Hub, Look, Organization
from awsint.sim import health as aws
from helpdesk.accounts.models import Customer, CustomerTeam
from helpdesk.jobs.models import Job
from tests.awsint.conftest import connected, hub_of
from tests.awsint.setting_up import CHINESE, PAYER, SPEAKER, setup, told, worked
from tests.awsint.simulator import Sim
from tests.cast import BORN, Cast
from tests.entering import enter, words

PAGE = "/aws/health/org"


def looked(client: Client) -> Look:
    assert client.post(f"{PAGE}/look").status_code == 303
    worked(health_looking.KIND)
    return Look.objects.exclude(at=None).latest("pk")


def read(organization: Organization, at: datetime | None = None) -> None:
    now = at or timezone.now()
    HealthReading.objects.update_or_create(
        organization=organization, defaults={"read_at": now, "next_at": now, "watermark": now}
    )


def test_each_switch_is_looked_at_and_what_is_off_says_how_it_is_mended(
    house: Organization, cast: Cast, sim: Sim
) -> None:
    lead = enter(cast.lee)
    assert "AWS was not asked yet" in words(lead.get(PAGE))
    setup()
    house.health_regions = ["eu-west-1"]
    house.save()
    read(house)
    look = looked(lead)
    assert (look.soon, look.bad) == (0, 0)
    with override_settings(AWS_IS_SIMULATED=False):
        seen = words(lead.get(PAGE))
    assert "AWS was asked" in seen
    assert "wrong" not in seen.partition("Checks before")[0]
    assert "AWS answers for the organization well it answers; 0 events of the last hour" in seen
    assert "in eu-west-1 well enabled, with both kinds of notice" in seen
    assert "State ENABLED" in seen
    # The organization view is switched off and the delegate removed underneath, and a rule is gone.
    aws.of(sim.world).switched_off |= {SPEAKER, PAYER}
    next(iter(sim.world.organizations.values())).delegates.clear()
    Hub.objects.update(bus_arn="arn:aws:events:us-east-1:123456789012:event-bus/other")
    sim.send("health-dead", "{}")
    read(house, timezone.now() - timedelta(minutes=21))
    assert looked(lead).bad == 10
    seen = words(lead.get(PAGE))
    assert "The organization view of AWS Health is enabled wrong missing" in seen
    assert "The account speaks for the organization wrong" in seen
    assert "Last poll of AWS Health wrong 21 minutes ago now" in seen
    assert "the rule does not send to the hub's bus" in seen
    assert "1 message lies there." in seen
    assert "Open AWS, Health, Set-up" in seen
    assert "Checks before" in seen


def test_a_simulated_aws_is_at_most_amber(house: Organization, cast: Cast, sim: Sim) -> None:
    setup()
    read(house)
    looked(enter(cast.lee))
    with override_settings(AWS_IS_SIMULATED=True):
        seen = words(enter(cast.lee).get(PAGE))
        kept = enter(cast.audrey).get(f"{PAGE}.json").json()
    assert "AWS is simulated here" in seen
    assert {one["state"] for one in kept["sections"]} == {"soon"}
    assert kept["simulated"]


def test_china_is_asked_account_by_account(cast: Cast, sim: Sim) -> None:
    told(hub_of("aws-cn"), sim)
    account = connected(sim, cast, CHINESE, "c" * 32, partition="aws-cn")
    Organization.objects.create(
        name="China", partition="aws-cn", account_number="100000000074", role_arn="r", external_id="z" * 32,
        created_at=BORN,
    )  # fmt: skip
    lead = enter(cast.lee)
    looked(lead)
    assert "1 not asked within 20 minutes" in words(lead.get(PAGE))
    now = timezone.now()
    HealthReading.objects.create(account=account, read_at=now, next_at=now)
    seen = words(lead.get(PAGE))
    assert "not offered in this partition; each account is read by itself" in seen
    assert "each account is asked for its own events within 20 minutes instead" in seen
    assert "all asked within 20 minutes" in seen
    assert "Last poll" not in seen.partition("Accounts that are asked")[0]


def test_who_reads_what_and_who_checks(house: Organization, cast: Cast, sim: Sim) -> None:
    house.customer = cast.acme
    house.save()
    setup()
    look = looked(enter(cast.lee))
    look.findings[-1] |= {
        "code": "AccessDeniedException",
        "text": "arn:aws:iam::100000000072:role/acme-x",
        "state": "bad",
    }
    look.save()
    auditor = words(enter(cast.audrey).get(PAGE)) + json.dumps(enter(cast.audrey).get(f"{PAGE}.json").json())
    for secret in ("Partner", "Acme", SPEAKER, "123456789012", "acme-x", "Lee"):
        assert secret not in auditor, secret
    assert "CUST-" in auditor
    assert "Check now" not in auditor
    assert "Partner" in words(enter(cast.ana).get(PAGE))
    Customer.objects.filter(pk=cast.acme.pk).update(restricted=True)
    CustomerTeam.objects.filter(customer=cast.acme).delete()
    assert "Partner" not in words(enter(cast.ana).get(PAGE))
    for person in (cast.ana, cast.cora, cast.audrey):
        assert enter(person).post(f"{PAGE}/look").status_code == 404
    assert enter(cast.cora).get(PAGE).status_code == 404
    assert enter(cast.cora).get(f"{PAGE}.json").status_code == 404
    assert Job.objects.filter(kind=health_looking.KIND).count() == 1


def test_as_many_statements_whatever_there_is_and_no_word_to_aws(house: Organization, cast: Cast, sim: Sim) -> None:
    lead = enter(cast.lee)
    look = looked(lead)
    made = len(sim.world.calls)
    few = _statements(lead)
    assert few <= 22
    for number in range(20):
        Organization.objects.create(
            name=f"O{number}", account_number=f"4{number:011}", role_arn="r", external_id=f"{number:032}",
            created_at=BORN,
        )  # fmt: skip
        HealthEvent.objects.create(
            arn=f"arn:aws:health:us-east-1::event/X/X/{number}", scope="PUBLIC", service="X", code="AWS_X_Y",
            category="issue", region="us-east-1", status="open", seen_at=BORN, updated_at=BORN, via="push",
        )  # fmt: skip
        Look.objects.create(asked_at=BORN, asked_by=cast.lee, at=BORN, findings=look.findings)
    assert _statements(lead) == few
    assert len(sim.world.calls) == made
    assert "Issue 20" in words(lead.get(PAGE))


def _statements(client: Client) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(PAGE).status_code == 200
    return len(seen)


def test_only_the_last_looks_are_kept(cast: Cast, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_looking, "KEPT", 3)
    for _number in range(5):
        look = Look.objects.create(asked_at=BORN, asked_by=cast.lee)
        health_looking._keep(look.pk, [], BORN)
    assert Look.objects.count() == 3
