"""Each night all clocks are reckoned again, a slice at a time; the console says what came of it."""

import html
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django_q.models import OrmQ

from helpdesk.jobs import tasks, work
from helpdesk.jobs.models import Job
from helpdesk.schedule import JOBS
from sla.models import Clock
from tests.stories.travel import Person, at, words
from tickets import drift
from tickets.models import Ticket
from tickets.tasks import compare_clocks

pytestmark = pytest.mark.django_db
NIGHT = at("19:35")


def night() -> Job:
    with time_machine.travel(NIGHT, tick=False):
        compare_clocks()
        job = Job.objects.latest("id")
        tasks.run(str(job.public))
    return Job.objects.get(pk=job.pk)


def some(cast: Any, count: int = 3) -> list[Ticket]:
    return [Person(cast.cora).files(cast, NIGHT - timedelta(minutes=n + 1)) for n in range(count)]


def test_it_is_in_the_schedule_and_one_at_a_time(cast: Any) -> None:
    assert "tickets.tasks.compare_clocks" in [func for _name, func, _cron in JOBS]
    with time_machine.travel(NIGHT, tick=False):
        assert (compare_clocks(), compare_clocks()) == (True, False)
    assert OrmQ.objects.count() == 1


def test_what_is_stored_is_what_history_says(cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "BATCH", 2)
    some(cast, 5)
    job = night()
    assert (job.state, job.done, job.count) == ("done", 5, 5)
    assert (job.result["tickets"], job.result["waiting"], job.result["drifts"], job.result["list"]) == (5, 0, 0, [])
    page = words(Person(cast.lee).see("/console/", NIGHT + timedelta(minutes=5)))
    assert "Tickets compared, differences 5, 0" in page


def test_a_difference_is_named_in_the_console(cast: Any) -> None:
    first, *_others = some(cast)
    Clock.objects.filter(subject=first.ref, kind="resolution").update(due_at=at("03:00"))
    Clock.objects.filter(subject=first.ref, kind="ola_assign").delete()
    job = night()
    assert job.result["drifts"] == 2
    lee = Person(cast.lee)
    page = lee.see("/console/", NIGHT + timedelta(minutes=5))
    assert "Tickets compared, differences 3, 2" in words(page)
    assert f"{first.ref} resolution due_at: {at('03:00')}" in page
    assert f"{first.ref} ola_assign: not stored" in page


def test_a_ticket_of_last_year_is_left_alone_and_a_killed_worker_loses_nothing(
    cast: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, *_others = some(cast, 4)
    Ticket.objects.filter(pk=old.pk).update(status="closed", last_event_at=NIGHT - timedelta(days=91))
    monkeypatch.setattr(drift, "BATCH", 1)
    job = drift.begin(NIGHT)
    assert job
    assert work.step(job.public, NIGHT)
    work.pick_up(NIGHT + timedelta(minutes=2))
    while work.step(job.public, NIGHT):
        pass
    assert Job.objects.get(pk=job.pk).result["tickets"] == 3


def test_its_job_is_seen_by_leads_and_by_nobody_else(cast: Any) -> None:
    some(cast, 1)
    address = f"/jobs/{night().public}/"
    for name, status in (("lee", 200), ("ada", 200), ("ana", 404), ("cora", 404), ("gus", 404), ("audrey", 404)):
        client = Client()
        client.force_login(getattr(cast, name))
        assert client.get(address).status_code == status
    assert "All clocks reckoned again" in html.unescape(Person(cast.lee).see(address, NIGHT))
