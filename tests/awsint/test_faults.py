"""Whatever fails on the way: nothing is lost or comes twice, one account's trouble is no other's (R-01, R-06)."""

import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import connection

from awsint import cases, leases, notices, polling, tasks
from awsint.client import sessions
from awsint.models import CallLog, Change, Communication, Poll, Round, SupportCase, Via
from helpdesk import schedule
from helpdesk.outbox.models import Letter
from tests.accounts.many import at_once
from tests.awsint.conftest import ACME, EXTERNAL, connected, hub_of
from tests.awsint.simulator import Sim
from tests.cast import Cast, assemble
from tickets.models import Message, Ticket

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
GLOBEX = "444455556666"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_a: 0.0)
    monkeypatch.setattr("awsint.client.buckets.take", lambda *_a: None)


class Clock:
    """Our own clock, told what to say."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def on(self, minutes: float = 10.6) -> "Clock":
        """So much later that whoever was read is due again."""
        self.at += timedelta(minutes=minutes)
        return self


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(committed: None, sim: Sim) -> Cast:
    """The cast and a hub in a database whose writes are real commits; AWS's clock stands."""
    sim.world.set_clock(NOON)
    cast = assemble()
    hub_of("aws")
    return cast


def bite(clock: Clock) -> Round | None:
    return polling.bite(clock, seconds=60)


def state(number: str) -> Poll:
    return Poll.objects.get(account__number=number)


# --- One account's trouble -------------------------------------------------------------------------------------------


def test_one_of_two_hundred_without_a_plan_is_nobody_elses_trouble(desk: Cast, sim: Sim, clock: Clock) -> None:
    numbers = [f"{n:012}" for n in range(1, 201)]
    for number in numbers:
        connected(sim, desk, number, f"external-id-of-{number}")
    bad = numbers[117]
    sim.world.accounts[bad].plan = "none"
    assert bite(clock)
    others = Poll.objects.exclude(account__number=bad)
    assert others.filter(state="OK", failures=0, read_at=NOON).count() == 199
    poll = state(bad)
    assert (poll.state, poll.code, poll.since, poll.read_at) == ("NO_PLAN", "SubscriptionRequiredException", NOON, None)
    # Each was called with its own credentials alone.
    assert {account for account, _operation in sim.world.calls} == set(numbers)
    assert CallLog.objects.filter(result="SubscriptionRequiredException").count() == 1
    # The others are due again in ten minutes, this one only tomorrow; nobody is told a second time.
    assert leases.due(clock.on().at) == 199
    others.update(next_at=NOON + timedelta(days=9))
    assert bite(clock.on(24 * 60))
    assert list(Round.objects.order_by("id").values_list("due", "read", "failed")) == [(200, 199, 1), (1, 0, 1)]
    assert list(Letter.objects.values_list("kind", "to_key")) == [("aws.account_unread", desk.lee.key)]
    # It gets a plan, and is found again without anybody.
    sim.world.accounts[bad].plan = "business"
    bite(clock.on(24 * 60 + 1))
    assert (state(bad).state, state(bad).since, state(bad).told_at) == ("OK", None, None)


@pytest.mark.parametrize(
    ("break_it", "kind", "code"),
    [
        (lambda sim: sim.fault("throttle", account=ACME, times=5), "THROTTLED", "ThrottlingException"),
        (lambda sim: sim.fault("error", account=ACME, times=5), "ERROR", "InternalServerError"),
        (lambda sim: sim.fault("denied", account=ACME, times=1), "ACCESS_DENIED", "AccessDeniedException"),
        (lambda sim: sim.account(ACME, external_id="another"), "ACCESS_DENIED", "AccessDenied"),
        (lambda sim: sim.account(ACME, denied=True), "ACCESS_DENIED", "AccessDenied"),
        (lambda sim: sim.account(ACME, plan="none"), "NO_PLAN", "SubscriptionRequiredException"),
    ],
)
def test_what_is_wrong_with_an_account_is_known_and_passes(
    desk: Cast, sim: Sim, clock: Clock, break_it: Callable[[Sim], Any], kind: str, code: str
) -> None:
    for number, external in ((ACME, EXTERNAL), (GLOBEX, "globex-external-id")):
        connected(sim, desk, number, external)
        sim.open(number, f"of {number}", "body")
    break_it(sim)
    bite(clock)
    poll = state(ACME)
    assert (poll.state, poll.code, poll.since, poll.failures) == (kind, code, NOON, 1)
    assert (state(GLOBEX).state, Ticket.objects.count()) == ("OK", 1)
    assert notices.hubs_down() == set()
    sim.account(ACME, external_id=EXTERNAL, denied=False, plan="business")
    bite(clock.on(24 * 60 + 1))
    assert (state(ACME).state, Ticket.objects.count()) == ("OK", 2)


