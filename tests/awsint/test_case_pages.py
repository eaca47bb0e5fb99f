"""From a ticket's page to AWS: the panel, the forms and what is looked at before anything leaves."""

import html
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from awsint import case_actions, sending
from awsint.models import Account, Outgoing, SupportCase
from helpdesk.outbox import claim
from helpdesk.outbox.models import Letter
from tests.awsint.conftest import ACME
from tests.awsint.simulator import Sim
from tests.awsint.test_exactly_once import WANTED, beat, writing
from tests.cast import Cast
from tests.entering import enter
from tickets import actions
from tickets.models import Message, Ticket

__all__ = ["claim", "writing"]


def said(answer: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def value(answer: Any, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.content.decode())
    assert found, name
    return found[1]


@pytest.fixture
def ticket(cast: Cast) -> Ticket:
    return actions.open_ticket(
        customer=cast.acme,
        title="Orders stop",
        description="Nothing goes out since ten.",
        category="technical",
        priority="high",
        by=cast.cora,
        at=timezone.now(),
    )


def form(account: Account, **more: str) -> dict[str, str]:
    told = {"account": str(account.pk), "service": "aws-lambda", "category": "other", "severity": "high"}
    return (
        told | {"language": "en", "subject": "Orders stop", "body": "Nothing goes out.", "cc": "", "once": "k1"} | more
    )


def test_what_leaves_is_looked_at_and_then_it_leaves(writing: Account, cast: Cast, sim: Sim, ticket: Ticket) -> None:
    desk, door = enter(cast.ana), f"/aws/tickets/{ticket.ref}/open"
    page = desk.get(door)
    assert "Nothing goes out since ten." in said(page)
    # Proposed by our priority, of what the account offers.
    assert '<option value="high" selected>' in page.content.decode()
    looked = desk.post(door, form(writing))
    assert "Exactly this leaves for AWS" in said(looked)
    assert not Outgoing.objects.exists()
    done = desk.post(door, form(writing, send="1", looked=value(looked, "looked")))
    assert (done.status_code, done.headers["Location"]) == (303, f"/tickets/{ticket.ref}/")
    # Sent twice it is one case.
    assert desk.post(door, form(writing, send="1", looked=value(looked, "looked"))).status_code == 303
    assert Outgoing.objects.count() == 1
    shown = desk.get(f"/tickets/{ticket.ref}/")
    assert "New case : on its way to AWS" in said(shown)
    beat(timezone.now())
    shown = said(desk.get(f"/tickets/{ticket.ref}/"))
    case = SupportCase.objects.get()
    assert case.display_id in shown
    assert "AWS means to answer by" in shown
    customer = said(enter(cast.cora).get(f"/tickets/{ticket.ref}/"))
    assert case.display_id in customer
    assert ACME not in customer


def test_each_flag_is_ticked_or_nothing_leaves(writing: Account, cast: Cast, sim: Sim, ticket: Ticket) -> None:
    desk, door = enter(cast.ana), f"/aws/tickets/{ticket.ref}/open"
    secret = "Globex saw it too. password=" + "hunter77x"
    looked = desk.post(door, form(writing, body=secret))
    assert "the name of another customer" in said(looked)
    assert "a password" in said(looked)
    assert "hunter77x" not in re.sub(r"(?s)<(textarea|pre)[^>]*>.*?</\1>", "", looked.content.decode())
    flags = re.findall(r'name="seen" value="([^"]+)"', looked.content.decode())
    mark = value(looked, "looked")
    refused = desk.post(door, form(writing, body=secret, send="1", looked=mark, seen=flags[0]))
    assert (refused.status_code, Outgoing.objects.count()) == (422, 0)
    # Other words than those that were looked at are looked at first.
    changed = desk.post(door, form(writing, body=f"{secret} And more.", send="1", looked=mark) | {"seen": flags})
    assert (changed.status_code, Outgoing.objects.count()) == (200, 0)
    assert desk.post(door, form(writing, body=secret, send="1", looked=mark) | {"seen": flags}).status_code == 303
    assert Outgoing.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"body": " "}, "Write what AWS shall read."),
        ({"subject": ""}, "Give the case a title"),
        ({"severity": "critical"}, "does not offer this severity"),
        ({"category": "connectivity"}, "not of the chosen service"),
        ({"language": "xx"}, "does not answer in this language"),
        ({"cc": "nobody"}, "is no mail address"),
        ({"body": "x" * 45_000}, "too long for AWS even in parts"),
    ],
)
def test_bad_input_is_said_at_its_field_and_nothing_typed_is_lost(
    writing: Account, cast: Cast, sim: Sim, ticket: Ticket, changed: dict[str, str], word: str
) -> None:
    answer = enter(cast.ana).post(f"/aws/tickets/{ticket.ref}/open", form(writing, **changed))
    assert answer.status_code == 422
    assert word in said(answer)
    assert "Orders stop" in answer.content.decode()
    assert not Outgoing.objects.exists()


