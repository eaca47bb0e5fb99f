"""/aws/health/: what happened, whom it reached and how fast; one word to all of them."""

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from awsint import health_proof
from awsint.models import (
    Account,
    AffectedAccount,
    AffectedCustomer,
    AffectedEntity,
    HealthEvent,
    HealthMessage,
    Hub,
)
from helpdesk.accounts.models import CustomerTeam, User
from helpdesk.jobs import work
from helpdesk.jobs.models import Job
from helpdesk.outbox.models import Letter
from tests.awsint.test_health import ACME, CODE, DEV, GLOBEX, NOBODY, NOW, account, children, said, take
from tests.cast import Cast
from tickets.models import Message

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world(cast: Cast, hub: Hub) -> Cast:
    account(cast.acme, ACME, workload=["production"])
    account(cast.acme, DEV)
    account(cast.globex, GLOBEX)
    return cast


def enter(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def words(answer: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def told(at: datetime = NOW - timedelta(minutes=5)) -> HealthEvent:
    """An issue that affects both customers and an account of nobody."""
    text = "We are investigating increased error rates of acme-db."
    take(said(ACME, "i-acme", at=at, text=text), said(GLOBEX, "i-globex", at=at), said(NOBODY, "i-nobody", at=at))
    return HealthEvent.objects.get(code=CODE)


def went(at: datetime = NOW) -> None:
    """The relay takes the opening letters of all customers."""
    Letter.objects.filter(kind="ticket.aws_event").update(state="sent", sent_at=at)
    health_proof.note(at)


def test_the_register_says_what_happened_and_how_fast(world: Cast) -> None:
    told()
    client = enter(world.ana)
    assert "0 of 2 told" in words(client.get("/aws/health/"))
    went(NOW + timedelta(minutes=3))
    seen = words(enter(world.ana).get("/aws/health/"))
    assert CODE in seen
    assert "EC2 us-east-1, Issue" in seen
    assert "5 min" in seen
    assert "2 of 2 told" in seen
    assert "1 unknown account" in seen
    for wish, there in [
        ("state=open", True), ("state=closed", False), ("category=issue", True), ("service=ec2", True),
        ("region=eu-west-1", False), ("priority=critical", True), (f"customer={world.acme.pk}", True), ("q=RDS", False),
    ]:  # fmt: skip
        assert (CODE in words(enter(world.ana).get(f"/aws/health/?{wish}"))) is there, wish
    assert "No event matches" in words(enter(world.ana).get("/aws/health/?q=RDS"))


def test_as_many_statements_for_one_event_as_for_a_page_of_them(world: Cast) -> None:
    told()
    client = enter(world.ana)
    few = _statements(client, "/aws/health/")
    for number in range(60):
        event = HealthEvent.objects.create(
            arn=f"arn:aws:health:us-east-1::event/X/X/{number}", scope="ACCOUNT_SPECIFIC", service="X", code="AWS_X_Y",
            category="issue", region="us-east-1", status="open", seen_at=NOW, updated_at=NOW, via="push",
        )  # fmt: skip
        AffectedCustomer.objects.create(event=event, customer=world.acme)
    assert _statements(client, "/aws/health/") == few
    page = client.get("/aws/health/").content.decode()
    further = html.unescape(re.findall(r'rel="next" href="([^"]+)"', page)[0])
    assert CODE in words(client.get("/aws/health/" + further))
    rows = b"".join(client.get("/aws/health.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert rows.count("arn:aws:health") == 61


def _statements(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


def test_the_map_of_an_event_with_the_proof_of_notice(world: Cast) -> None:
    event = told()
    letter = Letter.objects.get(kind="ticket.aws_event", customer=world.acme.pk)
    Letter.objects.filter(pk=letter.pk).update(state="sent", sent_at=NOW)
    client = enter(world.ana)
    seen = words(client.get(f"/aws/health/{event.pk}/"))
    for word in (
        "Acme",
        "Globex",
        "i-acme",
        "9999 9999 9999",
        children()["ACME"].ref,
        letter.to_address,
        event.reason["rule"],
    ):
        assert word in seen, word
    assert "accepted by the relay" in seen
    rows = b"".join(client.get(f"/aws/health/{event.pk}/resources.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert "i-globex" in rows
    few = _statements(client, f"/aws/health/{event.pk}/")
    take(said(DEV, *[f"i-{n}" for n in range(30)], at=NOW, key="further"))
    assert _statements(client, f"/aws/health/{event.pk}/") == few
    assert "30 resources" in words(client.get(f"/aws/health/{event.pk}/"))


def test_who_sees_what(world: Cast) -> None:
    event = told()
    world.acme.restricted = True
    world.acme.save()
    CustomerTeam.objects.filter(customer=world.acme).delete()
    client = enter(world.ana)
    seen = words(client.get(f"/aws/health/{event.pk}/"))
    assert "Globex" in seen
    assert "Acme" not in seen
    assert "acme-db" not in seen
    assert ACME not in seen.replace(" ", "")
    rows = b"".join(client.get(f"/aws/health/{event.pk}/resources.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert "i-acme" not in rows
    AffectedCustomer.objects.filter(event=event, customer=world.globex).delete()
    assert client.get(f"/aws/health/{event.pk}/").status_code == 404
    assert CODE not in words(client.get("/aws/health/"))
    auditor = words(enter(world.audrey).get(f"/aws/health/{event.pk}/"))
    for secret in ("Acme", "i-acme", "1111 1111", "increased error rates", "@"):
        assert secret not in auditor, secret
    assert enter(world.cora).get("/aws/health/").status_code == 404


def test_one_word_to_all_counts_as_a_reply_at_the_click(world: Cast, now: Any) -> None:
    event = told()
    client = enter(world.ana)
    assert client.post(f"/aws/health/{event.pk}/tell", {"body": " "}).status_code == 422
    assert client.post(f"/aws/health/{event.pk}/tell?close", {"body": "Over"}).status_code == 422
    assert client.post(f"/aws/health/{event.pk}/tell", {"body": "We are on it."}).status_code == 303
    click = NOW
    now.shift(timedelta(minutes=3))
    job = Job.objects.get(kind="aws.health_cast")
    while work.step(job.public, datetime.now(UTC)):
        pass
    job.refresh_from_db()
    assert job.result == {"said": 2, "left": 0}
    replies = Message.objects.filter(kind="reply", body="We are on it.")
    assert replies.count() == 3
    assert {message.at for message in replies} == {click}
    assert Letter.objects.filter(kind="ticket.answered").count() == 2


def test_what_aws_closed_is_resolved_with_one_note_and_only_when_asked(world: Cast) -> None:
    event = told()
    for number in (ACME, GLOBEX, NOBODY):
        take(said(number, "i", at=NOW, status="closed", key=f"over-{number}"))
    assert {ticket.status for ticket in children().values()} == {"new"}
    client = enter(world.ana)
    assert "2 tickets are still open" in words(client.get(f"/aws/health/{event.pk}/"))
    assert client.post(f"/aws/health/{event.pk}/tell?close", {"body": "It works again."}).status_code == 303
    job = Job.objects.get(kind="aws.health_cast")
    while work.step(job.public, NOW):
        pass
    assert {ticket.status for ticket in children().values()} == {"resolved"}
    assert AffectedAccount.objects.count() == 3
    assert AffectedEntity.objects.exists()
    assert HealthMessage.objects.filter(event=event).count() == 6
    assert Account.objects.count() == 3
