"""What AWS pushes: nothing is lost and nothing is done twice, whatever goes wrong between the queue and the desk."""

import json
import random
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from awsint import cases, inbox, pushed, queue
from awsint.consuming import Consumer
from awsint.models import Account, AffectedCustomer, Communication, Hub, InboxMessage, Poll, QueueState, SupportCase
from awsint.shapes import Away
from awsint.sim.events import queue_url
from awsint.sim.world import Case
from awsint.sources import Source
from tests.awsint.conftest import ACME
from tests.awsint.simulator import Sim
from tests.cast import Cast
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
State = InboxMessage.State


class Queues:
    """The hub's queue and its dead queue, at the simulator."""

    def __init__(self, hub: Hub) -> None:
        self.sqs, self.hub = boto3.client("sqs", region_name="us-east-1"), hub
        self.dead = self.sqs.create_queue(QueueName="support-dead")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
        self.url = self.sqs.create_queue(QueueName="support", Attributes={"RedrivePolicy": redrive})["QueueUrl"]
        Hub.objects.filter(pk=hub.pk).update(queue_url=self.url, dead_queue_url=self.dead)
        hub.refresh_from_db()

    @property
    def source(self) -> Source:
        return Source(self.hub, "support")

    def send(self, body: str, *, dead: bool = False) -> None:
        self.sqs.send_message(QueueUrl=self.dead if dead else self.url, MessageBody=body)

    def depth(self, *, dead: bool = False) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.dead if dead else self.url
        told = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(told[name]) for name in names)

    def receive(self) -> int:
        return queue.receive(self.source, lambda: NOON, wait_s=0)

    def drop(self) -> None:
        for url in (self.url, self.dead):
            self.sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def queues(sim: Sim, hub: Hub) -> Iterator[Queues]:
    made = Queues(hub)
    yield made
    made.drop()


@pytest.fixture
def proved(acme: Account) -> Account:
    Account.objects.filter(pk=acme.pk).update(proved_at=NOON)
    Poll.objects.filter(pk=acme.pk).update(first_at=NOON)
    pushed._read.at.clear()
    return acme


def update(case_id: str, *, account: str = ACME, number: str = "", **more: Any) -> str:
    """What EventBridge sends when something happens on a case."""
    detail = {"case-id": case_id, "display-id": "1", "communication-id": "", "event-name": "CreateCase", "origin": ""}
    event = {
        "version": "0", "id": number or f"event-{random.random()}", "detail-type": "Support Case Update",
        "source": "aws.support", "account": account, "time": "2026-03-04T11:59:58Z", "region": "us-east-1",
        "resources": [], "detail": detail,
    }  # fmt: skip
    return json.dumps(event | more)


def work(at: datetime = NOON) -> list[inbox.Outcome]:
    return list(iter(lambda: inbox.work(queue.handlers(), lambda: at), None))


def states() -> list[tuple[str, str]]:
    return list(InboxMessage.objects.order_by("pk").values_list("state", "reason"))


@pytest.fixture
def case(sim: Sim, proved: Account) -> Case:
    opened = sim.open(ACME, "ALB answers 503", "All targets are unhealthy.")
    sim.answer(opened, "We are looking into it.")
    return opened


def test_a_hint_brings_the_case_onto_the_desk_at_once(queues: Queues, case: Case) -> None:
    queues.send(update(case.number))
    assert queues.receive() == 1
    assert queues.depth() == 0, "deleted, because it is stored"
    assert states() == [("new", "")]
    assert work() == [inbox.DONE]
    assert SupportCase.objects.get().links.get().ticket == Ticket.objects.get()
    assert {word.via for word in Communication.objects.all()} == {"push"}


def test_a_hint_before_the_first_reading_leaves_the_past_to_it(queues: Queues, case: Case) -> None:
    Poll.objects.update(first_at=None)
    queues.send(update(case.number))
    queues.receive()
    assert [outcome.state for outcome in work()] == ["new"]
    assert not Ticket.objects.exists(), "and so no letter about what was said long ago"
    Poll.objects.update(first_at=NOON)
    assert work(NOON + timedelta(minutes=1)) == [inbox.DONE]
    assert Ticket.objects.exists()


