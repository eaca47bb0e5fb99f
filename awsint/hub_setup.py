"""Makes the hub's side of AWS Health: bus and whom it lets in, queue, dead letters, their policies, the hub's rule.

Names and attributes are those of deploy/aws/hub.yaml, so that both ways end the same. What the hub's row names already
is used and mended; what was made is written down there, where consumer and poll find it. Whoever makes it is the desk's
own identity, or a role of the hub's account (deploy/aws/hub-setup.yaml). Statements, targets and longer times of
somebody else stay as they are: nothing is ever taken away.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db import transaction

from awsint import client, hub_policies
from awsint.hub_actions import SUFFIX
from awsint.models import Hub, Organization, Partition
from awsint.setup_steps import BY_IDENTITY, Step
from awsint.shapes import AwsError, Calls, Denied, Place
from helpdesk.audit.record import Actor, Happening, record

BUS = "partner-support"
QUEUE, DEAD_QUEUE = "partner-health", "partner-health-dead"
RULE = "partner-health"
SOURCE = "aws.health"
KINDS = ("AWS Health Event", "AWS Health Abuse Event")
PATTERN = {"source": [SOURCE], "detail-type": list(KINDS)}
# Fourteen days, the longest that SQS keeps anything.
KEPT_S = 1209600
HIDDEN_S = 120
MOST_RECEIVES = 5


class Elsewhere(AwsError):
    """Somebody lets the queue hand its dead letters on to another one than the hub names."""

    kind = "ELSEWHERE"


@dataclass(frozen=True)
class Side:
    """The hub as it is set up: `place` is who acts in its account, `by` whose word changes its row.

    Without an address in the row it has those of hub.yaml.
    """

    hub: Hub
    place: Place
    made: Calls
    at: datetime
    by: Actor

    @property
    def bus_arn(self) -> str:
        return self.hub.bus_arn or self.arn("events", f"event-bus/{BUS}")

    @property
    def rule_arn(self) -> str:
        bus = self.bus().name
        return self.arn("events", f"rule/{RULE}" if bus == "default" else f"rule/{bus}/{RULE}")

    @property
    def queue_url(self) -> str:
        return self.hub.health_queue_url or self.url(QUEUE)

    @property
    def dead_url(self) -> str:
        """Where the hub names none, it is the one to which its queue hands on already."""
        if self.hub.health_dead_queue_url:
            return self.hub.health_dead_queue_url
        kept = hands_on_to(self.queue(self.queue_url).attributes() or {})
        return self.url(kept.rpartition(":")[2] if kept.startswith(self.arn("sqs", "")) else DEAD_QUEUE)

    def arn(self, service: str, rest: str) -> str:
        return f"arn:{self.hub.partition}:{service}:{self.hub.region}:{self.hub.account_number}:{rest}"

    def url(self, name: str) -> str:
        suffix = SUFFIX[Partition(self.hub.partition)]
        return f"https://sqs.{self.hub.region}.{suffix}/{self.hub.account_number}/{name}"

    def arn_of(self, url: str) -> str:
        return self.arn("sqs", url.rpartition("/")[2])

    @cached_property
    def aws(self) -> client.HubApi:
        return client.hub(self.place, self.hub.region, self.made, at=self.at)

    def bus(self) -> client.BusApi:
        return self.aws.bus(self.bus_arn)

    def queue(self, url: str) -> client.QueueSetupApi:
        return self.aws.queue(url)

    def rules(self) -> client.RulesApi:
        return self.aws.rules(self.bus().name)


def steps(side: Side, organization: Organization, speaker: Place) -> list[Step]:
    """All of them in their order, each of which asks AWS only once it is taken."""
    return [
        identity(side),
        bus(side),
        lets_in(side, organization, speaker),
        dead_queue(side),
        queue(side),
        queue_policy(side),
        rule(side),
    ]


# --- The bus ---------------------------------------------------------------------------------------------------------


def identity(side: Side) -> Step:
    """Nothing of the hub's may come to be in another account."""

    def stands() -> bool:
        return client.check(side.place, side.made, at=side.at) == side.hub.account_number

    return Step("hub", stands, why=BY_IDENTITY, about=side.place.role_arn or side.hub.account_number)


def bus(side: Side) -> Step:
    """It is there, and the hub's row names it."""

    def stands() -> bool:
        return bool(side.hub.bus_arn) and side.bus().policy() is not None

    def do() -> None:
        api = side.bus()
        if api.policy() is None:
            api.make()
        write_down(side, "bus_arn", side.bus_arn)

    return Step("hub_bus", stands, do, needs=("hub",), about=side.bus_arn)


def lets_in(side: Side, organization: Organization, speaker: Place) -> Step:
    """Whoever speaks for the organization may put events on the bus: as one of its accounts, or where nobody says
    which organization that is, alone."""
    number = organization.account_number

    def stands() -> bool:
        policy = side.bus().policy() if side.hub.bus_arn else None
        return policy is not None and hub_policies.lets_in(policy, number, _known(side, organization, speaker))

    def do() -> None:
        api, known = side.bus(), _known(side, organization, speaker)
        wanted = f"organization-{known}" if known else f"account-{number}"
        # A statement of this name that lets nobody in is somebody else's.
        api.let_in(client.free(wanted, hub_policies.named(api.policy() or {})), number, known)

    return Step("bus", stands, do, needs=("hub_bus",), about=organization.organization_id or number)


