"""What an action writes, all of it or nothing: status, history, clocks, letters."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from helpdesk.audit.models import Entry
from helpdesk.outbox.models import Letter
from sla.models import Clock
from tickets import actions, deed, notify, workflow
from tickets.models import Message, Status, Ticket

T0 = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def minutes(n: float) -> datetime:
    return T0 + timedelta(minutes=n)


@pytest.fixture
def ticket(cast: Any) -> Ticket:
    return file(cast)


def file(cast: Any, **more: Any) -> Ticket:
    given = {
        "customer": cast.acme,
        "title": "数据库连接超时",
        "description": "从 **09:58** 开始",
        "category": "technical",
        "impact": "production_down",
        "urgency": "urgent",
        "by": cast.cora,
        "at": T0,
    }
    return actions.open_ticket(**(given | more))


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def clocks(ticket: Ticket) -> dict[str, Clock]:
    return {c.kind: c for c in Clock.objects.filter(subject=ticket.ref)}


def history(ticket: Ticket) -> list[str]:
    return list(Entry.objects.filter(subject=ticket.ref).order_by("at", "id").values_list("action", flat=True))


def letters(ticket: Ticket) -> list[tuple[str, str]]:
    return list(Letter.objects.filter(subject=ticket.ref).order_by("id").values_list("kind", "to_address"))


def test_opening_promises_by_the_policy(cast: Any, ticket: Ticket) -> None:
    assert (ticket.priority_id, ticket.status, ticket.version) == ("critical", "new", 1)
    both = clocks(ticket)
    assert both["response"].due_at == minutes(15)
    assert both["resolution"].due_at == minutes(240)
    # Half of the time used: the first to be warned of.
    assert both["response"].next_event_at == minutes(7.5)
    assert (ticket.sla_due_at, ticket.due_kind, ticket.queue_at) == (minutes(15), "response", minutes(15))
    assert ticket.assigned_to == cast.ana
    assert history(ticket) == ["ticket.opened", "ticket.assigned"]
    assert letters(ticket) == [("ticket.received", cast.cora.email), ("ticket.assigned", cast.ana.email)]
    assert "<strong>09:58</strong>" in ticket.messages.get().html


def test_a_reply_that_asks_answers_first_and_pauses_then(cast: Any, ticket: Ticket) -> None:
    actions.reply(ticket=ticket, body="Which database?", by=cast.ana, at=minutes(10), then="ask")
    ticket = fresh(ticket)
    both = clocks(ticket)
    assert (both["response"].verdict, both["response"].completed_at) == ("met", minutes(10))
    assert (both["resolution"].verdict, both["resolution"].remaining_s) == ("paused", 230 * 60)
    assert (ticket.status, ticket.sla_due_at) == ("waiting_customer", None)
    assert ticket.queue_at.year == 9999
    assert ticket.assigned_to == cast.ana
    assert history(ticket) == ["ticket.opened", "ticket.assigned", "ticket.replied", "ticket.started", "ticket.asked"]
    # One letter for one step, of the kind that asks something of the reader.
    assert letters(ticket)[2:] == [("ticket.asked", cast.cora.email)]


def test_the_customers_word_resumes_at_its_time(cast: Any, ticket: Ticket) -> None:
    actions.reply(ticket=ticket, body="Which?", by=cast.ana, at=minutes(10), then="ask")
    actions.reply(ticket=ticket, body="orders-prod", by=cast.cora, at=minutes(70))
    ticket = fresh(ticket)
    assert (ticket.status, ticket.sla_due_at, ticket.due_kind) == ("in_progress", minutes(130), "update")
    assert clocks(ticket)["resolution"].due_at == minutes(300)
    assert clocks(ticket)["resolution"].paused_s == 3600
    assert letters(ticket)[-1] == ("ticket.customer_replied", cast.ana.email)


def test_resolve_confirm_and_the_end(cast: Any, ticket: Ticket) -> None:
    actions.reply(ticket=ticket, body="On it", by=cast.ana, at=minutes(5))
    resolved = actions.resolve(ticket=ticket, version=2, body="Pool was too small", by=cast.ana, at=minutes(60))
    closed = actions.close(ticket=resolved, version=resolved.version, by=cast.cora, at=minutes(90))
    assert (closed.status, closed.close_reason) == ("closed", "confirmed")
    assert clocks(ticket)["resolution"].verdict == "met"
    assert letters(ticket)[-2:] == [("ticket.resolved", cast.cora.email), ("ticket.closed", cast.ana.email)]
    with pytest.raises(workflow.Conflict, match="closed"), transaction.atomic():
        actions.reply(ticket=closed, body="One more thing", by=cast.cora, at=minutes(95))
    assert not Message.objects.filter(body="One more thing").exists()


def test_a_word_on_a_resolved_ticket_reopens_it_within_the_window(cast: Any, ticket: Ticket) -> None:
    actions.resolve(ticket=ticket, version=1, body="Done", by=cast.ana, at=minutes(60))
    actions.reply(ticket=ticket, body="Still slow", by=cast.cora, at=minutes(60 + 7 * 24 * 60))
    ticket = fresh(ticket)
    assert ticket.status == "in_progress"
    # One hour was used; the week in between does not count.
    assert clocks(ticket)["resolution"].due_at == minutes(60 + 7 * 24 * 60 + 180)


def test_after_the_window_a_follow_up_is_asked_for(cast: Any, ticket: Ticket) -> None:
    actions.resolve(ticket=ticket, version=1, body="Done", by=cast.ana, at=minutes(60))
    late = minutes(60 + 7 * 24 * 60 + 1)
    with pytest.raises(workflow.Conflict, match="follow-up"), transaction.atomic():
        actions.reply(ticket=ticket, body="Still slow", by=cast.cora, at=late)
    follow_up = file(cast, follows=fresh(ticket), at=late)
    assert follow_up.follows_id == ticket.pk
    assert history(follow_up) == ["ticket.opened", "ticket.followed_up", "ticket.assigned"]


def test_waiting_needs_a_word_of_ours_newer_than_theirs(cast: Any, ticket: Ticket) -> None:
    with pytest.raises(workflow.Refused) as refused, transaction.atomic():
        actions.ask(ticket=ticket, version=1, by=cast.ana, at=minutes(1))
    assert refused.value.field == "body"
    actions.reply(ticket=ticket, body="Looking", by=cast.ana, at=minutes(2))
    actions.reply(ticket=ticket, body="Thanks", by=cast.cora, at=minutes(3))
    with pytest.raises(workflow.Refused), transaction.atomic():
        actions.ask(ticket=ticket, version=3, by=cast.ana, at=minutes(4))
    actions.note(ticket=ticket, body="They hurry", by=cast.ana, at=minutes(5))
    actions.reply(ticket=ticket, body="Which?", by=cast.ana, at=minutes(6))
    assert actions.ask(ticket=ticket, version=5, by=cast.ana, at=minutes(7)).status == "waiting_customer"


def test_a_stale_version_changes_nothing(cast: Any, ticket: Ticket) -> None:
    actions.start(ticket=ticket, version=1, by=cast.ana, at=minutes(1))
    before = history(ticket)
    with pytest.raises(workflow.Conflict), transaction.atomic():
        actions.resolve(ticket=ticket, version=1, body="Done", by=cast.lee, at=minutes(2))
    assert history(ticket) == before
    assert fresh(ticket).status == "in_progress"


def test_lowering_late_needs_a_lead(cast: Any, ticket: Ticket) -> None:
    given = {"ticket": ticket, "version": 1, "priority": "low", "reason": "Only the test system"}
    with pytest.raises(workflow.Refused, match="lead"), transaction.atomic():
        actions.prioritise(**given, by=cast.ana, at=minutes(12))
    lowered = actions.prioritise(**given, by=cast.lee, at=minutes(12))
    assert lowered.sla_due_at == minutes(1440)
    assert Message.objects.get(ticket=ticket, kind="note").body == "Only the test system"
    assert ("ticket.prioritised", cast.cora.email) in letters(ticket)


def test_raising_past_the_new_target_is_a_breach_at_once(cast: Any) -> None:
    ticket = file(cast, impact="question", urgency="wait")
    actions.reply(ticket=ticket, body="Hello", by=cast.ana, at=minutes(60))
    raised = actions.prioritise(
        ticket=ticket, version=2, priority="critical", reason="It is production", by=cast.ana, at=minutes(300)
    )
    clock = clocks(ticket)["resolution"]
    assert (clock.verdict, clock.breached_at, clock.cause) == ("breached", minutes(300), "priority_raised")
    # Late, but still to be kept: it stays on top of the queue, below the update that has been owed for longer.
    assert clocks(ticket)["update"].due_at == raised.queue_at == minutes(120)
    assert clock.due_at == minutes(240)


def test_report_columns_freeze_when_a_clock_is_decided(cast: Any, ticket: Ticket) -> None:
    actions.reply(ticket=ticket, body="Hello", by=cast.ana, at=minutes(5))
    actions.assign(ticket=ticket, version=2, to=cast.lee, reason="Night shift", by=cast.ana, at=minutes(6))
    both = clocks(ticket)
    assert both["response"].engineer == cast.ana.key
    assert both["resolution"].engineer == cast.lee.key


def test_a_phone_ticket_was_answered_when_the_call_began(cast: Any) -> None:
    ticket = file(cast, requester=cast.cora, by=cast.ana, source="phone")
    assert clocks(ticket)["response"].verdict == "met"
    assert ticket.due_kind == "update"


def test_withdrawn_clocks_do_not_apply(cast: Any, ticket: Ticket) -> None:
    ended = actions.withdraw(ticket=ticket, version=1, reason="withdrawn", by=cast.cora, at=minutes(3))
    assert (ended.status, ended.close_reason) == ("closed", "withdrawn")
    assert {kind: c.verdict for kind, c in clocks(ticket).items()} == {
        "response": "n/a",
        "resolution": "n/a",
        # It had been given to somebody.
        "ola_assign": "met",
    }
    with pytest.raises(workflow.Refused), transaction.atomic():
        actions.withdraw(ticket=file(cast), version=1, reason="withdrawn", by=cast.ana, at=minutes(3))


def test_nothing_stands_when_history_cannot_be_written(
    cast: Any, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise IntegrityError("the history is on fire")

    monkeypatch.setattr(deed, "record", broken)
    with pytest.raises(IntegrityError), transaction.atomic():
        actions.reply(ticket=ticket, body="Lost?", by=cast.ana, at=minutes(5), then="resolve")
    assert (fresh(ticket).status, fresh(ticket).version) == (Status.NEW, 1)
    assert not Message.objects.filter(body="Lost?").exists()
    assert [kind for kind, _ in letters(ticket)] == ["ticket.received", "ticket.assigned"]


def test_nothing_stands_when_letters_cannot_be_written(
    cast: Any, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise IntegrityError("no more paper")

    monkeypatch.setattr(notify, "enqueue", broken)
    with pytest.raises(IntegrityError), transaction.atomic():
        actions.reply(ticket=ticket, body="Lost?", by=cast.ana, at=minutes(5))
    assert history(ticket) == ["ticket.opened", "ticket.assigned"]
    assert clocks(ticket)["response"].verdict == "open"


def test_time_never_runs_backwards_on_a_ticket(cast: Any, ticket: Ticket) -> None:
    actions.reply(ticket=ticket, body="One", by=cast.ana, at=minutes(10))
    actions.reply(ticket=ticket, body="Two", by=cast.ana, at=minutes(9.99))
    assert list(ticket.messages.order_by("id").values_list("at", flat=True))[1:] == [minutes(10), minutes(10)]


@pytest.mark.parametrize("sql", ["UPDATE audit_entry SET action = 'x'", "DELETE FROM audit_entry"])
def test_history_cannot_be_rewritten(ticket: Ticket, sql: str) -> None:
    with pytest.raises(Exception, match="only ever added"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE sla_target SET response_time_minutes = 99",
        "DELETE FROM sla_target",
        "UPDATE sla_policyversion SET effective_at = '2021-01-01Z'",
        "DELETE FROM sla_calendarversion",
    ],
)
def test_a_published_policy_cannot_be_rewritten(sql: str) -> None:
    with pytest.raises(Exception, match="stays as it is"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_customer_cannot_write_a_note_whatever_the_code_says(cast: Any, ticket: Ticket) -> None:
    with pytest.raises(workflow.Conflict), transaction.atomic():
        actions.note(ticket=ticket, body="Secret", by=cast.cora, at=minutes(1))
    with pytest.raises(IntegrityError, match="notes_are_ours"), transaction.atomic():
        Message.objects.create(
            ticket=ticket,
            kind="note",
            author=cast.cora,
            by_desk=False,
            source="web",
            body="x",
            html="x",
            at=T0,
            released_at=T0,
        )