def test_an_account_that_lost_its_plan_says_so_and_keeps_the_words(
    writing: Account, cast: Cast, sim: Sim, ticket: Ticket
) -> None:
    sim.account(ACME, plan="none")
    page = enter(cast.ana).get(f"/aws/tickets/{ticket.ref}/open")
    assert "SubscriptionRequiredException" in said(page)
    assert "Nothing goes out since ten." in said(page)


def opened(ticket: Ticket, account: Account, cast: Cast) -> SupportCase:
    case_actions.open_case(
        ticket=ticket, account=account, subject="x", body="y", wanted=WANTED, by=cast.ana, at=timezone.now()
    )
    beat(timezone.now())
    case: SupportCase = SupportCase.objects.get()
    return case


def test_a_message_goes_as_it_stands_and_a_note_has_no_door(
    writing: Account, cast: Cast, sim: Sim, ticket: Ticket
) -> None:
    case, desk = opened(ticket, writing, cast), enter(cast.ana)
    actions.reply(ticket=ticket, body="It began at ten.", by=cast.cora, at=timezone.now())
    actions.note(ticket=ticket, body="CANARY", by=cast.ana, at=timezone.now())
    reply, note = (Message.objects.filter(ticket=ticket, kind=kind).latest("pk") for kind in ("reply", "note"))
    door = f"/aws/tickets/{ticket.ref}/cases/{case.pk}/answer"
    page = desk.get(f"/tickets/{ticket.ref}/").content.decode()
    assert f'href="{door}?message={reply.pk}"' in page
    assert f"?message={note.pk}" not in page.replace("split?message", "")
    assert desk.get(f"{door}?message={note.pk}").status_code == 404
    looked = desk.post(f"{door}?message={reply.pk}", {"once": "k2"})
    sent = desk.post(f"{door}?message={reply.pk}", {"once": "k2", "send": "1", "looked": value(looked, "looked")})
    assert sent.status_code == 303
    beat(timezone.now())
    there = sim.world.cases[ACME][case.case_id]
    assert there.words[-1].body.startswith("It began at ten.")
    assert not any("CANARY" in body for _number, _what, body in sim.world.bodies)
    asked = desk.get(f"/aws/tickets/{ticket.ref}/cases/{case.pk}/resolve")
    assert "The ticket here stays as it is." in said(asked)
    assert there.status != "resolved"
    assert desk.post(f"/aws/tickets/{ticket.ref}/cases/{case.pk}/resolve", {"once": "k3"}).status_code == 303
    beat(timezone.now())
    assert there.status == "resolved"


def test_an_outsider_finds_no_door(writing: Account, cast: Cast, sim: Sim, ticket: Ticket) -> None:
    case = opened(ticket, writing, cast)
    doors = ["open", f"cases/{case.pk}/answer", f"cases/{case.pk}/resolve"]
    before = Letter.objects.filter(channel=sending.CHANNEL).count()
    for person in (cast.gus, cast.cora, cast.carla, cast.audrey):
        for door in doors:
            for call in (enter(person).get, enter(person).post):
                assert call(f"/aws/tickets/{ticket.ref}/{door}").status_code == 404, (person, door)
    assert Client().get(f"/aws/tickets/{ticket.ref}/open").status_code == 302
    # A case of another ticket is none of this one's.
    other = actions.open_ticket(
        customer=cast.globex,
        title="x",
        description="y",
        category="technical",
        priority="low",
        by=cast.gus,
        at=timezone.now(),
    )
    assert enter(cast.ana).get(f"/aws/tickets/{other.ref}/cases/{case.pk}/answer").status_code == 404
    assert Letter.objects.filter(channel=sending.CHANNEL).count() == before


def test_the_panel_costs_one_statement_however_much_there_is(
    writing: Account, cast: Cast, sim: Sim, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = enter(cast.ana)

    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert desk.get(f"/tickets/{ticket.ref}/").status_code == 200
        return len(caught)

    desk.get(f"/tickets/{ticket.ref}/")
    opened(ticket, writing, cast)
    one = statements()
    for n in range(4):
        case_actions.open_case(
            ticket=ticket, account=writing, subject=f"{n}", body="y", wanted=WANTED, by=cast.ana, at=timezone.now()
        )
        beat(timezone.now())
    assert statements() == one
    monkeypatch.setattr("django.conf.settings.TICKET_PANELS", [])
    assert statements() == one - 1
