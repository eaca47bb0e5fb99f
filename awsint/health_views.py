"""/aws/health/: the register of AWS Health events and each one's page."""

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from awsint import health_casting, health_letters, health_list, health_page, health_plot
from awsint.access import desk_only, readers_only
from awsint.account_views import aws_page
from awsint.models import EventCategory, EventStatus, HealthEvent
from helpdesk.accounts.doors import PersonRequest, Refused, answered_once, fresh_key
from helpdesk.accounts.history import history_of
from helpdesk.accounts.views import see_other
from helpdesk.sheets import as_csv
from sla import plots
from sla.attainment import Attainment
from sla.plots import Plot


@readers_only
@require_safe
def events(request: PersonRequest) -> HttpResponse:
    """The events, the newest first, over a picture of when they were."""
    at, user, wish = timezone.now(), request.user, health_list.Asked.read(request.GET)
    lines, further = health_list.page(user, wish, at)
    days = health_list.days(user, wish, at)
    told = {
        "now": at,
        "wish": wish,
        "lines": [(line, line.is_late(at)) for line in lines],
        "further": further,
        "days": days,
        "plot": _bars(days),
        "timeline": health_plot.timeline([_span(line.event) for line in lines], at),
        "untold": health_list.count_of(user, "untold", at),
        "missed": health_list.count_of(user, "missed", at),
        "categories": EventCategory.choices,
        "priorities": health_list.priorities(),
        "customers": health_list.customers(user),
    }
    return aws_page(request, "aws/health.html", told, tab="health")


def _bars(days: list[health_list.Day]) -> Plot:
    """A bar a day, quiet days too: outlined what is over, solid what is not."""
    values = [Attainment(day.seen - day.current, day.current) for day in days]
    return plots.bars([(_("Events"), values)], [f"{day.day:%m-%d}" for day in days])


def _span(event: HealthEvent) -> health_plot.Span:
    kind = event.status if event.is_current else EventStatus.CLOSED.value
    end = event.ends_at or (None if event.is_current else event.ended_at or event.expired_at)
    return health_plot.Span(f"{event.service} {event.region}", event.starts_at or event.seen_at, end, kind)


@readers_only
@require_safe
def events_csv(request: PersonRequest) -> HttpResponseBase:
    wish = health_list.Asked.read(request.GET)
    return as_csv([health_list.sheet(request.user, wish, timezone.now())], f"aws-health-{timezone.localdate()}")


# --- One event -------------------------------------------------------------------------------------------------------


def _access(request: PersonRequest, event: int) -> HealthEvent:
    rows = health_list.known_to(request.user).select_related("ticket", "priority", "rule", "suppression")
    return get_object_or_404(rows, pk=event)


@readers_only
@require_safe
def event(request: PersonRequest, event: int) -> HttpResponse:
    """The map of an event, how it was decided, who was told, and what AWS said."""
    at, user, found = timezone.now(), request.user, _access(request, event)
    lines, further = health_page.page(user, found, request.GET.get("after", ""))
    (line,) = health_list.lines(user, [found], at)
    words = health_page.messages(user, found)
    told = {
        "now": at,
        "event": found,
        "line": line,
        "late": line.is_late(at),
        # Only what is over at AWS is asked whether it is over here.
        "sums": health_page.sums(user, found) if found.status == EventStatus.CLOSED else {},
        "lines": lines,
        "further": further,
        "unknown": health_page.unknown(user, found) if line.unknown else [],
        "text": health_page.text_of(user, found, words[0] if words else None),
        "words": words,
        "changes": health_page.changes(user, found),
        "book": health_page.book(found, get_language() or ""),
        "history": history_of(f"aws:health:{found.pk}", user),
    }
    return aws_page(request, "aws/health_event.html", told, tab="health")


@desk_only
@require_safe
def resources_csv(request: PersonRequest, event: int) -> HttpResponseBase:
    found = _access(request, event)
    return as_csv([health_page.sheet(request.user, found)], f"aws-health-{found.pk}-resources")


@readers_only
@require_safe
def proof_csv(request: PersonRequest, event: int) -> HttpResponseBase:
    """Who was told by which letter, when, and what is known of it; whom no letter reached. To be kept as evidence."""
    found = _access(request, event)
    return as_csv([health_letters.sheet(request.user, found)], f"aws-health-{found.pk}-proof")


@desk_only
def cast(request: PersonRequest, event: int) -> HttpResponse:
    """One word to every customer: the first look says to how many, the second is the click that counts."""
    found, close = _access(request, event), "close" in request.GET
    if request.method != "POST":
        return _cast_page(request, found, close, "", "")
    body, at = request.POST.get("body", ""), timezone.now()
    try:
        with answered_once(request, at=at) as slot:
            if slot.answer:
                return slot.answer.response()
            job = health_casting.begin(event=found, body=body, close=close, by=request.user, at=at)
            slot.keep(303, reverse("job", args=[job.public]))
    except Refused as refused:
        return _cast_page(request, found, close, body, str(refused))
    messages.success(request, _("Every ticket of the event gets it."))
    return see_other(reverse("job", args=[job.public]))


def _cast_page(request: PersonRequest, event: HealthEvent, close: bool, body: str, trouble: str) -> HttpResponse:
    told = {
        "event": event,
        "close": close,
        "closable": event.status == EventStatus.CLOSED,
        "sums": health_page.sums(request.user, event),
        "body": body,
        "trouble": trouble,
        "once": fresh_key(),
    }
    return aws_page(request, "aws/health_cast.html", told, tab="health", status=422 if trouble else 200)
