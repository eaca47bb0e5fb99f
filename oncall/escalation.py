"""Whom a critical ticket pages, one after the other, until somebody acknowledges (oncall.md, 8)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """So many seconds after the page begins: who, and by which kind of message."""

    after_s: int
    who: str
    how: str


CRITICAL = (
    Step(0, "primary", "message"),
    Step(180, "primary", "call"),
    Step(300, "secondary", "message"),
    Step(480, "lead", "message"),
    Step(720, "manager", "message"),
)
# How often the whole ladder is walked again.
REPEATS = 2
