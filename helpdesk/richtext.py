"""Markdown to HTML that is safe to show, for descriptions, replies and notes.

What engineers paste must survive: raw HTML and entities are text here, "[ERROR]: full" is no link definition,
"#!/bin/sh" no heading, and fenced code keeps every character. Safety rests on the last step alone: nh3 keeps an
allow-list of the rendered HTML, so no fault in the steps before can become a script.

Markdown parsers are quadratic in places. A paragraph that could make ours slow (more than a few hundred brackets, stars
and the like, a long one full of them, deep nesting) is shown as plain text with its line breaks; so is all of a text
longer than 50,000 characters.
"""

import logging
import re
import threading
from html import escape
from itertools import groupby
from typing import Any
from xml.etree.ElementTree import Element

import nh3
from markdown import Markdown
from markdown.blockprocessors import HashHeaderProcessor
from markdown.inlinepatterns import InlineProcessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

LONGEST = 50_000
# In one paragraph: of one mark, of all marks times the length, of markers in front of a line, of lines.
MOST_OF_A_MARK = 200
MOST_WORK = 200_000
DEEPEST = 20
MOST_LINES = 1_000

MARKS = "[*_`<!\\|#"
TAB = 4
FENCE = re.compile(r"( {0,3})(`{3,}(?=[^`]*$)|~{3,})")
MARKERS = re.compile(r"(?:[ ]*(?:>|[*+-] |\d{1,9}\. ))*[ ]*")
MARKER = re.compile(r">|[*+-] |\d\. ")
URL = r"(?<![A-Za-z0-9])(?i:https?)://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]{1,2000}"
URL_TAIL = ".,:;!?'*_~#"
ENTITY = re.compile(r"&(?=#?\w+;)")
UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
HALVES = re.compile("[\ud800-\udfff]")
EXCERPT_NOISE = re.compile(r"^[ \t]*(?:`{3,}.*|~{3,}.*|(?:>[ ]?|#{1,6} |[*+-] )+)|\*\*|`", re.MULTILINE)
EXCERPT_LINK = re.compile(r"!?\[([^\[\]\n]{1,200})\]\([^()\s]{1,2000}\)")

