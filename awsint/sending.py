"""How what we say to AWS leaves: each once, as far as AWS allows (aws.md, section 4).

A letter of channel aws_case is claimed as `sending`, committed before the call, and the call is made a single time: AWS
takes no token that would make a second copy harmless. What AWS refuses is `failed` with its reason; what it puts off
waits; where the answer was lost, or we were killed meanwhile, the letter is `unknown`. Then AWS is looked through for
its tag, a minute later and again after another: what is found is adopted, the oldest where there are several and the
others flagged, and only what two looks did not find leaves again.

The claim, and all that follows from an answer, are conditional updates on (state, attempts), so any number of pulses
may run and whoever was stalled writes nothing.
"""

import logging
import os
import queue
import secrets
import socket
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F, QuerySet

from awsint import calls, client, settling, uploading
from awsint.client import SupportApi, Turn
from awsint.models import Outgoing
from awsint.shapes import Away, AwsError, Calls, ClockSkew, HubBroken, LimitReached, Throttled
from helpdesk.outbox import claim
from helpdesk.outbox.models import Letter

log = logging.getLogger(__name__)
CHANNEL = "aws_case"
THREADS = 4
# A call lasts at most a minute, files before it longer.
LEASE = timedelta(minutes=5)
# AWS shows what it took a little later.
LOOK_AFTER = timedelta(seconds=60)
LOOKS = 2
# CreateCase is taken ten times an hour and account (aws.md, 1.4); nobody says which hour.
QUOTA_WAIT = timedelta(minutes=10)
IDLE_S = 30


@dataclass(frozen=True)
class Job:
    """A letter to send, or one of which nobody knows whether it arrived."""

    letter: Letter
    at: datetime
    taken: float

    @property
    def now(self) -> datetime:
        return self.at + timedelta(seconds=time.monotonic() - self.taken)


class Post:
    """The threads of one process that speak to AWS."""

    def __init__(self, threads: int = THREADS) -> None:
        self.name = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.count, self.threads = threads, list[threading.Thread]()
        self.jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self.lock, self.in_hand, self.stopped = threading.Lock(), 0, False

    def tick(self, at: datetime) -> int:
        """Hands on what is due to be sent or looked for; returns how many. Waits for nobody."""
        lose(at)
        room = self.count - self.in_hand
        if room <= 0:
            return 0
        letters = claim.claim(room, by=self.name, at=at, channel=CHANNEL, lease=LEASE)
        letters += to_look_for(room - len(letters), at=at)
        with self.lock:
            self.in_hand += len(letters)
        for letter in letters:
            self.jobs.put(Job(letter, at, time.monotonic()))
        if letters and not self.threads:
            self.threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self.count)]
            for thread in self.threads:
                thread.start()
        return len(letters)

    def _work(self) -> None:
        while True:
            try:
                job = self.jobs.get(timeout=IDLE_S)
            except queue.Empty:
                connection.close()
                continue
            if job is None:
                connection.close()
                return
            self._take(job)

    def _take(self, job: Job) -> None:
        try:
            if self.stopped and job.letter.state == Letter.State.SENDING:
                claim.give_back(job.letter)
            else:
                work(job)
        except Exception:
            # The lease makes it unknown, and then it is looked for.
            log.exception("letter %s to AWS could not be settled", job.letter.pk)
            connection.close()
        finally:
            with self.lock:
                self.in_hand -= 1

    def stop(self, patience: float = 4) -> None:
        """Gives back what was not begun, and waits a little for what was."""
        self.stopped = True
        for _thread in self.threads:
            self.jobs.put(None)
        until = time.monotonic() + patience
        for thread in self.threads:
            thread.join(max(0, until - time.monotonic()))


def lose(at: datetime) -> int:
    """Whose sender was killed, or hangs beyond its lease: nobody knows whether AWS has it. One statement."""
    lost = Letter.objects.filter(channel=CHANNEL, state=Letter.State.SENDING, lease_until__lte=at)
    return lost.update(state=Letter.State.UNKNOWN, next_try_at=at, looks=0, claimed_by="", lease_until=None)


LOOK = """
UPDATE outbox_letter SET next_try_at = %(until)s WHERE id = ANY(ARRAY(
    SELECT id FROM outbox_letter WHERE state = 'unknown' AND channel = %(channel)s AND next_try_at <= %(at)s
    ORDER BY next_try_at LIMIT %(most)s FOR UPDATE SKIP LOCKED))
RETURNING *
"""


