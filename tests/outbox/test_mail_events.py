"""What Amazon SES says became of letters, at the door: believed where SNS signed it for a topic of ours, and only of
the letter and the reader it is about."""

import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client

from helpdesk.audit.models import Entry
from helpdesk.checks import problems
from helpdesk.outbox import channels, claim, deliver, sns, tokens, words
from helpdesk.outbox.addresses import bare
from helpdesk.outbox.compose import _recipients
from helpdesk.outbox.content import Bounces, Content
from helpdesk.outbox.models import Bouncer, Fate, Letter, Word
from helpdesk.outbox.threads import message_id
from helpdesk.settings import mail as mail_of
from tests.entering import enter
from tests.outbox import amazon
from tests.outbox.amazon import HOST, PEM, TOPIC, bounce, complaint, delay, delivery, event
from tests.outbox.amazon import mail as about
from tests.outbox.conftest import AT, plain, written

pytestmark = pytest.mark.django_db
DOOR = "/mail/ses/events/"
SECRET = "sns:0123456789abcdef01234567"
NUMBER = "0102018f-6f1a-000000"
CORA, GUS = "cora@acme.example", "gus@acme.example"
Post = Callable[..., int]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[amazon.Amazon]:
    one = amazon.Amazon(Path(tmp_path_factory.mktemp("amazon")))
    yield one
    one.stop()


@pytest.fixture
def sns_of(made: amazon.Amazon, monkeypatch: pytest.MonkeyPatch, settings: Any) -> amazon.Amazon:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.authority))
    monkeypatch.setattr("socket.create_connection", made.connect)
    settings.SES_EVENTS = {"topics": frozenset([TOPIC]), "secret": SECRET}
    sns.forget_certificates()
    made.asked, made.elsewhere, made.redirects = [], [], False
    return made


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(AT + timedelta(minutes=10), tick=False):
        yield


def post(body: Any, secret: str | None = SECRET) -> int:
    headers = {"Authorization": f"Basic {b64encode(secret.encode()).decode()}"} if secret is not None else {}
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    # A client that keeps the rules against forged forms: the door needs no form.
    client = Client(enforce_csrf_checks=True)
    return client.generic("POST", DOOR, sent, "text/plain; charset=UTF-8", headers=headers).status_code


@pytest.fixture
def tell(sns_of: amazon.Amazon) -> Post:
    """SNS brings what SES says; returns the answer's status."""
    return lambda text, **more: post(sns_of.signed(text, AT + timedelta(minutes=10), **more))


def left(*, cc: tuple[str, ...] = (), number: str = NUMBER, subject: str = "HD-1001") -> Letter:
    """A letter that the provider took under this number."""
    letter = written(subject, "cora", cc=cc)
    Letter.objects.filter(pk=letter.pk).update(state="sent", sent_at=AT, provider_id=number)
    letter.refresh_from_db()
    return letter


def kept(letter: Letter) -> list[tuple[str, str]]:
    return sorted(Word.objects.filter(letter=letter).values_list("address", "kind"))


def fate(letter: Letter) -> str:
    letter.refresh_from_db()
    return letter.fate


# --- What SES says ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "detail"),
    [
        (delivery(about(NUMBER, CORA), CORA), "delivered", ""),
        (delivery(about(NUMBER, CORA), "Cora <CORA@Acme.example>", form="notificationType"), "delivered", ""),
        (bounce(about(NUMBER, CORA), CORA), "bounced", "Permanent/General"),
        (bounce(about(NUMBER, CORA), CORA, sub="OnAccountSuppressionList"), "bounced", "OnAccountSuppressionList"),
        (bounce(about(NUMBER, CORA), CORA, kind="Transient", sub="MailboxFull"), "returned", "Transient/MailboxFull"),
        (bounce(about(NUMBER, CORA), CORA, kind="Undetermined", sub="Undetermined"), "returned", "Undetermined"),
        (bounce(about(NUMBER, CORA), CORA, form="notificationType"), "bounced", "Permanent"),
        (complaint(about(NUMBER, CORA), CORA), "complained", ""),
        (complaint(about(NUMBER, CORA), CORA, form="notificationType"), "complained", ""),
        (event("Reject", {"reason": "Bad content"}, about(NUMBER, CORA)), "rejected", ""),
        (delay(about(NUMBER, CORA), CORA), "delayed", "TransientCommunicationFailure"),
    ],
)
def test_each_word_of_ses_is_kept_for_its_reader(tell: Post, text: str, kind: str, detail: str) -> None:
    letter = left()
    assert tell(text) == 200
    (word,) = Word.objects.filter(letter=letter)
    assert (word.address, word.kind, word.provider_id) == (CORA, kind, NUMBER)
    assert detail in word.detail
    assert fate(letter) == kind
    assert Bouncer.objects.exists() is (kind == "bounced")