HEADINGS = {"h1": "h3", "h2": "h4", "h3": "h5", "h4": "h6", "h5": "h6", "h6": "h6"}
TAGS = frozenset(
    "p br strong em del code pre blockquote ul ol li table thead tbody tr th td h3 h4 h5 h6 hr a".split()  # noqa: SIM905
)
CLEANER = nh3.Cleaner(
    tags=TAGS,
    # The star stands for every tag: without it nh3 lets title and lang through.
    attributes={"*": set(), "a": {"href"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow ugc",
)

log = logging.getLogger(__name__)
_threads = threading.local()


def render(source: str) -> str:
    """Markdown as safe HTML: only TAGS, links to http, https and mailto, no other attribute than href and rel."""
    source = _showable(source)
    if len(source) > LONGEST:
        return _paragraphs(source)
    try:
        return CLEANER.clean(_parser().reset().convert(source))
    except Exception:
        # Whatever the parser stumbles over, the words must be readable; a parser that raised may hold half a state.
        log.exception("a text could not be rendered and is shown plain")
        del _threads.parser
        return _paragraphs(source)


def as_typed(source: str) -> str:
    """A text that is no Markdown as HTML: escaped, with its paragraphs and line breaks, and no link (A-02)."""
    return _paragraphs(_showable(source))


def plain(source: str, limit: int) -> str:
    """The beginning of a text on one line, without its marks, at most `limit` code points, for lists and letters."""
    head = _showable(source[: limit * 4 + 400])
    words = EXCERPT_NOISE.sub("", EXCERPT_LINK.sub(r"\1", head)).split()
    line = " ".join(words)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _showable(source: str) -> str:
    text = HALVES.sub("\ufffd", source.replace("\r\n", "\n").replace("\r", "\n"))
    return UNSHOWABLE.sub("", text)


def _paragraphs(text: str) -> str:
    return "\n".join(_paragraph(each) for each in re.split(r"\n(?:[ \t]*\n)+", text.strip("\n")) if each.strip())


def _paragraph(text: str) -> str:
    if text.startswith(" " * TAB):
        return f"<pre><code>{escape(text, quote=False)}\n</code></pre>"
    return "<p>" + escape(text, quote=False).replace("\n", "<br>\n") + "</p>"


# --- The parser ------------------------------------------------------------------------------------------------------


def _parser() -> Markdown:
    """This thread's parser: building one costs more than most texts."""
    if not hasattr(_threads, "parser"):
        _threads.parser = _built()
    parser: Markdown = _threads.parser
    return parser


def _built() -> Markdown:
    parser = Markdown(extensions=["tables", "sane_lists", "nl2br"], output_format="html", tab_length=TAB)
    for name in ("normalize_whitespace", "html_block"):
        parser.preprocessors.deregister(name)
    parser.parser.blockprocessors.deregister("reference")
    for name in ("reference", "image_reference", "short_reference", "short_image_ref", "automail", "html", "entity"):
        parser.inlinePatterns.deregister(name)
    parser.preprocessors.register(_Pasted(parser), "pasted", 30)
    parser.parser.blockprocessors.register(_SpacedHeading(parser.parser), "hashheader", 70)
    parser.inlinePatterns.register(_BareUrl(URL, parser), "bare_url", 115)
    parser.treeprocessors.register(_Tame(parser), "tame", -10)
    return parser


class _Pasted(Preprocessor):
    """Sets aside fenced code and heavy paragraphs, which then pass the parser as one placeholder each."""

    def run(self, lines: list[str]) -> list[str]:
        return [*self._without_heavy(self._without_fences(lines)), "", ""]

    def _without_fences(self, lines: list[str]) -> list[str]:
        kept: list[str] = []
        rest = iter(lines)
        for line in rest:
            fence = FENCE.match(line)
            if fence:
                code = "\n".join(_until_closed(rest, fence[2], len(fence[1])))
                kept += self._set_aside(f"<pre><code>{escape(code, quote=False)}\n</code></pre>", fence[1])
            else:
                kept.append(line.expandtabs(TAB) if line.strip() else "")
        return kept

    def _set_aside(self, html: str, indent: str) -> list[str]:
        placeholder = self.md.htmlStash.store(html)
        # An indented fence belongs to the list item above it, which a blank line would end.
        return [indent + placeholder] if indent else ["", placeholder, ""]

    def _without_heavy(self, lines: list[str]) -> list[str]:
        kept: list[str] = []
        for is_text, group in groupby(lines, key=bool):
            block = list(group)
            kept += self._set_aside(_paragraph("\n".join(block)), "") if is_text and _is_heavy(block) else block
        return kept


def _until_closed(rest: Any, fence: str, indent: int) -> list[str]:
    """The code lines up to the closing fence, or to the end where nobody closed it."""
    code: list[str] = []
    for line in rest:
        stripped = line.strip()
        if len(stripped) >= len(fence) and not stripped.strip(fence[0]):
            break
        code.append(line[min(indent, len(line) - len(line.lstrip(" "))) :])
    return code


def _is_heavy(block: list[str]) -> bool:
    text = "\n".join(block)
    counts = [text.count(mark) for mark in MARKS]
    return (
        len(block) > MOST_LINES
        or max(counts) > MOST_OF_A_MARK
        or sum(counts) * len(text) > MOST_WORK
        or any(_depth(line) > DEEPEST for line in block)
    )


def _depth(line: str) -> int:
    markers = MARKERS.match(line)
    return len(MARKER.findall(markers[0])) + (len(line) - len(line.lstrip(" "))) // TAB if markers else 0


class _SpacedHeading(HashHeaderProcessor):
    """A heading only with a space after its hashes."""

    RE = re.compile(r"(?:^|\n)(?P<level>#{1,6})[ ](?P<header>[^\n]*)(?:\n|$)")


class _BareUrl(InlineProcessor):
    """A link where somebody typed or pasted an address; the punctuation behind it stays outside."""

    ANCESTOR_EXCLUDES = ("a",)

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[Element, int, int]:  # type: ignore[override]
        url = _without_tail(m[0])
        link = Element("a", href=url)
        link.text = AtomicString(url)
        return link, m.start(0), m.start(0) + len(url)


def _without_tail(url: str) -> str:
    url = url.rstrip(URL_TAIL)
    for opening, closing in ("()", "[]"):
        while url.endswith(closing) and url.count(opening) < url.count(closing):
            url = url[:-1].rstrip(URL_TAIL)
    return url


class _Tame(Treeprocessor):
    """Headings below the page's own, images as links, and entities as they were typed."""

    def run(self, root: Element) -> None:
        within_links = {child for link in root.iter("a") for child in link.iter() if child is not link}
        for element in root.iter():
            element.tag = HEADINGS.get(element.tag, element.tag)
            if element.tag == "img":
                _as_link(element, "span" if element in within_links else "a")
            if element.text and element.tag != "code":
                element.text = ENTITY.sub("&amp;", element.text)
            if element.tail:
                element.tail = ENTITY.sub("&amp;", element.tail)
            if "href" in element.attrib:
                element.set("href", ENTITY.sub("&amp;", _in_one_piece(element.attrib["href"])))


def _in_one_piece(address: str) -> str:
    """The address as a browser reads it: without the line breaks and tabs within."""
    return re.sub(r"[\t\n]", "", address)


def _as_link(image: Element, tag: str) -> None:
    source = image.attrib.get("src", "")
    image.tag = tag
    image.text = image.attrib.get("alt") or source
    image.set("href", source)