def _known(side: Side, organization: Organization, speaker: Place) -> str:
    """The organization's id; empty where its account may not say it, or is in none."""
    if organization.organization_id:
        return organization.organization_id
    try:
        return str(client.organization(speaker, side.made, at=side.at).describe().get("Id", ""))
    except AwsError as error:
        if isinstance(error, Denied) or error.code == "AWSOrganizationsNotInUseException":
            return ""
        raise


def rule(side: Side) -> Step:
    """What AWS Health says goes from the bus to the queue."""

    def stands() -> bool:
        return fault_of(side.rules().rule(RULE), side.arn_of(side.queue_url)) == ""

    def do() -> None:
        side.rules().put(RULE, PATTERN, side.arn_of(side.queue_url), called="queue")

    return Step("hub_rule", stands, do, needs=("hub_bus", "queue"), about=side.rule_arn)


def fault_of(rule: client.Rule | None, target: str) -> str:
    """What is wrong with a rule: "missing", "disabled", "kinds" or "target"; nothing where it is as it should be."""
    if rule is None:
        return "missing"
    if not rule.enabled:
        return "disabled"
    if not rule.lets(SOURCE, KINDS):
        return "kinds"
    return "" if target in rule.targets else "target"


# --- The queues ------------------------------------------------------------------------------------------------------


def dead_queue(side: Side) -> Step:
    named = side.hub.health_dead_queue_url or side.url(DEAD_QUEUE)
    return _queue(side, "dead_queue", "health_dead_queue_url", named, hidden_s=0)


def queue(side: Side) -> Step:
    return _queue(side, "queue", "health_queue_url", side.queue_url, hidden_s=HIDDEN_S)


def _queue(side: Side, name: str, field: str, about: str, *, hidden_s: int) -> Step:
    """It is there with its attributes, and the hub's row names it."""

    def stands() -> bool:
        url = getattr(side.hub, field)
        told = side.queue(url).attributes() if url else None
        return told is not None and not lacking(told, hidden_s)

    def do() -> None:
        url = side.dead_url if name == "dead_queue" else side.queue_url
        api = side.queue(url)
        told = api.attributes()
        if told is None:
            api.make(lacking({}, hidden_s))
        elif wanted := lacking(told, hidden_s):
            api.change(wanted)
        write_down(side, field, url)

    return Step(name, stands, do, needs=("hub",), about=about)


def lacking(told: Mapping[str, str], hidden_s: int) -> dict[str, str]:
    """The attributes that a queue has to be given; a key of somebody's own encrypts as well, longer times stay."""
    wanted = {}
    if int(told.get("MessageRetentionPeriod", 0)) < KEPT_S:
        wanted["MessageRetentionPeriod"] = str(KEPT_S)
    if int(told.get("VisibilityTimeout", 0)) < hidden_s:
        wanted["VisibilityTimeout"] = str(hidden_s)
    if told.get("SqsManagedSseEnabled") != "true" and not told.get("KmsMasterKeyId"):
        wanted["SqsManagedSseEnabled"] = "true"
    return wanted


def queue_policy(side: Side) -> Step:
    """The queue takes what the hub's rule sends, and hands on what nobody could take."""

    def stands() -> bool:
        told = side.queue(side.queue_url).attributes() if side.hub.health_queue_url else None
        return told is not None and not _lets(side, told)

    def do() -> None:
        api = side.queue(side.queue_url)
        api.change(_lets(side, api.attributes() or {}))

    return Step("queue_policy", stands, do, needs=("dead_queue", "queue"))


def _lets(side: Side, told: Mapping[str, str]) -> dict[str, str]:
    """What the queue lacks of policy and redrive. Raises Elsewhere."""
    wanted, policy = {}, json.loads(told.get("Policy") or "{}")
    if not hub_policies.takes_events(policy, side.rule_arn):
        arn = side.arn_of(side.queue_url)
        wanted["Policy"] = json.dumps(hub_policies.taking_events(policy, arn, side.rule_arn))
    kept, dead = hands_on_to(told), side.arn_of(side.hub.health_dead_queue_url or DEAD_QUEUE)
    if not kept:
        wanted["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": MOST_RECEIVES})
    # A hub that names no queue for dead letters leaves them to whoever chose one.
    elif side.hub.health_dead_queue_url and kept != dead:
        raise Elsewhere("RedrivesElsewhere", f"dead letters go to {kept}", operation="GetQueueAttributes")
    return wanted


def hands_on_to(told: Mapping[str, str]) -> str:
    """The ARN of the queue for what nobody could take; empty where there is none."""
    return str(json.loads(told.get("RedrivePolicy") or "{}").get("deadLetterTargetArn", ""))


# --- The hub's row ---------------------------------------------------------------------------------------------------


@transaction.atomic
def write_down(side: Side, field: str, value: str) -> None:
    """An address that was made or found, unless somebody wrote down another meanwhile."""
    found = Hub.objects.select_for_update().get(pk=side.hub.pk)
    if not getattr(found, field):
        setattr(found, field, value)
        found.save(update_fields=[field])
        subject = f"aws:{found.partition}:{found.account_number}"
        record([Happening("aws.hub_changed", {"fields": [field]})], by=side.by, at=side.at, subject=subject)
    setattr(side.hub, field, getattr(found, field))
