"""AWS Health as the simulator does it: the organization view, an account's own view, and what EventBridge tells.

One function an operation, as for Support. What is believed of AWS and nobody confirmed: who is neither management
account nor delegated administrator is refused, and so is everybody while the organization view is off.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from awsint.sim.wire import ApiError
from awsint.sim.world import Account, World

Operation = Callable[[World, Account, dict[str, Any]], dict[str, Any]]
OPERATIONS: dict[str, Operation] = {}
RETENTION = timedelta(days=90)
PUBLIC, SPECIFIC = "PUBLIC", "ACCOUNT_SPECIFIC"
BACKUP = "us-west-2"
# EventBridge pages a message of more than 256 KB: so many resources fit.
RESOURCES_A_PAGE = 1500


@dataclass
class Resource:
    value: str
    status: str
    updated_at: datetime


@dataclass
class Event:
    """An event as AWS keeps it; `accounts` are those it affects, each with its resources by name."""

    arn: str
    service: str
    code: str
    category: str
    region: str
    scope: str
    status: str
    starts_at: datetime
    updated_at: datetime
    ends_at: datetime | None = None
    description: str = ""
    actionability: str = "INFORMATIONAL"
    personas: tuple[str, ...] = ("OPERATIONS",)
    metadata: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, dict[str, Resource]] = field(default_factory=dict)
    version: int = 1

    @property
    def abuse(self) -> bool:
        return "ABUSE" in self.code


@dataclass
class Health:
    """What there is of Health. `organizations`: by the account that may ask for them, their members; `told` gets each
    message that EventBridge would deliver, and where it came from."""

    events: dict[str, Event] = field(default_factory=dict)
    organizations: dict[str, set[str]] = field(default_factory=dict)
    switched_off: set[str] = field(default_factory=set)
    told: Callable[[dict[str, Any]], None] = lambda _message: None
    # Whether messages leave at all: EventBridge is best effort.
    pushes: bool = True
    also_backup: bool = True


def of(world: World) -> Health:
    if not isinstance(world.health, Health):
        world.health = Health()
    found: Health = world.health
    return found


# --- What happens at AWS ---------------------------------------------------------------------------------------------


def happen(
    world: World,
    code: str,
    *,
    accounts: Mapping[str, Iterable[str]] | None = None,
    category: str = "issue",
    region: str = "us-east-1",
    status: str = "open",
    description: str = "We are investigating increased error rates.",
    partition: str = "aws",
    resource_status: str = "IMPAIRED",
    **given: Any,
) -> Event:
    """An event begins: of these accounts with their resources, or a public one where none are given."""
    now = given.pop("at", None) or world.now()
    service = given.pop("service", code.removeprefix("AWS_").partition("_")[0])
    made = f"arn:{partition}:health:{region}::event/{service}/{code}/{code}_{uuid.uuid4().hex[:12]}"
    arn = given.pop("arn", "") or made
    affected = {
        number: {value: Resource(value, resource_status, now) for value in values}
        for number, values in (accounts or {}).items()
    }
    event = Event(
        arn=arn,
        service=service,
        code=code,
        category=category,
        region=region,
        scope=SPECIFIC if accounts is not None else PUBLIC,
        status=status,
        starts_at=given.pop("starts_at", now),
        updated_at=now,
        description=description,
        accounts=affected,
        **given,
    )
    with world.lock:
        of(world).events[arn] = event
    _push(world, event)
    return event


def change(
    world: World, event: Event, resources: dict[str, str] | None = None, *, at: datetime | None = None, **given: Any
) -> None:
    """AWS updates an event: its text, its status, its times, or the status of resources by name."""
    with world.lock:
        event.updated_at, event.version = at or world.now(), event.version + 1
        for name, value in given.items():
            setattr(event, name, value)
        if event.status == "closed" and event.ends_at is None:
            event.ends_at = event.updated_at
        for affected in event.accounts.values():
            for value, status in (resources or {}).items():
                if value in affected:
                    affected[value].status, affected[value].updated_at = status, event.updated_at
    _push(world, event)


def _push(world: World, event: Event) -> None:
    health = of(world)
    if health.pushes:
        for message in messages(world, event):
            health.told(message)


def messages(world: World, event: Event) -> Iterator[dict[str, Any]]:
    """What EventBridge delivers of an event as it stands: of an account's part to whoever sees it, in pages."""
    health = of(world)
    if event.scope == PUBLIC:
        for receiver in health.organizations or dict.fromkeys(world.accounts):
            yield message(event, receiver, "", [], 1, 1)
            if health.also_backup and event.region != BACKUP:
                yield message(event, receiver, "", [], 1, 1, backup=True)
        return
    for number, affected in event.accounts.items():
        receiver = next((admin for admin, members in health.organizations.items() if number in members), number)
        resources = list(affected.values())
        pages = [resources[n : n + RESOURCES_A_PAGE] for n in range(0, len(resources), RESOURCES_A_PAGE)] or [[]]
        for page, some in enumerate(pages, 1):
            yield message(event, receiver, number, some, page, len(pages))


