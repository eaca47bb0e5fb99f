"""Many at once, each with a connection of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def at_once(count: int, act: Callable[[int], T]) -> list[T]:
    """What `act(0)` to `act(count - 1)` return when all start at the same moment."""
    start = Barrier(count)

    def one(n: int) -> T:
        try:
            connection.ensure_connection()
            start.wait(30)
            return act(n)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))
