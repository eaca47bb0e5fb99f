"""How texts become the words of the index, in Chinese and in English.

Every pair of neighbouring Han characters is a word: whatever two characters somebody types are found, however a
dictionary would have cut the sentence around them. Everything else is letters and digits, whole and in parts:
"i-0abc" and "us-east-1" are found in an ARN, a host by its domain.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

import regex

# What PostgreSQL can hold: a vector 1 MB, a position 16,383; and what ranking can use.
MOST_LEXEMES = 20_000
LONGEST_WORD = 100
LAST_POSITION = 16_383
POSITIONS = 12
# Between title and text, so that words on either side are no neighbours.
GAP = 20

HAN = r"[\p{Han}\p{Hiragana}\p{Katakana}ー]"
WORD = rf"[[\p{{L}}\p{{M}}\p{{N}}]--{HAN}]"
TOKEN = regex.compile(rf"(?V1)(?P<han>{HAN}++)|{WORD}++(?:[._:/@+#=&?~-]++{WORD}++)*+")
# An ARN or address falls into names at the first, a name into words at both.
LARGE = regex.compile(r"[:/@#=&?~]+")
SMALL = regex.compile(r"[._:/@+#=&?~-]+")
SIGNS = regex.compile(r"^[._+-]+|[._+-]+$")
HAN_ONLY = regex.compile(HAN)


def literal(title: str, text: str, scope: Iterable[str]) -> str:
    """The row's words as PostgreSQL reads a tsvector: title (A) and text with places, scope without."""
    places: dict[str, list[str]] = {}
    at = 0
    for part, weight in ((title, "A"), (text, "")):
        begin = at
        for word, place in tokens(part):
            at = min(begin + place + 1, LAST_POSITION)
            known = places.get(word)
            if known is None:
                if len(places) == MOST_LEXEMES:
                    break
                places[word] = [f"{at}{weight}"]
            elif len(known) < POSITIONS:
                known.append(f"{at}{weight}")
        at += GAP
    # Letters, digits and a few signs: nothing in a word needs more quoting than the quotes.
    return " ".join([*(f"'{word}':{','.join(known)}" for word, known in places.items()), *(f"'{s}'" for s in scope)])


def folded(text: str) -> str:
    """One form for what reads alike: full and half width, upper and lower case."""
    return unicodedata.normalize("NFKC", text).casefold()


def tokens(text: str) -> Iterator[tuple[str, int]]:
    """The index's words of a text with their places; a name and its parts begin at the same one."""
    at = 0
    for line in folded(text).split("\n"):
        words, places = _kept(line) if len(line) <= LONGEST_KEPT else _of_line(line)
        yield from ((word, at + place) for word, place in words)
        at += places


def _of_line(line: str) -> tuple[list[tuple[str, int]], int]:
    """The words of a folded line with their places in it, and how many places it takes."""
    found, at = list[tuple[str, int]](), 0
    for match in TOKEN.finditer(line):
        word = match[0]
        if match["han"]:
            found += [(word[n : n + 2], at + n) for n in range(len(word))]
            at += len(word)
            continue
        for name in names_in(word):
            parts = SMALL.split(name)
            if len(parts) > 1:
                found.append((name[:LONGEST_WORD], at))
            found += [(part[:LONGEST_WORD], at + n) for n, part in enumerate(parts)]
            at += len(parts)
    return found, at


# Thousands of tickets of one event at AWS differ in a few lines: the others are cut once.
LONGEST_KEPT = 2000
_kept = lru_cache(maxsize=128)(_of_line)


def names_in(word: str) -> list[str]:
    """The names an address falls into, without the signs left where two stood together: "offset=-1", "log-/x"."""
    return [name for name in (SIGNS.sub("", each) for each in LARGE.split(word)) if name]
