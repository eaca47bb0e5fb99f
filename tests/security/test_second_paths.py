"""T-02, T-04, T-05, X-16: what a door does not show must not be had by its side: search, filter, link, extra field."""

from typing import Any

import pytest
from django.test import Client

from tests.security.world import CORAS, GUSES, World, build
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
FILING = {
    "title": "My own problem",
    "description": "It is slow",
    "category": "technical",
    "impact": "question",
    "urgency": "wait",
    "file": "1",
}


@pytest.fixture
def world(cast: Any) -> World:
    return build(cast)


def as_(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def filed_by(person: Any) -> Ticket:
    found: Ticket = Ticket.objects.filter(requester=person).order_by("-pk")[0]
    return found


def test_no_second_path_leads_to_a_foreign_ticket(world: World) -> None:
    gus, foreign = as_(world.cast.gus), world.of_cora
    paths = [
        f"/tickets/?q={foreign.ref}",
        f"/tickets/?q={foreign.pk}",
        "/tickets/?q=canary-acme",
        f"/tickets/?view=all&customer={world.cast.acme.pk}",
        f"/tickets/?view=all&assignee={world.cast.ana.pk}&sort=newest",
        f"/tickets/?view=all&after={foreign.pk + 1}",
        f"/tickets/?view=all&before={foreign.pk - 1}",
        f"/tickets/create?follows={foreign.ref}",
    ]
    for path in paths:
        answer = gus.get(path)
        assert answer.status_code == 200, path
        assert not [c for c in CORAS if c in answer.content.decode()], path
    # The same words find the own ticket: the search itself works.
    assert GUSES[0] in gus.get("/tickets/?q=canary-globex").content.decode()


def test_a_follow_up_cannot_hang_on_a_foreign_ticket(world: World) -> None:
    data = FILING | {"customer": str(world.cast.globex.pk), "follows": world.of_cora.ref}
    assert as_(world.cast.gus).post("/tickets/create", data).status_code == 303
    assert filed_by(world.cast.gus).follows_id is None


def test_a_foreign_key_in_a_form_is_refused(world: World) -> None:
    before = Ticket.objects.count()
    for customer in (str(world.cast.acme.pk), "00000000-0000-0000-0000-000000000000", "x", ""):
        answer = as_(world.cast.gus).post("/tickets/create", FILING | {"customer": customer})
        assert answer.status_code == 422, customer
        assert "My own problem" in answer.content.decode(), "what was typed stays"
    assert Ticket.objects.count() == before
    ana = as_(world.cast.ana)
    for to in (str(world.cast.gus.pk), str(world.cast.audrey.pk), "999999", "x"):
        answer = ana.post(f"/tickets/{world.of_cora.ref}/assign", {"to": to, "version": "2", "reason": ""})
        assert answer.status_code in (409, 422), to
    assert Ticket.objects.get(pk=world.of_cora.pk).assigned_to is None


def test_no_form_takes_more_fields_than_it_shows(world: World) -> None:
    more = dict.fromkeys(["id", "pk", "number", "author"], "1") | dict.fromkeys(["plan", "policy", "calendar"], "2")
    more |= {"version": "99", "status": "closed", "priority": "critical", "source": "phone", "close_reason": "spam"}
    more |= {"requester": str(world.cast.cora.pk), "assigned_to": str(world.cast.gus.pk), "queue_at": "1999-01-01"}
    more |= {"created_at": "2020-01-01", "sla_due_at": "2030-01-01", "by_desk": "on", "kind": "note"}
    more |= {"is_staff": "on", "is_superuser": "on", "staff_role": "admin", "role": "admin", "is_active": ""}
    gus = as_(world.cast.gus)
    assert gus.post("/tickets/create", more | FILING | {"customer": str(world.cast.globex.pk)}).status_code == 303
    ticket = filed_by(world.cast.gus)
    assert (ticket.status, ticket.priority_id, ticket.source, ticket.assigned_to) == ("new", "low", "web", None)
    assert (ticket.requester, ticket.version, ticket.queue_at.year) == (world.cast.gus, 1, ticket.created_at.year)
    gus.post(f"/tickets/{ticket.ref}/reply", more | {"body": "And more", "kind": "reply", "then": "resolve"})
    ticket.refresh_from_db()
    said = ticket.messages.get(body="And more")
    assert (ticket.status, said.kind, said.by_desk, said.author) == ("new", "reply", False, world.cast.gus)
    world.cast.gus.refresh_from_db()
    assert (world.cast.gus.staff_role, world.cast.gus.is_active) == (None, True)


def test_a_foreign_host_is_refused(world: World) -> None:
    assert as_(world.cast.gus).get("/tickets/", headers={"host": "evil.example"}).status_code == 400
