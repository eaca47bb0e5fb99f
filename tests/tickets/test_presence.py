"""Who is on a ticket: colleagues see each other look, type and leave; a customer neither sees nor is seen."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry
from tests.tickets.test_pages import enter, fresh, now, opened, text
from tickets import actions, presence
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(cast: Any) -> Ticket:
    return opened(cast)


def beat(client: Client, ticket: Ticket, state: str = "viewing", seen: int | None = None, version: int = 0) -> str:
    """What the page of this person hears."""
    newest = Message.objects.filter(ticket=ticket).latest("pk").pk if seen is None else seen
    given = {"state": state, "seen": newest, "version": version or fresh(ticket).version}
    answer = client.post(f"/tickets/{ticket.ref}/presence", given)
    assert answer.status_code == 200
    return text(answer)


def on(ticket: Ticket) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM tickets_presence WHERE ticket_id = %s", [ticket.pk])
        return int(cursor.fetchone()[0])


def test_colleagues_see_each_other_look_type_and_look_away(cast: Any, ticket: Ticket) -> None:
    ana, lee, ada = enter(cast.ana), enter(cast.lee), enter(cast.ada)
    assert "Ana" not in beat(ana, ticket)
    assert "Ana is here" in beat(lee, ticket)
    beat(lee, ticket, "away")
    assert 'data-presence="away"' in beat(ana, ticket, "typing")
    # Whoever types stands first.
    seen = beat(ada, ticket)
    assert "Ana is typing" in seen
    assert seen.index('data-presence="typing"') < seen.index('data-presence="away"')
    ana.post(f"/tickets/{ticket.ref}/presence", {"state": "gone"})
    assert "Ana" not in beat(ada, ticket)


def test_the_silent_fade_and_are_swept(cast: Any, ticket: Ticket) -> None:
    past = timezone.now() - timedelta(seconds=31)
    presence.beat(ticket=ticket, state="typing", seen=0, by=cast.ana, at=past)
    assert "Ana" not in beat(enter(cast.lee), ticket)
    assert presence.forget(timezone.now()) == 1
    assert on(ticket) == 1


def test_a_page_hears_of_newer_words_and_changes(cast: Any, ticket: Ticket) -> None:
    lee = enter(cast.lee)
    first, version = Message.objects.get(ticket=ticket).pk, fresh(ticket).version
    assert "Show" not in beat(lee, ticket, seen=first, version=version)
    actions.reply(ticket=ticket, body="Hello", by=cast.ana, at=now())
    assert "Ana replied at " in beat(lee, ticket, seen=first, version=version)
    actions.note(ticket=ticket, body="Hm", by=cast.ana, at=now())
    assert "Ana wrote a note at " in beat(lee, ticket, seen=first, version=version)
    assert "This ticket has changed since this page showed it." in beat(lee, ticket, version=version)
    assert "Show" not in beat(lee, ticket)
    # One's own words are no news.
    assert "replied" not in beat(enter(cast.ana), ticket, seen=first)


def test_presence_moves_neither_version_nor_history(cast: Any, ticket: Ticket) -> None:
    before, entries = fresh(ticket).version, Entry.objects.count()
    beat(enter(cast.ana), ticket, "typing")
    assert (fresh(ticket).version, Entry.objects.count()) == (before, entries)


def test_customers_neither_see_nor_are_seen(cast: Any, ticket: Ticket) -> None:
    beat(enter(cast.ana), ticket)
    for person in (cast.cora, cast.carla, cast.gus, cast.audrey):
        answer = enter(person).post(f"/tickets/{ticket.ref}/presence", {"state": "viewing", "seen": 0, "version": 1})
        assert answer.status_code == 404
    assert on(ticket) == 1
    assert "presence" not in text(enter(cast.cora).get(f"/tickets/{ticket.ref}/"))
    gone = Client().post(f"/tickets/{ticket.ref}/presence", {"state": "viewing"})
    assert (gone.status_code, "/accounts/login" in gone.headers["Location"]) == (302, True)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"state": "dancing"},
        {"state": "viewing", "seen": "x"},
        {"state": "viewing", "seen": "9" * 40, "version": "1"},
    ],
)
def test_what_cannot_be_read_is_refused(cast: Any, ticket: Ticket, said: dict[str, str]) -> None:
    assert enter(cast.ana).post(f"/tickets/{ticket.ref}/presence", said).status_code == 422
    assert on(ticket) == 0


def test_fifty_people_on_one_ticket_cost_each_of_them_two_statements(cast: Any, ticket: Ticket) -> None:
    for n in range(50):
        person = User.objects.create_user(email=f"e{n}@desk.example", name=f"E {n}", staff_role="engineer", at=now())
        presence.beat(ticket=ticket, state="viewing", seen=0, by=person, at=timezone.now())
    ana = enter(cast.ana)
    beat(ana, ticket)
    with CaptureQueriesContext(connection) as asked:
        page = ana.post(f"/tickets/{ticket.ref}/presence", {"state": "viewing", "seen": "0", "version": "1"})
    # Beside session and person.
    assert len(asked) == 4
    assert "+44" in text(page)