def rfc(at: datetime) -> str:
    """AWS's text of an instant: by RFC 1123, as Health writes it."""
    return at.strftime("%a, %d %b %Y %H:%M:%S GMT")


def message(
    event: Event,
    receiver: str,
    number: str,
    resources: list[Resource],
    page: int,
    pages: int,
    *,
    backup: bool = False,
) -> dict[str, Any]:
    """One message in its real shape: pages and the mark of a copy are strings."""
    communication = uuid.uuid5(uuid.NAMESPACE_URL, f"{event.arn}/{number}/{event.version}").hex
    detail: dict[str, Any] = {
        "eventArn": event.arn,
        "service": event.service,
        "eventTypeCode": event.code,
        "eventTypeCategory": event.category,
        "eventScopeCode": event.scope,
        "communicationId": f"{communication}-{page}",
        "startTime": rfc(event.starts_at),
        "lastUpdatedTime": rfc(event.updated_at),
        "statusCode": event.status,
        "eventRegion": event.region,
        "eventDescription": [{"language": "en_US", "latestDescription": event.description}],
        "affectedAccount": number or receiver,
        "actionability": event.actionability,
        "personas": list(event.personas),
        "page": str(page),
        "totalPages": str(pages),
        "backupEvent": "true" if backup else "false",
    }
    if event.ends_at:
        detail["endTime"] = rfc(event.ends_at)
    if event.metadata:
        detail["eventMetadata"] = event.metadata
    if resources:
        detail["affectedEntities"] = [
            {"entityValue": one.value, "lastUpdatedTime": rfc(one.updated_at), "status": one.status}
            for one in resources
        ]
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "AWS Health Abuse Event" if event.abuse else "AWS Health Event",
        "source": "aws.health",
        "account": receiver,
        "time": event.updated_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": BACKUP if backup else event.region,
        "resources": [one.value for one in resources],
        "detail": detail,
    }


# --- What is asked ---------------------------------------------------------------------------------------------------


def operation(function: Operation) -> Operation:
    OPERATIONS["".join(word.capitalize() for word in function.__name__.split("_"))] = function
    return function


def _members(world: World, account: Account) -> set[str]:
    speaks = _speaks(world, account)
    if speaks is None:
        raise ApiError("AccessDeniedException", "The organizational view is not enabled for this account")
    return of(world).organizations[speaks]


def _speaks(world: World, account: Account) -> str | None:
    """The account by whose view it may ask: its own, or its management account's where it is delegated."""
    health, service = of(world), "health.amazonaws.com"
    delegated = [one.management for one in world.organizations.values() if (account.number, service) in one.delegates]
    on = [one for one in (account.number, *delegated) if one in health.organizations and one not in health.switched_off]
    return on[0] if on else None


def _kept(world: World) -> Iterator[Event]:
    begin = world.now() - RETENTION
    return (event for event in of(world).events.values() if (event.ends_at or event.updated_at) >= begin)


def _seen(world: World, members: set[str]) -> list[Event]:
    seen = [event for event in _kept(world) if event.scope == PUBLIC or members & set(event.accounts)]
    return sorted(seen, key=lambda event: (event.updated_at, event.arn), reverse=True)


def _matches(event: Event, given: dict[str, Any]) -> bool:
    times = given.get("lastUpdatedTimes") or ([given["lastUpdatedTime"]] if given.get("lastUpdatedTime") else [])
    updated = event.updated_at.timestamp()
    in_time = not times or any(one.get("from", 0) <= updated <= one.get("to", 1e12) for one in times)
    wanted = {
        "eventArns": event.arn,
        "services": event.service,
        "regions": event.region,
        "eventTypeCodes": event.code,
        "eventTypeCategories": event.category,
        "eventStatusCodes": event.status,
    }
    return in_time and all(not given.get(name) or value in given[name] for name, value in wanted.items())


def _page(found: list[Any], given: dict[str, Any], default: int = 100) -> tuple[list[Any], dict[str, str]]:
    """A page, and the token of the next."""
    token, size = given.get("nextToken"), given.get("maxResults", default)
    if token and not token.removeprefix("page").isdecimal():
        raise ApiError("InvalidPaginationToken")
    begin = int(token.removeprefix("page")) if token else 0
    more = {"nextToken": f"page{begin + size}"} if begin + size < len(found) else {}
    return found[begin : begin + size], more


def _plain(event: Event) -> dict[str, Any]:
    return {
        "arn": event.arn,
        "service": event.service,
        "eventTypeCode": event.code,
        "eventTypeCategory": event.category,
        "eventScopeCode": event.scope,
        "region": event.region,
        "startTime": event.starts_at,
        "endTime": event.ends_at,
        "lastUpdatedTime": event.updated_at,
        "statusCode": event.status,
        "actionability": event.actionability,
        "personas": list(event.personas),
    }


