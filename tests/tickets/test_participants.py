"""Colleagues read along, outsiders hear what is said later, nobody else anything: T-01, T-02, M-04."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from helpdesk.accounts import actions as people
from helpdesk.accounts.models import Membership, User
from helpdesk.outbox.models import Letter
from tests.security.test_second_paths import found_by, likely_for
from tickets import actions, participants, reindex
from tickets.models import Participant, Ticket
from tickets.workflow import Conflict, Refused

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
OUTSIDER = "otto@supplier.example"


def fresh(person: User) -> User:
    """The person of a new request: nothing of what they may is remembered."""
    return User.objects.get(pk=person.pk)


def as_(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def ticket(cast: Any) -> Ticket:
    made = actions.open_ticket(
        customer=cast.acme,
        title="Replication stands still",
        description="canary-opening lag",
        category="technical",
        impact="production_down",
        urgency="urgent",
        by=cast.cora,
        at=AT,
    )
    actions.note(ticket=made, body="canary-note secret", by=cast.ana, at=AT + timedelta(minutes=1))
    return made


def letters() -> list[tuple[str, str, list[str]]]:
    """Kind, to, copies of every letter to the customer's side since the last look."""
    desk = User.objects.exclude(staff_role=None).values("email")
    sent = Letter.objects.exclude(to_address__in=desk).order_by("pk")
    found = [(x.kind, x.to_address, [c["address"] for c in x.cc]) for x in sent]
    Letter.objects.all().delete()
    return found


def later(minutes: int) -> datetime:
    return AT + timedelta(minutes=minutes)


def test_a_colleague_sees_and_finds_the_ticket_and_nothing_of_notes(cast: Any, ticket: Ticket) -> None:
    cody = as_(cast.cody)
    assert cody.get(f"/tickets/{ticket.ref}/").status_code == 404
    assert found_by(cast.cody, "lag") == set()
    answer = as_(cast.cora).post(f"/tickets/{ticket.ref}/participants", {"person": str(cast.cody.pk)})
    assert answer.status_code == 303
    page = cody.get(f"/tickets/{ticket.ref}/").content.decode()
    assert "canary-opening" in page
    assert "canary-note" not in page
    assert ticket.ref in cody.get("/tickets/").content.decode()
    assert "Cora" in cody.get("/tickets/").content.decode(), "the list says whose it is"
    assert found_by(cast.cody, "lag") == {ticket.ref}
    assert found_by(cast.cody, "secret") == set()
    assert likely_for(cast.cody, title="Replication stands still", customer=str(cast.acme.pk)) == {ticket.ref}
    assert cody.post(f"/tickets/{ticket.ref}/reply", {"body": "We see it here as well: frobnicate"}).status_code == 303
    assert found_by(cast.cody, "frobnicate") == {ticket.ref}, "what is said later is found too"


def test_after_removal_the_ticket_is_gone_at_once(cast: Any, ticket: Ticket) -> None:
    made = participants.add(ticket=ticket, person=cast.cody, by=cast.cora, at=later(2))
    cody = as_(cast.cody)
    assert cody.get(f"/tickets/{ticket.ref}/").status_code == 200
    assert as_(cast.cora).post(f"/tickets/{ticket.ref}/participants/{made.pk}/remove").status_code == 303
    assert cody.get(f"/tickets/{ticket.ref}/").status_code == 404
    assert cody.post(f"/tickets/{ticket.ref}/reply", {"body": "x"}).status_code == 404
    assert ticket.ref not in cody.get("/tickets/?view=all").content.decode()
    assert found_by(cast.cody, "lag") == set()


def test_who_leaves_the_company_leaves_its_tickets(cast: Any, ticket: Ticket) -> None:
    participants.add(ticket=ticket, person=cast.cody, by=cast.cora, at=later(2))
    people.set_customer_role(person=cast.cody, customer=cast.acme, role=None, by=cast.carla, at=later(3))
    assert as_(cast.cody).get(f"/tickets/{ticket.ref}/").status_code == 404
    letters()
    actions.reply(ticket=ticket, body="Hello", by=cast.ana, at=later(4))
    assert letters() == [("ticket.answered", cast.cora.email, [])]
    assert "Cody" not in as_(cast.cora).get(f"/tickets/{ticket.ref}/").content.decode().split('id="people"')[1]


@pytest.mark.parametrize("who", ["gus", "ana", "audrey"])
def test_nobody_of_elsewhere_can_be_a_colleague(cast: Any, ticket: Ticket, who: str) -> None:
    person = getattr(cast, who)
    for by in (cast.cora, cast.carla, cast.ana):
        with pytest.raises(Refused), transaction.atomic():
            participants.add(ticket=ticket, person=fresh(person), by=by, at=later(2))
        answer = as_(by).post(f"/tickets/{ticket.ref}/participants", {"person": str(person.pk)})
        assert answer.status_code == 422
        assert "does not belong to the company" in answer.content.decode() or by is cast.cora
    assert not Participant.objects.exists()


