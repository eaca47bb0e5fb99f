"""One message becomes a ticket of its own: its author stays its author, its clocks begin now, the two are linked."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry
from helpdesk.outbox.models import Letter
from sla.models import Clock
from tests.tickets.test_tags import enter, fresh, opened, text
from tickets import actions
from tickets.models import Link, Message, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(cast: Any) -> Ticket:
    return opened(cast, at=timezone.now() - timedelta(hours=3))


@pytest.fixture
def second(cast: Any, ticket: Ticket) -> Message:
    """Another matter, in the middle of this one, by a colleague of the requester's."""
    return actions.reply(ticket=ticket, body="And the **bill** is wrong", by=cast.carla, at=timezone.now())


def split(person: User, ticket: Ticket, message: Message, **words: Any) -> Any:
    given = {
        "version": fresh(ticket).version,
        "once": uuid4().hex,
        "message": message.pk,
        "title": "The bill is wrong",
        "category": "billing",
        "impact": "billing_question",
        "urgency": "wait",
    }
    return enter(person).post(f"/tickets/{ticket.ref}/split", given | words)


def newest() -> Ticket:
    found: Ticket = Ticket.objects.order_by("-pk")[0]
    return found


def test_the_form_asks_what_a_ticket_needs(cast: Any, ticket: Ticket, second: Message) -> None:
    ana = enter(cast.ana)
    link = f"/tickets/{ticket.ref}/split?message={second.pk}"
    assert link in text(ana.get(f"/tickets/{ticket.ref}/"))
    page = text(ana.get(link))
    assert "by Carla, for Carla" in page
    assert "<strong>bill</strong>" in page
    assert f'value="{ticket.title}"' in page


def test_a_message_becomes_a_ticket_of_its_author(cast: Any, ticket: Ticket, second: Message) -> None:
    before = timezone.now().replace(microsecond=0)
    answer = split(cast.ana, ticket, second)
    made = newest()
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/tickets/{made.ref}/")
    assert (made.title, made.category, made.priority_id) == ("The bill is wrong", "billing", "low")
    assert (made.requester, made.customer, made.created_at >= before) == (cast.carla, cast.acme, True)
    opening = made.messages.get()
    assert (opening.kind, opening.author, opening.by_desk, opening.body) == ("opening", cast.carla, False, second.body)
    assert Message.objects.get(pk=second.pk).ticket == ticket, "what was said stays where it was said"
    assert Clock.objects.get(subject=made.ref, kind="response").started_at == made.created_at
    assert Link.objects.get(low=ticket, high=made)
    assert Letter.objects.filter(kind="ticket.received", subject=made.ref, to_address=cast.carla.email).exists()
    page = text(enter(cast.ana).get(f"/tickets/{ticket.ref}/"))
    assert f'Ana <b>split off</b> <a href="/tickets/{made.ref}/">' in page
    assert "<b>split it off</b> from" in text(enter(cast.ana).get(f"/tickets/{made.ref}/"))
    assert made.ref in text(enter(cast.ana).get("/tickets/?view=all&q=bill"))


def test_another_persons_number_is_nothing_to_read(cast: Any, ticket: Ticket, second: Message) -> None:
    split(cast.ana, ticket, second)
    made = newest()
    assert set(Entry.objects.filter(action__in=["ticket.split", "ticket.split_off"]).values_list("audience")) == {
        ("staff",)
    }
    assert made.ref not in text(enter(cast.cora).get(f"/tickets/{ticket.ref}/"))
    # Where it is the same person's, both say so in public.
    own = actions.reply(ticket=ticket, body="And mail", by=cast.cora, at=timezone.now())
    split(cast.ana, ticket, own)
    assert newest().ref in text(enter(cast.cora).get(f"/tickets/{ticket.ref}/"))


def test_our_own_word_opens_one_for_who_asked(cast: Any, ticket: Ticket) -> None:
    ours = actions.reply(ticket=ticket, body="The disk is full too", by=cast.lee, at=timezone.now())
    assert split(cast.ana, ticket, ours).status_code == 303
    made = newest()
    assert (made.requester, made.messages.get().author, made.messages.get().by_desk) == (cast.cora, cast.lee, True)


def test_a_note_is_never_split_off(cast: Any, ticket: Ticket) -> None:
    note = actions.note(ticket=ticket, body="canary-note", by=cast.ana, at=timezone.now())
    assert f"split?message={note.pk}" not in text(enter(cast.ana).get(f"/tickets/{ticket.ref}/"))
    answer = split(cast.ana, ticket, note)
    assert (answer.status_code, "the customer would read it" in text(answer)) == (422, True)
    assert newest() == ticket


@pytest.mark.parametrize(
    ("words", "word"),
    [
        ({"title": " "}, "Write one sentence"),
        ({"title": "x" * 501}, "1 character too many"),
        ({"impact": ""}, "Choose how large the impact is."),
        ({"urgency": "yesterday"}, "Choose one of the answers."),
        ({"category": "x"}, "Choose a category."),
    ],
)
def test_wrong_words_open_nothing(cast: Any, ticket: Ticket, second: Message, words: Any, word: str) -> None:
    answer = split(cast.ana, ticket, second, **words)
    assert (answer.status_code, word in text(answer)) == (422, True)
    assert (newest(), fresh(ticket).version) == (ticket, 2)


def test_an_older_page_splits_nothing(cast: Any, ticket: Ticket, second: Message) -> None:
    answer = split(cast.ana, ticket, second, version=1, title="Kept")
    assert (answer.status_code, 'value="Kept"' in text(answer)) == (409, True)
    assert newest() == ticket


def test_twice_sent_it_opens_one(cast: Any, ticket: Ticket, second: Message) -> None:
    same = {"once": "again", "version": fresh(ticket).version}
    answers = [split(cast.ana, ticket, second, **same).headers["Location"] for _ in range(2)]
    assert (answers[0] == answers[1], Ticket.objects.count()) == (True, 2)


def test_only_a_message_of_the_ticket_and_only_for_the_desk(cast: Any, ticket: Ticket, second: Message) -> None:
    foreign = opened(cast, "Globex", customer=cast.globex, by=cast.gus).messages.get()
    ana = enter(cast.ana)
    for number in (foreign.pk, 0, 10**17, "x", ""):
        assert ana.get(f"/tickets/{ticket.ref}/split", {"message": number}).status_code == 404
    assert split(cast.ana, ticket, foreign).status_code == 404
    for person in (cast.cora, cast.carla, cast.gus, cast.audrey):
        assert enter(person).get(f"/tickets/{ticket.ref}/split?message={second.pk}").status_code == 404
        assert split(person, ticket, second).status_code == 404
    assert Ticket.objects.count() == 2