@pytest.mark.parametrize(
    "text",
    [
        event("Send", {}, about(NUMBER, CORA)),
        event("Open", {"ipAddress": "192.0.2.1"}, about(NUMBER, CORA)),
        event("Complaint", {"complainedRecipients": [{"emailAddress": CORA}], "complaintFeedbackType": "not-spam"},
              about(NUMBER, CORA)),
        json.dumps({"notificationType": "Received", "mail": about(NUMBER, CORA), "content": "From: x"}),
        "Successfully validated SNS topic for Amazon SES event publishing.",
        json.dumps({"eventType": "Delivery", "mail": about(NUMBER, CORA), "delivery": {"recipients": 7}}),
        json.dumps({"eventType": "Bounce", "mail": {"messageId": NUMBER}, "bounce": {"bounceType": "Permanent"}}),
        json.dumps({"eventType": "Delivery", "mail": 5}), "[]", "[" * 5000, "null",
    ],
)  # fmt: skip
def test_what_says_nothing_of_a_reader_is_taken_and_left(tell: Post, text: str) -> None:
    letter = left()
    assert tell(text) == 200
    assert (kept(letter), fate(letter)) == ([], "")


def test_each_reader_of_a_letter_has_a_word_of_their_own(tell: Post) -> None:
    letter = left(cc=("gus",))
    both = about(NUMBER, CORA, GUS)
    tell(delivery(both, CORA))
    assert (kept(letter), fate(letter)) == ([(CORA, "delivered")], "")
    tell(bounce(both, GUS))
    assert kept(letter) == [(CORA, "delivered"), (GUS, "bounced")]
    assert fate(letter) == "bounced"
    other = left(cc=("gus",), number="other-number")
    # Who had lost the right to read it got none.
    tell(delivery(about("other-number", CORA), CORA))
    assert fate(other) == "delivered"


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        ([delivery(about(NUMBER, CORA), CORA), bounce(about(NUMBER, CORA), CORA, at="02:30:00")], "bounced"),
        ([delivery(about(NUMBER, CORA), CORA, at="02:07:00"), bounce(about(NUMBER, CORA), CORA)], "bounced"),
        (
            [delivery(about(NUMBER, CORA), CORA, at="02:07:00"), bounce(about(NUMBER, CORA), CORA, kind="Transient")],
            "delivered",
        ),
        (
            [delivery(about(NUMBER, CORA), CORA), bounce(about(NUMBER, CORA), CORA, kind="Transient", at="02:07:00")],
            "returned",
        ),
        ([delay(about(NUMBER, CORA), CORA), delivery(about(NUMBER, CORA), CORA)], "delivered"),
        ([complaint(about(NUMBER, CORA), CORA), delivery(about(NUMBER, CORA), CORA)], "complained"),
    ],
)
def test_the_order_in_which_words_come_is_nothing(tell: Post, texts: list[str], wanted: str, turned: bool) -> None:
    letter = left()
    for text in reversed(texts) if turned else texts:
        assert tell(text) == 200
    assert fate(letter) == wanted


# --- Which letter ----------------------------------------------------------------------------------------------------


def test_where_the_number_was_lost_our_own_headers_tell_the_letter(tell: Post) -> None:
    letter, other = left(number=""), left(number="", subject="HD-1002")
    named = [("Message-ID", message_id(letter.pk)), ("From", "x@y.example")]
    tell(delivery(about("unknown", CORA, headers=named), CORA))
    tell(
        delivery(
            about("else", CORA, headers=[("X-Helpdesk-Id", f"{other.pk}.{tokens.code(f'letter:{other.pk}')}")]), CORA
        )
    )
    assert (fate(letter), fate(other)) == ("delivered", "delivered")


def test_of_a_letter_or_a_reader_that_is_not_ours_nothing_is_kept(tell: Post) -> None:
    letter = left()
    forged = message_id(letter.pk)[:-20] + "a" * 20
    for text in (
        bounce(about("somebody-elses", CORA, headers=[("Message-ID", "<1@elsewhere.example>")]), CORA),
        bounce(about("somebody-elses", CORA, headers=[("Message-ID", forged)]), CORA),
        bounce(about("somebody-elses", CORA, headers=[("X-Helpdesk-Id", f"{letter.pk}.{'a' * 26}")]), CORA),
        bounce(about(NUMBER, "eve@evil.example"), "eve@evil.example"),
    ):
        assert tell(text) == 200
    assert (kept(letter), fate(letter), Bouncer.objects.count()) == ([], "", 0)


