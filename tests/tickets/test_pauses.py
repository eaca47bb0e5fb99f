"""The review of pauses: what is odd is found, a lead strikes it out, and its time counts from then on."""

import html
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from helpdesk.audit.models import Entry
from sla.models import Breach
from tests.stories.travel import Person, at, clock, history, minutes, words
from tickets import drift
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db
WHY = {"reason": "answered", "words": "She had sent the logs at 11:10"}


def ask(person: Any, address: str, when: Any, form: dict[str, Any] | None = None) -> Any:
    client = Client(raise_request_exception=False)
    with time_machine.travel(when, tick=False):
        if person:
            client.force_login(person)
        return client.get(address) if form is None else client.post(address, form)


def text(answer: Any) -> str:
    return words(html.unescape(answer.content.decode())).replace(" ,", ",")


@pytest.fixture
def ticket(cast: Any) -> Ticket:
    """Critical, filed at ten, answered, and with the customer from 10:30 to 12:30."""
    filed = Person(cast.cora).files(cast, at("10:00"))
    asked = Person(cast.ana).says(filed, at("10:30"), then="ask", body="Which logs?")
    return Person(cast.cora).says(asked, at("12:30"), body="These")


@pytest.fixture
def odd(cast: Any, ticket: Ticket) -> int:
    """An import brought a word of the customer's that had come at 11:10; returns the number of the pause."""
    first = Message.objects.filter(ticket=ticket, by_desk=False).latest("id")
    first.pk, first.at = None, at("11:10")
    first.save()
    return Entry.objects.get(subject=ticket.ref, action="ticket.asked").pk


def test_what_began_with_a_question_and_ended_with_the_answer_is_not_odd(cast: Any, ticket: Ticket) -> None:
    assert "No pause is odd" in text(ask(cast.lee, "/sla/pauses", at("13:00")))
    page = text(ask(cast.lee, "/sla/pauses?view=all", at("13:00")))
    assert f"{ticket.ref} 数据库连接超时 Acme 18:30 20:30 Ana nothing no" in page


def test_a_word_of_the_customers_within_it_is(cast: Any, ticket: Ticket, odd: int) -> None:
    page = text(ask(cast.lee, "/sla/pauses", at("13:00")))
    assert ticket.ref in page
    assert "The customer had already answered" in page


def test_so_is_one_without_a_question_and_one_longer_than_a_week(cast: Any, ticket: Ticket) -> None:
    Message.objects.filter(ticket=ticket, by_desk=True).delete()
    assert "No public question began it" in text(ask(cast.lee, "/sla/pauses", at("13:00")))
    later = Person(cast.ana).says(ticket, at("13:00"), then="ask", body="And now?")
    assert "Longer than 7 days" not in text(ask(cast.lee, "/sla/pauses", at("12:00", 7)))
    assert "Longer than 7 days" not in text(ask(cast.lee, "/sla/pauses", at("14:00", 7))), "the desk ends it itself"
    assert "Longer than 7 days" in text(ask(cast.lee, "/sla/pauses", at("14:00:01", 7)))
    assert later.status == "waiting_customer"


def test_one_taken_back_with_its_reply_is_no_pause(cast: Any) -> None:
    filed = Person(cast.cora).files(cast, at("10:00"))
    asked = Person(cast.ana).says(filed, at("10:30"), then="ask", body="Which logs?")
    Person(cast.ana).does("undo", asked, at("10:30:05"))
    assert "No pauses yet" in text(ask(cast.lee, "/sla/pauses?view=all", at("13:00")))


def test_before_it_is_struck_out_it_says_what_that_does(cast: Any, odd: int) -> None:
    page = text(ask(cast.lee, f"/sla/pauses/{odd}", at("13:00")))
    assert "Due Tomorrow 00:00 22:00" in page, "16:00 and 14:00, eight hours east"
    assert "This cannot be taken back" in page


