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

from awsint import health_proof, playbooks
from awsint.models import (
    Account,
    AffectedAccount,
    AffectedCustomer,
    AffectedEntity,
    HealthEvent,
    HealthMessage,
    Hub,
)
from helpdesk.accounts.models import CustomerTeam
from helpdesk.jobs import work
from helpdesk.jobs.models import Job
from helpdesk.outbox.models import Letter
from tests.awsint.test_health import ACME, CODE, DEV, GLOBEX, NOBODY, NOW, account, arn, children, said, take
from tests.cast import Cast
from tests.entering import enter, words
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
        (f"q={arn()}", True), (f"q={arn(number=7)}", False), ("state=untold", False), ("state=missed", False),
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
    rows = csv_of(client, "/aws/health.csv")
    assert rows.count("arn:aws:health") == 61


def csv_of(client: Client, url: str) -> str:
    return b"".join(client.get(url).streaming_content).decode()  # type: ignore[attr-defined]


def _statements(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


def test_thirty_days_are_drawn_quiet_ones_too(world: Cast) -> None:
    told()
    HealthEvent.objects.create(
        arn=arn(number=40), scope="PUBLIC", service="X", code="AWS_X_Y", category="issue", region="us-east-1",
        status="closed", seen_at=NOW - timedelta(days=40), updated_at=NOW, via="push",
    )  # fmt: skip
    page = enter(world.ana).get("/aws/health/")
    days = page.context["days"]
    assert len(days) == 30
    assert [(day.seen, day.current) for day in days] == [(0, 0)] * 29 + [(1, 1)]
    assert len(page.context["timeline"].bars) == 1, "what was over before is not drawn"


def test_an_event_without_a_playbook_says_that_somebody_has_to_assess_it(world: Cast) -> None:
    take(said(ACME, "i-1", code="AWS_QUUX_STRANGE_THING"))
    event = HealthEvent.objects.get()
    for person, link in ((world.lee, "/aws/health/playbooks/new?code=AWS_QUUX_STRANGE_THING"), (world.ana, None)):
        page = enter(person).get(f"/aws/health/{event.pk}/")
        assert "an engineer is assessing it" in words(page)
        assert (link or "/aws/health/playbooks/new") in page.content.decode() or link is None


def test_the_map_of_an_event_with_the_proof_of_notice(world: Cast) -> None:
    event = told()
    letter = Letter.objects.get(kind="ticket.aws_event", customer=world.acme.pk)
    Letter.objects.filter(pk=letter.pk).update(state="sent", sent_at=NOW)
    Letter.objects.filter(customer=world.globex.pk).update(state="failed", reason="refused")
    health_proof.note(NOW)
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
    assert "accepted by the relay 18:00 , no word of delivery from the provider" in seen
    assert "not told: no letter was taken" in seen
    assert "failed, the other side refuses it" in seen
    # What the customers read, why it was decided so, and what is known of each letter as a file.
    book = playbooks.of_codes([CODE])[CODE]
    assert " ".join(book.do_en.split()) in seen
    assert event.rule.note in seen
    proof = csv_of(client, f"/aws/health/{event.pk}/proof.csv")
    assert letter.to_address in proof
    assert "sent,,,no word of delivery from the provider" in proof
    assert "failed,refused" in proof
    rows = csv_of(client, f"/aws/health/{event.pk}/resources.csv")
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
    rows = csv_of(client, f"/aws/health/{event.pk}/resources.csv")
    assert "i-acme" not in rows
    assert "Acme" not in csv_of(client, f"/aws/health/{event.pk}/proof.csv")
    assert csv_of(client, "/aws/health.csv").splitlines()[1].split(",")[13] == "2", "accounts of Acme are not counted"
    AffectedCustomer.objects.filter(event=event, customer=world.globex).delete()
    assert client.get(f"/aws/health/{event.pk}/").status_code == 404
    assert CODE not in words(client.get("/aws/health/"))
    auditor = words(enter(world.audrey).get(f"/aws/health/{event.pk}/"))
    for secret in ("Acme", "i-acme", "1111 1111", "increased error rates", "@"):
        assert secret not in auditor, secret
    proof = csv_of(enter(world.audrey), f"/aws/health/{event.pk}/proof.csv")
    assert "CUST-" in proof
    assert "@" not in proof
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
