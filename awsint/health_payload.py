"""One shape for what AWS Health says, be it an EventBridge message of any age or an answer of the API. Pure.

Real messages break their own schema in many ways (aws.md, 2.4): times by RFC 1123 with a wrong weekday and a one-digit
day, members that are missing or spelt in another case, numbers and booleans as strings, categories in lower case,
statuses no list knows. What can be read is read; only a message that names no event is Unreadable.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

SOURCE = "aws.health"
ABUSE_TYPE = "AWS Health Abuse Event"
ISSUE, NOTIFICATION, CHANGE, INVESTIGATION = "issue", "accountNotification", "scheduledChange", "investigation"
CATEGORIES = {
    "issue": ISSUE,
    "accountnotification": NOTIFICATION,
    "notification": NOTIFICATION,
    "scheduledchange": CHANGE,
    "plannedchange": CHANGE,
    "investigation": INVESTIGATION,
}
OPEN, CLOSED, UPCOMING = "open", "closed", "upcoming"
STATUSES = {"open": OPEN, "ongoing": OPEN, "closed": CLOSED, "resolved": CLOSED, "upcoming": UPCOMING}
PUBLIC, SPECIFIC = "PUBLIC", "ACCOUNT_SPECIFIC"
# The worst first; what is not listed is UNKNOWN.
ENTITY_STATUSES = ("IMPAIRED", "PENDING", "UPCOMING", "UNKNOWN", "UNIMPAIRED", "RESOLVED")
PERSONAS = {"OPERATIONAL": "OPERATIONS"}
MOST_TEXT = 60_000


class Unreadable(ValueError):
    """A message that cannot be attributed to an event; the text says why, for the staff."""


@dataclass(frozen=True)
class Entity:
    """An affected resource; `updated_at` is AWS's clock."""

    value: str
    status: str
    updated_at: datetime | None = None
    arn: str = ""


@dataclass(frozen=True)
class Told:
    """One message about one event. `account` is the affected one, empty where it is none in particular.

    `key` identifies it among those of (arn, account); `sender` is the account that EventBridge says it came from.
    """

    arn: str
    account: str
    key: str
    scope: str
    service: str
    code: str
    category: str
    region: str
    status: str
    updated_at: datetime | None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    description: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    actionability: str = ""
    personas: tuple[str, ...] = ()
    abuse: bool = False
    entities: tuple[Entity, ...] = ()
    page: int = 1
    pages: int = 1
    backup: bool = False
    sender: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def partition(self) -> str:
        return partition_of(self.arn)


def partition_of(arn: str) -> str:
    found = arn.split(":")
    return found[1] if len(found) > 1 and found[1] in ("aws", "aws-cn", "aws-us-gov") else "aws"


# --- Pushed ----------------------------------------------------------------------------------------------------------


def of_event(body: str) -> Told:
    """What an EventBridge message says. Raises Unreadable."""
    try:
        event = json.loads(body)
    except ValueError:
        raise Unreadable("no JSON") from None
    if not isinstance(event, dict) or not isinstance(event.get("detail"), dict):
        raise Unreadable("no event with a detail")
    if event.get("source", SOURCE) != SOURCE:
        raise Unreadable(f"source {str(event['source'])[:40]}")
    detail = _Members(event["detail"])
    arn = detail.text("eventArn", 1600)
    if not arn:
        raise Unreadable("no eventArn")
    sender = _number(event.get("account"))
    scope = _scope(detail)
    account = "" if scope == PUBLIC else _number(detail.get("affectedAccount")) or sender
    code = detail.text("eventTypeCode", 120) or "UNKNOWN"
    category = CATEGORIES.get(detail.text("eventTypeCategory", 60).lower(), detail.text("eventTypeCategory", 30))
    named = event.get("resources")
    resources = named if isinstance(named, list) else []
    return Told(
        arn=arn,
        account=account,
        key=detail.text("communicationId", 180) or digest_of(event["detail"]),
        scope=scope,
        service=detail.text("service", 60).upper() or code.removeprefix("AWS_").partition("_")[0],
        code=code,
        category=category,
        region=detail.text("eventRegion", 30) or _region(arn) or _text(event.get("region"), 30),
        status=_status(detail.text("statusCode", 20), category),
        updated_at=instant(detail.get("lastUpdatedTime")) or instant(event.get("time")),
        starts_at=instant(detail.get("startTime")),
        ends_at=instant(detail.get("endTime")),
        description=_description(detail.get("eventDescription")),
        metadata=_metadata(detail.get("eventMetadata")),
        actionability=detail.text("actionability", 30).upper(),
        personas=_personas(detail.get("personas")),
        abuse=event.get("detail-type") == ABUSE_TYPE or "ABUSE" in code.upper(),
        entities=_entities(detail.get("affectedEntities"), resources),
        page=_count(detail.get("page")),
        pages=_count(detail.get("totalPages")),
        backup=_text(detail.get("backupEvent"), 5).lower() == "true",
        sender=sender,
        raw=event,
    )


