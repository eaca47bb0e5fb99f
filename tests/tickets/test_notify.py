"""Who gets a mail of what: never who caused it, never what somebody does without, always what they must act on."""

from datetime import UTC, datetime, timedelta
from email.utils import getaddresses
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from helpdesk import site
from helpdesk.accounts.models import User
from helpdesk.models import SiteSettings
from helpdesk.outbox.compose import compose
from helpdesk.outbox.models import Letter
from tickets import actions, following, participants
from tickets.models import Ticket
from tickets.sweeping import sweep
from tickets.waking import wake

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def later(minutes: int) -> datetime:
    return AT + timedelta(minutes=minutes)


def file(cast: Any, **more: Any) -> Ticket:
    given = {"title": "Lag", "description": "lag", "category": "technical", "impact": "production_down"}
    given |= {"urgency": "urgent", "customer": cast.acme, "by": cast.cora, "at": AT}
    return actions.open_ticket(**(given | more))


def mails() -> dict[str, set[str]]:
    """The mails that leave, by kind: the first names of their readers. They are gone then."""
    found: dict[str, set[str]] = {}
    for letter in Letter.objects.order_by("pk"):
        mail = compose(letter, later(60))
        assert mail is not None, letter.kind
        readers = {a.partition("@")[0] for _name, a in getaddresses([*mail.to, *mail.cc])}
        found.setdefault(letter.kind, set()).update(readers)
    Letter.objects.all().delete()
    return found


def without(person: User, *topics: str) -> None:
    """Switched off at the door."""
    client = Client()
    client.force_login(person)
    offered = (
        {"filed", "replies", "closings"} if not person.staff_role else {"assigned", "mentioned", "warning", "followed"}
    )
    form = {"after_send": "stay", "mails": sorted(offered - set(topics))}
    assert client.post("/account/preferences", form).status_code == 303


def version(ticket: Ticket) -> int:
    return Ticket.objects.get(pk=ticket.pk).version


def test_nobody_gets_a_mail_of_what_they_did_but_the_receipt(cast: Any) -> None:
    ticket = file(cast)
    participants.add(ticket=ticket, person=cast.cody, by=cast.cora, at=later(1))
    following.follow(ticket=ticket, by=cast.lee, at=later(1))
    assert mails() == {"ticket.received": {"cora"}, "ticket.assigned": {"ana"}, "ticket.shared": {"cody"}}
    done = {
        cast.ana: lambda at: actions.reply(ticket=ticket, body="x", by=cast.ana, at=at),
        cast.cora: lambda at: actions.reply(ticket=ticket, body="x", by=cast.cora, at=at),
        cast.cody: lambda at: actions.reply(ticket=ticket, body="x", by=cast.cody, at=at),
        cast.lee: lambda at: actions.note(ticket=ticket, body="@Ana @Ada", by=cast.lee, at=at),
        cast.ada: lambda at: actions.prioritise(
            ticket=ticket, version=version(ticket), priority="high", reason="r", by=cast.ada, at=at
        ),
    }
    for minute, (who, do) in enumerate(done.items()):
        do(later(2 + minute))
        heard = mails()
        assert heard
        assert all(who.email.partition("@")[0] not in readers for readers in heard.values()), (who, heard)
    actions.resolve(ticket=ticket, version=version(ticket), body="x", by=cast.ana, at=later(8))
    assert mails() == {"ticket.resolved": {"cora", "cody"}}
    actions.reopen(ticket=ticket, version=version(ticket), body="x", by=cast.cora, at=later(9))
    assert mails() == {"ticket.reopened": {"cody", "ana", "lee", "ada"}}


