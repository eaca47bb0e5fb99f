"""News without asking: each person hears of what concerns them, once, and of nothing they may not see."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry
from oncall.models import Leave
from tests.tickets.test_pages import enter, fresh, now, opened
from tickets import actions, following, news
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
# Promised hours from now: nothing of it is due soon.
CALM = {"impact": "question", "urgency": "wait"}


@pytest.fixture(autouse=True)
def nobody_is_given_a_new_ticket(cast: Any) -> None:
    """The only engineer is away, so that each story says itself who has what."""
    Leave.objects.create(
        user=cast.ana, starts_at=now() - timedelta(days=1), ends_at=now() + timedelta(days=1), made_by=cast.ana
    )


def ask(client: Client, since: str = "") -> tuple[str, list[tuple[str, str]]]:
    """The new mark, and what was told: (kind, ref)."""
    answer = client.get("/tickets/news", {"since": since}).json()
    return answer["since"], [(item["kind"], item["ref"]) for item in answer["news"]]


def given_to(person: User, ticket: Ticket, by: User) -> None:
    actions.assign(ticket=ticket, version=fresh(ticket).version, to=person, reason="Yours", by=by, at=now())


def test_an_engineer_hears_of_what_concerns_them(cast: Any) -> None:
    older = opened(cast, ago=1, **CALM)
    ana, lee = enter(cast.ana), enter(cast.lee)
    mark, told = ask(ana)
    assert told == []
    quiet, _none = ask(lee)
    ticket = opened(cast, ago=0)
    given_to(cast.ana, older, cast.lee)
    actions.reply(ticket=older, body="And now?", by=cast.cora, at=now())
    assert ask(ana, mark)[1] == [("new", ticket.ref), ("assigned", older.ref), ("replied", older.ref)]
    # Lee gave it away himself, and the answer is not to him; until he follows it.
    assert ask(lee, quiet)[1] == [("new", ticket.ref)]
    following.follow(ticket=older, by=cast.lee, at=now())
    assert ask(lee, quiet)[1] == [("new", ticket.ref), ("replied", older.ref)]


def test_what_is_told_again_carries_the_same_key(cast: Any) -> None:
    ana = enter(cast.ana)
    mark, _none = ask(ana)
    opened(cast, ago=0)
    first = ana.get("/tickets/news", {"since": mark}).json()
    again = ana.get("/tickets/news", {"since": first["since"]}).json()
    assert [i["key"] for i in first["news"]] == [i["key"] for i in again["news"]]


def test_what_commits_late_is_told_though_its_number_is_lower(cast: Any) -> None:
    ana = enter(cast.ana)
    mark, _none = ask(ana)
    late = opened(cast, ago=0)
    last, begun = mark.split("-")
    # As if others had been told up to a number drawn after this one.
    assert ask(ana, f"{int(last) + 100}-{begun}")[1] == [("new", late.ref)]


def test_nothing_of_the_past_is_told_to_a_browser_that_begins(cast: Any) -> None:
    given_to(cast.ana, opened(cast, ago=30), cast.lee)
    with_time = Entry.objects.latest("pk").at + timedelta(seconds=1)
    mark, told = news.news(cast.ana, None, with_time)
    assert [item.kind for item in told] == ["soon"]
    assert [item.kind for item in news.news(cast.ana, mark, with_time)[1]] == ["soon"]


def test_a_ticket_of_mine_that_is_due_within_the_hour_is_told(cast: Any) -> None:
    ticket = opened(cast, ago=20)
    given_to(cast.ana, ticket, cast.lee)
    due = fresh(ticket).queue_at
    kinds = {
        span: [item.kind for item in news.news(cast.ana, news.Mark(0, int(due.timestamp())), due - span)[1]]
        for span in (timedelta(minutes=61), timedelta(minutes=59), timedelta(0), timedelta(minutes=-1))
    }
    assert list(kinds.values()) == [[], ["soon"], ["soon"], []]
    assert "soon" not in [item.kind for item in news.news(cast.lee, None, due - timedelta(minutes=5))[1]]


def test_a_new_ticket_that_is_mine_is_told_once(cast: Any) -> None:
    ana = enter(cast.ana)
    mark, _none = ask(ana)
    ticket = opened(cast, ago=0, **CALM)
    given_to(cast.ana, ticket, cast.lee)
    assert ask(ana, mark)[1] == [("assigned", ticket.ref)]


def test_a_ticket_that_the_rule_gives_is_told_as_such(cast: Any) -> None:
    Leave.objects.all().delete()
    ana, lee = enter(cast.ana), enter(cast.lee)
    mark, quiet = ask(ana)[0], ask(lee)[0]
    ticket = opened(cast, ago=0, **CALM)
    assert (ask(ana, mark)[1], ask(lee, quiet)[1]) == ([("assigned", ticket.ref)], [("new", ticket.ref)])


def test_only_the_kinds_somebody_wants_are_told(cast: Any) -> None:
    ana = enter(cast.ana)
    mark, _none = ask(ana)
    ticket = opened(cast, ago=0)
    wanted = {"after_send": "stay", "news": ["assigned"], "notify": "on", "shortcuts": "on"}
    assert ana.post("/account/preferences", wanted).status_code == 303
    assert ask(ana, mark)[1] == []
    given_to(cast.ana, ticket, cast.lee)
    assert ask(ana, mark)[1] == [("assigned", ticket.ref)]
    assert "data-notify" in ana.get("/tickets/").content.decode()
    assert ana.post("/account/preferences", wanted | {"news": ["gossip"]}).status_code == 422


def test_what_may_not_be_seen_is_not_told(cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = enter(cast.ana)
    mark, _none = ask(ana)
    opened(cast, ago=0)
    hidden = Ticket.objects.filter(customer=cast.globex)
    monkeypatch.setattr(type(Ticket.objects.all()), "visible_to", lambda rows, user: hidden)
    assert ask(ana, mark)[1] == []


def test_customers_and_auditors_have_no_news(cast: Any) -> None:
    for person in (cast.cora, cast.carla, cast.gus, cast.audrey):
        assert enter(person).get("/tickets/news").status_code == 404
        assert 'id="news"' not in enter(person).get("/account/").content.decode()
    assert "/accounts/login" in Client().get("/tickets/news").headers["Location"]


@pytest.mark.parametrize("since", ["x", "-", "1", "1-", "-1-2", "9" * 30 + "-1", "1-999999999999999", "\x00"])
def test_a_mark_that_says_nothing_begins_anew(cast: Any, since: str) -> None:
    opened(cast, ago=1)
    assert ask(enter(cast.ana), since)[1] == []


def test_news_is_one_statement_beside_who_asks(cast: Any) -> None:
    ana = enter(cast.ana)
    mark, _none = ask(ana)
    for n in range(20):
        opened(cast, f"T{n}", ago=0)
    with CaptureQueriesContext(connection) as asked:
        told = ana.get("/tickets/news", {"since": mark}).json()["news"]
    assert (len(asked), len(told)) == (3, 20)
    assert told[0].keys() == {"key", "kind", "ref", "title", "time"}
