"""Receiving: what EventBridge put into our hubs' queues becomes rows of the inbox.

The order is what makes it safe (aws.md, 4.9): a batch is received and hidden from others for two minutes, kept hidden
as long as storing takes, stored and committed, and only then deleted. Whoever is killed in between has lost nothing:
the messages come again and are counted as copies. What was not deleted comes again too. A message that nobody could
store five times goes to the dead queue; it is taken back by receiving there and sending here, which AWS China can do
as well.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.utils.module_loading import import_string

from awsint import calls as call_log
from awsint import client, inbox
from awsint.client import QueueApi
from awsint.inbox import Clock, Handler
from awsint.shapes import Calls, QueueMessage
from awsint.sources import HANDLERS, Source

log = logging.getLogger(__name__)
WAIT_S = 20
HIDDEN_S = 120
# Twice before the time is over.
KEEP_EVERY_S = 50.0
# So many of the dead at a time.
MOST_BACK = 1000


def handlers() -> dict[str, Handler]:
    return {name: import_string(path) for name, path in HANDLERS.items()}


def _api(source: Source, url: str, made: Calls, clock: Clock) -> QueueApi:
    hub = source.hub
    return client.queue(hub.partition, hub.account_number, hub.region, url, made, at=clock())


def receive(source: Source, clock: Clock, *, wait_s: int = WAIT_S) -> int:
    """Waits for messages, stores them, deletes them; returns how many came. Raises AwsError."""
    made = Calls()
    try:
        api = _api(source, source.url, made, clock)
        batch = api.receive(wait_s=wait_s, hidden_s=HIDDEN_S)
        if batch:
            with _kept_hidden(api, batch):
                inbox.store(source.hub, source.name, batch, clock())
            _delete(api, [message.handle for message in batch])
        return len(batch)
    finally:
        call_log.store(made)


def _delete(api: QueueApi, handles: Sequence[str]) -> None:
    """Deletes what is stored; what AWS would not delete even the second time comes again, as a copy."""
    left = api.delete(handles)
    if left and (left := api.delete(left)):
        log.warning("%d messages of %s were not deleted and come again", len(left), api.url)


@contextmanager
def _kept_hidden(api: QueueApi, batch: Sequence[QueueMessage]) -> Iterator[None]:
    """Nobody else gets these while we are at it, however long that takes."""
    done = threading.Event()
    beats = threading.Thread(target=_keep_hidden, args=[api, batch, done], daemon=True)
    beats.start()
    try:
        yield
    finally:
        done.set()


def _keep_hidden(api: QueueApi, batch: Sequence[QueueMessage], done: threading.Event) -> None:
    while not done.wait(KEEP_EVERY_S):
        for message in batch:
            try:
                api.keep(message.handle, HIDDEN_S)
            except Exception:
                log.exception("a message of %s could not be kept hidden", api.url)


# --- The dead queue --------------------------------------------------------------------------------------------------


def depths(source: Source, clock: Clock) -> tuple[int, int | None]:
    """How many messages lie in a queue and in its dead queue; None where it has none. Raises AwsError."""
    made = Calls()
    try:
        depth = _api(source, source.url, made, clock).depth()
        dead = _api(source, source.dead_url, made, clock).depth() if source.dead_url else None
        return depth, dead
    finally:
        call_log.store(made)


def take_back(source: Source, clock: Clock) -> int:
    """Moves the dead messages back into their queue; returns how many. One that dies in between comes twice, and is
    done once. Raises AwsError."""
    made, moved = Calls(), 0
    try:
        there, here = _api(source, source.dead_url, made, clock), _api(source, source.url, made, clock)
        while moved < MOST_BACK and (batch := there.receive(wait_s=1, hidden_s=HIDDEN_S)):
            for message in batch:
                here.send(message.body)
            _delete(there, [message.handle for message in batch])
            moved += len(batch)
        return moved
    finally:
        call_log.store(made)
