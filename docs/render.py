"""A document from its text and the figures it names.

The text is Markdown of our own, in docs/content/<language>/<NAME>.md. Its tags are taken out before Markdown reads it
and their values are put in afterwards, so that no value can become markup: words are escaped, tables come from
templates. Headings carry explicit ids, which links from elsewhere rely on.
"""

import hashlib
import html
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.utils import translation
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from markdown import Markdown

from docs.figures import Sheet, Unknown, value
from sla.models import PolicyVersion

CONTENT = Path(__file__).resolve().parent / "content"
# Frozen with each version of the policy.
NAMES = ["SLA-POLICY"]
# Say how something is done and promise nothing: there is one of each, as it stands now.
GUIDES = ["AWS-HEALTH-SETUP"]
LANGUAGES = ["zh-hans", "en"]
TAG = re.compile(r"\{\{(.*?)\}\}")
BROKEN = re.compile(r"\{\{|\}\}")
# Characters of nobody's script stand for a tag while Markdown works.
MARK = re.compile("\ue000(\\d+)\ue001")
BLOCK = re.compile("<p>\ue000(\\d+)\ue001</p>")


class Faulty(Exception):
    """A text that cannot be rendered: which tag, in which file, on which line."""


@dataclass(frozen=True)
class Heading:
    """A line of the table of contents."""

    id: str
    text: str
    below: tuple["Heading", ...] = ()


@dataclass(frozen=True)
class Document:
    """What a reader gets. `sha256` is of the HTML as UTF-8."""

    html: SafeString
    sha256: str
    contents: tuple[Heading, ...]
    title: str


@dataclass(frozen=True)
class Text:
    """A text with its tags taken out: HTML with marks, and the tag of each mark with its line."""

    html: str
    tags: tuple[tuple[str, int], ...]
    contents: tuple[Heading, ...]


def render(name: str, language: str, policy: PolicyVersion, at: datetime) -> Document:
    """The document under a version of the policy. Raises Faulty."""
    path = CONTENT / language / f"{name}.md"
    text = understood(path.read_text(), f"{language}/{name}.md")
    sheet = Sheet(policy, at)
    with translation.override(language):
        values = [_value(tag, line, sheet, f"{language}/{name}.md") for tag, line in text.tags]
    whole = MARK.sub(lambda m: values[int(m[1])], BLOCK.sub(lambda m: values[int(m[1])], text.html))
    return finished(whole)


def finished(whole: str) -> Document:
    """A document of HTML that was rendered here, now or long ago."""
    found = _headings(whole)
    title = found[0].text if found else ""
    digest = hashlib.sha256(whole.encode()).hexdigest()
    return Document(SafeString(whole), digest, found[0].below if found else (), title)


def _value(tag: str, line: int, sheet: Sheet, where: str) -> str:
    try:
        return conditional_escape(value(tag, sheet))
    except Unknown:
        raise Faulty(f"{where}, line {line}: there is no figure called {tag!r}") from None


@lru_cache(maxsize=16)
def understood(source: str, where: str) -> Text:
    """The text as HTML with marks. Raises Faulty for half a tag."""
    tags: list[tuple[str, int]] = []
    lines = [_marked(line, number, tags, where) for number, line in enumerate(source.splitlines(), 1)]
    reader: Any = Markdown(extensions=["tables", "attr_list", "def_list", "sane_lists"], output_format="html")
    made = reader.convert("\n".join(lines))
    made = made.replace("<table>", '<div class="scroll"><table class="table">').replace("</table>", "</table></div>")
    return Text(made, tuple(tags), _headings(made))


def _marked(line: str, number: int, tags: list[tuple[str, int]], where: str) -> str:
    def mark(found: re.Match[str]) -> str:
        tags.append((found[1].strip(), number))
        return f"\ue000{len(tags) - 1}\ue001"

    marked = TAG.sub(mark, line)
    if BROKEN.search(marked):
        raise Faulty(f"{where}, line {number}: a tag is not closed or not opened")
    return marked


HEADING = re.compile(r'<h([1-3])(?: id="([^"]*)")?>(.*?)</h\1>', re.DOTALL)
MARKUP = re.compile(r"<[^>]+>")


def _headings(made: str) -> tuple[Heading, ...]:
    """The tree of headings, three levels deep."""
    flat = [
        (int(level), id_, html.unescape(MARKUP.sub("", text)).strip()) for level, id_, text in HEADING.findall(made)
    ]
    return _tree(flat, 1)


def _tree(flat: list[tuple[int, str, str]], level: int) -> tuple[Heading, ...]:
    starts = [n for n, (deep, _id, _text) in enumerate(flat) if deep == level]
    ends = [*starts, len(flat)][1:]
    return tuple(
        Heading(flat[start][1], flat[start][2], _tree(flat[start + 1 : end], level + 1))
        for start, end in zip(starts, ends, strict=True)
    )
