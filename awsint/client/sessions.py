"""Who we are in an account: our hub's identity, or the account's role assumed from it.

One session of the SDK a hub and process, clients made under a lock (a session for each account would cost 150 ms).
Assumed credentials live in memory alone, by (partition, account, role, ExternalId) and by who acts there, and are
renewed when four fifths of their time are over. A role is assumed from its own partition's hub: none can be from
another's (aws.md, 1.5).
"""

import re
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from awsint.client import sent
from awsint.client.errors import ours
from awsint.shapes import Away, Denied, HubBroken, Place

# Where a partition's services for us are.
SUPPORT_REGION = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
STS_REGION = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
HOUR_S = 3600
RENEW_AT = 0.8
# What somebody changed about a hub counts after so long.
HUB_KEPT_S = 60.0
# A call that hangs at each attempt ends within a minute, the SDK's own waiting between them included.
READS = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=3, read_timeout=8)
# What changes something is asked a single time: a second attempt could make a second case (aws.md, headline 5).
WRITES = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60)
WAITS = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=5, read_timeout=40)
LENDS = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=3, read_timeout=8)
# What AWS takes in the name of a session, and of who acts there.
UNNAMED = re.compile(r"[^A-Za-z0-9_+=,.@-]")


@dataclass(frozen=True)
class Who:
    """Who acts where: `name` is the session's, `person` stands as SourceIdentity in the customer's CloudTrail."""

    place: Place
    name: str = "hd-poll"
    person: str = ""


@dataclass(frozen=True)
class Lent:
    """Credentials that were lent us for an account; `until` in monotonic seconds is when to ask for new ones."""

    key: str
    secret: str
    token: str
    until: float


# Around the asking of STS: takes note of the call, and is given its answer.
Noted = Callable[[], AbstractContextManager[dict[str, Any]]]

_lock = threading.RLock()
_sessions: dict[str, Any] = {}
_lent: dict[Who, Lent] = {}
_sts: dict[tuple[str, str], Any] = {}
_hubs: dict[str, tuple[str, float]] = {}
_places: dict[Place, threading.Lock] = {}
_forgotten: list[Callable[[], None]] = []


def on_forget(forgets: Callable[[], None]) -> None:
    """Somebody else keeps clients too."""
    _forgotten.append(forgets)


def forget() -> None:
    """Nothing of it outlives a change of environment, or a test."""
    with _lock:
        for kept in (_sessions, _lent, _sts, _hubs, _places):
            kept.clear()
        for forgets in _forgotten:
            forgets()


def drop(place: Place) -> None:
    """Its credentials are no good any more: the next call asks for new ones."""
    with _lock:
        for who in [who for who in _lent if who.place == place]:
            del _lent[who]


def drop_hub(partition: str) -> None:
    """The hub's own are no good any more: the next call reads them anew from where they come from."""
    with _lock:
        profile, _until = _hubs.pop(partition, ("", 0))
        _sessions.pop(profile, None)
        for key in [key for key in _sts if key[1] == profile]:
            del _sts[key]


def client(
    service: str,
    place: Place,
    config: Config = READS,
    *,
    name: str = "hd-poll",
    lent: Lent | None = None,
    region: str = "",
    url: str = "",
) -> Any:
    """A client of the SDK that acts in `place`, with what was lent for it. Raises Denied, HubBroken."""
    lent = lent or credentials(Who(place, name))
    given: dict[str, Any] = {"region_name": region or SUPPORT_REGION[place.partition], "config": config}
    if url:
        given["endpoint_url"] = url
    if lent:
        given |= {
            "aws_access_key_id": lent.key,
            "aws_secret_access_key": lent.secret,
            "aws_session_token": lent.token,
        }
    profile = _profile(place.partition)
    with _lock, ours("CreateClient", hub=True):
        return _session(profile).client(service, **given)


def credentials(who: Who, noted: Noted = lambda: nullcontext({})) -> Lent | None:
    """What is lent us there; None where we are ourselves. Raises Denied, HubBroken, Throttled, ClockSkew."""
    if not who.place.role_arn:
        return None
    _demand_own_role(who.place)
    with _lock:
        turn = _places.setdefault(who.place, threading.Lock())
    # One asks, the others of this account wait for it; other accounts do not.
    with turn:
        kept = _lent.get(who)
        if kept and kept.until > time.monotonic():
            return kept
        with noted() as answer:
            answer |= _assume(who)
        return _keep(who, answer["Credentials"])


def _demand_own_role(place: Place) -> None:
    """A role of another account or partition is never taken for this one's."""
    if not place.role_arn.startswith(f"arn:{place.partition}:iam::{place.number}:role/"):
        told = f"{place.role_arn} is no role of account {place.number} in partition {place.partition}"
        raise Denied("RoleElsewhere", told, operation="AssumeRole")


def _keep(who: Who, told: dict[str, str]) -> Lent:
    now = time.monotonic()
    lent = Lent(told["AccessKeyId"], told["SecretAccessKey"], told["SessionToken"], now + HOUR_S * RENEW_AT)
    with _lock:
        for old in [other for other, kept in _lent.items() if kept.until <= now]:
            del _lent[old]
        _lent[who] = lent
    return lent


def _assume(who: Who) -> dict[str, Any]:
    given: dict[str, Any] = {
        "RoleArn": who.place.role_arn,
        "RoleSessionName": UNNAMED.sub("-", who.name)[:64],
        "DurationSeconds": HOUR_S,
    }
    if who.place.external_id:
        given["ExternalId"] = who.place.external_id
    if not who.person:
        return _lend(who.place.partition, given)
    try:
        return _lend(who.place.partition, {**given, "SourceIdentity": UNNAMED.sub("-", who.person)[:64]})
    except Denied as error:
        # A role made by hand may let us in, and not let us say for whom.
        if "sts:SetSourceIdentity" not in error.text:
            raise
    return _lend(who.place.partition, given)


def _lend(partition: str, given: dict[str, Any]) -> dict[str, Any]:
    """STS's answer. Where STS does not answer no account can be read, and nothing has happened in any."""
    sts = _sts_of(partition)
    try:
        with ours("AssumeRole", hub=True):
            answer: dict[str, Any] = sts.assume_role(**given)
            return answer
    except Away as error:
        raise HubBroken(error.code, error.text, operation="AssumeRole") from error.__cause__


# --- The hub ---------------------------------------------------------------------------------------------------------


def profile_of(partition: str) -> str:
    """The profile of a partition's hub on this machine; empty for the machine's own identity. Raises HubBroken."""
    from awsint.models import Hub

    hub = Hub.objects.filter(partition=partition, is_active=True).values_list("profile", flat=True).first()
    if hub is None:
        raise HubBroken("NoHub", f"no hub in partition {partition}")
    return hub


def _profile(partition: str) -> str:
    """The same, asked of the database once a minute."""
    profile, until = _hubs.get(partition, ("", 0.0))
    if until <= time.monotonic():
        profile = profile_of(partition)
        _hubs[partition] = (profile, time.monotonic() + HUB_KEPT_S)
    return profile


def _session(profile: str) -> Any:
    with _lock:
        if profile not in _sessions:
            session = boto3.Session(profile_name=profile or None)
            session.events.register("before-send", sent.count)
            _sessions[profile] = session
        return _sessions[profile]


def _sts_of(partition: str) -> Any:
    profile = _profile(partition)
    with _lock, ours("CreateClient", hub=True):
        if (partition, profile) not in _sts:
            given: dict[str, Any] = {"region_name": STS_REGION[partition], "config": LENDS}
            _sts[partition, profile] = _session(profile).client("sts", **given)
        return _sts[partition, profile]
