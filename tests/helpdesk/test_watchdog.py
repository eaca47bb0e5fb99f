"""When the watchdog starts the jobs afresh, and when it had better not; what comes back from a dead cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from django_q.models import OrmQ

from helpdesk import claims, watchdog
from helpdesk.models import Heartbeat
from helpdesk.watchdog import Watchdog

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class Clock:
    """Both clocks a watchdog reads: seconds since noon."""

    seconds: float = 0

    def monotonic(self) -> float:
        return 1000 + self.seconds

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)


@dataclass
class Jobs:
    """A cluster that runs or hangs."""

    clock: Clock
    started: float = 1000 - 60
    restarts: list[float] = field(default_factory=list)

    def restart(self) -> None:
        self.restarts.append(self.clock.seconds)
        self.started = self.clock.monotonic()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(watchdog, "time", clock)
    monkeypatch.setattr(watchdog, "timezone", clock)
    return clock


@pytest.fixture
def jobs(clock: Clock) -> Jobs:
    return Jobs(clock)


@pytest.fixture(autouse=True)
def let_go() -> Iterator[None]:
    """The lock is held for the length of a connection, and tests share theirs."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all()")


def watch(dog: Watchdog, clock: Clock, seconds: int, *, answering: bool) -> None:
    """Lets time pass; a cluster that works answers within the second."""
    for _ in range(seconds):
        clock.seconds += 1
        dog.look()
        if answering:
            Heartbeat.beat("qcluster", clock.now() + timedelta(milliseconds=1))


def test_a_cluster_that_answers_is_left_alone(clock: Clock, jobs: Jobs) -> None:
    watch(Watchdog(jobs), clock, 60, answering=True)
    assert jobs.restarts == []
    assert 15 <= OrmQ.objects.count() <= 20


def test_a_silent_one_is_started_afresh_after_ten_seconds(clock: Clock, jobs: Jobs) -> None:
    dog = Watchdog(jobs)
    watch(dog, clock, 20, answering=True)
    watch(dog, clock, 20, answering=False)
    (at,) = jobs.restarts
    assert 30 <= at <= 34


def test_questions_do_not_pile_up_while_nobody_answers(clock: Clock, jobs: Jobs) -> None:
    watch(Watchdog(jobs), clock, 9, answering=False)
    assert OrmQ.objects.count() == 1


def test_a_young_cluster_may_take_its_time(clock: Clock, jobs: Jobs) -> None:
    jobs.started = clock.monotonic()
    watch(Watchdog(jobs), clock, 11, answering=False)
    assert jobs.restarts == []


def test_a_long_task_that_says_so_is_not_disturbed(clock: Clock, jobs: Jobs) -> None:
    dog = Watchdog(jobs)
    for _ in range(10):
        watch(dog, clock, 8, answering=False)
        Heartbeat.beat("qcluster", clock.now())
    assert jobs.restarts == []


def test_while_the_database_is_away_nobody_is_judged_and_then_soon(
    clock: Clock, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    dog = Watchdog(jobs)
    watch(dog, clock, 10, answering=True)
    with monkeypatch.context() as away:
        away.setattr(Heartbeat, "beat", classmethod(refuse))
        away.setattr(connection, "close", lambda: None)
        watch(dog, clock, 60, answering=False)
    assert jobs.restarts == []
    watch(dog, clock, 10, answering=False)
    (at,) = jobs.restarts
    assert at <= 10 + 60 + 5


def refuse(*args: Any, **kwargs: Any) -> None:
    raise OperationalError("away")


# --- Claims ----------------------------------------------------------------------------------------------------------


def taken(at: datetime) -> OrmQ:
    """A task that a cluster took at an instant."""
    return OrmQ.objects.create(key="helpdesk", payload="", lock=at + timedelta(seconds=300))


def test_what_a_dead_cluster_took_comes_back_and_what_ours_took_does_not() -> None:
    started = NOON - timedelta(seconds=2)
    of_the_dead, of_ours = taken(NOON - timedelta(seconds=9)), taken(NOON - timedelta(seconds=1))
    claims.be_present()
    assert claims.release(started, NOON) == 1
    of_the_dead.refresh_from_db()
    of_ours.refresh_from_db()
    assert of_the_dead.lock == NOON
    assert of_ours.lock > NOON


def test_with_another_worker_about_nothing_is_taken_back() -> None:
    taken(NOON - timedelta(seconds=9))
    with another_worker():
        claims.be_present()
        assert claims.release(NOON, NOON) == 0
    assert claims.release(NOON, NOON) == 1


@contextmanager
def another_worker() -> Iterator[None]:
    of = connection.settings_dict
    with psycopg.connect(
        host=of["HOST"], port=of["PORT"], user=of["USER"], password=of["PASSWORD"], dbname=of["NAME"], autocommit=True
    ) as other:
        other.execute("SELECT pg_advisory_lock_shared(%s)", [claims.PRESENCE])
        yield
        other.execute("SELECT pg_advisory_unlock_all()")
