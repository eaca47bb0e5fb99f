"""Looks at every switch that the reading of AWS hangs on, live, and says what is wrong and how it is mended.

Nothing is changed. A finding for each thing: hubs with their queues, the role of each account, of each organization its
view, its delegate and its rules, and when each feed of AWS Health was read last. Findings are codes, so that they can
be kept and read in either language (doctor_words.py).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings

from awsint import calls, client, hub_setup, setup
from awsint.health_poll import alone
from awsint.models import Account, HealthReading, Hub, Organization, Partition
from awsint.setup_steps import BY_HUB, Step, why_of
from awsint.shapes import AwsError, Calls, Place
from helpdesk.audit.record import SYSTEM

GOOD, SOON, BAD = "good", "soon", "bad"
# A round may be late by a third before somebody is told.
LATE = timedelta(minutes=settings.HEALTH_POLL_MINUTES + 5)
# More than so many waiting is worth a look; more than that is a consumer that does not run.
SOME, DEEP = 100, 1000
# What changed since then is asked for, to see that AWS answers.
LATELY = timedelta(hours=1)
# The queues of a hub: by the name of the finding, where its address is, and whether it is for dead letters.
QUEUES = {
    "support_queue": ("queue_url", False),
    "support_dead": ("dead_queue_url", True),
    "queue": ("health_queue_url", False),
    "dead_queue": ("health_dead_queue_url", True),
}
HEALTH_QUEUES = ("queue", "dead_queue")


@dataclass(frozen=True)
class Finding:
    """One thing: whose ("hub:1", "organization:2", "account:3", or nobody's), what, and how it stands.

    `said` and `given` are what was seen, `why` what has to be mended; `code` and `text` are AWS's own words.
    """

    about: str
    what: str
    state: str
    said: str = ""
    given: dict[str, Any] = field(default_factory=dict)
    why: str = ""
    code: str = ""
    text: str = ""

    @property
    def ok(self) -> bool:
        return self.state != BAD


@dataclass(frozen=True)
class Told:
    """What somebody who asked has to say."""

    state: str
    said: str
    given: dict[str, Any] = field(default_factory=dict)
    why: str = ""


def look(at: datetime, regions: Sequence[str] = ()) -> Iterator[Finding]:
    """Everything that is active; `regions` are looked at for rules beside those that are known to be in use."""
    made = Calls()
    try:
        yield from whole()
        for about in [*subjects(), *(f"account:{pk}" for pk in _accounts())]:
            yield from of(about, made, at, regions)
        yield from polls(at)
    finally:
        calls.store(made)


def subjects() -> list[str]:
    """What AWS Health hangs on, by hubs and organizations. Two statements."""
    hubs = Hub.objects.filter(is_active=True).order_by("partition").values_list("pk", flat=True)
    organizations = Organization.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True)
    return [*(f"hub:{pk}" for pk in hubs), *(f"organization:{pk}" for pk in organizations)]


def _accounts() -> Iterable[int]:
    return Account.objects.connected().order_by("partition", "number").values_list("pk", flat=True)


def whole() -> Iterator[Finding]:
    """What is nobody's: that there is a hub at all."""
    if not Hub.objects.filter(is_active=True).exists():
        yield Finding("", "hub", BAD, "no_hub", why=BY_HUB)


def of(about: str, made: Calls, at: datetime, regions: Sequence[str] = ()) -> Iterator[Finding]:
    """What there is to find about one of them, live."""
    kind, _colon, pk = about.partition(":")
    match kind:
        case "hub":
            yield from _hub(Hub.objects.get(pk=pk), made, at)
        case "organization":
            yield from _organization(Organization.objects.get(pk=pk), regions, made, at)
        case "account":
            yield _account(Account.objects.get(pk=pk), made, at)


def _asked(about: str, what: str, ask: Callable[[], Told]) -> Finding:
    try:
        told = ask()
    except AwsError as error:
        return Finding(about, what, BAD, why=why_of(error), code=error.code, text=error.text[:300])
    return Finding(about, what, told.state, told.said, told.given, "" if told.state == GOOD else told.why)


# --- Hubs ------------------------------------------------------------------------------------------------------------


def _hub(hub: Hub, made: Calls, at: datetime) -> Iterator[Finding]:
    about = f"hub:{hub.pk}"
    yield _asked(about, "identity", partial(_identity, hub, made, at))
    for name, (address, dead) in QUEUES.items():
        yield _asked(about, name, partial(_queue, hub, getattr(hub, address), dead, made, at))
    side = hub_setup.Side(hub, Place(hub.account_number, hub.partition), made, at, SYSTEM)
    yield _asked(about, "queue_policy", partial(_stands, hub_setup.queue_policy(side)))
    yield _asked(about, "hub_rule", partial(_hub_rule, side))


def _identity(hub: Hub, made: Calls, at: datetime) -> Told:
    number = client.check(Place(hub.account_number, hub.partition), made, at=at)
    return Told(GOOD if number == hub.account_number else BAD, "identity", {"number": number}, "identity")


def _hub_rule(side: hub_setup.Side) -> Told:
    return _told(side.rules().rule(hub_setup.RULE), side.arn_of(side.queue_url))


def _queue(hub: Hub, url: str, dead: bool, made: Calls, at: datetime) -> Told:
    if not url:
        return Told(BAD, "no_address", why=BY_HUB)
    depth = client.queue(hub.partition, hub.account_number, hub.region, url, made, at=at).depth()
    if dead:
        return Told(BAD if depth else GOOD, "depth", {"n": depth}, "dead")
    return Told(BAD if depth > DEEP else SOON if depth > SOME else GOOD, "depth", {"n": depth}, "consumer")


# --- Accounts --------------------------------------------------------------------------------------------------------


def _account(account: Account, made: Calls, at: datetime) -> Finding:
    def role() -> Told:
        number = client.check(account.place, made, at=at)
        return Told(GOOD, "role") if number == account.number else Told(BAD, "foreign_role", why="arn")

    return _asked(f"account:{account.pk}", "role", role)


# --- Organizations ---------------------------------------------------------------------------------------------------


def _organization(organization: Organization, regions: Sequence[str], made: Calls, at: datetime) -> Iterator[Finding]:
    about = f"organization:{organization.pk}"
    if organization.partition == Partition.CHINA:
        yield Finding(about, "view", GOOD, "not_offered")
        return
    hub = Hub.objects.filter(partition=organization.partition, is_active=True).first()
    wanted = setup.plan(organization, hub or Hub(partition=organization.partition), regions=regions)
    for step in setup.switches(wanted, made, at):
        if step.name in ("view", "delegate"):
            yield _asked(about, step.name, partial(_stands, step))
    yield _asked(about, "events", partial(_events, wanted, made, at))
    yield _asked(about, "bus", partial(_stands, _lets_in(wanted, made, at)))
    for region in wanted.regions:
        yield _asked(about, f"rule:{region}", partial(_rule, wanted, region, made, at))


def _stands(step: Step) -> Told:
    return Told(GOOD, "ok") if step.stands and step.stands() else Told(BAD, "missing", why=step.why or "setup")


def _events(plan: setup.Plan, made: Calls, at: datetime) -> Told:
    """Whether AWS tells us the organization's events, this moment."""
    api = client.health(plan.speaker, made, at=at, organization=True, turn=client.Turn.PERSON)
    return Told(GOOD, "events", {"n": sum(1 for _told in api.events(at - LATELY))})


def _lets_in(plan: setup.Plan, made: Calls, at: datetime) -> Step:
    return hub_setup.lets_in(plan.side(made, SYSTEM, at), plan.organization, plan.speaker)


def _rule(plan: setup.Plan, region: str, made: Calls, at: datetime) -> Told:
    return _told(client.rules(plan.speaker, region, made, at=at).rule(hub_setup.RULE), plan.hub.bus_arn)


def _told(rule: client.Rule | None, target: str) -> Told:
    """How a rule stands that has to send to this target."""
    fault = hub_setup.fault_of(rule, target)
    given: dict[str, Any] = {"fault": fault}
    if rule:
        given |= {"enabled": rule.enabled, "pattern": rule.pattern, "targets": list(rule.targets)}
    return Told(BAD if fault else GOOD, "rule", given, "setup")


# --- The poll --------------------------------------------------------------------------------------------------------


def polls(at: datetime) -> Iterator[Finding]:
    """When each feed was read last, by what we wrote down; nobody has begun with one that has no row."""
    for one in Organization.objects.filter(is_active=True, health_reading=None).exclude(partition=Partition.CHINA):
        yield poll(f"organization:{one.pk}", HealthReading(), at)
    for account in alone().filter(health_reading=None):
        yield poll(f"account:{account.pk}", HealthReading(), at)
    for reading in HealthReading.objects.order_by("pk"):
        about = (
            f"organization:{reading.organization_id}" if reading.organization_id else f"account:{reading.account_id}"
        )
        yield poll(about, reading, at)


def poll(about: str, reading: HealthReading, at: datetime) -> Finding:
    failed: dict[str, Any] = {"code": reading.code, "text": reading.reason[:200]} if reading.failures else {}
    if reading.read_at is None:
        return Finding(about, "poll", BAD, "never", why="worker", **failed)
    given = {"n": int((at - reading.read_at) / timedelta(minutes=1))}
    late = at - reading.read_at > LATE
    state = BAD if late else SOON if failed else GOOD
    return Finding(about, "poll", state, "minutes", given, "" if state == GOOD else "worker", **failed)
