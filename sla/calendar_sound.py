"""What is wrong with a calendar, and what somebody should know before a promise rests on one.

`faults` stop a calendar version from being submitted; `doubts` are told about a policy that uses calendars. Both are
asked with plain values.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from sla import hours
from sla.calendar_text import Unreadable, checked, days_of
from sla.calendar_year import hours_of
from sla.models import CalendarVersion, PolicyVersion

# A calendar says so long before its holidays end that the next list is wanted.
NEXT_LIST_DAYS = 90
AROUND = re.compile(r"24\s*[x×*/]\s*7|7\s*[x×*/]\s*24|around the clock|全天候|昼夜", re.IGNORECASE)


class Promised(Protocol):
    """A target with its words."""

    response_time_minutes: int
    description_zh: str
    description_en: str


def faults(zone: str, rules: Mapping[str, Any], known_until: date | None) -> list[tuple[str, str]]:
    """(field, what is wrong) of a calendar version: zone, week, exceptions, known_until. Raises nothing."""
    if rules["kind"] == "24x7":
        return []
    try:
        hours_of(zone, rules)
        pairs = {**rules.get("week", {}), **{day: own for day, own in rules.get("workdays", {}).items() if own}}
        for given in pairs.values():
            checked(given)
    except hours.BadCalendar as bad:
        return [(_field(bad.path), _said(bad))]
    except Unreadable as wrong:
        return [("week", str(wrong))]
    return _of_days(rules, known_until)


def _said(bad: hours.BadCalendar) -> str:
    if "never open" in bad.problem:
        return _("This calendar is never open.")
    if bad.path == "zone":
        return _("Choose a zone.")
    return str(bad)


def _field(path: str) -> str:
    part = path.partition(".")[0]
    return {"closed": "exceptions", "workdays": "exceptions"}.get(part, part or "week")


def _of_days(rules: Mapping[str, Any], known_until: date | None) -> list[tuple[str, str]]:
    days = days_of(rules)
    both = set(rules.get("closed", [])) & set(rules.get("workdays", {}))
    if both:
        return [("exceptions", _("%(day)s is a workday and closed as well.") % {"day": min(both)})]
    if days and known_until is None:
        return [("known_until", _("Say until when its holidays are published: it has some."))]
    if days and known_until and days[-1].date > known_until:
        return [("known_until", _("It has a day after this: %(day)s.") % {"day": days[-1].date.isoformat()})]
    return []


def claims(texts: Iterable[str]) -> bool:
    """Whether words say that somebody is there around the clock."""
    return any(AROUND.search(text) for text in texts)


def doubts(version: CalendarVersion, promised: Iterable[Promised], words: Iterable[str], at: datetime) -> list[str]:
    """What is to be said of the promises that rest on a calendar version: `words` are what the plan and the policy call
    its hours. Reads nothing but what it is given.
    """
    name, rows = version.calendar.label, list(promised)
    found: list[str] = []
    labels = [version.calendar.label_zh, version.calendar.label_en, version.calendar.code]
    texts = [*labels, *words, *(text for row in rows for text in (row.description_zh, row.description_en))]
    if version.rules["kind"] != "24x7" and claims(texts):
        text = _("24×7 is claimed, but the calendar “%(name)s” has office hours.")
        found.append(text % {"name": name})
    if (told := ends_soon(version, at)) is not None:
        found.append(told)
    found += [wrong for _field, wrong in faults(version.zone, version.rules, version.known_until)]
    return found + _never(version, rows, at)


def of_policy(policy: PolicyVersion, claim: str, at: datetime) -> list[str]:
    """What is to be said of the calendars that a version's promises are measured by. Two statements.

    `claim` is how the policy calls the desk's own hours; a plan with hours of its own is taken at its name.
    """
    when = max(at, policy.effective_at)
    used = {
        version.calendar_id: version
        for version in CalendarVersion.objects.in_force(when).select_related("calendar").order_by("number")
    }
    default = next((version for version in used.values() if version.calendar.is_default), None)
    targets = list(policy.targets.select_related("plan"))
    found: list[str] = []
    for plan in dict.fromkeys(target.plan for target in targets):
        version = used.get(plan.calendar_id, default) if plan.calendar_id else default
        words = [plan.label_zh, plan.label_en] if plan.calendar_id else [claim]
        if version:
            found += doubts(version, [t for t in targets if t.plan_id == plan.pk], words, when)
    return list(dict.fromkeys(found))


def _never(version: CalendarVersion, rows: Iterable[Promised], at: datetime) -> list[str]:
    try:
        office = hours_of(version.zone, version.rules)
        if office is None:
            return []
        for row in rows:
            office.add(at.replace(microsecond=0), row.response_time_minutes * 60)
    except hours.BadCalendar:
        text = _("In the calendar “%(name)s” a first response never becomes due: its window is never open.")
        return [text % {"name": version.calendar.label}]
    return []


def ends_soon(version: CalendarVersion, at: datetime) -> str | None:
    """What is to be said where the next year's holidays are wanted; None where there is time, or none are kept."""
    if version.known_until is None or days_left(version, at) > NEXT_LIST_DAYS:
        return None
    text = _("The holidays of “%(name)s” are known until %(day)s only: import the next year's list.")
    return text % {"name": version.calendar.label, "day": version.known_until.isoformat()}


def days_left(version: CalendarVersion, at: datetime) -> int:
    """The days from today, where the calendar is, to the last one whose holidays are known; below 0 when it is past."""
    assert version.known_until is not None
    return (version.known_until - at.astimezone(ZoneInfo(version.zone)).date()).days
