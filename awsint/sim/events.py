"""EventBridge in short: what a customer's bus hands on to our hub's queue, as rule, bus and rule would deliver it.

The queues are moto's. Delivery is as AWS promises it: at least once and in no order, which faults make visible:
`duplicate` (three copies), `swap` (after the next one) and `lose` (never: AWS promises its best effort alone).
"""

import json
import threading
from typing import Any

from awsint.sim import health
from awsint.sim.world import HUB, World

QUEUES = ("support", "health")
REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1"}
MOST_RECEIVES = 5
BUS = "partner-support"


def queue_name(queue: str) -> str:
    return f"helpdesk-{queue}"


def queue_url(partition: str, queue: str) -> str:
    """What the hub's row says; an endpoint of one's own takes the path of it."""
    tail = "com.cn" if partition == "aws-cn" else "com"
    return f"https://sqs.{REGIONS[partition]}.amazonaws.{tail}/{HUB}/{queue_name(queue)}"


class Delivery:
    """Puts events into the queues of both partitions' hubs."""

    def __init__(self, world: World) -> None:
        self.world, self.lock = world, threading.Lock()
        self.kept: list[tuple[str, str, str]] = []

    def install(self) -> None:
        """Makes the queues, each with its dead letters, and listens to the world."""
        for region in REGIONS.values():
            for queue in QUEUES:
                dead = self._make(region, f"{queue_name(queue)}-dead", {})
                redrive = {"deadLetterTargetArn": dead.queue_arn, "maxReceiveCount": MOST_RECEIVES}
                given = {"RedrivePolicy": json.dumps(redrive), "Policy": json.dumps(_takes_events(region, queue))}
                self._make(region, queue_name(queue), given)
            _make_bus(region)
        self.world.told = self.support
        health.of(self.world).told = self.health

    def _make(self, region: str, name: str, attributes: dict[str, str]) -> Any:
        backend = _backend(region)
        known = backend.queues.get(name)
        return known or backend.create_queue(name, None, **attributes)

    def support(self, event: dict[str, Any]) -> None:
        """A change of a case."""
        self.send(event["region"], "support", json.dumps(event, ensure_ascii=False))

    def health(self, message: dict[str, Any]) -> None:
        """A message of AWS Health, whichever region it was delivered in: our bus is in one of the partition."""
        china = message["detail"]["eventArn"].startswith("arn:aws-cn:")
        self.send(REGIONS["aws-cn" if china else "aws"], "health", json.dumps(message, ensure_ascii=False))

    def send(self, region: str, queue: str, body: str) -> None:
        """Puts a text into a queue, as often and as late as the faults say."""
        with self.lock:
            if self.world.meets("", "Deliver", "lose"):
                return
            if self.world.meets("", "Deliver", "swap"):
                self.kept.append((region, queue, body))
                return
            copies = 3 if self.world.meets("", "Deliver", "duplicate") else 1
            late, self.kept = self.kept, []
        for where, what, text in [(region, queue, body)] * copies + late:
            _backend(where).send_message(queue_name(what), text)

    def empty(self) -> None:
        """As if there had never been a queue."""
        for region in REGIONS.values():
            _backend(region).queues.clear()


def _takes_events(region: str, queue: str) -> dict[str, Any]:
    """The policy of a queue as deploy/aws/hub.yaml makes it."""
    china = "-cn" if region.startswith("cn-") else ""
    rule = f"arn:aws{china}:events:{region}:{HUB}:rule/{BUS}/partner-{queue}"
    allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    return {"Version": "2012-10-17", "Statement": [allowed | {"Condition": {"ArnEquals": {"aws:SourceArn": rule}}}]}


def _make_bus(region: str) -> None:
    """The hub's bus, open to everybody: whose accounts there are is made up here."""
    from moto.events.models import events_backends

    backend = events_backends[HUB][region]
    if BUS not in backend.event_buses:
        allowed = {"Sid": "all", "Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": "*"}
        bus = backend.create_event_bus(BUS)
        policy = {"Version": "2012-10-17", "Statement": [allowed]}
        backend.put_permission(bus.name, "", "", "", {}, json.dumps(policy))


def _backend(region: str) -> Any:
    from moto.sqs.models import sqs_backends

    return sqs_backends[HUB][region]
