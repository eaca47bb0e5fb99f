"""Who may read an account now, and when it is read next: every connected one at least every ten minutes (decisions.md).

Whoever reads an account holds its lease, taken by a conditional update; the fence goes up with each, and what a stalled
reader brings under an older one is not written. Leases go by the last start, so nobody is read twice while others wait.
Whoever fails is tried again after 10, 20 .. 360 minutes, without a plan after a day. Where our own identity is broken
no account is to blame: their next look comes soon, and counts as no failure.
"""

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from awsint.models import Account, Poll, Round, State
from awsint.shapes import AwsError, NoPlan

# What its heartbeats are called.
KIND = "support"
INTERVAL = timedelta(minutes=settings.SUPPORT_POLL_MINUTES)
# The schedule looks each minute: half of that before or after the time, and as much at random, is a minute at most.
EARLY = timedelta(seconds=30)
JITTER_S = 30.0
# Longer than django-q2 lets a task live (settings.Q_CLUSTER): a lease that lapses belongs to nobody who lives.
LEASE = timedelta(seconds=150)
LONGEST_WAIT = timedelta(hours=6)
WITHOUT_PLAN = timedelta(hours=24)
HUB_WAIT = timedelta(minutes=1)
# So many tasks read at a time: one more goes to work where many accounts are due.
MOST_BITES = 2
MANY = 300
# A task that did not end within this was killed.
LONGEST_BITE = timedelta(seconds=130)

DUE = """
FROM awsint_poll q JOIN awsint_account a ON a.id = q.account_id JOIN accounts_customer c ON c.id = a.customer_id
WHERE q.next_at <= %(due)s AND (q.leased_until IS NULL OR q.leased_until <= %(at)s)
AND a.is_active AND a.proved_at IS NOT NULL AND c.is_active AND NOT a.partition = ANY(%(without)s)
"""
COUNT = f"SELECT count(*) {DUE}"
# An array, so that the choice is made once: joined, a plan may make it again for each row and take more than asked.
CLAIM = f"""
UPDATE awsint_poll p SET leased_until = %(until)s, fence = p.fence + 1, started_at = %(at)s
WHERE p.account_id = ANY(ARRAY(SELECT q.account_id {DUE} AND (%(only)s = '' OR a.partition = %(only)s)
    ORDER BY q.started_at NULLS FIRST, q.account_id LIMIT %(most)s FOR UPDATE OF q SKIP LOCKED))
RETURNING p.account_id
"""  # noqa: S608, put together of its own constants


class Stale(Exception):
    """Somebody else holds the lease by now: what this reader brings is not written."""


@dataclass(frozen=True)
class Lease:
    """That an account may be read, and how it stood when the lease was taken."""

    poll: Poll
    at: datetime

    @property
    def account(self) -> Account:
        return self.poll.account


def enrol(at: datetime) -> int:
    """A row for each connected account that has none, due at once; returns how many."""
    new = Account.objects.connected().filter(proved_at__isnull=False, poll=None)
    rows = [Poll(account_id=pk, next_at=at) for pk in new.values_list("pk", flat=True)]
    return len(Poll.objects.bulk_create(rows, ignore_conflicts=True)) if rows else 0


def due(at: datetime, without: Collection[str] = ()) -> int:
    """How many accounts are to be read now and held by nobody, but for those of some partitions."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"due": at + EARLY, "at": at, "without": list(without)})
        return int(cursor.fetchone()[0])


def bites_wanted(at: datetime, without: Collection[str] = ()) -> int:
    """How many further tasks there is work for, beside those under way (polling.py), some partitions aside."""
    under_way = Round.objects.filter(kind=KIND, ended_at=None, started_at__gt=at - LONGEST_BITE).count()
    waiting = due(at, without)
    wanted = 0 if not waiting else 1 if waiting <= MANY else MOST_BITES
    return max(0, wanted - under_way)


def claim(most: int, at: datetime, *, without: Collection[str] = (), only: str = "") -> list[Lease]:
    """Takes up to `most` leases, the longest unread first. Two statements, one where nothing is due."""
    asked: dict[str, Any] = {"due": at + EARLY, "at": at, "until": at + LEASE, "most": most}
    asked |= {"without": list(without), "only": only}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, asked)
        ids = [number for (number,) in cursor.fetchall()]
    rows = Poll.objects.filter(pk__in=ids).select_related("account__customer") if ids else []
    # Whoever was slower than a whole lease since the claim finds another start, and is not counted in.
    return sorted((Lease(row, at) for row in rows if row.started_at == at), key=lambda one: one.poll.pk)


def hold(lease: Lease) -> None:
    """Keeps the lease to the end of the transaction, so that nobody takes it meanwhile. Raises Stale. One statement."""
    mine = Poll.objects.filter(pk=lease.poll.pk, fence=lease.poll.fence)
    with connection.cursor() as cursor:
        sql, given = mine.values("fence").query.sql_with_params()
        cursor.execute(f"{sql} FOR SHARE", given)
        if cursor.fetchone() is None:
            raise Stale


def done(lease: Lease, at: datetime, *, whole: bool, finished: bool) -> bool:
    """The account was read; whether the lease was still ours. One that is not `finished` goes on at once."""
    told = {"next_at": lease.at + INTERVAL + jitter() if finished else at, "failures": 0, "state": State.OK}
    if finished:
        told |= {"read_at": lease.at} | ({"whole_at": lease.at} if whole else {})
        told |= {} if lease.poll.first_at else {"first_at": at}
    return _settle(lease, **told, code="", reason="", since=None, told_at=None)


def failed(lease: Lease, error: AwsError, at: datetime) -> bool:
    """The account could not be read, and that is its own trouble."""
    failures = lease.poll.failures + 1
    same = lease.poll.state == error.kind and lease.poll.since
    return _settle(
        lease,
        next_at=lease.at + _wait(failures, error) + jitter(),
        failures=failures,
        state=error.kind,
        code=error.code[:80],
        reason=error.text[:2000],
        since=lease.poll.since if same else at,
    )


def blameless(lease: Lease, at: datetime) -> bool:
    """The account could not be read, and that is not its trouble but our own."""
    return _settle(lease, next_at=at + HUB_WAIT)


def _wait(failures: int, error: AwsError) -> timedelta:
    if isinstance(error, NoPlan):
        return WITHOUT_PLAN
    wait: timedelta = INTERVAL * 2 ** min(failures - 1, 10)
    return min(wait, LONGEST_WAIT)


def jitter() -> timedelta:
    """A little, so that what fell due together does not so for ever."""
    return timedelta(seconds=random.uniform(-JITTER_S, JITTER_S))  # noqa: S311, nothing secret about it


def _settle(lease: Lease, **told: Any) -> bool:
    mine = Poll.objects.filter(pk=lease.poll.pk, fence=lease.poll.fence)
    return bool(mine.update(**told, leased_until=None))
