"""Connects AWS Health of an organization: each step is looked at first, and done only where it is missing.

Who may switch is the management account, through a role that is used for this alone; who sends the events is the
account that speaks for the organization (docs/content/en/AWS-HEALTH-SETUP.md, steps 1 to 6). The hub itself comes from
deploy/aws/hub.yaml: its queues are only looked at. Nothing is ever switched off or taken away.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from awsint import calls, client, hub_policies, mending, testing
from awsint.models import Hub, Organization, Partition
from awsint.shapes import AwsError, Calls, Denied, Place
from helpdesk.accounts.doors import Refused

REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")
# Why a step is not done here, beside the kinds of AWS's errors (shapes.py).
BY_HUB, BY_FEATURES, NOT_ALLOWED = "hub", "features", "not_allowed"
RULE = "partner-health"
ROLE = "PartnerHealthEvents"
SOURCE = "aws.health"
KINDS = ("AWS Health Event", "AWS Health Abuse Event")
PATTERN = {"source": [SOURCE], "detail-type": list(KINDS)}
# Where a partition's global events are told, and where the copies of public ones go.
ALWAYS = {
    "aws": ("us-east-1", "us-west-2"),
    "aws-cn": ("cn-north-1", "cn-northwest-1"),
    "aws-us-gov": ("us-gov-west-1", "us-gov-east-1"),
}


@dataclass(frozen=True)
class Plan:
    """What is to be set up. `manager` acts for the management account, `speaker` for whoever sends the events."""

    organization: Organization
    hub: Hub
    manager: Place
    speaker: Place
    regions: tuple[str, ...]


@dataclass(frozen=True)
class Done:
    """A step: "ok" (as it should be), "missing", "done", "failed", "not_offered" or "skipped".

    `why` is what has to be mended elsewhere; `code` and `text` are AWS's own words.
    """

    step: str
    state: str
    code: str = ""
    text: str = ""
    why: str = ""

    @property
    def good(self) -> bool:
        return self.state in ("ok", "done", "not_offered")

    @property
    def to_do(self) -> bool:
        """Missing, and the desk can do it."""
        return self.state == "missing" and not self.why

    @property
    def name(self) -> str:
        return step_name(self.step)

    @property
    def word(self) -> str:
        return state_name(self.state)

    @property
    def mend(self) -> str:
        return mended(self.step, self.why)


@dataclass(frozen=True)
class Step:
    """`stands` says whether it is as it should be; `do` makes it so, where the desk can; `why` says who else has to.

    One without `stands` is not offered in the partition.
    """

    name: str
    stands: Callable[[], bool] | None = None
    do: Callable[[], None] | None = None
    why: str = ""
    needs: tuple[str, ...] = ()


def plan(organization: Organization, hub: Hub, *, role: str = "", regions: Sequence[str] = ()) -> Plan:
    """`role` is one of the management account that may switch; without it the organization's own is tried. Regions in
    use are those that are named, those written down at the organization, and those that every partition needs."""
    speaker = organization.place
    manager = Place(role.split(":")[4], organization.partition, role, organization.external_id) if role else speaker
    wanted = dict.fromkeys((*ALWAYS[organization.partition], *organization.health_regions, *regions))
    return Plan(organization, hub, manager, speaker, tuple(wanted))


def demand_sound(organization: Organization, role: str, regions: Sequence[str]) -> None:
    """Raises Refused, where the role or a region is none of the organization's partition."""
    partition = organization.partition
    if role and not re.fullmatch(rf"arn:{partition}:iam::[0-9]{{12}}:role/[A-Za-z0-9+=,.@_/-]{{1,140}}", role):
        raise Refused("role", _("%(role)s is no role in partition %(at)s.") % {"role": role, "at": partition})
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


def run(plan: Plan, *, dry: bool, at: datetime) -> Iterator[Done]:
    """Each step and what became of it; with `dry` nothing is changed at AWS."""
    made = Calls()
    before: dict[str, Done] = {}
    try:
        for step in steps(plan, made, at):
            done = before[step.name] = take(step, before, dry=dry)
            yield done
    finally:
        calls.store(made)


def take(step: Step, before: Mapping[str, Done], *, dry: bool) -> Done:
    """Looks at a step and does it where it is missing, unless what it needs of those before is not there."""
    needed = [before[name] for name in step.needs]
    if not all(one.good or (dry and one.to_do) for one in needed):
        return Done(step.name, "skipped")
    if step.stands is None:
        return Done(step.name, "not_offered")
    try:
        if step.stands():
            return Done(step.name, "ok")
        if dry or step.do is None:
            return Done(step.name, "missing", why="" if step.do else step.why)
        step.do()
        return Done(step.name, "done")
    except AwsError as error:
        return Done(step.name, "failed", error.code, error.text[:400], why_of(error))


def why_of(error: AwsError) -> str:
    """The word under which `mended` knows how an error of a step is mended."""
    return NOT_ALLOWED if isinstance(error, Denied) and error.operation != "AssumeRole" else testing.kind_of(error)


