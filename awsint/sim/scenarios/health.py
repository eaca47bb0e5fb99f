"""Events of AWS Health for the demo: planned changes of both partitions, a notice, a leak, and an issue that goes on.

Their numbers are fixed and their times hang on the world's oldest case, so that a world that was kept tells the same
events again, and nobody hears of them twice. The issue is updated and closed while one looks.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from awsint.sim import health
from awsint.sim.scenarios.accounts import ACCOUNTS, ORGANIZATION
from awsint.sim.world import World

ACTION = "ACTION_REQUIRED"


@dataclass(frozen=True)
class Told:
    """An event: what it is, whom it affects with which resources, minutes from the anchor to its telling, and
    hours from there to its start."""

    code: str
    category: str
    region: str
    text: str
    accounts: dict[str, tuple[str, ...]] | None
    status: str = "upcoming"
    starts_h: float = 0
    told_min: int = 0
    actionability: str = "ACTION_MAY_BE_REQUIRED"
    personas: tuple[str, ...] = ("OPERATIONS",)
    partition: str = "aws"
    resource: str = "PENDING"


ISSUE = Told(
    "AWS_EC2_OPERATIONAL_ISSUE",
    "issue",
    "ap-southeast-1",
    "We are investigating increased error rates and latencies for EC2 instances in a single Availability Zone "
    "(apse1-az2) in the ap-southeast-1 Region.",
    {"210000000041": ("i-0c9d1e2f3a4b5c601", "i-0c9d1e2f3a4b5c602"), "210000000061": ("i-0a1b2c3d4e5f67890",)},
    status="open",
    resource="IMPAIRED",
)
EVENTS = [
    ISSUE,
    Told(
        "AWS_EC2_PERSISTENT_INSTANCE_RETIREMENT_SCHEDULED",
        "scheduledChange",
        "us-east-1",
        "EC2 has detected degradation of the underlying hardware hosting your Amazon EC2 instance associated with this "
        "event in the us-east-1 region. Due to this degradation your instance could already be unreachable. We will "
        "stop your instance after the time given. You can stop and start it at any time before.",
        {"210000000011": ("i-0f3a91c2d4e5b6a78",), "210000000012": ("i-0aa17bc2e9d4f5032",)},
        starts_h=20,
        actionability=ACTION,
    ),
    Told(
        "AWS_RDS_HARDWARE_MAINTENANCE_SCHEDULED",
        "scheduledChange",
        "us-east-1",
        "One or more of your Amazon RDS DB instances is scheduled for hardware maintenance in its maintenance window. "
        "Single-AZ instances will be unavailable for several minutes.",
        {"210000000021": ("arn:aws:rds:us-east-1:210000000021:db:orders",)},
        starts_h=6 * 24,
    ),
    Told(
        "AWS_LAMBDA_PLANNED_LIFECYCLE_EVENT",
        "scheduledChange",
        "us-east-1",
        "We are contacting you as we have identified that your AWS account currently has one or more Lambda functions "
        "using a runtime that is reaching the end of support. Please upgrade them before the date given.",
        {
            "210000000011": tuple(f"arn:aws:lambda:us-east-1:210000000011:function:orders-{n}" for n in range(1, 26)),
            "210000000041": ("arn:aws:lambda:us-east-1:210000000041:function:checkout",),
        },
        starts_h=12 * 24,
        actionability=ACTION,
    ),
    Told(
        "AWS_RDS_MAINTENANCE_SCHEDULED",
        "scheduledChange",
        "cn-north-1",
        "A security update for your RDS DB instance is scheduled in its next maintenance window.",
        {"310000000011": ("arn:aws-cn:rds:cn-north-1:310000000011:db:prod-orders",)},
        starts_h=44,
        partition="aws-cn",
    ),
    Told(
        "AWS_BILLING_NOTIFICATION",
        "accountNotification",
        "global",
        "Your payment method could not be charged for the invoice of last month. Please update it within 7 days.",
        {"210000000021": ()},
        status="open",
        actionability=ACTION,
        personas=("BILLING",),
    ),
    Told(
        "AWS_S3_OPERATIONAL_ISSUE",
        "issue",
        "us-east-1",
        "We are investigating increased error rates for Amazon S3 PUT requests in the us-east-1 Region.",
        None,
        status="open",
    ),
]
# What AWS says of the issue, so many minutes after it began.
UPDATES: list[tuple[float, dict[str, Any]]] = [
    (
        4,
        {"description": "We have identified the cause, a loss of power in a data center, and are restoring it."},
    ),
    (9, {"description": "Power is restored and the majority of instances have recovered."}),
    (
        15,
        {
            "status": "closed",
            "description": "[RESOLVED] Between the times given EC2 instances in apse1-az2 were impaired. The issue has "
            "been resolved and the service is operating normally.",
        },
    ),
]


def begin(world: World) -> None:
    """Every event, as it stood when the world began."""
    found, anchor = health.of(world), _anchor(world)
    found.organizations[ORGANIZATION.number] = {one.number for one in ACCOUNTS if one.in_organization}
    for number, told in enumerate(EVENTS):
        arn = f"arn:{told.partition}:health:{told.region}::event/{_service(told)}/{told.code}/{told.code}_demo{number}"
        if arn not in found.events:
            _tell(world, arn, told, anchor)


def _service(told: Told) -> str:
    return told.code.removeprefix("AWS_").partition("_")[0]


def _anchor(world: World) -> datetime:
    """An instant that a world which was kept still knows: when it began."""
    oldest = min((case.at for cases in world.cases.values() for case in cases.values()), default=None)
    return (oldest + timedelta(hours=50) if oldest else world.now()).replace(microsecond=0)


def _tell(world: World, arn: str, told: Told, anchor: datetime) -> None:
    at = anchor + timedelta(minutes=told.told_min)
    health.happen(
        world,
        told.code,
        arn=arn,
        at=at,
        accounts=told.accounts,
        category=told.category,
        region=told.region,
        status=told.status,
        description=told.text,
        partition=told.partition,
        resource_status=told.resource,
        starts_at=at + timedelta(hours=told.starts_h),
        actionability=told.actionability,
        personas=told.personas,
    )


def live(world: World) -> None:
    """The issue goes on."""
    event = next(
        (one for one in health.of(world).events.values() if one.code == ISSUE.code and "_demo" in one.arn), None
    )
    if event is None or event.status == "closed":
        return
    now = world.now()
    for step, (minutes, said) in enumerate(UPDATES, 1):
        due = event.starts_at + timedelta(minutes=minutes)
        if event.version == step and now >= due:
            resources = {"i-0a1b2c3d4e5f67890": "RESOLVED"} if step > 1 else {}
            health.change(world, event, resources, at=due, **said)
            return
