"""Ways out for a mail: SMTP, Amazon SES (through anymail), or the worker's own output.

A channel belongs to one thread. `send` returns what the service calls the mail, or raises: Refused (this mail will
never be taken), PutOff (this mail not now), Down (no mail is taken now, whosever). Where the answer to the mail itself
is lost, nobody knows whether it was taken: that is Down too, and the next attempt carries the same Message-ID.
"""

import contextlib
import re
import smtplib
import socket
import ssl
import sys
import time
from collections.abc import Callable
from email.utils import parseaddr
from typing import Any, Protocol

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.message import sanitize_address

TIMEOUT_S = 10
# A connection that was idle for longer is asked before it is trusted.
FRESH_S = 5
# Servers do not like to be held for ever.
MOST_ON_ONE_CONNECTION = 100


class Trouble(Exception):
    """The mail was not taken; the text is what the other side said, in one line."""


class Refused(Trouble): ...


class PutOff(Trouble): ...


class Down(Trouble): ...


class Channel(Protocol):
    def send(self, message: EmailMessage, *, patient: bool = True) -> tuple[str, str]:
        """(what the service calls it, what is to be noted). `patient`: one reader who is put off puts all off."""

    def abort(self) -> None:
        """Ends what hangs; called from another thread."""

    def rest(self) -> None:
        """Lets go of what costs something while nothing is sent."""


def open_channel() -> Channel:
    """The one that EMAIL_URL asks for."""
    ways: dict[str, Callable[[], Channel]] = {"smtp": Smtp, "ses": Ses, "console": Console}
    return ways[settings.MAIL["way"]]()


# --- SMTP ------------------------------------------------------------------------------------------------------------


class Smtp:
    """One connection, kept as long as it is of use."""

    def __init__(self) -> None:
        self.server: smtplib.SMTP | None = None
        self.used_at = 0.0
        self.count = 0

    def send(self, message: EmailMessage, *, patient: bool = True) -> tuple[str, str]:
        sender, readers = _address(message.from_email), [_address(a) for a in message.recipients()]
        text: bytes = message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
        try:
            server = self._begin(sender, len(text))
            noted = self._name(server, readers, patient)
            return self._hand_over(server, text), noted
        except (OSError, smtplib.SMTPException) as error:
            self.rest()
            raise Down(_said(error)) from error

    def _begin(self, sender: str, size: int) -> smtplib.SMTP:
        """A connection that has taken the sender. One that was kept and is gone meanwhile is made anew, once."""
        while True:
            kept = self.server is not None
            server = self._connection()
            try:
                code, said = server.mail(sender, _options(server, size))
            except smtplib.SMTPServerDisconnected:
                if not kept:
                    raise
                self.rest()
                continue
            if code == 250:
                return server
            self.rest()
            # Too large: this mail's own fault. A refused sender is a fault of the desk, whatever it sends.
            if code == 552:
                raise Refused(_line(code, said))
            if code != 421 or not kept:
                raise Down(_line(code, said))

    def _connection(self) -> smtplib.SMTP:
        if self.server and not self._is_good(self.server):
            self.rest()
        if self.server is None:
            self.server, self.count = _connect(self), 0
        self.used_at, self.count = time.monotonic(), self.count + 1
        return self.server

    def _is_good(self, server: smtplib.SMTP) -> bool:
        if self.count >= MOST_ON_ONE_CONNECTION:
            return False
        if time.monotonic() - self.used_at < FRESH_S:
            return True
        try:
            return server.noop()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False

    def _name(self, server: smtplib.SMTP, readers: list[str], patient: bool) -> str:
        """Names the readers. The first must be taken; what is said against one in copy is returned as a note."""
        notes = []
        for number, reader in enumerate(readers):
            code, said = server.rcpt(reader)
            if code in (250, 251):
                continue
            line = _line(code, said)
            if code == 421:
                self.rest()
                raise Down(line)
            if code >= 500 and number == 0:
                self._clear(server)
                raise Refused(line)
            if code < 500 and (number == 0 or patient):
                self._clear(server)
                raise PutOff(line)
            notes.append(f"{reader}: {line}")
        return "; ".join(notes)

    def _hand_over(self, server: smtplib.SMTP, text: bytes) -> str:
        try:
            code, line = _answered(server.data(text))
        except smtplib.SMTPDataError as error:
            code, line = _answered((error.smtp_code, error.smtp_error))
        if code == 250:
            return _number(line)
        if code == 421:
            self.rest()
            raise Down(line)
        self._clear(server)
        raise Refused(line) if code >= 500 else PutOff(line)

    def _clear(self, server: smtplib.SMTP) -> None:
        try:
            server.rset()
        except (OSError, smtplib.SMTPException):
            self.rest()

    def abort(self) -> None:
        server = self.server
        if server and server.sock:
            with contextlib.suppress(OSError):
                server.sock.shutdown(socket.SHUT_RDWR)

    def rest(self) -> None:
        server, self.server = self.server, None
        if server:
            # Without QUIT: who does not answer must not be waited for.
            server.close()


