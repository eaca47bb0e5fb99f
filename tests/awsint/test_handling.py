"""A customer ticks the resources of an event as handled: nothing is resolved by it, and what AWS says counts more."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from awsint.models import AffectedCustomer, AffectedEntity, HealthEvent, Hub
from helpdesk.accounts.models import CustomerTeam, User
from helpdesk.audit.models import Entry
from helpdesk.outbox.compose import compose
from helpdesk.outbox.models import Letter
from tests.awsint.test_health import ACME, DEV, GLOBEX, NOW, account, children, said, take
from tests.cast import Cast
from tests.entering import enter, words
from tickets import actions, merging
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def ticket(cast: Cast, hub: Hub) -> Ticket:
    """Acme's ticket of an issue that touches two resources of Acme's in two accounts, and one of Globex's."""
    account(cast.acme, ACME)
    account(cast.acme, DEV)
    account(cast.globex, GLOBEX)
    take(said(ACME, "i-prod"), said(DEV, "i-dev"), said(GLOBEX, "i-globex"))
    made = children()["ACME"]
    Ticket.objects.filter(pk=made.pk).update(assigned_to=cast.ana)
    made.refresh_from_db()
    return made


def page(ticket: Ticket) -> str:
    return f"/aws/tickets/{ticket.ref}/resources"


def post(person: User, ticket: Ticket, **data: Any) -> Any:
    return enter(person).post(f"{page(ticket)}/handle", data)


def number(value: str) -> int:
    return AffectedEntity.objects.get(value=value).pk


def lines(ticket: Ticket) -> list[tuple[str, dict[str, Any]]]:
    rows = Entry.objects.filter(subject=ticket.ref, action__contains="resources", audience="public")
    return [(row.action, row.data) for row in rows.order_by("pk")]


def to_ana(kind: str) -> list[Letter]:
    return list(Letter.objects.filter(kind=kind))


def test_the_last_tick_is_told_and_resolves_nothing(cast: Cast, ticket: Ticket) -> None:
    seen = words(enter(cast.carla).get(f"/tickets/{ticket.ref}/"))
    assert "0 of 2 resources dealt with" in seen
    assert post(cast.carla, ticket, handle=number("i-prod")).status_code == 303
    one = AffectedEntity.objects.get(value="i-prod")
    assert (one.handled_at, one.handled_by) == (NOW, cast.carla)
    assert to_ana("ticket.resources_done") == []
    assert "1 of 2 resources dealt with" in words(enter(cast.ana).get(f"/tickets/{ticket.ref}/"))
    post(cast.carla, ticket, handle="picked", resource=[number("i-dev"), number("i-prod")])
    assert lines(ticket) == [
        ("ticket.resources_ticked", {"count": 1}),
        ("ticket.resources_ticked", {"count": 1}),
        ("ticket.resources_done", {}),
    ]
    (letter,) = to_ana("ticket.resources_done")
    assert letter.to_key == cast.ana.key
    mail = compose(letter, NOW)
    assert mail is not None
    assert "Nothing is resolved by itself" in str(mail.body)
    ticket.refresh_from_db()
    assert ticket.status == "new"
    desk = words(enter(cast.ana).get(f"/tickets/{ticket.ref}/"))
    assert "All resources are dealt with: ask the customer" in desk
    # One after another is one line on the page.
    assert "Carla ticked 2 resources as handled" in desk


def test_a_tick_is_taken_back_and_its_engineer_hears_that_not_all_is_handled(cast: Cast, ticket: Ticket) -> None:
    both = [number("i-dev"), number("i-prod")]
    post(cast.ana, ticket, handle="picked", resource=both)
    # Whoever did it gets no letter about it.
    assert to_ana("ticket.resources_done") == []
    post(cast.carla, ticket, undo=number("i-dev"))
    assert [letter.to_key for letter in to_ana("ticket.resources_again")] == [cast.ana.key]
    assert AffectedCustomer.objects.get(ticket=ticket).handled_at is None
    assert AffectedEntity.objects.get(value="i-dev").handled_by is None
    post(cast.carla, ticket, undo="picked", resource=both)
    assert len(to_ana("ticket.resources_again")) == 1
    assert post(cast.carla, ticket, handle="picked").status_code == 422