def test_credentials_that_run_out_are_no_trouble(desk: Cast, sim: Sim, clock: Clock) -> None:
    connected(sim, desk, ACME, EXTERNAL)
    bite(clock)
    sim.world.expire(ACME)
    sim.open(ACME, "case", "body")
    bite(clock.on())
    assert (state(ACME).state, Ticket.objects.count()) == ("OK", 1)


def test_another_customers_number_or_error_stands_in_nothing_a_customer_gets(
    desk: Cast, sim: Sim, clock: Clock
) -> None:
    """A-04: what AWS says of an account goes to the staff alone."""
    connected(sim, desk, ACME, EXTERNAL)
    connected(sim, desk, GLOBEX, "globex-external-id", customer=desk.globex)
    sim.open(GLOBEX, "lag", "Replica lag.")
    sim.account(ACME, denied=True)
    bite(clock)
    staff = {desk.lee.key}
    assert {letter.to_key for letter in Letter.objects.filter(kind__startswith="aws.")} == staff
    for letter in Letter.objects.exclude(to_key__in=staff):
        assert ACME not in str(letter.data)
        assert "arn:" not in str(letter.data)
    assert Ticket.objects.get().customer == desk.globex


# --- Our own trouble -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", ["sts", "clock", "roles"])
def test_where_we_ourselves_are_refused_no_account_is_to_blame(
    desk: Cast, sim: Sim, clock: Clock, trouble: str
) -> None:
    accounts = [connected(sim, desk, f"{n + 1:012}", f"external-id-{n}") for n in range(8)]
    before = ("NEW", 0)
    if trouble == "sts":
        sim.fault("sts-down", operation="AssumeRole", times=1000)
    elif trouble == "roles":
        # All let us in yesterday, and none does today.
        Poll.objects.update(state="OK")
        before = ("OK", 0)
        for account in accounts:
            sim.account(account.number, denied=True)
    else:
        sim.world.skew = timedelta(minutes=20)
        sim.world.set_clock(None)
    bite(clock)
    assert notices.hubs_down() == {"aws"}
    blamed = Poll.objects.exclude(state=before[0]).count()
    assert blamed == 0 or (trouble == "roles" and blamed < polling.REFUSALS)
    assert (*before,) in set(Poll.objects.values_list("state", "failures"))
    for _minute in range(3):
        # One is tried each time, and the others wait for it.
        heart = bite(clock.on(1))
        assert heart is not None
        assert (heart.read, heart.failed) == (0, 1)
    assert list(Letter.objects.exclude(kind="aws.account_unread").values_list("kind", flat=True)) == ["aws.hub_down"]
    # No task asks for the next one meanwhile; the schedule does each minute.
    assert leases.bites_wanted(clock.at, notices.hubs_down()) == 0
    assert leases.bites_wanted(clock.at) == 1
    sim.world.faults.clear()
    sim.world.skew = timedelta(0)
    for account in accounts:
        sim.account(account.number, denied=False)
    Poll.objects.update(next_at=clock.on(1).at)
    heart = bite(clock)
    assert heart is not None
    assert (heart.read, heart.failed) == (8, 0)
    assert notices.hubs_down() == set()
    assert set(Poll.objects.values_list("state", flat=True)) == {"OK"}


def test_the_schedule_enrols_and_reads_by_itself(desk: Cast, sim: Sim) -> None:
    connected(sim, desk, ACME, EXTERNAL)
    Poll.objects.all().delete()
    sim.open(ACME, "case", "body")
    assert tasks.poll_cases() == 1
    assert tasks.read_accounts() == 1
    assert (tasks.poll_cases(), tasks.read_accounts(), tasks.fetch_files()) == (0, 0, 0)
    assert Ticket.objects.count() == 1
    named = [func for _name, func, _cron in schedule.JOBS]
    assert {"awsint.tasks.poll_cases", "awsint.tasks.fetch_files"} <= set(named)


