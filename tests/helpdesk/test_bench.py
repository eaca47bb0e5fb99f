"""The many tickets of the bench are such as the desk itself would have written."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry
from helpdesk.bench import assigning, load, people, reporting, sweeping
from helpdesk.bench.lives import ENTRIES, MESSAGES
from sla import alarms, clocks
from sla.models import Clock
from tickets import actions, loads
from tickets.deed import NO_DUE
from tickets.models import OPEN, AssignmentDecision, Load, Message, Status, Ticket

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
COUNT = 300


@pytest.fixture
def told() -> list[tuple[int, int]]:
    drawn: list[tuple[int, int]] = []
    load.load(COUNT, at=AT, companies=10, progress=lambda done, count: drawn.append((done, count)))
    return drawn


@pytest.mark.usefixtures("told")
def test_every_ticket_has_its_messages_its_history_and_its_clocks() -> None:
    assert Ticket.objects.count() == COUNT
    said, written, timed = defaultdict(list), defaultdict(list), defaultdict(list)
    for message in Message.objects.order_by("at", "id"):
        said[message.ticket_id].append(message)
    for entry in Entry.objects.order_by("at", "id"):
        written[entry.subject].append(entry)
    for clock in Clock.objects.order_by("id"):
        timed[clock.subject].append(clock)
    for ticket in Ticket.objects.select_related("assigned_to"):
        messages, entries = said[ticket.pk], written[ticket.ref]
        assert [m.kind for m in messages] == ["opening"] + ["reply"] * (MESSAGES - 1)
        assert messages[0].author_id == ticket.requester_id
        assert len(entries) == ENTRIES
        assert entries[0].action == "ticket.opened"
        assert [e.data["message"] for e in entries if "message" in e.data] == [m.pk for m in messages]
        assert [e.pk for e in entries] == sorted(e.pk for e in entries)
        assert entries[-1].at == ticket.last_event_at <= AT
        assert {e.customer for e in entries} == {ticket.customer_id}
        holder = [e.data["to"] for e in entries if e.action == "ticket.assigned"][-1]
        assert holder == (ticket.assigned_to.key if ticket.assigned_to else None)
        assert [c.kind for c in timed[ticket.ref]][:2] == ["response", "resolution"]
        assert [c.kind for c in timed[ticket.ref]][-1] == "ola_assign"


@pytest.mark.usefixtures("told")
def test_history_leads_to_the_status_the_clocks_and_the_place_in_the_queue() -> None:
    for ticket in Ticket.objects.all():
        terms = clocks.Terms(ticket.policy_id, ticket.plan_id, ticket.calendar_id)
        reckoning = clocks.reckon(ticket.ref, terms=terms, at=AT)
        assert (reckoning.status, reckoning.priority) == (ticket.status, ticket.priority_id)
        stored = clocks.all_of_subjects([ticket.ref])[ticket.ref]
        for clock, state in zip(stored, reckoning.clocks, strict=True):
            facts = ("target_s", "started_at", "due_at", "completed_at", "breached_at", "verdict")
            assert clock.next_event_at == alarms.next_event_at(state, AT)
            assert {f: getattr(clock, f) for f in facts} == {f: getattr(state, f) for f in facts}, ticket.ref
            assert (clock.running_s, clock.remaining_s) == (state.running_s, state.remaining_s)
        due = clocks.next_due(stored)
        assert (ticket.sla_due_at, ticket.due_kind) == (due or (None, ""))
        assert ticket.queue_at == (ticket.sla_due_at or NO_DUE)


@pytest.mark.usefixtures("told")
def test_the_viewers_have_as_many_tickets_as_the_bench_says() -> None:
    def seen(email: str) -> Any:
        return Ticket.objects.visible_to(User.objects.get(email=email))

    assert seen(people.SMALL_ADMIN).count() == load.SMALL
    assert seen(people.SMALL_ADMIN).filter(status__in=OPEN).count() == load.SMALL_OPEN
    assert seen(people.BIG_ADMIN).count() == COUNT // 5
    assert Ticket.objects.filter(assigned_to__email=people.TRAINEE, status__in=OPEN).count() == load.TRAINEES
    assert Ticket.objects.filter(status__in=OPEN).count() == COUNT // 3
    assert Ticket.objects.filter(created_at__lt=AT - timedelta(days=700)).exists()


@pytest.mark.usefixtures("told")
def test_work_goes_on_where_the_loader_stopped() -> None:
    engineer = User.objects.get(email=people.ENGINEER)
    ticket = Ticket.objects.filter(status=Status.IN_PROGRESS).latest("id")
    last = Message.objects.latest("id").pk
    assert actions.reply(ticket=ticket, body="Go on.", by=engineer, at=AT).pk == last + 1
    requester = ticket.requester
    newer = actions.open_ticket(
        customer=ticket.customer, title="New", description="New", category="technical", impact="question",
        urgency="wait", by=requester, at=AT,
    )  # fmt: skip
    assert newer.pk == 1000 + COUNT + 1


def test_progress_is_told_to_the_end(told: list[tuple[int, int]]) -> None:
    assert told[-1] == (COUNT, COUNT)
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM tickets_ticket_id_seq")
        assert cursor.fetchone() == (1000 + COUNT,)


@pytest.mark.usefixtures("told")
def test_choosing_among_many_engineers_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assigning, "ROUNDS", 2)
    monkeypatch.setattr(assigning, "MANY", 40)
    before = User.objects.count(), Load.objects.count(), AssignmentDecision.objects.count()
    assert [name for name, _ms in assigning.taken()] == ["choose", "keep", "both"]
    assert (User.objects.count(), Load.objects.count(), AssignmentDecision.objects.count()) == before
    assert loads.reconcile() == "no drift"


def test_due_clocks_are_found_by_their_index_without_sorting() -> None:
    taken = sweeping.measured(AT, count=20_000)
    assert (taken.found, taken.index, taken.sorts) == (sweeping.DUE, "sla_clock_next_event_at_id_idx", False)
    assert taken.rows <= sweeping.MOST_ROWS
    assert not Clock.objects.exists(), "nothing of it stays"


@pytest.mark.usefixtures("committed")
def test_a_report_over_many_clocks_leaves_no_trace() -> None:
    taken = reporting.measured(AT, clocks=20_000)
    assert all(one.rows > 0 for one in taken)
    assert sum(one.name in reporting.PAGE for one in taken) == len(reporting.PAGE)
    (weeks,) = [one for one in taken if one.name == "over time, by week"]
    assert "Index" in "".join(weeks.plan), weeks.plan
    assert not Clock.objects.exists(), "nothing of it stays"
