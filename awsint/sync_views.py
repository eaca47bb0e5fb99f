"""/aws/sync: what each reading changed, as a page and as a file."""

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from awsint import sync_list
from awsint.access import readers_only
from awsint.account_views import aws_page
from awsint.models import Change, Via
from helpdesk.accounts.doors import PersonRequest
from helpdesk.sheets import as_csv


@readers_only
@require_safe
def sync(request: PersonRequest) -> HttpResponse:
    """The changes, the newest first, under how long they took to be seen."""
    user, wish = request.user, sync_list.Asked.read(request.GET)
    lines, further = sync_list.page(user, wish)
    told = {
        "now": timezone.now(),
        "wish": wish,
        "lines": lines,
        "further": further,
        "lags": sync_list.lags(),
        "whats": Change.What.choices,
        "vias": Via.choices,
        "customers": sync_list.customers(user),
    }
    return aws_page(request, "aws/sync.html", told, tab="sync")


@readers_only
@require_safe
def sync_csv(request: PersonRequest) -> HttpResponseBase:
    wish = sync_list.Asked.read(request.GET)
    return as_csv([sync_list.sheet(request.user, wish)], f"aws-sync-{timezone.localdate()}")
