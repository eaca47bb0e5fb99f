"""One part of a file, as RFC 9110 has it. Several parts at once are answered with the whole: nobody needs them."""

import re
from dataclasses import dataclass

ONE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True)
class Part:
    """Bytes `start` up to and with `last`."""

    start: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.start + 1


class Unsatisfiable(Exception):
    """The part begins behind the end: 416."""


def asked_part(header: str, size: int) -> Part | None:
    """The part that a Range header asks of `size` bytes; None for the whole. Raises Unsatisfiable."""
    found = ONE.fullmatch(header.strip())
    if not found or found[0] == "bytes=-":
        return None
    first, last = found[1], found[2]
    if not first:
        return _suffix(int(last), size)
    start, end = int(first), int(last) if last else size - 1
    if last and end < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return Part(start, min(end, size - 1))


def _suffix(length: int, size: int) -> Part:
    if length == 0 or size == 0:
        raise Unsatisfiable
    return Part(max(0, size - length), size - 1)
