"""T-02, T-04, T-05, X-16: what a door does not show must not be had by its side: search, filter, link, extra field."""

import re
from typing import Any

import pytest
from django.test import Client

from tests.security.routes import ANYBODY, DESK, OF_CORA, OF_GUS
from tests.security.test_matrix import CLOCK, read
from tests.security.world import CORAS, GUSES, World, build
from tickets import actions, cutting, search
from tickets.models import Message, SearchRow, Ticket

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
        assert not [c for c in CORAS if c in read(answer)], path
    # The same words find the own ticket: the search itself works.
    assert GUSES[0] in read(gus.get("/tickets/?q=canary-globex"))


def found_by(person: Any, q: str) -> set[str]:
    """The tickets that a search lists, an exact number's jump among them."""
    answer = as_(person).get("/tickets/", {"q": q, "view": "all"})
    assert answer.status_code in (200, 302)
    return set(re.findall(r"/tickets/(HD-\d+)/", read(answer)))


def likely_for(person: Any, **typed: str) -> set[str]:
    answer = as_(person).post("/tickets/similar", typed)
    assert answer.status_code == (404 if person.staff_role == "auditor" else 200)
    return set(re.findall(r"/tickets/(HD-\d+)/", read(answer)))


@pytest.mark.parametrize("viewer", ANYBODY[1:])
def test_a_search_finds_what_its_reader_may_see_and_nothing_else(world: World, viewer: str) -> None:
    person = getattr(world.cast, viewer)
    cora, gus = ({t.ref} for t in (world.of_cora, world.of_gus))
    if viewer == "audrey":
        assert as_(person).get("/tickets/?q=canary").status_code == 404
        assert likely_for(person, title=CORAS[0], customer=str(world.cast.acme.pk)) == set()
        return
    hers, his = cora if viewer in OF_CORA else set(), gus if viewer in OF_GUS else set()
    for theirs, mine, words in ((world.of_cora, hers, CORAS), (world.of_gus, his, GUSES)):
        for word in (*words, theirs.ref, f'"{words[1]}"', str(theirs.pk)):
            assert found_by(person, word) == mine, word
        company = str(theirs.customer_id)
        assert likely_for(person, title=words[0], customer=company) == mine
        assert likely_for(person, title="x y", description=theirs.ref, customer=company) == set()
    assert found_by(person, "canary") == found_by(person, "canary -nothing") == hers | his
    if viewer not in DESK:
        assert likely_for(person, title="canary acme globex title text") <= hers | his


@pytest.mark.parametrize("viewer", ["cora", "carla", "dora", "gus", "cody"])
def test_a_notes_words_change_nothing_for_a_customer(world: World, viewer: str) -> None:
    """T-02: not what is found, not how many, not in which order, not what is marked, not what is suggested."""
    client = as_(getattr(world.cast, viewer))

    def seen() -> list[str]:
        paths = [
            f"/tickets/?view=all&q={q}" for q in ("canary", "canary -secret", "canary-acme-text", "secret", "机密")
        ]
        pages = [client.get(path) for path in paths]
        pages += [
            client.post("/tickets/similar", {"title": "canary-acme-title secret 机密", "description": "机密 secret"})
        ]
        return [CLOCK.sub("", read(page)) for page in pages]

    before = seen()
    for ticket in (world.of_cora, world.of_gus):
        actions.note(ticket=ticket, body="canary secret 机密 canary-acme-text", by=world.cast.ana, at=ticket.created_at)
    assert seen() == before
    assert found_by(world.cast.ana, "机密") == {world.of_cora.ref, world.of_gus.ref}


def test_a_row_that_says_too_much_is_caught_by_the_second_lock(world: World) -> None:
    """Whatever stands in the index: what a person may not see is neither shown nor counted."""
    customer, gus = world.cast.globex, world.cast.gus
    foreign = search.marks("opening", customer.pk, gus.pk)
    for message in Message.objects.filter(ticket=world.of_cora).select_related("ticket"):
        words = cutting.literal(message.ticket.title, message.body, foreign)
        SearchRow.objects.filter(message=message).update(words=words)
    note = Message.objects.get(ticket=world.of_gus, kind="note")
    words = cutting.literal("", note.body, foreign)
    SearchRow.objects.filter(message=note).update(words=words)
    for word in ("text", "acme", "note"):
        answer = read(as_(gus).get(f"/tickets/?view=all&q={word}"))
        assert not [c for c in world.hidden_from("gus") if c in answer], word
    # Not even as a number.
    assert found_by(gus, "note") == set()
    assert likely_for(gus, title=CORAS[0]) <= {world.of_gus.ref}


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
        answer = ana.post(f"/tickets/{world.of_cora.ref}/assign", {"to": to, "version": "2", "reason": "Why"})
        assert answer.status_code in (409, 422), to
    assert Ticket.objects.get(pk=world.of_cora.pk).assigned_to == world.cast.ana


def test_no_form_takes_more_fields_than_it_shows(world: World) -> None:
    more = dict.fromkeys(["id", "pk", "number", "author"], "1") | dict.fromkeys(["plan", "policy", "calendar"], "2")
    more |= {"version": "99", "status": "closed", "priority": "critical", "source": "phone", "close_reason": "spam"}
    more |= {"requester": str(world.cast.cora.pk), "assigned_to": str(world.cast.gus.pk), "queue_at": "1999-01-01"}
    more |= {"created_at": "2020-01-01", "sla_due_at": "2030-01-01", "by_desk": "on", "kind": "note"}
    more |= {"is_staff": "on", "is_superuser": "on", "staff_role": "admin", "role": "admin", "is_active": ""}
    gus = as_(world.cast.gus)
    assert gus.post("/tickets/create", more | FILING | {"customer": str(world.cast.globex.pk)}).status_code == 303
    ticket = filed_by(world.cast.gus)
    assert (ticket.status, ticket.priority_id, ticket.source, ticket.assigned_to) == (
        "new",
        "low",
        "web",
        world.cast.ana,
    )
    assert (ticket.requester, ticket.version, ticket.queue_at.year) == (world.cast.gus, 1, ticket.created_at.year)
    gus.post(f"/tickets/{ticket.ref}/reply", more | {"body": "And more", "kind": "reply", "then": "resolve"})
    ticket.refresh_from_db()
    said = ticket.messages.get(body="And more")
    assert (ticket.status, said.kind, said.by_desk, said.author) == ("new", "reply", False, world.cast.gus)
    world.cast.gus.refresh_from_db()
    assert (world.cast.gus.staff_role, world.cast.gus.is_active) == (None, True)


def test_a_foreign_host_is_refused(world: World) -> None:
    assert as_(world.cast.gus).get("/tickets/", headers={"host": "evil.example"}).status_code == 400
