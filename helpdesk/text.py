"""What people may type.

Characters are counted as a reader counts them: a family emoji or a letter with its accents is one. What PostgreSQL or
UTF-8 cannot hold (NUL and its kin, halves of a surrogate pair) is refused in plain words, and shown as � where the form
comes back, so that the page can be encoded, the person sees the place, and sending it once more succeeds. Nothing here
is quadratic in its input: the two known traps, long runs of flags and of combining marks, are named where they are met.
"""

import unicodedata
from typing import Any

import regex
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext

TITLE = 500
BODY = 50_000
# A reader's character is rarely more than a few code points: beyond this the text is refused uncounted.
CODE_POINTS_PER_CHARACTER = 10

CLUSTER = regex.compile(r"\X")
FLAG = regex.compile("[\U0001f1e6-\U0001f1ff]{2}")
UNSTORABLE = regex.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
BREAKS = regex.compile("[ \t\r\n\x85\u2028\u2029]+")
EDGE_LINES = regex.compile(r"\A(?:[^\S\n]*+\n)++")
BIDI_CONTROLS = regex.compile("[\u202a-\u202e\u2066-\u2069]")
INVISIBLE = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{White_Space}\u2800]*+")
STACKED_MARKS = regex.compile(r"\p{M}{31}")


class _Typed(forms.CharField):
    """A text field whose limit counts characters as a reader does."""

    def __init__(self, *, longest: int, **kwargs: Any) -> None:
        super().__init__(strip=False, **kwargs)
        self.longest = longest
        # Its words are poor, and ours name the cure.
        self.validators = [each for each in self.validators if not isinstance(each, ProhibitNullCharactersValidator)]
        self.validators.append(self._refuse_problem)

    def bound_data(self, data: Any, initial: Any) -> Any:
        typed = super().bound_data(data, initial)
        return showable(typed) if isinstance(typed, str) else typed

    def _refuse_problem(self, text: str) -> None:
        found = problem(text, self.longest)
        if found:
            raise ValidationError(found, code="text")


class Line(_Typed):
    """One line, cleaned by clean_line."""

    def __init__(self, *, longest: int = TITLE, **kwargs: Any) -> None:
        super().__init__(longest=longest, **kwargs)

    def to_python(self, value: Any) -> str:
        return clean_line(super().to_python(value) or "")


class Block(_Typed):
    """Paragraphs, cleaned by clean_block."""

    widget = forms.Textarea

    def __init__(self, *, longest: int = BODY, **kwargs: Any) -> None:
        super().__init__(longest=longest, **kwargs)

    def to_python(self, value: Any) -> str:
        return clean_block(super().to_python(value) or "")


def problem(text: str, longest: int) -> str | None:
    """Why `text` cannot be taken, in the reader's language, or None. `longest` is in characters."""
    if UNSTORABLE.search(text):
        return gettext(
            "This text has characters that cannot be stored. They are now shown as �: check them and try again."
        )
    over = _over(text, longest)
    if over <= 0:
        return None
    return ngettext(
        "%(over)s character too many: at most %(limit)s are possible here.",
        "%(over)s characters too many: at most %(limit)s are possible here.",
        over,
    ) % {"over": _grouped(over), "limit": _grouped(longest)}


def _over(text: str, longest: int) -> int:
    if len(text) > longest * CODE_POINTS_PER_CHARACTER or len(text) <= longest:
        return len(text) - longest
    return count_characters(text) - longest


def _grouped(count: int) -> str:
    return str(number_format(count, force_grouping=True))


def count_characters(text: str) -> int:
    """The characters of `text` as a reader counts them (grapheme clusters)."""
    # In a run of n flags the matcher looks back over the run at each flag; a letter stands in for every pair.
    return sum(1 for _ in CLUSTER.finditer(FLAG.sub("x", text)))


def showable(text: str) -> str:
    """The text with � for what cannot be stored or encoded."""
    return str(UNSTORABLE.sub("\ufffd", text))


def clean_line(text: str) -> str:
    """One line without edges, line breaks or direction controls; empty where nothing of it would be seen."""
    line = BREAKS.sub(" ", BIDI_CONTROLS.sub("", _composed(text))).strip()
    return "" if INVISIBLE.fullmatch(line) else line


def clean_block(text: str) -> str:
    """Paragraphs with plain line ends and without blank lines at either end; the first line keeps its indentation."""
    block = EDGE_LINES.sub("", _composed(text).replace("\r\n", "\n").replace("\r", "\n")).rstrip()
    return "" if INVISIBLE.fullmatch(block) else block


def _composed(text: str) -> str:
    # Composing sorts combining marks in quadratic time; no script stacks more than thirty (UAX 15, stream-safe text).
    return text if STACKED_MARKS.search(text) else unicodedata.normalize("NFC", text)
