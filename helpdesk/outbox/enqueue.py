"""The only writer of letters."""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from cryptography.fernet import Fernet
from django.conf import settings
from django.db.models import F

from helpdesk.kept import insert
from helpdesk.outbox.models import MAIL, Letter, cancelled


class Reader(Protocol):
    """Somebody a letter goes to."""

    @property
    def email(self) -> str: ...

    @property
    def language(self) -> str: ...

    @property
    def zone(self) -> str: ...

    @property
    def key(self) -> str: ...


@dataclass(frozen=True)
class Draft:
    """A letter before it is written. `secret` is a link that grants a login: stored encrypted.

    `guard` names what must still be true when it leaves (settings.OUTBOX_GUARDS). `subject` and `customer` are its own
    where letters about several are written at once.
    """

    kind: str
    to: Reader
    data: dict[str, Any] = field(default_factory=dict)
    secret: str = ""
    cc: tuple[Reader, ...] = ()
    guard: str = ""
    channel: str = MAIL
    subject: str = ""
    customer: UUID | None = None


@dataclass(frozen=True)
class Hold:
    """Until when letters wait, and for what: it can be taken back meanwhile."""

    until: datetime
    reason: str


def enqueue(
    drafts: Iterable[Draft],
    *,
    at: datetime,
    subject: str = "",
    customer: UUID | None = None,
    hold: Hold | None = None,
) -> list[Letter]:
    """Writes letters in the caller's transaction, one statement for all of them."""
    letters = [
        Letter(
            kind=d.kind,
            channel=d.channel,
            to_key=d.to.key,
            to_address=d.to.email,
            cc=[{"key": reader.key, "address": reader.email} for reader in d.cc],
            language=d.to.language,
            zone=d.to.zone,
            subject=d.subject or subject,
            customer=d.customer or customer,
            data=d.data,
            secret=seal(d.secret) if d.secret else "",
            state=Letter.State.HELD if hold else Letter.State.READY,
            release_at=hold.until if hold else None,
            held_for=hold.reason if hold else "",
            next_try_at=hold.until if hold else at,
            guard=d.guard,
            created_at=at,
        )
        for d in drafts
    ]
    insert(letters)
    return letters


def release(at: datetime) -> int:
    """Lets go the letters whose time has come; returns how many. One statement, and several pulses may call it."""
    due = Letter.objects.filter(state=Letter.State.HELD, release_at__lte=at)
    return due.update(state=Letter.State.READY, next_try_at=F("release_at"))


def tell_as_sent(*, before: datetime) -> int:
    """Letters of the demo's past count as sent: they are shown, and nobody gets them. Returns how many."""
    waiting = Letter.objects.filter(state__in=[Letter.State.READY, Letter.State.HELD], created_at__lt=before)
    return waiting.update(state=Letter.State.SENT, reason=Letter.Reason.DEMO, sent_at=F("created_at"), secret="")


def take_back(reason: str, subject: str) -> bool:
    """Cancels the letters held for a reason; False where one was let go before: then the caller undoes the rest.

    The rows decide: a letter let go between a look and the write would be cancelled on its way.
    """
    written = Letter.objects.filter(subject=subject, held_for=reason)
    written.filter(state=Letter.State.HELD).update(**cancelled(Letter.Reason.TAKEN_BACK))
    return not written.exclude(state=Letter.State.CANCELLED).exists()


def seal(text: str) -> str:
    """The encrypted form of a link that grants a login."""
    return _fernet().encrypt(text.encode()).decode()


def unseal(text: str) -> str:
    """The link again, for the worker that sends it."""
    return _fernet().decrypt(text.encode()).decode()


def _fernet() -> Fernet:
    # Its own key, derived: what signs cookies does not open letters.
    digest = hashlib.sha256(b"outbox.letter:" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
