"""/aws/health/org: whether AWS Health of the organizations is switched on, read, and told of."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from awsint import health_looking, health_org
from awsint.access import managers_only, readers_only
from awsint.account_views import aws_page
from awsint.models import Look
from helpdesk.accounts.doors import PersonRequest
from helpdesk.accounts.masking import person_names
from helpdesk.accounts.views import see_other


@readers_only
@require_safe
def page(request: PersonRequest) -> HttpResponse:
    """What was found last, what we know now, and the looks before."""
    at, user = timezone.now(), request.user
    asked, looks = health_looking.newest(), list(_finished()[: health_org.SHOWN])
    last = looks[0] if looks else None
    found, singles = health_org.sections(user, last, at), health_org.singles(user, at)
    told = {
        "now": at,
        "last": last,
        "looks": looks,
        "names": person_names(user, [one.asked_by_id for one in looks]),
        "job": asked.job if asked and asked.at is None else None,
        "stale": bool(last and last.at and at - last.at > health_org.STALE),
        "state": health_org.worst([one.state for one in found] + [one.state for one in singles]),
        "sections": found,
        "singles": singles,
        "open": health_org.open_events(user),
    }
    return aws_page(request, "aws/health_org.html", told, tab="health")


def _finished() -> QuerySet[Look]:
    return Look.objects.exclude(at=None).order_by("-pk")


@managers_only
@require_POST
def look(request: PersonRequest) -> HttpResponse:
    """Asks AWS about every switch; a worker does it, and the page says how far it came."""
    health_looking.begin(by=request.user, at=timezone.now())
    messages.info(request, _("Every switch is being looked at."))
    return see_other(health_looking.PAGE)


@readers_only
@require_safe
def as_json(request: PersonRequest) -> HttpResponse:
    found = _finished().first()
    answer = JsonResponse(
        health_org.as_json(request.user, found, timezone.now()),
        json_dumps_params={"ensure_ascii": False, "indent": 2},
    )
    answer["Content-Disposition"] = 'attachment; filename="org_status.json"'
    return answer