def test_all_that_were_found_are_asked_first_and_no_others_are_ticked(cast: Cast, ticket: Ticket) -> None:
    take(said(DEV, "i-dev", *(f"vol-{n}" for n in range(60)), at=NOW + timedelta(minutes=1)))
    assert "Tick 60 resources as handled?" in words(post(cast.carla, ticket, handle="all", q="vol-"))
    assert not AffectedEntity.objects.exclude(handled_at=None).exists()
    # Another number by now: asked anew.
    assert post(cast.carla, ticket, handle="all", q="vol-", sure="59").status_code == 200
    assert post(cast.carla, ticket, handle="all", q="vol-", sure="60").status_code == 303
    assert set(AffectedEntity.objects.filter(handled_at=None).values_list("value", flat=True)) == {
        "i-prod", "i-dev", "i-globex",
    }  # fmt: skip
    assert lines(ticket)[-1] == ("ticket.resources_ticked", {"count": 60})


def test_what_aws_says_takes_a_tick_away_and_tells_both_sides(cast: Cast, ticket: Ticket) -> None:
    post(cast.carla, ticket, handle="picked", resource=[number("i-dev"), number("i-prod")])
    later = NOW + timedelta(hours=1)
    take(said(ACME, "i-prod", at=later, state="RESOLVED"), at=later)
    assert AffectedEntity.objects.get(value="i-prod").handled_at is not None
    again = later + timedelta(hours=1)
    take(said(ACME, "i-prod", at=again, state="IMPAIRED"), at=again)
    one = AffectedEntity.objects.get(value="i-prod")
    assert (one.handled_at, one.handled_by, one.before) == (None, None, "RESOLVED")
    said_last = ticket.messages.order_by("-pk")[0].body
    assert "1 resource is to do again" in said_last
    assert "- i-prod" in said_last
    assert lines(ticket)[-1] == ("ticket.resources_again", {"count": 1})
    assert [letter.to_key for letter in to_ana("ticket.resources_again")] == [cast.ana.key]
    # It is told once.
    take(said(DEV, "i-dev", at=again + timedelta(minutes=1), text="Still."), at=again + timedelta(minutes=1))
    assert len(to_ana("ticket.resources_again")) == 1
    assert "to do again" in words(enter(cast.carla).get(page(ticket)))


def test_what_is_new_after_all_was_handled_is_told_as_to_do(cast: Cast, ticket: Ticket) -> None:
    post(cast.carla, ticket, handle="picked", resource=[number("i-dev"), number("i-prod")])
    later = NOW + timedelta(hours=1)
    take(said(ACME, "i-prod", "i-new", at=later), at=later)
    body = ticket.messages.order_by("-pk")[0].body
    assert "- i-new" in body
    assert "- i-prod" not in body.split("Resources by status")[0]
    assert len(to_ana("ticket.resources_again")) == 1
    assert "2 of 3 resources dealt with" in words(enter(cast.ana).get(page(ticket)))


def test_found_by_word_and_state_and_taken_along_as_a_file(cast: Cast, ticket: Ticket) -> None:
    later = NOW + timedelta(minutes=5)
    take(said(ACME, "i-prod", at=later, state="RESOLVED"), at=later)
    post(cast.carla, ticket, handle=number("i-dev"))
    client = enter(cast.carla)
    for wish, there in [
        ("state=over", "i-prod"), ("state=handled", "i-dev"), ("q=prod", "i-prod"), (f"q={DEV}", "i-dev"),
        ("q=1111 1111 1112", "i-dev"), ("", "i-dev"), ("state=nonsense", "i-prod"),
    ]:  # fmt: skip
        seen = words(client.get(f"{page(ticket)}?{wish}"))
        assert there in seen, wish
        assert ({"i-dev": "i-prod", "i-prod": "i-dev"}[there] in seen) == ("q=" not in wish and "state=o" not in wish
            and "state=h" not in wish), wish  # fmt: skip
    assert "Nothing is left to do" in words(client.get(f"{page(ticket)}?state=to_do"))
    assert "No resource matches" in words(client.get(f"{page(ticket)}?q=nothing"))
    assert "before: impaired" in words(client.get(page(ticket)))
    rows = b"".join(client.get(f"{page(ticket)}.csv?state=handled").streaming_content).decode()  # type: ignore[attr-defined]
    assert "i-dev" in rows
    assert "Carla" in rows
    assert "i-prod" not in rows
    assert "i-globex" not in rows


