"""The number a ticket is known by, "HD-1042". Storeys below the tickets point up only by this text."""

import re

PATTERN = re.compile(r"(?:HD-?)?([1-9][0-9]{0,17})", re.IGNORECASE)


def ref(number: int) -> str:
    """The text form of a ticket's number."""
    return f"HD-{number}"


def number(text: str) -> int | None:
    """The ticket's number in "HD-1042", "hd1042" or "1042"; None where the text is no such thing."""
    found = PATTERN.fullmatch(text.strip())
    return int(found[1]) if found and int(found[1]) < 2**63 else None
