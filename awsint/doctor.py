"""Looks at every switch that the reading of AWS hangs on, live, and says what is wrong and how it is mended.

Nothing is changed. A line for each thing: hubs with their queues, the role of each account, of each organization its
view, its delegate and its rules, and when each feed of AWS Health was read last.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from awsint import calls, client, setup
from awsint.health_poll import alone
from awsint.models import Account, HealthReading, Hub, Organization, Partition
from awsint.shapes import AwsError, Calls, Place

# A round may be late by a third before somebody is told.
LATE = timedelta(minutes=settings.HEALTH_POLL_MINUTES + 5)
# More than so many waiting is a consumer that does not run.
DEEP = 1000
Told = tuple[bool, str, str]


@dataclass(frozen=True)
class Finding:
    """One line: whose, what, whether it is well, what was seen, and how it is mended."""

    about: str
    what: str
    ok: bool
    text: str = ""
    mend: str = ""


def look(at: datetime, regions: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Everything that is active; `regions` are looked at for rules beside those that every partition needs."""
    made = Calls()
    hubs = list(Hub.objects.filter(is_active=True).order_by("partition"))
    try:
        if not hubs:
            yield Finding(_("hub"), _("Hub"), False, _("none is set up"), setup.mend_hub())
        for hub in hubs:
            yield from _hub(hub, made, at)
        for account in Account.objects.connected().order_by("partition", "number"):
            yield _account(account, made, at)
        for organization in Organization.objects.filter(is_active=True).order_by("pk"):
            yield from _organization(organization, hubs, regions, made, at)
        yield from _polls(at)
    finally:
        calls.store(made)


def _asked(about: str, step: str, what: str, ask: Callable[[], Told]) -> Finding:
    try:
        ok, text, mend = ask()
    except AwsError as error:
        return Finding(about, what, False, f"{error.code}: {error.text[:300]}", setup.mended(step, error))
    return Finding(about, what, ok, text, "" if ok else mend)


# --- Hubs ------------------------------------------------------------------------------------------------------------


def _hub(hub: Hub, made: Calls, at: datetime) -> Iterator[Finding]:
    about = f"{hub} ({hub.account_number})"

    def identity() -> Told:
        number = client.check(Place(hub.account_number, hub.partition), made, at=at)
        told = _("We are account %(number)s there.") % {"number": number}
        return number == hub.account_number, told, _("Look at the hub's profile and number.")

    yield _asked(about, "hub", _("Our identity"), identity)
    for name, url, dead in (
        (_("Queue for support cases"), hub.queue_url, False),
        (_("Dead letters of support cases"), hub.dead_queue_url, True),
        (_("Queue for AWS Health"), hub.health_queue_url, False),
        (_("Dead letters of AWS Health"), hub.health_dead_queue_url, True),
    ):
        yield _asked(about, "queue", name, partial(_queue, hub, url, dead, made, at))


def _queue(hub: Hub, url: str, dead: bool, made: Calls, at: datetime) -> Told:
    if not url:
        return False, _("Its address is not written down."), setup.mend_hub()
    depth = client.queue(hub.partition, hub.account_number, hub.region, url, made, at=at).depth()
    told = ngettext("%(count)s message lies there.", "%(count)s messages lie there.", depth) % {"count": depth}
    if dead:
        return depth == 0, told, _("Look at AWS, Inbox and fetch them back from the dead queue.")
    return depth <= DEEP, told, _("The consumer does not keep up: see that the worker runs.")


# --- Accounts --------------------------------------------------------------------------------------------------------


def _account(account: Account, made: Calls, at: datetime) -> Finding:
    def role() -> Told:
        number = client.check(account.place, made, at=at)
        told = _("The role lets us in, and it is in this account")
        return number == account.number, told, _("The role's ARN is of another account: mend it.")

    return _asked(str(account), "role", _("Role"), role)


# --- Organizations ---------------------------------------------------------------------------------------------------


def _organization(
    organization: Organization, hubs: list[Hub], regions: tuple[str, ...], made: Calls, at: datetime
) -> Iterator[Finding]:
    about = str(organization)
    hub = next((one for one in hubs if one.partition == organization.partition), None)
    if organization.partition == Partition.CHINA:
        told = _("not offered in this partition; each account is read by itself")
        yield Finding(about, setup.step_name("view"), True, told)
        return
    wanted = setup.plan(organization, hub or Hub(partition=organization.partition), regions=regions)
    for step in setup.switches(wanted, made, at):
        if step.name in ("view", "delegate"):
            yield _asked(about, step.name, setup.step_name(step.name), partial(_stands, step))
    for region in wanted.regions:
        name = f"rule:{region}"
        yield _asked(about, name, setup.step_name(name), partial(_rule, wanted, region, made, at))


def _stands(step: setup.Step) -> Told:
    ok = step.stands()
    return ok, setup.state_name("ok" if ok else "missing"), _set_up()


def _rule(plan: setup.Plan, region: str, made: Calls, at: datetime) -> Told:
    fault = setup.fault_of(client.rules(plan.speaker, region, made, at=at).rule(setup.RULE), plan.hub.bus_arn)
    return not fault, fault_name(fault), _set_up()


def _set_up() -> str:
    return _("Run manage.py aws_setup_health; see /docs/AWS-HEALTH-SETUP.")


def fault_name(fault: str) -> str:
    return {
        "": _("enabled, with both kinds of notice"),
        "missing": _("there is no such rule"),
        "disabled": _("the rule is disabled"),
        "kinds": _("the rule lacks AWS Health Event or AWS Health Abuse Event"),
        "target": _("the rule does not send to the hub's bus"),
    }[fault]


# --- The poll --------------------------------------------------------------------------------------------------------


def _polls(at: datetime) -> Iterator[Finding]:
    """When each feed was read last; nobody has begun with one that has no row."""
    feeds = Organization.objects.filter(is_active=True, health_reading=None).exclude(partition=Partition.CHINA)
    for one in [*feeds, *alone().filter(health_reading=None)]:
        yield Finding(str(one), _("Last poll of AWS Health"), *_poll(HealthReading(), at))
    for reading in HealthReading.objects.select_related("organization", "account").order_by("pk"):
        about = str(reading.organization or reading.account)
        yield Finding(about, _("Last poll of AWS Health"), *_poll(reading, at))


def _poll(reading: HealthReading, at: datetime) -> Told:
    worker = _("See that the worker runs, and look at AWS, Jobs.")
    failed = f" ({reading.code}: {reading.reason[:200]})" if reading.failures and reading.code else ""
    if reading.read_at is None:
        return False, _("never read") + failed, worker
    minutes = int((at - reading.read_at) / timedelta(minutes=1))
    told = ngettext("%(count)s minute ago", "%(count)s minutes ago", minutes) % {"count": minutes}
    ok = at - reading.read_at <= LATE
    return ok, told + failed, "" if ok else worker
