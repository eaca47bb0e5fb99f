"""Planned changes: /aws/health/planned for the desk, /planned/ for a company's people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from awsint import health_list, planned, planned_feed, planned_feed_views, planned_lead, planned_plot, planned_read
from awsint.access import may_manage, readers_only
from awsint.account_views import aws_page
from awsint.models import AffectedCustomer, EventStatus, Setting
from awsint.wishes import Wish, choice, customer_key, newest, oldest, word
from helpdesk.accounts.doors import PersonRequest, fresh_key
from helpdesk.accounts.masking import masks
from helpdesk.accounts.models import Customer, User
from helpdesk.accounts.permissions import Right, companies, may
from helpdesk.accounts.views import see_other
from helpdesk.sheets import as_csv
from tickets.models import Ticket

LEAST_DAYS, MOST_DAYS = 1, 60


@dataclass(frozen=True)
class Asked(Wish):
    """Which changes of the list: those to come, or past ones; and which month the grid shows."""

    when: str = ""
    customer: str = ""
    month: str = ""

    @classmethod
    def read(cls, get: Mapping[str, str]) -> "Asked":
        return cls(
            after=word(get, "after"),
            when=choice(get, "when", ("past",)),
            customer=customer_key(get),
            month=word(get, "month", 7),
        )

    def whose(self, user: User) -> UUID | None:
        """The customer; none to an auditor, who does not know their keys."""
        return UUID(self.customer) if self.customer and not masks(user) else None


# --- What both pages share -------------------------------------------------------------------------------------------


def _page_of(rows: QuerySet[AffectedCustomer], wish: Asked, at: datetime) -> tuple[list[AffectedCustomer], str]:
    """A page of the list and the way to the next: what comes soonest first, what is past newest first."""
    if wish.when == "past":
        found, further = newest(rows.filter(event__starts_at__lte=at), "starts_at", wish.after)
    else:
        found, further = oldest(rows.filter(event__starts_at__gt=at), "starts_at", wish.after)
    return found, further and wish.link(after=further)


def _today(user: User, at: datetime) -> date:
    return at.astimezone(user.tz).date()


def _month_links(wish: Asked, month: planned.Month) -> dict[str, str]:
    return {name: wish.link(month=to) for name, to in (("before", month.before), ("after", month.after), ("now", ""))}


def _week_days() -> list[date]:
    """A week from Monday on, for the names of its days."""
    return [date(2024, 1, day) for day in range(1, 8)]


# --- The desk --------------------------------------------------------------------------------------------------------


@readers_only
@require_safe
def desk(request: PersonRequest) -> HttpResponse:
    """The month, what is planned for whom, and whether customers were told in time."""
    at, user, wish = timezone.now(), request.user, Asked.read(request.GET)
    return _desk_page(request, user, wish, at)


def _desk_page(request: PersonRequest, user: User, wish: Asked, at: datetime, **more: Any) -> HttpResponse:
    customer = wish.whose(user)
    rows = planned_read.parts_for(user, at)
    rows = rows.filter(customer=customer) if customer else rows
    language = get_language() or ""
    parts, further = _page_of(planned_read.with_event(rows), wish, at)
    month, cut = _desk_month(rows, user, wish, at)
    leads = planned_lead.measured(user, customer, at)
    one = Customer.objects.known_to(user).filter(pk=customer).first() if customer and may_manage(user) else None
    days = _days_of(one)
    told = {
        "now": at,
        "wish": wish,
        "customers": health_list.customers(user),
        "changes": planned_read.changes(parts, language, user),
        "further": further,
        "month": month,
        "cut": cut,
        "links": _month_links(wish, month),
        "week_days": _week_days(),
        "sums": planned_lead.sums(leads),
        "missed": planned_lead.missed(user, leads, language),
        "most_missed": planned_lead.MOST_MISSED,
        "whys": planned_lead.why_words(),
        "plot": planned_plot.plot((row.lead for row in leads), days),
        "one": one,
        "days": days,
        "feed": planned_feed.feeds_of([one.pk]).get(one.pk) if one else None,
        "once": fresh_key(),
    }
    return aws_page(request, "aws/planned.html", told | more, tab="health", status=more.get("status", 200))


def _desk_month(rows: QuerySet[AffectedCustomer], user: User, wish: Asked, at: datetime) -> tuple[planned.Month, bool]:
    today = _today(user, at)
    first = planned.month_asked(wish.month, today)
    found = planned_read.of_month(rows, *planned.span(first, user.zone), get_language() or "")
    marks = [
        planned.Mark(
            one.starts_at,
            one.title,
            one.customers,
            reverse("aws_health_event", args=[one.event]),
            cancelled=one.status == EventStatus.CLOSED and one.starts_at > at,
        )
        for one in found
    ]
    return planned.month(first, marks, user.zone, today), len(found) == planned_read.MOST_IN_MONTH


def _days_of(one: Customer | None) -> int:
    setting = Setting.objects.filter(customer=one).first() if one else None
    return setting.lead_days if setting else planned.USUAL_DAYS


@readers_only
@require_safe
def desk_csv(request: PersonRequest) -> HttpResponseBase:
    """Every verdict of the last 90 days."""
    at, user = timezone.now(), request.user
    customer = Asked.read(request.GET).whose(user)
    return as_csv([planned_lead.sheet(user, customer, at)], f"aws-planned-told-ahead-{timezone.localdate()}")


@login_required
@require_POST
def lead_days(request: PersonRequest, customer: UUID) -> HttpResponse:
    """So many days ahead this company is told: for those who manage AWS."""
    if not may_manage(request.user):
        raise Http404
    found, at = planned_feed_views.reached(request.user, customer), timezone.now()
    said = word(request.POST, "days", 8)
    days = int(said) if said.isascii() and said.isdecimal() else 0
    wish = Asked(customer=str(found.pk))
    if not LEAST_DAYS <= days <= MOST_DAYS:
        trouble = _("A number of days from %(least)d to %(most)d.") % {"least": LEAST_DAYS, "most": MOST_DAYS}
        return _desk_page(request, request.user, wish, at, said=said, days_trouble=trouble, status=422)
    planned_feed.set_lead_days(customer=found, days=days, by=request.user, at=at)
    messages.success(request, _("From now on it is measured so, for the last 90 days as well."))
    return see_other(reverse("aws_planned") + wish.link())


# --- A company's people ----------------------------------------------------------------------------------------------


@login_required
@require_safe
def mine(request: PersonRequest) -> HttpResponse:
    """What is planned for one's own companies; the desk has its own page."""
    user = request.user
    if user.staff_role:
        return redirect("aws_planned")
    return _mine_page(request, user, timezone.now())


