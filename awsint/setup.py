"""Connects AWS Health of an organization: each step is looked at first, and done only where it is missing.

Who may switch is the management account, through a role that is used for this alone; who sends the events is the
account that speaks for the organization (docs/content/en/AWS-HEALTH-SETUP.md, steps 1 to 6). Where the events arrive is
the hub (hub_setup.py), which comes before the rules that send to it. Nothing is ever switched off or taken away.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from awsint import calls, client, hub_setup
from awsint.hub_setup import PATTERN, RULE, Side, fault_of
from awsint.models import Hub, Organization, Partition
from awsint.setup_steps import BY_FEATURES, Done, Step, take
from awsint.shapes import Calls, Place
from helpdesk.accounts.doors import Refused
from helpdesk.audit.record import Actor

REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")
ROLE = "PartnerHealthEvents"
# What a role may be called, with its path.
NAME = "[A-Za-z0-9+=,.@_/-]{1,140}"
# Where a partition's global events are told, and where the copies of public ones go.
ALWAYS = {
    "aws": ("us-east-1", "us-west-2"),
    "aws-cn": ("cn-north-1", "cn-northwest-1"),
    "aws-us-gov": ("us-gov-west-1", "us-gov-east-1"),
}


@dataclass(frozen=True)
class Roles:
    """Who may do it, for this run alone: a role of the management account, and one of the hub's."""

    management: str = ""
    hub: str = ""


@dataclass(frozen=True)
class Plan:
    """What is to be set up. `manager` acts for the management account, `speaker` for whoever sends the events, `maker`
    in the hub's account."""

    organization: Organization
    hub: Hub
    manager: Place
    speaker: Place
    maker: Place
    regions: tuple[str, ...]

    def side(self, made: Calls, by: Actor, at: datetime) -> Side:
        return Side(self.hub, self.maker, made, at, by)


def plan(organization: Organization, hub: Hub, roles: Roles | None = None, *, regions: Sequence[str] = ()) -> Plan:
    """Without a role of the management account the organization's own is tried, without one of the hub's account our
    own identity. Regions in use are those that are named, those written down at the organization, and those that every
    partition needs."""
    asked, partition, speaker = roles or Roles(), organization.partition, organization.place
    manager = speaker
    if role := asked.management:
        manager = Place(role.split(":")[4], partition, role, organization.external_id)
    wanted = dict.fromkeys((*ALWAYS[partition], *organization.health_regions, *regions))
    maker = Place(hub.account_number, partition, asked.hub)
    return Plan(organization, hub, manager, speaker, maker, tuple(wanted))


def demand_sound(organization: Organization, hub: Hub, roles: Roles, regions: Sequence[str]) -> None:
    """Raises Refused, where a role or a region is none of the organization's partition, or the hub's role not of its
    account."""
    partition, role = organization.partition, roles.management
    if role and not re.fullmatch(rf"arn:{partition}:iam::[0-9]{{12}}:role/{NAME}", role):
        raise Refused("role", _("%(role)s is no role in partition %(at)s.") % {"role": role, "at": partition})
    if roles.hub and not re.fullmatch(rf"arn:{partition}:iam::{hub.account_number}:role/{NAME}", roles.hub):
        told = {"role": roles.hub, "number": hub.account_number}
        raise Refused("hub_role", _("%(role)s is no role of the hub's account %(number)s.") % told)
    for region in regions:
        china = region.startswith("cn-") == (partition == Partition.CHINA)
        gov = region.startswith("us-gov-") == (partition == Partition.GOV)
        if not (REGION.fullmatch(region) and china and gov):
            told = {"region": region, "at": partition}
            raise Refused("regions", _("%(region)s is no region of partition %(at)s.") % told)


def hub_of(organization: Organization) -> Hub:
    """Our hub in its partition. Raises Refused."""
    hub = Hub.objects.filter(partition=organization.partition, is_active=True).first()
    if hub is None:
        raise Refused("hub", _("There is no hub in partition %(at)s.") % {"at": organization.partition})
    return hub


def run(plan: Plan, *, dry: bool, by: Actor, at: datetime) -> Iterator[Done]:
    """Each step and what became of it; with `dry` nothing is changed, at AWS or here."""
    made = Calls()
    before: dict[str, Done] = {}
    try:
        for step in steps(plan, made, by, at):
            done = before[step.name] = take(step, before, dry=dry)
            yield done
    finally:
        calls.store(made)


# --- The steps -------------------------------------------------------------------------------------------------------


def steps(plan: Plan, made: Calls, by: Actor, at: datetime) -> list[Step]:
    """All of them in their order; nothing is asked of AWS before one is taken."""
    china = plan.organization.partition == Partition.CHINA
    return [
        *([Step("view")] if china else switches(plan, made, at)),
        *hub_setup.steps(plan.side(made, by, at), plan.organization, plan.speaker),
        *(_rule(plan, region, made, at) for region in plan.regions),
    ]


def switches(plan: Plan, made: Calls, at: datetime) -> Iterator[Step]:
    told = client.organization(plan.manager, made, at=at)
    trust = client.trust(plan.manager, made, at=at)
    health = client.health(plan.manager, made, at=at, organization=True, turn=client.Turn.PERSON)
    number = plan.organization.account_number
    yield Step("features", lambda: told.describe().get("FeatureSet") == "ALL", why=BY_FEATURES)
    yield Step("access", trust.trusts, trust.trust, needs=("features",))
    yield Step("view", health.enabled, health.enable, needs=("features",))
    yield Step(
        "delegate",
        lambda: number == str(told.describe().get("MasterAccountId")) or number in trust.delegates(),
        lambda: trust.delegate(number),
        needs=("access",),
    )


def _rule(plan: Plan, region: str, made: Calls, at: datetime) -> Step:
    rules = client.rules(plan.speaker, region, made, at=at)
    role = f"arn:{plan.speaker.partition}:iam::{plan.speaker.number}:role/{ROLE}"
    return Step(
        f"rule:{region}",
        # The hub's row names its bus once that was made.
        lambda: fault_of(rules.rule(RULE), plan.hub.bus_arn) == "",
        lambda: rules.put(RULE, PATTERN, plan.hub.bus_arn, called="partner-hub", role=role),
        needs=("hub_bus",),
    )
