"""Translations without gettext on the machine: Babel extracts and compiles.

English stands in the source; Chinese in locale/zh_Hans/LC_MESSAGES/django.po. Templates go through Django's own
templatize(), so that both kinds of template tags are read as Django reads them. Compiled files are not committed:
`up` and `make test` write them.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation import templatize

KEYWORDS = {
    "_": None,
    "_l": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "npgettext": ((1, "c"), 2, 3),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]|%[sd%]")
# Header lines that change at every update or name nobody.
NOISE = re.compile(rb'"(POT-|PO-Rev|Project-Id|Report-|Last-|Language-Team|Generated)')
# What is rightly the same in both languages: names, codes, formats.
SAME = {"AWS", "AWS GovCloud", "AWS Support", "AWS Health", "API", "SLA", "Django", "Markdown", "English"}


def po_files() -> list[Path]:
    return sorted(path for root in settings.LOCALE_PATHS for path in Path(root).glob("*/LC_MESSAGES/*.po"))


def compile_all() -> int:
    """Writes a .mo beside each .po that is newer; returns how many were written."""
    return sum(_compile(po) for po in po_files())


def _compile(po: Path) -> bool:
    mo = po.with_suffix(".mo")
    if mo.exists() and mo.stat().st_mtime >= po.stat().st_mtime:
        return False
    out = BytesIO()
    write_mo(out, _read(po))
    fresh = mo.with_suffix(f".mo.{id(out)}")
    fresh.write_bytes(out.getvalue())
    fresh.replace(mo)
    return True


def update() -> int:
    """Brings every catalogue up to what the sources say; returns the number of messages."""
    template = messages()
    for po in po_files():
        catalog = _read(po)
        catalog.update(template, no_fuzzy_matching=True, update_header_comment=False)
        catalog.obsolete.clear()
        out = BytesIO()
        write_po(out, catalog, width=110, omit_header=False, no_location=True, sort_output=True)
        po.write_bytes(b"".join(line for line in out.getvalue().splitlines(keepends=True) if not NOISE.match(line)))
    return len(template)


def problems() -> list[str]:
    """What is wrong with the catalogues, a line each: missing, empty, equal, fuzzy, other placeholders."""
    found = []
    for po in po_files():
        catalog = _read(po)
        for message in messages():
            if message.id and (problem := _problem(message, catalog)):
                found.append(f"{po.parent.parent.name}: {problem}: {message.id!r}")
    return found


def _problem(message: Message, catalog: Catalog) -> str | None:
    theirs = catalog.get(message.id, context=message.context)
    if theirs is None:
        return "missing"
    if theirs.fuzzy:
        return "fuzzy"
    id_: Any = message.id
    originals: tuple[str, ...] = tuple(id_) if isinstance(id_, (tuple, list)) else (id_,)
    string: Any = theirs.string
    words: tuple[str, ...] = tuple(string) if isinstance(string, (tuple, list)) else (string or "",)
    if not all(words):
        return "empty"
    if any(word == originals[0] and word not in SAME for word in words):
        return "not translated"
    asked = set(PLACEHOLDER.findall(originals[-1]))
    # A plural form may leave the number out, and Chinese has one form for all.
    if any(set(PLACEHOLDER.findall(word)) != asked for word in words):
        return "other placeholders"
    return None


def messages() -> Catalog:
    """Every message in the sources."""
    catalog = Catalog(charset="utf-8", fuzzy=False)
    for path in _sources():
        text = path.read_text()
        if path.suffix != ".py":
            text = templatize(text, origin=str(path))
        for line, words, comments, context in extract(
            "python", BytesIO(text.encode()), KEYWORDS, options={"encoding": "utf-8"}
        ):
            catalog.add(
                words, None, [(str(path.relative_to(settings.BASE_DIR)), line)], user_comments=comments, context=context
            )
    return catalog


def _sources() -> Iterator[Path]:
    for folder in ("awsint", "docs", "helpdesk", "oncall", "sla", "tickets"):
        yield from (p for p in sorted((settings.BASE_DIR / folder).rglob("*.py")) if "migrations" not in p.parts)
    for pattern in ("*.html", "*.txt", "*.subject"):
        yield from sorted((settings.BASE_DIR / "templates").rglob(pattern))


def _read(po: Path) -> Catalog:
    with po.open("rb") as file:
        return read_po(file, locale=po.parent.parent.name)
