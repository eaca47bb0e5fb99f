"""/aws/unseen: what AWS said and nobody has taken note of."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from awsint import seen, unseen_list
from awsint.access import desk_only, readers_only
from awsint.account_views import aws_page
from awsint.models import Account, Communication
from helpdesk.accounts.doors import PersonRequest
from helpdesk.accounts.views import see_other


@readers_only
@require_safe
def unseen(request: PersonRequest) -> HttpResponse:
    """The messages, the longest unseen first."""
    at, user, wish = timezone.now(), request.user, unseen_list.Asked.read(request.GET)
    lines, further = unseen_list.page(user, wish, at)
    count, late = unseen_list.counts(user, at)
    told = {
        "now": at,
        "wish": wish,
        "lines": lines,
        "further": further,
        "count": count,
        "late": late,
        "customers": unseen_list.customers(user),
    }
    return aws_page(request, "aws/unseen.html", told, tab="unseen")


@desk_only
@require_POST
def see(request: PersonRequest, communication: int) -> HttpResponse:
    """Notes that this person has seen it."""
    mine = Account.objects.visible_to(request.user)
    said = Communication.objects.filter(case__account__in=mine, by_aws=True).select_related("case__account")
    found = get_object_or_404(said, pk=communication)
    if not seen.see(message=found, by=request.user, at=timezone.now()):
        messages.info(request, _("Somebody was faster: it is marked as seen already."))
    back = unseen_list.Asked.read(request.POST)
    return see_other(reverse("aws_unseen") + back.link())
