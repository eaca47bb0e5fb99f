"""What was found, as a reader sees it: the line around it, and the words that were asked for marked in it."""

from collections.abc import Iterable, Iterator, Sequence

import regex
from django.utils.html import format_html
from django.utils.safestring import SafeString

from helpdesk import richtext
from tickets.cutting import HAN_ONLY, folded

# Characters of an excerpt, and of them before what was found.
EXCERPT, BEFORE = 200, 50


def marked(text: str, terms: Iterable[str]) -> SafeString:
    """A text as HTML with what was asked for marked; everything in it is escaped."""
    return _marked(text, [*_places(text, terms)])


def excerpt(source: str, terms: Iterable[str]) -> SafeString:
    """A line of a message around the first place that was asked for, its Markdown taken off."""
    text = richtext.plain(source, len(source))
    places = [*_places(text, terms)]
    begin = max(0, places[0][0] - BEFORE) if places else 0
    end = min(len(text), begin + EXCERPT)
    inside = [(a - begin, min(b, end) - begin) for a, b in places if a < end]
    line = _marked(text[begin:end], inside)
    return format_html("{}{}{}", "…" if begin else "", line, "…" if end < len(text) else "")


def _marked(text: str, places: list[tuple[int, int]]) -> SafeString:
    parts: list[SafeString] = []
    at = 0
    for begin, end in places:
        parts.append(format_html("{}<mark>{}</mark>", text[at:begin], text[begin:end]))
        at = end
    return format_html("{}{}", SafeString("".join(parts)), text[at:])


def _places(text: str, terms: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Where any of the terms stands, in order, as offsets of `text`; a Latin term only where a word begins."""
    longest = sorted(set(terms), key=len, reverse=True)
    if not longest:
        return
    either = "|".join(
        regex.escape(t) if HAN_ONLY.match(t) else rf"(?<![\p{{L}}\p{{N}}]){regex.escape(t)}" for t in longest
    )
    plain, origin = _folded_with_origins(text)
    for found in regex.finditer(either, plain):
        yield origin[found.start()], origin[found.end() - 1] + 1


def _folded_with_origins(text: str) -> tuple[str, Sequence[int]]:
    """The folded text, and which character of `text` each of its characters comes from."""
    whole = folded(text)
    if len(whole) == len(text):
        return whole, range(len(text))
    each = [folded(c) for c in text]
    return "".join(each), [n for n, c in enumerate(each) for _ in c]
