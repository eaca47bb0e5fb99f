"""From one ticket to the next: the list it was opened from is kept, and a sent reply leads where its writer likes."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from helpdesk.accounts.models import User
from tests.tickets.test_pages import enter, fresh, opened, refs, text
from tickets import actions
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(cast: Any) -> list[Ticket]:
    """Three tickets in the order in which they run out."""
    return [opened(cast, f"T{n}", ago=30 - 10 * n) for n in range(3)]


def went(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 302
    return str(answer.headers["Location"])


def say(client: Client, ticket: Ticket, **more: str) -> str:
    answer = client.post(f"/tickets/{ticket.ref}/reply", {"body": "Hello", **more})
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def test_a_ticket_opened_from_a_list_knows_its_neighbours_there(cast: Any, three: list[Ticket]) -> None:
    ana = enter(cast.ana)
    middle = three[1]
    actions.assign(ticket=middle, version=1, to=cast.lee, reason="Mine", by=cast.lee, at=middle.last_event_at)
    row = re.search(r'href="(/tickets/HD-\d+/\?from=[^"]+)"', text(ana.get("/tickets/?view=mine")))
    assert row
    page = text(ana.get(row[1]))
    assert '<a href="/tickets/?view=mine">Assigned to me</a>' in page
    (following,) = re.findall(r'rel="next" href="([^"]+)"', page)
    assert went(ana, following) == f"/tickets/{three[2].ref}/?from=view%3Dmine"
    assert went(ana, f"/tickets/{three[0].ref}/next") == f"/tickets/{three[1].ref}/"
    assert went(ana, f"/tickets/{three[1].ref}/previous") == f"/tickets/{three[0].ref}/"


def test_at_either_end_of_the_list_one_is_told_so(cast: Any, three: list[Ticket]) -> None:
    ana = enter(cast.ana)
    assert went(ana, f"/tickets/{three[2].ref}/next?from=sort%3Ddue") == "/tickets/"
    assert "That was the last of this list." in text(ana.get("/tickets/"))
    assert went(ana, f"/tickets/{three[2].ref}/previous?from=sort%3Dnewest") == "/tickets/?sort=newest"
    assert "That was the first of this list." in text(ana.get("/tickets/"))


def test_what_somebody_writes_into_the_address_leads_to_no_other_place(cast: Any, three: list[Ticket]) -> None:
    ana = enter(cast.ana)
    evil = ("https://evil.example/", "//evil.example", "view=https://evil.example&x=1", "%00", "after=1,2" * 400)
    for said in evil:
        page = ana.get(f"/tickets/{three[2].ref}/", {"from": said})
        assert page.status_code == 200
        assert "evil" not in text(page).replace(f"from={said}", "")
        assert went(ana, f"/tickets/{three[2].ref}/next?from={said}&at=x,y") == "/tickets/"
    for said in evil:
        assert say(ana, three[1], after="list", **{"from": said}) == "/tickets/"


def test_a_reply_leads_where_its_writer_likes_and_that_is_remembered(cast: Any, three: list[Ticket]) -> None:
    ana = enter(cast.ana)
    first, second, third = three
    assert say(ana, first) == f"/tickets/{first.ref}/"
    assert say(ana, first, after="list", **{"from": "view=unassigned"}) == "/tickets/?view=unassigned"
    assert f"{first.ref}: Your reply is sent." in text(ana.get("/tickets/?view=unassigned"))
    assert 'value="list" selected' in text(ana.get(f"/tickets/{first.ref}/"))
    # The answer moves the ticket behind the others: the way on starts from where it stood.
    place = say(ana, second, after="next")
    assert went(ana, place) == f"/tickets/{third.ref}/"
    assert User.objects.get(pk=cast.ana.pk).after_send == "next"
    assert say(ana, third, after="stay", **{"from": "view=mine"}) == f"/tickets/{third.ref}/?from=view%3Dmine"


def test_a_note_and_other_verbs_keep_the_list(cast: Any, three: list[Ticket]) -> None:
    ana, address = enter(cast.ana), f"/tickets/{three[0].ref}/"
    kept = {"from": "view=unassigned&priority=high"}
    answer = ana.post(f"{address}note", {"body": "Hm", "after": "list", **kept})
    assert answer.headers["Location"] == "/tickets/?view=unassigned&priority=high"
    answer = ana.post(f"{address}start", {"version": fresh(three[0]).version, **kept})
    assert answer.headers["Location"] == f"{address}?from=view%3Dunassigned%26priority%3Dhigh"
    refused = text(ana.post(f"{address}reply", {"body": "", "after": "next", **kept}))
    assert 'name="from" value="view=unassigned&priority=high"' in refused
    assert 'value="next" selected' in refused


def test_a_ticket_that_left_its_list_leads_to_the_first_of_it(cast: Any, three: list[Ticket]) -> None:
    ana = enter(cast.ana)
    last = three[2]
    actions.resolve(ticket=last, version=1, body="Done", by=cast.ana, at=fresh(last).last_event_at)
    assert went(ana, f"/tickets/{last.ref}/next") == f"/tickets/{refs(ana.get('/tickets/'))[0]}/"


def test_what_a_search_found_has_no_next(cast: Any, three: list[Ticket]) -> None:
    ana = enter(cast.ana)
    page = text(ana.get(f"/tickets/{three[0].ref}/", {"from": "view=all&q=T1"}))
    assert '<a href="/tickets/?view=all&q=T1">Search</a>' in page
    assert 'rel="next"' not in page
    assert say(ana, three[0], after="next", **{"from": "view=all&q=T1"}) == "/tickets/?view=all&q=T1"


def test_a_customer_stays_on_the_ticket_whatever_they_send(cast: Any, three: list[Ticket]) -> None:
    cora = enter(cast.cora)
    assert say(cora, three[0], after="next", **{"from": "view=all"}) == f"/tickets/{three[0].ref}/"
    assert cora.get(f"/tickets/{three[0].ref}/next").status_code == 404
    assert enter(cast.gus).get(f"/tickets/{three[0].ref}/previous").status_code == 404
    assert User.objects.get(pk=cast.cora.pk).after_send == "stay"


def test_the_next_ticket_costs_two_statements_beside_who_asks(cast: Any, three: list[Ticket]) -> None:
    ana = enter(cast.ana)
    ana.get("/tickets/")
    with CaptureQueriesContext(connection) as asked:
        ana.get(f"/tickets/{three[0].ref}/next?from=view%3Doverdue")
    assert len(asked) <= 4
