"""A text that is longer than AWS takes, in parts that it does take. Pure.

Parts end where a paragraph ends, else a line, a sentence, a word, and never within what a reader sees as one character.
Nothing is lost or added between them: joined again they are the text, but for the white space at a cut.
"""

import regex

# What AWS takes of a body (aws.md, 1.1), and what we need of it for "(12/34)" and the tag.
MOST = 8000
ROOM = 80
# A part that ends earlier than this would only make more parts.
LEAST = 0.5
ENDS = ("\n\n", "\n", "。", ". ", "；", "; ", "，", ", ", " ")


def parts_of(text: str, most: int = MOST - ROOM) -> list[str]:
    """The text in its order, each part at most `most` characters as AWS counts them; one part where it fits."""
    rest, found = text.strip(), []
    while len(rest) > most:
        cut = _cut(rest, most)
        found.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*found, rest] if rest else found


def _cut(text: str, most: int) -> int:
    for end in ENDS:
        at = text.rfind(end, int(most * LEAST), most - len(end) + 1)
        if at > 0:
            return at + len(end)
    return _between_characters(text, most)


def _between_characters(text: str, most: int) -> int:
    """The last place before `most` that does not part what is read as one character."""
    window = text[max(0, most - 64) : most + 64]
    begin, cut = max(0, most - 64), 0
    for one in regex.finditer(r"\X", window):
        if begin + one.start() > most:
            break
        cut = begin + one.start()
    # A single character of more than 64 code points is no character.
    return cut if cut > begin else most


def numbered(part: str, number: int, count: int) -> str:
    """A part as it leaves: with its number before it, where there are several."""
    return part if count == 1 else f"({number}/{count})\n{part}"
