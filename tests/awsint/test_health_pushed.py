"""What EventBridge pushes of Health is believed of those who may speak, and done many at a time."""

import json
from datetime import timedelta

import pytest

from awsint import health, inbox, queue
from awsint.models import Account, AffectedAccount, HealthEvent, Hub, InboxMessage, Organization
from awsint.shapes import QueueMessage
from awsint.sim import health as aws
from helpdesk.accounts.models import HOUSE
from tests.awsint.conftest import connected
from tests.awsint.simulator import Sim
from tests.awsint.test_health import NOW
from tests.cast import BORN, Cast
from tickets.models import Ticket

PAYER, ACME, GLOBEX, STRANGER = "100000000001", "111122223333", "222233334444", "999999999999"
CODE = "AWS_EC2_OPERATIONAL_ISSUE"


class Bus:
    """What comes by our bus: stored and worked off as the consumer does it."""

    def __init__(self, sim: Sim, hub: Hub) -> None:
        self.sim, self.hub, self.came = sim, hub, list[str]()
        aws.of(sim.world).told = lambda message: self.came.append(json.dumps(message))

    def deliver(self, *bodies: str) -> list[str]:
        """Delivers what came, or these; returns what became of each."""
        batch = [QueueMessage(str(n), str(n), body, 1) for n, body in enumerate(bodies or self.came)]
        self.came.clear()
        inbox.store(self.hub, "health", batch, NOW)
        while inbox.work({"health": queue.handlers()["health"]}, lambda: NOW):
            pass
        return list(InboxMessage.objects.order_by("pk").values_list("state", flat=True))


@pytest.fixture
def bus(sim: Sim, cast: Cast, hub: Hub) -> Bus:
    sim.world.set_clock(NOW)
    whole = Organization.objects.create(
        name="Partner", account_number=PAYER, role_arn="arn:aws:iam::100000000001:role/x", external_id="p" * 32,
        created_at=BORN,
    )  # fmt: skip
    connected(sim, cast, ACME, "a" * 32, organization=whole, proved_at=BORN)
    connected(sim, cast, GLOBEX, "g" * 32, customer=cast.globex, proved_at=BORN)
    aws.of(sim.world).organizations[PAYER] = {ACME, STRANGER}
    return Bus(sim, hub)


def test_many_are_done_at_once_and_copies_change_nothing(bus: Bus, sim: Sim) -> None:
    event = aws.happen(sim.world, CODE, accounts={ACME: ["i-1"], GLOBEX: ["i-9"], STRANGER: ["i-0"]})
    bodies = list(bus.came)
    assert set(bus.deliver(*bodies, *bodies)) == {"done"}
    assert Ticket.objects.exclude(customer=HOUSE).count() == 2
    assert AffectedAccount.objects.get(number=STRANGER).account is None
    sim.world.set_clock(NOW + timedelta(minutes=5))
    aws.change(sim.world, event, status="closed", description="Over.")
    bus.deliver()
    assert HealthEvent.objects.get().status == "closed"


def test_who_speaks_for_anothers_account_is_refused(bus: Bus, sim: Sim) -> None:
    aws.happen(sim.world, CODE, accounts={GLOBEX: ["i-9"]})
    (body,) = bus.came
    told = json.loads(body)
    # The organization is none of Globex's, Acme is not Globex, and nobody knows the third.
    forged = [json.dumps(told | {"id": f"forged-{who}", "account": who}) for who in (PAYER, ACME, STRANGER)]
    Organization.objects.create(
        name="Other", account_number="300000000003", role_arn="r", external_id="o" * 32, created_at=BORN
    )
    Account.objects.filter(number=GLOBEX).update(organization=Organization.objects.get(name="Other"))
    assert bus.deliver(*forged) == ["refused"] * 3
    assert not HealthEvent.objects.exists()
    china = json.dumps(
        told | {"id": "china", "detail": told["detail"] | {"eventArn": "arn:aws-cn:health:x::event/a/b/c"}}
    )
    assert bus.deliver(china)[-1] == "refused"


def test_what_cannot_be_read_is_parked_and_stops_nothing(bus: Bus, sim: Sim) -> None:
    aws.happen(sim.world, CODE, accounts={ACME: ["i-1"]})
    assert sorted(bus.deliver(*bus.came, "{", '{"source": "aws.health"}')) == ["done", "parked", "parked"]
    assert health.look_for_missed(NOW + timedelta(hours=1)) == 0


def test_a_public_event_with_its_backup_copy_is_one(bus: Bus, sim: Sim) -> None:
    aws.happen(sim.world, "AWS_S3_OPERATIONAL_ISSUE", accounts=None)
    assert len(bus.came) == 2
    bus.deliver()
    assert HealthEvent.objects.get().messages.get().copies == 1


def test_fifty_thousand_resources_come_in_pages(bus: Bus, sim: Sim) -> None:
    aws.happen(sim.world, CODE, accounts={ACME: [f"i-{n}" for n in range(50_000)]})
    assert len(bus.came) > 30
    bus.deliver()
    assert AffectedAccount.objects.get().entities.count() == 50_000
    ticket = Ticket.objects.exclude(customer=HOUSE).get()
    assert "50000" in ticket.messages.order_by("-pk")[0].body
