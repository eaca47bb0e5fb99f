"""The mails that `manage.py mail_server` caught, read from their files: for a desk on one's own machine.

Links in them grant logins. Who may not administer the desk sees them as [link], and gets no source.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from email.policy import default
from pathlib import Path

from django.conf import settings

NAME = re.compile(r"[0-9]{20}-[0-9]{7,10}-[0-9]{6,10}")
LARGEST = 5 * 2**20
HEAD = 64 * 1024
SECRET_LINK = re.compile(r"https?://[^\s\"'<>]+/(?:invitation|accounts/password/reset/key)/[^\s\"'<>]+")
SHOWN = ("From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID", "References", "Auto-Submitted")


@dataclass(frozen=True)
class Caught:
    """A mail in the list."""

    name: str
    at: datetime
    to: str
    subject: str


@dataclass(frozen=True)
class Read:
    """A mail opened. `html` is empty where it has none."""

    name: str
    at: datetime
    subject: str
    headers: list[tuple[str, str]]
    text: str
    html: str


def page(before: str, most: int) -> list[Caught]:
    """The newest, or those older than `before`."""
    names = sorted((n for n in _names() if not before or n < before), reverse=True)
    return [_headed(name) for name in names[:most]]


def read(name: str, *, with_links: bool) -> Read:
    """One mail. Raises FileNotFoundError."""
    mail = BytesParser(EmailMessage, policy=default).parsebytes(source(name))
    text, html = (_body(mail, kind) for kind in ("plain", "html"))
    if not with_links:
        text, html = (SECRET_LINK.sub("[link]", part) for part in (text, html))
    headers = [(h, str(mail[h])) for h in SHOWN if mail[h]]
    return Read(name, _instant(name), str(mail["Subject"] or ""), headers, text, html)


def source(name: str) -> bytes:
    """As it came. Raises FileNotFoundError."""
    if not NAME.fullmatch(name):
        raise FileNotFoundError(name)
    with _path(name).open("rb") as file:
        return file.read(LARGEST)


def _names() -> Iterator[str]:
    return (file.stem for file in settings.MAIL_CAUGHT.glob("*.eml") if NAME.fullmatch(file.stem))


def _path(name: str) -> Path:
    return Path(settings.MAIL_CAUGHT) / f"{name}.eml"


def _headed(name: str) -> Caught:
    try:
        with _path(name).open("rb") as file:
            head = BytesHeaderParser(policy=default).parsebytes(file.read(HEAD))
        to, subject = (str(head[h] or "") for h in ("To", "Subject"))
    except (OSError, ValueError, LookupError):
        to = subject = ""
    return Caught(name, _instant(name), to, subject)


def _instant(name: str) -> datetime:
    return datetime.fromtimestamp(int(name[:20]) / 1e9, UTC)


def _body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError):
        return part.get_payload(decode=True).decode(errors="replace")  # type: ignore[union-attr]
