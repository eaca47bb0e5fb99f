"""What AWS's codes and words mean here, by the tables of oncall.md 5.2 and decisions.md."""

import pytest

from awsint import mapping

OURS = ["critical", "high", "medium", "low"]
FIVE = ["P0", "P1", "P2", "P3", "P4"]


@pytest.mark.parametrize(
    ("severity", "ours", "of_five"),
    [
        ("critical", "critical", "P0"),
        ("urgent", "critical", "P0"),
        ("high", "high", "P1"),
        ("normal", "medium", "P2"),
        ("low", "low", "P3"),
        ("brand-new", "medium", "P2"),
    ],
)
def test_a_severity_becomes_the_priority_of_its_rank(severity: str, ours: str, of_five: str) -> None:
    assert mapping.priority_of(severity, OURS) == ours
    assert mapping.priority_of(severity, FIVE) == of_five
    assert mapping.priority_of(severity, ["only"]) == "only"


@pytest.mark.parametrize(
    ("statuses", "who"),
    [
        (["unassigned"], "aws"),
        (["opened"], "aws"),
        (["work-in-progress"], "aws"),
        (["customer-action-completed"], "aws"),
        (["reopened"], "aws"),
        (["pending-customer-action"], "us"),
        (["resolved"], "us"),
        (["work-in-progress", "pending-customer-action"], "us"),
        (["pending-amazon-action"], "aws"),
        ([], ""),
    ],
)
def test_whose_turn_it_is_follows_the_status(statuses: list[str], who: str) -> None:
    assert mapping.who_acts(statuses) == who


def test_only_a_reopening_moves_a_ticket() -> None:
    moved = [new for new in ("opened", "work-in-progress", "resolved", "reopened") if mapping.verb("opened", new)]
    assert moved == ["reopened"]
    assert mapping.verb("reopened", "reopened") == ""


@pytest.mark.parametrize(
    ("submitted_by", "address"),
    [
        ("Ops (Ops) <Wei.Zhang@acme.example>", "wei.zhang@acme.example"),
        ("admin/li.na@acme.example", "admin/li.na@acme.example"),
        ("运维角色 (运维角色) < li.na@acme.example >", "li.na@acme.example"),
        ("Amazon Web Services", ""),
        ("", ""),
    ],
)
def test_an_author_is_known_by_the_address(submitted_by: str, address: str) -> None:
    assert mapping.address_in(submitted_by) == address


@pytest.mark.parametrize(
    "body",
    [
        "Hello,\n\nThank you for contacting AWS. This is an automated response: an engineer will be with you.",
        "We have received your case and one of our engineers will respond.",
        "您好：\n\n这是一封系统自动发送的确认邮件，请勿回复。",
        "尊敬的客户，我们已经收到您的支持案例，工程师将尽快与您联系。",
    ],
)
def test_an_automatic_acknowledgement_is_known(body: str) -> None:
    assert mapping.is_automatic(body, by_aws=True)
    assert not mapping.is_automatic(body, by_aws=False)


@pytest.mark.parametrize(
    "body",
    [
        "I looked into the automated backups of your instance: they are fine.",
        "We have received your case and I found that the volume is impaired.",
        "您的实例在自动恢复后已正常。",
    ],
)
def test_what_an_engineer_of_aws_writes_is_none(body: str) -> None:
    assert not mapping.is_automatic(body, by_aws=True)


@pytest.mark.parametrize(
    ("service", "category", "ours", "family"),
    [
        ("amazon-elastic-compute-cloud-linux", "instance-issue", "technical", "compute"),
        ("amazon-relational-database-service-mysql", "performance", "technical", "database"),
        ("elastic-container-service-kubernetes", "nodes", "technical", "containers"),
        ("billing", "refund", "billing", "billing"),
        ("account-management", "billing-contact", "billing", "billing"),
        ("service-limit-increase", "ec2-instances", "account", ""),
        ("aws-something-new", "other", "technical", ""),
    ],
)
def test_a_service_tells_category_and_family(service: str, category: str, ours: str, family: str) -> None:
    assert (mapping.category_of(service, category), mapping.family_of(service)) == (ours, family)
