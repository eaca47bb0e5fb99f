"""The operator's pages: are the processes alive, what waits in the outbox, which versions run. Leads and admins."""

import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps

import django
from django.contrib.auth.decorators import login_required
from django.db import connection
from django.db.models import Count, Sum
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django_q.models import OrmQ, Schedule, Task

from helpdesk import __version__
from helpdesk.accounts.doors import PersonRequest
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, may
from helpdesk.job_views import may_see
from helpdesk.jobs.models import Job
from helpdesk.models import Heartbeat
from helpdesk.outbox.models import Letter, health
from helpdesk.schedule import LATE_AFTER
from helpdesk.storage import LEAST_ROOM, store
from helpdesk.templatetags.desk import comma, filesize
from sla import calendar_ends, plan_ends
from sla.models import Breach, CalendarVersion, PolicyVersion, Priority, Warning
from tickets import drift, register, reindex, search, sweeping
from tickets.models import Attachment

View = Callable[..., HttpResponse]
PAGE = 50
LATEST = 10
# The sweep runs each minute: two missed ones and it is late.
SWEPT_WITHIN = timedelta(minutes=3)


def operators(view: View) -> View:
    """Only those with the right; to the rest the page does not exist."""

    @login_required
    @wraps(view)
    def guarded(request: PersonRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not may(request.user, Right.CONSOLE):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@operators
@require_safe
def console(request: PersonRequest) -> HttpResponse:
    """Processes with their last heartbeat, jobs with their next run, versions."""
    now = timezone.now()
    return render(
        request,
        "console/console.html",
        {
            "processes": processes(now),
            "jobs": Schedule.objects.order_by("next_run"),
            "waiting": OrmQ.objects.count(),
            "failures": Task.objects.filter(success=False).order_by("-stopped")[:5],
            "ready": Letter.objects.filter(state=Letter.State.READY)[:1000].count(),
            "versions": versions(now),
            "endings": calendar_ends.endings(now),
            "plan_endings": plan_ends.endings(now),
            "run": sweeping.last_run(),
            "compared": drift.last_run(),
            "late": now - SWEPT_WITHIN,
            "breaches": latest_breaches(),
            "causes": register.owed(request.user, now),
            "warnings": Warning.objects.filter(superseded=False).select_related("clock").order_by("-id")[:LATEST],
            "long_jobs": long_jobs(request.user),
            "post": (post := health()),
            "post_is_late": post.is_late(now),
            "now": now,
        },
    )


@dataclass(frozen=True)
class Process:
    """One process as the console shows it. `state` is a verdict: good or bad, grey where nothing is promised."""

    name: str
    beat: Heartbeat | None
    late_after: int | None
    state: str
    word: str


def processes(now: datetime) -> list[Process]:
    """Every process that must beat, seen or not, and every other one that did."""
    beats = {b.name: b for b in Heartbeat.objects.order_by("name")}
    names = list(LATE_AFTER) + [n for n in beats if n not in LATE_AFTER and n != sweeping.NAME]
    return [_process(name, beats.get(name), now) for name in names]


def _process(name: str, beat: Heartbeat | None, now: datetime) -> Process:
    late = LATE_AFTER.get(name)
    if beat is None:
        return Process(name, None, late, "bad", _("never seen"))
    if late is None:
        return Process(name, beat, None, "grey", _("seen"))
    alive = (now - beat.at).total_seconds() <= late
    return Process(name, beat, late, "good" if alive else "bad", _("alive") if alive else _("late"))


def versions(now: datetime) -> list[tuple[str, str]]:
    """What runs here, by name."""
    policy = PolicyVersion.objects.in_force(now).first()
    calendar = CalendarVersion.objects.in_force(now).filter(calendar__is_default=True).first()
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        database = cursor.fetchone()[0]
    return [
        (_("Help desk"), __version__),
        ("Django", django.get_version()),
        ("Python", platform.python_version()),
        ("PostgreSQL", database),
        (_("Policy version in force"), str(policy.number) if policy else "—"),
        (_("Calendar version in force"), str(calendar.number) if calendar else "—"),
        (_("Search index"), index_state()),
        (_("Attachments"), files_state()),
    ]


def long_jobs(user: User) -> list[Job]:
    """The last long jobs, each with whether this person may open it. One statement."""
    found = list(Job.objects.order_by("-id")[:LATEST])
    for job in found:
        job.may_be_seen = may_see(user, job)  # type: ignore[attr-defined]
    return found


def latest_breaches() -> list[Breach]:
    """The last broken promises, each with its priority as `level`. Two statements."""
    levels = {p.code: p for p in Priority.objects.all()}
    found = list(Breach.objects.select_related("customer").order_by("-id")[:LATEST])
    for breach in found:
        breach.level = levels[breach.priority]  # type: ignore[attr-defined]
    return found


def files_state() -> str:
    """How many there are, how large together, and how much more fits."""
    found = Attachment.objects.aggregate(count=Count("pk"), size=Sum("size"))
    said = _("%(count)s files, %(size)s") % {"count": found["count"], "size": filesize(found["size"] or 0)}
    try:
        room = store().room()
    except OSError:
        return f"{said}. {_('The folder cannot be used')}"
    if room is None:
        return said
    left = _("room for %(size)s") if room >= LEAST_ROOM else _("no room for files: %(size)s are left")
    return f"{said}{comma()}{left % {'size': filesize(room)}}"


def index_state() -> str:
    """The edition of the search index, or how much of it is older."""
    if waiting := reindex.behind():
        count = "1000+" if waiting == 1000 else str(waiting)
        return _("%(count)s messages are of an older edition: manage.py reindex") % {"count": count}
    return _("edition %(number)s") % {"number": search.EDITION}