def mended(step: str, why: str) -> str:
    """How what keeps a step from being as it should is mended, in the reader's language."""
    match why:
        case "":
            return ""
        case "hub":
            return mend_hub()
        case "features":
            return _("Switch on all features of the organization, as the management account.")
        case "not_allowed":
            return _may(step)
    return mending.mend_step("members", why)


def _may(step: str) -> str:
    if step in ("access", "view", "delegate"):
        return _("Only the management account may do this: name a role of it that may (--management-role).")
    if step in ("bus", "queue", "queue_policy", "dead_queue"):
        return _("The hub's role may not look at this: deploy deploy/aws/hub.yaml again.")
    if step.startswith("rule:"):
        return _("The role may not see or make rules here: deploy deploy/aws/health.yaml in this region instead.")
    return _("The role does not allow this: deploy the template again, with what it allows unchanged.")


# --- The steps -------------------------------------------------------------------------------------------------------


def steps(plan: Plan, made: Calls, at: datetime) -> list[Step]:
    """All of them in their order; nothing is asked of AWS before one is taken."""
    china = plan.organization.partition == Partition.CHINA
    hub = plan.hub
    return [
        *([Step("view")] if china else switches(plan, made, at)),
        bus(plan, made, at),
        *(_rule(plan, region, made, at) for region in plan.regions),
        Step("queue", _lies(hub, hub.health_queue_url, made, at), why=BY_HUB),
        queue_policy(hub, made, at),
        Step("dead_queue", _lies(hub, hub.health_dead_queue_url, made, at), why=BY_HUB),
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


def bus(plan: Plan, made: Calls, at: datetime) -> Step:
    """The hub's bus is there, and whoever speaks for the organization may put events on it."""
    hub, organization = plan.hub, plan.organization

    def stands() -> bool:
        if not hub.bus_arn:
            return False
        policy = client.bus(hub.partition, hub.account_number, hub.bus_arn, made, at=at).policy()
        told = client.organization(plan.speaker, made, at=at)
        known = organization.organization_id or ("" if policy is None else str(told.describe().get("Id", "")))
        return policy is not None and hub_policies.lets_in(policy, organization.account_number, known)

    return Step("bus", stands, why=BY_HUB)


def queue_policy(hub: Hub, made: Calls, at: datetime) -> Step:
    """The queue takes what the hub's rule sends, and hands on what nobody could take."""

    def stands() -> bool:
        if not hub.health_queue_url:
            return False
        api = client.queue(hub.partition, hub.account_number, hub.region, hub.health_queue_url, made, at=at)
        policy, dead = api.rules()
        return bool(dead) and hub_policies.takes_events(policy)

    return Step("queue_policy", stands, why=BY_HUB)


def _rule(plan: Plan, region: str, made: Calls, at: datetime) -> Step:
    rules = client.rules(plan.speaker, region, made, at=at)
    bus = plan.hub.bus_arn
    role = f"arn:{plan.speaker.partition}:iam::{plan.speaker.number}:role/{ROLE}"
    return Step(
        f"rule:{region}",
        lambda: fault_of(rules.rule(RULE), bus) == "",
        (lambda: rules.put(RULE, PATTERN, bus, role)) if bus else None,
        why=BY_HUB,
    )


def fault_of(rule: client.Rule | None, bus: str) -> str:
    """What is wrong with a rule: "missing", "disabled", "kinds" or "target"; nothing where it is as it should be."""
    if rule is None:
        return "missing"
    if not rule.enabled:
        return "disabled"
    if not rule.lets(SOURCE, KINDS):
        return "kinds"
    return "" if bus in rule.targets else "target"


def _lies(hub: Hub, url: str, made: Calls, at: datetime) -> Callable[[], bool]:
    """Whether a queue of the hub's can be reached; whoever cannot raises AwsError."""
    if not url:
        return lambda: False
    queue = client.queue(hub.partition, hub.account_number, hub.region, url, made, at=at)
    return lambda: queue.depth() >= 0


def mend_hub() -> str:
    return _("Deploy deploy/aws/hub.yaml and write its outputs down at the hub.")


def step_name(step: str) -> str:
    """What a step is about, in the reader's language."""
    if step.startswith("rule:"):
        return _("Rule for both kinds of notice to the hub's bus, in %(region)s") % {"region": step[5:]}
    return {
        "features": _("The organization has all features"),
        "access": _("The organization trusts AWS Health"),
        "view": _("The organization view of AWS Health is enabled"),
        "delegate": _("The account speaks for the organization"),
        "bus": _("The hub's bus lets the organization in"),
        "queue_policy": _("The queue takes events and hands on dead letters"),
        "queue": _("The hub's queue for AWS Health is there"),
        "dead_queue": _("Its queue for dead letters is there"),
    }.get(step, step)


def state_name(state: str) -> str:
    return {
        "ok": _("as it should be"),
        "missing": _("missing"),
        "done": _("done now"),
        "failed": _("did not succeed"),
        "not_offered": _("not offered in this partition"),
        "skipped": _("not tried, because what it needs failed"),
    }[state]
