"""The simulator for tests: one server a process, emptied for each test (fixture `sim` in tests/awsint/conftest.py).

    account = sim.account("111122223333", external_id="x" * 32, plan="business", partition="aws")
    case = sim.open("111122223333", "ALB answers 503", "All targets are unhealthy.", severityCode="urgent")
    sim.answer(case, "We are looking into it.")                     # AWS says something, now
    sim.answer(case, "Earlier words", at=datetime(...))             # late, with an older time
    sim.answer(case, "Thank you", by="ops (Role) <ops@acme.example>")
    sim.status(case, "pending-customer-action")
    sim.fault("throttle", account="111122223333", operation="DescribeCases", times=3)
        # throttle, error, hang, expired, denied, commit-then-500, commit-then-hang, dropped-page; sts-down (AssumeRole)
        # events and queues of moto: denied, deleted-recently, where the fault names the operation
        # operation="Deliver": duplicate, swap, lose (events on their way to the hub's queue)
    sim.queue_url("support"), sim.waiting("support")                # the hub's queue, and the texts that lie there
    sim.world.bodies, sim.world.calls, sim.world.cases[number]      # what it received and has
    sim.world.organization("222233334444", "111122223333")          # its management account, its members
    sim.world.vanish(case.number)                                   # AWS knows the case no more
    sim.world.answer_reopens, sim.world.new_status, sim.world.redacts   # what is believed of AWS
    sim.world.set_clock(at); sim.world.advance(minutes=5); sim.world.skew; sim.world.latency_s

From outside the process: POST {"account": .., "case": .., "body": ..} to {sim.url}/_sim/answer, and the other verbs of
awsint/sim/steering.py. Boto3 finds it by AWS_ENDPOINT_URL. The hub is account 123456789012, with dummy credentials of
the environment.
"""

from datetime import datetime
from typing import Any

from moto.sqs.models import sqs_backends

from awsint.sim import support
from awsint.sim.events import REGIONS, Delivery, queue_name, queue_url
from awsint.sim.server import Server
from awsint.sim.world import AWS, HUB, Account, Case, World


class Sim:
    """A running simulator, and short words for what a test does to it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.delivery = Delivery(server.world)
        self.delivery.empty()
        self.delivery.install()

    @property
    def world(self) -> World:
        return self.server.world

    @property
    def url(self) -> str:
        return self.server.url

    def account(self, number: str, **given: Any) -> Account:
        return self.world.account(number, **given)

    def open(self, account: str, subject: str, body: str, **given: Any) -> Case:
        told = given | {"subject": subject, "communicationBody": body}
        return support.new_case(self.world, self.world.accounts[account], told)

    def answer(
        self, case: Case, body: str, *, by: str = AWS, at: datetime | None = None, files: list[str] | None = None
    ) -> None:
        support.say(self.world, self.world.accounts[case.account], case, body, by=by, at=at, files=files)

    def status(self, case: Case, status: str) -> None:
        support.set_status(self.world, self.world.accounts[case.account], case, status)

    def file(self, account: str, name: str, data: bytes) -> str:
        return support.keep_file(self.world, self.world.accounts[account], name, data)

    def queue_url(self, queue: str, partition: str = "aws") -> str:
        return queue_url(partition, queue)

    def waiting(self, queue: str, partition: str = "aws") -> list[str]:
        backend = sqs_backends[HUB][REGIONS[partition]]
        return [one.body for one in backend.queues[queue_name(queue)].messages]

    def send(self, queue: str, body: str, partition: str = "aws") -> None:
        """Puts a text into the hub's queue, as a forger or a mistake would."""
        self.delivery.send(REGIONS[partition], queue_name(queue), body)

    def fault(self, kind: str, **given: Any) -> None:
        self.world.fault(kind, **given)