def test_a_customer_does_without_receipts_answers_and_closings(cast: Any) -> None:
    without(cast.cora, "filed", "replies", "closings")
    ticket = file(cast, by=User.objects.get(pk=cast.cora.pk))
    assert "ticket.received" not in mails()
    participants.add(ticket=ticket, person=cast.cody, by=cast.cora, at=later(1))
    assert mails() == {"ticket.shared": {"cody"}}
    actions.reply(ticket=ticket, body="x", by=cast.ana, at=later(2))
    assert mails() == {"ticket.answered": {"cody"}}, "the colleague still gets it"
    actions.reply(ticket=ticket, body="x", by=cast.cody, at=later(3))
    assert "ticket.colleague_replied" not in mails()
    actions.reply(ticket=ticket, body="x", by=cast.ana, at=later(4), then="ask")
    assert mails() == {"ticket.asked": {"cora", "cody"}}, "a question is always sent"
    actions.reply(ticket=ticket, body="x", by=cast.cora, at=later(5))
    mails()
    actions.resolve(ticket=ticket, version=version(ticket), body="x", by=cast.ana, at=later(6))
    assert mails() == {"ticket.resolved": {"cora", "cody"}}, "and a solution to confirm"
    actions.close(ticket=ticket, version=version(ticket), by=cast.carla, at=later(7))
    assert mails() == {"ticket.closed": {"cody", "ana"}}


def test_a_colleague_does_without_what_they_find_anyway(cast: Any) -> None:
    without(cast.ana, "assigned", "mentioned")
    without(cast.lee, "followed")
    ticket = file(cast)
    assert mails() == {"ticket.received": {"cora"}}
    following.follow(ticket=ticket, by=cast.lee, at=later(1))
    following.follow(ticket=ticket, by=cast.ada, at=later(1))
    actions.reply(ticket=ticket, body="x", by=cast.cora, at=later(2))
    assert mails() == {"ticket.customer_replied": {"ana", "ada"}}
    actions.note(ticket=ticket, body="@Ana look", by=cast.ada, at=later(3))
    assert mails() == {}, "who is called and does without that hears nothing of the same note by another name"
    actions.assign(ticket=ticket, version=version(ticket), to=cast.lee, reason="r", by=cast.ana, at=later(4))
    assert mails() == {"ticket.assigned": {"lee", "ada"}}, "to whom a ticket belongs does not only follow it"


def test_preferences_cost_no_statement(cast: Any) -> None:
    ticket = file(cast)

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            actions.reply(ticket=ticket, body="x", by=cast.cora, at=later(2))
        return len(asked)

    before = cost()
    User.objects.update(no_mail=["replies", "followed", "assigned"])
    assert cost() == before


def test_a_warning_can_be_done_without_and_a_broken_promise_not(cast: Any) -> None:
    without(cast.ana, "warning")
    without(cast.lee, "warning")
    site.hold(SiteSettings(director_mail="director@desk.example"))
    ticket = file(cast)
    mails()
    sweep(AT + timedelta(minutes=14))
    assert mails() == {"ticket.warning": {"ada", "abe"}}
    sweep(AT + timedelta(minutes=16))
    assert mails()["ticket.breached"] == {"ana", "lee", "ada", "abe", "director"}
    assert ticket.pk


def test_what_the_desk_does_by_itself_is_told_while_it_is_so(cast: Any) -> None:
    ticket = file(cast)
    actions.reply(ticket=ticket, body="x", by=cast.ana, at=later(1), then="ask")
    mails()
    wake(later(1) + timedelta(days=3))
    reminder = Letter.objects.get(kind="ticket.reminder")
    assert compose(reminder, later(2) + timedelta(days=3)) is not None
    wake(later(1) + timedelta(days=7, minutes=1))
    reminder.delete()
    assert mails() == {"ticket.auto_resolved": {"cora", "ana"}}
    resolved = later(1) + timedelta(days=7, minutes=1)
    wake(resolved + timedelta(days=5))
    soon = compose(Letter.objects.get(kind="ticket.closing_soon"), resolved + timedelta(days=5))
    assert soon is not None
    assert "3 月 16 日" in soon.body, "the day on which the window ends"
    assert mails() == {"ticket.closing_soon": {"cora"}}
    wake(resolved + timedelta(days=7, minutes=1))
    assert mails() == {"ticket.auto_closed": {"cora", "ana"}}
    assert Ticket.objects.get(pk=ticket.pk).status == "closed"
