"""What the tests of delivery share: the server, letters, and a pulse that is beaten by hand in travelled time."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives

from helpdesk.outbox import deliver
from helpdesk.outbox.enqueue import Draft, enqueue
from helpdesk.outbox.models import Letter
from helpdesk.settings import mail
from tests.outbox.server import Server

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def plain(letter: Letter, at: datetime) -> EmailMultiAlternatives | None:
    """Words of a letter for tests of how it travels, not of what it says."""
    if letter.data.get("silent"):
        return None
    if letter.data.get("broken"):
        raise KeyError("priority")
    return EmailMultiAlternatives(
        f"{letter.kind} {letter.subject}",
        f"Letter {letter.pk}",
        "Support <support@desk.example>",
        [letter.to_address],
        cc=[reader["address"] for reader in letter.cc],
        headers={"Message-ID": f"<{letter.pk}@desk.example>"},
    )


@dataclass(frozen=True)
class Somebody:
    name: str
    language: str = "en"
    zone: str = "Asia/Shanghai"

    @property
    def key(self) -> str:
        return f"somebody:{self.name}"

    @property
    def email(self) -> str:
        return f"{self.name}@acme.example"


def written(
    subject: str = "HD-1001", name: str = "cora", *, cc: tuple[str, ...] = (), at: datetime = AT, **more: Any
) -> Letter:
    """One letter, ready at AT."""
    data = more.pop("data", {})
    draft = Draft("ticket.replied", Somebody(name), data, cc=tuple(Somebody(n) for n in cc), **more)
    return enqueue([draft], at=at, subject=subject)[0]


@dataclass
class Pulse:
    """One pulse whose seconds pass when a test says so."""

    post: deliver.Post
    at: datetime = AT
    claimed: list[int] = field(default_factory=list)

    def beat(self, seconds: float = 1) -> int:
        """One second's work, then waits until all in hand is settled. Returns how many were claimed."""
        self.at += timedelta(seconds=seconds)
        count = self.post.tick(self.at)
        self.claimed.append(count)
        self.rest()
        return count

    def rest(self, guard: float = 30) -> None:
        until = time.monotonic() + guard
        while self.post.in_hand:
            assert time.monotonic() < until, "letters are still in hand"
            time.sleep(0.005)

    def beats(self, seconds: int) -> None:
        for _ in range(seconds):
            self.beat()

    def until(self, span: timedelta, step: float = 30) -> None:
        """Beats until so much time has passed."""
        end = self.at + span
        while self.at < end:
            self.beat(step)


@pytest.fixture
def server(settings: Any) -> Iterator[Server]:
    one = Server().start()
    settings.MAIL = mail(one.url)
    try:
        yield one
    finally:
        one.stop()


@pytest.fixture
def plain_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver, "compose", plain)


@pytest.fixture
def new_pulse(committed: None, plain_words: None) -> Iterator[Callable[[], Pulse]]:
    made: list[Pulse] = []

    def make(threads: int = 4) -> Pulse:
        made.append(Pulse(deliver.Post(threads)))
        return made[-1]

    yield make
    for one in made:
        one.post.stop(30)


@pytest.fixture
def pulse(server: Server, new_pulse: Callable[[], Pulse]) -> Pulse:
    return new_pulse()


def states(subject: str = "") -> list[str]:
    found = Letter.objects.order_by("id")
    return list((found.filter(subject=subject) if subject else found).values_list("state", flat=True))
