"""What each way out says of a mail: taken, never, not now, or no server at all."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from django.core.mail import EmailMultiAlternatives

from helpdesk.outbox import channels
from helpdesk.outbox.channels import Down, PutOff, Refused, Ses, Smtp
from helpdesk.settings import mail
from tests.outbox.server import Server


def letter(to: str = "cora@acme.example") -> EmailMultiAlternatives:
    headers = {"Message-ID": "<1@x>"}
    one = EmailMultiAlternatives("您好", "正文", "Support <support@desk.example>", [to], headers=headers)
    one.attach_alternative("<p>正文</p>", "text/html")
    return one


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("smtp://mail.example", {"port": 25, "tls_at_once": False, "tls_required": False, "rate": 200}),
        ("smtp://u:p%40ss@mail.example", {"port": 587, "user": "u", "password": "p@ss", "tls_required": True}),
        ("smtps://u:p@mail.example?rate=10", {"port": 465, "tls_at_once": True, "rate": 10}),
        ("smtp://u:p@127.0.0.1:2525", {"port": 2525, "tls_required": False}),
        ("ses://cn-north-1", {"way": "ses", "region": "cn-north-1", "rate": 14}),
        ("console:", {"way": "console"}),
        ("none:", {"way": "none"}),
    ],
)
def test_one_address_says_how_letters_leave(url: str, told: dict[str, Any]) -> None:
    assert mail(url).items() >= told.items()


@pytest.mark.parametrize(
    "url", ["", "mail.example", "http://x", "smtp://", "smtp://h:0x", "smtp://h:99999", "smtp://h?rate=0", "ses://"]
)
def test_what_is_no_way_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"EMAIL_URL|[Pp]ort"):
        mail(url)


def test_a_password_does_not_go_in_clear_beyond_this_machine(server: Server, settings: Any) -> None:
    settings.MAIL = mail(server.url.replace("//", "//u:p@")) | {"tls_required": True}
    with pytest.raises(Down, match="offers no TLS"):
        Smtp().send(letter())
    assert not [step for step in server.steps if "MAIL" in step]


@pytest.mark.parametrize("to", ["nobody", "a b@x.example", "李@x.example", "a@x.example\nBcc: b@x.example"])
def test_what_is_no_address_is_refused_here(server: Server, to: str) -> None:
    with pytest.raises((Refused, ValueError)):
        Smtp().send(letter(to))
    assert server.mails == []


class Amazon:
    """Answers as boto3's client does (sesv2.send_email)."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.sent = answer, []

    def send_email(self, **given: Any) -> Any:
        self.sent.append(given)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self) -> None: ...


def amazon(monkeypatch: pytest.MonkeyPatch, answer: Any) -> Amazon:
    one = Amazon(answer)

    def opened(backend: Any) -> bool:
        backend.client = one
        return True

    monkeypatch.setattr("anymail.backends.amazon_ses.EmailBackend.open", opened)
    return one


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as Amazon says it"}}, "SendEmail")


def test_amazon_takes_it_and_gives_it_a_number_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    service = amazon(monkeypatch, {"MessageId": "0102018f-abc"})
    assert Ses().send(letter()) == ("0102018f-abc", "")
    (sent,) = service.sent
    assert b"Message-ID: <1@x>" in sent["Content"]["Raw"]["Data"]


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (refusal("MessageRejected"), Refused),
        (refusal("BadRequestException"), Refused),
        (refusal("TooManyRequestsException"), PutOff),
        (refusal("AccountSuspendedException"), Down),
        (refusal("SendingPausedException"), Down),
        (refusal("MailFromDomainNotVerifiedException"), Down),
        (refusal("InternalFailure"), Down),
        (EndpointConnectionError(endpoint_url="https://email.eu-central-1.amazonaws.com"), Down),
    ],
)
def test_amazons_words_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, answer: Exception, trouble: type[channels.Trouble]
) -> None:
    amazon(monkeypatch, answer)
    with pytest.raises(trouble):
        Ses().send(letter())