def _resource(event: Event, number: str, one: Resource) -> dict[str, Any]:
    # Of what EventBridge says the API does not know all (aws.md, 2.4).
    status = "PENDING" if one.status == "UPCOMING" else one.status
    return {
        "eventArn": event.arn,
        "entityValue": one.value,
        "awsAccountId": number,
        "lastUpdatedTime": one.updated_at,
        "statusCode": status,
    }


def _known(world: World, arn: str) -> Event | None:
    return next((event for event in _kept(world) if event.arn == arn), None)


@operation
def describe_health_service_status_for_organization(
    world: World, account: Account, given: dict[str, Any]
) -> dict[str, Any]:
    return {"healthServiceAccessStatusForOrganization": "ENABLED" if _speaks(world, account) else "DISABLED"}


@operation
def enable_health_service_access_for_organization(
    world: World, account: Account, given: dict[str, Any]
) -> dict[str, Any]:
    """As the management account, which then may ask; so may whoever is delegated."""
    found = world.organizations.get(account.number)
    if found is None:
        raise ApiError("AccessDeniedException", "Only the management account may enable the organizational view")
    of(world).organizations[account.number] = set(found.members)
    of(world).switched_off.discard(account.number)
    return {}


@operation
def describe_events_for_organization(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    seen = _seen(world, _members(world, account))
    page, more = _page([event for event in seen if _matches(event, given.get("filter") or {})], given)
    return {"events": [_plain(event) for event in page], **more}


@operation
def describe_affected_accounts_for_organization(
    world: World, account: Account, given: dict[str, Any]
) -> dict[str, Any]:
    members, event = _members(world, account), _known(world, given["eventArn"])
    if event is None:
        return {"affectedAccounts": [], "eventScopeCode": "NONE"}
    page, more = _page(sorted(members & set(event.accounts)), given)
    return {"affectedAccounts": page, "eventScopeCode": event.scope, **more}


@operation
def describe_event_details_for_organization(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    members = _members(world, account)
    partial = world.meets(account.number, "DescribeEventDetailsForOrganization", "partial")
    good: list[dict[str, Any]] = []
    bad: list[dict[str, Any]] = []
    for place, one in enumerate(given["organizationEventDetailFilters"]):
        event, number = _known(world, one["eventArn"]), one.get("awsAccountId", "")
        right = event and (not number if event.scope == PUBLIC else number in members and number in event.accounts)
        if event is None or not right or (partial and place % 2):
            name = "InternalServerError" if right else "ValidationException"
            told = {"eventArn": one["eventArn"], "awsAccountId": number or None, "errorName": name}
            bad.append(told | {"errorMessage": "This event is not available for this account."})
        else:
            good.append(_described(event, number))
    return {"successfulSet": good, "failedSet": bad}


def _described(event: Event, number: str = "") -> dict[str, Any]:
    return {
        "awsAccountId": number or None,
        "event": _plain(event),
        "eventDescription": {"latestDescription": event.description},
        "eventMetadata": event.metadata,
    }


@operation
def describe_affected_entities_for_organization(
    world: World, account: Account, given: dict[str, Any]
) -> dict[str, Any]:
    members = _members(world, account)
    found: list[dict[str, Any]] = []
    bad: list[dict[str, Any]] = []
    filters = given.get("organizationEntityAccountFilters") or given.get("organizationEntityFilters")
    if not filters:
        raise ApiError("ValidationException", "a filter is required")
    for one in filters:
        event, number = _known(world, one["eventArn"]), one.get("awsAccountId", "")
        if event is None or number not in members:
            bad.append({"eventArn": one["eventArn"], "awsAccountId": number, "errorName": "ValidationException"})
            continue
        wanted = one.get("statusCodes")
        told = [_resource(event, number, each) for each in event.accounts.get(number, {}).values()]
        found += [each for each in told if not wanted or each["statusCode"] in wanted]
    page, more = _page(found, given)
    return {"entities": page, "failedSet": bad, **more}


@operation
def describe_events(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    seen = _seen(world, {account.number})
    page, more = _page([event for event in seen if _matches(event, given.get("filter") or {})], given)
    return {"events": [_plain(event) for event in page], **more}


@operation
def describe_event_details(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    good: list[dict[str, Any]] = []
    bad: list[dict[str, Any]] = []
    for arn in given["eventArns"]:
        event = _known(world, arn)
        if event is None or (event.scope != PUBLIC and account.number not in event.accounts):
            bad.append({"eventArn": arn, "errorName": "ValidationException", "errorMessage": "Not available."})
        else:
            told = _described(event)
            del told["awsAccountId"]
            good.append(told)
    return {"successfulSet": good, "failedSet": bad}


@operation
def describe_affected_entities(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    for arn in given["filter"]["eventArns"]:
        event = _known(world, arn)
        if event:
            found += [_resource(event, account.number, one) for one in event.accounts.get(account.number, {}).values()]
    page, more = _page(found, given)
    return {"entities": page, **more}