def test_what_comes_three_times_and_shuffled_is_done_once(sim: Sim, queues: Queues, case: Case) -> None:
    other = sim.open(ACME, "Another", "Words")
    sent = [update(one.number, number=f"event-{n}") for n, one in enumerate([case, other] * 4)] * 3
    random.Random(7).shuffle(sent)
    for body in sent:
        queues.send(body)
    while queues.receive():
        pass
    assert InboxMessage.objects.count() == 8
    assert {message.copies for message in InboxMessage.objects.all()} == {2}
    calls = len(sim.world.calls)
    assert work() == [inbox.DONE] * 8
    assert len(sim.world.calls) - calls <= 4, "of several hints about a case one reading is enough"
    assert (SupportCase.objects.count(), Ticket.objects.count()) == (2, 2)


def test_whoever_is_killed_between_storing_and_deleting_has_lost_nothing(
    queues: Queues, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues.send(update(case.number))
    with monkeypatch.context() as killed:
        # The two minutes of whoever was killed are over at once.
        killed.setattr(queue, "HIDDEN_S", 0)
        killed.setattr(queue, "_delete", lambda api, handles: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            queues.receive()
    assert states() == [("new", "")]
    assert queues.receive() == 1
    assert InboxMessage.objects.get().copies == 1
    assert work() == [inbox.DONE]
    assert queues.depth() == 0


def test_what_aws_does_not_delete_comes_again_as_a_copy(
    queues: Queues, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues.send(update(case.number))
    with monkeypatch.context() as refusing:
        refusing.setattr(queue, "HIDDEN_S", 0)
        refusing.setattr("awsint.client.QueueApi.delete", lambda self, handles: list(handles))
        queues.receive()
    work()
    queues.receive()
    assert (states(), InboxMessage.objects.get().copies, queues.depth()) == ([("done", "")], 1, 0)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{not JSON", "not_json"),
        ("[1, 2]", "not_json"),
        ("[" * 100_000, "not_json"),
        ('{"id": "x"}', "no_event"),
        ('{"id": "x", "source": "aws.support", "detail-type": "Support Case Update", "detail": []}', "no_event"),
        (update("case-1;DROP TABLE"), "no_event"),
        (update("c", source="customer.app"), "no_event"),
    ],
)
def test_what_is_no_event_is_parked_with_its_text_and_not_left_in_the_queue(
    queues: Queues, body: str, reason: str
) -> None:
    queues.send(body)
    queues.receive()
    work()
    assert states() == [("parked", reason)]
    assert InboxMessage.objects.get().body == body
    assert queues.depth() == 0


def test_a_forged_or_foreign_account_is_refused_and_listed(sim: Sim, queues: Queues, case: Case, cast: Cast) -> None:
    """A-01: nobody's event touches the cases of another."""
    sim.account("999900001111", external_id="x" * 32)
    theirs = sim.open("999900001111", "Not ours", "Words")
    for body in (
        update(theirs.number, account="999900001111"),
        update(theirs.number, account=ACME),
        update(case.number, account="999900001111"),
        update(case.number, account=ACME[:-1]),
        update("case-opaque"),
    ):
        queues.send(body)
    while queues.receive():
        pass
    asked = len(sim.world.calls)
    work()
    assert sorted(states())[1:] == [("refused", "account")] * 3 + [("refused", "case")]
    assert sorted(states())[0] == ("new", "failed:NotThereYet"), "AWS tells of a case before it can be read"
    work(NOON + timedelta(hours=1))
    work(NOON + timedelta(hours=2))
    assert ("refused", "unknown") in states()
    assert not SupportCase.objects.exists()
    assert {number for number, _operation in sim.world.calls[asked:]} <= {ACME, "123456789012"}


def test_what_fails_is_tried_again_and_parked_after_five(
    queues: Queues, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues.send(update(case.number))
    queues.receive()

    def away(*_given: Any, **_more: Any) -> None:
        raise Away("ServiceUnavailable", "not now")

    at = NOON
    with monkeypatch.context() as broken:
        broken.setattr(cases, "read_case", away)
        for number in range(1, 6):
            assert len(work(at)) == 1
            assert not work(at), "not at once again"
            assert InboxMessage.objects.get().tries == number
            at += timedelta(hours=1)
    assert states() == [("parked", "failed:ServiceUnavailable")]


def test_a_message_that_kills_its_worker_is_parked_too(queues: Queues, case: Case) -> None:
    queues.send(update(case.number))
    queues.receive()
    at = NOON
    for _ in range(5):
        assert inbox._claim(["support"], at), "a try is counted before it is made"
        at += inbox.LEASE
    assert work(at) == [inbox.parked("tries")]


def test_the_consumer_goes_on_after_an_hour_without_a_queue(
    committed: None, cast: Cast, queues: Queues, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-06: it comes back by itself, fetches the dead when asked, and its heartbeat says how it stands."""
    url, gone = queues.url, queues.url + "-gone"
    monkeypatch.setattr("awsint.consuming.LONGEST_WAIT_S", 0.2)
    monkeypatch.setattr("awsint.consuming.BEAT_EVERY_S", 0.1)
    Hub.objects.update(queue_url=gone)
    consumer, stop = Consumer(lambda: datetime.now(UTC), wait_s=0, look_every_s=0.05), threading.Event()
    running = threading.Thread(target=consumer.run, args=[stop], daemon=True)
    running.start()
    try:
        _until(lambda: QueueState.objects.filter(trouble__contains="NonExistent", heard_at=None).exists())
        queues.send(update(case.number, number="waits"))
        queues.send(update(case.number, number="dead"), dead=True)
        Hub.objects.update(queue_url=url)
        _until(lambda: InboxMessage.objects.filter(key="waits", state="done").exists())
        QueueState.objects.update(wanted_back_at=NOON)
        _until(lambda: InboxMessage.objects.filter(key="dead", state="done").exists())
        _until(lambda: QueueState.objects.filter(trouble="", dead=0, depth=0, back=1).exists())
    finally:
        stop.set()
        running.join(10)
    assert Ticket.objects.count() == 1


def test_the_consumer_of_health_goes_on_after_an_hour_without_its_queue(
    committed: None, cast: Cast, queues: Queues, acme: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-05: the desk says that the queue is gone; once it is there again, what waited in it opens its tickets."""
    monkeypatch.setattr("awsint.consuming.LONGEST_WAIT_S", 0.2)
    monkeypatch.setattr("awsint.consuming.DEPTH_EVERY_S", 0.1)
    Hub.objects.update(queue_url="", health_queue_url=queues.url + "-gone")
    consumer, stop = Consumer(lambda: datetime.now(UTC), ["health"], wait_s=0, look_every_s=0.05), threading.Event()
    running = threading.Thread(target=consumer.run, args=[stop], daemon=True)
    running.start()
    try:
        _until(lambda: QueueState.objects.filter(queue="health", trouble__contains="NonExistent").exists())
        queues.send(json.dumps(health_event(ACME)))
        Hub.objects.update(health_queue_url=queues.url)
        _until(lambda: InboxMessage.objects.filter(queue="health", state="done").exists())
        _until(lambda: QueueState.objects.filter(queue="health", trouble="", depth=0).exists())
    finally:
        stop.set()
        running.join(10)
    assert AffectedCustomer.objects.get().ticket is not None


def test_the_consumer_of_health_leaves_cases_to_others(committed: None, queues: Queues, case: Case) -> None:
    Hub.objects.update(health_queue_url=queue_url("aws", "health"))
    queues.send(update(case.number))
    consumer, stop = Consumer(lambda: datetime.now(UTC), ["health"], wait_s=0, look_every_s=0.05), threading.Event()
    running = threading.Thread(target=consumer.run, args=[stop], daemon=True)
    running.start()
    try:
        _until(lambda: QueueState.objects.filter(queue="health", depth=0, trouble="").exists())
    finally:
        stop.set()
        running.join(10)
    assert not QueueState.objects.filter(queue="support").exists()
    assert not InboxMessage.objects.exists()


def health_event(number: str) -> dict[str, Any]:
    """What EventBridge brings about an account."""
    begun = f"{datetime.now(UTC):%a, %d %b %Y %H:%M:%S} GMT"
    code = "AWS_EC2_OPERATIONAL_ISSUE"
    detail = {
        "eventArn": f"arn:aws:health:us-east-1::event/EC2/{code}/{code}_1", "service": "EC2", "eventTypeCode": code,
        "eventTypeCategory": "issue", "eventScopeCode": "ACCOUNT_SPECIFIC", "communicationId": "1-1",
        "startTime": begun, "lastUpdatedTime": begun, "statusCode": "open", "eventRegion": "us-east-1",
        "eventDescription": [{"language": "en_US", "latestDescription": "We are investigating."}],
        "affectedEntities": [{"entityValue": "i-1", "status": "IMPAIRED"}], "affectedAccount": number,
    }  # fmt: skip
    return {"id": "h1", "source": "aws.health", "account": number, "detail-type": "AWS Health Event", "detail": detail}


def _until(true: Callable[[], bool], seconds: float = 20) -> None:
    end = datetime.now(UTC) + timedelta(seconds=seconds)
    while not true():
        assert datetime.now(UTC) < end
        threading.Event().wait(0.05)
