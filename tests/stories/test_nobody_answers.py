"""Nobody answers: the desk reminds, resolves and closes by itself, in days of 24 hours, each once."""

from datetime import timedelta
from typing import Any

import pytest

from tests.stories.travel import Person, at, clock, history, letters, pulse, words
from tickets.models import Ticket

pytestmark = [pytest.mark.django_db, pytest.mark.story]
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
ASKED = at("10:30")


@pytest.fixture
def ana(cast: Any) -> Person:
    return Person(cast.ana)


@pytest.fixture
def cora(cast: Any) -> Person:
    return Person(cast.cora)


@pytest.fixture
def waiting(cast: Any, ana: Person, cora: Person) -> Ticket:
    return ana.says(cora.files(cast, at("10:00")), ASKED, "ask", "Which database?")


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def test_after_three_days_the_customer_is_reminded_once(cast: Any, waiting: Ticket) -> None:
    assert waiting.wake_at == ASKED + 3 * DAY
    pulse(ASKED + 3 * DAY - SECOND)
    assert not letters(waiting, "ticket.reminder")
    for hour in range(24):
        pulse(ASKED + 3 * DAY + timedelta(hours=hour))
    (letter,) = letters(waiting, "ticket.reminder")
    assert (letter.to_address, letter.data["ref"]) == (cast.cora.email, waiting.ref)
    assert [e.at for e in history(waiting, "ticket.reminded")] == [ASKED + 3 * DAY]
    assert fresh(waiting).wake_at == ASKED + 7 * DAY


def test_after_seven_days_it_is_resolved_by_the_desk(cast: Any, waiting: Ticket, ana: Person, cora: Person) -> None:
    pulse(ASKED + 3 * DAY)
    pulse(ASKED + 7 * DAY - SECOND)
    assert fresh(waiting).status == "waiting_customer"
    pulse(ASKED + 7 * DAY)
    now = fresh(waiting)
    assert (now.status, now.version) == ("resolved", waiting.version)
    assert now.wake_at == ASKED + 12 * DAY
    (line,) = history(waiting, "ticket.resolved")
    assert (line.actor, line.actor_role, line.audience) == ("system", "system", "public")
    assert [x.to_address for x in letters(waiting, "ticket.auto_resolved")] == [cast.cora.email, cast.ana.email]
    assert clock(waiting).verdict == "met"
    address, later = f"/tickets/{waiting.ref}/", ASKED + 7 * DAY + timedelta(minutes=5)
    assert "the desk resolved it after 7 days without an answer" in words(ana.see(address, later))
    assert "7 天没有收到您的回复，我们视为已解决" in words(cora.see(address, later))


def test_an_answer_before_that_stops_it(waiting: Ticket, cora: Person) -> None:
    cora.says(waiting, ASKED + 2 * DAY, body="orders-prod")
    assert fresh(waiting).wake_at is None
    pulse(ASKED + 8 * DAY)
    assert fresh(waiting).status == "in_progress"
    assert not letters(waiting, "ticket.reminder")


def test_each_stay_has_a_reminder_of_its_own(waiting: Ticket, ana: Person, cora: Person) -> None:
    pulse(ASKED + 3 * DAY)
    cora.says(waiting, ASKED + 4 * DAY, body="orders-prod")
    ana.says(waiting, ASKED + 4 * DAY + timedelta(hours=1), "ask", "And which node?")
    pulse(ASKED + 7 * DAY)
    assert fresh(waiting).status == "waiting_customer"
    pulse(ASKED + 7 * DAY + timedelta(hours=1))
    assert len(letters(waiting, "ticket.reminder")) == 2


def test_two_days_before_its_window_ends_the_customer_is_told_and_then_it_closes(
    cast: Any, ana: Person, cora: Person
) -> None:
    ticket = ana.does("resolve", cora.files(cast, at("10:00")), at("11:00"), body="Pool was too small")
    assert ticket.wake_at == at("11:00", 5)
    pulse(at("11:00", 5))
    assert [x.to_address for x in letters(ticket, "ticket.closing_soon")] == [cast.cora.email]
    pulse(at("11:00", 7))
    assert fresh(ticket).status == "resolved", "the window's last second is the customer's"
    pulse(at("11:00:01", 7))
    now = fresh(ticket)
    assert (now.status, now.close_reason, now.wake_at) == ("closed", "lapsed", None)
    (line,) = history(ticket, "ticket.closed")
    assert (line.actor, line.data["reason"]) == ("system", "lapsed")
    assert [x.to_address for x in letters(ticket, "ticket.auto_closed")] == [cast.cora.email, cast.ana.email]
    assert "the desk closed it" in words(ana.see(f"/tickets/{ticket.ref}/", at("11:05", 7)))
    assert "7 天内没有人重新打开" in cora.see(f"/tickets/{ticket.ref}/", at("11:05", 7))


