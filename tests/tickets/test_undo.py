"""A reply crossed by another, and a reply taken back before the customer has it."""

import html
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from django.utils import timezone

from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry
from helpdesk.outbox import enqueue
from helpdesk.outbox.models import Letter
from sla import clocks
from sla.models import Clock
from tests.accounts.many import at_once
from tests.cast import Cast, assemble
from tickets import actions, merging
from tickets.deed import held_for
from tickets.models import Message, Ticket
from tickets.undoing import undo_reply
from tickets.workflow import Conflict, Refused

pytestmark = pytest.mark.django_db


def now() -> datetime:
    return timezone.now().replace(microsecond=0)


def opened(cast: Any, **more: Any) -> Ticket:
    given = {
        "customer": cast.acme,
        "title": "数据库连接超时",
        "description": "从 09:58 开始",
        "category": "technical",
        "impact": "production_part",
        "urgency": "urgent",
        "by": cast.cora,
        "at": now() - timedelta(minutes=5),
    }
    return actions.open_ticket(**(given | more))


@pytest.fixture
def ticket(cast: Any) -> Ticket:
    return opened(cast)


def enter(person: User | None) -> Client:
    client = Client(raise_request_exception=False)
    if person:
        client.force_login(person)
    return client


def page(client: Client, ticket: Ticket) -> str:
    return html.unescape(client.get(f"/tickets/{ticket.ref}/").content.decode())


def seen_on(page: str) -> str:
    (seen,) = set(re.findall(r'name="last_seen_message" value="(\d+)"', page))
    return seen


def send(client: Client, ticket: Ticket, verb: str = "reply", **form: Any) -> Any:
    return client.post(f"/tickets/{ticket.ref}/{verb}", {"once": uuid4().hex, **form})


def state(ticket: Ticket) -> tuple[str, list[tuple[Any, ...]]]:
    fresh = Ticket.objects.get(pk=ticket.pk)
    # What a word began that was taken back keeps its row and counts nowhere.
    stored = Clock.objects.filter(subject=ticket.ref).exclude(cause="undone").order_by("id")
    return fresh.status, list(stored.values_list("kind", "verdict", "due_at", "completed_at"))


def without_drift(ticket: Ticket) -> None:
    fresh = Ticket.objects.get(pk=ticket.pk)
    reckoned = clocks.reckon(ticket.ref, terms=fresh.terms, at=fresh.last_event_at)
    assert reckoned.status == fresh.status
    for one in reckoned.clocks:
        stored = Clock.objects.get(subject=ticket.ref, kind=one.kind, cycle=one.cycle)
        assert (stored.verdict, stored.due_at, stored.completed_at) == (one.verdict, one.due_at, one.completed_at)


# --- Somebody wrote meanwhile ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("writer", ["ana", "cora"])
def test_who_writes_past_a_new_message_is_shown_it_and_sends_again(cast: Any, ticket: Ticket, writer: str) -> None:
    mine, other = (cast.ana, cast.carla) if writer == "ana" else (cast.cora, cast.ana)
    client = enter(mine)
    before = seen_on(page(client, ticket))
    crossing = actions.reply(ticket=ticket, body="I found the cause", by=other, at=now())
    first = send(client, ticket, body="My own words", last_seen_message=before)
    assert first.status_code == 409
    shown = html.unescape(first.content.decode())
    assert "Somebody wrote while you were writing" in shown or "您写的时候有人发了新消息" in shown
    assert f'href="#m{crossing.pk}"' in shown
    assert "I found the cause" in shown
    assert re.search(r'<textarea[^>]*name="body"[^>]*>My own words</textarea>', shown)
    assert not Message.objects.filter(body="My own words").exists()
    again = send(client, ticket, body="My own words", last_seen_message=seen_on(shown))
    assert again.status_code == 303
    assert Message.objects.filter(body="My own words").count() == 1


def test_a_colleagues_note_stops_the_desk_and_not_the_customer(cast: Any, ticket: Ticket) -> None:
    ana, cora = enter(cast.ana), enter(cast.cora)
    anas, coras = seen_on(page(ana, ticket)), seen_on(page(cora, ticket))
    actions.note(ticket=ticket, body="Do not restart it", by=cast.lee, at=now())
    assert send(ana, ticket, "note", body="I restart it", last_seen_message=anas).status_code == 409
    answer = send(cora, ticket, body="Any news?", last_seen_message=coras)
    assert answer.status_code == 303
    assert "Do not restart it" not in page(cora, ticket)