class _Members:
    """The members of a detail by name, whatever their case."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.told = {name.lower(): value for name, value in told.items() if value is not None}

    def get(self, name: str) -> Any:
        return self.told.get(name.lower())

    def text(self, name: str, most: int) -> str:
        return _text(self.get(name), most)


def digest_of(detail: Mapping[str, Any]) -> str:
    """A message's identity where it bears none: everything it says but which copy and which page it is."""
    said = {name: value for name, value in detail.items() if name.lower() not in ("backupevent", "page")}
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _scope(detail: _Members) -> str:
    told = detail.text("eventScopeCode", 20).upper()
    # Before 2023 messages had no scope, and public events no messages.
    return PUBLIC if told == PUBLIC else SPECIFIC


def _status(told: str, category: str) -> str:
    """Where none is given it is not over. A text that says [RESOLVED] closes nothing: AWS's own sample is open."""
    return STATUSES.get(told.lower()) or (UPCOMING if category == CHANGE else OPEN)


def _description(told: Any) -> str:
    if isinstance(told, str):
        return _text(told, MOST_TEXT)
    texts = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    texts.sort(key=lambda one: not str(one.get("language", "")).lower().startswith("en"))
    return _text(texts[0].get("latestDescription"), MOST_TEXT) if texts else ""


def _metadata(told: Any) -> dict[str, str]:
    if not isinstance(told, dict):
        return {}
    return {_text(name, 200): _text(value, 2000) for name, value in sorted(told.items())}


def _personas(told: Any) -> tuple[str, ...]:
    names = [told] if isinstance(told, str) else told if isinstance(told, list) else []
    upper = [_text(name, 20).upper() for name in names]
    return tuple(sorted({PERSONAS.get(name, name) for name in upper if name}))


def _entities(told: Any, resources: Sequence[Any]) -> tuple[Entity, ...]:
    found: dict[str, Entity] = {}
    for one in told if isinstance(told, list) else []:
        given = _Members(one) if isinstance(one, dict) else _Members({"entityValue": one})
        value = given.text("entityValue", 1224)
        if value:
            status = given.text("status", 20) or given.text("statusCode", 20)
            updated = instant(given.get("lastUpdatedTime"))
            found[value] = Entity(value, entity_status(status), updated, given.text("entityArn", 1600))
    if not found:
        # Old messages name resources at the top alone.
        found = {str(value)[:1224]: Entity(str(value)[:1224], "UNKNOWN") for value in resources if value}
    return tuple(found.values())


def entity_status(told: str) -> str:
    return told.upper() if told.upper() in ENTITY_STATUSES else "UNKNOWN"


def _count(told: Any) -> int:
    text = str(told).strip()
    return max(1, int(text)) if text.isdecimal() and len(text) < 7 else 1


def _number(told: Any) -> str:
    text = str(told or "").strip()
    return text if re.fullmatch("[0-9]{12}", text) else ""


def _region(arn: str) -> str:
    parts = arn.split(":")
    return _text(parts[3], 30) if len(parts) > 5 else ""


def _text(told: Any, most: int) -> str:
    # PostgreSQL keeps no NUL.
    return str(told).replace("\x00", "").strip()[:most] if told is not None else ""


# --- Polled ----------------------------------------------------------------------------------------------------------


