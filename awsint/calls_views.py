"""/aws/calls: what we asked AWS."""

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from awsint import call_list
from awsint.access import readers_only
from awsint.account_views import aws_page
from helpdesk.accounts.doors import PersonRequest


@readers_only
@require_safe
def calls(request: PersonRequest) -> HttpResponse:
    """The calls of a day, the newest first, under how many there were in each hour."""
    at, user, wish = timezone.now(), request.user, call_list.Asked.read(request.GET)
    lines, further = call_list.page(user, wish, at)
    hours = call_list.hours(user, wish, at)
    told = {
        "now": at,
        "wish": wish,
        "lines": lines,
        "further": further,
        "hours": hours,
        "all": sum(hour.calls for hour in hours),
        "failed": sum(hour.failed for hour in hours),
        "plot": call_list.plot(hours, wish, at, _("Calls")),
        "services": call_list.SERVICES,
    }
    return aws_page(request, "aws/calls.html", told, tab="calls")
