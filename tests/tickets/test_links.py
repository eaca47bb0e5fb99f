"""Links between tickets, a parent with its children: seen from both sides, by whoever may see both ends."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry
from tests.accounts.many import at_once
from tests.cast import assemble
from tests.tickets.test_tags import enter, fresh, opened, text
from tickets import actions
from tickets.models import Link, Ticket

pytestmark = pytest.mark.django_db


def send(person: User, ticket: Ticket, other: str, kind: str = "related", **more: Any) -> Any:
    words = {"version": fresh(ticket).version, "other": other, "kind": kind, "once": uuid4().hex}
    return enter(person).post(f"/tickets/{ticket.ref}/link", words | more)


def remove(person: User, ticket: Ticket, other: str) -> Any:
    words = {"version": fresh(ticket).version, "other": other, "once": uuid4().hex}
    return enter(person).post(f"/tickets/{ticket.ref}/unlink", words)


def panel(person: User, ticket: Ticket) -> list[str]:
    """The tickets that the page's own list of kin leads to."""
    page = text(enter(person).get(f"/tickets/{ticket.ref}/"))
    found = re.search(r'<section class="(?:panel|section) kin.*?</section>', page, re.DOTALL)
    return re.findall(r'href="/tickets/(HD-\d+)/"', found[0]) if found else []


@pytest.fixture
def two(cast: Any) -> tuple[Ticket, Ticket]:
    return opened(cast, "One"), opened(cast, "Two")