def _connect(owner: Smtp) -> smtplib.SMTP:
    """A connection that is greeted, covered and logged in. Raises OSError, SMTPException."""
    told = settings.MAIL
    context = ssl.create_default_context()
    if told["tls_at_once"]:
        server: smtplib.SMTP = smtplib.SMTP_SSL(local_hostname=settings.MAIL_DOMAIN, timeout=TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(local_hostname=settings.MAIL_DOMAIN, timeout=TIMEOUT_S)
    # It can be aborted from now on, while its greeting is waited for.
    owner.server = server
    # Told by hand what connect() would take from the constructor: the name that the certificate must bear.
    server._host = told["host"]  # type: ignore[attr-defined]
    code, said = server.connect(told["host"], told["port"])
    if code != 220:
        raise smtplib.SMTPConnectError(code, said)
    server.ehlo_or_helo_if_needed()
    if not told["tls_at_once"] and server.has_extn("starttls"):
        server.starttls(context=context)
        server.ehlo()
    elif told["tls_required"] and not told["tls_at_once"]:
        raise smtplib.SMTPNotSupportedError("the server offers no TLS, and the password does not go in clear")
    if told["user"]:
        server.login(told["user"], told["password"])
    return server


def _options(server: smtplib.SMTP, size: int) -> list[str]:
    """What the server wants to know before it takes a mail, of what it understands."""
    told = {"size": f"size={size}", "8bitmime": "body=8bitmime"}
    return [word for name, word in told.items() if server.has_extn(name)]


def _address(written: str) -> str:
    """The bare address of "Name <address>", its domain as the wire has it. Raises Refused."""
    address = parseaddr(str(written))[1]
    # A domain in any script has a form in ASCII; what stands before it has none.
    known = "@" in address and address.rpartition("@")[0].isascii() and not any(c.isspace() for c in address)
    address = parseaddr(sanitize_address(("", address), "utf-8"))[1] if known else ""
    if "@" not in address or not address.isascii():
        raise Refused(f"{written[:100]!r} is no address that mail can be sent to")
    return address


def _answered(answer: tuple[int, bytes | str]) -> tuple[int, str]:
    return answer[0], _line(*answer)


def _line(code: int, said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(text.split())}".strip()


# How servers say what they call a mail: "250 Ok 0102018f-…" (Amazon SES), "250 2.0.0 Ok: queued as 4F2D" (Postfix).
NUMBER = re.compile(r"250 (?:\d\.\d\.\d )?(?:Ok|OK:? queued as|Ok: queued as) (?P<number>[!-~]{8,200})")


def _number(line: str) -> str:
    """What the server calls the mail, where it says so in a way that is known."""
    found = NUMBER.fullmatch(line)
    return found["number"] if found else ""


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _line(error.smtp_code, error.smtp_error)
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")


# --- Amazon SES ------------------------------------------------------------------------------------------------------

# What Amazon SES says about one mail only; all else concerns the account, the network or the service.
ABOUT_THE_MAIL = {"MessageRejected", "BadRequestException", "NotFoundException"}
TOO_FAST = {"TooManyRequestsException", "ThrottlingException", "LimitExceededException"}


class Ses:
    """Amazon SES by anymail, which knows boto3; SES answers with a Message-ID of its own."""

    def __init__(self) -> None:
        self.backend: Any = None

    def send(self, message: EmailMessage, *, patient: bool = True) -> tuple[str, str]:
        from anymail.exceptions import AnymailError

        if self.backend is None:
            self.backend = get_connection("anymail.backends.amazon_ses.EmailBackend")
        try:
            self.backend.open()
            self.backend.send_messages([message])
        except AnymailError as error:
            raise _of_amazon(error) from error
        except Exception as error:
            # No credentials, no region: boto3 says so in its own ways.
            raise Down(_said(error)) from error
        return str(message.anymail_status.message_id or ""), ""  # type: ignore[attr-defined]

    def abort(self) -> None:
        """boto3 keeps the deadline itself."""

    def rest(self) -> None:
        if self.backend:
            self.backend.close()


def _of_amazon(error: Any) -> Trouble:
    answer = getattr(error, "response", None)
    told = answer.get("Error", {}) if isinstance(answer, dict) else {}
    code = str(told.get("Code", ""))
    line = f"{code} {' '.join(str(told.get('Message', '')).split())}" if code else _said(error.__cause__ or error)
    if code in ABOUT_THE_MAIL or (not answer and error.__cause__ is None):
        return Refused(line)
    return PutOff(line) if code in TOO_FAST else Down(line)


# --- The worker's own output -----------------------------------------------------------------------------------------


class Console:
    """For a look at what would be sent."""

    def send(self, message: EmailMessage, *, patient: bool = True) -> tuple[str, str]:
        sys.stdout.write(f"{message.message().as_string()}\n{'-' * 79}\n")
        sys.stdout.flush()
        return "", ""

    def abort(self) -> None: ...

    def rest(self) -> None: ...
