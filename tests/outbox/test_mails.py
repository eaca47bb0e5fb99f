"""A letter becomes a mail: the right people, words and headers, and nothing that somebody typed adds any."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from django.conf import settings

from helpdesk.outbox import tokens
from helpdesk.outbox.compose import compose
from helpdesk.outbox.content import Unwritable
from helpdesk.outbox.models import Letter
from tickets import actions
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def later(minutes: int) -> datetime:
    return AT + timedelta(minutes=minutes)


def file(cast: Any, **more: Any) -> Ticket:
    given = {"title": "Replication stands still", "description": "lag", "category": "technical"}
    given |= {"impact": "production_down", "urgency": "urgent", "by": cast.cora, "at": AT}
    return actions.open_ticket(customer=cast.acme, **(given | more))


def sent(letter: Letter, at: datetime = AT) -> EmailMessage:
    """What leaves, read as a mail program reads it."""
    mail = compose(letter, at)
    assert mail is not None
    read = message_from_bytes(mail.message().as_bytes(), policy=policy.default)
    assert isinstance(read, EmailMessage)
    return read


def letter(kind: str) -> Letter:
    return Letter.objects.get(kind=kind)


def text(mail: EmailMessage, part: str = "plain") -> str:
    body = mail.get_body((part,))
    assert body is not None
    return str(body.get_content())


def test_a_receipt_says_number_priority_and_promise_in_the_readers_language_and_zone(cast: Any) -> None:
    ticket = file(cast)
    mail = sent(letter("ticket.received"))
    assert mail["To"] == "Cora <cora@desk.example>"
    assert mail["Subject"] == f"[{ticket.ref}] Replication stands still"
    for part in ("plain", "html"):
        said = text(mail, part)
        assert all(word in said for word in ("3 月 2 日", "10:15", "上海时间"))
        assert f"{settings.SITE_URL}/tickets/{ticket.ref}/" in said
        assert "紧急" in said
    assert mail["Auto-Submitted"] == "auto-generated"


def test_an_answer_is_a_persons_and_carries_token_and_thread(cast: Any) -> None:
    ticket = file(cast)
    actions.reply(ticket=ticket, body="Is it **only** this one?", by=cast.ana, at=later(5))
    receipt, mail = sent(letter("ticket.received")), sent(letter("ticket.answered"), later(5))
    assert "Auto-Submitted" not in mail
    assert tokens.read(mail["Reply-To"]) == ticket.ref
    assert "<strong>only</strong>" in text(mail, "html")
    assert "Is it **only** this one?" in text(mail)
    assert receipt["References"].split()[0] == mail["References"].split()[0]
    assert mail["Message-ID"] == sent(letter("ticket.answered"), later(9))["Message-ID"]
    assert mail["Message-ID"] != receipt["Message-ID"]


def test_what_a_template_asks_for_and_nobody_gave_is_named(cast: Any, monkeypatch: Any) -> None:
    file(cast)
    from tickets import letters

    monkeypatch.setattr(letters, "_facts", lambda ticket: {"ref": ticket.ref})
    with pytest.raises(Unwritable, match=r"ticket.received.subject.*ticket.title"):
        compose(letter("ticket.received"), AT)


def test_a_letter_of_a_kind_nobody_knows_is_said_to_be_one(cast: Any) -> None:
    file(cast)
    strange = letter("ticket.received")
    strange.kind = "weather.report"
    with pytest.raises(Unwritable, match=r"weather\.report"):
        compose(strange, AT)
    strange.kind = "ticket.sung"
    with pytest.raises(Unwritable, match=r"ticket\.sung"):
        compose(strange, AT)


def test_an_invitation_opens_its_link_for_the_mail_alone_and_says_nothing_once_revoked(cast: Any) -> None:
    from helpdesk.accounts import actions as people

    made, token = people.invite(
        email="new@acme.example", name="新人", language="zh-hans", zone="Asia/Shanghai", customer=cast.acme,
        by=cast.carla, at=AT,
    )  # fmt: skip
    written = letter("account.invitation")
    assert token not in str(Letter.objects.values())
    mail = sent(written)
    assert mail["To"] == "新人 <new@acme.example>"
    assert people.link(token) in text(mail)
    assert people.link(token) in text(mail, "html")
    assert "Reply-To" not in mail
    assert compose(written, AT + people.INVITED_FOR) is None
    people.revoke_invitation(invitation=made, by=cast.carla, at=later(1))
    assert compose(written, later(2)) is None


def test_a_link_to_set_a_password_goes_to_whoever_may_still_come_in(cast: Any) -> None:
    from django.test import Client

    Client().post("/accounts/password/reset/", {"email": cast.cora.email})
    written = letter("account.password_reset_key")
    assert f"{settings.SITE_URL}/accounts/password/reset/key/" in text(sent(written))
    type(cast.cora).objects.filter(pk=cast.cora.pk).update(is_active=False)
    assert compose(written, AT) is None


def test_who_gets_a_new_password_or_loses_a_factor_is_told_where_to_complain(cast: Any) -> None:
    from allauth.mfa.models import Authenticator

    from helpdesk.accounts import actions as people

    people.set_password(person=cast.cora, password="a long enough password", at=AT)
    Authenticator.objects.create(user=cast.cora, type=Authenticator.Type.TOTP, data={})
    people.reset_second_factor(person=cast.cora, by=cast.ada, at=AT)
    for kind in ("account.password_changed", "account.second_factor_removed"):
        mail = sent(letter(kind))
        assert mail["To"] == "Cora <cora@desk.example>"
        assert settings.DEFAULT_FROM_EMAIL in text(mail)
        assert mail["Auto-Submitted"] == "auto-generated"


def test_a_logo_goes_along_inside_the_mail(cast: Any) -> None:
    import hashlib

    from helpdesk import site
    from helpdesk.models import SiteSettings

    picture = b"\x89PNG\r\n\x1a\n" + b"0" * 40
    digest = hashlib.sha256(picture).hexdigest()
    row = SiteSettings.objects.create(logo=picture, logo_type="image/png", logo_digest=digest, colour="#7a1f5c")
    site.hold(row)
    file(cast)
    mail = sent(letter("ticket.received"))
    html = text(mail, "html")
    assert 'src="cid:logo"' in html
    assert "#7a1f5c" in html
    assert mail.get_content_type() == "multipart/related"
    (logo,) = [part for part in mail.walk() if part.get_content_maintype() == "image"]
    assert logo["Content-ID"] == "<logo>"
    assert logo.get_content_disposition() == "inline"
    assert logo.get_payload(decode=True) == picture


def test_a_long_message_is_cut_with_a_link_and_files_are_named_and_not_attached(cast: Any) -> None:
    ticket = file(cast, description="```\n" + "a line of a log\n" * 600 + "```")
    mail = sent(letter("ticket.assigned"))
    said = text(mail)
    assert len(said) < 6000
    assert "It goes on" in said
    assert said.count("```") == 2
    assert f"{settings.SITE_URL}/tickets/{ticket.ref}/" in said
    assert text(mail, "html").count("<pre") == text(mail, "html").count("</pre>") == 1


def test_a_long_title_is_cut_in_the_subject_and_stands_whole_in_the_mail(cast: Any) -> None:
    title = "很长的标题" * 90
    file(cast, title=title)
    mail = sent(letter("ticket.received"))
    assert len(mail["Subject"].strip()) <= 150
    assert title in text(mail, "html")


def test_the_reason_of_a_mail_that_cannot_be_written_stands_with_the_letter(cast: Any, monkeypatch: Any) -> None:
    from helpdesk.outbox import claim, deliver

    file(cast)
    monkeypatch.setattr("tickets.letters._facts", lambda ticket: {"ref": ticket.ref})
    broken = letter("ticket.received")
    post = deliver.Post()
    (claimed,) = [one for one in claim.claim(9, by="test", at=AT) if one.pk == broken.pk]
    post._deliver(deliver.Job(claimed, AT, 0.0, False), None)  # type: ignore[arg-type]
    broken.refresh_from_db()
    assert (broken.state, broken.reason) == ("failed", "unwritable")
    assert "ticket.received.subject" in broken.last_error
    assert "ticket.title" in broken.last_error