def test_who_may_let_in_and_who_may_only_propose(cast: Any, ticket: Ticket) -> None:
    participants.add(ticket=ticket, person=cast.cody, by=cast.carla, at=later(2))
    dora = cast.dora
    with pytest.raises(Conflict), transaction.atomic():
        participants.add(ticket=ticket, person=dora, by=cast.cody, at=later(3))
    proposed = participants.invite(ticket=ticket, email=OUTSIDER, name="Otto", by=cast.cody, at=later(3))
    assert proposed.confirmed_by is None
    for by in (cast.cody, cast.carla):
        with pytest.raises(Conflict), transaction.atomic():
            participants.confirm(ticket=ticket, number=proposed.pk, by=by, at=later(4))
    assert as_(cast.cody).post(f"/tickets/{ticket.ref}/participants/{proposed.pk}/confirm").status_code == 409
    assert as_(cast.gus).post(f"/tickets/{ticket.ref}/participants/{proposed.pk}/confirm").status_code == 404
    assert as_(cast.cora).post(f"/tickets/{ticket.ref}/participants/{proposed.pk}/confirm").status_code == 303
    proposed.refresh_from_db()
    assert proposed.confirmed_by == cast.cora


def test_an_outsider_hears_nothing_before_being_let_in_and_no_history(cast: Any, ticket: Ticket) -> None:
    """M-04: whoever gets mail is known and let in; only later public words go out, no note and no mere status."""
    participants.add(ticket=ticket, person=cast.cody, by=cast.cora, at=later(2))
    proposed = participants.invite(ticket=ticket, email=OUTSIDER.upper(), name="Otto", by=cast.cody, at=later(3))
    letters()
    before = actions.reply(ticket=ticket, body="Before", by=cast.ana, at=later(4))
    assert letters() == [("ticket.answered", cast.cora.email, [cast.cody.email])]
    participants.confirm(ticket=ticket, number=proposed.pk, by=cast.ana, at=later(5))
    assert letters() == []
    actions.note(ticket=ticket, body="Only for us", by=cast.lee, at=later(6))
    assert [x for x in letters() if OUTSIDER in (x[1], *x[2])] == []
    after = actions.reply(ticket=ticket, body="After", by=cast.ana, at=later(7), then="ask")
    (letter,) = Letter.objects.all()
    assert [c["address"] for c in letter.cc] == [cast.cody.email, OUTSIDER]
    assert before.pk <= letter.data["since"] < after.pk == letter.data["message"], "no history may be quoted"
    letters()
    fresh_ticket = Ticket.objects.get(pk=ticket.pk)
    actions.resume(ticket=fresh_ticket, version=fresh_ticket.version, by=cast.ana, at=later(8))
    actions.ask(ticket=ticket, version=fresh_ticket.version + 1, by=cast.ana, at=later(9))
    assert letters() == [("ticket.asked", cast.cora.email, [cast.cody.email])]
    participants.remove(ticket=ticket, number=proposed.pk, by=cast.cora, at=later(10))
    actions.reply(ticket=ticket, body="Last", by=cast.ana, at=later(11))
    assert letters() == [("ticket.answered", cast.cora.email, [cast.cody.email])]


def test_the_others_hear_what_one_of_them_writes(cast: Any, ticket: Ticket) -> None:
    participants.add(ticket=ticket, person=cast.cody, by=cast.cora, at=later(2))
    assert letters()[-1] == ("ticket.shared", cast.cody.email, [])
    actions.reply(ticket=ticket, body="From Cora", by=cast.cora, at=later(3))
    assert letters() == [("ticket.colleague_replied", cast.cody.email, [])]
    actions.reply(ticket=ticket, body="From Cody", by=cast.cody, at=later(4))
    assert letters() == [("ticket.colleague_replied", cast.cora.email, [])]


def test_an_address_that_is_a_colleagues_is_let_in_as_one(cast: Any, ticket: Ticket) -> None:
    made = participants.invite(ticket=ticket, email=cast.cody.email, name="", by=cast.cora, at=later(2))
    assert (made.user, made.email) == (cast.cody, "")
    for taken in (cast.ana.email, cast.cora.email):
        with pytest.raises(Refused), transaction.atomic():
            participants.invite(ticket=ticket, email=taken, name="", by=cast.cora, at=later(3))
    # Of another company: an address like any other, and nothing is said of who has it.
    other = participants.invite(ticket=ticket, email=cast.gus.email, name="", by=cast.cora, at=later(4))
    assert (other.user, other.email) == (None, cast.gus.email)
    assert as_(cast.gus).get(f"/tickets/{ticket.ref}/").status_code == 404


