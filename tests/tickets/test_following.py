"""Colleagues follow a ticket by a click or because a note called them; nobody hears twice, and no customer knows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from helpdesk import richtext
from helpdesk.accounts.models import Customer, CustomerTeam, User
from helpdesk.outbox.models import Letter
from tests.security.payloads import PAYLOADS
from tickets import actions, following, mentions
from tickets.models import Follow, Mention, Ticket

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def later(minutes: int) -> datetime:
    return AT + timedelta(minutes=minutes)


def as_(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def ticket(cast: Any) -> Ticket:
    made = actions.open_ticket(
        customer=cast.acme,
        title="Replication stands still",
        description="lag",
        category="technical",
        impact="production_down",
        urgency="urgent",
        by=cast.cora,
        at=AT,
    )
    actions.start(ticket=made, version=1, by=cast.ana, at=later(1))
    Letter.objects.all().delete()
    return made


@pytest.fixture
def limin(db: None) -> User:
    return User.objects.create_user(email="li.min@desk.example", name="李敏", staff_role="engineer", at=AT)


def letters() -> list[tuple[str, str]]:
    # A ticket of last spring is late besides, which the ladder hears of.
    told = Letter.objects.exclude(kind="ticket.breached").order_by("to_address")
    found = [(x.kind, x.to_address.partition("@")[0]) for x in told]
    Letter.objects.all().delete()
    return found


def test_who_follows_hears_what_the_assignee_hears(cast: Any, ticket: Ticket) -> None:
    lee = as_(cast.lee)
    assert lee.post(f"/tickets/{ticket.ref}/follow").status_code == 303
    assert lee.post(f"/tickets/{ticket.ref}/follow").status_code == 303
    assert "Stop following" in lee.get(f"/tickets/{ticket.ref}/").content.decode()
    actions.reply(ticket=ticket, body="More", by=cast.cora, at=later(2))
    assert letters() == [("ticket.customer_replied", "ana"), ("ticket.customer_replied", "lee")]
    actions.note(ticket=ticket, body="By Lee", by=cast.lee, at=later(3))
    assert letters() == [("ticket.noted", "ana")]
    following.follow(ticket=ticket, by=cast.ana, at=later(3))
    actions.note(ticket=ticket, body="By Ada", by=cast.ada, at=later(4))
    assert letters() == [("ticket.noted", "ana"), ("ticket.noted", "lee")], "the assignee who follows hears once"
    assert lee.post(f"/tickets/{ticket.ref}/unfollow").status_code == 303
    actions.reply(ticket=ticket, body="More", by=cast.cora, at=later(5))
    assert letters() == [("ticket.customer_replied", "ana")]


def test_following_moves_neither_version_nor_history(cast: Any, ticket: Ticket) -> None:
    before = Ticket.objects.values().get(pk=ticket.pk)
    following.follow(ticket=ticket, by=cast.lee, at=later(2))
    assert Ticket.objects.values().get(pk=ticket.pk) == before


def test_who_leaves_the_desk_hears_nothing(cast: Any, ticket: Ticket) -> None:
    following.follow(ticket=ticket, by=cast.lee, at=later(2))
    User.objects.filter(pk=cast.lee.pk).update(is_active=False)
    actions.reply(ticket=ticket, body="More", by=cast.cora, at=later(3))
    assert letters() == [("ticket.customer_replied", "ana")]


@pytest.mark.parametrize(
    "body",
    ["@李敏 please look", "请＠李敏看一下", "please (@li.min)", "> @LI.MIN", "- @李敏, @李敏", "Ask **@李敏**."],
)
def test_a_note_calls_a_colleague(cast: Any, ticket: Ticket, limin: User, body: str) -> None:
    answer = as_(cast.ana).post(f"/tickets/{ticket.ref}/note", {"body": body, "kind": "note"})
    assert answer.status_code == 303
    said = ticket.messages.get(kind="note")
    assert '<span class="mention">' in said.html
    assert said.body == body
    assert [m.user for m in Mention.objects.filter(message=said)] == [limin]
    assert Follow.objects.filter(ticket=ticket, user=limin).exists()
    assert letters() == [("ticket.mentioned", "li.min")], "one letter, though she follows now"
    actions.reply(ticket=ticket, body="More", by=cast.cora, at=later(9))
    assert ("ticket.customer_replied", "li.min") in letters()


@pytest.mark.parametrize(
    "body",
    [
        "@nobody",
        "li.min@desk.example",
        "`@李敏`",
        "```\n@李敏\n```",
        "[@李敏](https://x.example)",
        "@cora",
        "@audrey",
        "@",
    ],
)
def test_any_other_word_is_just_text(cast: Any, ticket: Ticket, limin: User, body: str) -> None:
    said = actions.note(ticket=ticket, body=body, by=cast.ana, at=later(2))
    assert "mention" not in said.html
    assert not Mention.objects.exists()
    assert letters() == []


def test_a_reply_calls_nobody(cast: Any, ticket: Ticket, limin: User) -> None:
    for by in (cast.ana, cast.cora):
        said = actions.reply(ticket=ticket, body="@李敏 @Lee", by=by, at=later(2))
        assert "mention" not in said.html
    assert not Mention.objects.exists()
    assert not Follow.objects.exists()


def test_the_longest_name_is_meant_and_a_name_of_two_calls_both(cast: Any, ticket: Ticket, limin: User) -> None:
    longer = User.objects.create_user(email="lmh@desk.example", name="李敏华", staff_role="lead", at=AT)
    twin = User.objects.create_user(email="lee2@desk.example", name="Lee", staff_role="lead", at=AT)
    _html, found = mentions.mark("<p>@李敏华 and @Lee, @leeds</p>", User.objects.staff())
    assert sorted(p.pk for p in found) == sorted([longer.pk, twin.pk, cast.lee.pk])


def test_who_is_kept_from_a_restricted_customer_hears_nothing_more(cast: Any, ticket: Ticket, limin: User) -> None:
    following.follow(ticket=ticket, by=limin, at=later(2))
    following.follow(ticket=ticket, by=cast.lee, at=later(2))
    Customer.objects.filter(pk=cast.acme.pk).update(restricted=True)
    actions.reply(ticket=ticket, body="More", by=cast.cora, at=later(3))
    assert letters() == [("ticket.customer_replied", "lee")]
    CustomerTeam.objects.create(customer=cast.acme, user=limin)
    actions.reply(ticket=ticket, body="More", by=cast.cora, at=later(4))
    assert letters() == [("ticket.customer_replied", "lee"), ("ticket.customer_replied", "li.min")]


def test_one_who_may_not_see_the_customer_is_not_told_and_the_writer_learns_it(
    cast: Any, ticket: Ticket, limin: User, monkeypatch: Any
) -> None:
    from tickets.access import TicketQuerySet

    plain = TicketQuerySet.visible_to
    monkeypatch.setattr(
        TicketQuerySet, "visible_to", lambda self, user: self.none() if user.pk == limin.pk else plain(self, user)
    )
    client = as_(cast.ana)
    client.post(f"/tickets/{ticket.ref}/note", {"body": "@李敏 and @Lee", "kind": "note"})
    assert "李敏 may not see this customer" in client.get(f"/tickets/{ticket.ref}/").content.decode()
    assert [m.user for m in Mention.objects.all()] == [cast.lee]
    assert letters() == [("ticket.mentioned", "lee")]


def test_a_name_that_wants_to_be_more_stays_text(cast: Any, ticket: Ticket) -> None:
    for number, payload in enumerate(PAYLOADS):
        name = payload[:80]
        User.objects.create_user(email=f"x{number}@desk.example", name=name, staff_role="engineer", at=AT)
        said = actions.note(ticket=ticket, body=f"@{name}", by=cast.ana, at=later(2))
        bare = said.html.replace('<span class="mention">', "").replace("</span>", "")
        assert bare == richtext.render(said.body).replace("</span>", "")


def test_suggestions_by_name_initials_and_address(cast: Any, ticket: Ticket, limin: User) -> None:
    User.objects.create_user(email="zlin@desk.example", name="Zoe Lin", staff_role="lead", at=AT)
    client = as_(cast.ana)

    def asked(q: str) -> set[str]:
        answer = client.get(f"/tickets/{ticket.ref}/colleagues", {"q": q})
        return {one["name"] for one in answer.json()["colleagues"]}

    assert {q: asked(q) for q in ("李", "li.", "lm", "zl", "oe l", "xyz", "\x00")} == {
        "李": {"李敏"},
        "li.": {"李敏"},
        "lm": {"李敏"},
        "zl": {"Zoe Lin"},
        "oe l": {"Zoe Lin"},
        "xyz": set(),
        "\x00": set(),
    }
    assert "Audrey" not in asked("a")
    assert as_(cast.cora).get(f"/tickets/{ticket.ref}/colleagues?q=l").status_code == 404


def test_a_customer_sees_nothing_of_it(cast: Any, ticket: Ticket, limin: User) -> None:
    def page() -> str:
        body = as_(cast.cora).get(f"/tickets/{ticket.ref}/").content.decode()
        return body.split("<main")[1].split("csrfmiddlewaretoken")[0]

    before = page()
    actions.note(ticket=ticket, body="@李敏", by=cast.ana, at=later(2))
    following.follow(ticket=ticket, by=cast.lee, at=later(2))
    after = page()
    assert "李敏" not in after
    assert "Lee" not in after
    assert len(before) == len(after)


def test_the_page_costs_the_same_whoever_follows(cast: Any, ticket: Ticket) -> None:
    def cost() -> int:
        client = as_(cast.ana)
        client.get(f"/tickets/{ticket.ref}/")
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/tickets/{ticket.ref}/")
        return len(asked)

    before = cost()
    for person in (cast.lee, cast.ada, cast.ana):
        following.follow(ticket=ticket, by=person, at=later(2))
    assert cost() == before