def test_ses_comes_again_where_it_was_quicker_than_our_own_note(sns_of: amazon.Amazon) -> None:
    text = delivery(about(NUMBER, CORA), CORA)
    now = AT + timedelta(minutes=10)
    assert post(sns_of.signed(text, now)) == 503
    letter = left()
    assert post(sns_of.signed(text, now)) == 200
    assert fate(letter) == "delivered"
    assert post(sns_of.signed(delivery(about("nobodys", CORA), CORA), now - timedelta(minutes=3))) == 200


# --- Who says it -----------------------------------------------------------------------------------------------------


def test_both_versions_of_signatures_are_verified_and_a_certificate_is_asked_for_once(sns_of: amazon.Amazon) -> None:
    letter, now = left(), AT + timedelta(minutes=10)
    for version, subject in (("1", None), ("2", "Amazon SES Email Event Notification"), ("2", None)):
        text = delivery(about(NUMBER, CORA), CORA)
        assert post(sns_of.signed(text, now, SignatureVersion=version, Subject=subject)) == 200
    assert (fate(letter), sns_of.asked, sns_of.elsewhere) == ("delivered", [PEM], [])


def test_whoever_does_not_know_the_secret_gets_nowhere(sns_of: amazon.Amazon) -> None:
    letter = left()
    body = sns_of.signed(delivery(about(NUMBER, CORA), CORA), AT)
    for secret in (None, "", "sns:wrong", SECRET + "x"):
        assert post(body, secret) == 401
    answer = Client().post(DOOR, b"{}", content_type="text/plain")
    assert answer["WWW-Authenticate"].startswith("Basic")
    assert (kept(letter), sns_of.asked, sns_of.elsewhere) == ([], [], [])


def test_a_forged_notice_changes_nothing_and_is_not_told_why(sns_of: amazon.Amazon, settings: Any) -> None:
    letter, now = left(), AT + timedelta(minutes=10)
    text = bounce(about(NUMBER, CORA), CORA)
    right, stranger = sns_of.signed(text, now), amazon.key()
    old = sns_of.signed(text, now, SignatureVersion="1")
    for body in (
        right | {"Signature": sns_of.signed(text, now, by=stranger)["Signature"]},
        old | {"Signature": sns_of.signed(text, now, by=stranger, SignatureVersion="1")["Signature"]},
        # Another text, subject, time or version under a right signature.
        right | {"Message": text.replace("General", "Suppressed")},
        right | {"Subject": "x"},
        right | {"Timestamp": "2026-03-02T02:09:59.000Z"},
        right | {"SignatureVersion": "1"},
        right | {"SignatureVersion": "3"},
        right | {"Signature": "?"},
        right | {"Message": "\ud800"},
        {name: value for name, value in right.items() if name != "Signature"},
        right | {"Type": "Nothing"},
        right | {"Type": ["Notification"]},
        # Too old, yet to come, without a time.
        sns_of.signed(text, now - timedelta(hours=8)),
        sns_of.signed(text, now + timedelta(hours=1)),
        right | {"Timestamp": "yesterday"},
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
    ):
        assert post(body) == 403, body
    assert (kept(letter), fate(letter), Bouncer.objects.count()) == ([], "", 0)
    assert post(b" " * (sns.MOST_BYTES + 1)) == 413
    settings.SES_EVENTS = {"topics": frozenset(), "secret": SECRET}
    assert post(right) == 404


def test_of_a_foreign_topic_nobody_is_asked_anything(sns_of: amazon.Amazon) -> None:
    letter, now = left(), AT + timedelta(minutes=10)
    foreign = "arn:aws:sns:eu-central-1:999900001111:evil"
    assert post(sns_of.signed(bounce(about(NUMBER, CORA), CORA), now, TopicArn=foreign)) == 403
    for topic in (foreign, TOPIC + "x", TOPIC.upper()):
        asked = {"Type": "SubscriptionConfirmation", "Token": "ab12", "SubscribeURL": f"https://{HOST}/?Action=x"}
        assert post(sns_of.signed("You have chosen to subscribe", now, TopicArn=topic, **asked)) == 403
    assert (kept(letter), sns_of.asked, sns_of.elsewhere) == ([], [], [])


