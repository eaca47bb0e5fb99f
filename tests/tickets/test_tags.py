"""Tags: the desk's own words on a ticket, typed in any script, found again in the queue, never met by a customer."""

import html
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry
from tickets import actions, tagging
from tickets.models import Tag, Ticket
from tickets.workflow import Refused

pytestmark = pytest.mark.django_db


def enter(person: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(person)
    return client


def opened(cast: Any, title: str = "数据库连接超时", **more: Any) -> Ticket:
    given = {
        "customer": cast.acme,
        "title": title,
        "description": "从 09:58 开始",
        "category": "technical",
        "impact": "production_part",
        "urgency": "urgent",
        "by": cast.cora,
        "at": timezone.now() - timedelta(minutes=5),
    }
    return actions.open_ticket(**(given | more))


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def text(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def send(client: Client, ticket: Ticket, **words: str) -> Any:
    return client.post(f"/tickets/{ticket.ref}/tag", {"version": fresh(ticket).version, **words})


def names(ticket: Ticket) -> list[str]:
    one = fresh(ticket)
    tagging.name_on([one])
    return list(one.tag_names)  # type: ignore[attr-defined]


@pytest.fixture
def ticket(cast: Any) -> Ticket:
    return opened(cast)


def test_tags_are_typed_seen_and_taken_off(cast: Any, ticket: Ticket) -> None:
    ana = enter(cast.ana)
    assert send(ana, ticket, add="RDS，网络; #Größe").status_code == 303
    assert names(ticket) == ["RDS", "网络", "Größe"]
    page = text(ana.get(f"/tickets/{ticket.ref}/"))
    assert 'href="/tickets/?view=all&tag=%E7%BD%91%E7%BB%9C"' in page
    assert "Ana added the tag <b>RDS, 网络, Größe</b>" in page
    assert send(ana, ticket, remove="网络").status_code == 303
    assert names(ticket) == ["RDS", "Größe"]
    assert "Ana took off the tag <b>网络</b>" in text(ana.get(f"/tickets/{ticket.ref}/"))


def test_what_reads_alike_is_one_tag(cast: Any, ticket: Ticket) -> None:
    ana, other = enter(cast.ana), opened(cast)
    send(ana, ticket, add="Straße, ＲＤＳ")
    send(ana, ticket, add="STRASSE,rds")
    send(ana, other, add="straße")
    assert (names(ticket), names(other)) == (["Straße", "RDS"], ["Straße"])
    assert Tag.objects.count() == 2
    # The second time said nothing new: nothing was written.
    assert Entry.objects.filter(subject=ticket.ref, action="ticket.tagged").count() == 1
    assert fresh(ticket).version == 2


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("", "Write a tag first."),
        (" ,，# ", "Write a tag first."),
        ("x" * 41, "at most 40 characters"),
        (",".join(f"t{n}" for n in range(21)), "at most 20 tags"),
        ("a\x00b", "cannot be stored"),
    ],
)
def test_what_is_no_tag_is_refused_in_words(cast: Any, ticket: Ticket, typed: str, word: str) -> None:
    answer = send(enter(cast.ana), ticket, add=typed)
    assert answer.status_code == 422
    assert word in text(answer)
    assert (names(ticket), Tag.objects.count()) == ([], 0)
    if "\x00" not in typed:
        assert f'value="{typed}"' in text(answer), "what was typed stays"


def test_the_twenty_first_tag_is_one_too_many(cast: Any, ticket: Ticket) -> None:
    ana = enter(cast.ana)
    send(ana, ticket, add=",".join(f"t{n}" for n in range(20)))
    assert send(ana, ticket, add="one more").status_code == 422
    assert len(names(ticket)) == 20
    assert not Tag.objects.filter(name="one more").exists(), "nothing half written"
    with pytest.raises(Refused):
        tagging.names_in("x" * 41)


def test_an_older_page_changes_nothing(cast: Any, ticket: Ticket) -> None:
    ana = enter(cast.ana)
    actions.note(ticket=ticket, body="Hm", by=cast.lee, at=timezone.now())
    answer = ana.post(f"/tickets/{ticket.ref}/tag", {"version": 1, "add": "RDS"})
    assert answer.status_code == 409
    assert 'value="RDS"' in text(answer)
    assert names(ticket) == []