def to_look_for(most: int, *, at: datetime) -> list[Letter]:
    """Those to be looked for now; nobody else looks for them meanwhile. One statement, none where there is no room."""
    if most <= 0:
        return []
    given = {"most": most, "at": at, "until": at + LEASE, "channel": CHANNEL}
    return list(Letter.objects.raw(LOOK, given))


def work(job: Job) -> None:
    """One letter: sent, or looked for."""
    out = Outgoing.objects.select_related("account", "case", "ticket", "opening", "letter").get(letter=job.letter)
    out.letter = job.letter
    made = Calls()
    try:
        if job.letter.state == Letter.State.UNKNOWN:
            _look(out, made, job)
        else:
            _send(out, made, job)
    finally:
        calls.store(made)


# --- Sending ---------------------------------------------------------------------------------------------------------


def _send(out: Outgoing, made: Calls, job: Job) -> None:
    if reason := settling.cannot_leave(out):
        settling.refuse(out, "NotSent", reason, at=job.now)
        return
    api = _aws(out, made, job)
    try:
        number = settling.call(api, out)
    except LimitReached as error:
        _wait(out, Letter.Reason.QUOTA, error, job.now + QUOTA_WAIT)
    except (Throttled, HubBroken, ClockSkew, uploading.Unsent) as error:
        # Nothing happened, and it is no fault of what was to be sent.
        claim.try_again(out.letter, Letter.Reason.DEFERRED, error.code, at=job.now)
    except Away as error:
        _doubt(out, error, job.now)
    except AwsError as error:
        settling.refuse(out, error.code, error.text, at=job.now)
    except uploading.Missing as missing:
        settling.refuse(out, "FileMissing", str(missing), at=job.now)
    else:
        settling.arrived(api, out, number, at=job.now)


def _aws(out: Outgoing, made: Calls, job: Job) -> SupportApi:
    """In the customer's own trail it says for which ticket we came."""
    return client.support(
        out.account.place, made, at=job.now, turn=Turn.PERSON, name=f"hd-{out.ticket.ref}", person=out.by.key
    )


def _wait(out: Outgoing, reason: Letter.Reason, error: AwsError, until: datetime) -> None:
    """AWS takes no more for a while: that costs no attempt, and the ticket shows until when it waits."""
    written = {"state": Letter.State.READY, "next_try_at": until, "attempts": out.letter.attempts - 1}
    claim.settle(out.letter, **written, reason=reason, last_error=error.code[:300])


def _doubt(out: Outgoing, error: AwsError, at: datetime) -> None:
    written = {"state": Letter.State.UNKNOWN, "next_try_at": at + LOOK_AFTER, "looks": 0}
    claim.settle(out.letter, **written, last_error=f"{error.code}: {error.text}"[:300])


# --- Looking ---------------------------------------------------------------------------------------------------------


def _look(out: Outgoing, made: Calls, job: Job) -> None:
    api = _aws(out, made, job)
    try:
        found = settling.found_at_aws(api, out)
    except AwsError as error:
        # Not looked: that is no look.
        _unknown(out).update(next_try_at=job.now + LOOK_AFTER, last_error=f"{error.code}: {error.text}"[:300])
        return
    if found:
        settling.adopted(api, out, found, at=job.now)
    elif out.letter.looks + 1 < LOOKS:
        _unknown(out).update(looks=F("looks") + 1, next_try_at=job.now + LOOK_AFTER)
    else:
        _unknown(out).update(state=Letter.State.READY, looks=0, next_try_at=job.now)


def _unknown(out: Outgoing) -> QuerySet[Letter]:
    """The letter, as long as it is where we looked for it."""
    letter = out.letter
    return Letter.objects.filter(pk=letter.pk, state=Letter.State.UNKNOWN, looks=letter.looks, attempts=letter.attempts)


# --- The pulse's own -------------------------------------------------------------------------------------------------

_post: list[Post] = []


def due(at: datetime) -> int:
    """The step of the pulse."""
    if not _post:
        _post.append(Post())
    return _post[0].tick(at)


def stop() -> None:
    """When the pulse ends."""
    while _post:
        _post.pop().stop()
