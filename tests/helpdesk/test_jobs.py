"""Long jobs: slices that count once, whatever is killed, and a page that says how far it came."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connections, transaction
from django.test import Client
from django_q.models import OrmQ

from helpdesk.audit.record import SYSTEM
from helpdesk.jobs import tasks, work
from helpdesk.jobs.models import Job
from helpdesk.models import Heartbeat
from tests.entering import enter

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def count_up(job: Job, at: datetime) -> work.Step:
    """Writes a row a slice, until it has as many as were asked for."""
    place = (job.cursor or 0) + 1
    Heartbeat.beat(f"slice {place}", at)
    if place == job.args.get("breaks_at") and not job.args.get("mended"):
        raise ValueError("the third one does not fit")
    finished = place == job.args["until"]
    return work.Step(place, place, job.args["until"], {"counted": place} if finished else None)


@pytest.fixture(autouse=True)
def kinds(settings: Any) -> None:
    here = f"{__name__}.count_up"
    settings.JOB_KINDS = {"test.open": (here, "Counting", "console"), "test.own": (here, "Counting alone", "")}


def begun(kind: str = "test.open", by: Any = SYSTEM, **args: Any) -> Job:
    return work.begin(kind, {"until": 5} | args, by=by, at=NOON, page="/sla-config")


def slices() -> int:
    return Heartbeat.objects.filter(name__startswith="slice").count()


def now(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def test_a_job_is_a_row_and_a_task_of_the_same_transaction() -> None:
    with transaction.atomic():
        begun()
        transaction.set_rollback(True)
    assert (Job.objects.count(), OrmQ.objects.count()) == (0, 0)
    begun()
    assert (Job.objects.count(), OrmQ.objects.count()) == (1, 1)
    with pytest.raises(KeyError):
        work.begin("test.unknown", {}, by=SYSTEM, at=NOON)


def test_a_turn_goes_through_all_slices_and_keeps_the_result() -> None:
    job = begun()
    tasks.run(str(job.public))
    done = now(job)
    assert (done.state, done.done, done.count, done.result) == ("done", 5, 5, {"counted": 5})
    assert slices() == 5
    assert Heartbeat.objects.filter(name="qcluster").exists(), "each slice says that the cluster lives"
    tasks.run(str(job.public))
    assert slices() == 5, "what is done is done once"


def test_a_turn_that_is_over_leaves_the_rest_to_its_successor(monkeypatch: pytest.MonkeyPatch) -> None:
    job = begun()
    monkeypatch.setattr(work, "TURN_S", -1)
    tasks.run(str(job.public))
    assert (now(job).done, OrmQ.objects.count()) == (1, 2)


def test_a_failed_slice_wrote_nothing_and_goes_on_from_the_cursor() -> None:
    job = begun(breaks_at=3)
    tasks.run(str(job.public))
    failed = now(job)
    assert (failed.state, failed.done, failed.last_error) == ("failed", 2, "ValueError: the third one does not fit")
    assert slices() == 2
    Job.objects.update(args={"until": 5, "mended": True})
    work.retry(job=failed, at=NOON)
    tasks.run(str(job.public))
    assert (now(job).state, now(job).result, slices()) == ("done", {"counted": 5}, 5)


def test_a_job_whose_worker_was_killed_is_picked_up_after_a_minute_by_one_pulse() -> None:
    job = begun()
    assert work.step(job.public, NOON)
    OrmQ.objects.all().delete()
    work.pick_up(NOON + MINUTE)
    assert OrmQ.objects.count() == 0, "it may still be at it"
    for _pulse in range(2):
        work.pick_up(NOON + MINUTE + timedelta(seconds=1))
    assert OrmQ.objects.count() == 1
    tasks.run(str(job.public))
    assert (now(job).state, slices()) == ("done", 5)
    work.pick_up(NOON + 5 * MINUTE)
    assert OrmQ.objects.count() == 1, "what is done is left alone"


def test_a_job_that_kills_its_worker_each_time_is_given_up() -> None:
    job = begun()
    for times in range(1, work.MOST_PICKUPS + 3):
        work.pick_up(NOON + times * 2 * MINUTE)
    assert (now(job).state, now(job).last_error) == ("failed", "its worker was killed each time")


def test_two_workers_do_no_slice_twice(committed: None) -> None:
    job = begun()
    connections["other"] = connections["default"].copy("other")
    try:
        with transaction.atomic(using="other"):
            assert Job.objects.using("other").select_for_update().get(pk=job.pk)
            assert not work.step(job.public, NOON), "somebody else has it"
    finally:
        connections["other"].close()
        del connections["other"]
    assert work.step(job.public, NOON)


# --- Its page --------------------------------------------------------------------------------------------------------


def test_its_page_shows_how_far_it_came_and_where_the_result_is(cast: Any) -> None:
    job = begun(by=cast.ana)
    address = f"/jobs/{job.public}/"
    ana = enter(cast.ana)
    assert "Waits for a worker" in ana.get(address).content.decode()
    work.step(job.public, NOON)
    page = ana.get(address).content.decode()
    assert "1 of 5" in page
    assert f'hx-get="{address}"' in page
    part = ana.get(address, headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith("<div")
    tasks.run(str(job.public))
    page = ana.get(address).content.decode()
    assert "Done" in page
    assert 'href="/sla-config"' in page
    assert "hx-trigger" not in page.split("job-")[1]


def test_only_whoever_asked_and_those_its_kind_names_see_it(cast: Any) -> None:
    for kind, seen_by in (("test.open", {"ana", "lee", "ada"}), ("test.own", {"ana"})):
        address = f"/jobs/{begun(kind, cast.ana).public}/"
        for name in ("ana", "lee", "ada", "audrey", "cora", "carla", "gus"):
            client = enter(getattr(cast, name))
            expected = (200, 303) if name in seen_by else (404, 404)
            assert (client.get(address).status_code, client.post(f"{address}retry").status_code) == expected, name
        assert Client().get(address).status_code == 302
        assert Client().post(f"{address}retry").status_code == 302


def test_a_failed_one_is_tried_again_by_a_button(cast: Any) -> None:
    job = begun(by=cast.ana, breaks_at=3)
    tasks.run(str(job.public))
    ana = enter(cast.ana)
    page = ana.get(f"/jobs/{job.public}/").content.decode()
    assert "the third one does not fit" in page
    assert f'action="/jobs/{job.public}/retry"' in page
    with time_machine.travel(NOON, tick=False):
        assert ana.post(f"/jobs/{job.public}/retry").status_code == 303
    assert now(job).state == "waiting"


def test_the_console_lists_them(cast: Any) -> None:
    lee = enter(cast.lee)
    assert "What takes long" in lee.get("/console/").content.decode()
    own, shared = begun("test.own", cast.ana), begun("test.open", cast.ana)
    page = lee.get("/console/").content.decode()
    assert "Counting alone" in page
    assert f"/jobs/{shared.public}/" in page
    assert f"/jobs/{own.public}/" not in page