def test_a_link_stands_on_both_and_in_both_histories(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    one, other = two
    assert send(cast.ana, one, f" hd{other.pk} ").status_code == 303
    assert (panel(cast.ana, one), panel(cast.ana, other)) == ([other.ref], [one.ref])
    for ticket, kin in (two, two[::-1]):
        entry = Entry.objects.get(subject=ticket.ref, action="ticket.linked")
        assert (entry.data, entry.audience) == ({"ref": kin.ref, "as": "related"}, "staff")
        assert f'Ana linked it with <a href="/tickets/{kin.ref}/">' in text(
            enter(cast.ana).get(f"/tickets/{ticket.ref}/")
        )
    # From the other side the same again says nothing new.
    send(cast.ana, other, one.ref)
    assert (Link.objects.count(), fresh(one).version, fresh(other).version) == (1, 2, 2)
    assert remove(cast.ana, other, one.ref).status_code == 303
    assert (panel(cast.ana, one), Link.objects.count()) == ([], 0)
    assert "Ana removed the link to" in text(enter(cast.ana).get(f"/tickets/{one.ref}/"))


def test_a_parent_shows_its_children_and_a_child_its_parent(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    parent, child = two
    second = opened(cast, "Three")
    send(cast.ana, child, parent.ref, "parent")
    send(cast.ana, parent, second.ref, "child")
    assert (fresh(child).parent, fresh(second).parent) == (parent, parent)
    page = text(enter(cast.ana).get(f"/tickets/{parent.ref}/"))
    assert "Children" in page
    assert panel(cast.ana, parent) == [second.ref, child.ref]
    assert panel(cast.ana, child) == [parent.ref]
    assert f'made <a href="/tickets/{parent.ref}/">{parent.ref}</a> its <b>parent</b>' in text(
        enter(cast.ana).get(f"/tickets/{child.ref}/")
    )
    remove(cast.ana, parent, child.ref)
    assert (fresh(child).parent, panel(cast.ana, parent)) == (None, [second.ref])


@pytest.mark.parametrize("kind", ["related", "parent", "child"])
def test_no_ticket_is_its_own_kin(cast: Any, two: tuple[Ticket, Ticket], kind: str) -> None:
    answer = send(cast.ana, two[0], two[0].ref, kind)
    assert (answer.status_code, "That is this ticket itself" in text(answer)) == (422, True)
    assert (fresh(two[0]).version, Link.objects.count()) == (1, 0)


def test_a_parent_is_one_level_high(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    parent, child = two
    third = opened(cast, "Three")
    send(cast.ana, child, parent.ref, "parent")
    for ticket, other, kind, word in (
        (parent, child, "parent", f"{child.ref} is a child itself, of {parent.ref}"),
        (third, child, "parent", f"{child.ref} is a child itself, of {parent.ref}"),
        (parent, third, "parent", f"{parent.ref} has children of its own"),
        (child, third, "parent", f"{child.ref} has a parent already, {parent.ref}"),
        (third, child, "child", f"{child.ref} has a parent already, {parent.ref}"),
    ):
        answer = send(cast.ana, ticket, other.ref, kind)
        assert answer.status_code == 422
        assert word in text(answer)
        assert f'value="{other.ref}"' in text(answer), "what was typed stays"
    assert [fresh(t).parent_id for t in (parent, child, third)] == [None, parent.pk, None]


@pytest.mark.parametrize("other", ["", "HD-99999", "xyz", "HD-1\x00", "9" * 30])
def test_a_number_that_leads_nowhere_is_said_at_the_field(cast: Any, two: tuple[Ticket, Ticket], other: str) -> None:
    answer = send(cast.ana, two[0], other)
    assert answer.status_code == 422
    assert 'id="other_error"' in text(answer)
    assert not Entry.objects.filter(action="ticket.linked").exists()


def test_an_older_page_changes_nothing(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    actions.note(ticket=two[0], body="Hm", by=cast.lee, at=timezone.now())
    assert send(cast.ana, two[0], two[1].ref, version=1).status_code == 409
    assert not Link.objects.exists()


def test_a_customer_sees_of_the_kin_what_is_theirs(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    """T-02: across companies the desk links; each end shows the other to whoever may see it, and to nobody else."""
    mine, colleagues = two[0], opened(cast, "canary-cody", by=cast.cody)
    foreign = opened(cast, "canary-globex", customer=cast.globex, by=cast.gus)
    parent = opened(cast, "canary-parent", customer=cast.globex, by=cast.gus)
    for other, kind in ((two[1], "related"), (colleagues, "related"), (foreign, "related"), (parent, "parent")):
        send(cast.ana, mine, other.ref, kind)
    assert set(panel(cast.ana, mine)) == {parent.ref, foreign.ref, colleagues.ref, two[1].ref}
    assert set(panel(cast.carla, mine)) == {two[1].ref, colleagues.ref}
    assert panel(cast.cora, mine) == [two[1].ref]
    assert panel(cast.cody, colleagues) == []
    assert panel(cast.gus, parent) == []
    for person, ticket in ((cast.cora, mine), (cast.gus, parent), (cast.gus, foreign), (cast.cody, colleagues)):
        page = text(enter(person).get(f"/tickets/{ticket.ref}/"))
        hidden = {"cora": ["canary"], "cody": ["One"], "gus": ["One", mine.ref]}[person.email.split("@")[0]]
        assert not [word for word in hidden if word in page], person
        assert "ticket.linked" not in page


@pytest.mark.parametrize("who", ["cora", "carla", "gus", "audrey"])
def test_only_the_desk_links(cast: Any, two: tuple[Ticket, Ticket], who: str) -> None:
    person = getattr(cast, who)
    assert send(person, two[0], two[1].ref).status_code == 404
    assert remove(person, two[0], two[1].ref).status_code == 404


def test_kin_cost_one_statement_however_many(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    def asked(person: User) -> int:
        client = enter(person)
        client.get(f"/tickets/{two[0].ref}/")
        with CaptureQueriesContext(connection) as statements:
            client.get(f"/tickets/{two[0].ref}/")
        return len(statements)

    none = [asked(cast.ana), asked(cast.cora)]
    for n in range(12):
        send(cast.ana, two[0], opened(cast, f"K{n}").ref, "child" if n % 2 else "related")
    assert [asked(cast.ana), asked(cast.cora)] == [n + 1 for n in none]


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_no_circle(committed: None) -> None:
    """Each the parent of the other, of twenty who try: one way or the other, never both."""
    cast = assemble()
    one, other = opened(cast, "One"), opened(cast, "Two")

    def tie(n: int) -> int:
        ticket, parent = (one, other) if n % 2 else (other, one)
        return int(send(cast.ana, ticket, parent.ref, "parent").status_code)

    assert 303 in at_once(20, tie)
    assert {fresh(one).parent_id, fresh(other).parent_id} in ({None, one.pk}, {None, other.pk})
