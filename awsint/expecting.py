"""AWS's own clock: until when it means to answer, by the severity of a case (oncall.md, 5.2). Pure.

AWS counts to its first answer; what it says later has no promise. Beside our own clock it shows who keeps whom waiting,
and it is measured, never a reason to stop ours.
"""

from datetime import datetime, timedelta

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
# As AWS publishes them; of "critical" that of the higher plan.
FIRST_ANSWER = {
    "critical": 15 * MINUTE,
    "urgent": 1 * HOUR,
    "high": 4 * HOUR,
    "normal": 12 * HOUR,
    "low": 24 * HOUR,
}
RANKS = {code: rank for rank, code in enumerate(FIRST_ANSWER, start=1)}
# What our priority asks of AWS, the first that an account offers; "critical" only for what is critical to the business.
WISHED = {1: ("urgent", "high", "normal", "low"), 2: ("high", "normal", "low"), 3: ("normal", "low"), 4: ("low",)}
# AWS resolves a case whose customer is silent "within a few days".
SILENCE_ENDS = timedelta(days=4)
CONSOLES = {
    "aws": "https://console.aws.amazon.com/support/home#/case/?displayId={}",
    "aws-cn": "https://console.amazonaws.cn/support/home#/case/?displayId={}",
    "aws-us-gov": "https://console.amazonaws-us-gov.com/support/home#/case/?displayId={}",
}


def expected_at(severity: str, asked_at: datetime | None) -> datetime | None:
    """Until when AWS means to answer what was said at `asked_at`; None for a level that nobody knows."""
    if asked_at is None or severity not in FIRST_ANSWER:
        return None
    return asked_at + FIRST_ANSWER[severity]


def severity_for(rank: int, *, business_critical: bool, offered: list[str]) -> str:
    """The severity to propose for our priority's rank (1 the most urgent), of those the account offers; "" for none."""
    wished = WISHED[min(max(rank, 1), 4)]
    if rank <= 1 and business_critical:
        wished = ("critical", *wished)
    return next((code for code in wished if code in offered), offered[0] if offered else "")


def is_lower(severity: str, rank: int) -> bool:
    """Whether AWS holds a case for less urgent than we do."""
    ours = WISHED[min(max(rank, 1), 4)][0]
    return RANKS.get(severity, 0) > RANKS[ours]


def console(partition: str, display_id: str) -> str:
    """Where the case stands in AWS's own page."""
    return CONSOLES[partition].format(display_id) if partition in CONSOLES and display_id else ""
