"""AWS Organizations as the simulator does it: an organization's accounts are the world's, with the numbers they have
there. (Moto draws numbers of its own and knows no delegated administrator of AWS Health.)
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from awsint.sim.wire import ApiError
from awsint.sim.world import Account, Member, Organization, World

Operation = Callable[[World, Account, dict[str, Any]], dict[str, Any]]
OPERATIONS: dict[str, Operation] = {}
MOST = 20


def operation(function: Operation) -> Operation:
    OPERATIONS["".join(w.capitalize() for w in function.__name__.split("_")).replace("Aws", "AWS")] = function
    return function


# --- Reading ---------------------------------------------------------------------------------------------------------


@operation
def describe_organization(world: World, account: Account, _given: dict[str, Any]) -> dict[str, Any]:
    return {"Organization": _organization(_mine(world, account))}


@operation
def list_accounts(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    found = _read(world, account)
    rows = [_account(found, one) for one in found.members.values()]
    return _page("Accounts", rows, given)


@operation
def describe_account(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    found = _read(world, account)
    return {"Account": _account(found, _member(found, given["AccountId"]))}


@operation
def list_delegated_administrators(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    found, wanted = _read(world, account), given.get("ServicePrincipal")
    since: dict[str, datetime] = {}
    for (number, service), at in found.delegates.items():
        if wanted in (None, service):
            since[number] = min(at, since.get(number, at))
    rows = [_account(found, found.members[number]) | {"DelegationEnabledDate": at} for number, at in since.items()]
    return _page("DelegatedAdministrators", rows, given)


@operation
def list_aws_service_access_for_organization(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    services = _read(world, account).services
    rows = [{"ServicePrincipal": name, "DateEnabled": at} for name, at in services.items()]
    return _page("EnabledServicePrincipals", rows, given)


# --- Changing --------------------------------------------------------------------------------------------------------


@operation
def create_organization(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    if _of(world, account):
        raise ApiError("AlreadyInOrganizationException")
    return {"Organization": _organization(world.organization(account.number))}


@operation
def enable_aws_service_access(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    _managed(world, account).services.setdefault(given["ServicePrincipal"], world.now())
    return {}


@operation
def register_delegated_administrator(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    found = _managed(world, account)
    key = (_member(found, given["AccountId"]).number, given["ServicePrincipal"])
    if key[1] not in found.services:
        raise ApiError("ConstraintViolationException", "Enable access of the service first")
    if key in found.delegates:
        raise ApiError("AccountAlreadyRegisteredException")
    found.delegates[key] = world.now()
    return {}


@operation
def deregister_delegated_administrator(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    found = _managed(world, account)
    if found.delegates.pop((given["AccountId"], given["ServicePrincipal"]), None) is None:
        raise ApiError("AccountNotRegisteredException")
    return {}


# --- Who may, and what is told ---------------------------------------------------------------------------------------


def _of(world: World, account: Account) -> Organization | None:
    return next((one for one in world.organizations.values() if account.number in one.members), None)


def _mine(world: World, account: Account) -> Organization:
    found = _of(world, account)
    if found is None:
        raise ApiError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    return found


def _read(world: World, account: Account) -> Organization:
    """As its management account or a delegated administrator."""
    found = _mine(world, account)
    if account.number not in {found.management, *(number for number, _service in found.delegates)}:
        raise ApiError("AccessDeniedException", "You don't have permissions to access this resource.")
    return found


def _managed(world: World, account: Account) -> Organization:
    found = _mine(world, account)
    if account.number != found.management:
        raise ApiError("AccessDeniedException", "You don't have permissions to access this resource.")
    return found


def _member(organization: Organization, number: str) -> Member:
    if number not in organization.members:
        raise ApiError("AccountNotFoundException", f"You specified an account that doesn't exist: {number}")
    return organization.members[number]


def _organization(one: Organization) -> dict[str, Any]:
    return {
        "Id": one.number,
        "Arn": f"arn:{one.partition}:organizations::{one.management}:organization/{one.number}",
        "FeatureSet": "ALL",
        "MasterAccountArn": _arn(one, one.management),
        "MasterAccountId": one.management,
        "MasterAccountEmail": one.members[one.management].email,
        "AvailablePolicyTypes": [],
    }


def _arn(one: Organization, number: str) -> str:
    return f"arn:{one.partition}:organizations::{one.management}:account/{one.number}/{number}"


def _account(one: Organization, member: Member) -> dict[str, Any]:
    return {
        "Id": member.number,
        "Arn": _arn(one, member.number),
        "Email": member.email,
        "Name": member.name,
        "Status": member.status,
        "State": member.status,
        "JoinedMethod": "CREATED",
        "JoinedTimestamp": one.at,
    }


def _page(name: str, rows: list[dict[str, Any]], given: dict[str, Any]) -> dict[str, Any]:
    begin, size = int(given.get("NextToken", "0").rpartition(":")[2]), given.get("MaxResults", MOST)
    more = f"page:{begin + size}" if begin + size < len(rows) else None
    return {name: rows[begin : begin + size], "NextToken": more}
