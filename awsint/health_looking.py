"""A look at every switch that AWS Health hangs on: a job asks AWS, one hub or organization a slice (doctor.py).

What it found is kept, the last fifty, so that whoever checks us reads it without asking AWS.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction

from awsint import calls, doctor
from awsint.account_actions import demand
from awsint.client import sessions
from awsint.doctor import BAD, GOOD, SOON, Finding
from awsint.models import Look, Organization
from awsint.shapes import Calls
from helpdesk.accounts.models import User
from helpdesk.jobs import work
from helpdesk.jobs.models import Job

KIND = "aws.health_look"
PAGE = "/aws/health/org"
KEPT = 50


@transaction.atomic
def begin(*, by: User, at: datetime) -> Look:
    """Has every switch looked at by a worker; what is under way already is given back. Raises PermissionDenied."""
    demand(by)
    last = newest()
    if last and last.job and last.job.is_under_way:
        return last
    made = Look.objects.create(asked_at=at, asked_by=by)
    made.job = work.begin(KIND, {"look": made.pk, "subjects": doctor.subjects()}, by=by, at=at, page=PAGE)
    made.save(update_fields=["job"])
    return made


def newest() -> Look | None:
    """The one that was asked for last, finished or not."""
    return Look.objects.select_related("job", "asked_by").order_by("-pk").first()


def slice_of(job: Job, at: datetime) -> work.Step:
    """One hub or organization; the last slice keeps what all of them came to."""
    cursor: dict[str, Any] = job.cursor or {"taken": 0, "found": [asdict(one) for one in doctor.whole()]}
    subjects: list[str] = job.args["subjects"]
    taken, found = cursor["taken"], cursor["found"]
    if taken < len(subjects):
        found = found + [asdict(one) for one in _of(subjects[taken], at)]
        return work.Step({"taken": taken + 1, "found": found}, taken + 1, len(subjects))
    _keep(job.args["look"], found, at)
    return work.Step(cursor, taken, taken, {"looked": taken})


def _of(about: str, at: datetime) -> list[Finding]:
    kind, _colon, pk = about.partition(":")
    made = Calls()
    if kind == "organization" and (organization := Organization.objects.filter(pk=pk).first()):
        # What was lent before says nothing about the role as it is now.
        sessions.drop(organization.place)
    try:
        return [one for one in doctor.of(about, made, at) if one.what not in ("support_queue", "support_dead")]
    finally:
        calls.store(made)


def _keep(pk: int, found: Sequence[dict[str, Any]], at: datetime) -> None:
    counts = {state: sum(1 for one in found if one["state"] == state) for state in (GOOD, SOON, BAD)}
    Look.objects.filter(pk=pk).update(at=at, findings=list(found), **counts)
    old = Look.objects.order_by("-pk").values_list("pk", flat=True)[KEPT:]
    Look.objects.filter(pk__in=list(old)).delete()


def findings_of(look: Look | None) -> list[Finding]:
    return [Finding(**row) for row in look.findings] if look else []
