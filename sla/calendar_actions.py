"""A calendar and its versions, from draft to publication, as with the policy: its author writes it, somebody else
publishes it, and then it stays. One version of a calendar is open at a time.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.doors import Refused as Refused
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.record import Happening, record
from sla import calendar_sound
from sla.actions import Superseded as Superseded
from sla.calendar_text import Day
from sla.calendar_year import preview
from sla.models import Calendar, CalendarVersion, State

# What a new calendar begins with: Monday to Friday.
BEGUN = {"kind": "hours", "week": {str(day): [["09:00", "12:00"], ["13:00", "18:00"]] for day in range(5)}}


@transaction.atomic
def create(*, code: str, label_zh: str, label_en: str, by: User, at: datetime) -> Calendar:
    """A calendar without hours yet: its first version is drafted and published. Raises Refused, PermissionDenied."""
    _demand(by)
    if Calendar.objects.filter(code=code).exists():
        raise Refused("code", _("There is a calendar of this code already."))
    made = Calendar.objects.create(code=code, label_zh=label_zh, label_en=label_en)
    record([Happening("calendar.created")], by=by, at=at, subject=f"calendar:{code}")
    return made


@transaction.atomic
def rename(*, calendar: Calendar, label_zh: str, label_en: str, by: User, at: datetime) -> Calendar:
    """What a calendar is called. Raises PermissionDenied."""
    _demand(by)
    found = Calendar.objects.select_for_update().get(pk=calendar.pk)
    if (found.label_zh, found.label_en) != (label_zh, label_en):
        found.label_zh, found.label_en = label_zh, label_en
        found.save(update_fields=["label_zh", "label_en"])
        record([Happening("calendar.renamed")], by=by, at=at, subject=f"calendar:{found.code}")
    return found


@transaction.atomic
def draft(*, calendar: Calendar, by: User, at: datetime) -> CalendarVersion:
    """A new draft that says what the newest version says. Raises Refused where one is open, PermissionDenied."""
    _demand(by)
    found = Calendar.objects.select_for_update().get(pk=calendar.pk)
    last = found.versions.order_by("-number").first()
    if last and last.state != State.PUBLISHED:
        raise Refused("", _("There is an open draft already: version %(number)s.") % {"number": last.number})
    fresh = CalendarVersion.objects.create(
        calendar=found,
        number=last.number + 1 if last else 1,
        author=by,
        effective_at=at,
        zone=last.zone if last else by.zone,
        rules=last.rules if last else BEGUN,
        known_until=last.known_until if last else None,
    )
    _record(Happening("calendar.drafted", {"from": last.number if last else 0}), fresh, by, at)
    return fresh


@transaction.atomic
def change(
    *, version: CalendarVersion, zone: str, rules: Mapping[str, Any], known_until: date | None, by: User, at: datetime
) -> CalendarVersion:
    """Writes what differs into a draft. Raises Refused where it is none of theirs or unsound, PermissionDenied."""
    _demand(by)
    found = _locked(version, State.DRAFT)
    _demand_author(found, by)
    if wrong := calendar_sound.faults(zone, rules, known_until):
        raise Refused(*wrong[0])
    said = {"zone": zone, "rules": dict(rules), "known_until": known_until}
    if differing := {name: value for name, value in said.items() if getattr(found, name) != value}:
        _step(found, **differing)
        _record(Happening("calendar.changed", {"fields": sorted(differing)}), found, by, at)
    return found


@transaction.atomic
def take_in(*, version: CalendarVersion, days: Iterable[Day], year: int, by: User, at: datetime) -> CalendarVersion:
    """Writes a year's list of exceptions into a draft; the year is known then. Raises Refused, PermissionDenied."""
    _demand(by)
    found = _locked(version, State.DRAFT)
    _demand_author(found, by)
    if found.rules["kind"] == "24x7":
        raise Refused("", _("A calendar around the clock keeps no holidays."))
    seen = preview(found.zone, found.rules, days, year)
    known_until = max(found.known_until or date.min, date(year, 12, 31))
    if wrong := calendar_sound.faults(found.zone, seen.rules, known_until):
        raise Refused("", wrong[0][1])
    _step(found, rules=dict(seen.rules), known_until=known_until)
    counts = {"year": year, "added": len(seen.added), "changed": len(seen.conflicts)}
    _record(Happening("calendar.imported", counts), found, by, at)
    return found


