"""A restricted customer does not exist for an engineer outside its team: no door, list, count, search or form."""

import html
from typing import Any

import pytest
from django.test import Client

from helpdesk.accounts.models import Customer, CustomerTeam, User
from tests.security.world import CORAS, World, build
from tickets import queue, search
from tickets.models import Ticket
from tickets.similar import similar

pytestmark = pytest.mark.django_db
VERBS = ["reply", "note", "start", "ask", "resume", "resolve", "reopen", "withdraw", "assign", "prioritise", "classify"]


@pytest.fixture
def world(cast: Any) -> World:
    made = build(cast)
    Customer.objects.filter(pk=cast.acme.pk).update(restricted=True)
    return made


def seen_by(person: User, address: str) -> tuple[int, str]:
    client = Client()
    client.force_login(person)
    answer = client.get(address)
    return answer.status_code, html.unescape(answer.content.decode()).replace("<mark>", "").replace("</mark>", "")


def addresses(world: World) -> list[str]:
    acme = world.cast.acme.pk
    lists = ["", "?view=all", "?view=mine", "?filter=1", f"?customer={acme}&view=all", f"?customer={acme}&filter=1"]
    searches = ["?view=all&q=canary", "?view=all&q=Acme", "?q=Cora", f"?view=all&q={world.of_cora.pk}"]
    return [
        *(f"/tickets/{more}" for more in [*lists, *searches]),
        "/tickets/create",
        f"/tickets/create?customer={acme}",
    ]


def test_outside_the_team_nothing_of_it_is_seen(world: World) -> None:
    for address in addresses(world):
        status, page = seen_by(world.cast.ana, address)
        assert status == 200, address
        # What was typed into the search stands in its field again.
        typed = address.partition("q=")[2]
        for word in (*CORAS, "Acme", "Cora<", world.of_cora.ref):
            assert word not in page or (typed and word.startswith(typed)), (address, word)
    assert seen_by(world.cast.ana, f"/tickets/{world.of_cora.ref}/")[0] == 404
    client = Client()
    client.force_login(world.cast.ana)
    for verb in VERBS:
        answer = client.post(f"/tickets/{world.of_cora.ref}/{verb}", {"version": "2", "body": "x", "reason": "x"})
        assert answer.status_code == 404, verb
    filing = {"customer": str(world.cast.acme.pk), "title": "x", "description": "x", "requester": world.cast.cora.pk}
    answer = client.post("/tickets/create", filing)
    assert "New for a customer" in answer.content.decode()
    assert "Acme" not in answer.content.decode()
    assert Ticket.objects.filter(customer=world.cast.acme).count() == 1


def test_counts_search_and_twins_leave_it_out(world: World) -> None:
    ana, at = world.cast.ana, world.of_cora.created_at
    assert queue.counts(ana, at)["open"] == 1
    assert queue.counts(world.cast.lee, at)["open"] == 2
    asked = search.question("canary")
    # A note and an opening of each company.
    places = [search.find(asked, [], viewer, at=at).places for viewer in (ana, world.cast.lee)]
    assert places == [2, 4]
    assert [n.name for n in search.names(search.question("acme cora gus"), ana)] == ["Gus"]
    given = {"title": world.of_cora.title, "text": "", "customer": world.cast.acme.pk}
    assert (similar(**given, user=ana), similar(**given, user=world.cast.lee)) == ([], [world.of_cora])


def test_the_team_leads_and_administrators_see_it(world: World) -> None:
    address = f"/tickets/{world.of_cora.ref}/"
    assert [seen_by(p, address)[0] for p in (world.cast.ana, world.cast.lee, world.cast.ada)] == [404, 200, 200]
    CustomerTeam.objects.create(customer=world.cast.acme, user=world.cast.ana)
    assert seen_by(world.cast.ana, address)[0] == 200
    assert world.of_cora.ref in seen_by(world.cast.ana, "/tickets/?view=all")[1]
    assert queue.counts(world.cast.ana, world.of_cora.created_at)["open"] == 2
    # Its own people see it as ever.
    assert seen_by(world.cast.cora, address)[0] == 200
