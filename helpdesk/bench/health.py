"""One event of AWS Health that touches thousands of accounts: from its messages to every ticket and letter.

All of it is rolled back. What EventBridge brings account by account is taken in batches, as the consumer takes it from
the inbox.
"""

import json
import resource
import time
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from awsint import health
from awsint.health_payload import of_event
from awsint.models import Account, AffectedCustomer
from helpdesk.accounts.models import Customer, Membership, User
from helpdesk.bench.assigning import Undo
from helpdesk.outbox.models import Letter

CUSTOMERS, MOST_S = 5000, 30
AT_ONCE = 200
LEAST_A_SECOND = 100
RESOURCES = 3


@dataclass(frozen=True)
class Taken:
    """Seconds for all of it and of this process alone, tickets, letters, and how much the process grew, in MB."""

    seconds: float
    worked: float
    tickets: int
    letters: int
    grown_mb: float

    def told(self) -> str:
        fast = "ok" if self.seconds < MOST_S else "MISSED"
        rate = CUSTOMERS / self.seconds
        steady = "ok" if rate >= LEAST_A_SECOND else "MISSED"
        return (
            f"{self.tickets:,} tickets and {self.letters:,} letters in {self.seconds:.1f} s ({self.worked:.1f} of them Python; < {MOST_S} s: {fast}), "
            f"{rate:.0f} messages a second (>= {LEAST_A_SECOND}: {steady}), {self.grown_mb:.0f} MB more at the peak"
        )


def told() -> str:
    """The measurement in one line."""
    at = timezone.now()
    try:
        with transaction.atomic():
            _people(at)
            taken = measured(at)
            raise Undo
    except Undo:
        return taken.told()


def measured(at: datetime) -> Taken:
    """Takes the event's messages; those it touches are there."""
    before = Letter.objects.count()
    peak, begun, worked = _peak_mb(), time.monotonic(), time.process_time()
    for begin in range(0, CUSTOMERS, AT_ONCE):
        health.take((of_event(body(n, at)) for n in range(begin, begin + AT_ONCE)), via="push", at=at)
    seconds, worked = time.monotonic() - begun, time.process_time() - worked
    tickets = AffectedCustomer.objects.exclude(ticket=None).count()
    return Taken(seconds, worked, tickets, Letter.objects.count() - before, _peak_mb() - peak)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def number(n: int) -> str:
    return f"7{n:011}"


def _people(at: datetime) -> None:
    """A customer, somebody of theirs and an account, so many times."""
    customers = Customer.objects.bulk_create(
        Customer(name=f"Bench {n}", code=f"BENCH{n}", language=("zh-hans", "en")[n % 2], created_at=at)
        for n in range(CUSTOMERS)
    )
    users = User.objects.bulk_create(
        User(name=f"Person {n}", email=f"person{n}@bench.example", language=one.language, created_at=at, password="!")
        for n, one in enumerate(customers)
    )
    Membership.objects.bulk_create(
        Membership(user=user, customer=one, role="admin") for user, one in zip(users, customers, strict=True)
    )
    Account.objects.bulk_create(
        Account(
            customer=one,
            number=number(n),
            name=f"account {n}",
            role_arn=f"arn:aws:iam::{number(n)}:role/x",
            external_id=f"bench{n:030}",
            workload=["production"] if n % 3 == 0 else [],
            proved_at=at,
            created_at=at,
        )
        for n, one in enumerate(customers)
    )


def body(n: int, at: datetime) -> str:
    """The message about the nth account, as EventBridge writes it."""
    code, account = "AWS_EC2_OPERATIONAL_ISSUE", number(n)
    when = f"{at:%a, %d %b %Y %H:%M:%S} GMT"
    entities = [{"entityValue": f"i-{n:08x}{m}", "status": "IMPAIRED"} for m in range(RESOURCES)]
    detail = {
        "eventArn": f"arn:aws:health:us-east-1::event/EC2/{code}/{code}_bench",
        "service": "EC2",
        "eventTypeCode": code,
        "eventTypeCategory": "issue",
        "eventScopeCode": "ACCOUNT_SPECIFIC",
        "communicationId": f"bench-{n}-1",
        "startTime": when,
        "lastUpdatedTime": when,
        "statusCode": "open",
        "eventRegion": "us-east-1",
        "eventDescription": [{"language": "en_US", "latestDescription": "We are investigating. " * 40}],
        "affectedEntities": entities,
        "affectedAccount": account,
        "page": "1",
        "totalPages": "1",
    }
    return json.dumps({"source": "aws.health", "account": account, "detail-type": "AWS Health Event", "detail": detail})
