import time
from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.http import QueryDict
from django.utils.translation import override

from helpdesk.text import BODY, Block, Line, clean_block, clean_line, count_characters, problem, showable


@pytest.mark.parametrize(
    ("text", "characters"),
    [
        ("", 0),
        ("abc", 3),
        ("无法登录", 4),
        ("e\u0301", 1),
        ("👨‍👩‍👧‍👦", 1),
        ("👍🏽", 1),
        ("🇨🇳🇩🇪", 2),
        ("🇨🇳🇩", 2),
        ("🇨🇳\u200d🇩🇪", 2),
        ("한국", 2),
        ("नि", 1),
        ("a\r\nb", 3),
        ("\ud800", 1),
    ],
)
def test_characters_are_counted_as_a_reader_counts_them(text: str, characters: int) -> None:
    assert count_characters(text) == characters


def test_a_limit_is_met_exactly() -> None:
    family = "👨‍👩‍👧"
    assert problem(family * 500, 500) is None
    assert problem("汉" * 500, 500) is None
    with override("en"):
        assert problem(family * 501, 500) == "1 character too many: at most 500 are possible here."
        assert problem("a" * 100_000, 500) == "99,500 characters too many: at most 500 are possible here."


def test_marks_stacked_beyond_reason_are_too_long_though_they_look_like_one() -> None:
    assert problem("a" + "\u0301" * 4_999, 500) is None
    assert problem("a" + "\u0301" * 5_000, 500)


@pytest.mark.parametrize("bad", ["\x00", "\x01", "\x08", "\x0b", "\x0c", "\x1b[31m", "\x7f", "\ud800", "x\udfff"])
def test_what_cannot_be_stored_is_refused_and_shown_as_a_mark(bad: str) -> None:
    with override("en"):
        assert "cannot be stored" in (problem(f"disk {bad} full", 500) or "")
    shown = showable(f"disk {bad} full")
    assert "\ufffd" in shown
    shown.encode()
    assert problem(shown, 500) is None


@pytest.mark.parametrize("good", ["a\tb", "a\nb", "a\r\nb", "🇨🇳", "\U0010ffff", "\ufffd", "عربى"])
def test_what_can_be_stored_is_taken(good: str) -> None:
    assert problem(good, 500) is None
    assert showable(good) == good


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  VPN \t is\r\ndown\n", "VPN is down"),
        ("cafe\u0301", "café"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("a\u2066b\u2069", "ab"),
        ("\u3000无法登录\u3000", "无法登录"),
        ("\u200b\ufeff\u2060", ""),
        ("\u3164 \u2800", ""),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\u2028b", "a b"),
    ],
)
def test_a_line_is_one_line(typed: str, kept: str) -> None:
    assert clean_line(typed) == kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("\n \n\t\n    code\n    more\n \n\n", "    code\n    more"),
        ("cafe\u0301\n\n\nend  ", "café\n\n\nend"),
        (" \n\u200b\n", ""),
        ("", ""),
        ("a  \nb", "a  \nb"),
    ],
)
def test_a_block_keeps_its_paragraphs_and_its_first_indentation(typed: str, kept: str) -> None:
    assert clean_block(typed) == kept


def test_no_text_takes_more_than_a_moment() -> None:
    """Measured in milliseconds each; without the guards the flags take minutes, the marks hours."""
    begin = time.monotonic()
    for text in ("🇨🇳" * 250_000, "a" + "\u0301\u0323" * 250_000, "\u200b" * 500_000, "\n" * 500_000, " \t" * 250_000):
        problem(clean_block(text), BODY)
        clean_line(text)
        count_characters(text)
    assert time.monotonic() - begin < 20


# --- In a form -------------------------------------------------------------------------------------------------------


class Ticket(forms.Form):
    default_renderer = DjangoTemplates()
    title = Line(longest=20)
    body = Block(longest=30, required=False)


def form(title: str = "VPN", body: str = "") -> Ticket:
    data = QueryDict(mutable=True)
    data.update({"title": title, "body": body})
    return Ticket(data)


def test_a_form_gives_the_cleaned_text() -> None:
    typed = form("  VPN\tis down ", "\r\n    log\r\n\r\n")
    assert typed.is_valid()
    assert typed.cleaned_data == {"title": "VPN is down", "body": "    log"}


@pytest.mark.parametrize("title", ["", "   ", "\u200b", "\u202e"])
def test_a_title_of_which_nothing_is_seen_is_missing(title: str) -> None:
    typed = form(title)
    assert typed.errors.get_json_data()["title"][0]["code"] == "required"


def test_the_limit_is_on_what_is_kept() -> None:
    assert form("\n" * 50 + "a" * 20 + "\n" * 50).is_valid()
    assert not form("a" * 21).is_valid()


@pytest.mark.parametrize("bad", ["\x00", "\ud83d", "\x1b"])
def test_a_form_with_the_unstorable_comes_back_whole_with_our_words(bad: str) -> None:
    with override("en"):
        typed = form(f"VPN {bad} down", f"log {bad} line")
        assert {name: len(errors) for name, errors in typed.errors.items()} == {"title": 1, "body": 1}
        assert "cannot be stored" in str(typed.errors["title"])
        page = typed.as_p()
    page.encode()
    assert "VPN \ufffd down" in page
    assert "log \ufffd line" in page


def test_sent_once_more_as_shown_it_is_taken() -> None:
    shown: dict[str, Any] = {name: form("VPN \x00", "log \ud800")[name].value() for name in ("title", "body")}
    assert form(**shown).is_valid()


def test_a_browser_is_not_told_a_limit_that_it_would_count_differently() -> None:
    assert "maxlength" not in str(form()["title"])
