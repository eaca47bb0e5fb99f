"""Why this due time: whoever may see a ticket opens every step of it, and the steps add up."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sla.models import Breach, CalendarVersion
from tests.stories.travel import Person, at, minutes, words
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


def get(person: Any, address: str, when: Any) -> Any:
    client = Client(raise_request_exception=False)
    with time_machine.travel(when, tick=False):
        if person:
            client.force_login(person)
        return client.get(address)


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return words(html.unescape(answer.content.decode())).replace(" ,", ",")


@pytest.fixture
def ticket(cast: Any) -> Ticket:
    """Filed at ten, answered and put with the customer at eleven, taken up again at noon."""
    filed = Person(cast.cora).files(cast, at("10:00"))
    answered = Person(cast.ana).says(filed, at("11:00"), then="ask", body="Which region?")
    return Person(cast.cora).says(answered, at("12:00"), body="Singapore")


def test_each_step_is_told_and_the_sum_is_the_target(cast: Any, ticket: Ticket) -> None:
    page = text(get(cast.ana, f"/tickets/{ticket.ref}/why/resolution", at("13:00")))
    assert "Version 1, as promised on that day" in page
    assert "18:00 to 19:00, runs 1:00:00" in page, "in the reader's zone, eight hours east"
    assert "paused: Ana waits for the customer the question 1:00:00" in page
    assert "20:00 to 21:00, runs 1:00:00" in page
    assert "is left 2:00:00" in page
    assert "Sum of what counts 4:00:00" in page
    assert "Due 23:00" in page


def test_the_customer_reads_the_same_and_no_internal_word(cast: Any, ticket: Ticket) -> None:
    for person in (cast.cora, cast.carla):
        page = text(get(person, f"/tickets/{ticket.ref}/why/resolution", at("13:00")))
        assert "4:00:00" in page
    assert get(cast.cora, f"/tickets/{ticket.ref}/why/ola_assign", at("13:00")).status_code == 404


def test_a_stranger_finds_none(cast: Any, ticket: Ticket) -> None:
    for person in (cast.gus, cast.audrey, cast.cody):
        assert get(person, f"/tickets/{ticket.ref}/why/resolution", at("13:00")).status_code == 404
    assert get(None, f"/tickets/{ticket.ref}/why/resolution", at("13:00")).status_code == 302
    assert get(cast.ana, f"/tickets/{ticket.ref}/why/nonsense", at("13:00")).status_code == 404


def in_office_hours(ticket: Ticket) -> None:
    """The ticket as if it had been promised in the office hours of Shanghai, with a holiday on Tuesday."""
    made = CalendarVersion.objects.filter(calendar__code="24x7").latest("number")
    rules = {"kind": "hours", "week": {str(d): [["09:00", "12:00"], ["13:00", "18:00"]] for d in range(5)}}
    rules["closed"] = ["2026-03-03"]  # type: ignore[assignment]
    office = CalendarVersion.objects.create(
        calendar=made.calendar,
        number=made.number + 1,
        zone="Asia/Shanghai",
        rules=rules,
        state="draft",
        effective_at=at("00:00"),
    )
    Ticket.objects.filter(pk=ticket.pk).update(calendar=office)


def test_office_hours_name_each_window_and_the_holidays(cast: Any, ticket: Ticket) -> None:
    in_office_hours(ticket)
    page = text(get(cast.ana, f"/tickets/{ticket.ref}/why/resolution", at("13:00")))
    assert "Holidays skipped: 2026-03-03" in page
    assert re.search(r"Wed 09:00 to Wed 12:00, is left 3:00:00", page), page


def test_a_changed_priority_says_who_and_what_was_promised_then(cast: Any, ticket: Ticket) -> None:
    Person(cast.ana).does("prioritise", ticket, at("12:30"), priority="high", reason="A workaround")
    page = text(get(cast.ana, f"/tickets/{ticket.ref}/why/resolution", at("13:00")))
    assert "Ana changed the priority from Critical to High: 8 hours, reckoned from the beginning" in page
    assert "Sum of what counts 8:00:00" in page


def test_the_broken_response_says_so(cast: Any, ticket: Ticket) -> None:
    minutes(at("10:00"), at("10:20"))
    assert Breach.objects.get().kind == "response"
    page = text(get(cast.cora, f"/tickets/{ticket.ref}/why/response", at("13:00")))
    assert "0:15:00" in page
    assert "违约" in page, "in her language"


def test_it_costs_the_same_however_long_the_story(cast: Any, ticket: Ticket) -> None:
    address = f"/tickets/{ticket.ref}/why/resolution"
    with CaptureQueriesContext(connection) as few:
        get(cast.ana, address, at("13:00"))
    for n in range(3):
        ticket = Person(cast.ana).says(ticket, at("13:00") + timedelta(minutes=10 * n), then="ask", body=f"And {n}?")
        ticket = Person(cast.cora).says(ticket, at("13:05") + timedelta(minutes=10 * n), body=f"Yes {n}")
    with CaptureQueriesContext(connection) as many:
        get(cast.ana, address, at("14:00"))
    assert len(many) == len(few), [q["sql"][:90] for q in many]


def test_the_ticket_opens_it_in_place(cast: Any, ticket: Ticket) -> None:
    for person in (cast.ana, cast.cora):
        page = get(person, f"/tickets/{ticket.ref}/", at("13:00")).content.decode()
        for kind in ("response", "resolution"):
            assert f'href="/tickets/{ticket.ref}/why/{kind}"' in page


def test_office_hours_are_counted_down_by_the_server_alone(cast: Any, ticket: Ticket) -> None:
    page = get(cast.ana, f"/tickets/{ticket.ref}/", at("13:00")).content.decode()
    assert 'data-form="clock"' in page
    in_office_hours(ticket)
    page = get(cast.ana, f"/tickets/{ticket.ref}/", at("13:00")).content.decode()
    assert 'data-form="clock"' not in page, "a script knows no calendar"
    assert "Working time, as of" in page
    assert "office hours" in page
    assert 'data-form="clock"' not in get(cast.cora, f"/tickets/{ticket.ref}/", at("13:00")).content.decode()


def test_promises_among_ourselves_are_for_the_desk(cast: Any, ticket: Ticket) -> None:
    assert "Internal targets" in text(get(cast.ana, f"/tickets/{ticket.ref}/", at("13:00")))
    assert "Sum of what counts" in text(get(cast.ana, f"/tickets/{ticket.ref}/why/ola_assign", at("13:00")))
    theirs = get(cast.cora, f"/tickets/{ticket.ref}/", at("13:00")).content.decode()
    assert "ola_assign" not in theirs


def test_the_next_update_is_told_to_both(cast: Any, ticket: Ticket) -> None:
    for person in (cast.ana, cast.cora):
        assert (
            f"/tickets/{ticket.ref}/why/update" in get(person, f"/tickets/{ticket.ref}/", at("12:30")).content.decode()
        )
        assert "1:00:00" in text(get(person, f"/tickets/{ticket.ref}/why/update", at("12:30")))
