"""What people type stays words in a mail: no header, recipient or markup more; nobody reads what is not theirs."""

import logging
import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any

import pytest

from helpdesk import site
from helpdesk.accounts import actions as people
from helpdesk.accounts.models import CustomerTeam, User
from helpdesk.models import SiteSettings
from helpdesk.outbox import tokens
from helpdesk.outbox.compose import compose
from helpdesk.outbox.content import Unwritable
from helpdesk.outbox.models import Letter
from helpdesk.outbox.styles import inlined
from tests.outbox.test_kinds import Html
from tests.security.payloads import PAYLOADS
from tickets import actions, following, participants, undoing
from tickets.models import Message, Participant, Ticket

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
HOSTILE = [
    "Eve\r\nBcc: victim@evil.example",
    "Eve\nBcc: victim@evil.example\n\nbody",
    "Eve\r\n\r\n<script>alert(1)</script>",
    "Eve\x00Bcc: victim@evil.example",
    "Eve\u2028Bcc: victim@evil.example",
    "Eve\u2029Bcc: victim@evil.example",
    "Eve\x85Bcc: victim@evil.example",
    "Eve\x0b\x0cBcc: victim@evil.example",
    "=?utf-8?q?Eve=0D=0ABcc:_victim@evil.example?=",
    "=?utf-8?b?RXZlDQpCY2M6IHZpY3RpbUBldmlsLmV4YW1wbGU=?=",
    "Eve, victim@evil.example",
    "Eve <victim@evil.example>, x",
    "Eve; victim@evil.example;",
    '"Eve" <victim@evil.example>, "x',
    "victim@evil.example",
    "Eve (comment) : group:victim@evil.example;",
    '\\"Eve\\" <victim@evil.example>',
    "夏娃\r\nBcc: victim@evil.example",
    "夏" * 80,
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16") * 40,
    "a" * 500,
    "\u202eelpmaxe.live@mitciv",
]


def file(cast: Any, **more: Any) -> Ticket:
    given = {"title": "Lag", "description": "lag", "category": "technical", "impact": "production_down"}
    given |= {"urgency": "urgent", "customer": cast.acme, "by": cast.cora, "at": AT}
    return actions.open_ticket(**(given | more))


def later(minutes: int) -> datetime:
    return AT + timedelta(minutes=minutes)


def sent(letter: Letter, at: datetime | None = None) -> EmailMessage:
    mail = compose(letter, at or later(60))
    assert mail is not None
    read = message_from_bytes(mail.message().as_bytes(), policy=policy.default)
    assert isinstance(read, EmailMessage)
    assert all(not part.defects for part in read.walk())
    return read


def recipients(mail: EmailMessage) -> set[str]:
    every = [str(mail[name]) for name in ("To", "Cc", "Bcc") if mail[name]]
    return {address for _name, address in getaddresses(every)}


def whole(mail: EmailMessage) -> str:
    parts = [p.get_content() for p in mail.walk() if p.get_content_maintype() == "text"]
    return "\n".join([*(f"{name}: {value}" for name, value in mail.items()), *parts])


def a_reply(cast: Any, ticket: Ticket, body: str = "Answer", minute: int = 5, **more: Any) -> Letter:
    message = actions.reply(ticket=ticket, body=body, by=cast.ana, at=later(minute), **more)
    return Letter.objects.filter(subject=ticket.ref, data__message=message.pk).latest("pk")


