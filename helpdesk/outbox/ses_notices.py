"""What Amazon SES tells of a mail, in either of its forms: event publishing (`eventType`) and the notifications of an
identity (`notificationType`). Pure. What tells nothing of a reader (Send, Open, Click, Received, a greeting of SES) is
None; so is what has another shape, for whatever SES signs and we cannot read will not be readable the next time.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from helpdesk.outbox.addresses import bare
from helpdesk.outbox.models import Fate

MOST_READERS = 100
LONGEST = 500


@dataclass(frozen=True)
class Said:
    """What is said of one reader."""

    address: str
    kind: Fate
    detail: str
    text: str


@dataclass(frozen=True)
class Told:
    """What is said of one mail: `mail` is its number at SES, `headers` those it was given to SES with, if they came."""

    mail: str
    at: datetime
    readers: tuple[str, ...]
    said: tuple[Said, ...]
    headers: Mapping[str, str]
    feedback: str


def read(text: str, at: datetime) -> Told | None:
    """`at` is when SNS sent it, which holds where SES says no time of its own."""
    try:
        told = json.loads(text)
        return _told(told, at) if isinstance(told, dict) else None
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None


def _told(told: dict[str, Any], at: datetime) -> Told | None:
    kind = told.get("eventType") or told.get("notificationType")
    mail = told.get("mail") or {}
    readers = [bare(one) for one in _texts(mail.get("destination"))]
    match kind:
        case "Delivery":
            of, said = told["delivery"], _delivered(told["delivery"])
        case "Bounce":
            of, said = told["bounce"], _bounced(told["bounce"])
        case "Complaint":
            of, said = told["complaint"], _complained(told["complaint"])
        case "DeliveryDelay":
            of, said = told["deliveryDelay"], _delayed(told["deliveryDelay"])
        case "Reject":
            of = told["reject"]
            said = [Said(one, Fate.REJECTED, "", _line(of.get("reason"))) for one in readers]
        case _:
            return None
    number, feedback = str(mail["messageId"])[:200], str(of.get("feedbackId") or "")[:200]
    return Told(number, _instant(of, at), tuple(readers), tuple(said[:MOST_READERS]), _headers(mail), feedback)


def _delivered(of: dict[str, Any]) -> list[Said]:
    return [Said(bare(one), Fate.DELIVERED, "", _line(of.get("smtpResponse"))) for one in _texts(of["recipients"])]


def _bounced(of: dict[str, Any]) -> list[Said]:
    """For good is what SES calls permanent; what is transient or undetermined may arrive the next time."""
    kind = Fate.BOUNCED if of["bounceType"] == "Permanent" else Fate.RETURNED
    detail = f"{of['bounceType']}/{of.get('bounceSubType') or ''}".strip("/")
    return [Said(address, kind, detail, text) for address, text in _readers(of["bouncedRecipients"])]


def _complained(of: dict[str, Any]) -> list[Said]:
    """ "not-spam" is the reader who takes it back. Of one domain SES may name all readers: it is not told which."""
    feedback = _line(of.get("complaintFeedbackType"))
    if feedback == "not-spam":
        return []
    detail = _line(of.get("complaintSubType"))
    return [Said(address, Fate.COMPLAINED, detail, feedback) for address, _text in _readers(of["complainedRecipients"])]


def _delayed(of: dict[str, Any]) -> list[Said]:
    detail = _line(of.get("delayType"))
    return [Said(address, Fate.DELAYED, detail, text) for address, text in _readers(of["delayedRecipients"])]


def _readers(rows: Iterable[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(bare(str(row["emailAddress"])), _line(row.get("diagnosticCode") or row.get("status"))) for row in rows]


def _texts(rows: Any) -> list[str]:
    return [one for one in rows if isinstance(one, str)][:MOST_READERS] if isinstance(rows, list) else []


def _headers(mail: dict[str, Any]) -> dict[str, str]:
    rows = mail.get("headers")
    if not isinstance(rows, list):
        return {}
    told = [(row.get("name"), row.get("value")) for row in rows if isinstance(row, dict)]
    return {name.lower(): value for name, value in told if isinstance(name, str) and isinstance(value, str)}


def _line(text: Any) -> str:
    """In one line, without what no database takes."""
    return " ".join(str(text or "").replace("\x00", "").encode(errors="replace").decode().split())[:LONGEST]


def _instant(of: dict[str, Any], at: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(str(of.get("timestamp")))
    except ValueError:
        return at
    # Nobody knows what is yet to come.
    return min(found, at) if found.tzinfo else at
