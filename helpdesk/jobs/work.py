"""Begins long jobs, works them a slice at a time, and picks up those whose worker was killed.

    settings.JOB_KINDS = {"sla.what_if": ("sla.what_if.slice", _("What-if of a tier"), "admin")}

names for each kind its function, what it is called, and the right (permissions.Right) that lets others than the asker
see it; an empty one lets nobody. The function is `(job: Job, at: datetime) -> Step` and does one slice of at most a
second. It runs in the transaction that stores the step's cursor, so it writes its rows there and then: a slice counts
once, whatever dies. It knows of the slices before only `job.args`, `job.cursor` (None at first), `job.done` and
`job.count`. A step with a `result` (JSON) is the last one. An exception fails the job with its words; tried again it
goes on from its cursor.

    job = work.begin("sla.what_if", {"plan": 2}, by=user, at=at, page="/sla-config/what-if")
    {% include "parts/_job.html" %}    shows how far `job` came; /jobs/<uuid>/ is its page
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils.module_loading import import_string
from django_q.tasks import async_task

from helpdesk.jobs.models import Job

log = logging.getLogger(__name__)
TASK = "helpdesk.jobs.tasks.run"
# A task works for so long and then leaves the rest to its successor (django-q2 ends a task after 120 s).
TURN_S = 45.0
ORPHANED_AFTER = timedelta(seconds=60)
MOST_PICKUPS = 5
UNDER_WAY = (Job.State.WAITING, Job.State.RUNNING)


class Asker(Protocol):
    """A person, or the desk itself."""

    @property
    def key(self) -> str: ...


@dataclass(frozen=True)
class Step:
    """What one slice came to: where the next begins, how much is done of how much, and the result with the last."""

    cursor: Any
    done: int
    count: int | None
    result: Any = None


@transaction.atomic
def begin(kind: str, args: dict[str, Any], *, by: Asker, at: datetime, page: str = "") -> Job:
    """Writes the job and asks a worker for it, both in the caller's transaction. KeyError for an unknown kind."""
    _function(kind)
    job = Job.objects.create(kind=kind, args=args, asked_by=by.key, asked_at=at, touched_at=at, page=page)
    ask(job)
    return job


def ask(job: Job) -> None:
    """Hands a job to the queue. Two workers that have the same one do no slice twice."""
    async_task(TASK, str(job.public))


@transaction.atomic
def retry(*, job: Job, at: datetime) -> Job:
    """A failed job goes on from where it stopped; any other stays as it is."""
    failed = Job.objects.filter(pk=job.pk, state=Job.State.FAILED)
    if failed.update(state=Job.State.WAITING, touched_at=at, finished_at=None, last_error="", pickups=0):
        ask(job)
    job.refresh_from_db()
    return job


def turn(public: UUID, clock: Callable[[], datetime], beat: Callable[[], None] = lambda: None) -> None:
    """Works at one job until it is finished, somebody else has it, or the turn is over. `beat` follows each slice."""
    began = time.monotonic()
    while step(public, clock()):
        beat()
        if time.monotonic() - began > TURN_S:
            ask(Job.objects.get(public=public))
            return


def step(public: UUID, at: datetime) -> bool:
    """One slice; whether there is another one for us. What fails is kept with its words."""
    try:
        with transaction.atomic():
            held = Job.objects.select_for_update(skip_locked=True).filter(public=public, state__in=UNDER_WAY)
            return _slice(job, at) if (job := held.first()) else False
    except Exception as error:
        log.exception("job %s failed", public)
        _fail(public, f"{type(error).__name__}: {error}", at)
        return False


def _slice(job: Job, at: datetime) -> bool:
    step = _function(job.kind)(job, at)
    job.cursor, job.done, job.count = step.cursor, step.done, step.count
    job.state, job.touched_at, job.pickups = Job.State.RUNNING, at, 0
    if step.result is not None:
        job.state, job.finished_at, job.result = Job.State.DONE, at, step.result
    job.save(update_fields=["cursor", "done", "count", "state", "touched_at", "pickups", "finished_at", "result"])
    return step.result is None


def _fail(public: UUID, words: str, at: datetime) -> None:
    try:
        Job.objects.filter(public=public, state__in=UNDER_WAY).update(
            state=Job.State.FAILED, finished_at=at, touched_at=at, last_error=words[:500].replace("\x00", "")
        )
    except DatabaseError:
        # The database is away: the job is picked up when it is back.
        log.exception("job %s could not be marked as failed", public)


def pick_up(at: datetime) -> int:
    """Asks again for jobs that nobody touched for a minute, their worker being dead; returns how many.

    A job that was picked up several times without a slice in between kills whoever works at it: it fails.
    """
    orphans = Job.objects.filter(state__in=UNDER_WAY, touched_at__lt=at - ORPHANED_AFTER)
    for job in orphans.order_by("touched_at")[:20]:
        if job.pickups >= MOST_PICKUPS:
            _fail(job.public, "its worker was killed each time", at)
        else:
            _pick_up(job, at)
    return len(orphans)


@transaction.atomic
def _pick_up(job: Job, at: datetime) -> None:
    # Whoever comes second finds it touched.
    mine = Job.objects.filter(pk=job.pk, touched_at=job.touched_at, state__in=UNDER_WAY)
    if mine.update(touched_at=at, pickups=job.pickups + 1):
        ask(job)


def _function(kind: str) -> Callable[[Job, datetime], Step]:
    found: Callable[[Job, datetime], Step] = import_string(settings.JOB_KINDS[kind][0])
    return found
