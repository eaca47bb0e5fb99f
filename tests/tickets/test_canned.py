"""Canned replies: written once in both languages, put into the composer filled in, and never a way to anything else."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry
from tickets import actions, canned, drafting
from tickets.blanks import BLANKS, filled, unknown
from tickets.models import Canned, Message, Ticket

pytestmark = pytest.mark.django_db

WRITTEN = {
    "name": "Thanks",
    "body_zh": "{requester} 您好，{ref} 收到。",
    "body_en": "Hello {requester}, we have {ref}.",
}
LITERAL = [
    "{{settings.SECRET_KEY}}",
    "{{ settings.SECRET_KEY }}",
    "{{customer}}",
    "{% load static %}{% debug %}",
    "{{ticket.org.users.first.password}}",
    "{0.__class__}",
    "{ticket.customer.name}",
    "{requester.__class__.__mro__}",
    "{customer!r:>99}",
    "{}",
    "{ customer }",
    "%(x)s %s %(customer)s",
    "${customer",
    '{"a": 1}',
    "<script>{1}</script>",
]


def enter(person: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(person)
    return client


@pytest.fixture
def ticket(cast: Any) -> Ticket:
    """Of Cora, who reads Chinese."""
    return opened(cast.acme, cast.cora)


def opened(customer: Any, requester: User, title: str = "数据库连接超时", **more: Any) -> Ticket:
    given = {
        "customer": customer,
        "title": title,
        "description": "从 09:58 开始",
        "category": "technical",
        "impact": "production_part",
        "urgency": "urgent",
        "by": requester,
        "at": timezone.now() - timedelta(minutes=5),
    }
    return actions.open_ticket(**(given | more))


def text(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def composer(answer: Any) -> str:
    found = re.search(r'<textarea id="body"[^>]*>(.*?)</textarea>', answer.content.decode(), re.DOTALL)
    assert found
    return html.unescape(found[1])


def written(by: User, **words: str) -> Canned:
    answer = enter(by).post("/canned/new", WRITTEN | words)
    assert answer.status_code == 303, text(answer)
    return Canned.objects.latest("pk")


# --- Writing ---------------------------------------------------------------------------------------------------------


def test_an_engineer_writes_finds_changes_and_deletes_their_own(cast: Any) -> None:
    ana = enter(cast.ana)
    assert "There are no canned replies yet" in text(ana.get("/canned/"))
    one = written(cast.ana)
    assert one.owner == cast.ana
    assert "yours alone" in text(ana.get("/canned/"))
    assert "Thanks" in text(ana.get("/canned/?find=收到 hello"))
    assert "No canned reply matches" in text(ana.get("/canned/?find=elsewhere"))
    assert WRITTEN["body_en"] in text(ana.get(f"/canned/{one.pk}/"))
    assert ana.post(f"/canned/{one.pk}/", WRITTEN | {"version": 1, "name": "Receipt"}).status_code == 303
    assert Canned.objects.get().name == "Receipt"
    assert "Delete “Receipt”?" in text(ana.get(f"/canned/{one.pk}/delete"))
    assert Canned.objects.exists()
    assert ana.post(f"/canned/{one.pk}/delete", {"version": 2}).status_code == 303
    assert not Canned.objects.exists()
    told = Entry.objects.filter(subject=f"canned:{one.pk}").order_by("id")
    assert [e.action for e in told] == ["canned.written", "canned.changed", "canned.removed"]
    assert {e.audience for e in told} == {"staff"}


def test_leads_share_and_engineers_read(cast: Any) -> None:
    refused = enter(cast.ana).post("/canned/new", WRITTEN | {"shared": "on"})
    assert refused.status_code == 422
    assert "written by leads" in text(refused)
    assert WRITTEN["body_zh"] in text(refused)
    shared, own = written(cast.lee, shared="on"), written(cast.lee, name="Of Lee alone")
    ana = enter(cast.ana)
    page = text(ana.get("/canned/"))
    assert "Thanks" in page
    assert "Of Lee alone" not in page
    for one in (shared, own):
        for path in (f"/canned/{one.pk}/", f"/canned/{one.pk}/delete"):
            assert (ana.get(path).status_code, ana.post(path, WRITTEN | {"version": 1}).status_code) == (404, 404)
    assert enter(cast.ada).post(f"/canned/{shared.pk}/", WRITTEN | {"version": 1, "shared": "on"}).status_code == 303
    assert enter(cast.ada).get(f"/canned/{own.pk}/").status_code == 404


@pytest.mark.parametrize("viewer", ["cora", "carla", "gus", "audrey"])
def test_to_nobody_but_the_desk_there_are_any(cast: Any, ticket: Ticket, viewer: str) -> None:
    one = written(cast.lee, shared="on")
    client = enter(getattr(cast, viewer))
    ref = ticket.ref
    paths = ["/canned/", "/canned/new", f"/canned/{one.pk}/", f"/canned/{one.pk}/delete"]
    paths += [f"/tickets/{ref}/canned", f"/tickets/{ref}/canned/{one.pk}"]
    assert {client.get(path).status_code for path in paths} == {404}
    assert {client.post(path, WRITTEN | {"version": 1}).status_code for path in paths} == {404}
    if viewer in ("cora", "carla"):
        assert f"{ref} 收到。" not in text(client.get(f"/tickets/{ref}/?canned={one.pk}"))
    assert {Client().get(path).status_code for path in paths} == {302}
    assert Canned.objects.get().version == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"name": " "}, "Give it a name you will look for."),
        ({"body_zh": "", "body_en": "\n"}, "Write the text in one language at least."),
        ({"name": "x" * 81}, "1 character too many"),
        ({"body_en": "Dear {custmer}, {客户}"}, "There is no {custmer}, {客户}."),
        ({"body_zh": "{Customer}"}, "There is no {Customer}."),
    ],
)
def test_what_cannot_be_kept_is_refused_at_its_field_and_stays(cast: Any, words: dict[str, str], says: str) -> None:
    answer = enter(cast.ana).post("/canned/new", WRITTEN | words)
    assert answer.status_code == 422
    page = text(answer)
    assert says in page
    assert all(value.strip() in page for value in (WRITTEN | words).values())
    assert not Canned.objects.exists()
    if "There is no" in says:
        assert ", ".join(f"{{{name}}}" for name in BLANKS) in page


def test_two_leads_do_not_write_over_each_other(cast: Any) -> None:
    one = written(cast.lee, shared="on")
    lee, ada = enter(cast.lee), enter(cast.ada)
    assert ada.post(f"/canned/{one.pk}/", WRITTEN | {"version": 1, "shared": "on", "name": "Hers"}).status_code == 303
    late = lee.post(f"/canned/{one.pk}/", WRITTEN | {"version": 1, "shared": "on", "name": "His"})
    assert late.status_code == 422
    assert "A colleague has changed this canned reply meanwhile" in text(late)
    assert 'value="His"' in text(late)
    assert Canned.objects.get().name == "Hers"
    assert lee.post(f"/canned/{one.pk}/delete", {"version": 1}).status_code == 422
    assert Canned.objects.exists()
    # He has seen it: the second click holds.
    again = lee.post(f"/canned/{one.pk}/", WRITTEN | {"version": 2, "shared": "on", "name": "His"})
    assert again.status_code == 303
    assert Canned.objects.get().name == "His"


# --- At a ticket -----------------------------------------------------------------------------------------------------


def test_it_stands_in_the_composer_in_the_requesters_language(cast: Any, ticket: Ticket) -> None:
    one, ana = written(cast.ana), enter(cast.ana)
    picker = ana.get(f"/tickets/{ticket.ref}/canned?from=view%3Dmine%26q%3Da")
    link = f"/tickets/{ticket.ref}/?canned={one.pk}&from=view%3Dmine%26q%3Da#body"
    assert link in text(picker)
    assert composer(ana.get(link.partition("#")[0])) == f"Cora 您好，{ticket.ref} 收到。"
    of_gus = opened(cast.globex, cast.gus)
    assert composer(ana.get(f"/tickets/{of_gus.ref}/?canned={one.pk}")) == f"Hello Gus, we have {of_gus.ref}."
    alone = ana.get(f"/tickets/{of_gus.ref}/canned/{one.pk}")
    assert alone.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert alone.content.decode() == f"Hello Gus, we have {of_gus.ref}."
    # What was typed before stays, above it.
    drafting.keep(ticket=of_gus, user=cast.ana, kind="reply", body="Half a thought", at=of_gus.created_at)
    both = composer(ana.get(f"/tickets/{of_gus.ref}/?canned={one.pk}"))
    assert both == f"Half a thought\n\nHello Gus, we have {of_gus.ref}."
    # Nothing was sent by looking.
    assert Message.objects.filter(kind="reply").count() == 0


def test_where_a_language_is_missing_the_other_one_serves(cast: Any, ticket: Ticket) -> None:
    one = written(cast.ana, body_zh="")
    page = enter(cast.ana).get(f"/tickets/{ticket.ref}/?canned={one.pk}")
    assert composer(page) == f"Hello Cora, we have {ticket.ref}."


def test_every_blank_is_filled_in_the_requesters_words_and_time(cast: Any, ticket: Ticket) -> None:
    one = written(cast.ana, body_zh="|".join(f"{{{name}}}" for name in BLANKS))
    ticket.refresh_from_db()
    at = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
    ticket.sla_due_at = datetime(2026, 3, 2, 3, 30, tzinfo=UTC)
    User.objects.filter(pk=cast.cora.pk).update(zone="Asia/Tokyo")
    ticket.requester.refresh_from_db()
    said = canned.text_for(one, ticket, by=cast.ana, at=at).split("|")
    label = ticket.priority.label_zh
    assert said == ["Acme", "Cora", ticket.ref, "数据库连接超时", label, "今天 12:30", "Ana"]
    ticket.sla_due_at = None
    assert canned.text_for(one, ticket, by=cast.ana, at=at).split("|")[5] == "—"


@pytest.mark.parametrize("number", ["0", "999999", "x", "-1", "٣", "9" * 30, ""])
def test_an_address_without_one_opens_the_ticket_all_the_same(cast: Any, ticket: Ticket, number: str) -> None:
    answer = enter(cast.ana).get(f"/tickets/{ticket.ref}/", {"canned": number})
    assert (answer.status_code, composer(answer)) == (200, "")


def test_somebody_elses_own_is_put_in_by_nobody_else(cast: Any, ticket: Ticket) -> None:
    own = written(cast.lee)
    ana = enter(cast.ana)
    assert composer(ana.get(f"/tickets/{ticket.ref}/?canned={own.pk}")) == ""
    assert ana.get(f"/tickets/{ticket.ref}/canned/{own.pk}").status_code == 404
    assert own.name not in text(ana.get(f"/tickets/{ticket.ref}/canned"))


def test_the_picker_finds_and_a_part_of_it_comes_to_the_composer(cast: Any, ticket: Ticket) -> None:
    written(cast.ana)
    written(cast.ana, name="Other", body_zh="另一条", body_en="")
    ana = enter(cast.ana)
    part = ana.get(f"/tickets/{ticket.ref}/canned?find=另一", headers={"HX-Request": "true"})
    assert "<html" not in text(part)
    assert re.findall(r"<b>(.*?)</b>", text(part)) == ["Other"]
    assert "No canned reply matches" in text(ana.get(f"/tickets/{ticket.ref}/canned?find=nothing"))


def test_a_tickets_page_pays_nothing_for_them(cast: Any, ticket: Ticket) -> None:
    ana, path = enter(cast.ana), f"/tickets/{ticket.ref}/"
    ana.get(path)

    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert ana.get(path).status_code == 200
        return sum("tickets_canned" in q["sql"] for q in found.captured_queries)

    for n in range(5):
        written(cast.ana, name=f"No. {n}")
    assert asked() == 0


def test_lists_cost_the_same_whatever_there_is(cast: Any, ticket: Ticket) -> None:
    ana = enter(cast.ana)
    counts = []
    for _round in range(2):
        for n in range(4):
            written(cast.ana, name=f"No. {n}")
        for path in ("/canned/", f"/tickets/{ticket.ref}/canned"):
            with CaptureQueriesContext(connection) as found:
                ana.get(path)
            counts.append(len(found))
    assert counts[:2] == counts[2:]


# --- X-13 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", LITERAL)
def test_what_is_no_blank_stays_as_it_was_typed(cast: Any, ticket: Ticket, settings: Any, words: str) -> None:
    """X-13: no template, no attribute, no format string; kept, put in and sent as the very same characters."""
    one, ana = written(cast.ana, body_zh=words, body_en=words), enter(cast.ana)
    page = ana.get(f"/tickets/{ticket.ref}/?canned={one.pk}")
    assert composer(page) == words
    assert settings.SECRET_KEY not in page.content.decode()
    assert ana.get(f"/tickets/{ticket.ref}/canned/{one.pk}").content.decode() == words
    assert ana.post(f"/tickets/{ticket.ref}/reply", {"body": words}).status_code == 303
    assert Message.objects.get(kind="reply").body == words
    for path in ("/canned/", f"/canned/{one.pk}/", f"/tickets/{ticket.ref}/canned"):
        assert "<script>{1}" not in ana.get(path).content.decode()


def test_braces_in_what_is_filled_in_are_not_filled_in_again(cast: Any) -> None:
    trap = opened(cast.acme, cast.cora, title="{engineer} {{settings.SECRET_KEY}} {requester} %(x)s")
    one = written(cast.ana, body_zh="{title}")
    page = enter(cast.ana).get(f"/tickets/{trap.ref}/?canned={one.pk}")
    assert composer(page) == "{engineer} {{settings.SECRET_KEY}} {requester} %(x)s"


def test_a_blank_that_is_known_no_longer_stays_as_it_stands() -> None:
    assert filled("{ref} {gone}", {"ref": "HD-1"}) == "HD-1 {gone}"
    assert unknown("{ref} {gone} {gone} {{gone}} {also_gone}") == ["gone", "also_gone"]
    # A long run of braces is read in one go.
    assert unknown("{" * 50_000 + "a" * 50_000) == []