# --- M-09 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_somebody_typed_adds_a_header_or_a_recipient(cast: Any, text: str) -> None:
    """M-09: in the names of requester, colleague, outsider, engineer, company and desk, in title, text and file."""
    ticket = file(cast)
    participants.add(ticket=ticket, person=cast.cody, by=cast.cora, at=later(1))
    participants.invite(ticket=ticket, email="dba@outside.example", name="Dba", by=cast.cora, at=later(2))
    plain = sent(a_reply(cast, ticket))
    kept = text.replace("\x00", "")
    for person in (cast.cora, cast.cody, cast.ana):
        User.objects.filter(pk=person.pk).update(name=kept[:80])
    Participant.objects.filter(user=None).update(name=kept[:80])
    Ticket.objects.update(title=kept)
    type(cast.acme).objects.filter(pk=cast.acme.pk).update(name=kept[:80])
    Message.objects.filter(ticket=ticket).update(body=kept, html="<p>x</p>")
    site.hold(SiteSettings(name_zh=kept, name_en=kept, address_zh=kept, address_en=kept))
    for letter in Letter.objects.filter(subject=ticket.ref).exclude(kind="ticket.shared"):
        mail = sent(letter)
        assert "victim@evil.example" not in recipients(mail)
        names = [name.lower() for name in mail]
        assert len(names) == len(set(names))
        assert set(names) <= {name.lower() for name in [*plain, "Auto-Submitted"]}
        for name in mail:
            assert not re.search(r"[\r\n\x00\u2028\u2029\x85]", str(mail[name])), name
    mail = sent(Letter.objects.get(kind="ticket.answered"))
    assert recipients(mail) == {"cora@desk.example", "cody@desk.example", "dba@outside.example"}
    assert len(mail.keys()) == len(plain.keys())
    assert len(str(mail["Subject"]).strip()) <= 150
    raw = compose(Letter.objects.get(kind="ticket.answered"), later(60)).message().as_bytes()  # type: ignore[union-attr]
    assert all(len(line) <= 998 for line in raw.splitlines())


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example\r\nBcc: v@evil.example",
        "a@b.example, v@evil.example",
        "<a@b.example>",
        "no-at-sign",
        "a b@c.example",
        "",
    ],
)
def test_an_address_that_is_none_fails_with_its_reason_and_nothing_is_sent_elsewhere(cast: Any, address: str) -> None:
    file(cast)
    letter = Letter.objects.get(kind="ticket.received")
    letter.to_address = address
    with pytest.raises(Unwritable, match="no mail address"):
        compose(letter, later(1))


@pytest.mark.parametrize("text", PAYLOADS)
def test_what_people_typed_stays_text_in_mails(cast: Any, text: str) -> None:
    ticket = file(cast, title=text[:400].replace("\x00", ""), description=text.replace("\x00", ""))
    User.objects.filter(pk=cast.ana.pk).update(name=text[:80].replace("\x00", ""))
    a_reply(cast, ticket, body=text.replace("\x00", ""))
    for letter in Letter.objects.filter(subject=ticket.ref):
        body = sent(letter).get_body(("html",))
        assert body is not None
        page = Html(body.get_content())
        for tag, attrs in page.tags:
            assert tag in ALLOWED, tag
            assert not any(name.startswith(("on", "hx-", "form")) for name in attrs), attrs
            assert str(attrs.get("href") or "https:").startswith(("https:", "http:", "mailto:")), attrs
            assert "src" not in attrs
        assert "49canary" not in body.get_content()


ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "div", "table", "tbody", "thead", "tr", "td", "th", "p"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "span", "b", "strong", "em", "a", "br", "pre", "code", "ul", "ol", "li"),
    *("blockquote", "del", "hr"),
}


def test_a_value_that_looks_like_a_tag_is_not_dressed(cast: Any) -> None:
    hostile = '<p><a href="http://a/?<p onmouseover=alert(1) x" rel="nofollow">x</a></p>'
    tags = Html(inlined(hostile, "#25508f")).tags
    assert [tag for tag, _attrs in tags] == ["p", "a"]
    assert set(tags[1][1]) == {"href", "rel", "class", "style"}


# --- U6: who reads what ----------------------------------------------------------------------------------------------


def test_no_customers_mail_ever_carries_a_note_an_unreleased_word_or_one_taken_back(cast: Any) -> None:
    ticket = file(cast)
    following.follow(ticket=ticket, by=cast.lee, at=AT)
    actions.note(ticket=ticket, body="CANARY-NOTE @Lee", by=cast.ana, at=later(1))
    fresh = Ticket.objects.get(pk=ticket.pk)
    actions.prioritise(
        ticket=ticket, version=fresh.version, priority="high", reason="CANARY-REASON", by=cast.lee, at=later(2)
    )
    taken = actions.reply(ticket=ticket, body="CANARY-UNDONE", by=cast.ana, at=later(3), undoable=True)
    undone = Letter.objects.get(data__message=taken.pk, kind="ticket.answered")
    undoing.undo_reply(ticket=ticket, by=cast.ana, at=later(3))
    a_reply(cast, ticket, "Said to all", 4)
    late = actions.reply(ticket=ticket, body="CANARY-HELD", by=cast.ana, at=later(5), undoable=True)
    held = Letter.objects.get(data__message=late.pk, kind="ticket.answered")
    assert compose(undone, later(60)) is None
    assert compose(held, later(5)) is None
    assert compose(held, late.released_at) is not None
    customers = [k.key for k in (cast.cora, cast.cody, cast.carla, cast.gus, cast.dora)]
    for letter in Letter.objects.filter(to_key__in=customers):
        for at in (later(4), later(5)):
            mail = compose(letter, at)
            assert mail is None or "CANARY" not in whole(sent(letter, at))
    assert "CANARY-NOTE" in whole(sent(Letter.objects.get(kind="ticket.mentioned", to_key=cast.lee.key)))


