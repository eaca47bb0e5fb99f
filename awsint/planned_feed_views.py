"""The link to a company's planned changes: /planned/<customer>/feed makes, replaces and ends it, and asks first where
that breaks what is subscribed; /planned/<secret>.ics is what calendar programs fetch.
"""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from awsint import planned_feed
from awsint.wishes import choice
from helpdesk.accounts.doors import Busy, PersonRequest, Refused, answered_once, fresh_key, limit
from helpdesk.accounts.models import Customer, User
from helpdesk.accounts.permissions import Right, may
from helpdesk.accounts.views import see_other

# A program asks every few minutes at most; whoever asks more often is told to wait.
FETCHES, WINDOW_S = 60, 600


def reached(user: User, pk: UUID) -> Customer:
    """The company whose link this person looks after. Raises Http404."""
    if not may(user, Right.KEYS, pk):
        raise Http404
    found = Customer.objects.active().filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@login_required
@require_POST
def feed(request: PersonRequest, customer: UUID) -> HttpResponse:
    """Makes, replaces or ends a company's link; what breaks what is subscribed asks first."""
    user, at = request.user, timezone.now()
    found = reached(user, customer)
    act = choice(request.POST, "act", ("make", "replace", "end"))
    if not act:
        raise Http404
    if act in ("replace", "end") and "sure" not in request.POST:
        return _feed_page(request, found, act=act)
    if act == "end":
        planned_feed.end_feed(customer=found, by=user, at=at)
        messages.success(request, _("The link has ended. Whoever opens it finds nothing from now on."))
        return see_other(_back(user, found))
    verb = planned_feed.replace_feed if act == "replace" else planned_feed.make_feed
    try:
        with answered_once(request, at=at) as slot:
            if slot.answer:
                # The second half of a double click: the link is not to be had again.
                messages.info(request, _("It was made already. If you did not see the link, replace it."))
                return slot.answer.response()
            _row, token = verb(customer=found, by=user, at=at)
            slot.keep(303, _back(user, found))
    except (Refused, Busy) as error:
        busy = _("Somebody else is writing this very moment. Please send it again.")
        messages.error(request, str(error) if isinstance(error, Refused) else busy)
        return see_other(_back(user, found))
    url = request.build_absolute_uri(reverse("planned_ics", args=[token]))
    return _feed_page(request, found, act="", url=url, status=201)


def _back(user: User, customer: Customer) -> str:
    return reverse("aws_planned") + f"?customer={customer.pk}" if user.staff_role else reverse("planned")


def _feed_page(
    request: PersonRequest, customer: Customer, *, act: str, url: str = "", status: int = 200
) -> HttpResponse:
    told = {
        "section": "aws" if request.user.staff_role else "planned",
        "customer": customer,
        "act": act,
        "url": url,
        "back": _back(request.user, customer),
        "once": fresh_key(),
    }
    return render(request, "planned/feed.html", told, status=status)


@require_safe
def ics(request: HttpRequest, token: str) -> HttpResponse:
    """What calendar programs fetch: no login, and 404 for every secret that opens nothing, whatever the reason."""
    at = timezone.now()
    found = planned_feed.opened_by(token, at)
    if found is None:
        raise Http404
    if not limit(f"planned:{found.pk}", FETCHES, WINDOW_S, at):
        return _unlogged(HttpResponse(status=429, headers={"Retry-After": str(WINDOW_S)}))
    body = planned_feed.calendar(found.customer, at)
    tag = quote_etag(planned_feed.digest(body))
    fresh = HttpResponse(body, content_type=planned_feed.TYPE)
    answer = get_conditional_response(request, etag=tag, response=fresh) or fresh
    answer.headers["ETag"] = tag
    # Kept by the program that asked, which asks each time whether it still holds.
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Content-Disposition"] = 'inline; filename="aws-planned-changes.ics"'
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _unlogged(answer: HttpResponse) -> HttpResponse:
    """Django logs the address of what is refused, and this one is a secret that still opens."""
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer
