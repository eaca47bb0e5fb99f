"""The sign by which an answer finds its ticket: "HD-1042.<mac>", in the address it goes to and in a line of the mail.

Whoever holds it may write to that ticket and read nothing. The code is 128 bits of an HMAC under a key of its own,
spelt so that neither upper case nor a mail program's line break can harm it. Providers replace the Message-ID and some
drop Reply-To; what stands in the body stays.
"""

import base64
import hashlib
import hmac
import re

from django.conf import settings
from django.utils.crypto import constant_time_compare

FOUND = re.compile(r"(?<![a-z0-9])(hd-[1-9][0-9]{0,17})\.([a-z2-7]{26})(?![a-z0-9])", re.IGNORECASE)
# Who pastes more of them than this is trying them.
MOST = 20


def make(ref: str) -> str:
    """The token of a ticket, the same at any time."""
    return f"{ref}.{code(f'reply:{ref.upper()}')}"


def read(text: str) -> str | None:
    """The ticket whose token stands in an address or a text; None where there is none of ours."""
    for number, found in enumerate(FOUND.finditer(text)):
        if number == MOST:
            break
        ref = found[1].upper()
        if constant_time_compare(found[2].lower(), code(f"reply:{ref}")):
            return ref
    return None


def code(text: str) -> str:
    """Twenty-six letters that only this desk can write under a text."""
    key = hashlib.sha256(b"outbox.token:" + settings.SECRET_KEY.encode()).digest()
    digest = hmac.new(key, text.encode(), hashlib.sha256).digest()[:16]
    return base64.b32encode(digest).decode().rstrip("=").lower()
