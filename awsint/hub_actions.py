"""What leads and administrators write down about hubs and organizations. No credential is ever among it.

Queue and bus must be what they are called: a queue's address is AWS's own of that region, so that nobody makes the desk
call another machine.
"""

import re
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from awsint.account_actions import demand, fresh_external_id, subject_of, taken
from awsint.models import Account, Hub, Organization, Partition
from helpdesk.accounts.doors import Refused
from helpdesk.accounts.models import Customer, User
from helpdesk.audit.record import Happening, record

ORGANIZATION_ROLE = "PartnerOrganizationSync"
QUEUES = ("queue_url", "dead_queue_url", "health_queue_url", "health_dead_queue_url")
HUB = ("account_number", "region", "principal_arn", "profile", "bus_arn", *QUEUES, "template_url", "is_active")
REGION = {
    Partition.AWS: re.compile(r"(?!cn-|us-gov-)[a-z]{2}-[a-z]+-[0-9]"),
    Partition.CHINA: re.compile(r"cn-[a-z]+-[0-9]"),
    Partition.GOV: re.compile(r"us-gov-[a-z]+-[0-9]"),
}
SUFFIX = {Partition.AWS: "amazonaws.com", Partition.CHINA: "amazonaws.com.cn", Partition.GOV: "amazonaws.com"}
NAME = r"[A-Za-z0-9_.-]{1,80}"


# --- Hubs ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def write_hub(*, partition: str, by: User, at: datetime, **given: Any) -> Hub:
    """The hub of a partition, made or changed: HUB by name. Raises Refused, PermissionDenied."""
    demand(by)
    for field, words in hub_faults(partition, given):
        raise Refused(field, words)
    hub = Hub.objects.select_for_update().filter(partition=partition).first()
    hub = hub or Hub(partition=partition, created_at=at.replace(microsecond=0))
    fields = [name for name in HUB if name in given and (hub._state.adding or getattr(hub, name) != given[name])]
    for name in fields:
        setattr(hub, name, given[name])
    hub.save()
    if fields:
        subject = f"aws:{partition}:{hub.account_number}"
        record([Happening("aws.hub_changed", {"fields": fields})], by=by, at=at, subject=subject)
    return hub


def hub_faults(partition: str, given: dict[str, Any]) -> list[tuple[str, str]]:
    """What does not fit together, as (field, words)."""
    number, region, found = given["account_number"], given["region"], []
    if not REGION[Partition(partition)].fullmatch(region):
        found.append(("region", _("This is no region of the partition.")))
    principal = rf"arn:{partition}:(iam|sts)::{number}:(role|user|assumed-role)/[A-Za-z0-9+=,.@_/-]+"
    if not re.fullmatch(principal, given["principal_arn"]):
        found.append(("principal_arn", _("Write the ARN of a role or user of the hub's own account.")))
    bus = rf"arn:{partition}:events:{re.escape(region)}:{number}:event-bus/[A-Za-z0-9_./-]+"
    if given["bus_arn"] and not re.fullmatch(bus, given["bus_arn"]):
        found.append(("bus_arn", _("Write the ARN of an event bus of the hub's account and region.")))
    for name in QUEUES:
        if given[name] and not _is_queue(given[name], partition, region, number):
            found.append((name, _("Write the address of a queue of the hub's account and region.")))
    hosted = rf"https://[a-z0-9.-]+\.{re.escape(SUFFIX[Partition(partition)])}/[A-Za-z0-9_./-]*"
    if given["template_url"] and not re.fullmatch(hosted, given["template_url"]):
        found.append(("template_url", _("CloudFormation takes templates from S3 alone: write a folder there.")))
    return found


def _is_queue(url: str, partition: str, region: str, number: str) -> bool:
    host = f"https://sqs.{region}.{SUFFIX[Partition(partition)]}"
    # A simulator answers under an address of its own; who set it in the environment trusts it.
    simulated = settings.AWS_ENDPOINT_URL.rstrip("/")
    hosts = "|".join(re.escape(one) for one in (host, simulated) if one)
    return re.fullmatch(rf"({hosts})/{number}/{NAME}", url) is not None


# --- Organizations ---------------------------------------------------------------------------------------------------


def usual_role(partition: str, number: str) -> str:
    return f"arn:{partition}:iam::{number}:role/{ORGANIZATION_ROLE}"


@transaction.atomic
def add_organization(
    *,
    name: str,
    partition: str,
    account_number: str,
    organization_id: str,
    role_arn: str,
    customer: Customer | None,
    by: User,
    at: datetime,
) -> tuple[Organization, str]:
    """An organization and its ExternalId, which is shown once. Raises Refused, PermissionDenied."""
    demand(by)
    role_arn = role_arn or usual_role(partition, account_number)
    _demand_sound(partition, account_number, role_arn, customer, by)
    made = Organization(
        name=name,
        partition=partition,
        account_number=account_number,
        organization_id=organization_id,
        role_arn=role_arn,
        customer=customer,
        external_id=fresh_external_id(),
        created_at=at.replace(microsecond=0),
    )
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:
        raise Refused("account_number", _("An organization of this account is written down already.")) from error
    _tell(made, Happening("aws.organization_added"), by, at)
    return made, made.external_id


@transaction.atomic
def change_organization(
    *,
    organization: Organization,
    name: str,
    organization_id: str,
    role_arn: str,
    customer: Customer | None,
    is_active: bool,
    by: User,
    at: datetime,
) -> Organization:
    """Writes what differs; whose account it is stays. Raises Refused, PermissionDenied."""
    demand(by)
    found = Organization.objects.select_for_update().get(pk=organization.pk)
    role_arn = role_arn or usual_role(found.partition, found.account_number)
    _demand_sound(found.partition, found.account_number, role_arn, customer, by)
    said = {"name": name, "organization_id": organization_id, "role_arn": role_arn, "is_active": is_active}
    fields = [field for field in said if said[field] != getattr(found, field)]
    fields += ["customer"] if customer != found.customer else []
    for field in fields:
        setattr(found, field, customer if field == "customer" else said[field])
    if fields:
        found.save(update_fields=fields)
        _tell(found, Happening("aws.organization_changed", {"fields": fields}), by, at)
    return found


@transaction.atomic
def rotate_organization(*, organization: Organization, by: User, at: datetime) -> tuple[Organization, str]:
    """A new ExternalId, shown once; its role has to ask for this one from now on."""
    demand(by)
    found = Organization.objects.select_for_update().get(pk=organization.pk)
    found.external_id = fresh_external_id()
    found.save(update_fields=["external_id"])
    _tell(found, Happening("aws.external_id_rotated"), by, at)
    return found, found.external_id


def _demand_sound(partition: str, number: str, role_arn: str, customer: Customer | None, by: User) -> None:
    if not re.fullmatch(rf"arn:{partition}:iam::{number}:role/[A-Za-z0-9+=,.@_/-]{{1,140}}", role_arn):
        raise Refused("role_arn", _("Write the ARN of a role in this account."))
    # Whose an account is stays so, by whichever door it is named.
    there = Account.objects.filter(partition=partition, number=number).select_related("customer").first()
    if there and customer and there.customer_id != customer.pk:
        raise Refused("account_number", taken(there, by))


def _tell(organization: Organization, happening: Happening, by: User, at: datetime) -> None:
    record([happening], by=by, at=at, subject=subject_of(organization), customer=organization.customer_id)
