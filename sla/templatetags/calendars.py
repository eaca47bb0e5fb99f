"""A calendar's year as pictures: one a month, without colours of their own, so that they stand on any page."""

from typing import Any

from babel import dates
from django import template

from helpdesk.models import in_chinese
from sla.calendar_names import called
from sla.calendar_year import CELL, HIGH, WIDE, Picture

register = template.Library()


@register.simple_tag
def holiday(name: str) -> str:
    """What a holiday is called in the reader's language."""
    return called(name)


@register.inclusion_tag("calendars/_year.html")
def year_picture(picture: Picture) -> dict[str, Any]:
    """Twelve months with closed, make-up and working days."""
    names = dates.get_day_names("narrow", context="stand-alone", locale="zh_Hans" if in_chinese() else "en_GB")
    letters = [(CELL // 2 + CELL * day, names[day]) for day in range(7)]
    return {
        "months": picture.months,
        "letters": letters,
        "wide": WIDE,
        "outer": WIDE + 8,
        "high": HIGH,
        "cell": picture.cell,
    }
