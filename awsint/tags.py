"""The tags by which we find again at AWS what we sent: AWS gives no number back, and no token stops a second copy.

A new case bears `[ref:HD-1042-03fa]` in subject and body, an answer `-- ref:HD-1042#c1018/1` in its last line; the
number behind them is our letter's, so a tag is never given twice. Pure.
"""

import re
from dataclasses import dataclass

from helpdesk import refs

CASE = re.compile(r"\[ref:HD-(?P<ticket>[0-9]{1,18})-(?P<letter>[0-9a-f]{4,16})\]")
ANSWER = re.compile(
    r"^-- ref:HD-(?P<ticket>[0-9]{1,18})#c(?P<letter>[0-9]{1,18})/(?P<part>[0-9]{1,3})\s*\Z", re.MULTILINE
)


@dataclass(frozen=True)
class Tag:
    """Whose text it is: the ticket and the letter, and the part where it is an answer (0: a new case)."""

    ticket: int
    letter: int
    part: int = 0


def of_case(ticket: int, letter: int) -> str:
    """The tag of a new case."""
    return f"[ref:{refs.ref(ticket)}-{letter:04x}]"


def of_answer(ticket: int, letter: int, part: int) -> str:
    """The last line of an answer."""
    return f"-- ref:{refs.ref(ticket)}#c{letter}/{part}"


def found_in(text: str) -> Tag | None:
    """The tag that a text of ours bears, the last one where somebody quoted another."""
    if answer := ANSWER.search(text):
        return Tag(int(answer["ticket"]), int(answer["letter"]), int(answer["part"]))
    cases = list(CASE.finditer(text))
    return Tag(int(cases[-1]["ticket"]), int(cases[-1]["letter"], 16)) if cases else None
