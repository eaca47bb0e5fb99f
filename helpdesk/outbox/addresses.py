"""Names and subjects as a header may carry them: whatever somebody calls themselves adds no line and no recipient."""

import contextlib
import unicodedata
from email.header import Header
from email.utils import formataddr, parseaddr

import regex

from helpdesk.text import BREAKS

LONGEST_NAME = 80
LONGEST_SUBJECT = 150
PLAIN = regex.compile(r"[A-Za-z0-9][A-Za-z0-9 .'-]*")


def one_line(text: str, longest: int) -> str:
    """A text without breaks, controls or what a reader would decode once more, at most `longest` code points."""
    line = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)
    # "=?utf-8?q?...?=" typed by somebody is text and no encoding.
    line = BREAKS.sub(" ", line.replace("=?", "= ?")).strip()
    return str(line) if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def named(name: str, address: str) -> str:
    """`Name <address>` for a header; anything but plain letters is encoded, so that nothing in it can be read as more.

    The address is one that `django.core.validators.validate_email` accepts.
    """
    line = one_line(name, LONGEST_NAME)
    if not line:
        return address
    # On one line: Django folds it again, and refuses a line break before it does.
    return formataddr((line if PLAIN.fullmatch(line) else Header(line, "utf-8").encode(linesep=""), address))


def bare(written: str) -> str:
    """The address of "Name <address>" by which it is known again: in small letters, its domain as the wire has it."""
    address = parseaddr(written.replace("\x00", ""))[1].encode(errors="replace").decode().lower()[:254]
    local, at, domain = address.rpartition("@")
    with contextlib.suppress(UnicodeError):
        domain = domain.encode("idna").decode()
    return f"{local}{at}{domain}"
