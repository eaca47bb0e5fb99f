"""Working time.

Instants are aware, in UTC, in whole seconds; zones exist only inside a calendar. A calendar answers two questions, and
the clocks ask no others: how many working seconds lie in [a, b), and when n of them will have passed. Round the clock
is pure subtraction, so no minute is lost at midnight and no hour where clocks change.
"""

from datetime import datetime, timedelta
from typing import Protocol

SECOND = timedelta(seconds=1)


class Calendar(Protocol):
    """When somebody works."""

    def work(self, a: datetime, b: datetime) -> int:
        """The working seconds in [a, b); 0 where b is not after a."""

    def add(self, a: datetime, n: int) -> datetime:
        """The earliest t >= a with work(a, t) = n, for n >= 0; so add(a, 0) is a."""


class AroundTheClock:
    """Every second is a working second."""

    def work(self, a: datetime, b: datetime) -> int:
        return max(0, (b - a) // SECOND)

    def add(self, a: datetime, n: int) -> datetime:
        return a + n * SECOND


AROUND_THE_CLOCK: Calendar = AroundTheClock()
