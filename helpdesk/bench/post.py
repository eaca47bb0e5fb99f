"""How fast letters leave: real letters of the desk's own tickets, by one pulse, to a mail server on this machine.

The server is the mail catcher, keeping nothing, in a process of its own. The pulse's step is called each second as the
pulse calls it, with the rate that EMAIL_URL would give it or a higher one where asked.
"""

import resource
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from helpdesk.outbox import deliver
from helpdesk.outbox.enqueue import Draft, enqueue
from helpdesk.outbox.models import Letter
from helpdesk.settings import mail
from helpdesk.supervisor import Child
from tickets.models import OPEN, Message, Ticket

MANY = 10_000
TARGET = 100
GUARD_S = 600
BATCH = 1_000
# In turn: what a desk sends most.
KINDS = ("ticket.received", "ticket.answered", "ticket.assigned")


@dataclass(frozen=True)
class Taken:
    """How many left in how many seconds, the processor's seconds of it in this process, and how the rest ended."""

    sent: int
    seconds: float
    busy: float
    others: dict[str, int]

    @property
    def per_s(self) -> float:
        return self.sent / self.seconds if self.seconds else 0

    def told(self) -> str:
        """One line, with a verdict."""
        verdict = "ok" if self.per_s >= TARGET and not self.others else "MISSED"
        rest = "".join(f", {count:,} {state}" for state, count in self.others.items())
        return (
            f"{self.sent:,} letters in {self.seconds:.0f} s: {self.per_s:.0f}/s "
            f"({self.busy / max(self.sent, 1) * 1000:.1f} ms of a processor each{rest}; >= {TARGET}/s: {verdict})"
        )


def measure(count: int = MANY) -> Taken:
    """Writes so many letters and sends them; nothing of them stays."""
    with sink() as port, told(f"smtp://127.0.0.1:{port}"):
        write(count, timezone.now())
        try:
            return send(count)
        finally:
            Letter.objects.all().delete()


def write(count: int, at: datetime) -> None:
    """Letters about open tickets, spread over as many as there are."""
    Letter.objects.all().delete()
    found = Ticket.objects.filter(status__in=OPEN, assigned_to__isnull=False).select_related("requester", "assigned_to")
    tickets = list(found.order_by("id")[:count])
    said = dict(_answers([t.pk for t in tickets]))
    for start in range(0, count, BATCH):
        for number in range(start, min(start + BATCH, count)):
            ticket, kind = tickets[number % len(tickets)], KINDS[number % len(KINDS)]
            if kind == "ticket.answered" and ticket.pk not in said:
                kind = "ticket.received"
            to = ticket.assigned_to if kind == "ticket.assigned" else ticket.requester
            data: dict[str, Any] = {"ref": ticket.ref, "priority": ticket.priority_id}
            if kind == "ticket.answered":
                data |= {"by": ticket.assigned_to.key, "message": said[ticket.pk]}
            enqueue([Draft(kind, to, data)], at=at, subject=ticket.ref, customer=ticket.customer_id)


def _answers(tickets: list[int]) -> Iterator[tuple[int, int]]:
    """The newest answer of each."""
    yield from Message.objects.filter(ticket__in=tickets, kind="reply").order_by("id").values_list("ticket", "pk")


def send(count: int) -> Taken:
    """Beats each second, as the pulse does, until nothing is on its way."""
    post, began, cpu = deliver.Post(), time.monotonic(), _cpu()
    try:
        while Letter.objects.filter(state__in=["ready", "sending"]).exists() and time.monotonic() - began < GUARD_S:
            post.tick(timezone.now())
            time.sleep(1 - time.time() % 1)
        seconds, busy = time.monotonic() - began, _cpu() - cpu
    finally:
        post.stop(30)
    ended = Counter(Letter.objects.values_list("state", flat=True))
    return Taken(ended.pop("sent", 0), seconds, busy, dict(ended))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@contextmanager
def sink() -> Iterator[int]:
    """A mail server that takes all and keeps nothing; its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as door:
        command = [sys.executable, "-m", "helpdesk.mail_server", "--fd", str(door.fileno()), "--discard"]
        server = Child("The mail catcher", command, fds=(door.fileno(),))
        server.start()
        try:
            yield int(door.getsockname()[1])
        finally:
            server.stop()


@contextmanager
def told(url: str) -> Iterator[None]:
    """EMAIL_URL for the length of a block."""
    before = settings.MAIL
    settings.MAIL = mail(url)
    try:
        yield
    finally:
        settings.MAIL = before
