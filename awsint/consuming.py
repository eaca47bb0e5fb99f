"""The consumer: one process for the queues of all hubs. Threads of each queue receive, a few work off the inbox.

Where a queue does not answer, its threads wait a second, two, four .. thirty, and go on by themselves when it is back.
Without hubs it looks for some every few seconds and does nothing else. Threads catch what goes wrong; where one ends
nevertheless the process ends too, and its supervisor starts it afresh: nothing is kept in memory that would be missed.
"""

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from awsint import inbox, queue, sources
from awsint.inbox import Clock
from awsint.models import InboxMessage, QueueState, Round
from awsint.shapes import AwsError
from awsint.sources import Source
from helpdesk.supervisor import Stop

log = logging.getLogger(__name__)
KIND = "push"
# How many work off what a queue brought: cases are read one by one; messages of Health go many in one breath, which
# hold the same events, so a second one would wait for the first. Neither queue waits for the other.
WORKERS = {"support": 3, "health": 1}
# How many receive from a queue: AWS gives ten at a time and wants each ten deleted, so that one would wait for the
# network most of its time where thousands come at once.
RECEIVERS = {"support": 1, "health": 2}
# So often hubs and wishes are looked for, and the queues' depth.
LOOK_EVERY_S = 5.0
DEPTH_EVERY_S = 60.0
BEAT_EVERY_S = 300.0
# What waits for another try is found by then, at the latest.
IDLE_S = 10.0
# What is under way may end when we are told to stop.
PATIENCE_S = 2.0
LONGEST_WAIT_S = 30.0


class Ended(Exception):
    """A thread is gone that should run for ever."""


@dataclass
class Tally:
    """What was done since the last heartbeat."""

    came: int = 0
    done: int = 0
    failed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *, came: int = 0, done: int = 0, failed: int = 0) -> None:
        with self.lock:
            self.came, self.done, self.failed = self.came + came, self.done + done, self.failed + failed

    def take(self) -> tuple[int, int, int]:
        with self.lock:
            taken = (self.came, self.done, self.failed)
            self.came = self.done = self.failed = 0
            return taken


@dataclass
class Receiver:
    """The threads of one queue. `trouble` is what AWS answers last, empty where all is well."""

    source: Source
    threads: list[threading.Thread] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    trouble: str = ""
    heard_at: datetime | None = None


