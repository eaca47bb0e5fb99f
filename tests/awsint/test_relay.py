"""An engineer passes on what AWS said: as it is, in their own words, or as a note; and what each of them counts as."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from awsint.models import Account, CaseLink, Communication, Setting, SupportCase
from helpdesk.audit.models import Entry
from helpdesk.outbox.models import Letter
from sla.models import Clock
from tests.cast import Cast
from tests.entering import enter
from tickets import actions, aws
from tickets.models import Message, Status, Ticket

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(minutes=10)


def said(answer: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


@pytest.fixture
def ticket(cast: Cast) -> Ticket:
    return actions.open_ticket(
        customer=cast.acme, title="ALB", description="503", category="technical", priority="critical", by=cast.cora,
        at=NOON,
    )  # fmt: skip


@pytest.fixture
def case(cast: Cast, ticket: Ticket) -> SupportCase:
    account = Account.objects.create(
        customer=cast.acme, number="111122223333", name="prod", external_id="x", created_at=NOON,
        role_arn="arn:aws:iam::111122223333:role/PartnerSupportSync",
    )  # fmt: skip
    made: SupportCase = SupportCase.objects.create(
        account=account, case_id="case-1", display_id="170000001", subject="ALB answers 503", language="en",
        status="work-in-progress", created_at=NOON, detected_at=NOON, status_at=NOON,
    )  # fmt: skip
    CaseLink.objects.create(case=made, ticket=ticket, linked_at=NOON)
    return made


def spoken(
    case: SupportCase, ticket: Ticket, body: str = "Look at ```subnet-1``` <b>now</b>.", **more: Any
) -> Communication:
    words = aws.AwsWords(body=body, submitted_by="Amazon Web Services", at=NOON, by_aws=True, **more)
    (message,) = aws.say(ticket=ticket, words=[words], at=NOON)
    made: Communication = Communication.objects.create(
        case=case, created_text=str(message.pk), submitted_by="Amazon Web Services", created_at=NOON, detected_at=NOON,
        via="poll", by_aws=True, automatic=words.automatic, body=body, message=message,
    )  # fmt: skip
    return made


def send(person: Any, word: Communication, ticket: Ticket, how: str, **more: str) -> Any:
    with time_machine.travel(LATER, tick=False):
        door = f"/aws/tickets/{ticket.ref}/relay/{word.pk}"
        return enter(person).post(door, {"how": how, "once": f"k-{how}"} | more)


def response(ticket: Ticket) -> Clock:
    return Clock.objects.get(subject=ticket.ref, kind="response")


def facts(ticket: Ticket) -> list[Any]:
    return [one.fact for one in Entry.objects.filter(subject=ticket.ref, at=LATER).order_by("pk") if one.fact]


def test_as_it_is_a_person_passes_on_what_a_person_of_aws_wrote_and_that_is_our_answer(
    cast: Cast, case: SupportCase, ticket: Ticket
) -> None:
    word = spoken(case, ticket)
    assert response(ticket).completed_at is None, "AWS's word alone is no answer"
    Letter.objects.all().delete()
    assert send(cast.ana, word, ticket, "as_it_is").status_code == 303
    assert response(ticket).completed_at == LATER
    assert facts(ticket)[:3] == [["reply", "engineer"], ["relay"], ["status", "in_progress"]]
    ticket.refresh_from_db()
    assert (ticket.status, ticket.assigned_to) == (Status.IN_PROGRESS, cast.ana)
    letter = Letter.objects.get(kind="ticket.aws_said", to_address=cast.cora.email)
    assert letter.data["words"] == [word.message_id]
    word.refresh_from_db()
    assert (word.seen_at, word.seen_by, word.seen_how) == (LATER, cast.ana, "relay")
    assert Message.objects.filter(ticket=ticket).count() == 2, "the words stand there once"
    assert "Ana passed on what AWS wrote" in said(enter(cast.ana).get(f"/tickets/{ticket.ref}/"))


def test_an_automatic_acknowledgement_passed_on_as_it_is_is_no_answer(
    cast: Cast, case: SupportCase, ticket: Ticket
) -> None:
    word = spoken(case, ticket, "We have received your case.", automatic=True)
    assert "no answer of ours" in said(enter(cast.ana).get(f"/aws/tickets/{ticket.ref}/relay/{word.pk}"))
    assert send(cast.ana, word, ticket, "as_it_is").status_code == 303
    assert response(ticket).completed_at is None
    assert facts(ticket) == []
    assert send(cast.ana, word, ticket, "edited", body="AWS has it and will look.").status_code == 303
    assert response(ticket).completed_at == LATER, "words of ours are"


def test_edited_words_go_as_a_reply_of_ours_with_the_original_quoted(
    cast: Cast, case: SupportCase, ticket: Ticket
) -> None:
    word = spoken(case, ticket)
    page = enter(cast.ana).get(f"/aws/tickets/{ticket.ref}/relay/{word.pk}")
    text = html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", page.content.decode(), re.S)[1])  # type: ignore[index]
    assert "AWS writes English on this case, the customer reads 中文" in said(page)
    assert word.body in text
    assert send(cast.ana, word, ticket, "edited", body=f"请检查子网。{text}").status_code == 303
    reply = Message.objects.get(ticket=ticket, kind="reply")
    assert reply.body.startswith("请检查子网。")
    assert "<b>" not in reply.html, "AWS's words are no markup"
    assert "&lt;b&gt;now" in reply.html
    assert ["relay"] in facts(ticket)
    assert response(ticket).completed_at == LATER
    word.refresh_from_db()
    assert word.seen_how == "relay"
    assert send(cast.ana, word, ticket, "internal").status_code == 422, "no words, no note"


def test_kept_as_a_note_the_customer_hears_nothing(cast: Cast, case: SupportCase, ticket: Ticket) -> None:
    word = spoken(case, ticket)
    Letter.objects.all().delete()
    assert send(cast.ana, word, ticket, "internal", body="Not for them.").status_code == 303
    assert response(ticket).completed_at is None
    assert not Letter.objects.filter(to_address=cast.cora.email).exists()
    assert "Not for them." not in said(enter(cast.cora).get(f"/tickets/{ticket.ref}/"))
    word.refresh_from_db()
    assert word.seen_how == "relay"


def test_held_words_are_read_once_they_are_passed_on_and_stay_held_where_ours_go_instead(
    cast: Cast, case: SupportCase, ticket: Ticket
) -> None:
    Setting.objects.create(customer=cast.acme, notice_only=True)
    word = spoken(case, ticket, "The secret subnet.", held=True)
    cora = enter(cast.cora)
    assert send(cast.ana, word, ticket, "edited", body="It is the network.").status_code == 303
    with time_machine.travel(LATER + timedelta(minutes=1), tick=False):
        page = said(cora.get(f"/tickets/{ticket.ref}/"))
    assert "It is the network." in page
    assert "The secret subnet." not in page
    assert send(cast.ana, word, ticket, "as_it_is").status_code == 303
    with time_machine.travel(LATER + timedelta(minutes=1), tick=False):
        assert "The secret subnet." in said(cora.get(f"/tickets/{ticket.ref}/"))


def test_the_way_there_is_on_each_message_of_aws_and_open_to_the_desk_alone(
    cast: Cast, case: SupportCase, ticket: Ticket
) -> None:
    desk = enter(cast.ana)
    page = f"/tickets/{ticket.ref}/"
    desk.get(page)
    before = counted(desk, page)
    words = [spoken(case, ticket)]
    one = counted(desk, page)
    for number in range(4):
        words.append(spoken(case, ticket, f"More {number}"))
    assert counted(desk, page) == one, (before, one)
    way = f"/aws/tickets/{ticket.ref}/relay?message={words[0].message_id}"
    assert way in desk.get(page).content.decode()
    assert desk.get(way).url == f"/aws/tickets/{ticket.ref}/relay/{words[0].pk}"  # type: ignore[attr-defined]
    assert "/relay" not in enter(cast.cora).get(page).content.decode()
    other = actions.open_ticket(
        customer=cast.globex, title="x", description="y", category="technical", priority="low", by=cast.gus, at=NOON
    )
    door = f"/aws/tickets/{ticket.ref}/relay/{words[0].pk}"
    assert desk.get(f"/aws/tickets/{other.ref}/relay/{words[0].pk}").status_code == 404
    assert desk.get(f"/aws/tickets/{other.ref}/relay?message={words[0].message_id}").status_code == 404
    for person in (cast.cora, cast.carla, cast.gus, cast.audrey):
        for call in (enter(person).get, enter(person).post):
            assert call(door).status_code == 404
            assert call(way).status_code in (404, 405)
    assert Client().get(door).status_code == 302
    cast.acme.restricted = True
    cast.acme.save()
    assert enter(cast.ana).get(door).status_code == 404


def counted(client: Client, page: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert client.get(page).status_code == 200
    return len(caught)