def test_a_closed_ticket_can_be_tagged(cast: Any, ticket: Ticket) -> None:
    actions.withdraw(ticket=ticket, version=1, reason="spam", by=cast.ana, at=timezone.now())
    assert send(enter(cast.ana), ticket, add="phishing").status_code == 303
    assert names(ticket) == ["phishing"]


def test_the_queue_is_filtered_by_every_tag_asked_for(cast: Any, ticket: Ticket) -> None:
    ana, both = enter(cast.ana), opened(cast, "Both")
    send(ana, ticket, add="RDS")
    send(ana, both, add="RDS,网络")
    page = text(ana.get("/tickets/", {"tag": "rds"}))
    assert (ticket.title in page, "Both" in page) == (True, True)
    assert '<span class="tag">RDS</span>' in page
    page = text(ana.get("/tickets/", {"tag": ["RDS", "网络"]}))
    assert (ticket.title in page, "Both" in page) == (False, True)
    assert "<span>Tag</span> 网络" in page
    # Typed into the filter's one field, and together with words.
    assert "Both" in text(ana.get("/tickets/", {"tag": "rds，网络"}))
    assert ticket.title not in text(ana.get("/tickets/", {"tag": "网络", "q": "数据库"}))
    assert "No ticket matches" in text(ana.get("/tickets/", {"tag": "never used"}))
    for odd in ("\x00", "x" * 500, ","):
        assert ana.get("/tickets/", {"tag": odd}).status_code == 200


def test_suggestions_are_the_tags_in_use(cast: Any, ticket: Ticket) -> None:
    ana = enter(cast.ana)
    send(ana, ticket, add="RDS,redis,网络")
    send(ana, ticket, remove="redis")
    assert 'value="RDS"' in text(ana.get("/tickets/tags", {"add": "Other, rd"}))
    assert 'value="网络"' in text(ana.get("/tickets/tags", {"tag": "网"}))
    assert "redis" not in text(ana.get("/tickets/tags"))
    assert ana.get("/tickets/tags", {"add": "\x00"}).status_code == 200
    assert enter(cast.gus).get("/tickets/tags", {"add": "r"}).status_code == 404


def test_no_customer_meets_a_tag(cast: Any, ticket: Ticket) -> None:
    send(enter(cast.ana), ticket, add="canary-tag")
    for person in (cast.cora, cast.carla):
        client = enter(person)
        for path in (f"/tickets/{ticket.ref}/", "/tickets/", "/tickets/?view=all", "/tickets/?q=Canary+word"):
            assert "canary-tag" not in text(client.get(path)), path
        assert ticket.ref not in text(client.get("/tickets/?q=canary-tag"))
        assert send(client, ticket, add="mine").status_code == 404
        # A filter by a tag is no filter to them: not even the number of tickets tells.
        assert ticket.title in text(client.get("/tickets/?tag=unknown"))


def test_history_keeps_numbers_and_no_words(cast: Any, ticket: Ticket) -> None:
    send(enter(cast.ana), ticket, add="RDS")
    entry = Entry.objects.get(subject=ticket.ref, action="ticket.tagged")
    assert entry.audience == "staff"
    assert entry.data == {"added": [Tag.objects.get().pk], "removed": []}
    assert "RDS" not in json.dumps(entry.data)


def test_tags_cost_no_statement_once_read(cast: Any, ticket: Ticket) -> None:
    ana = enter(cast.ana)

    def asked(path: str) -> int:
        ana.get(path)
        with CaptureQueriesContext(connection) as statements:
            assert ana.get(path).status_code == 200
        return len(statements)

    bare = [asked("/tickets/"), asked(f"/tickets/{ticket.ref}/")]
    send(ana, ticket, add="RDS,网络,Größe")
    assert [asked("/tickets/"), asked(f"/tickets/{ticket.ref}/")] == bare


def test_a_filter_by_tag_is_an_index_condition(cast: Any, ticket: Ticket) -> None:
    """Whatever else is known of the rows: the tag is looked up, not read from every ticket."""
    send(enter(cast.ana), ticket, add="RDS")
    rows = Ticket.objects.exclude(tags=[]).filter(tags__contains=[Tag.objects.get().pk])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
    plan = rows.order_by().explain()
    assert "tickets_of_tag" in plan
    assert "Index Cond: (tags @>" in plan