def test_a_letter_whose_number_points_at_a_note_says_nothing_to_a_customer(cast: Any) -> None:
    ticket = file(cast)
    note = actions.note(ticket=ticket, body="CANARY", by=cast.ana, at=later(1))
    letter = a_reply(cast, ticket)
    letter.data["message"] = note.pk
    assert compose(letter, later(9)) is None


def test_an_outsider_gets_what_was_said_since_and_no_history_from_before(cast: Any) -> None:
    ticket = file(cast, description="BEFORE-OPENING")
    a_reply(cast, ticket, "BEFORE-ANSWER", 1)
    participants.invite(ticket=ticket, email="dba@outside.example", name="Dba", by=cast.cora, at=later(2))
    first = a_reply(cast, ticket, "Since then", 3)
    second = a_reply(cast, ticket, "And more", 4)
    assert recipients(sent(first)) == {"cora@desk.example", "dba@outside.example"}
    said = whole(sent(second))
    assert "Since then" in said
    assert "BEFORE" not in said
    # A word from before, whatever the letter claims, goes to the requester alone.
    early = Letter.objects.filter(kind="ticket.answered").earliest("pk")
    early.cc = first.cc
    assert recipients(sent(early)) == {"cora@desk.example"}


def test_who_was_removed_or_left_meanwhile_gets_nothing(cast: Any) -> None:
    ticket = file(cast)
    participants.add(ticket=ticket, person=cast.cody, by=cast.cora, at=later(1))
    letter = a_reply(cast, ticket)
    assert recipients(sent(letter)) == {"cora@desk.example", "cody@desk.example"}
    User.objects.filter(pk=cast.cora.pk).update(is_active=False)
    assert recipients(sent(letter)) == {"cody@desk.example"}
    Participant.objects.all().delete()
    assert compose(letter, later(9)) is None


def test_a_colleague_who_may_not_see_the_ticket_any_more_gets_nothing(cast: Any) -> None:
    ticket = file(cast)
    actions.reply(ticket=ticket, body="x", by=cast.ana, at=later(1))
    actions.reply(ticket=ticket, body="More", by=cast.cora, at=later(2))
    letter = Letter.objects.get(kind="ticket.customer_replied", to_key=cast.ana.key)
    assert compose(letter, later(3)) is not None
    type(cast.acme).objects.filter(pk=cast.acme.pk).update(restricted=True)
    assert compose(letter, later(3)) is None
    CustomerTeam.objects.create(customer=cast.acme, user=cast.ana)
    assert compose(letter, later(3)) is not None
    User.objects.filter(pk=cast.ana.pk).update(staff_role="auditor")
    assert compose(letter, later(3)) is None


# --- What providers do -----------------------------------------------------------------------------------------------


def test_the_token_in_the_body_survives_a_provider_that_rewrites_ids_and_drops_reply_to(cast: Any) -> None:
    """Amazon SES replaces Message-ID and Date; some relays drop Reply-To. A reader's program quotes what it got."""
    ticket = file(cast)
    mail = sent(a_reply(cast, ticket))
    for name in ("Message-ID", "Date", "Reply-To", "References", "In-Reply-To", "X-Helpdesk-Id"):
        del mail[name]
    mail["Message-ID"] = "<0102018e-aaaa@eu-west-1.amazonses.com>"
    for part in ("plain", "html"):
        body = mail.get_body((part,))
        assert body is not None
        answer = "Thanks!\n\n" + "\n".join(f"> {line}" for line in body.get_content().splitlines())
        assert tokens.read(answer) == ticket.ref


# --- X-15 ------------------------------------------------------------------------------------------------------------


def test_no_log_tells_a_link_that_grants_a_login_or_what_was_said(cast: Any, caplog: Any) -> None:
    """X-15, as far as mails go: with everything logged there is."""
    caplog.set_level(logging.DEBUG)
    _made, token = people.invite(
        email="new@acme.example", name="New", language="en", zone="UTC", customer=cast.acme, by=cast.carla, at=AT
    )
    ticket = file(cast)
    letter = a_reply(cast, ticket, "CANARY-BODY")
    caplog.clear()
    logging.getLogger("django.db.backends").setLevel(logging.INFO)
    for each in Letter.objects.all():
        sent(each)
    letter.kind = "ticket.sung"
    with pytest.raises(Unwritable) as trouble:
        compose(letter, later(9))
    said = caplog.text + str(trouble.value)
    assert token not in said
    assert "CANARY-BODY" not in said
    invitation = Letter.objects.get(kind="account.invitation")
    invitation.secret = "not ours"
    with pytest.raises(Unwritable, match="SECRET_KEY"):
        compose(invitation, later(9))