def test_nobody_else_comes_in(cast: Cast, ticket: Ticket) -> None:
    url, data = page(ticket), {"handle": number("i-prod")}
    for outsider in (cast.gus, cast.cody, cast.audrey):
        client = enter(outsider)
        for there in (url, f"{url}.csv"):
            assert client.get(there).status_code == 404, outsider
        assert client.post(f"{url}/handle", data).status_code == 404, outsider
    for there in (url, f"{url}.csv"):
        assert "/accounts/login" in Client().get(there).headers["Location"]
    assert "/accounts/login" in Client().post(f"{url}/handle", data).headers["Location"]
    # Another customer's resource is none of this ticket's, whoever asks for it.
    post(cast.carla, ticket, handle=number("i-globex"))
    post(cast.ana, ticket, handle="all", sure="3")
    assert not AffectedEntity.objects.exclude(handled_at=None).exists()
    assert "i-globex" not in words(enter(cast.carla).get(url))
    assert "i-globex" not in words(enter(cast.ana).get(url))
    cast.acme.restricted = True
    cast.acme.save()
    CustomerTeam.objects.filter(customer=cast.acme).delete()
    assert enter(cast.ana).get(url).status_code == 404
    assert enter(cast.ana).post(f"{url}/handle", data).status_code == 404
    for ref in ("HD-1", "nonsense", HealthEvent.objects.get().ticket.ref):
        assert enter(cast.lee).get(f"/aws/tickets/{ref}/resources").status_code == 404, ref


def test_after_a_merge_the_list_is_reached_from_where_the_ticket_went(cast: Cast, ticket: Ticket) -> None:
    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        at = NOW + timedelta(minutes=1)
        into = actions.open_ticket(
            customer=cast.acme, requester=cast.carla, title="Ours", description="d", category="technical",
            priority="high", by=cast.carla, at=at,
        )  # fmt: skip
        merging.merge(ticket=ticket, version=ticket.version, other=into, by=cast.ana, at=at)
        assert page(ticket) in enter(cast.carla).get(f"/tickets/{into.ref}/").content.decode()
        assert post(cast.carla, ticket, handle=number("i-prod")).status_code == 303
    assert [action for action, _data in lines(into)] == ["ticket.resources_ticked"]


def test_as_many_statements_for_many_resources_as_for_few(cast: Cast, ticket: Ticket) -> None:
    def asked(number: int) -> list[int]:
        at = NOW + timedelta(minutes=number)
        take(said(ACME, *(f"r-{n:03}" for n in range(number)), at=at, key=f"k{number}"), at=at)
        client = enter(cast.carla)
        some = list(AffectedEntity.objects.filter(value__startswith="r-").values_list("pk", flat=True)[:20])
        return [
            _statements(lambda: client.get(f"{page(ticket)}?q=r-")),
            _statements(lambda: client.get(f"{page(ticket)}?q=r-&after={some[5]}")),
            _statements(lambda: client.post(f"{page(ticket)}/handle", {"handle": "picked", "resource": some})),
            _statements(lambda: client.post(f"{page(ticket)}/handle", {"undo": "picked", "resource": some})),
            _statements(lambda: client.get(f"/tickets/{ticket.ref}/")),
        ]

    few = asked(20)
    assert asked(300) == few
    assert few[0] <= 8


def _statements(ask: Any) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert ask().status_code in (200, 303)
    return len(seen)
