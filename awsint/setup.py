"""Connects AWS Health of an organization: each step is looked at first, and done only where it is missing.

Who may switch is the management account, through a role that is used for this alone; who sends the events is the
account that speaks for the organization (docs/content/en/AWS-HEALTH-SETUP.md, steps 1 to 6). The hub itself comes from
deploy/aws/hub.yaml: its queues are only looked at. Nothing is ever switched off or taken away.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from awsint import calls, client, mending, testing
from awsint.models import Hub, Organization, Partition
from awsint.shapes import AwsError, Calls, Denied, Place

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
    """A step: "ok" (as it should be), "missing", "done", "failed", "not_offered" or "skipped"."""

    step: str
    state: str
    code: str = ""
    text: str = ""
    mend: str = ""

    @property
    def good(self) -> bool:
        return self.state in ("ok", "done", "not_offered")


@dataclass(frozen=True)
class Step:
    """`stands` says whether it is as it should be; `do` makes it so, where the desk can; `mend` says how else."""

    name: str
    stands: Callable[[], bool]
    do: Callable[[], None] | None = None
    mend: str = ""
    needs: tuple[str, ...] = ()


def plan(organization: Organization, hub: Hub, *, role: str = "", regions: tuple[str, ...] = ()) -> Plan:
    """`role` is one of the management account that may switch; without it the organization's own is tried."""
    speaker = organization.place
    manager = Place(role.split(":")[4], organization.partition, role, organization.external_id) if role else speaker
    wanted = dict.fromkeys((*ALWAYS[organization.partition], *regions))
    return Plan(organization, hub, manager, speaker, tuple(wanted))


def run(plan: Plan, *, dry: bool, at: datetime) -> Iterator[Done]:
    """Each step and what became of it; with `dry` nothing is changed at AWS."""
    made = Calls()
    before: dict[str, Done] = {}
    try:
        for step in _steps(plan, made, at):
            failed = [name for name in step.needs if not before[name].good and not (dry and _will_do(before[name]))]
            done = Done(step.name, "skipped") if failed else _take(step, dry)
            before[step.name] = done
            yield done
        if plan.organization.partition == Partition.CHINA:
            yield Done("view", "not_offered")
    finally:
        calls.store(made)


def _will_do(done: Done) -> bool:
    return done.state == "missing" and not done.mend


def _take(step: Step, dry: bool) -> Done:
    try:
        if step.stands():
            return Done(step.name, "ok")
        if dry or step.do is None:
            return Done(step.name, "missing", mend=step.mend if step.do is None else "")
        step.do()
        return Done(step.name, "done")
    except AwsError as error:
        return Done(step.name, "failed", error.code, error.text[:400], mended(step.name, error))


def mended(step: str, error: AwsError) -> str:
    """How an error of a step is mended, in the reader's language."""
    if isinstance(error, Denied) and error.operation != "AssumeRole":
        return _may(step)
    return mending.mend_step("members", testing.kind_of(error))


def _may(step: str) -> str:
    if step in ("access", "view", "delegate"):
        return _("Only the management account may do this: name a role of it that may, with --management-role.")
    if step.startswith("rule:"):
        return _("The role may not see or make rules here: deploy deploy/aws/health.yaml in this region instead.")
    return _("The role does not allow this: deploy the template again, with what it allows unchanged.")


# --- The steps -------------------------------------------------------------------------------------------------------


def _steps(plan: Plan, made: Calls, at: datetime) -> Iterator[Step]:
    if plan.organization.partition != Partition.CHINA:
        yield from switches(plan, made, at)
    for region in plan.regions:
        yield _rule(plan, region, made, at)
    for name, url in (("queue", plan.hub.health_queue_url), ("dead_queue", plan.hub.health_dead_queue_url)):
        yield Step(name, _lies(plan.hub, url, made, at), mend=mend_hub())


def switches(plan: Plan, made: Calls, at: datetime) -> Iterator[Step]:
    told = client.organization(plan.manager, made, at=at)
    trust = client.trust(plan.manager, made, at=at)
    health = client.health(plan.manager, made, at=at, organization=True, turn=client.Turn.PERSON)
    number = plan.organization.account_number
    whole = _("Switch on all features of the organization, as the management account.")
    yield Step("features", lambda: told.describe().get("FeatureSet") == "ALL", mend=whole)
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
    bus = plan.hub.bus_arn
    role = f"arn:{plan.speaker.partition}:iam::{plan.speaker.number}:role/{ROLE}"
    return Step(
        f"rule:{region}",
        lambda: fault_of(rules.rule(RULE), bus) == "",
        (lambda: rules.put(RULE, PATTERN, bus, role)) if bus else None,
        mend=mend_hub(),
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
