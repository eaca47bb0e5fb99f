"""/aws/jobs: whether AWS is read, when it was not, and whom nobody could read."""

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from awsint import account_list, rounds
from awsint.access import readers_only
from awsint.account_views import aws_page
from helpdesk.accounts.doors import PersonRequest
from helpdesk.accounts.masking import customer_names, masks


@readers_only
@require_safe
def jobs(request: PersonRequest) -> HttpResponse:
    """The heartbeats under the picture of the last day, the gaps and the accounts that are red."""
    at, user, wish = timezone.now(), request.user, rounds.Asked.read(request.GET)
    beats, further = rounds.page(wish)
    slots = rounds.slots(at)
    unread, count = rounds.unread_of(user, at)
    names = customer_names(user, {account.customer_id for account in unread}) if masks(user) else {}
    told = {
        "now": at,
        "wish": wish,
        "beats": beats,
        "further": further,
        "slots": slots,
        "plot": rounds.plot(slots, at),
        "gaps": rounds.gaps(at),
        "unread": [account_list.line(user, account, at, names) for account in unread],
        "unread_count": count,
        "kinds": rounds.KINDS.items(),
    }
    return aws_page(request, "aws/jobs.html", told, tab="jobs")
