"""/sla-config/calendars: each calendar's year, with its hours, holidays, make-up days and versions.

For the staff, and for the administrators of a company, who see the calendars their company's promises are measured by.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from docs.tables import calendar_hours
from helpdesk.accounts.doors import PersonRequest
from helpdesk.accounts.models import CustomerRole, StaffRole, User
from helpdesk.accounts.permissions import customers_of
from sla.calendar_names import called
from sla.calendar_sound import days_left
from sla.calendar_text import FIRST_YEAR, LAST_YEAR, Day, days_of, in_rows
from sla.calendar_year import Picture, hours_of, picture
from sla.models import Calendar, CalendarVersion, Plan, State
from sla.tiers import promised_to

# From so many days before its end a calendar's "known until" is a warning.
WARNED_DAYS = 60


def may_see(user: User) -> bool:
    """Whether the page exists for somebody."""
    return bool(user.staff_role) or CustomerRole.ADMIN in customers_of(user).values()


@dataclass(frozen=True)
class Shown:
    """A calendar as the page shows it: the version its year is drawn from, and all that were published."""

    calendar: Calendar
    version: CalendarVersion
    versions: list[CalendarVersion]
    in_force: CalendarVersion | None
    hours: list[str]
    picture: Picture | None
    rows: list[list[Day]]
    days_left: int | None

    @property
    def known_state(self) -> str:
        left = self.days_left
        return "" if left is None or left > WARNED_DAYS else "soon" if left >= 0 else "bad"


@login_required
@require_safe
def calendars(request: PersonRequest) -> HttpResponse:
    """The year of each calendar, or of the one that somebody's company is measured by. One statement and the rights."""
    if not may_see(request.user):
        raise Http404
    now = timezone.now()
    year = asked(request.GET.get("year", ""), now.year)
    told = {
        "calendars": list(shown(seen_by(request.user, now), year, now)),
        "year": year,
        "before": year - 1 if year > FIRST_YEAR else None,
        "after": year + 1 if year < LAST_YEAR else None,
        # An auditor sees what was decided and not who.
        "names": bool(request.user.staff_role) and request.user.staff_role != StaffRole.AUDITOR,
        "admin": request.user.staff_role == StaffRole.ADMIN,
        "section": "sla",
    }
    return render(request, "docs/calendars.html", told)


def asked(text: str, otherwise: int) -> int:
    plain = text.isascii() and text.isdecimal() and len(text) == 4
    return int(text) if plain and FIRST_YEAR <= int(text) <= LAST_YEAR else otherwise


def seen_by(user: User, at: datetime) -> Iterable[CalendarVersion]:
    """The published versions of the calendars somebody may see, by calendar, the newest first: all of them for the
    staff, those of the plans their companies have for others. One statement, three for others."""
    found = CalendarVersion.objects.filter(state=State.PUBLISHED).select_related("calendar", "author", "approver")
    if not user.staff_role:
        own = {plan.calendar_id for plan in promised_to(customers_of(user), Plan.objects.all(), at)}
        named = Q(calendar__in=own - {None})
        found = found.filter(named | Q(calendar__is_default=True) if None in own else named)
    return found.order_by("-calendar__is_default", "calendar__code", "-number")


def shown(versions: Iterable[CalendarVersion], year: int, now: datetime) -> Iterable[Shown]:
    for _code, rows in groupby(versions, key=lambda version: version.calendar.code):
        known = list(rows)
        yield _one(known, year, now)


def _one(versions: list[CalendarVersion], year: int, now: datetime) -> Shown:
    end = datetime(year + 1, 1, 1, tzinfo=UTC)
    # The newest that holds by the end of the year; of a year before all of them, the oldest.
    version = next((one for one in versions if one.effective_at < end), versions[-1])
    office = hours_of(version.zone, version.rules)
    days = [day for day in days_of(version.rules) if day.date.year == year]
    newest = versions[0]
    return Shown(
        calendar=version.calendar,
        version=version,
        versions=versions,
        in_force=next((one for one in versions if one.effective_at <= now), None),
        hours=calendar_hours(version.rules),
        picture=picture(year, office, _called(version.rules)) if office else None,
        rows=in_rows(days),
        days_left=days_left(newest, now) if newest.known_until else None,
    )


def _called(rules: Any) -> dict[str, str]:
    return {day: called(name) for day, name in rules.get("names", {}).items()}