@pytest.mark.parametrize(
    "url",
    [
        f"https://evil.example{PEM}", f"https://{HOST}.evil.example{PEM}", f"https://sns.s3.amazonaws.com{PEM}",
        f"https://sns.s3-us-west-2.amazonaws.com{PEM}", f"https://sns-eu-central-1.s3.amazonaws.com{PEM}",
        f"http://{HOST}{PEM}", f"https://a@{HOST}{PEM}", f"https://{HOST}@evil.example{PEM}", f"https://{HOST}:8443{PEM}",
        f"https://{HOST}:443{PEM}", f"https://{HOST}{PEM}#x", f"https://{HOST}{PEM}?x", f"https://{HOST}.cn{PEM}",
        f"https://sns.us-east-1.amazonaws.com{PEM}", f"https://{HOST}/?Action=Publish&x=.pem", f"https://{HOST}/a/../b.pem",
        f"https://{HOST.upper()}{PEM}", f"https://{HOST}\\@evil.example{PEM}", f"ftp://{HOST}{PEM}", "https://[x", "",
        f" https://{HOST}{PEM}", f"https://{HOST}/\n{PEM[1:]}", f"https://{HOST}{PEM}.exe",
    ],
)  # fmt: skip
def test_a_certificate_from_elsewhere_is_not_asked_for(sns_of: amazon.Amazon, url: str) -> None:
    letter, now = left(), AT + timedelta(minutes=10)
    assert post(sns_of.signed(bounce(about(NUMBER, CORA), CORA), now, SigningCertURL=url)) == 403
    assert (kept(letter), sns_of.asked, sns_of.elsewhere) == ([], [], [])


def test_no_redirect_is_followed_and_what_is_no_certificate_is_none(sns_of: amazon.Amazon) -> None:
    letter, now = left(), AT + timedelta(minutes=10)
    text = bounce(about(NUMBER, CORA), CORA)
    sns_of.redirects = True
    assert post(sns_of.signed(text, now)) == 503
    sns_of.redirects = False
    sns_of.files["/long.pem"], sns_of.files["/text.pem"] = b"x" * 70_000, b"no certificate"
    assert post(sns_of.signed(text, now, SigningCertURL=f"https://{HOST}/long.pem")) == 503
    assert post(sns_of.signed(text, now, SigningCertURL=f"https://{HOST}/text.pem")) == 403
    assert post(sns_of.signed(text, now, SigningCertURL=f"https://{HOST}/none.pem")) == 503
    assert (kept(letter), sns_of.elsewhere) == ([], [])


def test_what_is_brought_twice_is_kept_once(sns_of: amazon.Amazon) -> None:
    letter, now = left(), AT + timedelta(minutes=10)
    body = sns_of.signed(bounce(about(NUMBER, CORA), CORA), now)
    with time_machine.travel(now, tick=False) as clock:
        assert post(body) == 200
        clock.shift(timedelta(hours=1))
        assert post(body) == 200
        # And by both of SES's forms, each under a number of its own.
        again = bounce(about(NUMBER, CORA), CORA, form="notificationType")
        assert post(sns_of.signed(again, now, MessageId="another")) == 200
    assert kept(letter) == [(CORA, "bounced")]
    assert Entry.objects.filter(action="letter.came_back").count() == 2


def test_the_subscription_to_a_topic_of_ours_is_confirmed_where_the_topic_is(sns_of: amazon.Amazon) -> None:
    now = AT + timedelta(minutes=10)
    asked = {
        "Type": "SubscriptionConfirmation",
        "Token": "2336412f37",
        "SubscribeURL": "https://evil.example/?Action=x",
    }
    body = sns_of.signed("You have chosen to subscribe to the topic", now, **asked)
    assert post(body | {"Token": "other"}) == 403
    assert post(body) == 200
    assert sns_of.asked[0] == PEM
    (confirmed,) = sns_of.asked[1:]
    assert confirmed.startswith("/?Action=ConfirmSubscription&TopicArn=arn%3Aaws%3Asns")
    assert "Token=2336412f37" in confirmed
    assert sns_of.elsewhere == []


def test_half_a_configuration_does_not_start(settings: Any) -> None:
    assert problems() == []
    for topics, secret, wrong in (
        ([TOPIC], SECRET, []),
        ([TOPIC], "", [11]),
        ([TOPIC], "sns:short", [11]),
        (["arn:aws:sqs:eu-central-1:111122223333:x"], SECRET, [10]),
        ([], "", []),
    ):
        settings.SES_EVENTS = {"topics": frozenset(topics), "secret": secret}
        assert [number for number, _text, _hint in problems()] == wrong
    assert sns.host_of("arn:aws-cn:sns:cn-north-1:111122223333:x") == "sns.cn-north-1.amazonaws.com.cn"


# --- What comes of it ------------------------------------------------------------------------------------------------


