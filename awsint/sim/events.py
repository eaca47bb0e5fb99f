"""EventBridge in short: what a customer's bus hands on to our hub's queue, as rule, bus and rule would deliver it.

Bus, rules and queues are moto's, as deploy/aws/hub.yaml makes them but for the queues' names. An event goes to whatever
queue the rules on the hub's bus name, so that it arrives in a hub of another making as well. Delivery is as AWS
promises it: at least once and in no order, which faults make visible: `duplicate` (three copies), `swap` (after the
next one) and `lose` (never: AWS promises its best effort alone).
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
KINDS = {"support": ["Support Case Update"], "health": ["AWS Health Event", "AWS Health Abuse Event"]}
ATTRIBUTES = {"VisibilityTimeout": "120", "MessageRetentionPeriod": "1209600", "SqsManagedSseEnabled": "true"}


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
        """Makes buses and queues, each with its dead letters, and listens to the world."""
        for region in REGIONS.values():
            _make_bus(region)
            for queue in QUEUES:
                dead = self._make(region, f"{queue_name(queue)}-dead", {})
                redrive = {"deadLetterTargetArn": dead.queue_arn, "maxReceiveCount": MOST_RECEIVES}
                given = {"RedrivePolicy": json.dumps(redrive), "Policy": json.dumps(_takes_events(region, queue))}
                _make_rule(region, queue, self._make(region, queue_name(queue), given).queue_arn)
        self.listen()

    def listen(self) -> None:
        """What happens in the world is told from now on."""
        self.world.told = self.support
        health.of(self.world).told = self.health

    def _make(self, region: str, name: str, attributes: dict[str, str]) -> Any:
        backend = _backend(region)
        known = backend.queues.get(name)
        return known or backend.create_queue(name, None, **ATTRIBUTES, **attributes)

    def support(self, event: dict[str, Any]) -> None:
        """A change of a case."""
        self.event(event["region"], event)

    def health(self, message: dict[str, Any]) -> None:
        """A message of AWS Health, whichever region it was delivered in: our bus is in one of the partition."""
        china = message["detail"]["eventArn"].startswith("arn:aws-cn:")
        self.event(REGIONS["aws-cn" if china else "aws"], message)

    def event(self, region: str, event: dict[str, Any]) -> None:
        """Puts an event into the queues that the bus's rules name for it."""
        for name in _queues_for(region, event):
            self.send(region, name, json.dumps(event, ensure_ascii=False))

    def send(self, region: str, name: str, body: str) -> None:
        """Puts a text into a queue, as often and as late as the faults say."""
        with self.lock:
            if self.world.meets("", "Deliver", "lose"):
                return
            if self.world.meets("", "Deliver", "swap"):
                self.kept.append((region, name, body))
                return
            copies = 3 if self.world.meets("", "Deliver", "duplicate") else 1
            late, self.kept = self.kept, []
        for where, what, text in [(region, name, body)] * copies + late:
            _backend(where).send_message(what, text)

    def empty(self) -> None:
        """As if there had never been a bus or queue."""
        for region in REGIONS.values():
            _backend(region).queues.clear()
            _buses(region).event_buses.pop(BUS, None)


def _takes_events(region: str, queue: str) -> dict[str, Any]:
    """The policy of a queue as deploy/aws/hub.yaml makes it."""
    china = "-cn" if region.startswith("cn-") else ""
    rule = f"arn:aws{china}:events:{region}:{HUB}:rule/{BUS}/partner-{queue}"
    allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    return {"Version": "2012-10-17", "Statement": [allowed | {"Condition": {"ArnEquals": {"aws:SourceArn": rule}}}]}


def _make_bus(region: str) -> None:
    """The hub's bus, open to everybody: whose accounts there are is made up here."""
    backend = _buses(region)
    if BUS not in backend.event_buses:
        allowed = {"Sid": "all", "Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": "*"}
        bus = backend.create_event_bus(BUS)
        policy = {"Version": "2012-10-17", "Statement": [allowed]}
        backend.put_permission(bus.name, "", "", "", {}, json.dumps(policy))


def _make_rule(region: str, queue: str, arn: str) -> None:
    """The hub's rule from its bus to a queue; one that is there stays."""
    backend = _buses(region)
    name, bus = f"partner-{queue}", backend.event_buses[BUS]
    if name not in bus.rules:
        pattern = {"source": [f"aws.{queue}"], "detail-type": KINDS[queue]}
        backend.put_rule(name, event_bus_arn=bus.arn, event_pattern=json.dumps(pattern), state="ENABLED")
        backend.put_targets(name, bus.arn, [{"Id": "queue", "Arn": arn}])


def _queues_for(region: str, event: dict[str, Any]) -> list[str]:
    """The names of the queues to which a rule on the hub's bus sends it."""
    bus = _buses(region).event_buses.get(BUS)
    rules = [rule for rule in bus.rules.values() if rule.state == "ENABLED"] if bus else []
    arns = [one["Arn"] for rule in rules if rule.event_pattern.matches_event(event) for one in rule.targets]
    return [arn.rpartition(":")[2] for arn in arns if ":sqs:" in arn]


def name_everybody(region: str) -> None:
    """Where everybody is let in, moto writes the ARN of an account "*", which AWS does not."""
    for bus in _buses(region).event_buses.values():
        for statement in bus._statements.values():
            if "::*:" in str(statement.principal):
                statement.principal = "*"


def _buses(region: str) -> Any:
    from moto.events.models import events_backends

    return events_backends[HUB][region]


def _backend(region: str) -> Any:
    from moto.sqs.models import sqs_backends

    return sqs_backends[HUB][region]
