"""Chinese and English, equally: nothing is missing in the catalogue, and no page mixes the languages."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from helpdesk import translations
from oncall.families import FAMILIES
from tickets import actions

LATIN = re.compile(r"[A-Za-z]{2,}")
HAN = re.compile(r"[\u4e00-\u9fff]+")
# Names of things and people, which both languages write alike.
NAMES = {
    *("HD", "SLA", "Markdown", "Asia", "Shanghai", "JavaScript", "QR", "Django", "Python", "PostgreSQL", "UTC", "API"),
    *("AWS", "Health", *(word for f in FAMILIES.values() for word in LATIN.findall(f.known_by))),
    *("KB", "MB", "GB", "PDF", "SHA", "HTML"),
    *("English", "Acme", "Globex", "Ana", "Cora", "Cody", "Carla", "Dora", "Gus", "Lee", "Ada", "Abe", "Audrey"),
}
PAGES = {
    "cora": ["/tickets/", "/tickets/?q=4711", "/tickets/create", "/tickets/{ref}/", "/account/", "/accounts/2fa/"],
    "ana": [
        "/tickets/",
        "/tickets/?view=overdue",
        "/tickets/?filter=1",
        "/tickets/{ref}/?whyme",
        "/tickets/{ref}/?assign",
        "/tickets/{ref}/",
        "/tickets/create",
        "/people/{ana}/work/",
    ],
    "ada": [
        "/console/",
        "/console/outbox/",
        "/console/outbox/caught/",
        "/console/mails/",
        "/people/",
        "/people/invite",
        "/tickets/HD-1/",
    ],
    "": ["/accounts/login/", "/accounts/password/reset/", "/accounts/signup/"],
}


class Words(HTMLParser):
    """What a page itself says: no code, no addresses, no initials, nothing marked as another language."""

    SILENT = ("script", "style", "code", "kbd", "title", "svg")
    VOID = ("input", "br", "hr", "img", "meta", "link", "use", "rect", "line", "path")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.stack: list[bool] = []
        self.said: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        marks = (given.get("class") or "").split()
        quiet = tag in self.SILENT or "mono" in marks or "face" in marks or (tag != "html" and "lang" in given)
        self.said += [given[a] or "" for a in ("placeholder", "aria-label", "data-label") if a in given and not quiet]
        if tag not in self.VOID:
            self.stack.append(quiet)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID and self.stack:
            self.stack.pop()

    def handle_data(self, data: str) -> None:
        if not any(self.stack):
            self.said.append(re.sub(r"\S+@\S+", "", data))


def test_the_catalogue_is_complete() -> None:
    assert translations.problems() == []


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_no_page_mixes_the_languages(cast: Any, language: str, settings: Any, tmp_path: Path) -> None:
    # What other tests left to be caught is in the language of whoever it was for.
    settings.MAIL_CAUGHT = tmp_path
    translations.compile_all()
    chinese = language == "zh-hans"
    ticket = actions.open_ticket(
        customer=cast.acme,
        title="一" if chinese else "One",
        description="二" if chinese else "Two",
        category="technical",
        impact="production_part",
        urgency="urgent",
        by=cast.cora,
        at=datetime.now(UTC),
    )
    actions.reply(ticket=ticket, body="三" if chinese else "Three", by=cast.ana, at=datetime.now(UTC), then="ask")
    strays = {}
    for who, pages in PAGES.items():
        client = Client(headers={"accept-language": language})
        if who:
            person = getattr(cast, who)
            person.language = language
            person.save(update_fields=["language"])
            client.force_login(person)
        for path in pages:
            said = " ".join(Words(client.get(path.format(ref=ticket.ref, ana=cast.ana.pk)).content.decode()).said)
            found = {w for w in LATIN.findall(said) if w not in NAMES} if chinese else set(HAN.findall(said))
            if found:
                strays[path] = found
    assert strays == {}