def test_the_relay_of_ses_gives_the_number_by_which_its_word_is_known(
    server: Any, sns_of: amazon.Amazon, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    server.behave = lambda step, what: f"250 Ok {NUMBER}" if step == "ACCEPTED" else None
    monkeypatch.setattr("socket.create_connection", sns_of.real)
    settings.MAIL = mail_of(f"{server.url}?set=desk")
    letter = written()
    post_of, (claimed,) = deliver.Post(1), claim.claim(1, by="us", at=AT)
    monkeypatch.setattr(deliver, "compose", plain)
    relay = channels.Smtp()
    post_of._deliver(deliver.Job(claimed, AT, time.monotonic(), False), relay)
    relay.rest()
    letter.refresh_from_db()
    assert (letter.state, letter.provider_id) == ("sent", NUMBER)


@pytest.mark.parametrize(
    ("line", "number"),
    [
        (f"250 Ok {NUMBER}", NUMBER),
        ("250 2.0.0 Ok: queued as 4F2D11223344", "4F2D11223344"),
        ("250 taken", ""),
        ("250 2.0.0 OK 1700000000 a1b2-gsmtp", ""),
    ],
)
def test_a_server_that_gives_no_number_gives_none(line: str, number: str) -> None:
    assert channels._number(line) == number


def test_to_an_address_that_bounced_no_letter_leaves_until_somebody_says_so(cast: Any, tell: Post) -> None:
    left()
    assert tell(bounce(about(NUMBER, CORA), CORA)) == 200
    letter, both = written("HD-2002"), written("HD-2003", cc=("gus",))
    words.mark_bouncers([letter, both])
    content = Content({}, {"somebody:cora": "Cora", "somebody:gus": "Gus"})
    with pytest.raises(Bounces):
        _recipients(letter, content)
    assert _recipients(both, content) == [f"Gus <{GUS}>"]
    # The post lets it die with the reason; sent again by hand, the address is tried once more.
    Letter.objects.filter(pk=letter.pk).update(state="failed", reason="bounces")
    client = enter(cast.lee)
    page = client.get(f"/console/outbox/{letter.pk}/").content.decode()
    assert "its address bounces" in page
    assert client.post(f"/console/outbox/{letter.pk}/retry").status_code == 303
    assert not Bouncer.objects.exists()
    # Where nothing waits to be sent again, somebody says so: only once is there anything to write down.
    assert tell(bounce(about(NUMBER, CORA), CORA, at="02:09:00")) == 200
    cora = client.get(f"/accounts/people/{cast.cora.pk}/").content.decode()
    assert ("Letters to this address do not leave" in cora) is (cast.cora.email == CORA)
    assert "It works again" in client.get(f"/console/outbox/{letter.pk}/").content.decode()
    assert enter(cast.ana).post(f"/console/outbox/{letter.pk}/trust").status_code == 404
    assert Bouncer.objects.exists()
    for _twice in range(2):
        assert client.post(f"/console/outbox/{letter.pk}/trust").status_code == 303
    assert not Bouncer.objects.exists()
    assert Entry.objects.filter(action="letter.trusted", subject=f"letter:{letter.pk}").count() == 1


def test_the_outbox_shows_a_letters_life_and_whose_came_back(
    cast: Any, tell: Post, django_assert_num_queries: Any
) -> None:
    letter, other = left(cc=("gus",)), left(number="fine")
    both = about(NUMBER, CORA, GUS)
    for text in (
        delay(both, GUS),
        delivery(both, CORA),
        bounce(both, GUS, at="02:08:00", said="smtp; 550 <script>alert(1)</script>"),
        delivery(about("fine", CORA), CORA),
    ):
        tell(text)
    client = enter(cast.lee)
    page = client.get(f"/console/outbox/{letter.pk}/").content.decode()
    for word in ("delivered", "delayed", "bounced", "250 2.6.0 Message received", "&lt;script&gt;", "Letter"):
        assert word in page, word
    assert "<script>alert" not in page
    assert page.index("delayed") > 0
    page = client.get("/console/outbox/").content.decode()
    assert "1 letter came back" in page
    for wish, there in (("fate=bounced", [letter.pk]), ("fate=delivered", [other.pk]), ("fate=bad", [letter.pk])):
        page = client.get(f"/console/outbox/?{wish}").content.decode()
        assert [pk for pk in (letter.pk, other.pk) if f"/console/outbox/{pk}/" in page] == there, wish
    assert bare("Cora <CORA@Bücher.Example>") == "cora@xn--bcher-kva.example"
    assert Fate.BOUNCED.label
