"""The desk's and the customer's pages, through their doors: nothing typed is lost, nothing foreign is seen."""

import html
import re
from datetime import datetime, timedelta
from itertools import chain
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpdesk.accounts.models import Customer, User
from sla.models import Clock
from tickets import actions
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db


def enter(person: User | None) -> Client:
    client = Client(raise_request_exception=False)
    if person:
        client.force_login(person)
    return client


def now() -> datetime:
    return timezone.now().replace(microsecond=0)


def opened(cast: Any, title: str = "数据库连接超时", ago: int = 5, **more: Any) -> Ticket:
    given = {
        "customer": cast.acme,
        "title": title,
        "description": "从 **09:58** 开始",
        "category": "technical",
        "impact": "production_part",
        "urgency": "urgent",
        "by": cast.cora,
        "at": now() - timedelta(minutes=ago),
    }
    return actions.open_ticket(**(given | more))


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def text(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def refs(answer: Any) -> list[str]:
    return re.findall(r'<td class="c-ref">(HD-\d+)</td>', answer.content.decode())


def filing(**more: Any) -> dict[str, Any]:
    return {
        "title": "RDS 只读副本延迟",
        "description": "主库 **正常**",
        "category": "technical",
        "impact": "production_part",
        "urgency": "urgent",
        "once": uuid4().hex,
        **more,
    }


@pytest.fixture
def ticket(cast: Any) -> Ticket:
    return opened(cast)


# --- Filing ----------------------------------------------------------------------------------------------------------


def test_filing_leads_to_the_ticket_and_says_when_somebody_answers(cast: Any) -> None:
    client = enter(cast.cody)
    page = text(client.get("/tickets/create"))
    assert "Production is partly affected" in page
    assert "within 15 minutes, by an engineer in person" in page
    answer = client.post("/tickets/create", filing(customer=cast.acme.pk))
    ticket = Ticket.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/tickets/{ticket.ref}/")
    assert (ticket.priority_id, ticket.requester, ticket.source) == ("high", cast.cody, "web")
    due = timezone.localtime(ticket.created_at + timedelta(hours=1), cast.cody.tz)
    page = text(client.get(answer.headers["Location"]))
    assert re.search(rf"We have it: {ticket.ref}\. An engineer answers by (tomorrow )?{due:%H:%M}\.", page)
    assert "<strong>正常</strong>" in page


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("title", "", "Write one sentence"),
        ("title", "x" * 501, "1 character too many"),
        ("title", "a\x00b", "cannot be stored"),
        ("description", "", "Write what happened"),
        ("description", "长" * 100_000, "50,000 characters too many"),
        ("impact", "", "Choose how large the impact is"),
        ("impact", "cosmic", "Choose one of the answers"),
        ("urgency", "yesterday", "Choose one of the answers"),
        ("category", "gossip", "Choose a category"),
    ],
)
def test_an_error_stands_at_its_field_and_nothing_typed_is_lost(cast: Any, field: str, value: str, word: str) -> None:
    typed = filing(customer=cast.acme.pk, **{field: value})
    answer = enter(cast.cody).post("/tickets/create", typed)
    page = text(answer)
    assert answer.status_code == 422
    assert f'<a href="#{field}">' in page
    assert f'id="{field}_error"' in page
    assert word in page
    for name in {"title", "description"} - {field}:
        assert typed[name] in page
    assert len(value) < 1000 or value in page
    if field != "impact":
        assert re.search(r'value="production_part" checked', page)
    assert not Ticket.objects.exists()


def test_a_family_is_one_character_of_a_title(cast: Any) -> None:
    answer = enter(cast.cody).post("/tickets/create", filing(customer=cast.acme.pk, title="👨‍👩‍👧‍👦" * 500))
    assert answer.status_code == 303


def test_a_form_sent_twice_makes_one_ticket(cast: Any) -> None:
    client, typed = enter(cast.cody), filing(customer=cast.acme.pk)
    first, second = client.post("/tickets/create", typed), client.post("/tickets/create", typed)
    assert Ticket.objects.count() == 1
    assert first.headers["Location"] == second.headers["Location"]