class Consumer:
    """Everything that runs in the process, for the queues of these names. `run` returns when it is told to stop."""

    def __init__(
        self,
        clock: Clock,
        names: Iterable[str] = tuple(WORKERS),
        *,
        wait_s: int = queue.WAIT_S,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self.clock, self.names, self.wait_s, self.look_every_s = clock, frozenset(names), wait_s, look_every_s
        self.receivers: dict[tuple[int, str, str, str], Receiver] = {}
        self.workers: list[threading.Thread] = []
        # How often something came: whoever found nothing looks again where that went on meanwhile.
        self.tally, self.come, self.arrivals = Tally(), threading.Condition(), 0
        self.stopping = threading.Event()
        self.begun_at = clock()
        self.beat_due = time.monotonic() + BEAT_EVERY_S
        self.depth_due = 0.0

    def run(self, stop: Stop | threading.Event) -> None:
        for name in sorted(self.names):
            for _ in range(WORKERS[name]):
                self._start_worker({name: queue.handlers()[name]})
        while True:
            try:
                self.look()
            except Ended:
                raise
            except Exception:
                # The database is away, as a rule: the threads wait for it too.
                log.exception("the consumer could not look after its queues")
                connection.close()
            if stop.wait(self.look_every_s):
                break
        self.stopping.set()
        with self.come:
            self.come.notify_all()
        for thread in self.workers:
            thread.join(PATIENCE_S)
        connection.close()

    # The one who looks after the others

    def look(self) -> None:
        mine = [source for source in sources.sources() if source.name in self.names]
        found = {(s.hub.pk, s.name, s.url, s.dead_url): s for s in mine}
        for key in self.receivers.keys() - found.keys():
            self.receivers.pop(key).stop.set()
        for key in found.keys() - self.receivers.keys():
            self.receivers[key] = self._start_receiver(found[key])
        threads = [*self.workers, *(thread for one in self.receivers.values() for thread in one.threads)]
        if not all(thread.is_alive() for thread in threads):
            raise Ended
        self._fetch_back()
        if time.monotonic() >= self.depth_due:
            self.depth_due = time.monotonic() + DEPTH_EVERY_S
            self._measure()
        if time.monotonic() >= self.beat_due:
            self.beat_due = time.monotonic() + BEAT_EVERY_S
            self._beat()

    def _fetch_back(self) -> None:
        """Moves dead messages back where somebody wants them."""
        if not self.receivers:
            return
        mine = {(one.source.hub.pk, one.source.name): one.source for one in self.receivers.values()}
        for state in QueueState.objects.filter(wanted_back_at__isnull=False):
            source = mine.get((state.hub_id, state.queue))
            if source and source.dead_url:
                self._fetch(state, source)

    def _fetch(self, state: QueueState, source: Source) -> None:
        try:
            back = queue.take_back(source, self.clock)
        except AwsError as error:
            log.warning("the dead messages of %s could not be fetched: %s", source.url, error)
            return
        wish = QueueState.objects.filter(pk=state.pk, wanted_back_at=state.wanted_back_at)
        wish.update(wanted_back_at=None, back_at=self.clock(), back=back)
        self.depth_due = 0.0

    def _measure(self) -> None:
        for one in self.receivers.values():
            try:
                depth, dead = queue.depths(one.source, self.clock)
                one.heard_at = self.clock()
            except AwsError as error:
                one.trouble, depth, dead = str(error.code)[:300], None, None
            state = QueueState(
                hub=one.source.hub, queue=one.source.name, heard_at=one.heard_at, depth=depth, dead=dead,
                trouble=one.trouble,
            )  # fmt: skip
            fields = ["depth", "dead", "trouble"] + (["heard_at"] if one.heard_at else [])
            QueueState.objects.bulk_create(
                [state], update_conflicts=True, unique_fields=["hub", "queue"], update_fields=fields
            )

    def _beat(self) -> None:
        came, done, failed = self.tally.take()
        at = self.clock()
        if self.receivers:
            troubles = sorted({one.trouble for one in self.receivers.values() if one.trouble})
            Round.objects.create(
                kind=KIND, started_at=self.begun_at, ended_at=at, due=came, read=done, failed=failed,
                note="; ".join(troubles),
            )  # fmt: skip
        self.begun_at = at

    # Receiving

    def _start_receiver(self, source: Source) -> Receiver:
        one = Receiver(source)
        for _ in range(RECEIVERS[source.name]):
            thread = threading.Thread(target=self._receive, args=[one], daemon=True)
            one.threads.append(thread)
            thread.start()
        return one

    def _receive(self, one: Receiver) -> None:
        wait = 1.0
        while not (one.stop.is_set() or self.stopping.is_set()):
            try:
                came = queue.receive(one.source, self.clock, wait_s=self.wait_s)
                one.trouble, one.heard_at, wait = "", self.clock(), 1.0
            except Exception as error:
                one.trouble = str(getattr(error, "code", type(error).__name__))[:300]
                log.warning("queue %s: %s", one.source.url, error)
                connection.close()
                one.stop.wait(wait)
                wait = min(wait * 2, LONGEST_WAIT_S)
                continue
            if came:
                self.tally.add(came=came)
                with self.come:
                    self.arrivals += 1
                    self.come.notify_all()
            else:
                # A queue is silent for hours: it needs no connection meanwhile.
                connection.close()
        connection.close()

    # Working off

    def _start_worker(self, handlers: dict[str, inbox.Handler]) -> None:
        thread = threading.Thread(target=self._work, args=[handlers], daemon=True)
        self.workers.append(thread)
        thread.start()

    def _work(self, handlers: dict[str, inbox.Handler]) -> None:
        try:
            while not self.stopping.is_set():
                self._work_once(handlers)
        finally:
            connection.close()

    def _work_once(self, handlers: dict[str, inbox.Handler]) -> None:
        arrivals = self.arrivals
        try:
            outcome = inbox.work(handlers, self.clock)
        except Exception:
            log.exception("the inbox cannot be worked off")
            connection.close()
            outcome = None
        if outcome is None:
            with self.come:
                if arrivals == self.arrivals and not self.stopping.is_set():
                    self.come.wait(IDLE_S)
        elif outcome.state == InboxMessage.State.DONE:
            self.tally.add(done=1)
        else:
            self.tally.add(failed=1)