def _mine_page(request: PersonRequest, user: User, at: datetime, **more: Any) -> HttpResponse:
    wish, language, today = Asked.read(request.GET), get_language() or "", _today(user, at)
    rows = planned_read.with_event(planned_read.parts_for(user, at))
    parts, further = _page_of(rows, wish, at)
    first = planned.month_asked(wish.month, today)
    begin, end = planned.span(first, user.zone)
    inside = rows.filter(event__starts_at__gte=begin, event__starts_at__lt=end).order_by("event__starts_at", "pk")
    # The list and the grid are read together: what both need is asked once.
    month_rows = list(inside[: planned_read.MOST_IN_MONTH])
    shown = {row.pk: row for row in [*parts, *month_rows]}
    found = {one.part: one for one in planned_read.changes(list(shown.values()), language)}
    urls = _own_tickets(user, shown.values())
    in_month = [found[row.pk] for row in month_rows]
    month = planned.month(first, planned_read.marks_of(in_month, urls), user.zone, today)
    own = companies(user)
    admins = [one for one in own if may(user, Right.KEYS, one.pk)]
    feeds = planned_feed.feeds_of([one.pk for one in admins])
    names = {one.pk: one.name for one in own} if len(own) > 1 else {}
    told = {
        "section": "planned",
        "now": at,
        "wish": wish,
        "changes": [(found[row.pk], names.get(row.customer_id, ""), urls.get(row.pk, "")) for row in parts],
        "further": further,
        "month": month,
        "links": _month_links(wish, month),
        "week_days": _week_days(),
        "names": names,
        "admins": [(one, feeds.get(one.pk)) for one in admins],
        "once": fresh_key(),
    }
    return render(request, "planned/mine.html", told | more, status=more.get("status", 200))


def _own_tickets(user: User, rows: Any) -> dict[int, str]:
    """The address of each part's ticket, where this person may read it. One statement."""
    tickets = {row.ticket_id: row for row in rows if row.ticket_id}
    if not tickets:
        return {}
    seen = Ticket.objects.visible_to(user).filter(pk__in=tickets).values_list("pk", flat=True)
    return {tickets[pk].pk: reverse("ticket", args=[tickets[pk].ticket.ref]) for pk in seen}
