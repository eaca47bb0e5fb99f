"""What a connection of AWS Health needs at AWS beyond what the desk reads every day: switches, delegates, rules,
and the hub's bus and queues.

Everything is looked at first; what changes something is asked once.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from awsint.client import sessions
from awsint.client.calling import Caller
from awsint.shapes import AwsError

HEALTH = "health.amazonaws.com"
# By either of the names that SQS has for it.
NO_QUEUE = ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")


class TrustApi:
    """Whom an organization trusts with AWS Health: the service itself, and who speaks for it."""

    def __init__(self, caller: Caller) -> None:
        self.aws = caller

    def trusts(self) -> bool:
        """Whether AWS Health may look into the organization."""
        rows = self._all("list_aws_service_access_for_organization", "EnabledServicePrincipals")
        return any(one["ServicePrincipal"] == HEALTH for one in rows)

    def trust(self) -> None:
        self.aws.call("enable_aws_service_access", sessions.WRITES, ServicePrincipal=HEALTH)

    def delegates(self) -> list[str]:
        """The accounts that speak for it beside the management account."""
        rows = self._all("list_delegated_administrators", "DelegatedAdministrators", ServicePrincipal=HEALTH)
        return [str(one["Id"]) for one in rows]

    def delegate(self, number: str) -> None:
        given = {"AccountId": number, "ServicePrincipal": HEALTH}
        self.aws.call("register_delegated_administrator", sessions.WRITES, **given)

    def _all(self, operation: str, name: str, **given: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            answer = self.aws.call(operation, **given)
            found += answer.get(name, [])
            if not answer.get("NextToken"):
                return found
            given["NextToken"] = answer["NextToken"]


@dataclass(frozen=True)
class Rule:
    """A rule of EventBridge: whether it is enabled, its pattern, the ARNs it sends to."""

    enabled: bool
    pattern: dict[str, Any]
    targets: tuple[str, ...]

    def lets(self, source: str, kinds: Sequence[str]) -> bool:
        """Whether it lets through all of these kinds of a source, whatever is in them."""
        narrowed = set(self.pattern) - {"source", "detail-type"}
        sources, passed = self.pattern.get("source", []), self.pattern.get("detail-type")
        return not narrowed and source in sources and (passed is None or set(kinds) <= {str(one) for one in passed})


class RulesApi:
    """The rules on a bus in one region: the account's own, or one that is named."""

    def __init__(self, caller: Caller, bus: str = "") -> None:
        self.aws = caller
        self.on = {"EventBusName": bus} if bus else {}

    def rule(self, name: str) -> Rule | None:
        """None where there is none of this name."""
        try:
            told = self.aws.call("describe_rule", Name=name, **self.on)
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            return None
        pattern = json.loads(told.get("EventPattern") or "{}")
        return Rule(told.get("State") == "ENABLED", pattern, tuple(self._targets(name).values()))

    def put(self, name: str, pattern: dict[str, Any], target: str, *, called: str, role: str = "") -> None:
        """Makes the rule, or makes it what it should be; `called` is the target's name. Its other targets stay. Raises
        AwsError."""
        self.aws.call(
            "put_rule", sessions.WRITES, Name=name, EventPattern=json.dumps(pattern), State="ENABLED",
            Description="AWS Health for the partner's help desk", **self.on,
        )  # fmt: skip
        # Under the name of another target it would take that one's place.
        names = {arn: one for one, arn in self._targets(name).items()}
        one = {"Id": names.get(target) or free(called, names.values()), "Arn": target}
        one |= {"RoleArn": role} if role else {}
        told = self.aws.call("put_targets", sessions.WRITES, Rule=name, Targets=[one], **self.on)
        for failed in told.get("FailedEntries", []):
            raise AwsError(failed.get("ErrorCode", ""), failed.get("ErrorMessage", ""), operation="PutTargets")

    def _targets(self, rule: str) -> dict[str, str]:
        """The ARNs that it sends to, by the names of its targets."""
        told = self.aws.call("list_targets_by_rule", Rule=rule, **self.on).get("Targets", [])
        return {str(one["Id"]): str(one["Arn"]) for one in told}


class BusApi:
    """The hub's bus, there or not yet."""

    def __init__(self, caller: Caller, arn: str) -> None:
        self.aws, self.arn = caller, arn
        self.name = arn.partition("event-bus/")[2]

    def policy(self) -> dict[str, Any] | None:
        """Who may put events on it; None where there is no such bus."""
        try:
            told = self.aws.call("describe_event_bus", Name=self.arn)
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            return None
        policy: dict[str, Any] = json.loads(told.get("Policy") or "{}")
        return policy

    def make(self) -> None:
        self.aws.call("create_event_bus", sessions.WRITES, Name=self.name)

    def let_in(self, named: str, number: str, organization: str) -> None:
        """Every account of an organization, or where that is not known this account, may put events on it; `named` is
        the statement, which takes the place of one of the same name."""
        who: dict[str, Any] = {"Principal": number}
        if organization:
            condition = {"Type": "StringEquals", "Key": "aws:PrincipalOrgID", "Value": organization}
            who = {"Principal": "*", "Condition": condition}
        given = {"EventBusName": self.name, "Action": "events:PutEvents", "StatementId": named}
        self.aws.call("put_permission", sessions.WRITES, **given, **who)


class QueueSetupApi:
    """A queue of the hub's as it is set up, there or not yet."""

    def __init__(self, caller: Caller, url: str) -> None:
        self.aws, self.url = caller, url

    def attributes(self) -> dict[str, str] | None:
        """Everything about it; None where there is no such queue."""
        try:
            told = self.aws.call("get_queue_attributes", QueueUrl=self.url, AttributeNames=["All"])
        except AwsError as error:
            if error.code not in NO_QUEUE:
                raise
            return None
        attributes: dict[str, str] = told.get("Attributes", {})
        return attributes

    def make(self, attributes: dict[str, str]) -> None:
        self.aws.call("create_queue", sessions.WRITES, QueueName=self.url.rpartition("/")[2], Attributes=attributes)

    def change(self, attributes: dict[str, str]) -> None:
        """What is not named stays as it is."""
        self.aws.call("set_queue_attributes", sessions.WRITES, QueueUrl=self.url, Attributes=attributes)


class HubApi:
    """What a hub is made of. Each asks through the same clients."""

    def __init__(self, events: Caller, sqs: Caller) -> None:
        self.events, self.sqs = events, sqs

    def bus(self, arn: str) -> BusApi:
        return BusApi(self.events, arn)

    def rules(self, bus: str) -> RulesApi:
        return RulesApi(self.events, bus)

    def queue(self, url: str) -> QueueSetupApi:
        return QueueSetupApi(self.sqs, url)


def free(name: str, taken: Iterable[str]) -> str:
    """The name, or with a number where something else has it."""
    names = {name, *(f"{name}{n}" for n in range(2, 100))} - set(taken)
    return min(names, key=lambda one: (len(one), one))
