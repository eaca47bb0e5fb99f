"""Holidays of an iCalendar file (RFC 5545): whole-day events of one year, their rules unrolled within it.

Where a file marks its days, "(休)" and "(班)" or Apple's X-APPLE-SPECIAL-DAY, only marked ones count: the rest are
festivals that nobody has off. In a file without marks every event is a closed day. DTEND is exclusive. What cannot be
read is named by its event; events of other years are left out and counted.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from dateutil.rrule import rrulestr
from django.utils.translation import gettext as _
from icalendar import Calendar

from sla.calendar_text import MOST_DAYS, WORKED, Day, Fault, Read, twice

MOST_EVENTS = 2000
OFTEN = {"YEARLY", "MONTHLY", "WEEKLY", "DAILY"}
MARKED_WORK = re.compile(r"[（(\[【]\s*(?:班|补班|上班|work(?:day|ing day)?)\s*[)）\]】]", re.IGNORECASE)
MARKED_REST = re.compile(r"[（(\[【]\s*(?:休|放假|假|off|closed)\s*[)）\]】]", re.IGNORECASE)
MARKS = re.compile(rf"{MARKED_WORK.pattern}|{MARKED_REST.pattern}", re.IGNORECASE)


class Odd(ValueError):
    """What is wrong with an event, in the reader's language."""


@dataclass(frozen=True)
class _Event:
    number: int
    part: Any

    @property
    def title(self) -> str:
        return " ".join(str(self.part.get("SUMMARY", "")).split())

    @property
    def where(self) -> str:
        if self.title:
            return _("event %(number)s (%(title)s)") % {"number": self.number, "title": self.title[:40]}
        return _("event %(number)s") % {"number": self.number}

    @property
    def worked(self) -> bool:
        special = str(self.part.get("X-APPLE-SPECIAL-DAY", ""))
        return "WORKDAY" in special or bool(WORKED.search(self.title))

    @property
    def marked(self) -> bool:
        return "X-APPLE-SPECIAL-DAY" in self.part or bool(MARKS.search(self.title)) or self.worked


def read_ics(content: bytes, year: int) -> Read:
    """The exceptions of a year that a file describes."""
    try:
        events = _events(content)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError):
        return Read(
            faults=(Fault("", _("This file is no iCalendar. Choose one that ends in .ics, or paste the list.")),)
        )
    if len(events) > MOST_EVENTS:
        return Read(faults=(Fault("", _("More than %(most)s events.") % {"most": MOST_EVENTS}),))
    if not events:
        return Read(faults=(Fault("", _("There is no event in this file.")),))
    marked = [event for event in events if event.marked]
    days, faults = _days(marked or events, year)
    notes = []
    if not days and not faults:
        faults.append(Fault("", _("No event of this file lies in %(year)s.") % {"year": year}))
    if left := len(events) - len(marked) if marked else 0:
        text = _(
            "%(count)s events without a mark such as (休) or (班) were left out: they are festivals, not days off."
        )
        notes.append(Fault("", text % {"count": left}))
    faults += twice(days)
    return Read(tuple(sorted(days, key=lambda day: day.date)), tuple(faults), tuple(notes))


def _events(content: bytes) -> list[_Event]:
    text = content.decode("utf-8-sig")
    if "BEGIN:VCALENDAR" not in text.upper():
        raise ValueError("no VCALENDAR")
    parts = [part for calendar in Calendar.from_ical(text, multiple=True) for part in calendar.walk("VEVENT")]
    return [_Event(number, part) for number, part in enumerate(parts, 1)]


def _days(events: list[_Event], year: int) -> tuple[list[Day], list[Fault]]:
    days: list[Day] = []
    faults: list[Fault] = []
    for event in events:
        try:
            name = " ".join(MARKS.sub(" ", event.title).split())[:40]
            days += [Day(day, event.worked, None, name, event.where) for day in _in_year(event.part, year)]
        except Odd as odd:
            faults.append(Fault(event.where, str(odd)))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            faults.append(Fault(event.where, _("It cannot be read.")))
    return days, faults


def _in_year(part: Any, year: int) -> Iterator[date]:
    if "DTSTART" not in part:
        raise Odd(_("It has no start."))
    start = _whole_day(part["DTSTART"].dt)
    length = _length(part, start)
    for first in _starts(part, start, year):
        for more in range(length):
            day = first + timedelta(days=more)
            if day.year == year:
                yield day


def _whole_day(value: Any) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise Odd(_("It has a time of day; only whole days are read."))
    return value


def _length(part: Any, start: date) -> int:
    """How many days; one where the event does not say, or ends on the day it starts."""
    if "DTEND" in part:
        days = (_whole_day(part["DTEND"].dt) - start).days
    elif "DURATION" in part:
        days = part["DURATION"].dt.days
    else:
        days = 1
    if days < 0:
        raise Odd(_("It ends before it starts."))
    if days > MOST_DAYS:
        raise Odd(_("More than %(most)s days in a row: this cannot be meant.") % {"most": MOST_DAYS})
    return max(1, days)


def _starts(part: Any, start: date, year: int) -> Iterator[date]:
    """The first days that touch the year."""
    found = {start}
    if "RRULE" in part:
        found |= _repeated(part["RRULE"], start, year)
    for day in _listed(part, "RDATE"):
        found.add(day)
    yield from sorted(found - set(_listed(part, "EXDATE")))


def _repeated(rule: Any, start: date, year: int) -> set[date]:
    if isinstance(rule, list) or not set(rule.get("FREQ", [])) <= OFTEN:
        raise Odd(_("Its repetition cannot be read."))
    if start.year < 1900:
        raise Odd(_("It has repeated since before 1900."))
    text = re.sub(r"(UNTIL=\d{8})T\d{6}Z?", r"\1", rule.to_ical().decode())
    # Rules are reckoned without zones, as whole days have none.
    begin, end = datetime.combine(start, time()), datetime.combine(date(year, 12, 31), time())
    if "UNTIL=" not in text and "COUNT=" not in text:
        # A rule that never comes true would be walked to the end of time.
        text += f";UNTIL={end:%Y%m%d}"
    from_day = datetime.combine(date(year, 1, 1), time()) - timedelta(days=MOST_DAYS)
    return {when.date() for when in rrulestr(text, dtstart=begin).between(from_day, end, inc=True)}


def _listed(part: Any, name: str) -> list[date]:
    given = part.get(name, [])
    rows = given if isinstance(given, list) else [given]
    return [_whole_day(one.dt) for row in rows for one in row.dts]
