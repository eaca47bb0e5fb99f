"""The members of an organization, asked of AWS by a worker; members.py shows what came of it."""

from datetime import datetime
from typing import Any

from django.db import transaction

from awsint import account_actions, calls, client
from awsint.client import sessions
from awsint.models import Organization
from awsint.shapes import AwsError, Calls
from awsint.testing import kind_of
from helpdesk.accounts.models import User
from helpdesk.jobs import work
from helpdesk.jobs.models import Job

KIND = "aws.members"


@transaction.atomic
def begin(*, organization: Organization, by: User, at: datetime) -> Job:
    """Asks for its members; where that is under way already, this is given back. Raises PermissionDenied."""
    account_actions.demand(by)
    found = Organization.objects.select_for_update(of=("self",)).select_related("listing").get(pk=organization.pk)
    if found.listing and found.listing.is_under_way:
        return found.listing
    page = f"/aws/organizations/{found.pk}/#members"
    # What was listed before stays to be seen where AWS does not answer.
    before = found.listing.result.get("members", []) if found.listing and found.listing.result else []
    args = {"organization": found.pk, "before": before}
    found.listing = work.begin(KIND, args, by=by, at=at, page=page)
    found.save(update_fields=["listing"])
    return found.listing


def slice_of(job: Job, at: datetime) -> work.Step:
    """The only slice: AWS's pages cannot be taken up again by another worker. It writes no history."""
    organization = Organization.objects.get(pk=job.args["organization"])
    members, trouble, made = [], {}, Calls()
    sessions.drop(organization.place)
    try:
        for one in client.organization(organization.place, made, at=at).accounts():
            members.append({"number": one.number, "name": one.name, "email": one.email, "status": one.status})
    except AwsError as error:
        trouble = {"trouble": True, "code": error.code, "text": error.text[:400], "kind": kind_of(error)}
        members = job.args["before"]
    finally:
        calls.store(made)
    result: dict[str, Any] = {"members": sorted(members, key=lambda one: str(one["name"]).casefold())} | trouble
    return work.Step(None, len(members), len(members), result)
