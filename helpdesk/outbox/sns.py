"""What Amazon SNS brings to our door: nothing of it is believed before topic, age and signature are right.

anymail 15.2 verifies no signature, and a right one from somebody else's topic is worth nothing: so the topic must be
one of settings.SES_EVENTS, and is looked at before anything is asked of anybody. The certificate comes from the host of
the topic's own region and from nowhere else: a host that merely looks like one (`sns.s3-us-west-2.amazonaws.com` is a
bucket) is not asked.
"""

import json
import re
import threading
import time
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.conf import settings

from helpdesk.outbox.amazon import ask

# A notification has 256 KiB at most, and quotation marks in it count twice.
MOST_BYTES = 512 * 2**10
# SNS comes back for six hours to a door that was closed. What comes twice is told apart by what it says.
OLDEST, NEWEST = timedelta(hours=7), timedelta(minutes=10)
TOPIC = re.compile(
    r"arn:(?P<partition>aws|aws-cn|aws-us-gov):sns:(?P<region>[a-z]{2}(-[a-z]+)+-\d):\d{12}:[A-Za-z0-9_-]{1,256}"
)
HOST = re.compile(r"sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")
CERTIFICATE = re.compile(r"/[A-Za-z0-9_-]+\.pem")
CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
# What is signed, in this order; "Subject" only where there is one.
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": CONFIRMATION,
    "UnsubscribeConfirmation": CONFIRMATION,
}
HASHES: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303
KEPT, KEPT_S = 16, 24 * 3600


class Forged(Exception):
    """Not from a topic of ours, or not as it left there. The reason is for the log and for nobody who asks."""


@dataclass(frozen=True)
class Notice:
    """A message that SNS signed, of a topic of ours."""

    kind: str
    id: str
    topic: str
    text: str
    at: datetime
    token: str = ""


def checked(body: bytes, at: datetime) -> Notice:
    """The notice in a request's body. Raises Forged; Unreachable where the certificate cannot be had now."""
    told = _fields(body)
    if told["TopicArn"] not in settings.SES_EVENTS["topics"]:
        raise Forged("a topic that is none of ours")
    sent = _instant(told["Timestamp"])
    if not at - OLDEST <= sent <= at + NEWEST:
        raise Forged(f"of {sent}, which is too long ago or yet to come")
    _verify(told, at)
    return Notice(told["Type"], told["MessageId"], told["TopicArn"], told["Message"], sent, told.get("Token", ""))


def confirm(notice: Notice) -> None:
    """Says yes to a topic of ours. Raises Unreachable.

    The address is made of topic and token; the one that the message offers is not used.
    """
    asked = {"Action": "ConfirmSubscription", "TopicArn": notice.topic, "Token": notice.token, "Version": "2010-03-31"}
    ask(host_of(notice.topic), f"/?{urlencode(asked)}")


def host_of(topic: str) -> str:
    """Where SNS answers for a topic. Raises ValueError where it is none."""
    if not (found := TOPIC.fullmatch(topic)):
        raise ValueError("no ARN of a topic of Amazon SNS")
    return f"sns.{found['region']}.amazonaws.com{'.cn' if found['partition'] == 'aws-cn' else ''}"


# --- What it says ----------------------------------------------------------------------------------------------------


def _fields(body: bytes) -> dict[str, str]:
    """All that is signed or says how. Raises Forged where something is missing or no text."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise Forged("no JSON") from None
    kind = told.get("Type") if isinstance(told, dict) else None
    if not isinstance(kind, str) or kind not in SIGNED:
        raise Forged("no message of SNS")
    wanted = {*SIGNED[kind], "Signature", "SignatureVersion", "SigningCertURL"}
    if told.get("Subject") is None:
        wanted -= {"Subject"}
    if wrong := [name for name in sorted(wanted) if not isinstance(told.get(name), str)]:
        raise Forged(f"without {wrong[0]}")
    return {name: told[name] for name in wanted}


def _instant(written: str) -> datetime:
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        raise Forged("no time") from None
    if found.tzinfo is None:
        raise Forged("a time without a zone")
    return found


# --- Whether SNS says it ---------------------------------------------------------------------------------------------


def _verify(told: Mapping[str, str], at: datetime) -> None:
    algorithm = HASHES.get(told["SignatureVersion"])
    if algorithm is None:
        raise Forged("a version of signatures that is not known")
    try:
        signature, text = b64decode(told["Signature"], validate=True), _signed(told)
    except ValueError:
        raise Forged("a signature or a text that can be none") from None
    certificate = _certificate(told["SigningCertURL"], host_of(told["TopicArn"]))
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise Forged("its certificate is out of date")
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise Forged("its certificate is of another kind")
    try:
        key.verify(signature, text, PKCS1v15(), algorithm)
    except InvalidSignature:
        raise Forged("the signature is not over what it says") from None


def _signed(told: Mapping[str, str]) -> bytes:
    names = [name for name in SIGNED[told["Type"]] if name in told]
    return "".join(f"{name}\n{told[name]}\n" for name in names).encode()


_known: OrderedDict[str, tuple[float, x509.Certificate]] = OrderedDict()
_lock = threading.Lock()


def _certificate(url: str, host: str) -> x509.Certificate:
    """The certificate at an address of SNS; kept for a day. Raises Forged, Unreachable."""
    path = _path(url, host)
    with _lock:
        kept = _known.get(url)
    if kept and time.monotonic() - kept[0] < KEPT_S:
        return kept[1]
    try:
        found = x509.load_pem_x509_certificate(ask(host, path))
    except ValueError:
        raise Forged("no certificate where it says") from None
    with _lock:
        _known[url] = (time.monotonic(), found)
        while len(_known) > KEPT:
            _known.popitem(last=False)
    return found


def _path(url: str, host: str) -> str:
    """The path of a certificate's address, which is `https://host/name.pem` and nothing more. Raises Forged."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Forged("its certificate has no address") from None
    if parts.scheme != "https" or parts.netloc != host or not HOST.fullmatch(parts.netloc):
        raise Forged("its certificate lies elsewhere")
    if url != f"https://{host}{parts.path}" or not CERTIFICATE.fullmatch(parts.path):
        raise Forged("its certificate has another kind of address")
    return parts.path


def forget_certificates() -> None:
    """As in a process that has just begun."""
    with _lock:
        _known.clear()
