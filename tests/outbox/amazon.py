"""Amazon SNS on loopback: an authority of its own, certificates and signatures that are real.

What the desk asks of `sns.<region>.amazonaws.com` comes here, because the test's socket leads here; the desk's own
checks of hosts and certificates are all in force. Whatever it asks of anybody else is refused and written down.
"""

import json
import socket
import ssl
import threading
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

REGION = "eu-central-1"
HOST = f"sns.{REGION}.amazonaws.com"
TOPIC = f"arn:aws:sns:{REGION}:111122223333:desk-mail"
PEM = "/SimpleNotificationService-0123456789abcdef.pem"
NAMES = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
}


def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def certificate(
    name: str, own: rsa.RSAPrivateKey, by: rsa.RSAPrivateKey, issuer: str, *, authority: bool = False
) -> x509.Certificate:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=700))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        .sign(by, hashes.SHA256())
    )


def pem(*made: x509.Certificate | rsa.RSAPrivateKey) -> bytes:
    return b"".join(
        one.public_bytes(Encoding.PEM)
        if isinstance(one, x509.Certificate)
        else one.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        for one in made
    )


class Amazon:
    """`asked` are the paths that were asked for; `elsewhere` whom else the desk wanted to speak to."""

    def __init__(self, folder: Path) -> None:
        authority, door, self.key = key(), key(), key()
        root = certificate("Test CA", authority, authority, "Test CA", authority=True)
        self.authority = folder / "authority.pem"
        self.authority.write_bytes(pem(root))
        held = folder / "door.pem"
        held.write_bytes(pem(door, certificate(HOST, door, authority, "Test CA")))
        self.files = {PEM: pem(certificate("sns.amazonaws.com", self.key, authority, "Test CA"))}
        self.asked: list[str] = []
        self.elsewhere: list[tuple[str, int]] = []
        self.redirects = False
        self.server = HTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(held)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.real = socket.create_connection
        threading.Thread(target=lambda: self.server.serve_forever(0.01), daemon=True).start()

    def _handler(owner) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.asked.append(self.path)
                body = owner.files.get(self.path, b"<ok/>" if self.path.startswith("/?") else b"")
                self.send_response(302 if owner.redirects else 200 if body else 404)
                if owner.redirects:
                    self.send_header("Location", "https://evil.example/x.pem")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *given: Any) -> None: ...

        return Handler

    def connect(self, address: tuple[str, int], *given: Any, **more: Any) -> socket.socket:
        """In place of socket.create_connection."""
        if address != (HOST, 443):
            self.elsewhere.append(address)
            raise OSError("nobody there")
        return self.real(("127.0.0.1", self.server.server_port), *given, **more)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def signed(self, message: str, at: datetime, *, by: rsa.RSAPrivateKey | None = None, **more: Any) -> dict[str, Any]:
        """A message as SNS posts it; what is None in `more` is left out. Version 2 unless said otherwise."""
        told: dict[str, Any] = {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Message": message,
            "Timestamp": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z",
            "SignatureVersion": "2",
            "SigningCertURL": f"https://{HOST}{PEM}",
        } | more
        told = {name: value for name, value in told.items() if value is not None}
        text = "".join(f"{name}\n{told[name]}\n" for name in NAMES[told["Type"]] if name in told)
        algorithm = hashes.SHA1() if told["SignatureVersion"] == "1" else hashes.SHA256()
        signature = (by or self.key).sign(text.encode(), padding.PKCS1v15(), algorithm)
        return told | {"Signature": b64encode(signature).decode()}


# --- What SES says, as its documents show it -------------------------------------------------------------------------


def mail(number: str, *readers: str, headers: list[tuple[str, str]] | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "timestamp": "2026-03-02T02:00:10.000Z",
        "source": "support@desk.example",
        "sourceArn": f"arn:aws:ses:{REGION}:111122223333:identity/desk.example",
        "sendingAccountId": "111122223333",
        "messageId": number,
        "destination": list(readers),
    }
    if headers is not None:
        told |= {"headersTruncated": False, "headers": [{"name": n, "value": v} for n, v in headers]}
    return told


def event(kind: str, of: dict[str, Any], about: dict[str, Any], *, form: str = "eventType") -> str:
    names = {"DeliveryDelay": "deliveryDelay"}
    return json.dumps({form: kind, names.get(kind, kind.lower()): of, "mail": about})


def delivery(about: dict[str, Any], *readers: str, at: str = "02:00:12", **more: Any) -> str:
    of = {
        "timestamp": f"2026-03-02T{at}.000Z",
        "processingTimeMillis": 2210,
        "recipients": list(readers),
        "smtpResponse": "250 2.6.0 Message received",
        "reportingMTA": "b224-13.smtp-out.eu-central-1.amazonses.com",
    }
    return event("Delivery", of, about, **more)


def bounce(
    about: dict[str, Any],
    *readers: str,
    kind: str = "Permanent",
    sub: str = "General",
    at: str = "02:00:13",
    said: str = "smtp; 550 5.1.1 user unknown",
    **more: Any,
) -> str:
    rows = [{"emailAddress": r, "action": "failed", "status": "5.1.1", "diagnosticCode": said} for r in readers]
    of = {
        "feedbackId": "0102018f-bounce-000000",
        "bounceType": kind,
        "bounceSubType": sub,
        "bouncedRecipients": rows,
        "timestamp": f"2026-03-02T{at}.000Z",
        "reportingMTA": "dsn; mail.acme.example",
    }
    return event("Bounce", of, about, **more)


def complaint(about: dict[str, Any], *readers: str, feedback: str = "abuse", **more: Any) -> str:
    of = {
        "feedbackId": "0102018f-complaint-000000",
        "complaintSubType": None,
        "complainedRecipients": [{"emailAddress": r} for r in readers],
        "timestamp": "2026-03-02T02:10:00.000Z",
        "userAgent": "ExampleCorp Feedback Loop (V0.01)",
        "complaintFeedbackType": feedback,
        "arrivalDate": "2026-03-02T02:09:00.000Z",
    }
    return event("Complaint", of, about, **more)


def delay(about: dict[str, Any], *readers: str, at: str = "02:05:00") -> str:
    rows = [{"emailAddress": r, "status": "4.4.1", "diagnosticCode": "smtp; 421 4.4.1 no route"} for r in readers]
    of = {
        "timestamp": f"2026-03-02T{at}.000Z",
        "delayType": "TransientCommunicationFailure",
        "expirationTime": "2026-03-02T16:05:00.000Z",
        "delayedRecipients": rows,
    }
    return event("DeliveryDelay", of, about)
