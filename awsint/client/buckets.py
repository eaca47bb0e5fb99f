"""How fast an account is called: AWS takes five calls a second of each (aws.md, 1.4), whoever of us makes them.

One bucket an account and process. Whoever acts for a person goes first, then what AWS pushed, then the poll: each
keeps back so many tokens for those before it, and the poll takes two a second at most.
"""

import threading
import time
from collections.abc import Callable
from enum import IntEnum

RATE = 5.0
POLL_RATE = 2.0
# The services that count so; queues and STS have limits of another size.
LIMITED = ("support",)


class Turn(IntEnum):
    """Who calls: the value is how many tokens must be left for others."""

    PERSON = 0
    PUSH = 1
    POLL = 2


class Bucket:
    """Tokens of one account: `RATE` come a second, no more than `RATE` lie there."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock, self.lock = clock, threading.Lock()
        self.tokens, self.at, self.polled_at = RATE, clock(), float("-inf")

    def wait_for(self, turn: Turn) -> float:
        """Takes a token and returns 0, or the seconds after which to ask again."""
        with self.lock:
            now = self.clock()
            self.tokens, self.at = min(RATE, self.tokens + (now - self.at) * RATE), now
            if turn == Turn.POLL and now - self.polled_at < 1 / POLL_RATE:
                return self.polled_at + 1 / POLL_RATE - now
            if self.tokens < 1 + turn:
                return (1 + turn - self.tokens) / RATE
            self.tokens -= 1
            if turn == Turn.POLL:
                self.polled_at = now
            return 0.0

    def spend(self, more: int) -> None:
        """The SDK tried again by itself: who comes next waits the longer."""
        with self.lock:
            self.tokens = max(-RATE, self.tokens - more)


_buckets: dict[tuple[str, str], Bucket] = {}
_lock = threading.Lock()


def take(partition: str, number: str, turn: Turn) -> None:
    """Waits until this account may be called."""
    bucket = _of(partition, number)
    while seconds := bucket.wait_for(turn):
        time.sleep(seconds)


def spend(partition: str, number: str, more: int) -> None:
    """This account was called so many times more than anybody asked for."""
    if more:
        _of(partition, number).spend(more)


def _of(partition: str, number: str) -> Bucket:
    with _lock:
        return _buckets.setdefault((partition, number), Bucket())
