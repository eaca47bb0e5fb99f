"""AWS Health as the desk uses it: an organization's events, or those of one account (aws.md, 2.1 to 2.3).

AWS answers ten events or accounts a call in part (failedSet), a hundred a page, and throttles at rates it does not
publish: so every process has one client an account, whose adaptive retries remember how fast they may go. The active
region is where the global name leads; requests are signed for it, which the SDK itself does not do.
"""

import os
import re
import socket
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from botocore.config import Config

from awsint.client.calling import Caller
from awsint.client.sessions import WRITES, on_forget
from awsint.health_payload import Entity, Told, entity_status, instant, of_api
from awsint.shapes import NotDescribed, Place

PAGE, BATCH = 100, 10
ADAPTIVE = Config(retries={"mode": "adaptive", "total_max_attempts": 8}, connect_timeout=5, read_timeout=20)
HOME = {"aws": "us-east-1", "aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"}
GLOBAL = {"aws": "global.health.amazonaws.com", "aws-cn": "global.health.amazonaws.com.cn"}
REGIONAL = re.compile(r"health\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?")
Pair = tuple[str, str]

_clients: dict[tuple[Place, str], dict[int, Any]] = {}
on_forget(_clients.clear)


def active(partition: str) -> tuple[str, str]:
    """The region that answers now, and its address; the home region, where that cannot be found out."""
    home = HOME[partition]
    if os.environ.get("AWS_ENDPOINT_URL") or partition not in GLOBAL:
        return home, ""
    try:
        name, aliases, _addresses = socket.gethostbyname_ex(GLOBAL[partition])
    except OSError:
        return home, ""
    found = next((match for match in map(REGIONAL.fullmatch, [name, *aliases]) if match), None)
    return (found[1], f"https://{found[0]}") if found else (home, "")


class HealthApi:
    """Health of an organization, asked by its management account or a delegated administrator; or of one account."""

    def __init__(self, caller: Caller, *, organization: bool) -> None:
        self.aws, self.organization = caller, organization
        self.region, caller.url = active(caller.place.partition)
        caller.region = self.region
        caller.share(_clients.setdefault((caller.place, self.region), {}))

    def enabled(self) -> bool:
        """Whether the organization view is switched on."""
        told = self._call("describe_health_service_status_for_organization")
        return bool(told.get("healthServiceAccessStatusForOrganization") == "ENABLED")

    def enable(self) -> None:
        """Switches the organization view on: the management account alone may. Asked once."""
        self.aws.call("enable_health_service_access_for_organization", WRITES)

    def events(self, since: datetime | None = None) -> Iterator[Told]:
        """What was updated since then, the newest first, of no account in particular; without it all of 90 days."""
        given: dict[str, Any] = {"maxResults": PAGE}
        if since and self.organization:
            given["filter"] = {"lastUpdatedTime": {"from": since}}
        elif since:
            given["filter"] = {"lastUpdatedTimes": [{"from": since}]}
        for answer in self._pages(self._name("describe_events"), given):
            yield from (of_api(told) for told in answer.get("events", []))

    def accounts(self, arn: str) -> Iterator[str]:
        """The accounts of the organization that an event affects; none where it is public."""
        if not self.organization:
            yield self._own
            return
        for answer in self._pages("describe_affected_accounts_for_organization", {"eventArn": arn, "maxResults": PAGE}):
            yield from answer.get("affectedAccounts", [])

    def details(self, pairs: Sequence[Pair]) -> tuple[list[Told], list[NotDescribed]]:
        """What AWS says of these (ARN, account), the account empty for a public event; and what it did not say."""
        found: list[Told] = []
        missing: list[NotDescribed] = []
        for some in _batches(pairs):
            told = self._call(self._name("describe_event_details"), **self._detail_filter(some))
            found += [self._described(one) for one in told.get("successfulSet", [])]
            missing += [_not_described(one, some) for one in told.get("failedSet", [])]
        return found, missing

    def entities(self, pairs: Sequence[Pair]) -> dict[Pair, list[Entity]]:
        """The resources of each of these (ARN, account). What AWS did not answer for is missing."""
        found: dict[Pair, list[Entity]] = defaultdict(list)
        for some in _batches(pairs):
            operation, given = self._entity_filter(some)
            for answer in self._pages(operation, given | {"maxResults": PAGE}):
                for told in answer.get("entities", []):
                    found[told["eventArn"], told.get("awsAccountId") or self._own].append(_entity(told))
        return found

    # How the two kinds of operations differ

    @property
    def _own(self) -> str:
        return "" if self.organization else self.aws.place.number

    def _name(self, operation: str) -> str:
        return f"{operation}_for_organization" if self.organization else operation

    def _detail_filter(self, pairs: Iterable[Pair]) -> dict[str, Any]:
        if not self.organization:
            return {"eventArns": [arn for arn, _account in pairs]}
        return {"organizationEventDetailFilters": [_filter(*pair) for pair in pairs]}

    def _entity_filter(self, pairs: Iterable[Pair]) -> tuple[str, dict[str, Any]]:
        if not self.organization:
            return "describe_affected_entities", {"filter": {"eventArns": [arn for arn, _account in pairs]}}
        filters = [_filter(*pair) for pair in pairs]
        return "describe_affected_entities_for_organization", {"organizationEntityAccountFilters": filters}

    def _described(self, told: Mapping[str, Any]) -> Told:
        text = (told.get("eventDescription") or {}).get("latestDescription", "")
        account = told.get("awsAccountId") or self._own
        return of_api(told["event"], account=account, description=text, metadata=told.get("eventMetadata"))

    # Calls

    def _call(self, operation: str, **given: Any) -> dict[str, Any]:
        return self.aws.call(operation, ADAPTIVE, **given)

    def _pages(self, operation: str, given: dict[str, Any]) -> Iterator[dict[str, Any]]:
        while True:
            answer = self._call(operation, **given)
            yield answer
            token = answer.get("nextToken")
            if not token:
                return
            given = {**given, "nextToken": token}


def _batches(pairs: Sequence[Pair]) -> Iterator[Sequence[Pair]]:
    for begin in range(0, len(pairs), BATCH):
        yield pairs[begin : begin + BATCH]


def _filter(arn: str, account: str) -> dict[str, str]:
    return {"eventArn": arn, "awsAccountId": account} if account else {"eventArn": arn}


def _not_described(told: Mapping[str, Any], asked: Iterable[Pair]) -> NotDescribed:
    arn = told.get("eventArn", "")
    # An account's own operation does not name it.
    account = told.get("awsAccountId") or next((number for one, number in asked if one == arn), "")
    return NotDescribed(arn, account, told.get("errorName", ""))


def _entity(told: Mapping[str, Any]) -> Entity:
    status = entity_status(told.get("statusCode", ""))
    return Entity(told.get("entityValue", ""), status, instant(told.get("lastUpdatedTime")), told.get("entityArn", ""))
