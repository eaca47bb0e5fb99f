"""AWS answers a case in the middle of the night: nobody is logged in, and the customer has it in their mail.

The whole product as a newcomer starts it, beside a simulated AWS; the answer comes by push.
"""

import email
import email.policy
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stories.desk import Desk

pytestmark = [pytest.mark.story, pytest.mark.filterwarnings("ignore::ResourceWarning")]
ACCOUNT = "210000000011"
CORA = "cora@acme.example"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    running = Desk.start(tmp_path / "data", DEMO="people", AWS_SIM="1")
    yield running
    running.stop()


def aws(desk: Desk, verb: str, **given: Any) -> Any:
    """Does something at the simulated AWS of a desk."""
    where = desk.find("manage.py", "pulse").environ()["AWS_ENDPOINT_URL"]
    asked = urllib.request.Request(f"{where}/_sim/{verb}", json.dumps(given).encode(), method="POST")
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return json.load(answer)


def mail_with(desk: Desk, words: str) -> str:
    """Whom a mail with these words went to; empty where there is none."""
    for place in (desk.data / "mail").rglob("*.eml"):
        mail = email.message_from_bytes(place.read_bytes(), policy=email.policy.default)
        body = mail.get_body(("plain",))
        if body and words in body.get_content():
            return str(mail["To"])
    return ""


def test_the_customer_is_told_within_two_minutes(desk: Desk) -> None:
    everything_read = "SELECT count(*) FROM awsint_poll WHERE first_at IS NOT NULL HAVING count(*) >= 9"
    # The first poll comes at the next full minute, and its job is looked for twice a minute.
    desk.expect("every account that lets us in is read once", lambda: desk.sql(everything_read), 120)
    case = aws(
        desk,
        "open",
        account=ACCOUNT,
        subject="Writer failed over by itself",
        body="The writer moved at three.",
        severityCode="high",
        submittedBy=f"Cora Chen (Role) <{CORA}>",
    )
    ticket = (
        "SELECT l.ticket_id FROM awsint_caselink l JOIN awsint_supportcase c ON c.id = l.case_id WHERE c.case_id = %s"
    )
    desk.expect("the case is a ticket", lambda: desk.sql(ticket, case))
    aws(desk, "answer", account=ACCOUNT, case=case, body="A host of yours was replaced at 03:02.")
    assert CORA in desk.expect(
        "the answer is mailed", lambda: mail_with(desk, "A host of yours was replaced at 03:02.")
    )
    # Said once at AWS, it stands here once, whoever else reads the account meanwhile.
    said = (
        "SELECT body, count(*) FROM awsint_communication w JOIN awsint_supportcase c ON c.id = w.case_id "
        "WHERE c.case_id = %s GROUP BY 1"
    )
    assert {count for _body, count in desk.sql(said, case)} == {1}
