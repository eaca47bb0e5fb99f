"""The demo's AWS: hubs and accounts that match the simulator's scenario, so that its cases arrive on the desk.

Made where AWS is simulated, and nowhere else.
"""

from datetime import datetime

from django.db import transaction

from awsint.models import Account, Hub, Poll
from awsint.sim.events import REGIONS, queue_url
from awsint.sim.scenarios.accounts import ACCOUNTS
from awsint.sim.world import HUB
from helpdesk.accounts.models import Customer


@transaction.atomic
def seed(*, at: datetime) -> int:
    """Writes the hubs and accounts that are missing; returns how many accounts there are."""
    for partition, region in REGIONS.items():
        Hub.objects.get_or_create(
            partition=partition,
            defaults={
                "account_number": HUB,
                "region": region,
                "principal_arn": f"arn:{partition}:iam::{HUB}:role/helpdesk-hub",
                "queue_url": queue_url(partition, "support"),
                "dead_queue_url": f"{queue_url(partition, 'support')}-dead",
                "health_queue_url": queue_url(partition, "health"),
                "health_dead_queue_url": f"{queue_url(partition, 'health')}-dead",
                "created_at": at,
            },
        )
    customers = {one.code: one for one in Customer.objects.filter(code__in={a.company for a in ACCOUNTS})}
    for one in ACCOUNTS:
        if one.company not in customers:
            continue
        account, new = Account.objects.get_or_create(
            partition=one.partition,
            number=one.number,
            defaults={
                "customer": customers[one.company],
                "name": one.name,
                "role_arn": one.role_arn,
                "external_id": one.external_id,
                "external_id_shown_at": at,
                "may_write": one.may_write,
                "support_model": one.model,
                "workload": list(one.workload),
                "created_at": at,
            },
        )
        if new:
            Poll.objects.create(account=account, next_at=at)
    return Account.objects.count()
