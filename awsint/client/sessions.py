"""Who we are in an account: our hub's identity, or the account's role assumed from it.

One session of the SDK a hub and process, clients made under a lock (a session for each account would cost 150 ms).
Assumed credentials live in memory alone, by (partition, account, role, ExternalId), and are renewed when four fifths
of their time are over. A role is assumed from its own partition's hub: none can be from another's (aws.md, 1.5).
"""

import threading
import time
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from awsint.client.errors import ours
from awsint.shapes import HubBroken, Place

# Where a partition's services for us are.
SUPPORT_REGION = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
STS_REGION = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
HOUR_S = 3600
RENEW_AT = 0.8
READS = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=5, read_timeout=20)
# What changes something is asked a single time: a second attempt could make a second case (aws.md, headline 5).
WRITES = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60)
WAITS = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=5, read_timeout=40)


@dataclass(frozen=True)
class Lent:
    """Credentials that were lent us for an account; `until` in monotonic seconds is when to ask for new ones."""

    key: str
    secret: str
    token: str
    until: float


_lock = threading.RLock()
_sessions: dict[str, Any] = {}
_lent: dict[Place, Lent] = {}
_sts: dict[str, Any] = {}
_places: dict[Place, threading.Lock] = {}


def forget() -> None:
    """Nothing of it outlives a change of environment, or a test."""
    with _lock:
        for kept in (_sessions, _lent, _sts, _places):
            kept.clear()


def client(service: str, place: Place, config: Config = READS, *, name: str, region: str = "", url: str = "") -> Any:
    """A client of the SDK that acts in `place` as role session `name`. Raises Denied, HubBroken, Away."""
    lent = _credentials(place, name) if place.role_arn else None
    given: dict[str, Any] = {"region_name": region or SUPPORT_REGION[place.partition], "config": config}
    if url:
        given["endpoint_url"] = url
    if lent:
        given |= {
            "aws_access_key_id": lent.key,
            "aws_secret_access_key": lent.secret,
            "aws_session_token": lent.token,
        }
    with _lock, ours("CreateClient", hub=True):
        return _session(place.partition).client(service, **given)


def drop(place: Place) -> None:
    """Its credentials are no good any more: the next call asks for new ones."""
    with _lock:
        _lent.pop(place, None)


def profile_of(partition: str) -> str:
    """The profile of a partition's hub on this machine; empty for the machine's own identity. Raises HubBroken."""
    from awsint.models import Hub

    hub = Hub.objects.filter(partition=partition, is_active=True).values_list("profile", flat=True).first()
    if hub is None:
        raise HubBroken("NoHub", f"no hub in partition {partition}")
    return hub


def _session(partition: str) -> Any:
    with _lock:
        if partition not in _sessions:
            _sessions[partition] = boto3.Session(profile_name=profile_of(partition) or None)
        return _sessions[partition]


def _credentials(place: Place, name: str) -> Lent:
    with _lock:
        turn = _places.setdefault(place, threading.Lock())
    # One asks, the others of this account wait for it; other accounts do not.
    with turn:
        kept = _lent.get(place)
        if kept and kept.until > time.monotonic():
            return kept
        lent = _assume(place, name)
        with _lock:
            _lent[place] = lent
        return lent


def _assume(place: Place, name: str) -> Lent:
    given = {"RoleArn": place.role_arn, "RoleSessionName": name[:64], "DurationSeconds": HOUR_S}
    if place.external_id:
        given["ExternalId"] = place.external_id
    with ours("AssumeRole", hub=True):
        told = _sts_of(place.partition).assume_role(**given)["Credentials"]
    lasts = HOUR_S * RENEW_AT
    return Lent(told["AccessKeyId"], told["SecretAccessKey"], told["SessionToken"], time.monotonic() + lasts)


def _sts_of(partition: str) -> Any:
    with _lock, ours("CreateClient", hub=True):
        if partition not in _sts:
            _sts[partition] = _session(partition).client("sts", region_name=STS_REGION[partition], config=READS)
        return _sts[partition]