def test_struck_out_its_time_counts_and_history_says_who_and_why(cast: Any, ticket: Ticket, odd: int) -> None:
    assert clock(ticket).due_at == at("16:00")
    assert ask(cast.lee, f"/sla/pauses/{odd}", at("13:00"), WHY).status_code == 303
    assert (clock(ticket).due_at, clock(ticket).verdict) == (at("14:00"), "open")
    (entry,) = history(ticket, "ticket.pause_struck")
    assert (entry.fact, entry.audience, entry.data["struck"]) == (["strike", odd], "staff", "answered")
    note = Message.objects.get(pk=entry.data["message"])
    assert (note.kind, note.body) == ("note", WHY["words"])
    page = text(ask(cast.lee, "/sla/pauses?view=struck", at("13:10")))
    assert "The customer had already answered Lee, 21:00" in page
    assert "No pause is odd" in text(ask(cast.lee, "/sla/pauses", at("13:10")))
    why = text(ask(cast.ana, f"/tickets/{ticket.ref}/why/resolution", at("13:10")))
    assert "18:30 to 20:30, a pause that Lee struck out: it counts" in why
    assert "Sum of what counts 4:00:00" in why
    theirs = text(ask(cast.carla, f"/tickets/{ticket.ref}/why/resolution", at("13:10")))
    assert "a pause that was struck out: it counts" in theirs
    assert drift.compare(at("13:10")).drifts == []


def test_a_breach_that_comes_of_it_is_written_as_any_other(cast: Any, ticket: Ticket, odd: int) -> None:
    assert ask(cast.lee, f"/sla/pauses/{odd}", at("15:00"), WHY).status_code == 303
    breach = Breach.objects.get(kind="resolution")
    assert (breach.due_at, breach.breached_at, breach.cause) == (at("14:00"), at("15:00"), "pause_struck")


def test_once_and_with_words(cast: Any, ticket: Ticket, odd: int) -> None:
    answer = ask(cast.lee, f"/sla/pauses/{odd}", at("13:00"), {"reason": "answered", "words": " "})
    assert answer.status_code == 422
    assert "Write down why" in text(answer)
    ask(cast.lee, f"/sla/pauses/{odd}", at("13:00"), WHY)
    again = ask(cast.ada, f"/sla/pauses/{odd}", at("13:05"), WHY)
    assert again.status_code == 422
    assert "This pause is struck out already." in text(again)
    assert len(history(ticket, "ticket.pause_struck")) == 1


def test_nobody_strikes_out_a_pause_of_their_own_ticket(cast: Any, ticket: Ticket, odd: int) -> None:
    Person(cast.ana).does("assign", ticket, at("12:40"), to=cast.lee.pk, reason="Yours")
    assert "The ticket is yours" in text(ask(cast.lee, f"/sla/pauses/{odd}", at("13:00")))
    assert ask(cast.lee, f"/sla/pauses/{odd}", at("13:00"), WHY).status_code == 422
    assert not history(ticket, "ticket.pause_struck")


def test_leads_and_administrators_alone(cast: Any, ticket: Ticket, odd: int) -> None:
    for person in (cast.ana, cast.cora, cast.carla, cast.gus):
        assert ask(person, "/sla/pauses", at("13:00")).status_code == 404
        assert ask(person, f"/sla/pauses/{odd}", at("13:00")).status_code == 404
        assert ask(person, f"/sla/pauses/{odd}", at("13:00"), WHY).status_code == 404
    assert ask(None, f"/sla/pauses/{odd}", at("13:00")).status_code == 302
    assert ask(cast.audrey, f"/sla/pauses/{odd}", at("13:00"), WHY).status_code == 404
    assert ask(cast.lee, "/sla/pauses/1", at("13:00")).status_code == 404
    assert not history(ticket, "ticket.pause_struck")


def test_the_auditor_reads_them_without_a_name(cast: Any, ticket: Ticket, odd: int) -> None:
    page = text(ask(cast.audrey, "/sla/pauses", at("13:00")))
    assert ticket.ref in page
    assert "CUST-000" in page
    assert f"USER-{cast.ana.pk:04}" in page
    assert "Acme" not in page
    assert "数据库" not in page


def test_pages_go_on_and_cost_the_same(cast: Any, ticket: Ticket, odd: int) -> None:
    with CaptureQueriesContext(connection) as few:
        ask(cast.lee, "/sla/pauses?view=all", at("13:00"))
    for n in range(27):
        moment = at("13:00") + timedelta(minutes=2 * n)
        ticket = Person(cast.ana).says(ticket, moment, then="ask", body=f"And {n}?")
        ticket = Person(cast.cora).says(ticket, moment + timedelta(minutes=1), body=f"Yes {n}")
    with CaptureQueriesContext(connection) as many:
        page = ask(cast.lee, "/sla/pauses?view=all", at("18:00")).content.decode()
    assert len(many) == len(few)
    assert page.count("/sla/pauses/") == 25
    place = html.unescape(page).split("after=")[1].split('"')[0]
    rest = ask(cast.lee, f"/sla/pauses?view=all&after={place}", at("18:00")).content.decode()
    assert rest.count("/sla/pauses/") == 3
    minutes(at("18:00"), at("18:00"))
