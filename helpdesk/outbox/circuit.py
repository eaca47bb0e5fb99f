"""When a mail server is down, one letter finds out and the others keep their attempts.

Three tries in a row that met no server open the circuit. While it is open one letter at a time goes to look, with
growing pauses between; the first that meets a server again, whatever it is told there, closes it.
"""

import threading
from datetime import datetime, timedelta

PATIENCE = 3
PAUSES = [timedelta(seconds=s) for s in (5, 10, 20, 40, 60)]


class Circuit:
    """Shared by the threads that send; instants are passed in."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.in_a_row = 0
        self.looks = 0
        self.until: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.until is not None

    def may_look(self, at: datetime) -> bool:
        """Whether somebody may go and see if the server is back."""
        return self.until is not None and at >= self.until

    def failed(self, at: datetime) -> bool:
        """No server was met; returns whether the circuit was opened by it."""
        with self.lock:
            self.in_a_row += 1
            was_open = self.is_open
            # Of several that fail at once only the first counts as a look.
            if self.in_a_row >= PATIENCE and (self.until is None or at >= self.until):
                self.until = at + PAUSES[min(self.looks, len(PAUSES) - 1)]
                self.looks += 1
            return self.is_open and not was_open

    def worked(self) -> bool:
        """A server was met; returns whether the circuit was closed by it."""
        with self.lock:
            was_open, self.until = self.is_open, None
            self.in_a_row = self.looks = 0
            return was_open