def test_ones_own_message_and_a_page_that_does_not_say_stop_nobody(cast: Any, ticket: Ticket) -> None:
    ana = enter(cast.ana)
    seen = seen_on(page(ana, ticket))
    assert send(ana, ticket, body="One", last_seen_message=seen).status_code == 303
    assert send(ana, ticket, body="Two", last_seen_message=seen).status_code == 303
    actions.reply(ticket=ticket, body="Hello", by=cast.cora, at=now())
    for nothing in ("", "x", "-1", "9" * 30):
        assert send(ana, ticket, body=f"Three {nothing}", last_seen_message=nothing).status_code == 303


# --- Taken back ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "form", "status"),
    [
        ("reply", {"body": "It is the firewall"}, "in_progress"),
        ("reply", {"body": "Which region?", "then": "ask"}, "waiting_customer"),
        ("reply", {"body": "Solved", "then": "resolve"}, "resolved"),
        ("resolve", {"body": "Solved as well", "version": 1}, "resolved"),
    ],
)
def test_a_word_taken_back_leaves_the_ticket_as_it_was(
    cast: Any, ticket: Ticket, verb: str, form: dict[str, Any], status: str
) -> None:
    ana, before = enter(cast.ana), state(ticket)
    form["version"] = Ticket.objects.get(pk=ticket.pk).version
    letters = set(Letter.objects.values_list("pk", flat=True))
    assert send(ana, ticket, verb, **form).status_code == 303
    assert state(ticket)[0] == status
    without_drift(ticket)
    told = Letter.objects.exclude(pk__in=letters)
    assert {letter.state for letter in told} == {"held"}
    shown = page(ana, ticket)
    assert form["body"] in shown
    assert "not yet with the customer" in shown
    assert f"/tickets/{ticket.ref}/undo" in shown
    # Neither the words nor what came with them are with the customer.
    read = page(enter(cast.cora), ticket)
    assert form["body"] not in read
    answer = send(ana, ticket, "undo")
    assert answer.status_code == 303
    assert state(ticket) == before
    without_drift(ticket)
    assert {letter.state for letter in told.all()} == {"cancelled"}
    shown = page(ana, ticket)
    assert "took a reply back" in shown
    assert re.search(rf'<textarea id="body" name="body"[^>]*>{re.escape(form["body"])}</textarea>', shown)
    assert not re.search(rf'class="body">\s*<p>{form["body"]}', shown)
    for reader in (cast.cora, cast.carla):
        assert form["body"] not in page(enter(reader), ticket)
    # A second click is late, and says so; nothing more is undone.
    assert send(ana, ticket, "undo").status_code == 409
    assert Entry.objects.filter(subject=ticket.ref, action="ticket.reply_undone").count() == 1


def test_after_fifteen_seconds_the_customer_has_it(cast: Any, ticket: Ticket) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        ana = enter(cast.ana)
        send(ana, ticket, body="It is the firewall", then="ask")
        letter = Letter.objects.get(kind="ticket.asked")
        clock.shift(14)
        assert enqueue.release(timezone.now()) == 0
        early = page(enter(cast.carla), ticket)
        assert "firewall" not in early
        assert "We wait for your answer; the resolution clock pauses" not in early
        found = enter(cast.cora).get("/tickets/?q=firewall&view=all").content.decode()
        assert f"{ticket.ref}/#m" not in found
        clock.shift(1)
        assert enqueue.release(timezone.now()) == 1
        letter.refresh_from_db()
        assert letter.state == "ready"
        read = page(enter(cast.carla), ticket)
        assert "firewall" in read
        assert "We wait for your answer; the resolution clock pauses" in read
        assert f"{ticket.ref}/#m" in enter(cast.cora).get("/tickets/?q=firewall&view=all").content.decode()
        assert "not yet with the customer" not in page(ana, ticket)
        late = send(ana, ticket, "undo")
        assert late.status_code == 409
        assert "too late" in late.content.decode()
        assert state(ticket)[0] == "waiting_customer"


def test_the_api_and_the_customers_words_are_there_at_once(cast: Any, ticket: Ticket) -> None:
    send(enter(cast.cora), ticket, body="More details")
    assert "More details" in page(enter(cast.carla), ticket)
    actions.reply(ticket=ticket, body="From a program", by=cast.ana, at=now())
    assert "From a program" in page(enter(cast.cora), ticket)
    assert not Letter.objects.filter(state="held").exists()


