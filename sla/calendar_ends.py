"""Until when a calendar knows its holidays: who is told that the next list is wanted, and which due times may move yet.

From 60 days before the end administrators are warned, by letter at 60, 30 and 7 days, once each. The newest published
version of a calendar counts: where the next list is published already, nobody is told anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings

from helpdesk.outbox.content import Content
from helpdesk.outbox.models import Letter
from sla.calendar_sound import days_left
from sla.clocks import calendar_of
from sla.hours import Hours
from sla.models import Calendar, CalendarVersion, Clock, State
from sla.reminders import MARKS, reader, remind

KIND = "calendar.ends"
TOLD = ("admin",)
# When the sample of the previews is written.
AT = datetime(2026, 11, 1, 1, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Ending:
    """A calendar whose holidays are known for so many days more; below 0 for so many days no longer."""

    version: CalendarVersion
    days: int

    @property
    def row(self) -> CalendarVersion:
        return self.version

    @property
    def subject(self) -> str:
        return f"calendar:{self.version.calendar.code}:{self.version.known_until}"


def newest() -> list[CalendarVersion]:
    """The newest published version of each calendar. One statement."""
    rows = CalendarVersion.objects.filter(state=State.PUBLISHED).select_related("calendar")
    return list(rows.order_by("calendar_id", "-number").distinct("calendar_id"))


def endings(at: datetime) -> list[Ending]:
    """The calendars whose next list is wanted, the first to end first. One statement."""
    known = [Ending(version, days_left(version, at)) for version in newest() if version.known_until]
    return sorted((one for one in known if one.days <= MARKS[0]), key=lambda one: (one.days, one.version.pk))


# --- Letters ---------------------------------------------------------------------------------------------------------


def tell(at: datetime) -> int:
    """Writes the letters that are wanted now; returns how many."""
    return remind(KIND, endings(at), TOLD, at)


def content(letter: Letter, at: datetime) -> Content | None:
    """What the letter says when it leaves; None where the next list is published meanwhile."""
    person = reader(letter, TOLD)
    found = [one for one in endings(at) if one.subject == letter.subject]
    if person is None or not found:
        return None
    return Content(said(person.name, found[0]), {person.key: person.name}, automatic=True)


def said(name: str, ending: Ending) -> dict[str, Any]:
    """What the letter's templates ask for."""
    version = ending.version
    link = f"{settings.SITE_URL}/admin/sla/calendar/{version.calendar_id}/change/"
    return {"name": name, "calendar": version.calendar.label, "until": version.known_until, "link": link}


def sample(kind: str, language: str) -> tuple[Letter, Content]:
    """A letter that nobody gets, for the previews."""
    name = {"zh-hans": "陈佳", "en": "Tom Ellis"}[language]
    office = Calendar(pk=1, code="CN-8x5", label_zh="中国工作时间", label_en="China office hours")
    version = CalendarVersion(pk=1, calendar=office, number=1, zone="Asia/Shanghai", known_until=date(2026, 12, 31))
    letter = Letter(
        pk=7, kind=kind, to_key="sample", to_address="admin@desk.example", language=language, zone="Asia/Shanghai",
        created_at=AT,
    )  # fmt: skip
    return letter, Content(said(name, Ending(version, 60)), {"sample": name}, automatic=True)


# --- Due times -------------------------------------------------------------------------------------------------------


def is_beyond(calendar: int, due: datetime | None) -> bool:
    """Whether a due time lies where a calendar version does not know its holidays yet. No statement of its own."""
    hours = calendar_of(calendar)
    if due is None or not isinstance(hours, Hours) or hours.known_until is None:
        return False
    end = datetime.combine(hours.known_until + timedelta(days=1), datetime.min.time(), hours.zone)
    return due > end


def unpublished(calendar: int, clocks: Iterable[Clock]) -> set[str]:
    """The kinds of the clocks that still run towards a day whose holidays are not published."""
    return {c.kind for c in clocks if c.completed_at is None and is_beyond(calendar, c.due_at)}
