"""What push missed is found by reading; and what AWS answers in part, slowly or not at all stops nothing."""

import json
import socket
from datetime import UTC, datetime, timedelta

import pytest

from awsint import client, health, health_poll
from awsint.client import buckets, health_events
from awsint.health_payload import of_event
from awsint.models import (
    AffectedAccount,
    AffectedEntity,
    HealthEvent,
    HealthMessage,
    HealthReading,
    Organization,
    Round,
)
from awsint.shapes import Calls, Denied
from awsint.sim import health as aws
from awsint.sim.health import Health
from helpdesk.accounts.models import HOUSE
from tests.awsint.conftest import connected, hub_of
from tests.awsint.simulator import Sim
from tests.cast import BORN, Cast
from tickets.models import Ticket

NOW = datetime(2026, 6, 5, 10, 0, tzinfo=UTC)
PAYER, ACME, GLOBEX, STRANGER = "100000000001", "111122223333", "222233334444", "999999999999"
CHINA = "310000000001"
CODE = "AWS_EC2_OPERATIONAL_ISSUE"


@pytest.fixture
def there(sim: Sim, cast: Cast, hub: object, monkeypatch: pytest.MonkeyPatch) -> Health:
    """An organization with an account of Acme's, one of Globex's and one of nobody's; its clock stands still."""
    monkeypatch.setattr(buckets, "RATE", 1e6)
    monkeypatch.setattr(buckets, "POLL_RATE", 1e6)
    sim.world.set_clock(NOW)
    payer = sim.account(PAYER, external_id="p" * 32)
    whole = Organization.objects.create(
        name="Partner", account_number=PAYER, role_arn=payer.role_arn, external_id="p" * 32, created_at=BORN
    )
    connected(sim, cast, ACME, "a" * 32, organization=whole, proved_at=BORN, workload=["production"])
    connected(sim, cast, GLOBEX, "g" * 32, organization=whole, proved_at=BORN, customer=cast.globex)
    found = aws.of(sim.world)
    found.organizations[PAYER] = {ACME, GLOBEX, STRANGER}
    found.pushes = False
    return found


def poll(at: datetime) -> Round | None:
    health_poll.enrol(at)
    return health_poll.bite(lambda: at)


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def test_an_hour_without_push_is_found_by_the_poll(sim: Sim, there: Health, cast: Cast) -> None:
    poll(at(0))
    sim.world.set_clock(at(5))
    event = aws.happen(sim.world, CODE, accounts={ACME: ["i-1", "i-2"], GLOBEX: ["i-9"], STRANGER: ["i-0"]})
    heart = poll(at(15))
    assert heart is not None
    assert (heart.due, heart.read, heart.failed) == (1, 1, 0)
    own = {t.customer: t for t in Ticket.objects.exclude(customer=HOUSE)}
    assert {c.code: t.priority_id for c, t in own.items()} == {"ACME": "critical", "GLOBEX": "high"}
    assert AffectedAccount.objects.get(account=None).number == STRANGER
    assert set(AffectedEntity.objects.values_list("value", flat=True)) == {"i-1", "i-2", "i-9"}
    # Nobody was told twice of one thing, and 15 minutes later it is known that push had missed it.
    assert own[cast.globex].messages.count() == 1
    assert health.look_for_missed(at(31)) > 0
    before = len(sim.world.calls)
    poll(at(30))
    # What is known as it stands costs the listing and whom it affects.
    asked = [operation for _account, operation in sim.world.calls[before:]]
    assert asked == ["DescribeEventsForOrganization", "DescribeAffectedAccountsForOrganization"]
    sim.world.set_clock(at(100))
    aws.change(sim.world, event, status="closed", description="Resolved.", resources={"i-1": "RESOLVED"})
    poll(at(110))
    assert HealthEvent.objects.get().status == "closed"
    assert own[cast.acme].messages.order_by("-pk").filter(body__contains="AWS").exists()


def test_push_and_poll_together_tell_once(sim: Sim, there: Health, cast: Cast) -> None:
    poll(at(0))
    pushed: list[str] = []
    there.pushes, there.told = True, lambda message: pushed.append(json.dumps(message))
    event = aws.happen(sim.world, CODE, accounts={ACME: ["i-1"], GLOBEX: ["i-9"]})
    health.take([of_event(body) for body in pushed], via="push", at=at(1))
    ticket = Ticket.objects.get(customer=cast.acme)
    poll(at(15))
    assert ticket.messages.count() == 1
    assert health.look_for_missed(at(40)) == 0
    assert HealthMessage.objects.filter(event__arn=event.arn, via="push").count() == 2


