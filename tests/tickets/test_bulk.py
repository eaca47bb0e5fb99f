"""Many tickets at once: each is changed on its own, and each says what became of it."""

import html
import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry
from helpdesk.outbox.models import Letter
from tests.tickets.test_tags import enter, fresh, names, opened, text
from tickets import actions
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(cast: Any) -> list[Ticket]:
    return [opened(cast, f"T{n}") for n in range(3)]


def picked(tickets: list[Ticket], **versions: int) -> list[str]:
    return [f"{t.pk}.{fresh(t).version}" for t in tickets]


def send(client: Client, tickets: list[Ticket], do: str, **words: Any) -> Any:
    given = {"do": do, "pick": picked(tickets), "once": uuid4().hex}
    return client.post("/tickets/bulk", given | words)


def ticked(page: str) -> list[str]:
    return re.findall(r'name="pick" value="(\d+\.\d+)" checked', page)


def statuses(tickets: list[Ticket]) -> list[str]:
    return [fresh(t).status for t in tickets]


def test_the_queue_leads_to_a_page_that_says_what_will_change(cast: Any, three: list[Ticket]) -> None:
    ana = enter(cast.ana)
    queue = text(ana.get("/tickets/?sort=newest"))
    assert all(f'name="pick" value="{t.pk}" form="bulk"' in queue for t in three)
    assert '<form class="bar inverse no-print" id="bulk" method="get" action="/tickets/bulk"' in queue
    page = text(ana.get("/tickets/bulk", {"do": "assign", "pick": [t.pk for t in three], "back": "?sort=newest"}))
    assert ticked(page) == picked(three)
    assert all(t.title in page for t in three)
    assert 'href="/tickets/?sort=newest"' in page
    assert statuses(three) == ["new"] * 3


def test_tickets_are_assigned_with_one_reason(cast: Any, three: list[Ticket]) -> None:
    page = send(enter(cast.ana), three, "assign", to=cast.lee.pk, reason="Night shift")
    assert (page.status_code, "Done: 3 tickets" in text(page)) == (200, True)
    assert [fresh(t).assigned_to for t in three] == [cast.lee] * 3
    assert Message.objects.filter(kind="note", body="Night shift").count() == 3
    assert ticked(text(page)) == []


def test_each_ticket_is_answered_and_the_failed_stay_picked(cast: Any, three: list[Ticket]) -> None:
    ana, picks = enter(cast.ana), picked(three)
    actions.note(ticket=three[1], body="Hm", by=cast.lee, at=timezone.now())
    answer = send(ana, three, "prioritise", pick=picks, priority="low", reason="A test system")
    page = text(answer)
    assert [fresh(t).priority_id for t in three] == ["low", "high", "low"]
    assert "2 done, 1 not" in page
    assert "The ticket changed while you had it open." in page
    # The one that is left stands there as it is now, with the words: once more, and it is done.
    assert ticked(page) == picked([three[1]])
    assert 'value="A test system"' in page
    page = text(send(ana, [three[1]], "prioritise", priority="low", reason="A test system"))
    assert (fresh(three[1]).priority_id, "Done: 1 ticket" in page) == ("low", True)


def test_a_step_is_taken_where_it_can_be(cast: Any, three: list[Ticket]) -> None:
    actions.reply(ticket=three[0], body="Which?", by=cast.ana, at=timezone.now(), then="ask")
    page = text(send(enter(cast.ana), three, "status", step="start"))
    assert statuses(three) == ["waiting_customer", "in_progress", "in_progress"]
    assert "2 done, 1 not" in page
    assert "The ticket is waiting for the customer now" in page


def test_one_text_resolves_them_all(cast: Any, three: list[Ticket]) -> None:
    ana = enter(cast.ana)
    refused = send(ana, three, "status", step="resolve", body=" ")
    assert (refused.status_code, statuses(three)) == (422, ["new"] * 3)
    assert "Write how it was solved" in text(refused)
    assert ticked(text(refused)) == picked(three)
    send(ana, three, "status", step="resolve", body="The zone is back.")
    assert statuses(three) == ["resolved"] * 3
    assert Message.objects.filter(kind="reply", body="The zone is back.").count() == 3
    assert Letter.objects.filter(kind="ticket.resolved", to_address=cast.cora.email).count() == 3


