"""/aws/health/flow: the same numbers in the picture and in the table, from the rows themselves."""

import re
import xml.etree.ElementTree as ET
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from awsint import health, health_flow, inbox
from awsint.models import HealthChange, HealthEvent, HealthMessage, InboxMessage, Round, Suppression
from awsint.shapes import QueueMessage
from helpdesk.accounts.models import Customer, CustomerTeam
from helpdesk.outbox.models import Letter
from tests.awsint.test_health import ACME, CODE, GLOBEX, NOW, account, said, take
from tests.awsint.test_health_pages import now
from tests.cast import Cast
from tests.entering import enter, words

pytestmark = pytest.mark.django_db
__all__ = ["now"]
PAGE = "/aws/health/flow"


@pytest.fixture
def world(cast: Cast, hub: Any) -> Cast:
    """An issue of both customers with an update, one that is only kept, and what came by the queue and the poll."""
    account(cast.acme, ACME, workload=["production"])
    account(cast.globex, GLOBEX)
    take(said(ACME, "i-1"), said(GLOBEX, "i-2"))
    take(said(ACME, "i-1", at=NOW, text="It is getting better.", key="later"))
    batch = [QueueMessage(str(n), str(n), f'{{"id": "m{n}"}}', 1) for n in range(4)]
    inbox.store(hub, "health", [*batch, batch[0]], NOW)
    rows = list(InboxMessage.objects.order_by("pk"))
    for row, state in zip(rows, ["done", "done", "refused", "parked"], strict=True):
        InboxMessage.objects.filter(pk=row.pk).update(state=state)
    Round.objects.create(kind="health", started_at=NOW, read=3, failed=1)
    Letter.objects.filter(kind="ticket.aws_event", customer=cast.acme.pk).update(state="sent")
    Letter.objects.filter(kind="ticket.aws_event", customer=cast.globex.pk).update(state="failed", reason="refused")
    return cast


def test_each_number_stands_in_the_picture_and_in_the_table(world: Cast) -> None:
    told = health_flow.counts(world.ana, NOW)
    kept = {name: told[name] for name in ("received", "copies", "taken", "refused", "parked", "waiting", "polls")}
    assert kept == {"received": 5, "copies": 1, "taken": 2, "refused": 1, "parked": 1, "waiting": 0, "polls": 3}
    kept = {
        name: told[name] for name in ("events", "parents", "suppressed", "stored", "children", "finished", "nobody")
    }
    assert kept == dict.fromkeys(kept, 0) | {"events": 1, "parents": 1, "children": 2}
    assert (told["notices"], told["accepted"], told["turned_down"], told["failed"]) == (2, 1, 1, 0)
    assert (told["delivered"], told["bounced"], told["unsaid"]) == (0, 0, 1)
    assert told["news"] == told["on_the_way"] == 1
    page = enter(world.ana).get(PAGE)
    seen = words(page)
    for row in (
        "Queue (SQS) Inbox of them 1 copies 5",
        "Letters Refused by the mail relay 1",
        "Accepted No word yet from the provider 1",
        "Inbox Parked 1",
    ):
        assert row in seen, row
    links = re.findall(r'<td class="num"><a href="([^"]+)"', page.content.decode())
    assert len(links) == 10
    for link in links:
        assert enter(world.ana).get(link.replace("&amp;", "&")).status_code == 200, link


def test_each_decision_leads_to_the_events_it_counts(world: Cast) -> None:
    Suppression.objects.create(
        code="AWS_RDS_*", reason="a test", expires_at=NOW + timedelta(hours=1), created_at=NOW, created_by=world.lee
    )
    hushed = "AWS_RDS_OPERATIONAL_ISSUE"
    take(said(ACME, "db-1", code=hushed), said("999999999999", code="AWS_S3_OPERATIONAL_ISSUE"))
    told, client = health_flow.counts(world.ana, NOW), enter(world.ana)
    codes = {"parents": CODE, "suppressed": hushed, "stored": "AWS_S3_OPERATIONAL_ISSUE"}
    assert {name: told[name] for name in codes} == dict.fromkeys(codes, 1)
    links = {row.target: row.link for row in health_flow.rows(world.ana, told)}
    for name, code in codes.items():
        seen = words(client.get(links[health_flow.stages()[name]]))
        assert [one for one in codes.values() if f"{one} " in seen] == [code], name
    # What no longer holds it back leaves it as any other.
    Suppression.objects.update(ended_at=NOW)
    health.weigh_again(HealthEvent.objects.get(code=hushed), at=NOW + timedelta(minutes=1))
    assert health_flow.counts(world.ana, NOW + timedelta(minutes=1))["suppressed"] == 0


def test_the_picture_stands_alone_as_a_file(world: Cast) -> None:
    answer = enter(world.audrey).get("/aws/health/flow.svg")
    assert answer["Content-Type"].startswith("image/svg+xml")
    root = ET.fromstring(answer.content)
    texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "EventBridge rule" in texts
    assert "≥ 5" in texts
    boxes = list(root.iter("{http://www.w3.org/2000/svg}rect"))
    assert all(one.get("fill") for one in boxes)
    assert b"style=" not in answer.content


def test_what_was_before_or_is_of_others_is_not_counted(world: Cast) -> None:
    Customer.objects.filter(pk=world.acme.pk).update(restricted=True)
    CustomerTeam.objects.filter(customer=world.acme).delete()
    told = health_flow.counts(world.ana, NOW)
    assert (told["children"], told["notices"], told["news"]) == (1, 1, 0)
    later = health_flow.counts(world.ada, NOW + timedelta(days=31))
    assert set(later.values()) == {0}
    assert enter(world.cora).get(PAGE).status_code == 404
    assert enter(world.cora).get("/aws/health/flow.svg").status_code == 404
    assert "/login" in Client().get(PAGE)["Location"]


def test_seven_statements_whatever_there_is(world: Cast) -> None:
    assert _statements(world) == 7
    event = HealthEvent.objects.get(code=CODE)
    HealthMessage.objects.bulk_create(
        HealthMessage(
            event=event, account=ACME, key=f"k{n}", via="poll", status="open", updated_at=NOW, rank="0", told={},
            raw={}, received_at=NOW, missed=n < 5,
        )
        for n in range(50)
    )  # fmt: skip
    HealthChange.objects.bulk_create(HealthChange(event=event, at=NOW, what="text", via="poll") for _n in range(50))
    assert _statements(world) == 7
    assert health_flow.counts(world.ada, NOW)["missed"] == 5


def _statements(world: Cast) -> int:
    with CaptureQueriesContext(connection) as seen:
        health_flow.counts(world.ada, NOW)
    return len(seen)
