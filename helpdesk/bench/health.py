"""One event of AWS Health that touches thousands of accounts: from its messages to every ticket and letter, and the
pages that show it.

What EventBridge brings account by account is taken in batches, as the consumer takes it from the inbox. Everything is
committed, as it would be, and taken out again; tickets go when the place is made tidy for the next run.
"""

import json
import statistics as figures
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psutil
from django.db import connection
from django.utils import timezone

from awsint import health
from awsint.health_payload import of_event
from awsint.models import Account, AffectedAccount, AffectedCustomer, AffectedEntity, HealthEvent, HealthMessage
from helpdesk.accounts.models import Customer, Membership, User
from helpdesk.bench import aws, people, statements
from helpdesk.bench.pages import inside
from helpdesk.outbox.models import Letter

CUSTOMERS, MOST_S = 5000, 30
AT_ONCE = 200
RESOURCES = 3
CODE, DOMAIN = "HEALTH", "@health.example"
PAGE_MS, LOOKS = 100, 15
FEW, MANY = 100, 100_000
WRITTEN = [
    *("awsint_affectedentity", "awsint_affectedaccount", "awsint_affectedcustomer", "awsint_healthchange"),
    *("awsint_healthmessage", "awsint_healthevent", "awsint_inboxmessage", "awsint_queuestate", "awsint_round"),
]
OPENED = "We are investigating. " * 40
FURTHER = "We found the cause and are working on it. " * 40


@dataclass(frozen=True)
class Taken:
    """Seconds for all of it and of this process alone, tickets, letters, and how much the process grew, in MB."""

    seconds: float
    worked: float
    tickets: int
    letters: int
    grown_mb: float

    def told(self, what: str, most_s: float | None = None) -> str:
        verdict = f"; < {most_s} s: {'ok' if self.seconds < most_s else 'MISSED'}" if most_s else ""
        return (
            f"{what}: {self.tickets:,} tickets and {self.letters:,} letters in {self.seconds:.1f} s "
            f"({self.worked:.1f} of them Python{verdict}), {CUSTOMERS / self.seconds:.0f} messages a second, "
            f"{self.grown_mb:.0f} MB more at the peak"
        )


def told() -> Iterator[str]:
    """The measurements, a line each."""
    at = timezone.now()
    try:
        _people(at)
        yield measured(at, OPENED).told("opening", MOST_S)
        yield measured(at, FURTHER).told("a further word to each")
        event = HealthEvent.objects.get(arn__endswith="_bench")
        _tidied()
        yield _looked("its page", f"/aws/health/{event.pk}/", PAGE_MS)
        for number in (FEW, MANY):
            _past(event, number)
            yield _looked(f"the register of {number:,} events", "/aws/health/")
    finally:
        forget()


def measured(at: datetime, text: str) -> Taken:
    """Takes the event's messages with a text; those it touches are there."""
    tickets, letters = AffectedCustomer.objects.exclude(ticket=None), Letter.objects.all()
    before = tickets.count(), letters.count()
    held, most, begun, worked = _held_mb(), 0.0, time.monotonic(), time.process_time()
    for begin in range(0, CUSTOMERS, AT_ONCE):
        some = (of_event(json.dumps(message(n, at, text))) for n in range(begin, begin + AT_ONCE))
        health.take(some, via="push", at=at)
        most = max(most, _held_mb() - held)
    seconds, worked = time.monotonic() - begun, time.process_time() - worked
    return Taken(seconds, worked, tickets.count() - before[0], letters.count() - before[1], most)


def _looked(what: str, path: str, most_ms: float | None = None) -> str:
    """A page as an engineer has it, without the wire."""
    times = []
    with inside(people.ENGINEER) as desk:
        desk.ask(path, None)
        with statements.watched() as seen:
            desk.ask(path, None)
        for _ in range(LOOKS):
            begun = time.perf_counter()
            answer = desk.ask(path, None)
            times.append((time.perf_counter() - begun) * 1000)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}")
    ms = figures.median(times)
    verdict = f" (< {most_ms:.0f} ms: {'ok' if ms < most_ms else 'MISSED'})" if most_ms else ""
    return f"{what}: p50 {ms:.0f} ms{verdict}, {len(seen)} statements"


