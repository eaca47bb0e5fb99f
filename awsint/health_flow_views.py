"""/aws/health/flow: the way of AWS Health through the desk as a picture over the last thirty days, and as a table."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from awsint import health_flow
from awsint.access import readers_only
from awsint.account_views import aws_page
from helpdesk.accounts.doors import PersonRequest


@readers_only
@require_safe
def page(request: PersonRequest) -> HttpResponse:
    at, user = timezone.now(), request.user
    told = health_flow.counts(user, at)
    more = {
        "now": at,
        "since": at - health_flow.SPAN,
        "picture": health_flow.picture(told),
        "rows": health_flow.rows(user, told),
    }
    return aws_page(request, "aws/health_flow.html", more, tab="health")


@readers_only
@require_safe
def picture(request: PersonRequest) -> HttpResponse:
    """The picture by itself, in colours of its own, for the evidence (E6.2)."""
    at = timezone.now()
    told = {"picture": health_flow.picture(health_flow.counts(request.user, at)), "paint": True, "at": at}
    answer = render(request, "aws/_flow.html", told, content_type="image/svg+xml; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="flow.svg"'
    return answer