def test_bad_input_is_said_at_its_field_and_kept(cast: Any, ticket: Ticket) -> None:
    client, url = as_(cast.cora), f"/tickets/{ticket.ref}/participants"
    for wrong in ({"email": "otto"}, {}, {"person": "999999"}, {"person": "x"}, {"email": "a@b.c\r\nBcc: x@y.z"}):
        answer = client.post(url, wrong)
        assert answer.status_code == 422, wrong
        assert wrong.get("email", "")[:4] in answer.content.decode()
    for n in range(participants.MOST):
        participants.invite(ticket=ticket, email=f"n{n}@x.example", name="", by=cast.cora, at=later(2))
    assert client.post(url, {"email": OUTSIDER}).status_code == 422
    assert Participant.objects.count() == participants.MOST


def test_a_reader_writes_and_the_requester_says_when_it_is_over(cast: Any, ticket: Ticket) -> None:
    participants.add(ticket=ticket, person=cast.cody, by=cast.cora, at=later(2))
    now = Ticket.objects.get(pk=ticket.pk)
    with pytest.raises(Conflict), transaction.atomic():
        actions.withdraw(ticket=ticket, version=now.version, reason="withdrawn", by=cast.cody, at=later(3))
    actions.resolve(ticket=ticket, version=now.version, body="Done", by=cast.ana, at=later(3))
    with pytest.raises(Conflict), transaction.atomic():
        actions.close(ticket=ticket, version=now.version + 1, by=cast.cody, at=later(4))
    assert "It is solved" not in as_(cast.cody).get(f"/tickets/{ticket.ref}/").content.decode()
    actions.close(ticket=ticket, version=now.version + 1, by=cast.cora, at=later(5))


def test_a_company_may_let_its_members_see_everything(cast: Any, ticket: Ticket) -> None:
    url = f"/company/{cast.acme.pk}/share"
    assert as_(cast.cody).post(url, {"with_all": "1"}).status_code == 404
    assert as_(cast.carla).post(url, {"with_all": "1"}).status_code == 303
    cody = as_(cast.cody)
    assert cody.get(f"/tickets/{ticket.ref}/").status_code == 200
    assert found_by(cast.cody, "lag") == {ticket.ref}
    page = cody.get("/tickets/").content.decode()
    assert "Tickets of your company" in page
    assert ticket.ref not in cody.get("/tickets/?mine=1").content.decode()
    assert as_(cast.gus).get(f"/tickets/{ticket.ref}/").status_code == 404
    assert as_(cast.carla).post(url, {"with_all": "0"}).status_code == 303
    assert cody.get(f"/tickets/{ticket.ref}/").status_code == 404


def test_reindexing_keeps_who_may_find(cast: Any, ticket: Ticket) -> None:
    participants.add(ticket=ticket, person=cast.cody, by=cast.cora, at=later(2))
    reindex.everything_again()
    assert sum(reindex.slices())
    assert found_by(cast.cody, "lag") == {ticket.ref}
    assert found_by(cast.cody, "secret") == set()


def test_a_list_in_parts_shows_each_ticket_once_and_pages(cast: Any, ticket: Ticket) -> None:
    """Dora: everything of Acme, her own at Globex, and what she takes part in there."""

    def file(by: User, customer: Any, title: str) -> Ticket:
        given = {"description": "x", "category": "technical", "impact": "production_down", "urgency": "urgent"}
        return actions.open_ticket(customer=customer, title=title, **given, by=by, at=later(5))

    Membership.objects.get_or_create(user=cast.cora, customer=cast.globex)
    mine = [file(fresh(cast.dora), cast.globex, f"own {n}") for n in range(20)]
    theirs = [file(cast.gus, cast.globex, f"gus {n}") for n in range(20)]
    for each in theirs[::2]:
        participants.add(ticket=each, person=fresh(cast.dora), by=cast.ana, at=later(6))
    participants.add(ticket=ticket, person=fresh(cast.dora), by=cast.cora, at=later(6))
    expected = sorted([ticket.pk, *(t.pk for t in mine), *(t.pk for t in theirs[::2])], reverse=True)
    client, seen, path = as_(cast.dora), [], "/tickets/?view=all"
    while path:
        page = client.get(path).context["page"]
        seen += [t.pk for t in page.rows]
        path = f"/tickets/?view=all&after={page.after}" if page.after else ""
    assert seen == expected


def test_reading_along_costs_no_statement_more_however_many(cast: Any, ticket: Ticket) -> None:
    def cost(person: User, path: str) -> int:
        client = as_(person)
        client.get(path)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert client.get(path).status_code == 200
        return len(asked)

    before = [cost(p, f"/tickets/{ticket.ref}/") for p in (cast.cora, cast.ana)] + [cost(cast.cora, "/tickets/")]
    for n in range(15):
        participants.invite(ticket=ticket, email=f"n{n}@x.example", name="", by=cast.cora, at=later(2))
    participants.add(ticket=ticket, person=cast.cody, by=cast.cora, at=later(3))
    after = [cost(p, f"/tickets/{ticket.ref}/") for p in (cast.cora, cast.ana)] + [cost(cast.cora, "/tickets/")]
    assert after == before
