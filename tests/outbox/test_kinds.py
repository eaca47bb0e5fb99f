"""Every kind of letter has its words, in both languages: nothing missing, nothing foreign, nothing remote."""

import ast
import re
from email import message_from_bytes, policy
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from helpdesk import mail_previews, translations
from helpdesk.accounts import mail_samples as account_samples
from helpdesk.outbox.wrapping import columns
from tests.test_architecture import parsed
from tests.test_translations import HAN, LATIN, NAMES
from tickets import mail_samples
from tickets.workflow import TABLE

pytestmark = pytest.mark.django_db
KINDS = mail_previews.kinds()
LANGUAGES = ["zh-hans", "en"]
# What the samples themselves say, and headers of mails.
SAMPLE = {
    "AccessDenied",
    "CNY",
    "SUP",
    "sha",
    "orders",
    "prod",
    "CPU",
    "RDS",
    "EventBridge",
    "OPERATIONAL",
    "ISSUE",
    "us",
    "east",
    "UPDATE",
    "SET",
    "WHERE",
    "IS",
    "NULL",
    "region",
    "cn",
    "north",
    "png",
    "dba",
}
BOTH = pytest.mark.parametrize("language", LANGUAGES)
EACH = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def _in_both_languages() -> None:
    translations.compile_all()


class Html(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []
        self.silent = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.silent += tag in ("style", "title", "code")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("style", "title", "code")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.said.append(data)


def parts(kind: str, language: str) -> tuple[str, str, str]:
    mail = mail_previews.written(kind, language)
    return str(mail.subject), str(mail.body), str(mail.alternatives[0][0])


def kinds_in_the_code() -> set[str]:
    """Whatever the code names where it writes letters."""
    found = {verb.action for verb in TABLE.values() if verb.hears}
    for name, tree in parsed():
        if "bench" in name:
            continue
        for node in ast.walk(tree):
            called = (
                getattr(node.func, "id", "") or getattr(node.func, "attr", "") if isinstance(node, ast.Call) else ""
            )
            if called in ("Draft", "News", "tell") and node.args:  # type: ignore[attr-defined]
                found |= {
                    c.value
                    for c in ast.walk(node.args[0])  # type: ignore[attr-defined]
                    if isinstance(c, ast.Constant) and isinstance(c.value, str)
                }
    return {kind for kind in found if kind.startswith(("ticket.", "account."))}


def test_every_kind_that_is_written_has_its_words_and_a_name_in_the_console() -> None:
    assert kinds_in_the_code() - set(KINDS) == set()
    assert set(mail_previews.NAMES) == set(KINDS)
    for kind in KINDS:
        for part in ("subject", "txt", "html"):
            assert (Path(settings.BASE_DIR) / "templates" / "email" / f"{kind}.{part}").exists()


@BOTH
@EACH
def test_it_can_be_written_and_says_in_both_parts_the_same_heading(kind: str, language: str) -> None:
    subject, text, html = parts(kind, language)
    assert subject.strip()
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", html, re.DOTALL)
    assert heading
    assert heading[1].strip()
    assert heading[1].strip().replace("&#x27;", "'") in text.replace("\n", " ")
    for left_over in ("{{", "{%", "None", "&amp;lt;"):
        assert left_over not in text + subject, left_over


@BOTH
@EACH
def test_it_speaks_one_language(kind: str, language: str) -> None:
    subject, text, html = parts(kind, language)
    said = " ".join([subject, text, *Html(html).said])
    said = re.sub(r"https?://\S+|\S+@\S+|HD-\S+|```.*?```", "", said, flags=re.DOTALL)
    if language == "en":
        assert set(HAN.findall(said)) == set()
    else:
        assert {w for w in LATIN.findall(said) if w not in NAMES | SAMPLE} == set()


@BOTH
@EACH
def test_links_lead_to_the_desk_alone_and_nothing_is_fetched_or_run(kind: str, language: str, settings: Any) -> None:
    settings.SITE_URL = "https://desk.example"
    _subject, text, html = parts(kind, language)
    assert all(a.startswith("https://desk.example/") for a in re.findall(r"https?://\S+", text))
    for tag, attrs in Html(html).tags:
        assert tag not in ("script", "link", "iframe", "form", "input", "object", "video", "base"), tag
        assert not any(name.startswith("on") for name in attrs), attrs
        if tag == "a":
            assert str(attrs["href"]).startswith(("https://desk.example/", "mailto:")), attrs
        if tag == "img":
            assert str(attrs["src"]).startswith("cid:")
    assert not re.search(r"url\(|@import", html)


@BOTH
@EACH
def test_no_line_of_the_text_is_too_long_but_addresses_and_code(kind: str, language: str) -> None:
    _subject, text, _html = parts(kind, language)
    fenced = False
    for line in text.splitlines():
        fenced ^= line.lstrip("> ").startswith("```")
        assert fenced or "http" in line or "`" in line or columns(line) <= 78, line


@BOTH
@EACH
def test_the_bytes_are_a_mail(kind: str, language: str) -> None:
    mail = message_from_bytes(mail_previews.written(kind, language).message().as_bytes(), policy=policy.default)
    assert mail.defects == []
    assert all(not part.defects for part in mail.walk())
    assert [part.get_content_type() for part in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_samples_are_about_nobody_real() -> None:
    addresses = {p.email for language in LANGUAGES for p in mail_samples._people(language).values()}
    assert all(a.endswith(".example") for a in addresses)
    assert (
        mail_samples.sample("ticket.answered", "en")[0].pk == account_samples.sample("account.invitation", "en")[0].pk
    )
