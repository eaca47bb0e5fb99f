"""The only part of the desk that knows the SDK of AWS.

Each door takes a `Place` (which account, by which role), a `Calls` that collects what was called, and `at`, when the
work began; it returns one of our APIs, whose answers are the dataclasses of shapes.py and whose refusals are its
errors. How fast an account is called follows from `turn`. Nothing here keeps a credential but in memory.
"""

from datetime import datetime

from awsint.client.buckets import Turn
from awsint.client.calling import Caller, needed
from awsint.client.health_events import HealthApi
from awsint.client.organizations import OrganizationApi
from awsint.client.queues import QueueApi
from awsint.client.setup import BusApi, HubApi, QueueSetupApi, Rule, RulesApi, TrustApi, free
from awsint.client.support import SupportApi
from awsint.shapes import Calls, Place

__all__ = [
    "BusApi",
    "HealthApi",
    "HubApi",
    "OrganizationApi",
    "QueueApi",
    "QueueSetupApi",
    "Rule",
    "RulesApi",
    "SupportApi",
    "TrustApi",
    "Turn",
    "check",
    "free",
    "health",
    "hub",
    "organization",
    "queue",
    "rules",
    "support",
    "trust",
]


def support(
    place: Place, made: Calls, *, at: datetime, turn: Turn = Turn.POLL, name: str = "hd-poll", person: str = ""
) -> SupportApi:
    """AWS Support in an account. `name` is the session's: hd-poll, or hd-HD-1042 where somebody works on a ticket;
    `person` says who, by key and never by name."""
    return SupportApi(Caller("support", place, made, at=at, turn=turn, name=name, person=person))


def organization(place: Place, made: Calls, *, at: datetime) -> OrganizationApi:
    """The organization that an account manages."""
    return OrganizationApi(Caller("organizations", place, made, at=at, turn=Turn.PERSON))


def trust(place: Place, made: Calls, *, at: datetime) -> TrustApi:
    """Whom the organization that an account manages trusts with AWS Health."""
    return TrustApi(Caller("organizations", place, made, at=at, turn=Turn.PERSON))


def rules(place: Place, region: str, made: Calls, *, at: datetime) -> RulesApi:
    """The rules of EventBridge on an account's own bus in a region."""
    caller = Caller("events", place, made, at=at, turn=Turn.PERSON)
    caller.region = region
    return RulesApi(caller)


def health(place: Place, made: Calls, *, at: datetime, organization: bool, turn: Turn = Turn.POLL) -> HealthApi:
    """AWS Health as an account sees it: its own, or with `organization` that of all members."""
    return HealthApi(Caller("health", place, made, at=at, turn=turn), organization=organization)


def queue(partition: str, number: str, region: str, url: str, made: Calls, *, at: datetime) -> QueueApi:
    """A queue of a hub, by the hub's own identity."""
    caller = Caller("sqs", Place(number, partition), made, at=at, turn=Turn.PERSON)
    caller.region = region
    return QueueApi(caller, url)


def hub(place: Place, region: str, made: Calls, *, at: datetime) -> HubApi:
    """Bus, rules and queues of a hub as they are set up."""
    events, sqs = (Caller(service, place, made, at=at, turn=Turn.PERSON) for service in ("events", "sqs"))
    events.region = sqs.region = region
    return HubApi(events, sqs)


def check(place: Place, made: Calls, *, at: datetime) -> str:
    """The account that we are in when we act there: its number. Raises AwsError."""
    number: str = needed(Caller("sts", place, made, at=at, turn=Turn.PERSON).call("get_caller_identity"), "Account")
    return number
