"""One bite of the reading: takes leases for a minute, and reads the accounts in threads.

An account that fails keeps nobody else from being read. Where our own identity in a partition is broken, one account of
it is tried each time, and the others wait for that one. What is left after a minute is for the next bite, so that no
task outlives its time; each bite leaves a heartbeat with what was due, read and failed.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import Error as DatabaseError
from django.db import connection, connections

from awsint import calls, cases, leases, notices
from awsint.leases import Lease, Stale
from awsint.models import Round, State
from awsint.shapes import Away, AwsError, Calls, ClockSkew, Denied, HubBroken

log = logging.getLogger(__name__)
THREADS = 8
BATCH = 8
BITE_S = 60.0
# So many roles in a row that refuse us are no longer the customers' doing.
REFUSALS = 5
# So long an account is read before the rest is left for the next time.
READ_S = 45.0

Clock = Callable[[], datetime]


@dataclass
class Bite:
    """A bite under way, shared by its threads. `down` are the partitions whose hub does not work."""

    clock: Clock
    until: float
    down: set[str]
    waiting: list[Lease] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    read: int = 0
    failed: int = 0
    changed: int = 0
    # Partitions of which an account could be read, and how many roles that knew us refused us by then.
    good: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)

    def next(self) -> Lease | None:
        """The next account; None where nothing is due, or the time is over."""
        with self.lock:
            if not self.waiting and time.monotonic() < self.until:
                self.waiting = leases.claim(BATCH, self.clock(), without=self.down)
            return self.waiting.pop(0) if self.waiting else None

    def count(self, *, read: int = 0, failed: int = 0, changed: int = 0) -> None:
        with self.lock:
            self.read += read
            self.failed += failed
            self.changed += changed


def bite(clock: Clock, beat: Callable[[], None] = lambda: None, *, seconds: float = BITE_S) -> Round | None:
    """Reads accounts for a while; None where nothing was due. `beat` is called every few seconds meanwhile."""
    at = clock()
    waiting = leases.due(at)
    if not waiting:
        return None
    heart = Round.objects.create(kind=leases.KIND, started_at=at, due=waiting)
    work = Bite(clock, time.monotonic() + seconds, notices.hubs_down())
    for partition in sorted(work.down):
        _probe(work, partition)
    threads = [threading.Thread(target=_work, args=[work], daemon=True) for _ in range(min(THREADS, waiting))]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(3)
            beat()
    heart.ended_at, heart.read, heart.failed, heart.changed = clock(), work.read, work.failed, work.changed
    heart.save(update_fields=["ended_at", "read", "failed", "changed"])
    return heart


def _probe(work: Bite, partition: str) -> None:
    """Tries one account of a partition whose hub did not work."""
    for lease in leases.claim(1, work.clock(), only=partition):
        take(work, lease)


def _work(work: Bite) -> None:
    try:
        while lease := work.next():
            take(work, lease)
    except DatabaseError:
        # What it held comes back when the leases lapse.
        log.exception("the database does not answer")
    finally:
        connections.close_all()


def take(work: Bite, lease: Lease) -> None:
    """Reads one account and says how that went, whatever happens."""
    made = Calls()
    try:
        _read(work, lease, made)
    except Stale:
        log.warning("account %s was read by somebody else meanwhile", lease.poll.pk)
    except AwsError as error:
        _failed(work, lease, error)
    except Exception as error:
        log.exception("account %s could not be read", lease.poll.pk)
        if not connection.is_usable():
            connection.close()
        _failed(work, lease, AwsError("InternalFailure", f"{type(error).__name__}: {error}"))
    finally:
        calls.store(made)


def _read(work: Bite, lease: Lease, made: Calls) -> None:
    synced = cases.sync(lease, at=work.clock(), calls=made, until=time.monotonic() + READ_S)
    mine = leases.done(lease, work.clock(), whole=synced.whole, finished=synced.finished)
    work.count(read=int(mine and synced.finished), changed=synced.changed)
    partition = lease.account.partition
    work.good.add(partition)
    if partition in work.down:
        notices.hub_works(partition)
        work.down.discard(partition)
    if lease.poll.state not in (State.OK, State.NEW):
        log.warning("account %s can be read again", lease.poll.pk)


def _failed(work: Bite, lease: Lease, error: AwsError) -> None:
    at = work.clock()
    work.count(failed=1)
    partition = lease.account.partition
    if ours(error) or _all_refuse(work, lease, error):
        work.down.add(partition)
        leases.blameless(lease, at)
        notices.hub_down(partition, error, at)
    elif leases.failed(lease, error, at):
        notices.unread(lease.poll.pk, at)


def ours(error: AwsError) -> bool:
    """Whether the trouble is our own identity or clock, or the way to STS, and no account's."""
    return isinstance(error, HubBroken | ClockSkew) or (isinstance(error, Away) and error.operation == "AssumeRole")


def _all_refuse(work: Bite, lease: Lease, error: AwsError) -> bool:
    """Whether roles that let us in before refuse us one after the other: then it is not theirs but ours."""
    partition = lease.account.partition
    if not isinstance(error, Denied) or error.operation != "AssumeRole" or partition in work.good:
        return False
    work.refused[partition] += lease.poll.state == State.OK
    return partition in work.down or work.refused[partition] >= REFUSALS