def test_an_answer_in_part_and_throttling_lose_nothing(sim: Sim, there: Health) -> None:
    poll(at(0))
    for n in range(4):
        aws.happen(sim.world, CODE, accounts={ACME: [f"i-{n}"]})
    sim.fault("partial", account=PAYER, operation="DescribeEventDetailsForOrganization", times=1)
    sim.fault("throttle", account=PAYER, operation="DescribeEventDetailsForOrganization", times=2)
    sim.fault("throttle", account=PAYER, operation="DescribeAffectedEntitiesForOrganization", times=1)
    poll(at(15))
    poll(at(30))
    assert AffectedEntity.objects.count() == 4
    assert Ticket.objects.exclude(customer=HOUSE).count() == 4


def test_a_view_that_is_switched_off_is_told_and_comes_back(sim: Sim, there: Health) -> None:
    poll(at(0))
    there.switched_off.add(PAYER)
    aws.happen(sim.world, CODE, accounts={ACME: ["i-1"]})
    heart = poll(at(15))
    assert heart is not None
    assert heart.failed == 1
    reading = HealthReading.objects.get()
    assert (reading.code, reading.failures) == ("AccessDeniedException", 1)
    there.switched_off.clear()
    poll(reading.next_at)
    assert HealthReading.objects.get().failures == 0
    assert Ticket.objects.exclude(customer=HOUSE).count() == 1


def test_a_delegate_that_is_removed_is_told_and_what_was_missed_is_found(sim: Sim, there: Health) -> None:
    speaker = sim.account("100000000002", external_id="d" * 32)
    delegates = sim.world.organization(PAYER, speaker.number, ACME).delegates
    delegates[speaker.number, "health.amazonaws.com"] = NOW
    Organization.objects.update(account_number=speaker.number, role_arn=speaker.role_arn, external_id="d" * 32)
    poll(at(0))
    assert HealthReading.objects.get().failures == 0
    delegates.clear()
    aws.happen(sim.world, CODE, accounts={ACME: ["i-1"]})
    poll(at(15))
    reading = HealthReading.objects.get()
    assert (reading.code, reading.failures) == ("AccessDeniedException", 1)
    assert not Ticket.objects.exists()
    delegates[speaker.number, "health.amazonaws.com"] = NOW
    poll(reading.next_at)
    assert Ticket.objects.exclude(customer=HOUSE).count() == 1


def test_what_aws_forgets_is_over(sim: Sim, there: Health) -> None:
    aws.happen(sim.world, CODE, accounts={ACME: ["i-1"]})
    poll(at(0))
    later = NOW + timedelta(days=91)
    sim.world.set_clock(later)
    poll(later)
    event = HealthEvent.objects.get()
    assert event.expired_at == later
    assert event.status == "open"
    assert Ticket.objects.exclude(customer=HOUSE).get().status == "new"


def test_china_is_read_account_by_account(sim: Sim, there: Health, cast: Cast) -> None:
    hub_of("aws-cn")
    connected(sim, cast, CHINA, "c" * 32, partition="aws-cn", proved_at=BORN)
    there_too = {"region": "cn-north-1", "partition": "aws-cn"}
    aws.happen(sim.world, "AWS_RDS_OPERATIONAL_ISSUE", accounts={CHINA: ["db-1"]}, **there_too)
    poll(at(0))
    ticket = Ticket.objects.get(customer=cast.acme)
    assert "db-1" in ticket.messages.get().body
    assert {one.account_id is None for one in HealthReading.objects.all()} == {True, False}


def test_pages_of_an_hundred_and_batches_of_ten(sim: Sim, there: Health) -> None:
    there.organizations[PAYER] |= {f"5{n:011}" for n in range(230)}
    event = aws.happen(sim.world, CODE, accounts={f"5{n:011}": [f"i-{n}-{m}" for m in range(11)] for n in range(230)})
    api = client.health(Organization.objects.get().place, Calls(), at=NOW, organization=True)
    assert api.enabled()
    assert [told.arn for told in api.events()] == [event.arn]
    numbers = list(api.accounts(event.arn))
    assert len(numbers) == 230
    described, missing = api.details([(event.arn, number) for number in numbers[:25]] + [(event.arn, PAYER)])
    assert (len(described), [one.account for one in missing]) == (25, [PAYER])
    assert sum(len(some) for some in api.entities([(event.arn, number) for number in numbers[:12]]).values()) == 132
    there.organizations.clear()
    with pytest.raises(Denied):
        list(api.events())


def test_the_active_region_is_where_the_global_name_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    names: dict[str, tuple[str, list[str], list[str]]] = {
        "global.health.amazonaws.com": ("health.us-east-2.amazonaws.com", [], ["192.0.2.1"])
    }
    monkeypatch.setattr(socket, "gethostbyname_ex", names.__getitem__)
    assert health_events.active("aws") == ("us-east-2", "https://health.us-east-2.amazonaws.com")

    def away(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(socket, "gethostbyname_ex", away)
    assert health_events.active("aws") == ("us-east-1", "")
    assert health_events.active("aws-cn") == ("cn-northwest-1", "")
