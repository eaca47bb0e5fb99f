"""The demo's AWS: hubs, accounts and an organization that match the simulator's scenario, so that its cases arrive.

Made where AWS is simulated, and nowhere else. The accounts count as proved: their roles are the scenario's own.
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from awsint.models import Account, Hub, Organization, Usage
from awsint.sim.events import REGIONS, queue_url
from awsint.sim.scenarios.accounts import ACCOUNTS, ORGANIZATION, DemoAccount
from awsint.sim.world import HUB
from helpdesk.accounts.models import Customer

# Who wants to hear of what AWS says publicly: company, service, region.
USAGE = [
    ("ACME", "S3", "us-east-1"),
    ("ACME", "EC2", "us-east-1"),
    ("GLOBEX", "S3", "eu-west-1"),
    ("MERIDIAN", "S3", "us-east-1"),
]


@transaction.atomic
def seed(*, at: datetime) -> int:
    """Writes the hubs and accounts that are missing; returns how many accounts there are."""
    at = at.replace(microsecond=0)
    for partition, region in REGIONS.items():
        Hub.objects.get_or_create(partition=partition, defaults=_hub(partition, region) | {"created_at": at})
    organization, _new = Organization.objects.get_or_create(
        partition=ORGANIZATION.partition,
        account_number=ORGANIZATION.number,
        defaults={
            "name": ORGANIZATION.name,
            "role_arn": ORGANIZATION.role_arn,
            "external_id": ORGANIZATION.external_id,
            "created_at": at,
        },
    )
    customers = {one.code: one for one in Customer.objects.filter(code__in={a.company for a in ACCOUNTS})}
    for one in ACCOUNTS:
        if customer := customers.get(one.company):
            said = _account(one) | {"customer": customer, "organization": organization if one.in_organization else None}
            stamps = {"external_id_shown_at": at, "proved_at": at, "created_at": at}
            Account.objects.get_or_create(partition=one.partition, number=one.number, defaults=said | stamps)
    for company, service, region in USAGE:
        if customer := Customer.objects.filter(code=company).first():
            Usage.objects.get_or_create(customer=customer, service=service, region=region, defaults={"created_at": at})
    return Account.objects.count()


def _hub(partition: str, region: str) -> dict[str, Any]:
    queues = {"queue_url": "support", "health_queue_url": "health"}
    urls = {name: queue_url(partition, queue) for name, queue in queues.items()}
    return {
        "account_number": HUB,
        "region": region,
        "principal_arn": f"arn:{partition}:iam::{HUB}:role/helpdesk-hub",
        "bus_arn": f"arn:{partition}:events:{region}:{HUB}:event-bus/partner-support",
        **urls,
        **{name.replace("queue", "dead_queue"): f"{url}-dead" for name, url in urls.items()},
    }


def _account(one: DemoAccount) -> dict[str, Any]:
    return {
        "name": one.name,
        "role_arn": one.role_arn,
        "external_id": one.external_id,
        "may_write": one.may_write,
        "support_model": one.model,
        "workload": list(one.workload),
    }