def test_what_ends_a_ticket_for_good_is_asked_once_more(cast: Any, three: list[Ticket]) -> None:
    ana = enter(cast.ana)
    page = text(send(ana, three, "status", step="spam"))
    assert "Close these 3 tickets for good?" in page
    assert statuses(three) == ["new"] * 3
    assert ticked(page) == picked(three)
    assert 'name="sure" value="1"' in page
    send(ana, three, "status", step="spam", sure="1")
    assert [(t.status, t.close_reason) for t in map(fresh, three)] == [("closed", "spam")] * 3


def test_tags_go_on_and_off_together(cast: Any, three: list[Ticket]) -> None:
    ana = enter(cast.ana)
    send(ana, three, "tag", add="RDS,网络")
    send(ana, three[:2], "tag", add="故障", remove="rds")
    assert [names(t) for t in three] == [["网络", "故障"], ["网络", "故障"], ["RDS", "网络"]]


def test_a_form_sent_twice_does_it_once_and_says_the_same(cast: Any, three: list[Ticket]) -> None:
    ana = enter(cast.ana)
    words = {"to": cast.lee.pk, "reason": "Night shift", "pick": picked(three), "once": "again"}
    pages = [text(send(ana, three, "assign", **words)) for _ in range(2)]
    assert ["Done: 3 tickets" in p for p in pages] == [True, True]
    assert Entry.objects.filter(action="ticket.assigned", actor=cast.ana.key).count() == 3


@pytest.mark.parametrize(
    ("do", "words", "word"),
    [
        ("status", {}, "Choose a step."),
        ("status", {"step": "vanish"}, "Choose a step."),
        ("prioritise", {"priority": "low", "reason": ""}, "Write down why"),
        ("assign", {"to": "999999", "reason": "x"}, "This person cannot take tickets."),
        ("tag", {"add": "", "remove": ""}, "Write a tag first."),
        ("tag", {"add": "x" * 41}, "at most 40 characters"),
    ],
)
def test_wrong_words_change_nothing(cast: Any, three: list[Ticket], do: str, words: Any, word: str) -> None:
    before = Entry.objects.count()
    answer = send(enter(cast.ana), three, do, **words)
    assert (answer.status_code, Entry.objects.count()) == (422, before)
    assert word in text(answer)
    assert ticked(text(answer)) == picked(three)


def test_a_wrong_priority_is_said_at_each_ticket(cast: Any, three: list[Ticket]) -> None:
    page = text(send(enter(cast.ana), three, "prioritise", priority="urgentissimo", reason="Why not"))
    assert page.count("This is not a priority we know.") == 3
    assert "0 done, 3 not" in page


@pytest.mark.parametrize("pick", [[], ["x"], ["1042.x"], ["-1"], ["99999"], ["1" * 30], ["1042;"], ["\x00"]])
def test_odd_picks_are_no_tickets(cast: Any, three: list[Ticket], pick: list[str]) -> None:
    ana = enter(cast.ana)
    assert "No ticket is selected" in text(ana.get("/tickets/bulk", {"do": "x", "pick": pick}))
    answer = ana.post("/tickets/bulk", {"do": "assign", "pick": pick, "to": cast.lee.pk, "reason": "x"})
    assert "No ticket is selected" in text(answer)
    assert not Ticket.objects.filter(assigned_to=cast.lee).exists()


def test_a_hundred_is_the_most(cast: Any, three: list[Ticket]) -> None:
    pick = [*picked(three), *(str(n) for n in range(90000, 90098))]
    answer = send(enter(cast.ana), three, "assign", pick=pick, to=cast.lee.pk, reason="x")
    assert (answer.status_code, "At most 100 tickets at once" in text(answer)) == (422, True)
    assert not Ticket.objects.filter(assigned_to=cast.lee).exists()


def test_the_way_back_leads_to_the_list_only(cast: Any, three: list[Ticket]) -> None:
    for back in ("//evil.example", "https://evil.example", "javascript:alert(1)"):
        assert back not in html.unescape(
            text(enter(cast.ana).get("/tickets/bulk", {"pick": three[0].pk, "back": back}))
        )


@pytest.mark.parametrize("who", ["cora", "carla", "gus", "audrey"])
def test_only_the_desk_works_in_bulk(cast: Any, three: list[Ticket], who: str) -> None:
    person: User = getattr(cast, who)
    assert enter(person).get("/tickets/bulk", {"pick": three[0].pk}).status_code == 404
    assert send(enter(person), three, "status", step="start").status_code == 404
    assert statuses(three) == ["new"] * 3
