"""How letters leave: the pulse claims what is due, threads of their own send it; a server that hangs stops only them.

Each second the pulse hands on as many letters as it may send in one, less those still in hand: that caps the pace at
which a backlog drains. Right before a letter is sent it is asked again whether it is still true and who may still read
it. Then it is written and sent within twenty seconds, or it waits for its next attempt.

The promise is: at least once, each time with the same Message-ID. Twice only where we are killed between the server's
yes and our commit, or its yes is lost on the way.
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

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import DatabaseError, InterfaceError, connection
from django.utils.module_loading import import_string

from helpdesk.models import Heartbeat
from helpdesk.outbox import claim
from helpdesk.outbox.channels import Channel, Down, PutOff, Refused, open_channel
from helpdesk.outbox.circuit import Circuit
from helpdesk.outbox.compose import compose
from helpdesk.outbox.content import Bounces, NobodyLeft, Unwritable
from helpdesk.outbox.models import Letter, cancelled
from helpdesk.outbox.words import mark_bouncers

log = logging.getLogger(__name__)
THREADS = 8
DEADLINE_S = 20
# After so long without a letter a thread lets go of its connections.
IDLE_S = 30
# How long what was sent is tried to be written down, while the database is away.
WRITE_DOWN_S = 30
# What waited longer for its turn gets a new lease: it must last for the deadline and the writing down.
PROMPT_S = 5
# As often one reader in copy may put off all; then the others get it.
PATIENT_ATTEMPTS = 3


class Cancel(Exception):
    """The letter shall not leave; the reason says why."""

    def __init__(self, reason: Letter.Reason) -> None:
        self.reason = reason


@dataclass(frozen=True)
class Job:
    """A claimed letter. `looks`: it goes to see whether the server is back."""

    letter: Letter
    at: datetime
    claimed: float
    looks: bool

    @property
    def now(self) -> datetime:
        """The instant, reckoned from the one at which it was claimed."""
        return self.at + timedelta(seconds=time.monotonic() - self.claimed)


class Post:
    """The threads of one process that send, and what they share."""

    def __init__(self, threads: int = THREADS) -> None:
        self.name = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.count = threads
        self.threads: list[threading.Thread] = []
        self.jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self.lock = threading.Lock()
        self.in_hand = 0
        # Per thread: since when it sends, and by what.
        self.sending: dict[int, tuple[float, Channel]] = {}
        self.circuit = Circuit()
        # Whether this process has met the server; what an earlier one said of it may be out of date.
        self.met = False
        self.stopped = False

    # In the pulse

    def tick(self, at: datetime) -> int:
        """Claims what may be sent in the next second and hands it on; returns how many. Never waits for a server."""
        self._abort_what_hangs()
        claim.reclaim(at)
        looks = self.circuit.is_open
        most = self._room(at)
        letters = claim.claim(most, by=self.name, at=at, looks=looks) if most > 0 else []
        if letters:
            mark_bouncers(letters)
        with self.lock:
            self.in_hand += len(letters)
        for letter in letters:
            self.jobs.put(Job(letter, at, time.monotonic(), looks))
        if letters and not self.threads:
            self._start()
        return len(letters)

    def _room(self, at: datetime) -> int:
        if self.circuit.is_open:
            return 1 if self.circuit.may_look(at) and not self.in_hand else 0
        return int(settings.MAIL["rate"]) - self.in_hand

    def _start(self) -> None:
        self.threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self.count)]
        for thread in self.threads:
            thread.start()

    def _abort_what_hangs(self) -> None:
        for since, channel in list(self.sending.values()):
            if time.monotonic() - since > DEADLINE_S:
                channel.abort()

    def stop(self, patience: float = 4) -> None:
        """Gives back what was not begun, and waits a little for what was."""
        self.stopped = True
        for _thread in self.threads:
            self.jobs.put(None)
        until = time.monotonic() + patience
        for thread in self.threads:
            thread.join(max(0, until - time.monotonic()))

    # In the threads

    def _work(self) -> None:
        channel = open_channel()
        while True:
            try:
                job = self.jobs.get(timeout=IDLE_S)
            except queue.Empty:
                channel.rest()
                connection.close()
                continue
            if job is None:
                channel.rest()
                connection.close()
                return
            self._take(job, channel)

    def _take(self, job: Job, channel: Channel) -> None:
        try:
            if self.stopped or (self.circuit.is_open and not job.looks):
                claim.give_back(job.letter)
            elif time.monotonic() - job.claimed < PROMPT_S or claim.renew(job.letter, at=job.now):
                self._deliver(job, channel)
        except Exception:
            # Whatever it was, the lease returns the letter.
            log.exception("letter %s could not be settled", job.letter.pk)
            connection.close()
        finally:
            with self.lock:
                self.in_hand -= 1

    def _deliver(self, job: Job, channel: Channel) -> None:
        letter = job.letter
        try:
            message = self._written(letter, job.now)
        except Cancel as cancel:
            claim.settle(letter, **cancelled(cancel.reason))
            return
        except NobodyLeft:
            claim.settle(letter, **cancelled(Letter.Reason.NOBODY))
            return
        except (DatabaseError, InterfaceError):
            raise
        except Bounces as error:
            claim.die(letter, Letter.Reason.BOUNCES, str(error))
            return
        except Unwritable as error:
            claim.die(letter, Letter.Reason.UNWRITABLE, str(error))
            return
        except Exception as error:
            log.exception("letter %s cannot be written", letter.pk)
            claim.die(letter, Letter.Reason.UNWRITABLE, f"{type(error).__name__}: {error}")
            return
        self._send(job, channel, message)

    def _written(self, letter: Letter, at: datetime) -> EmailMessage:
        """The mail as it leaves. Raises Cancel."""
        if letter.guard and not import_string(settings.OUTBOX_GUARDS[letter.guard])(letter):
            raise Cancel(Letter.Reason.UNTRUE)
        message = compose(letter, at)
        if message is None:
            raise Cancel(Letter.Reason.NOTHING)
        return message

    def _send(self, job: Job, channel: Channel, message: EmailMessage) -> None:
        letter, thread = job.letter, threading.get_ident()
        self.sending[thread] = (time.monotonic(), channel)
        try:
            provider_id, note = channel.send(message, patient=letter.attempts <= PATIENT_ATTEMPTS)
        except Refused as trouble:
            self._met(job)
            claim.die(letter, Letter.Reason.REFUSED, str(trouble))
        except PutOff as trouble:
            self._met(job)
            claim.try_again(letter, Letter.Reason.DEFERRED, str(trouble), at=job.now)
        except Down as trouble:
            self._met_nobody(job, str(trouble))
            if letter.next_try_at and letter.next_try_at > job.at:
                # It only went to look, before its time: that was no attempt of its own.
                claim.give_back(letter)
            else:
                claim.try_again(letter, Letter.Reason.SERVER, str(trouble), at=job.now)
        else:
            self._met(job)
            self._write_down(job, provider_id, note)
        finally:
            del self.sending[thread]

    def _write_down(self, job: Job, provider_id: str, note: str) -> None:
        """That it was sent. Tried for a while: as long as it is not written, it would leave once more."""
        until = time.monotonic() + WRITE_DOWN_S
        told = {"state": Letter.State.SENT, "reason": "", "secret": "", "next_try_at": None}
        while True:
            try:
                claim.settle(job.letter, **told, sent_at=job.now, provider_id=provider_id[:200], last_error=note[:300])
                _tell(job.letter)
                return
            except (DatabaseError, InterfaceError):
                connection.close()
                if time.monotonic() > until:
                    raise
                time.sleep(1)

    def _met(self, job: Job) -> None:
        known, self.met = self.met, True
        if self.circuit.worked() or not known:
            claim.hurry(job.now)
            Heartbeat.beat("mail server", job.now, "")

    def _met_nobody(self, job: Job, said: str) -> None:
        if self.circuit.failed(job.now):
            log.warning("the mail server does not answer: %s", said)
            Heartbeat.beat("mail server", job.now, said)


def _tell(letter: Letter) -> None:
    """Whoever keeps a note of such letters writes it; that it was sent stands whatever comes of that."""
    if not (name := settings.OUTBOX_SENT.get(letter.kind)):
        return
    try:
        import_string(name)(letter)
    except Exception:
        log.exception("that letter %s was sent could not be noted", letter.pk)
        connection.close()


# --- The pulse's own -------------------------------------------------------------------------------------------------

_post: list[Post] = []


def due(at: datetime) -> int:
    """The step of the pulse. Without a way out letters wait."""
    if settings.MAIL["way"] == "none":
        return 0
    if not _post:
        _post.append(Post())
    return _post[0].tick(at)


def stop() -> None:
    """When the pulse ends."""
    while _post:
        _post.pop().stop()
