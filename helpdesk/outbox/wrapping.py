"""The text part of a mail in lines that every reader can show.

Latin breaks at spaces, Han between characters but never so that a line begins with a comma. Code, tables and addresses
stay as they are.
"""

import re
import unicodedata

WIDTH = 76
# What may not begin a line, and what may not end one.
CLOSING = "，。、；：？！）》」』”’…·,.;:?!)]}%"
OPENING = "（《「『“‘([{"
PIECES = re.compile(r"[ ]+|[^ ]+")
FENCE = re.compile(r"(?:> ?)*\s*(`{3,}|~{3,})")
AS_IT_IS = re.compile(r"(?:> ?)*(?: {4}|\t|\|)")
QUOTED = re.compile(r"(?:> ?)*")
LEAST_ROOM = 20


def wrapped(text: str, width: int = WIDTH) -> str:
    """The text without long lines, spaces at line ends or more than one blank line in a row."""
    lines: list[str] = []
    fenced = False
    for line in text.splitlines():
        line = line.rstrip()
        fence = FENCE.match(line)
        if fenced or fence or AS_IT_IS.match(line) or columns(line) <= width:
            fenced ^= bool(fence)
            lines.append(line)
        else:
            lines += _broken(line, width)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


def columns(text: str) -> int:
    """How wide a text stands: a Han character takes two columns."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _broken(line: str, width: int) -> list[str]:
    """The line in several; what quotes it stands before each."""
    mark = (QUOTED.match(line) or [""])[0]
    room = max(LEAST_ROOM, width - columns(mark))
    lines, current, used = [], "", 0
    for piece in _pieces(line[len(mark) :]):
        wide = columns(piece)
        if used + columns(piece.rstrip()) > room and current.strip():
            lines.append(mark + current.rstrip())
            current, used, piece = "", 0, piece.lstrip(" ")
            wide = columns(piece)
        current += piece
        used += wide
    return [*lines, mark + current.rstrip()] if current.strip() else lines


def _pieces(line: str) -> list[str]:
    """What a line may be broken between."""
    pieces: list[str] = []
    for run in PIECES.findall(line):
        if run[0] == " ":
            if pieces:
                pieces[-1] += run
            continue
        if run.isascii():
            pieces.append(run)
            continue
        for c in run:
            wide = unicodedata.east_asian_width(c) in "WF" or (pieces and _ends_wide(pieces[-1]))
            joins = pieces and (c in CLOSING or pieces[-1][-1] in OPENING or not (wide or pieces[-1][-1] == " "))
            if joins:
                pieces[-1] += c
            else:
                pieces.append(c)
    return pieces


def _ends_wide(piece: str) -> bool:
    return unicodedata.east_asian_width(piece[-1]) in "WF"