def test_preview_and_promise_answer_without_a_script_and_keep_the_form(cast: Any) -> None:
    client = enter(cast.cody)
    page = text(client.post("/tickets/create", filing(customer=cast.acme.pk, preview="1")))
    assert "<p>主库 <strong>正常</strong></p>" in page
    assert 'value="RDS 只读副本延迟"' in page
    page = text(client.post("/tickets/create", filing(customer=cast.acme.pk, promise="1", urgency="wait")))
    assert re.search(r'data-priority="medium">', page)
    assert re.search(r'data-priority="high" hidden>', page)
    assert not Ticket.objects.exists()
    part = client.post("/tickets/preview", {"text": "<script>alert(1)</script> **so**"})
    assert "<strong>so</strong>" in part.content.decode()
    assert "<script" not in part.content.decode()


def test_a_company_deactivated_meanwhile_says_so_and_keeps_the_text(cast: Any) -> None:
    client, typed = enter(cast.cody), filing(customer=cast.acme.pk)
    Customer.objects.filter(pk=cast.acme.pk).update(is_active=False)
    answer = client.post("/tickets/create", typed)
    assert answer.status_code == 422
    assert "Your company cannot file tickets here now" in text(answer)
    assert typed["description"] in text(answer)
    assert not Ticket.objects.exists()


def test_who_belongs_to_two_companies_is_asked_which(cast: Any) -> None:
    client = enter(cast.dora)
    assert "For which company" in text(client.get("/tickets/create"))
    assert "Choose the company" in text(client.post("/tickets/create", filing()))
    client.post("/tickets/create", filing(customer=cast.globex.pk))
    assert Ticket.objects.get().customer == cast.globex
    assert "For which company" not in text(enter(cast.cody).get("/tickets/create"))


def test_a_foreign_company_and_an_unknown_one_are_the_same(cast: Any) -> None:
    answers = [enter(cast.gus).post("/tickets/create", filing(customer=c)) for c in (cast.acme.pk, uuid4(), "Acme")]
    assert [a.status_code for a in answers] == [422] * 3
    assert "Acme" not in text(answers[0])
    assert not Ticket.objects.exists()


def test_an_engineer_files_for_somebody_on_the_phone(cast: Any) -> None:
    client = enter(cast.ana)
    assert "Acme" in text(client.get("/tickets/create"))
    assert "Cora" in text(client.get(f"/tickets/create?customer={cast.acme.pk}"))
    typed = filing(customer=cast.acme.pk, requester=cast.cora.pk, source="phone")
    assert client.post("/tickets/create", typed).status_code == 303
    ticket = Ticket.objects.get()
    assert (ticket.requester, ticket.source) == (cast.cora, "phone")
    assert Clock.objects.get(subject=ticket.ref, kind="response").verdict == "met"
    stranger = filing(customer=cast.acme.pk, requester=cast.gus.pk, source="phone")
    answer = client.post("/tickets/create", stranger)
    assert answer.status_code == 422
    assert stranger["description"] in text(answer)


# --- The queue -------------------------------------------------------------------------------------------------------


def walk(client: Client, address: str, rel: str) -> list[list[str]]:
    """The pages from `address` on, following one of the pager's links."""
    pages: list[list[str]] = []
    while address:
        answer = client.get(address)
        assert answer.status_code == 200
        pages.append(refs(answer))
        link = re.search(rf'rel="{rel}" href="([^"]+)"', answer.content.decode())
        address = "/tickets/" + html.unescape(link[1]) if link else ""
        last = answer
    walk.end = last.wsgi_request.get_full_path()  # type: ignore[attr-defined]
    return pages