def of_api(
    event: Mapping[str, Any],
    *,
    account: str = "",
    description: str = "",
    metadata: Mapping[str, str] | None = None,
    entities: Sequence[Entity] = (),
) -> Told:
    """What the API says of an event; of `account`'s part in it where one is given.

    A reading is keyed by lastUpdatedTime; one with resources by them too, because they change in between.
    """
    updated = instant(event.get("lastUpdatedTime"))
    key = f"poll:{updated.isoformat() if updated else '-'}"
    if entities:
        said = sorted((one.value, one.status) for one in entities)
        key += ":" + hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
    category = CATEGORIES.get(
        str(event.get("eventTypeCategory", "")).lower(), _text(event.get("eventTypeCategory"), 30)
    )
    code = _text(event.get("eventTypeCode"), 120) or "UNKNOWN"
    scope = PUBLIC if event.get("eventScopeCode") == PUBLIC else SPECIFIC
    return Told(
        arn=_text(event["arn"], 1600),
        account="" if scope == PUBLIC else account,
        key=key,
        scope=scope,
        service=_text(event.get("service"), 60).upper(),
        code=code,
        category=category,
        region=_text(event.get("region"), 30),
        status=_status(_text(event.get("statusCode"), 20), category),
        updated_at=updated,
        starts_at=instant(event.get("startTime")),
        ends_at=instant(event.get("endTime")),
        description=_text(description, MOST_TEXT),
        metadata=_metadata(metadata or {}),
        actionability=_text(event.get("actionability"), 30).upper(),
        personas=_personas(event.get("personas")),
        abuse="ABUSE" in code.upper(),
        entities=tuple(entities),
        raw=_plain(event),
    )


def _plain(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one.isoformat() if isinstance(one, datetime) else one for name, one in event.items()}


# --- Times -----------------------------------------------------------------------------------------------------------

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
RFC_1123 = re.compile(
    r"(?:[A-Za-z]+\.?,?\s+)?(\d{1,2})[ -]([A-Za-z]{3})[a-z]*[ -](\d{4})\s+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?"
    r"\s*(GMT|UTC|Z|[+-]\d{2}:?\d{2})?"
)


def instant(told: Any) -> datetime | None:
    """An instant of AWS however it is written, in UTC; None where it is not readable. A weekday says nothing."""
    if isinstance(told, datetime):
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).astimezone(UTC)
    try:
        if isinstance(told, int | float) and not isinstance(told, bool):
            return datetime.fromtimestamp(told / 1000 if told > 1e11 else told, UTC)
        text = str(told or "").strip()
        return _rfc_1123(text) or _iso(text)
    except (ValueError, OverflowError, OSError):
        return None


def _rfc_1123(text: str) -> datetime | None:
    found = RFC_1123.fullmatch(text)
    if not found or found[2].lower() not in MONTHS:
        return None
    day, month, year = int(found[1]), MONTHS.index(found[2].lower()) + 1, int(found[3])
    zone: timezone = UTC
    if found[7] and found[7][0] in "+-":
        digits = found[7].replace(":", "")
        away = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5]))
        zone = timezone(-away if digits[0] == "-" else away)
    return datetime(year, month, day, int(found[4]), int(found[5]), int(found[6] or 0), tzinfo=zone).astimezone(UTC)


def _iso(text: str) -> datetime | None:
    if not text:
        return None
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)


# --- Kept ------------------------------------------------------------------------------------------------------------

INSTANTS = ("updated_at", "starts_at", "ends_at")


def to_row(told: Told) -> dict[str, Any]:
    """A message as it is kept beside its raw text, without its resources."""
    kept = {name: value for name, value in vars(told).items() if name not in ("raw", "entities")}
    for name in INSTANTS:
        kept[name] = kept[name].isoformat() if kept[name] else None
    return kept | {"personas": list(told.personas), "metadata": dict(told.metadata)}


def from_row(kept: Mapping[str, Any], entities: Sequence[Entity] = ()) -> Told:
    """The message again."""
    given = dict(kept) | {name: instant(kept[name]) for name in INSTANTS}
    return Told(**given | {"personas": tuple(kept["personas"]), "entities": tuple(entities)})
