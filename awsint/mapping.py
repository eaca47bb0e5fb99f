"""What AWS's codes and words mean on the desk: pure, no clock and no database.

Severities by oncall.md 5.2, statuses by decisions.md, "AWS". A partner may run P0 to P4 under names of their own, so
what is mapped is the rank, and the caller says which codes stand at which.
"""

import re
from collections.abc import Iterable, Sequence

US, CUSTOMER, AWS = "us", "customer", "aws"
RESOLVED, REOPENED = "resolved", "reopened"

# What an AWS severity is among ours, 1 being the most urgent. A level AWS adds counts as "normal".
RANKS = {"critical": 1, "urgent": 1, "high": 2, "normal": 3, "low": 4}
USUAL_RANK = 3
# Whose turn it is. A status that AWS adds leaves it with AWS, as anything under way.
TURNS = {"pending-customer-action": US, RESOLVED: US}
# Families of services (oncall/families.json) by what AWS's service codes have in them; the first that fits.
FAMILIES = [
    ("billing", ("billing", "account-management", "customer-account", "reserved-instances", "organizations-billing")),
    ("containers", ("container", "eks", "ecs", "fargate", "kubernetes")),
    ("serverless", ("lambda", "api-gateway", "step-functions", "queue", "notification-service", "eventbridge")),
    ("storage", ("storage", "block-store", "file-system", "backup", "glacier", "s3")),
    ("database", ("database", "rds", "aurora", "dynamodb", "elasticache", "documentdb", "neptune")),
    ("network", ("vpc", "virtual-private", "direct-connect", "route-53", "route53", "cloudfront", "load-balancing")),
    ("security", ("identity", "iam", "key-management", "guardduty", "waf", "security", "certificate", "cognito")),
    ("analytics", ("redshift", "glue", "athena", "kafka", "emr", "mapreduce", "kinesis", "opensearch", "quicksight")),
    ("ai", ("sagemaker", "bedrock", "rekognition", "textract", "comprehend")),
    ("management", ("cloudwatch", "cloudformation", "systems-manager", "organizations", "cloudtrail", "config")),
    ("migration", ("migration", "codepipeline", "codebuild", "codedeploy", "datasync", "developer-tools")),
    ("compute", ("compute", "ec2", "auto-scaling", "lightsail", "batch", "elastic-beanstalk")),
]
MONEY = re.compile(r"billing|payment|refund|invoice|tax|pricing")
ACCOUNT = re.compile(r"account|service-limit")
# How AWS's acknowledgements begin that no person wrote; in English and as AWS writes them in Chinese.
AUTOMATIC = re.compile(
    r"\A.{0,300}?("
    r"this is an automat(ed|ic) (message|response|reply|acknowledg)"
    r"|automatic(ally generated)? (acknowledg|message|response)"
    r"|we have received your (support )?(case|request|inquiry) and (an? |one of our |our )?(will|engineer|agent|team)"
    r"|(这|此)(是|为)(一封|一条)?(系统)?自动(发送|回复|生成|确认)"
    r"|我们已(经)?收到您的(案例|请求|支持案例)"
    r")",
    re.I | re.S,
)
MAIL = re.compile(r"<\s*([^<>\s@]+@[^<>\s@]+)\s*>|\b([^<>()\s@]+@[^<>()\s@]+)")


def priority_of(severity: str, ranked: Sequence[str]) -> str:
    """Our priority for an AWS severity; `ranked` are the codes in force, the most urgent first."""
    rank = RANKS.get(severity, USUAL_RANK)
    return ranked[min(rank, len(ranked)) - 1]


def who_acts(statuses: Iterable[str]) -> str:
    """Whose turn it is on a ticket with cases of these statuses: ours if any says so. Empty without a case."""
    turns = {TURNS.get(status, AWS) for status in statuses}
    return US if US in turns else AWS if turns else ""


def verb(old: str, new: str) -> str:
    """What a case's new status does to its ticket: "reopen", or nothing. Never a resolve and never an ask."""
    return "reopen" if new == REOPENED != old else ""


def is_open(status: str) -> bool:
    return status != RESOLVED


def category_of(service: str, category: str) -> str:
    """The desk's category of a case: billing, account or technical."""
    if MONEY.search(service) or MONEY.search(category):
        return "billing"
    return "account" if ACCOUNT.search(service) else "technical"


def family_of(service: str) -> str:
    """The family of services a case's service code belongs to; empty where none is known."""
    words = service.lower()
    return next((family for family, marks in FAMILIES if any(_has(words, mark) for mark in marks)), "")


def _has(code: str, mark: str) -> bool:
    """Whether a service code has a mark; a short one only as a word of its own ("s3", not "vps33")."""
    return mark in code.split("-") if len(mark) <= 3 else mark in code


def is_automatic(body: str, *, by_aws: bool) -> bool:
    """Whether AWS's words are its automatic acknowledgement: told like any other, never an answer."""
    return by_aws and bool(AUTOMATIC.match(body))


def address_in(submitted_by: str) -> str:
    """The mail address in an AWS submittedBy ("Role (Role) <mail>"), in lower case; empty where there is none."""
    found = MAIL.search(submitted_by)
    return (found[1] or found[2]).strip(".,;").lower() if found else ""
