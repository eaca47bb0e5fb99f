"""The page of one long job: how far it came, what became of it. For whoever asked, and whom its kind names."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from helpdesk.accounts.doors import PersonRequest
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, may
from helpdesk.accounts.views import see_other
from helpdesk.jobs import work
from helpdesk.jobs.models import Job


@login_required
@require_safe
def job(request: PersonRequest, public: UUID) -> HttpResponse:
    """How far it came; htmx asks for that part alone while it is under way."""
    found = access_job(request.user, public)
    part = request.htmx  # type: ignore[attr-defined]
    return render(request, "parts/_job.html" if part else "jobs/job.html", {"job": found})


@login_required
@require_POST
def retry(request: PersonRequest, public: UUID) -> HttpResponse:
    """A failed job goes on from where it stopped."""
    found = work.retry(job=access_job(request.user, public), at=timezone.now())
    return see_other(reverse("job", args=[found.public]))


def access_job(user: User, public: UUID) -> Job:
    """The job, where this person may see it; else there is none."""
    found = Job.objects.filter(public=public).first()
    if found is None or not may_see(user, found):
        raise Http404
    return found


def may_see(user: User, job: Job) -> bool:
    """Whoever asked for it, and those with the right its kind names."""
    return job.asked_by == user.key or (job.right != "" and may(user, Right(job.right)))