def test_what_is_reopened_is_not_closed_and_its_window_starts_anew(cast: Any, ana: Person, cora: Person) -> None:
    ticket = ana.does("resolve", cora.files(cast, at("10:00")), at("11:00"), body="Pool was too small")
    pulse(at("11:00", 5))
    cora.says(ticket, at("11:00", 7), body="Still slow")
    assert fresh(ticket).wake_at is None
    pulse(at("12:00", 7))
    ana.does("resolve", ticket, at("12:00", 8), body="Now it is larger")
    pulse(at("11:00", 13))
    assert len(letters(ticket, "ticket.closing_soon")) == 1
    pulse(at("12:00", 13))
    assert len(letters(ticket, "ticket.closing_soon")) == 2


def test_a_worker_that_was_down_takes_the_last_step_and_announces_nothing(waiting: Ticket) -> None:
    pulse(ASKED + 8 * DAY)
    assert fresh(waiting).status == "resolved"
    assert not letters(waiting, "ticket.reminder")
    assert fresh(waiting).wake_at == ASKED + 13 * DAY
    pulse(ASKED + 30 * DAY)
    assert fresh(waiting).status == "closed"
    assert not letters(waiting, "ticket.closing_soon")


def test_an_answer_taken_back_lets_the_stay_go_on(waiting: Ticket, ana: Person) -> None:
    pulse(ASKED + 3 * DAY)
    when = ASKED + 4 * DAY
    ana.does("resume", waiting, when)
    assert fresh(waiting).wake_at is None
    # Asking again within one reply, and taking that back: the ticket is in progress and nothing is to come.
    ana.says(waiting, when + timedelta(minutes=1), "ask", "Hello?")
    assert fresh(waiting).wake_at == when + timedelta(minutes=1) + 3 * DAY
    ana.send(f"/tickets/{waiting.ref}/undo", when + timedelta(minutes=1, seconds=5))
    assert (fresh(waiting).status, fresh(waiting).wake_at) == ("in_progress", None)


def test_a_resolution_taken_back_waits_on_and_reminds_nobody_again(waiting: Ticket, ana: Person) -> None:
    pulse(ASKED + 3 * DAY)
    when = ASKED + 4 * DAY
    ana.says(waiting, when, "resolve", "I think that is it")
    assert fresh(waiting).wake_at == when + 5 * DAY
    ana.send(f"/tickets/{waiting.ref}/undo", when + 5 * SECOND)
    assert fresh(waiting).status == "waiting_customer"
    pulse(when + timedelta(minutes=1))
    assert len(letters(waiting, "ticket.reminder")) == 1
    assert fresh(waiting).wake_at == ASKED + 7 * DAY


def test_a_merge_stops_it_and_taking_that_back_lets_it_go_on(
    cast: Any, waiting: Ticket, ana: Person, cora: Person
) -> None:
    other = cora.files(cast, ASKED + DAY)
    ana.does("merge", waiting, ASKED + DAY, other=other.ref, sure="yes")
    assert fresh(waiting).wake_at is None
    pulse(ASKED + 4 * DAY)
    assert not letters(waiting, "ticket.reminder")
    ana.does("unmerge", other, ASKED + 4 * DAY, other=waiting.ref)
    assert fresh(waiting).status == "waiting_customer"
    assert fresh(waiting).wake_at == ASKED + 3 * DAY
    pulse(ASKED + 4 * DAY + timedelta(minutes=1))
    assert len(letters(waiting, "ticket.reminder")) == 1


def test_what_is_open_or_over_has_nothing_to_come(cast: Any, ana: Person, cora: Person) -> None:
    ticket = cora.files(cast, at("10:00"))
    assert ticket.wake_at is None
    ana.does("resolve", ticket, at("11:00"), body="Done")
    cora.does("close", ticket, at("12:00"))
    assert (fresh(ticket).status, fresh(ticket).wake_at) == ("closed", None)
