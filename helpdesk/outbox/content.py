"""What a letter says, asked for when it leaves: `settings.OUTBOX_CONTENT` names the function that knows.

The storeys above answer for their kinds ("ticket.", "account."); the longest prefix that fits wins. So the outbox knows
neither tickets nor people, and what is written is what is true, and may be read, when the letter is sent.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from helpdesk.outbox.models import Letter


class Unwritable(Exception):
    """A letter cannot become a mail, and trying again will not help; the text says why, to whoever runs the desk."""


class Bounces(Unwritable):
    """None of the addresses that it could go to takes mail any more."""


class NobodyLeft(Unwritable):
    """None of those a letter was written to may read it any more: it need not become one."""


@dataclass(frozen=True)
class Content:
    """What a letter says, and to whom.

    `context` is for the trio templates/email/<kind>.{subject,txt,html}; `readers` names those who may still read it, by
    key (an empty name where none is known): whoever of the letter's is not among them gets no mail. `reply_to` is what
    an answer belongs to ("HD-1042"), `references` the ids of the mails before it, oldest first. `automatic`: nobody's
    words are in it. `files` go along: name, bytes, type.
    """

    context: dict[str, Any]
    readers: dict[str, str]
    references: list[str] = field(default_factory=list)
    reply_to: str = ""
    automatic: bool = False
    files: list[tuple[str, bytes, str]] = field(default_factory=list)


Say = Callable[[Letter, datetime], Content | None]


def content_of(letter: Letter, at: datetime) -> Content | None:
    """What a letter says at an instant; None where there is nothing to say any more. Raises Unwritable."""
    fitting = [prefix for prefix in settings.OUTBOX_CONTENT if letter.kind.startswith(prefix)]
    if not fitting:
        raise Unwritable(f"nobody knows what a letter of kind {letter.kind} says (settings.OUTBOX_CONTENT)")
    say: Say = import_string(settings.OUTBOX_CONTENT[max(fitting, key=len)])
    return say(letter, at)
