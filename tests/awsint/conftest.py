"""What the tests of the AWS mirror stand on: the simulator, our hubs, an account of Acme's."""

from collections.abc import Iterator

import pytest
from moto.events.models import events_backends

from awsint.client import sessions
from awsint.models import Account, Hub, Organization, Poll
from awsint.sim.server import HUB, Server
from tests.awsint.setting_up import ID, PAYER, SPEAKER, told
from tests.awsint.simulator import Sim
from tests.cast import BORN, Cast

ACME = "111122223333"
EXTERNAL = "acme-external-id-0123456789abcdef"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    running = Server().start()
    yield running
    running.stop()


@pytest.fixture
def sim(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sim]:
    """The simulator, empty, where boto3 finds it."""
    server.world.reset()
    given = {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "AKIAHUB",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    sessions.forget()
    yield Sim(server)
    sessions.forget()


@pytest.fixture
def hub(db: None) -> Hub:
    return hub_of("aws")


def hub_of(partition: str) -> Hub:
    region = {"aws": "us-east-1", "aws-cn": "cn-north-1"}[partition]
    principal = f"arn:{partition}:iam::{HUB}:role/hub"
    return Hub.objects.create(
        partition=partition, account_number=HUB, region=region, principal_arn=principal, created_at=BORN
    )


@pytest.fixture
def acme(cast: Cast, hub: Hub, sim: Sim) -> Account:
    """Acme's account, at AWS and with us."""
    return connected(sim, cast, ACME, EXTERNAL)


def connected(sim: Sim, cast: Cast, number: str, external_id: str, **given: object) -> Account:
    """An account that exists on both sides."""
    told = {"customer": cast.acme, "partition": "aws", "name": f"account {number}", "proved_at": BORN} | given
    there = sim.account(number, external_id=external_id, partition=told["partition"])
    account = Account.objects.create(
        number=number, role_arn=there.role_arn, external_id=external_id, created_at=BORN, **told
    )
    Poll.objects.create(account=account, next_at=BORN)
    return account


@pytest.fixture
def house(cast: Cast, hub: Hub, sim: Sim) -> Organization:
    """An organization at AWS whose speaker is known here, and nothing of Health switched on."""
    for region in ("us-east-1", "us-west-2", "eu-west-1"):
        events_backends[SPEAKER][region].reset()
    told(hub, sim)
    for number in (PAYER, SPEAKER):
        sim.account(number, external_id=ID)
    sim.world.organization(PAYER, SPEAKER)
    return Organization.objects.create(
        name="Partner", account_number=SPEAKER, role_arn=sim.account(SPEAKER).role_arn, external_id=ID,
        created_at=BORN,
    )  # fmt: skip
