"""What GET /api/sla says of plans and of the hours they are measured in."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop as _
from ninja import Schema
from pydantic import Field

from sla.models import CalendarVersion, Plan, Target


class Limits(Schema):
    priority: str
    label: str = Field(description=_("In the language of the request, as the definition."))
    definition: str
    response_time_minutes: int
    resolution_time_hours: int
    update_minutes: int


class Tier(Schema):
    code: str
    label: str
    is_default: bool = Field(description=_("What a company has that bought no other plan."))
    calendar: str = Field(description=_("The code of the calendar its clocks run by."))
    targets: list[Limits]


class Day(Schema):
    date: str
    hours: list[list[str]] = Field(description=_("From and until; none where the day is closed."))


class Hours(Schema):
    code: str
    label: str
    version: int
    zone: str
    around_the_clock: bool
    week: list[list[list[str]]] = Field(description=_("Monday first: from and until of each stretch of a day."))
    exceptions: list[Day] = Field(description=_("Holidays, and days that are worked though their weekday is not."))
    known_until: str | None = Field(description=_("The last day whose holidays are published."))


def limits(rows: Iterable[Target]) -> list[dict[str, Any]]:
    """The targets of one plan. No statement where they know their priority."""
    return [
        {
            "priority": row.priority.code,
            "label": row.priority.label,
            "definition": row.description,
            "response_time_minutes": row.response_time_minutes,
            "resolution_time_hours": row.resolution_time_hours,
            "update_minutes": row.update_minutes,
        }
        for row in rows
    ]


def calendars(plans: Iterable[Plan], at: datetime) -> dict[int | None, CalendarVersion]:
    """The version in force of each plan's calendar, by the calendar's id; under None the default one. One statement."""
    found = CalendarVersion.objects.in_force(at).select_related("calendar").order_by("calendar_id", "-number")
    every = {one.calendar_id: one for one in found.distinct("calendar_id")}
    default = next(one for one in every.values() if one.calendar.is_default)
    return {plan.calendar_id: every.get(plan.calendar_id or 0, default) for plan in plans}


def tiers(plans: Iterable[Plan], rows: list[Target], used: dict[int | None, CalendarVersion]) -> list[dict[str, Any]]:
    """Each plan with its targets. No statement."""
    return [
        {
            "code": plan.code,
            "label": plan.label,
            "is_default": plan.is_default,
            "calendar": used[plan.calendar_id].calendar.code,
            "targets": limits(row for row in rows if row.plan_id == plan.pk),
        }
        for plan in plans
    ]


def hours(used: Iterable[CalendarVersion]) -> list[dict[str, Any]]:
    """Each calendar once. No statement."""
    return [_hours(one) for one in {one.pk: one for one in used}.values()]


def _hours(one: CalendarVersion) -> dict[str, Any]:
    week, rules = one.rules.get("week", {}), one.rules
    days: dict[str, Any] = {day: [] for day in rules.get("closed", [])} | dict(rules.get("workdays", {}))
    return {
        "code": one.calendar.code,
        "label": one.calendar.label,
        "version": one.number,
        "zone": one.zone,
        "around_the_clock": rules["kind"] == "24x7",
        "week": [week.get(str(day), []) for day in range(7)],
        "exceptions": [{"date": day, "hours": days[day] or []} for day in sorted(days)],
        "known_until": one.known_until.isoformat() if one.known_until else None,
    }