def test_only_the_writer_takes_a_word_back(cast: Any, ticket: Ticket) -> None:
    send(enter(cast.ana), ticket, body="It is the firewall")
    assert send(enter(cast.lee), ticket, "undo").status_code == 409
    for person in (cast.cora, cast.gus, cast.audrey):
        assert send(enter(person), ticket, "undo").status_code == 404
    assert send(enter(None), ticket, "undo").status_code == 302
    assert Message.objects.filter(undone_at=None, body="It is the firewall").exists()


def test_a_step_somebody_took_since_stays(cast: Any, ticket: Ticket) -> None:
    at = now()
    actions.reply(ticket=ticket, body="It is the firewall", by=cast.ana, at=at, undoable=True)
    version = Ticket.objects.get(pk=ticket.pk).version
    actions.resolve(ticket=ticket, version=version, body="Done", by=cast.lee, at=at + timedelta(seconds=3))
    undo_reply(ticket=ticket, by=cast.ana, at=at + timedelta(seconds=5))
    assert state(ticket)[0] == "resolved"
    assert not Message.objects.filter(ticket=ticket, body="It is the firewall", undone_at=None).exists()
    without_drift(ticket)


def test_a_step_of_the_same_second_cannot_be_told_apart(cast: Any, ticket: Ticket) -> None:
    at = now()
    actions.reply(ticket=ticket, body="It is the firewall", by=cast.ana, at=at, undoable=True)
    version = Ticket.objects.get(pk=ticket.pk).version
    actions.ask(ticket=ticket, version=version, by=cast.lee, at=at)
    with pytest.raises(Conflict), transaction.atomic():
        undo_reply(ticket=ticket, by=cast.ana, at=at + timedelta(seconds=5))
    without_drift(ticket)


def test_a_ticket_with_a_held_word_is_not_merged_yet(cast: Any, ticket: Ticket) -> None:
    other, at = opened(cast, title="The same"), now()
    actions.reply(ticket=ticket, body="It is the firewall", by=cast.ana, at=at, undoable=True)
    version = Ticket.objects.get(pk=ticket.pk).version
    given = {"ticket": ticket, "version": version, "other": other, "by": cast.ana}
    with pytest.raises(Refused), transaction.atomic():
        merging.merge(**given, at=at + timedelta(seconds=14))
    assert merging.merge(**given, at=at + timedelta(seconds=15)).pk == other.pk


def test_a_letter_that_left_is_not_taken_back(cast: Any, ticket: Ticket) -> None:
    at = now()
    actions.reply(ticket=ticket, body="It is the firewall", by=cast.ana, at=at, undoable=True)
    Letter.objects.filter(state="held").update(state="ready")
    with pytest.raises(Conflict):
        undo_reply(ticket=ticket, by=cast.ana, at=at + timedelta(seconds=5))


def test_waiting_for_an_answer_needs_a_word_that_stands(cast: Any, ticket: Ticket) -> None:
    at = now()
    actions.reply(ticket=ticket, body="Which region?", by=cast.ana, at=at, undoable=True)
    undo_reply(ticket=ticket, by=cast.ana, at=at + timedelta(seconds=5))
    version = Ticket.objects.get(pk=ticket.pk).version
    answer = send(enter(cast.ana), ticket, "ask", version=version)
    assert answer.status_code in (409, 422)


@pytest.mark.django_db(transaction=True)
def test_undo_against_release_and_against_the_customer(committed: None) -> None:
    """A hundred times each: the customer has all of it or none of it, and the clocks never drift."""
    cast: Cast = assemble()
    taken = {True: 0, False: 0}
    for turn in range(100):
        ticket = opened(cast, title=f"Race {turn}")
        at = now()
        word = actions.reply(ticket=ticket, body="Which?", then="ask", by=cast.ana, at=at, undoable=True)

        def act(n: int, ticket: Ticket = ticket, at: datetime = at, customer: bool = turn % 2 == 0) -> bool:
            if n == 0:
                try:
                    undo_reply(ticket=ticket, by=cast.ana, at=at + timedelta(seconds=14))
                except Conflict:
                    return False
                return True
            if customer:
                actions.reply(ticket=ticket, body="Mine", by=cast.cora, at=at + timedelta(seconds=14))
            else:
                enqueue.release(at + timedelta(seconds=15))
            return True

        undone = at_once(2, act)[0]
        taken[undone] += 1
        word.refresh_from_db()
        told = {x.state for x in Letter.objects.filter(subject=ticket.ref, held_for=held_for(word))}
        assert (word.undone_at is not None) == undone
        assert told == ({"cancelled"} if undone else {"ready"}) or (turn % 2 == 0 and told == {"cancelled"})
        without_drift(ticket)
    assert taken[True] >= 50, "against the customer's word undo always wins"