# --- Two at once -----------------------------------------------------------------------------------------------------


def test_two_pollers_and_a_push_bring_each_word_once(desk: Cast, sim: Sim, clock: Clock) -> None:
    account = connected(sim, desk, ACME, EXTERNAL)
    bite(clock)
    clock.on()
    for n in range(4):
        case = sim.open(ACME, f"case {n}", "body")
        sim.answer(case, "same moment")
        sim.answer(case, "same moment too")
    found = [case.number for case in sim.world.cases[ACME].values()]

    def act(n: int) -> None:
        if n == 0:
            bite(clock)
        elif n == 1:
            cases.sync_account(account, Via.POLL, clock.at)
        else:
            for number in found:
                cases.read_case(account, number, Via.PUSH, clock.at)

    at_once(4, act)
    assert (SupportCase.objects.count(), Ticket.objects.count(), Communication.objects.count()) == (4, 4, 12)
    assert Message.objects.count() == 12
    assert Change.objects.filter(what="case").count() == 4
    assert Change.objects.filter(what="communication").count() == 12
    assert Letter.objects.filter(kind="ticket.received").count() == 4


def test_a_stalled_reader_writes_nothing_once_another_has_the_account(desk: Cast, sim: Sim, clock: Clock) -> None:
    connected(sim, desk, ACME, EXTERNAL)
    sim.open(ACME, "case", "body")
    (stalled,) = leases.claim(1, clock.at)
    (other,) = leases.claim(1, clock.on(3).at)
    with pytest.raises(leases.Stale):
        cases.sync(stalled, at=clock.at, calls=cases.Calls(), until=1e12)
    assert SupportCase.objects.count() == 0
    cases.sync(other, at=clock.at, calls=cases.Calls(), until=1e12)
    assert SupportCase.objects.count() == 1


def test_a_reading_that_takes_too_long_goes_on_next_time(desk: Cast, sim: Sim, clock: Clock) -> None:
    connected(sim, desk, ACME, EXTERNAL)
    for n in range(3):
        sim.open(ACME, f"case {n}", "body")
    (lease,) = leases.claim(1, clock.at)
    synced = cases.sync(lease, at=clock.at, calls=cases.Calls(), until=0.0)
    assert not synced.finished
    assert leases.done(lease, clock.at, whole=synced.whole, finished=synced.finished)
    assert (state(ACME).first_at, state(ACME).read_at, state(ACME).next_at) == (None, None, clock.at)
    bite(clock)
    assert (state(ACME).read_at, Ticket.objects.count()) == (clock.at, 3)


# --- kill -9 ---------------------------------------------------------------------------------------------------------

POINTS = [
    # After AWS's first page, after the rows before the commit, after the commit before the next case, before the end.
    ("awsint.cases:_compare", False),
    ("awsint.speaking:tell", True),
    ("awsint.importing:bring", True),
    ("awsint.leases:done", False),
    ("awsint.leases:done", True),
]


@pytest.mark.parametrize(("point", "after"), POINTS)
def test_a_reader_that_is_killed_has_lost_nothing_and_told_nothing_twice(
    desk: Cast, sim: Sim, clock: Clock, point: str, after: bool
) -> None:
    connected(sim, desk, ACME, EXTERNAL)
    bite(clock)
    clock.on()
    for n in range(2):
        sim.answer(sim.open(ACME, f"case {n}", "body"), "AWS says")
    killed_at(point, lambda: bite(clock), after=after)
    for row in SupportCase.objects.all():
        # Never ahead of what is stored.
        assert row.said_at == max(row.said.values_list("created_at", flat=True))
    # The lease lapses within three minutes.
    bite(clock.on(3))
    bite(clock.on())
    assert (SupportCase.objects.count(), Communication.objects.count(), Ticket.objects.count()) == (2, 4, 2)
    assert Message.objects.count() == 4
    assert Letter.objects.filter(kind="ticket.received").count() == 2
    assert Communication.objects.filter(message=None).count() == 0


def killed_at(point: str, work: Callable[[], Any], *, after: bool) -> None:
    """Does the work in a process that kill -9 ends right before, or right after, it comes to this point."""
    connection.close()
    sessions.forget()
    child = os.fork()
    if child == 0:
        module, name = import_module(point.partition(":")[0]), point.partition(":")[2]
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
