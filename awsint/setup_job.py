"""The set-up of AWS Health from the browser: the steps of setup.py, one a slice of a job.

A look changes nothing at AWS; carrying out does what is missing. Killed in between, a step is looked at again before it
is done, so nothing is done twice.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction

from awsint import calls, setup
from awsint.account_actions import demand, subject_of
from awsint.client import sessions
from awsint.models import Organization
from awsint.setup import Roles
from awsint.setup_steps import Done, take
from awsint.shapes import Calls
from helpdesk.accounts.models import User
from helpdesk.audit.record import Happening, record
from helpdesk.jobs import work
from helpdesk.jobs.models import Job

KIND = "aws.health_setup"
PAGE = "/aws/health/setup"


@transaction.atomic
def begin(
    *, organization: Organization, roles: Roles, regions: Sequence[str], dry: bool, by: User, at: datetime
) -> Job:
    """Looks, or with `dry` false carries out; what is under way already is given back. The regions are written down as
    in use. Raises Refused, PermissionDenied."""
    demand(by)
    setup.demand_sound(organization, setup.hub_of(organization), roles, regions)
    found = Organization.objects.select_for_update(of=("self",)).select_related("setup").get(pk=organization.pk)
    if found.setup and found.setup.is_under_way:
        return found.setup
    always = setup.ALWAYS[found.partition]
    found.health_regions = [one for one in dict.fromkeys(regions) if one not in always]
    args = {"organization": found.pk, "role": roles.management, "hub_role": roles.hub, "dry": dry}
    found.setup = work.begin(KIND, args, by=by, at=at, page=f"{PAGE}?organization={found.pk}")
    found.save(update_fields=["setup", "health_regions"])
    return found.setup


def slice_of(job: Job, at: datetime) -> work.Step:
    """One step; the last slice asks nobody and writes the history."""
    organization = Organization.objects.get(pk=job.args["organization"])
    plan = setup.plan(organization, setup.hub_of(organization), roles_of(job))
    found, made, by = done_of(job.cursor), Calls(), User.objects.get(pk=int(job.asked_by.removeprefix("user:")))
    if not found:
        # What was lent before says nothing about the roles as they are now.
        sessions.drop(plan.manager)
        sessions.drop(plan.speaker)
        sessions.drop(plan.maker)
    try:
        steps = setup.steps(plan, made, by, at)
        if len(found) < len(steps):
            before = {one.step: one for one in found}
            found.append(take(steps[len(found)], before, dry=job.args["dry"]))
            return work.Step(_rows(found), len(found), len(steps))
    finally:
        calls.store(made)
    if not job.args["dry"]:
        _tell(organization, found, by, at)
    return work.Step(_rows(found), len(found), len(found), {"steps": _rows(found)})


def roles_of(job: Job) -> Roles:
    """Whose word it was asked for; one of before the hub was made here names no role for that."""
    return Roles(job.args["role"], job.args.get("hub_role", ""))


def _rows(found: Sequence[Done]) -> list[dict[str, Any]]:
    return [asdict(one) for one in found]


def done_of(rows: Sequence[dict[str, Any]] | None) -> list[Done]:
    """The steps that a job has taken, as it kept them."""
    return [Done(**row) for row in rows or []]


def _tell(organization: Organization, found: Sequence[Done], by: User, at: datetime) -> None:
    told = {
        "done": [one.step for one in found if one.state == "done"],
        "left": [one.step for one in found if not one.good],
    }
    happening = Happening("aws.health_set_up", told)
    record([happening], by=by, at=at, subject=subject_of(organization), customer=organization.customer_id)
