"""Several pulses, replies in the due second, kill -9 anywhere: a breach is written and told once, nothing drifts."""

import os
import random
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from helpdesk.audit.models import Entry
from helpdesk.outbox.models import Letter
from sla.models import Breach, Clock, Warning
from tests.accounts.many import at_once
from tests.cast import Cast, assemble
from tickets import actions, drift, sweeping, waking
from tickets.models import Ticket

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.story,
    # Newer Pythons warn of forking beside threads: the child opens a connection of its own and dies.
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]
T0 = datetime.fromisoformat("2026-03-02T10:00:00+00:00")
DUE = T0 + timedelta(minutes=15)
SECOND = timedelta(seconds=1)


@pytest.fixture
def cast(committed: None) -> Cast:
    return assemble()


def opened(cast: Cast, at: datetime = T0, count: int = 1) -> list[Ticket]:
    return [
        actions.open_ticket(
            customer=cast.acme,
            title="All at once",
            description="Several look at it.",
            category="technical",
            impact="production_down",
            urgency="urgent",
            by=cast.cora,
            at=at,
        )
        for _ in range(count)
    ]


def told(ticket: Ticket) -> tuple[int, int, bool, int]:
    """Of the first answer: breach rows, lines of history, whether anybody was told, letters beyond one a reader."""
    letters = Letter.objects.filter(subject=ticket.ref, kind="ticket.breached", data__kind="response")
    return (
        Breach.objects.filter(subject=ticket.ref, kind="response").count(),
        Entry.objects.filter(subject=ticket.ref, action="ticket.breached", data__kind="response").count(),
        letters.exists(),
        letters.count() - letters.values("to_key").distinct().count(),
    )


ONCE, NEVER = (1, 1, True, 0), (0, 0, False, 0)


def no_drift(at: datetime) -> None:
    found = drift.compare(at)
    assert (found.drifts, found.waiting) == ([], 0)


def test_two_pulses_at_once_fifty_times(cast: Cast) -> None:
    for _ in range(50):
        (ticket,) = opened(cast)
        at_once(2, lambda n: sweeping.sweep(DUE + (n + 1) * SECOND))
        assert told(ticket) == ONCE
    # A ticket that one of the two held is not left behind.
    sweeping.sweep(DUE + 60 * SECOND)
    no_drift(DUE + 60 * SECOND)


def test_two_pulses_share_a_heap_of_tickets(cast: Cast) -> None:
    tickets = opened(cast, count=40)
    came = at_once(3, lambda n: sweeping.sweep(DUE + 5 * SECOND))
    assert [told(ticket) for ticket in tickets] == [ONCE] * 40
    # Nobody can take so many: that is broken too, among ourselves.
    assert sum(swept.breached for swept in came) == Breach.objects.count() > 40
    assert not any(swept.failed for swept in came)


def test_a_reply_and_the_sweep_in_the_due_second_two_hundred_times(cast: Cast) -> None:
    """Whichever comes first: the promise is kept by a word of the due second, and broken by one a second later."""
    chance = random.Random(1042)
    tickets = opened(cast, count=200)

    def race(ticket: Ticket, when: datetime, swept: datetime) -> None:
        def act(n: int) -> None:
            if n:
                sweeping.look(ticket.ref, swept)
            else:
                actions.reply(ticket=ticket, body="On it", by=cast.ana, at=when)

        at_once(2, act)

    for ticket in tickets:
        race(ticket, DUE + chance.choice([0, 1]) * SECOND, DUE + chance.choice([0, 1]) * SECOND)
    sweeping.sweep(DUE + 60 * SECOND)
    no_drift(DUE + 60 * SECOND)
    verdicts = set()
    for ticket in tickets:
        clock = Clock.objects.get(subject=ticket.ref, kind="response")
        assert clock.completed_at is not None
        verdicts.add(clock.verdict)
        # Who locks second writes no earlier than who locked first: a word after the sweep that saw the breach is late.
        assert (clock.verdict == "breached") == (clock.completed_at > DUE)
        assert told(ticket) == (ONCE if clock.verdict == "breached" else NEVER)
    assert verdicts == {"met", "breached"}


def test_timers_of_two_pulses_take_each_step_once(cast: Cast) -> None:
    for _ in range(20):
        (ticket,) = opened(cast)
        actions.reply(ticket=ticket, body="Which?", by=cast.ana, at=T0 + 60 * SECOND, then="ask")
        for days, kind in ((3, "ticket.reminder"), (7, "ticket.auto_resolved"), (12, "ticket.closing_soon")):
            at_once(2, lambda n, days=days: waking.wake(T0 + timedelta(days=days, minutes=1)))
            letters = Letter.objects.filter(subject=ticket.ref, kind=kind)
            assert letters.count() == letters.values("to_key").distinct().count() > 0


