"""How it went: asked of the requester when it is over, once, changeable for a week; the desk reads it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry
from helpdesk.outbox.models import Letter
from tests.security.payloads import PAYLOADS
from tickets import actions, participants, rating
from tickets.models import Satisfaction, Ticket

pytestmark = pytest.mark.django_db


def as_(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def ticket(cast: Any) -> Ticket:
    """Filed by Cora, with Cody reading along, solved by Ana, confirmed an hour ago."""
    at = datetime.now(UTC) - timedelta(hours=1)
    made = actions.open_ticket(
        customer=cast.acme,
        title="Replication stands still",
        description="lag",
        category="technical",
        impact="production_down",
        urgency="urgent",
        by=cast.cora,
        at=at,
    )
    participants.add(ticket=made, person=cast.cody, by=cast.cora, at=at)
    actions.reply(ticket=made, body="Done", by=cast.ana, at=at, then="resolve")
    made.refresh_from_db()
    actions.close(ticket=made, version=made.version, by=cast.cora, at=at)
    Letter.objects.all().delete()
    return Ticket.objects.get(pk=made.pk)


def test_the_requester_says_how_it_went_and_the_desk_reads_it(cast: Any, ticket: Ticket) -> None:
    cora = as_(cast.cora)
    assert 'name="score"' in cora.get(f"/tickets/{ticket.ref}/").content.decode()
    answer = cora.post(f"/tickets/{ticket.ref}/rate", {"score": "okay", "body": "canary-comment: a little slow"})
    assert answer.status_code == 303
    page = as_(cast.ana).get(f"/tickets/{ticket.ref}/").content.decode()
    assert "canary-comment: a little slow" in page
    assert "Cora says how it went: <b>Okay</b>" in page
    (letter,) = Letter.objects.all()
    assert (letter.kind, letter.to_address, letter.data["score"]) == ("ticket.rated", cast.ana.email, "okay")
    entry = Entry.objects.get(action="ticket.rated")
    assert (entry.audience, entry.data) == ("staff", {"score": "okay", "old": None})


def test_it_is_changed_within_seven_days_and_then_stays(cast: Any, ticket: Ticket) -> None:
    at = ticket.last_event_at
    rating.rate(ticket=ticket, score="bad", comment="", by=cast.cora, at=at)
    rating.rate(ticket=ticket, score="good", comment="Better", by=cast.carla, at=at + timedelta(days=7))
    found = Satisfaction.objects.get()
    assert (found.score, found.comment, found.by) == ("good", "Better", cast.carla)
    with pytest.raises(rating.Refused), transaction.atomic():
        rating.rate(ticket=ticket, score="bad", comment="", by=cast.cora, at=at + timedelta(days=7, seconds=1))
    Satisfaction.objects.update(at=at - timedelta(days=8))
    page = as_(cast.carla).get(f"/tickets/{ticket.ref}/").content.decode()
    assert 'name="score"' not in page
    assert "Better" in page
    assert as_(cast.carla).post(f"/tickets/{ticket.ref}/rate", {"score": "bad"}).status_code == 422


@pytest.mark.parametrize(("who", "status"), [("cody", 409), ("gus", 404), ("ana", 404), ("ada", 404), ("carla", 303)])
def test_who_may_answer(cast: Any, ticket: Ticket, who: str, status: int) -> None:
    client = as_(getattr(cast, who))
    if who == "cody":
        assert 'name="score"' not in client.get(f"/tickets/{ticket.ref}/").content.decode()
    assert client.post(f"/tickets/{ticket.ref}/rate", {"score": "bad"}).status_code == status
    assert Satisfaction.objects.exists() == (status == 303)


def test_an_answer_that_is_none_is_said_and_what_was_written_stays(cast: Any, ticket: Ticket) -> None:
    client = as_(cast.carla)
    for score in ("", "great", "5"):
        answer = client.post(f"/tickets/{ticket.ref}/rate", {"score": score, "body": "canary-comment"})
        assert answer.status_code == 422
        assert "canary-comment" in answer.content.decode()
        assert "Choose one of the answers." in answer.content.decode()
    assert not Satisfaction.objects.exists()
    client.get(f"/tickets/{ticket.ref}/rate?score=good")
    assert not Satisfaction.objects.exists(), "no GET acts"


def test_it_is_not_asked_before_the_end_nor_of_what_was_no_solution(cast: Any) -> None:
    given = {"title": "x", "description": "y", "category": "technical", "impact": "production_down"}
    made = actions.open_ticket(customer=cast.acme, urgency="urgent", **given, by=cast.carla, at=datetime.now(UTC))
    client = as_(cast.carla)
    assert client.post(f"/tickets/{made.ref}/rate", {"score": "good"}).status_code == 409
    actions.withdraw(ticket=made, version=1, reason="withdrawn", by=cast.carla, at=datetime.now(UTC))
    assert 'name="score"' not in client.get(f"/tickets/{made.ref}/").content.decode()
    assert client.post(f"/tickets/{made.ref}/rate", {"score": "good"}).status_code == 409


def test_a_comment_is_text(cast: Any, ticket: Ticket) -> None:
    comment = "\n".join(PAYLOADS)[:1900]
    rating.rate(ticket=ticket, score="good", comment=comment, by=cast.cora, at=ticket.last_event_at)
    for person in (cast.cora, cast.ana):
        page = as_(person).get(f"/tickets/{ticket.ref}/").content.decode()
        assert "<script>alert(1)" not in page
        assert "<img src=x" not in page
