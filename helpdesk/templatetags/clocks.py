"""What a page says of a clock: what is left or over in working time, its track, and sums to the second.

A script counts down where every second works; in office hours it would be wrong, so the server says what is left and as
of when.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from helpdesk.templatetags.desk import as_timer, left_s, over_or_left, spoken, urgency

register = template.Library()


def working_left_s(due: datetime, now: datetime, calendar: Any) -> float:
    """The same by a calendar (sla.worktime.Calendar): seconds on which nobody works are none."""
    if _every_second(calendar):
        return left_s(due, now)
    return float(calendar.work(now, due) if due >= now else -calendar.work(due, now))


def _every_second(calendar: Any) -> bool:
    """Whether a script that knows no calendar may count down: around the clock."""
    return calendar is None or not hasattr(calendar, "zone")


@register.simple_tag(takes_context=True)
def left(context: Context, clock: Any) -> SafeString:
    """What is left of a running clock in working time: "4 h 39 min left"; it counts down where every second works."""
    seconds = working_left_s(clock.due_at, context["now"], context.get("calendar"))
    if not _every_second(context.get("calendar")):
        return format_html("<span>{}</span>", over_or_left(seconds))
    return format_html(
        '<span data-due="{}" data-form="clock">{}</span>',
        clock.due_at.isoformat(timespec="seconds"),
        over_or_left(seconds),
    )


@register.filter
def as_clock(seconds: int) -> str:
    """A stretch of time to the second, so that a sum can be checked: "4:39:05"."""
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


@register.filter
def isodays(days: Iterable[date]) -> str:
    """Days in a row: "2026-02-16, 2026-02-17"."""
    return _(", ").join(str(day) for day in days)


@register.inclusion_tag("parts/_clock.html", takes_context=True)
def clock_panel(context: Context, clock: Any) -> dict[str, Any]:
    """One promise with its track: how much of the target is used, in working time."""
    now, calendar = context["now"], context.get("calendar")
    state, text, counts = _clock_words(clock, now, calendar)
    used = _used_s(clock, now, calendar)
    return {
        "working": not _every_second(calendar) and counts,
        "clock": clock,
        "state": state,
        "text": text,
        "counts": counts and _every_second(calendar),
        "used": used if used > 0 and not clock.completed_at else None,
        "width": f"{min(100.0, max(0.0, 100 * used / clock.target_s)):.1f}%",
        "now": now,
    }


def _clock_words(clock: Any, now: datetime, calendar: Any) -> tuple[str, str, bool]:
    """State, words, and whether they count down in the page."""
    if clock.verdict == "n/a":
        return "", _("Does not apply"), False
    if clock.verdict == "paused":
        return "paused", _("Paused, %(time)s left") % {"time": spoken(clock.remaining_s or 0)}, False
    if clock.completed_at and clock.verdict == "met":
        return "good", _("Met, %(time)s") % {"time": as_timer(clock.running_s)}, False
    seconds = working_left_s(clock.due_at, clock.completed_at or now, calendar)
    # A breach by a raised priority can be recorded with the work done before its new due time.
    return ("late" if clock.breached_at else urgency(seconds)), over_or_left(seconds), not clock.completed_at


def _used_s(clock: Any, now: datetime, calendar: Any) -> float:
    if clock.completed_at or clock.verdict == "n/a":
        return float(clock.running_s)
    if clock.verdict == "paused":
        return float(clock.target_s - (clock.remaining_s or 0))
    return float(clock.target_s - working_left_s(clock.due_at, now, calendar))
