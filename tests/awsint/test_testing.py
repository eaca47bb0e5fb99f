"""Test connection, against the simulator: what proves an account, what does not, and what the page says of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from awsint.models import Account, CallLog, Organization, Poll
from helpdesk.jobs import work
from helpdesk.jobs.models import Job
from tests.awsint.simulator import Sim
from tests.awsint.test_accounts import said, shown
from tests.cast import BORN
from tests.entering import enter

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
NUMBER, OWN = "111122223333", "acme-external-id-0123456789abcdef"


@pytest.fixture
def account(cast: Any, hub: Any, sim: Sim) -> Account:
    """Acme's, deployed in AWS with the ExternalId that the desk knows."""
    there = sim.account(NUMBER, external_id=OWN, plan="business")
    return Account.objects.create(
        customer=cast.acme, number=NUMBER, name="orders", role_arn=there.role_arn, external_id=OWN, created_at=BORN
    )


def outcome(person: Any, account: Account) -> str:
    """What the page says once a worker has done the test that somebody asked for."""
    client, here = enter(person), f"/aws/accounts/{account.pk}/"
    assert client.post(f"{here}test").status_code == 303
    account.refresh_from_db()
    done(account.test)
    account.refresh_from_db()
    return said(client.get(here))


def done(job: Job | None) -> None:
    assert job
    work.turn(job.public, lambda: AT)
    assert Job.objects.get(pk=job.pk).state == "done", Job.objects.get(pk=job.pk).last_error


def steps(account: Account) -> dict[str, str]:
    told = account.test.result["steps"]  # type: ignore[union-attr]
    return {one["step"]: "skipped" if one.get("skipped") else "ok" if one["ok"] else "bad" for one in told}


def test_a_test_proves_an_account_and_the_readings_begin(cast: Any, sim: Sim, account: Account) -> None:
    words = outcome(cast.lee, account)
    assert account.proved_at == AT
    assert Account.objects.connected().get() == account
    assert Poll.objects.get().next_at == AT
    assert account.severities == ["low", "normal", "high", "urgent"]
    assert steps(account) == dict.fromkeys(("hub", "role", "own_id", "severities", "cases"), "ok")
    assert "Business or alike" in words
    assert "Lee tested the connection: proved" in words
    assert {"GetCallerIdentity", "DescribeSeverityLevels", "DescribeCases"} <= set(
        CallLog.objects.values_list("operation", flat=True)
    )


def test_what_may_be_written_is_asked_by_dry_runs_that_open_nothing(cast: Any, sim: Sim, account: Account) -> None:
    Account.objects.update(may_write=True)
    outcome(cast.lee, account)
    assert [steps(account)[step] for step in ("create_case", "add_communication", "resolve")] == ["ok"] * 3
    assert not sim.world.cases[NUMBER]
    sim.fault("denied", account=NUMBER, operation="CreateCase", times=9)
    words = outcome(cast.lee, account)
    assert steps(account)["create_case"] == "bad"
    assert steps(account)["resolve"] == "ok"
    assert "Deploy the template that may write" in words
    assert account.proved_at, "what a role allows is no part of the proof"


def test_another_accounts_external_id_proves_nothing(cast: Any, sim: Sim, account: Account) -> None:
    """A-01: Globex cannot be let in by Acme's role, nor Acme by one that asks for another ExternalId."""
    sim.account(NUMBER, external_id="globex-external-id-0123456789abc", plan="business")
    words = outcome(cast.lee, account)
    assert account.proved_at is None
    assert not Account.objects.connected().exists()
    assert steps(account)["role"] == "bad"
    assert steps(account)["own_id"] == "skipped"
    assert "Deploy the template in the account with this ExternalId" in words
    assert "AccessDenied" in words


def test_a_role_that_lets_everybody_in_proves_nothing_and_takes_a_proof_away(
    cast: Any, sim: Sim, account: Account
) -> None:
    """A-01: without the condition anybody who knows the role's name would be let in."""
    outcome(cast.lee, account)
    sim.account(NUMBER, external_id="", plan="business")
    words = outcome(cast.lee, account)
    assert steps(account)["own_id"] == "bad"
    assert account.proved_at is None
    assert "add the condition sts:ExternalId" in words
    assert "not proved yet" in words


def test_an_account_without_a_plan_is_proved_and_says_what_is_missing(cast: Any, sim: Sim, account: Account) -> None:
    sim.account(NUMBER, external_id=OWN, plan="none")
    words = outcome(cast.lee, account)
    assert account.proved_at == AT
    assert steps(account)["severities"] == "bad"
    assert "Business Support+" in words


def test_a_new_external_id_takes_its_place_once_the_role_asks_for_it(cast: Any, sim: Sim, account: Account) -> None:
    outcome(cast.lee, account)
    fresh = shown(enter(cast.lee).post(f"/aws/accounts/{account.pk}/external-id", {"sure": "1"}))
    outcome(cast.lee, account)
    assert (account.external_id, account.next_external_id) == (OWN, fresh), "the role asks for the old one still"
    assert account.proved_at
    sim.account(NUMBER, external_id=fresh, plan="business")
    outcome(cast.lee, account)
    assert (account.external_id, account.next_external_id) == (fresh, None)


def test_a_test_proves_nothing_of_what_was_changed_meanwhile(cast: Any, sim: Sim, account: Account) -> None:
    lee, here = enter(cast.lee), f"/aws/accounts/{account.pk}/"
    lee.post(f"{here}test")
    account.refresh_from_db()
    first = account.test
    lee.post(f"{here}test")
    account.refresh_from_db()
    assert account.test == first, "one at a time"
    with time_machine.travel(AT + timedelta(minutes=1), tick=False):
        lee.post(f"{here}external-id", {"sure": "1"})
    done(first)
    account.refresh_from_db()
    assert account.proved_at is None


def test_without_a_hub_or_with_aws_away_nobody_is_blamed(cast: Any, sim: Sim, account: Account, hub: Any) -> None:
    hub.is_active = False
    hub.save()
    assert "Write down the hub of this partition first" in outcome(cast.lee, account)
    assert steps(account)["role"] == "skipped"
    hub.is_active = True
    hub.save()
    assert "proved" in outcome(cast.lee, account)


def test_the_members_of_an_organization_are_listed_by_a_worker(cast: Any, sim: Sim, hub: Any) -> None:
    role = "PartnerOrganizationSync"
    there = sim.account("222233334444", role=role, external_id="organization-id-0123456789abcdef")
    one = Organization.objects.create(
        name="Ours", account_number="222233334444", role_arn=there.role_arn, external_id="wrong", created_at=BORN
    )
    lee, here = enter(cast.lee), f"/aws/organizations/{one.pk}/"

    def listed() -> str:
        assert lee.post(f"{here}list").status_code == 303
        one.refresh_from_db()
        done(one.listing)
        return said(lee.get(here))

    refused = listed()
    assert "The accounts could not be listed" in refused
    assert "Deploy the template in the organization" in refused
    Organization.objects.update(external_id="organization-id-0123456789abcdef")
    sim.account("333344445555", name="data platform")
    sim.world.organization("222233334444", "333344445555")
    words = listed()
    assert "data platform" in words
    assert "3333 4444 5555" in words
    assert "not connected" in words
