"""The console shows every mail before anybody gets it: to those who run the desk, in a frame that can do nothing."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from helpdesk import mail_previews
from helpdesk.accounts.models import User
from helpdesk.outbox.models import Letter
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


def as_(person: User | None) -> Client:
    client = Client()
    if person:
        client.force_login(person)
    return client


def test_a_lead_sees_headers_text_and_html_in_both_languages(cast: Any) -> None:
    lee = as_(cast.lee)
    page = lee.get("/console/mails/").content.decode()
    assert "Receipt" in page
    assert 'src="/console/mails/ticket.received/html?language=en"' in page
    for language, title in (("en", "Replica lag"), ("zh-hans", "只读副本延迟")):
        page = lee.get(f"/console/mails/ticket.resolved/?language={language}&width=narrow").content.decode()
        assert title in page
        assert "Reply-To" in page
        assert 'data-width="narrow"' in page
        framed = lee.get(f"/console/mails/ticket.resolved/html?language={language}")
        assert title in framed.content.decode()


def test_the_frame_can_do_nothing_and_stands_in_our_page_alone(cast: Any) -> None:
    lee = as_(cast.lee)
    framed = lee.get("/console/mails/ticket.answered/html")
    assert framed.headers["Content-Security-Policy"] == (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'"
    )
    assert framed.headers["X-Frame-Options"] == "SAMEORIGIN"
    page = lee.get("/console/mails/ticket.answered/")
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert re.search(r"<iframe[^>]* sandbox ", page.content.decode())


@pytest.mark.parametrize("who", ["gus", "cora", "carla", "ana", "audrey"])
def test_to_everybody_else_there_is_no_such_page(cast: Any, who: str) -> None:
    for path in ("", "ticket.received/", "ticket.received/html"):
        assert as_(getattr(cast, who)).get(f"/console/mails/{path}").status_code == 404


def test_a_stranger_is_asked_to_log_in(cast: Any) -> None:
    assert as_(None).get("/console/mails/ticket.received/html").headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("kind", ["ticket.sung", "_base", "..%2f..%2fbase", "ticket.received.html"])
def test_a_kind_that_does_not_exist_is_not_found(cast: Any, kind: str) -> None:
    assert as_(cast.lee).get(f"/console/mails/{kind}/").status_code == 404
    assert as_(cast.lee).get(f"/console/mails/{kind}/html").status_code == 404


def test_it_writes_nothing_and_reads_no_ticket(cast: Any) -> None:
    lee = as_(cast.lee)
    lee.get("/console/mails/")
    with CaptureQueriesContext(
        connection,
    ) as asked:
        for kind in mail_previews.kinds():
            assert lee.get(f"/console/mails/{kind}/html").status_code == 200
    said = " ".join(query["sql"] for query in asked)
    assert not re.search(r"tickets_ticket|tickets_message|accounts_customer|INSERT|UPDATE|DELETE", said)
    assert not Letter.objects.exists()
    assert not Ticket.objects.exists()


def test_a_broken_template_is_shown_with_its_reason(cast: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("tickets.letters._facts", lambda ticket: {"ref": ticket.ref})
    page = as_(cast.lee).get("/console/mails/ticket.received/").content.decode()
    assert "This mail cannot be written" in page
    assert "ticket.title" in page
