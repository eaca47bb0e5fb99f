"""How many messages of AWS Health a second the desk takes for good: from the queue through the consumer, a process of
its own, to tickets and letters, each message stored before it is deleted.

Some always wait in the queue, so what is counted is what the desk can do and not what comes.
"""

import time
from datetime import datetime

from django.db.models import Count, Max, Min
from django.utils import timezone

from awsint.models import Account, AffectedCustomer, Hub, InboxMessage
from awsint.sim.events import queue_url
from helpdesk.accounts.models import Customer
from helpdesk.bench import aws, health, pushing

EVENTS, ACCOUNTS = 40, 100
LATENCY_MS, GUARD_S = 10, 300
WAITING = 30
# So long the desk takes a few of those; to look more often takes of the processors that it needs.
LOOKS_S = 0.05
LEAST_A_SECOND = 100


def told() -> str:
    """The measurement in one line."""
    with pushing.world(LATENCY_MS) as url:
        try:
            at = timezone.now()
            _load(at)
            with pushing.consumer(url):
                seconds, done = _streamed(url, at)
            tickets = AffectedCustomer.objects.exclude(ticket=None).count()
        finally:
            health.forget()
    rate = done / seconds
    verdict = "ok" if rate >= LEAST_A_SECOND and done == EVENTS * ACCOUNTS else "MISSED"
    return (
        f"{done:,} messages about {EVENTS} events from the queue at {LATENCY_MS} ms to {tickets:,} tickets of "
        f"customers in {seconds:.1f} s: {rate:.0f} a second (>= {LEAST_A_SECOND}: {verdict})"
    )


def _load(at: datetime) -> None:
    health.forget()
    hub = f"arn:aws:iam::{aws.HUB}:role/hub"
    Hub.objects.create(
        partition="aws", account_number=aws.HUB, region="us-east-1", principal_arn=hub,
        health_queue_url=queue_url("aws", "health"), created_at=at,
    )  # fmt: skip
    customers = list(Customer.objects.active().values_list("pk", flat=True)[:ACCOUNTS])
    Account.objects.bulk_create(
        Account(
            customer_id=customers[n % len(customers)], number=health.number(n), name=f"bench {n}",
            role_arn=f"arn:aws:iam::{health.number(n)}:role/x", external_id=f"bench{n:030}", proved_at=at, created_at=at,
        )
        for n in range(ACCOUNTS)
    )  # fmt: skip


def _streamed(url: str, at: datetime) -> tuple[float, int]:
    """Sends whenever the queue is nearly empty and waits until all are done; seconds from the first that came to the
    last that was done, and how many are done. The simulator's queue gets slower with each message that waits in it, as
    AWS's does not; what waits in the inbox is the desk's own."""
    left = [(event, n) for event in range(EVENTS) for n in range(ACCOUNTS)]
    done, until, sent = InboxMessage.objects.filter(state=InboxMessage.State.DONE), time.monotonic() + GUARD_S, 0
    while (left or done.count() < sent) and time.monotonic() < until:
        if left and sent - InboxMessage.objects.count() < WAITING:
            some, left = left[:WAITING], left[WAITING:]
            messages = [health.message(n, at, event=f"bench{event}") for event, n in some]
            sent += pushing.steer(url, "health-messages", {"messages": messages})
        time.sleep(LOOKS_S)
    taken = done.aggregate(number=Count("pk"), begun=Min("received_at"), ended=Max("done_at"))
    return (taken["ended"] - taken["begun"]).total_seconds(), taken["number"]
