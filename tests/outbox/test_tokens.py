"""The sign by which an answer finds its ticket survives what mail programs and providers do, and nobody guesses it."""

import re
from typing import Any

import pytest
from django.conf import settings

from helpdesk.outbox import tokens


def test_what_is_made_is_read_from_an_address_a_line_and_a_quoted_line() -> None:
    token = tokens.make("HD-1042")
    for text in (
        f"reply+{token}@{settings.MAIL_DOMAIN}",
        f"Reply <REPLY+{token.upper()}@DESK.EXAMPLE>",
        f"On Wed we wrote:\n> > — Write your answer above this line — {token}\n> > more",
        f"<p>{token}</p>",
    ):
        assert tokens.read(text) == "HD-1042", text


def test_a_token_fits_an_address() -> None:
    local = f"reply+{tokens.make('HD-' + '9' * 18)}"
    assert len(local) <= 64
    assert re.fullmatch(r"[A-Za-z0-9.+-]+", local)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "HD-1042",
        "HD-1042.",
        "HD-1042." + "a" * 26,
        "[HD-1042] Replica lag",
        tokens.make("HD-1042").replace("HD-1042", "HD-1043"),
        tokens.make("HD-1042")[:-1],
        tokens.make("HD-1042") + "a",
        "x" + tokens.make("HD-1042"),
    ],
)
def test_what_was_not_made_here_is_nothing(text: str) -> None:
    assert tokens.read(text) is None


def test_a_token_of_another_key_is_nothing(settings: Any) -> None:
    token = tokens.make("HD-1042")
    settings.SECRET_KEY = "another"
    assert tokens.read(token) is None


def test_a_good_one_is_found_behind_a_few_bad_ones_and_not_behind_a_thousand() -> None:
    bad = "HD-7." + "b" * 26
    good = tokens.make("HD-1042")
    assert tokens.read(" ".join([bad] * 5 + [good])) == "HD-1042"
    assert tokens.read(" ".join([bad] * 1000 + [good])) is None