@pytest.mark.parametrize("sort", ["due", "newest"])
def test_paging_loses_and_repeats_nothing_in_either_direction(cast: Any, sort: str) -> None:
    # Sixty-odd tickets of which many run out in the same second.
    for n in range(63):
        opened(cast, title=f"T{n}", ago=5 + n // 20)
    expected = Ticket.objects.order_by("queue_at", "id") if sort == "due" else Ticket.objects.order_by("-id")
    whole = [t.ref for t in expected]
    client = enter(cast.ana)
    forth = walk(client, f"/tickets/?sort={sort}", "next")
    assert [len(p) for p in forth] == [25, 25, 13]
    assert list(chain.from_iterable(forth)) == whole
    back = walk(client, walk.end, "prev")  # type: ignore[attr-defined]
    assert list(chain.from_iterable(reversed(back))) == whole


@pytest.mark.parametrize("cursor", ["x", "1,2,3", "2026-13-01,5", "2026-01-01T00:00:00,5", "9" * 40, ",", "a\x00,1"])
def test_a_cursor_that_says_nothing_shows_the_first_page(cast: Any, ticket: Ticket, cursor: str) -> None:
    for name in ("after", "before"):
        answer = enter(cast.ana).get("/tickets/", {name: cursor})
        assert (answer.status_code, refs(answer)) == (200, [ticket.ref])


def test_the_queue_is_grouped_by_what_runs_out(cast: Any) -> None:
    late = opened(cast, "late", ago=90)
    soon = opened(cast, "soon", ago=30)
    paused = opened(cast, "paused", ago=20)
    actions.reply(ticket=paused, body="Which?", by=cast.ana, at=now(), then="ask")
    page = enter(cast.ana).get("/tickets/")
    assert refs(page) == [late.ref, soon.ref, paused.ref]
    words = text(page)
    assert (
        words.index("Overdue<span>1") < words.index("Due within the hour<span>1") < words.index("Paused, no due time")
    )
    assert 'data-state="late"><span>Response</span>' in words
    assert "m over</b>" in words
    assert re.search(r"<b>\d+ h(?: \d\d m)? left</b><span>paused</span>", words)


def test_views_and_filters_show_what_they_say(cast: Any) -> None:
    plain = opened(cast, "plain")
    mine = opened(cast, "mine", impact="production_down")
    actions.start(ticket=mine, version=1, by=cast.ana, at=now())
    other = opened(cast, "other", customer=cast.globex, by=cast.gus, impact="question")
    done = opened(cast, "done")
    actions.resolve(ticket=done, version=1, body="So", by=cast.lee, at=now())
    for one in (plain, other):
        actions.assign(ticket=one, version=1, to=None, reason="Night", by=cast.lee, at=now())
    client = enter(cast.ana)

    def seen(query: str) -> set[str]:
        return set(refs(client.get(f"/tickets/?{query}")))

    assert seen("") == {plain.ref, mine.ref, other.ref}
    assert seen("view=mine") == seen("assignee=me") == seen(f"assignee={cast.ana.pk}") == {mine.ref}
    assert seen("view=unassigned") == seen("assignee=none") == {plain.ref, other.ref}
    assert seen("view=resolved") == seen("status=resolved") == {done.ref}
    assert seen("view=all") == {plain.ref, mine.ref, other.ref, done.ref}
    assert seen("status=new&status=in_progress&priority=critical&priority=low") == {mine.ref, other.ref}
    assert seen(f"customer={cast.globex.pk}") == {other.ref}
    assert seen("view=nonsense&status=x&priority=%00&customer=1&assignee=-1&sort=up") == seen("")
    page = text(client.get(f"/tickets/?customer={cast.globex.pk}&status=new&assignee=none&filter=1"))
    assert "<span>Customer</span> Globex" in page
    assert 'name="status" value="new" checked' in page
    assert re.search(r'href="\?status=new&assignee=none"[^>]*><span>Customer', page)


def test_an_empty_list_says_what_to_do(cast: Any) -> None:
    client = enter(cast.ana)
    assert "No open tickets" in text(client.get("/tickets/"))
    ticket = opened(cast)
    page = text(client.get("/tickets/?view=overdue"))
    assert "Nothing is overdue" in page
    assert f"Next is {ticket.ref}, " in page
    assert "Nothing is assigned to you" in text(enter(cast.lee).get("/tickets/?view=mine"))
    assert "You have no open tickets" in text(enter(cast.gus).get("/tickets/"))


def test_the_page_refreshes_its_moving_parts(cast: Any, ticket: Ticket) -> None:
    client = enter(cast.ana)
    part = client.get("/tickets/", headers={"HX-Request": "true"}).content.decode()
    assert ticket.ref in part
    assert "<html" not in part
    assert 'id="views"' in part
    assert "hx-swap-oob" in part
    client.logout()
    away = client.get("/tickets/", headers={"HX-Request": "true"})
    assert (away.status_code, away.headers["HX-Refresh"]) == (401, "true")


def statements(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


def test_a_list_asks_the_same_of_five_tickets_and_of_sixty(cast: Any) -> None:
    desk, carla = enter(cast.ana), enter(cast.carla)
    for n in range(5):
        opened(cast, f"T{n}")
    few = [statements(desk, "/tickets/"), statements(carla, "/tickets/")]
    for n in range(55):
        opened(cast, f"M{n}", by=cast.cody if n % 2 else cast.cora)
    assert [statements(desk, "/tickets/"), statements(carla, "/tickets/")] == few
    assert few[0] <= 5
    assert few[1] <= 6


def test_a_ticket_asks_the_same_of_two_messages_and_of_forty(cast: Any, ticket: Ticket) -> None:
    desk, cora = enter(cast.ana), enter(cast.cora)
    address = f"/tickets/{ticket.ref}/"
    actions.reply(ticket=ticket, body="Hello", by=cast.ana, at=now())
    few = [statements(desk, address), statements(cora, address)]
    for _n in range(19):
        actions.reply(ticket=ticket, body="More", by=cast.cora, at=now())
        actions.note(ticket=ticket, body="Hm", by=cast.ana, at=now())
    assert [statements(desk, address), statements(cora, address)] == few
    assert few[0] <= 16
    assert few[1] <= 13


# --- One ticket ------------------------------------------------------------------------------------------------------


def test_a_customer_reads_no_note_and_no_staff_history(cast: Any, ticket: Ticket) -> None:
    actions.start(ticket=ticket, version=1, by=cast.ana, at=now())
    actions.note(ticket=ticket, body="CANARY-note", by=cast.ana, at=now())
    actions.assign(ticket=ticket, version=3, to=cast.lee, reason="CANARY-reason", by=cast.ana, at=now())
    theirs = text(enter(cast.cody).get(f"/tickets/{ticket.ref}/"))
    ours = text(enter(cast.ana).get(f"/tickets/{ticket.ref}/"))
    hers = text(enter(cast.carla).get(f"/tickets/{ticket.ref}/"))
    assert "CANARY-note" in ours
    assert "CANARY-reason" in ours
    assert "This page cannot be found" in theirs
    for word in ("CANARY", cast.ana.email, cast.lee.email, "assigned it to"):
        assert word not in hers
    assert "Lee looks after it" in hers
    assert "Cora, Carla, Dora, our engineers" in hers


VERBS = ["reply", "note", "start", "ask", "resume", "resolve", "close", "reopen", "withdraw", "assign", "prioritise"]


def test_an_outsider_meets_404_at_every_door(cast: Any, ticket: Ticket) -> None:
    doors = [("get", f"/tickets/{ticket.ref}/"), *(("post", f"/tickets/{ticket.ref}/{v}") for v in VERBS)]
    for person in (cast.gus, cast.cody, cast.audrey):
        client = enter(person)
        for method, door in doors:
            answer = getattr(client, method)(door, {"body": "x", "version": "1"} if method == "post" else {})
            assert answer.status_code == 404, (person, door)
            assert ticket.title not in text(answer)
    assert enter(cast.audrey).get("/tickets/").status_code == 404
    assert enter(cast.audrey).get("/tickets/create").status_code == 404
    for method, door in doors:
        answer = getattr(enter(None), method)(door)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/accounts/login/")
    assert refs(enter(cast.gus).get("/tickets/?view=all")) == []
    assert ticket.title not in text(enter(cast.gus).get("/tickets/?view=all&q=数据库"))
    assert fresh(ticket).version == 1


def test_the_desks_doors_do_not_exist_for_the_requester(cast: Any, ticket: Ticket) -> None:
    client = enter(cast.cora)
    for verb in ("note", "start", "ask", "resume", "resolve", "assign", "prioritise"):
        answer = client.post(f"/tickets/{ticket.ref}/{verb}", {"body": "x", "version": "1"})
        assert answer.status_code == 404, verb
    assert fresh(ticket).version == 1


def test_a_reply_can_take_the_ticket_on_and_is_sent_once(cast: Any, ticket: Ticket) -> None:
    client = enter(cast.ana)
    typed = {"body": "Which pool?", "then": "ask", "kind": "reply", "once": "k1"}
    answers = [client.post(f"/tickets/{ticket.ref}/reply", typed) for _ in range(2)]
    assert [a.status_code for a in answers] == [303, 303]
    assert Message.objects.filter(body="Which pool?").count() == 1
    assert fresh(ticket).status == "waiting_customer"
    again = client.post(f"/tickets/{ticket.ref}/reply", typed | {"body": "Another word"})
    assert again.status_code == 422
    assert "Another word" in text(again)
    assert "sent before with other words" in text(again)


def test_what_was_meant_as_a_note_is_never_sent_to_the_customer(cast: Any, ticket: Ticket) -> None:
    answer = enter(cast.ana).post(f"/tickets/{ticket.ref}/reply", {"body": "They owe us", "kind": "note"})
    assert answer.status_code == 422
    page = text(answer)
    assert "so it was not sent to the customer" in page
    assert re.search(r'name="kind" value="note" checked', page)
    assert "They owe us</textarea>" in page
    assert not Message.objects.filter(body="They owe us").exists()


def test_a_stale_version_shows_the_fresh_ticket_and_keeps_the_words(cast: Any, ticket: Ticket) -> None:
    actions.reply(ticket=ticket, body="Restarting it now", by=cast.lee, at=now(), then="resolve")
    answer = enter(cast.ana).post(f"/tickets/{ticket.ref}/resolve", {"version": "1", "body": "Mended the index"})
    page = text(answer)
    assert answer.status_code == 409
    assert "Nothing was sent. What you wrote stands below" in page
    assert "Mended the index</textarea>" in page
    assert "Restarting it now" in page
    assert "Lee" in page
    assert f'name="version" value="{fresh(ticket).version}"' in page
    assert not Message.objects.filter(body="Mended the index").exists()


@pytest.mark.parametrize("version", ["", "x", "-1", "99999999999999999999", "²"])
def test_a_version_that_cannot_be_read_is_stale(cast: Any, ticket: Ticket, version: str) -> None:
    answer = enter(cast.ana).post(f"/tickets/{ticket.ref}/start", {"version": version})
    assert answer.status_code == 409
    assert fresh(ticket).status == "new"


def test_a_refusal_stands_on_the_page_with_the_words(cast: Any, ticket: Ticket) -> None:
    client = enter(cast.ana)
    asked = client.post(f"/tickets/{ticket.ref}/ask", {"version": "1"})
    assert asked.status_code == 422
    assert "Ask the customer something first" in text(asked)
    empty = client.post(f"/tickets/{ticket.ref}/resolve", {"version": "1", "body": " "})
    assert empty.status_code == 422
    assert "Write how it was solved" in text(empty)
    lowered = {"version": "1", "priority": "p9", "reason": "Only the test system"}
    unknown = client.post(f"/tickets/{ticket.ref}/prioritise", lowered)
    assert unknown.status_code == 422
    assert "not a priority we know" in text(unknown)
    assert 'value="Only the test system"' in text(unknown)
    nobody = client.post(f"/tickets/{ticket.ref}/assign", {"version": "1", "to": cast.gus.pk, "reason": "Holiday"})
    assert nobody.status_code == 422
    assert 'value="Holiday"' in text(nobody)
    assert fresh(ticket).version == 1


def test_a_reply_to_a_closed_ticket_goes_on_in_a_follow_up(cast: Any, ticket: Ticket) -> None:
    actions.resolve(ticket=ticket, version=1, body="Done", by=cast.ana, at=now())
    actions.close(ticket=ticket, version=2, by=cast.cora, at=now())
    client = enter(cast.cora)
    cast.cora.language = "en"
    cast.cora.save()
    answer = client.post(f"/tickets/{ticket.ref}/reply", {"body": "It is back & worse"})
    page = text(answer)
    assert answer.status_code == 409
    assert "has been closed meanwhile" in page
    assert "It is back & worse</textarea>" in page
    carried = {"follows": ticket.ref, "title": ticket.title, "category": "technical", "carry": "1"}
    form = client.post("/tickets/create", carried | {"description": "It is back & worse"})
    assert form.status_code == 200
    assert "It is back & worse</textarea>" in text(form)
    assert f"Follow-up to {ticket.ref}" in text(form)
    client.post("/tickets/create", filing(customer=cast.acme.pk, follows=ticket.ref))
    assert Ticket.objects.get(follows=ticket).requester == cast.cora
    assert f'Follows <a href="/tickets/{ticket.ref}/">' in text(client.get(f"/tickets/{Ticket.objects.last().ref}/"))


def test_words_that_come_after_the_window_go_on_in_a_follow_up(cast: Any) -> None:
    old = opened(cast, ago=60 * 24 * 9)
    actions.resolve(ticket=old, version=1, body="Done", by=cast.ana, at=now() - timedelta(days=8))
    for verb, more in (("reply", {}), ("reopen", {"version": "2"})):
        answer = enter(cast.carla).post(f"/tickets/{old.ref}/{verb}", {"body": "Back again", **more})
        page = text(answer)
        assert answer.status_code == 409
        assert "more than 7 days ago" in page
        assert page.count("Back again</textarea>") == 1
        assert 'name="carry"' in page


def test_nobody_follows_up_a_ticket_they_cannot_see(cast: Any, ticket: Ticket) -> None:
    client = enter(cast.gus)
    assert ticket.title not in text(client.get(f"/tickets/create?follows={ticket.ref}"))
    client.post("/tickets/create", filing(customer=cast.globex.pk, follows=ticket.ref))
    assert Ticket.objects.get(customer=cast.globex).follows is None


def test_the_customer_confirms_reopens_and_withdraws(cast: Any, ticket: Ticket) -> None:
    client = enter(cast.carla)
    address = f"/tickets/{ticket.ref}/"
    assert "We have it" in text(client.get(address))
    actions.resolve(ticket=ticket, version=1, body="Restarted", by=cast.ana, at=now())
    assert "Your turn: is it solved?" in text(client.get(address))
    assert client.post(f"{address}reopen", {"version": "2", "body": "Still slow"}).status_code == 303
    assert "We are working on it" in text(client.get(address))
    actions.resolve(ticket=ticket, version=3, body="Again", by=cast.ana, at=now())
    assert client.post(f"{address}close", {"version": "4"}).status_code == 303
    page = text(client.get(address))
    assert "This ticket is closed" in page
    assert "Open a follow-up" in page
    assert f'action="{address}reply"' not in page, "nothing more can be said here"
    other = opened(cast, "other")
    assert client.post(f"/tickets/{other.ref}/withdraw", {"version": "1", "reason": "spam"}).status_code == 422
    assert client.post(f"/tickets/{other.ref}/withdraw", {"version": "1", "reason": "withdrawn"}).status_code == 303
    assert (fresh(other).status, fresh(other).close_reason) == ("closed", "withdrawn")


def test_the_due_time_can_be_asked_why(cast: Any, ticket: Ticket) -> None:
    actions.reply(ticket=ticket, body="Which?", by=cast.ana, at=now() - timedelta(minutes=3), then="ask")
    page = text(enter(cast.ana).get(f"/tickets/{ticket.ref}/"))
    assert "Why there is no due time" in page
    assert "Paused, 7 h 58 min left" in page
    assert re.search(r"paused: with the customer</td><td>3 min", page)


def test_words_sent_after_the_session_ended_are_shown(cast: Any, ticket: Ticket) -> None:
    answer = enter(None).post(f"/tickets/{ticket.ref}/reply", {"body": "A long <b>answer</b>"})
    assert answer.status_code == 403
    assert "A long <b>answer</b></textarea>" in text(answer)
    assert f"/accounts/login/?next=/tickets/{ticket.ref}/" in text(answer)
    assert ticket.title not in text(answer)


def test_words_in_a_page_that_was_too_old_are_shown(cast: Any, ticket: Ticket) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.ana)
    answer = client.post(f"/tickets/{ticket.ref}/reply", {"body": "Precious"})
    assert answer.status_code == 403
    assert "Precious</textarea>" in text(answer)


def test_titles_and_names_are_text_and_never_markup(cast: Any) -> None:
    ticket = opened(cast, title="<script>alert(1)</script>", description="<img src=x onerror=alert(1)>")
    User.objects.filter(pk=cast.cora.pk).update(name="<i>Cora</i>")
    for person in (cast.ana, cast.carla):
        for address in ("/tickets/", f"/tickets/{ticket.ref}/"):
            page = enter(person).get(address).content.decode()
            assert "&lt;script&gt;alert(1)" in page
            assert "<script>alert" not in page
            assert "<i>Cora" not in page
            assert "<img" not in page


@pytest.mark.parametrize("address", ["/tickets/", "/tickets/create", "/tickets/?filter=1", "/nowhere/"])
def test_a_page_has_one_heading_its_language_and_nothing_inline(cast: Any, ticket: Ticket, address: str) -> None:
    for person in (cast.ana, cast.cora):
        page = enter(person).get(address).content.decode()
        assert page.count("<h1") == 1
        assert f'<html lang="{"zh-Hans" if person == cast.cora else "en"}"' in page
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script>|javascript:", page)


def test_the_last_page_stands_when_everything_is_broken(cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("on fire")

    client = enter(cast.ana)
    monkeypatch.setattr("tickets.queue.cut", broken)
    monkeypatch.setattr("helpdesk.pages.site", broken)
    answer = client.get("/tickets/")
    assert answer.status_code == 500
    assert "出错了" in text(answer)
    assert "Something went wrong" in text(answer)
    assert "on fire" not in text(answer)