@transaction.atomic
def submit(*, version: CalendarVersion, by: User, at: datetime) -> CalendarVersion:
    """From now on it stands as it is and waits for somebody else. Raises Refused, PermissionDenied."""
    _demand(by)
    found = _locked(version, State.DRAFT)
    _demand_author(found, by)
    if wrong := calendar_sound.faults(found.zone, found.rules, found.known_until):
        raise Refused("", wrong[0][1])
    _step(found, state=State.SUBMITTED)
    _record(Happening("calendar.submitted"), found, by, at)
    return found


@transaction.atomic
def give_back(*, version: CalendarVersion, by: User, at: datetime) -> CalendarVersion:
    """A submitted version becomes its author's draft again. Raises Refused, PermissionDenied."""
    _demand(by)
    found = _locked(version, State.SUBMITTED)
    _step(found, state=State.DRAFT)
    _record(Happening("calendar.returned"), found, by, at)
    return found


@transaction.atomic
def discard(*, version: CalendarVersion, by: User, at: datetime) -> None:
    """Drops a draft; its number is free again, its history stays. Raises Refused, PermissionDenied."""
    _demand(by)
    found = _locked(version, State.DRAFT)
    _record(Happening("calendar.discarded"), found, by, at)
    found.delete()


@transaction.atomic
def publish(
    *, version: CalendarVersion, effective_at: datetime | None, seen: str, by: User, at: datetime
) -> CalendarVersion:
    """Makes a submitted version the one that new tickets are bound to, from `effective_at` on (None: from now).

    `seen` is the digest of what the approver has read. Raises Superseded where it is not that any more, Refused,
    PermissionDenied.
    """
    _demand(by)
    found = (
        CalendarVersion.objects.select_for_update(of=("self",)).select_related("calendar").filter(pk=version.pk).first()
    )
    if found is None or found.state != State.SUBMITTED or digest(found) != seen:
        raise Superseded
    if found.author_id == by.pk:
        raise Refused("", _("You wrote this version. Another administrator has to publish it."))
    when = (effective_at or at).replace(microsecond=0)
    if effective_at and when < at.replace(microsecond=0):
        raise Refused("effective_at", _("This is past. A promise begins now or later."))
    _step(found, state=State.PUBLISHED, approver=by, published_at=at, effective_at=when)
    _record(Happening("calendar.published", {"effective_at": when.isoformat()}), found, by, at)
    return found


def digest(version: CalendarVersion) -> str:
    """The sha256 of what a version says."""
    said = [version.calendar_id, version.number, version.zone, version.rules, str(version.known_until)]
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def subject_of(version: CalendarVersion) -> str:
    """How history names a version."""
    return f"calendar:{version.calendar.code}:{version.number}"


def _locked(version: CalendarVersion, state: State) -> CalendarVersion:
    rows = CalendarVersion.objects.select_for_update(of=("self",)).select_related("calendar")
    found = rows.filter(pk=version.pk).first()
    if found is None or found.state != state:
        raise Refused("", _("Somebody else took this version a step meanwhile. Look at it again."))
    return found


def _step(version: CalendarVersion, **values: Any) -> None:
    for name, value in values.items():
        setattr(version, name, value)
    version.save(update_fields=list(values))


def _demand(by: User) -> None:
    if not may(by, Right.ADMIN):
        raise PermissionDenied


def _demand_author(version: CalendarVersion, by: User) -> None:
    if version.author_id != by.pk:
        raise Refused("", _("Only its author changes a draft, so that somebody else can approve it."))


def _record(happening: Happening, version: CalendarVersion, by: User, at: datetime) -> None:
    record([happening], by=by, at=at, subject=subject_of(version))