# Copies of an event with a message each; what they affect is left out.
PAST = """
WITH old AS (
    INSERT INTO awsint_healthevent ({columns})
    SELECT {copied} FROM awsint_healthevent e, generate_series(1, %(number)s) AS n WHERE e.id = %(event)s
    RETURNING id, seen_at
)
INSERT INTO awsint_healthmessage (event_id, account, key, via, status, updated_at, rank, told, raw, received_at, copies)
SELECT id, '', 'bench', 'push', 'open', seen_at, '', '{{}}', '{{}}', seen_at, 0 FROM old
"""
OWN = {
    "arn": "e.arn || %(number)s || '-' || n",
    "seen_at": "e.seen_at - n * interval '5 minutes'",
    "ticket_id": "NULL",
    "note_at": "NULL",
    "status": "CASE WHEN n %% 50 = 0 THEN 'open' ELSE 'closed' END",
}


def _past(event: HealthEvent, number: int) -> None:
    """So many events in all."""
    names = [str(field.column) for field in HealthEvent._meta.concrete_fields if not field.primary_key]
    sql = PAST.format(
        columns=", ".join(f'"{name}"' for name in names), copied=", ".join(OWN.get(n, f'e."{n}"') for n in names)
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, {"event": event.pk, "number": number - HealthEvent.objects.count()})
    _tidied()


def _tidied() -> None:
    """As the server does by itself, a minute after so much was written."""
    with connection.cursor() as cursor:
        for model in (HealthEvent, HealthMessage, AffectedCustomer, AffectedAccount, AffectedEntity, Letter):
            cursor.execute(f"VACUUM (ANALYZE) {model._meta.db_table}")


def _held_mb() -> float:
    """What this process holds now."""
    return float(psutil.Process().memory_info().rss) / 2**20


def number(n: int) -> str:
    return f"7{n:011}"


def _people(at: datetime) -> None:
    """A customer, somebody of theirs and an account, so many times; those of the last run go first."""
    forget()
    Membership.objects.filter(customer__code__startswith=CODE).delete()
    User.objects.filter(email__endswith=DOMAIN).delete()
    Customer.objects.filter(code__startswith=CODE).delete()
    customers = Customer.objects.bulk_create(
        Customer(name=f"Health {n}", code=f"{CODE}{n}", language=("zh-hans", "en")[n % 2], created_at=at)
        for n in range(CUSTOMERS)
    )
    users = User.objects.bulk_create(
        User(name=f"Person {n}", email=f"person{n}{DOMAIN}", language=one.language, created_at=at, password="!")
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


def message(n: int, at: datetime, text: str = OPENED, event: str = "bench") -> dict[str, Any]:
    """The message about the nth account, as EventBridge brings it."""
    said = 1 if text == OPENED else 2
    code, account = "AWS_EC2_OPERATIONAL_ISSUE", number(n)
    begun, when = (f"{one:%a, %d %b %Y %H:%M:%S} GMT" for one in (at, at + timedelta(seconds=said)))
    entities = [{"entityValue": f"i-{n:08x}{m}", "status": "IMPAIRED"} for m in range(RESOURCES)]
    detail = {
        "eventArn": f"arn:aws:health:us-east-1::event/EC2/{code}/{code}_{event}",
        "service": "EC2",
        "eventTypeCode": code,
        "eventTypeCategory": "issue",
        "eventScopeCode": "ACCOUNT_SPECIFIC",
        "communicationId": f"{event}-{n}-{said}",
        "startTime": begun,
        "lastUpdatedTime": when,
        "statusCode": "open",
        "eventRegion": "us-east-1",
        "eventDescription": [{"language": "en_US", "latestDescription": text}],
        "affectedEntities": entities,
        "affectedAccount": account,
        "page": "1",
        "totalPages": "1",
    }
    return {"source": "aws.health", "account": account, "detail-type": "AWS Health Event", "detail": detail}


def forget() -> None:
    """The tickets are taken out when the place is made tidy for the next run."""
    with connection.cursor() as cursor:
        for table in WRITTEN:
            cursor.execute(f"DELETE FROM {table}")
    aws.forget()
