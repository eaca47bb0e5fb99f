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


_buckets: dict[tuple[str, str], Bucket] = {}
_lock = threading.Lock()


def take(partition: str, number: str, turn: Turn) -> None:
    """Waits until this account may be called."""
    with _lock:
        bucket = _buckets.setdefault((partition, number), Bucket())
    while seconds := bucket.wait_for(turn):
        time.sleep(seconds)