# --- kill -9 ---------------------------------------------------------------------------------------------------------

# Where the process is killed, and what it works on: a clock that is broken, or one that is to be warned of.
POINTS = [
    "sla.clocks:ring",
    "sla.ringing:Warning.objects.bulk_create",
    "sla.ringing:Breach.objects.bulk_create",
    "tickets.deed:record",
    "tickets.deed:keep_due",
    "tickets.ladder:enqueue",
    "helpdesk.models:Heartbeat.beat",
]


def killed_at(point: str, work: Callable[[], Any], *, after: bool) -> None:
    """Does the work in a process that kill -9 ends right before, or right after, it comes to this point."""
    connection.close()
    child = os.fork()
    if child == 0:
        module, name = _owner(point)
        real = getattr(module, name)

        def die(*args: Any, **kwargs: Any) -> None:
            if after:
                real(*args, **kwargs)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(module, name, die)
        try:
            work()
        finally:
            os._exit(0)
    _pid, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL, f"the work never came to {point}"


def _owner(point: str) -> tuple[Any, str]:
    """The module, or the object in it, whose attribute the point is."""
    module, *names = point.split(":")[1].split(".")
    owner: Any = import_module(point.split(":")[0])
    for name in [module, *names][:-1]:
        owner = getattr(owner, name)
    return owner, [module, *names][-1]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("point", POINTS)
def test_a_sweep_that_is_killed_loses_and_doubles_nothing(cast: Cast, point: str, after: bool) -> None:
    first, second = opened(cast, count=2)
    now = DUE + 5 * SECOND
    killed_at(point, lambda: sweeping.sweep(now), after=after)
    for ticket in (first, second):
        assert told(ticket) in (ONCE, NEVER), "all of it or nothing"
    sweeping.sweep(now + 60 * SECOND)
    assert [told(first), told(second)] == [ONCE, ONCE]
    assert Warning.objects.filter(superseded=True).count() == 6
    no_drift(now + 60 * SECOND)


@pytest.mark.parametrize("point", ["tickets.ladder:enqueue", "tickets.deed:record"])
def test_a_warning_that_is_killed_comes_once(cast: Cast, point: str) -> None:
    (ticket,) = opened(cast)
    now = T0 + timedelta(minutes=8)
    killed_at(point, lambda: sweeping.sweep(now), after=True)
    assert not Warning.objects.exists()
    sweeping.sweep(now + 60 * SECOND)
    assert Letter.objects.filter(subject=ticket.ref, kind="ticket.warning").count() == 1


@pytest.mark.parametrize("point", ["tickets.notify:enqueue", "tickets.deed:record"])
@pytest.mark.parametrize(("days", "kind"), [(3, "ticket.reminder"), (7, "ticket.auto_resolved")])
def test_a_timer_that_is_killed_is_taken_once(cast: Cast, point: str, days: int, kind: str) -> None:
    (ticket,) = opened(cast)
    actions.reply(ticket=ticket, body="Which?", by=cast.ana, at=T0 + 60 * SECOND, then="ask")
    now = T0 + timedelta(days=days, minutes=2)
    killed_at(point, lambda: waking.wake_one(ticket.pk, now), after=True)
    assert not Letter.objects.filter(subject=ticket.ref, kind=kind).exists()
    waking.wake(now + 60 * SECOND)
    letters = Letter.objects.filter(subject=ticket.ref, kind=kind)
    assert letters.count() == letters.values("to_key").distinct().count() > 0
    no_drift(now + 60 * SECOND)


# --- Drift -----------------------------------------------------------------------------------------------------------


def test_the_command_says_what_differs_and_ends_with_one(cast: Cast, capsys: Any) -> None:
    first, second = opened(cast, timezone.now() - timedelta(minutes=5), count=2)
    call_command("sla_drift")
    assert capsys.readouterr().out.startswith("2 tickets compared, 0 wait for the sweep, 0 differences")
    Clock.objects.filter(subject=first.ref, kind="response").update(due_at=DUE)
    with transaction.atomic():
        Ticket.objects.filter(pk=second.pk).update(wake_at=T0)
    with pytest.raises(CommandError) as refused:
        call_command("sla_drift")
    assert refused.value.returncode == 1
    out = capsys.readouterr().out
    assert f"{first.ref} response due_at: {DUE}" in out
    assert f"{second.ref} ticket wake_at: {T0}" in out
    assert "2 differences" in out


def test_what_is_due_this_minute_is_no_drift(cast: Cast) -> None:
    opened(cast)
    found = drift.compare(DUE + SECOND)
    assert (found.tickets, found.waiting, found.drifts) == (1, 1, [])
