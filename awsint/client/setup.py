"""What a connection of AWS Health needs at AWS beyond what the desk reads every day: switches, delegates, rules.

Everything is looked at first; what changes something is asked once.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from awsint.client import sessions
from awsint.client.calling import Caller
from awsint.shapes import AwsError

HEALTH = "health.amazonaws.com"


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
    """The rules on an account's own bus in one region."""

    def __init__(self, caller: Caller) -> None:
        self.aws = caller

    def rule(self, name: str) -> Rule | None:
        """None where there is none of this name."""
        try:
            told = self.aws.call("describe_rule", Name=name)
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            return None
        targets = self.aws.call("list_targets_by_rule", Rule=name).get("Targets", [])
        pattern = json.loads(told.get("EventPattern") or "{}")
        return Rule(told.get("State") == "ENABLED", pattern, tuple(str(one["Arn"]) for one in targets))

    def put(self, name: str, pattern: dict[str, Any], target: str, role: str) -> None:
        """Makes the rule, or makes it what it should be. Its other targets stay. Raises AwsError."""
        self.aws.call(
            "put_rule", sessions.WRITES, Name=name, EventPattern=json.dumps(pattern), State="ENABLED",
            Description="AWS Health for the partner's help desk",
        )  # fmt: skip
        one = {"Id": "partner-hub", "Arn": target, "RoleArn": role}
        told = self.aws.call("put_targets", sessions.WRITES, Rule=name, Targets=[one])
        for failed in told.get("FailedEntries", []):
            raise AwsError(failed.get("ErrorCode", ""), failed.get("ErrorMessage", ""), operation="PutTargets")


class BusApi:
    """The hub's bus, by the hub's own identity."""

    def __init__(self, caller: Caller, arn: str) -> None:
        self.aws, self.arn = caller, arn

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
