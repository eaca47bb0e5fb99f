"""What AWS Health says is read whatever its shape, and the rules say how pressing it is; whatever order it came in."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from awsint import health_defaults, health_state
from awsint.health_payload import Entity, Told, Unreadable, instant, of_api, of_event
from awsint.health_rules import Rule, Standing, decide, priority_of
from awsint.models import Playbook
from awsint.playbooks import best

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LADDER = ("critical", "high", "medium", "low")
RULES = [
    Rule(
        priority=row.get("priority_id", ""),
        **{name: value for name, value in row.items() if name not in ("priority_id", "position", "note_zh", "note_en")},
    )
    for row in health_defaults.rows()
]
ARN = "arn:aws:health:us-east-1::event/EC2/AWS_EC2_OPERATIONAL_ISSUE/AWS_EC2_OPERATIONAL_ISSUE_1"
IN = {"days": timedelta(days=1), "hours": timedelta(hours=1)}


def told(**given: Any) -> Told:
    base: dict[str, Any] = {
        "arn": ARN,
        "account": "111122223333",
        "key": "k",
        "scope": "ACCOUNT_SPECIFIC",
        "service": "EC2",
        "code": "AWS_EC2_OPERATIONAL_ISSUE",
        "category": "issue",
        "region": "us-east-1",
        "status": "open",
        "updated_at": AT,
    }
    return Told(**base | given)


THREE = tuple(Entity(f"i-{n}", "IMPAIRED") for n in range(3))
CHANGE = {"category": "scheduledChange", "status": "upcoming", "code": "AWS_RDS_MAINTENANCE_SCHEDULED"}


@pytest.mark.parametrize(
    ("said", "standing", "priority", "rule"),
    [
        # The examples of oncall.md 5.3, in its order.
        ({"entities": THREE}, Standing(production=True), "critical", "H2"),
        ({"entities": THREE}, Standing(), "high", "H3"),
        (CHANGE | {"starts_at": AT + 6 * IN["days"]}, Standing(), "medium", "H7a"),
        (CHANGE | {"starts_at": AT + 20 * IN["hours"]}, Standing(), "high", "H6"),
        (CHANGE | {"starts_at": AT + 30 * IN["days"], "actionability": "INFORMATIONAL"}, Standing(), "low", "H9"),
        ({"scope": "PUBLIC", "service": "S3", "region": "us-east-2"}, Standing(), "", "H10"),
        ({"code": "AWS_RISK_CREDENTIALS_EXPOSED", "category": "accountNotification"}, Standing(), "critical", "H1"),
        (CHANGE | {"starts_at": AT + 12 * IN["days"], "actionability": "ACTION_REQUIRED"}, Standing(), "medium", "H7b"),
        # And what they leave.
        ({"abuse": True, "code": "AWS_X", "category": "accountNotification"}, Standing(), "critical", "H1"),
        ({"scope": "PUBLIC", "abuse": True}, Standing(), "critical", "H1"),
        ({"scope": "PUBLIC"}, Standing(registered=True), "high", "H4"),
        ({"category": "investigation"}, Standing(), "high", "H5"),
        ({"category": "accountNotification", "actionability": "ACTION_REQUIRED"}, Standing(), "medium", "H8"),
        ({"status": "closed", "entities": THREE}, Standing(production=True), "low", "H9"),
        (CHANGE | {"status": "closed", "starts_at": AT - IN["days"]}, Standing(), "low", "H9"),
        ({"category": "new kind"}, Standing(), "low", "H9"),
        # A VIP is one more pressing, but what is only stored stays so and the top has nothing above it.
        ({}, Standing(vip=True), "critical", "H3"),
        ({"entities": THREE}, Standing(vip=True, production=True), "critical", "H2"),
        ({"scope": "PUBLIC"}, Standing(vip=True), "", "H10"),
    ],
)
def test_the_rules_say_how_pressing_it_is(said: dict[str, Any], standing: Standing, priority: str, rule: str) -> None:
    decision = decide(RULES, told(**said), standing, AT, ladder=LADDER)
    assert (decision.priority, decision.rule) == (priority, rule)


def test_what_is_meant_for_billing_goes_to_the_billing_queue() -> None:
    said = told(category="accountNotification", personas=("BILLING",))
    assert decide(RULES, said, Standing(), AT, ladder=LADDER).billing
    assert not decide(RULES, told(), Standing(), AT, ladder=LADDER).billing


def test_a_priority_is_the_highest_that_any_message_has_whatever_their_order() -> None:
    messages = [
        told(key="a", entities=THREE),
        told(key="b", status="closed", updated_at=AT + IN["hours"]),
        told(key="c", updated_at=AT - IN["hours"], description="[RESOLVED] all is well"),
        told(key="d", status="closed", updated_at=AT + IN["hours"], description="All is well."),
        told(key="e", updated_at=None),
    ]
    seen = set()
    for seed in range(200):
        some = messages * 3
        random.Random(seed).shuffle(some)
        decision = priority_of(RULES, some, Standing(production=True), AT, ladder=LADDER)
        seen.add((decision.priority, decision.rule, health_state.newest(some).key))
    # Of two that are equally new and both closed the one with a text has the last word.
    assert seen == {("critical", "H2", "d")}


def event(**given: Any) -> str:
    detail: dict[str, Any] = {
        "eventArn": ARN,
        "service": "EC2",
        "eventTypeCode": "AWS_EC2_OPERATIONAL_ISSUE",
        "eventTypeCategory": "issue",
        "eventScopeCode": "ACCOUNT_SPECIFIC",
        "communicationId": "abc-1",
        "startTime": "Sat, 05 Jun 2026 15:10:09 GMT",
        "lastUpdatedTime": "Mon, 5 Jun 2026 15:10:09 GMT",
        "statusCode": "open",
        "eventRegion": "ap-southeast-2",
        "eventDescription": [
            {"language": "de_DE", "latestDescription": "Hallo"},
            {"language": "en_US", "latestDescription": "[RESOLVED] Instances\x00 answer again."},
        ],
        "affectedEntities": [{"entityValue": "i-1", "status": "UPCOMING", "lastUpdatedTime": "2026-06-05T15:10:09Z"}],
        "affectedAccount": "111122223333",
        "page": "2",
        "totalPages": "3",
        "backupEvent": "true",
    }
    drop = given.pop("drop", ())
    top = {"source": "aws.health", "account": "999988887777", "region": "us-west-2", "resources": ["i-1"]}
    detail = {name: value for name, value in (detail | given).items() if name not in drop}
    return json.dumps(top | {"detail-type": "AWS Health Event", "time": "2026-06-05T15:11:00Z", "detail": detail})


def test_a_message_is_read_whatever_its_quirks() -> None:
    said = of_event(event())
    june = datetime(2026, 6, 5, 15, 10, 9, tzinfo=UTC)
    assert (said.account, said.sender, said.region) == ("111122223333", "999988887777", "ap-southeast-2")
    assert (said.starts_at, said.updated_at) == (june, june)
    # A text that says so closes nothing.
    assert said.status == "open"
    assert said.description == "[RESOLVED] Instances answer again."
    assert (said.page, said.pages, said.backup, said.entities[0].status) == (2, 3, True, "UPCOMING")

    old = of_event(
        event(
            drop=("communicationId", "affectedAccount", "statusCode", "eventScopeCode", "lastUpdatedTime"),
            eventTypeCategory="plannedChange",
            lastUpdatedtime="Tue, 6 Jan 2026 01:02:03 GMT",
            personas=["OPERATIONAL", "security"],
            affectedEntities=[],
            somethingNew={"a": [1]},
            eventArn="arn:aws-cn:health:cn-north-1::event/odd",
        )
    )
    assert (old.account, old.status, old.category) == ("999988887777", "upcoming", "scheduledChange")
    assert (old.updated_at, old.partition) == (datetime(2026, 1, 6, 1, 2, 3, tzinfo=UTC), "aws-cn")
    assert old.personas == ("OPERATIONS", "SECURITY")
    assert old.entities[0].value == "i-1"
    assert of_event(event(eventTypeCategory="accountnotification")).category == "accountNotification"
    # A public event is nobody's in particular, whoever got a copy.
    assert of_event(event(eventScopeCode="PUBLIC")).account == ""


def test_copies_have_one_key_and_pages_have_their_own() -> None:
    bare = {"drop": ("communicationId",)}
    one = of_event(event(**bare))
    assert one.key == of_event(event(**bare, backupEvent="false", page="1")).key
    assert one.key != of_event(event(**bare, affectedEntities=[{"entityValue": "i-2"}])).key
    assert of_event(event(backupEvent="false")).key == "abc-1"


@pytest.mark.parametrize(
    "body", ["{", "[]", "7", '{"detail": []}', '{"detail": {}}', event().replace("aws.health", "x")]
)
def test_what_names_no_event_is_unreadable(body: str) -> None:
    with pytest.raises(Unreadable):
        of_event(body)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Fri, 3 Jun 2022 05:01:10 GMT", datetime(2022, 6, 3, 5, 1, 10, tzinfo=UTC)),
        ("Caturday, 03 June 2022 5:01 +0800", datetime(2022, 6, 2, 21, 1, tzinfo=UTC)),
        ("2022-06-03T05:01:10Z", datetime(2022, 6, 3, 5, 1, 10, tzinfo=UTC)),
        (1654232470, datetime(2022, 6, 3, 5, 1, 10, tzinfo=UTC)),
        (1654232470000, datetime(2022, 6, 3, 5, 1, 10, tzinfo=UTC)),
        ("soon", None),
        ("31 Feb 2022 05:01:10 GMT", None),
        (None, None),
        (True, None),
    ],
)
def test_times_are_read_as_they_are_written(text: Any, read: datetime | None) -> None:
    assert instant(text) == read


def test_a_polled_reading_is_keyed_by_what_it_is_of() -> None:
    said = {"arn": ARN, "eventTypeCode": "X_Y", "lastUpdatedTime": AT, "statusCode": "open", "eventScopeCode": "NONE"}
    bare, with_resources = of_api(said), of_api(said, account="111122223333", entities=THREE)
    assert bare.key == "poll:2026-03-02T09:00:00+00:00"
    assert bare.scope == "ACCOUNT_SPECIFIC"
    assert with_resources.key.startswith(bare.key + ":")


def test_there_is_a_playbook_for_much_and_the_most_particular_speaks() -> None:
    rows = [Playbook(**row) for row in health_defaults.playbooks()]
    assert len(rows) >= 30
    assert all(row.means_zh and row.means_en and row.do_zh and row.do_en for row in rows)

    def code(of: str) -> str:
        found = best(of, rows)
        return found.code if found else ""

    assert code("AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED") == "AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED"
    assert code("AWS_ABUSE_DOS_REPORT") == "AWS_ABUSE_*"
    assert code("AWS_KAFKA_PLANNED_LIFECYCLE_EVENT") == "*_PLANNED_LIFECYCLE_EVENT"
    assert code("AWS_SQS_OPERATIONAL_ISSUE") == "*_OPERATIONAL_ISSUE"
    assert code("AWS_QUANTUM_ODDITY") == ""
