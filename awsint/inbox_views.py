"""/aws/inbox: what the queues brought, and what may be done again."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from awsint import inbox_actions, inbox_list, sources
from awsint.access import managers_only, readers_only
from awsint.account_views import aws_page
from awsint.models import Hub, InboxMessage
from helpdesk.accounts.doors import PersonRequest, Refused
from helpdesk.accounts.views import see_other


@readers_only
@require_safe
def inbox(request: PersonRequest) -> HttpResponse:
    """The messages, the newest first, under the queues they came from."""
    user, wish = request.user, inbox_list.Asked.read(request.GET)
    lines, further = inbox_list.page(user, wish)
    told = {
        "now": timezone.now(),
        "wish": wish,
        "lines": lines,
        "further": further,
        "queues": inbox_list.queues(),
        "states": InboxMessage.State.choices,
        "names": list(sources.HANDLERS),
    }
    return aws_page(request, "aws/inbox.html", told, tab="inbox")


@managers_only
@require_POST
def replay(request: PersonRequest, message: int) -> HttpResponse:
    found = get_object_or_404(inbox_list.visible_to(request.user), pk=message)
    try:
        inbox_actions.replay(message=found, by=request.user, at=timezone.now())
        messages.success(request, _("The message is done again within seconds."))
    except Refused as refused:
        messages.info(request, str(refused))
    return see_other(reverse("aws_inbox"))


@managers_only
@require_POST
def fetch_dead(request: PersonRequest, hub: int, name: str) -> HttpResponse:
    found = get_object_or_404(Hub, pk=hub, is_active=True)
    try:
        inbox_actions.fetch_dead(hub=found, queue=name, by=request.user, at=timezone.now())
        messages.success(request, _("The dead messages are fetched back within seconds."))
    except Refused as refused:
        messages.info(request, str(refused))
    return see_other(reverse("aws_inbox"))
