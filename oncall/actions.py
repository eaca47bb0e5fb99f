"""What is done to an engineer's skills, capacity and leave: verbs, each in one transaction with its history."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.doors import Refused
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.record import Happening, record
from oncall.models import Engineer, Leave, Skill

LONGEST_LEAVE = timedelta(days=366)


@transaction.atomic
def set_engineer(
    *, person: User, capacity: int, languages: Iterable[str], skills: Mapping[str, int], by: User, at: datetime
) -> None:
    """Writes what a colleague can: `skills` is {family: 0 to 3} and stands for all of them."""
    if not may(by, Right.TEAMS) or not person.is_desk:
        raise PermissionDenied
    User.objects.select_for_update().get(pk=person.pk)
    known = Engineer.objects.filter(user=person).first()
    before = {s.family: s.level for s in Skill.objects.filter(user=person) if s.level}
    after = {family: level for family, level in sorted(skills.items()) if level}
    spoken = sorted(languages)
    if known and (known.capacity, sorted(known.languages), before) == (capacity, spoken, after):
        return
    Engineer.objects.update_or_create(user=person, defaults={"capacity": capacity, "languages": spoken})
    Skill.objects.filter(user=person).delete()
    Skill.objects.bulk_create(Skill(user=person, family=f, level=n) for f, n in after.items())
    data = {"capacity": capacity, "languages": spoken, "skills": after}
    record([Happening("engineer.changed", data)], by=by, at=at, subject=person.key)


@transaction.atomic
def add_leave(*, person: User, starts_at: datetime, ends_at: datetime, by: User, at: datetime) -> Leave:
    """Says that somebody is away; a person says it of themselves, a lead of anybody. Raises Refused."""
    _may_for(person, by)
    if ends_at <= starts_at:
        raise Refused("last", _("A leave ends after it began."))
    if ends_at <= at:
        raise Refused("last", _("This leave is over already."))
    if ends_at - starts_at > LONGEST_LEAVE:
        raise Refused("last", _("A leave lasts a year at most."))
    User.objects.select_for_update().get(pk=person.pk)
    if Leave.objects.filter(user=person, starts_at__lt=ends_at, ends_at__gt=starts_at).exists():
        raise Refused("first", _("There is a leave in these days already."))
    leave = Leave.objects.create(user=person, starts_at=starts_at, ends_at=ends_at, made_by=by)
    record([Happening("engineer.leave_added", _told(leave))], by=by, at=at, subject=person.key)
    return leave


@transaction.atomic
def end_leave(*, leave: Leave, by: User, at: datetime) -> None:
    """Takes a leave back: one to come goes, one that runs ends now, one that is over stays as it was."""
    _may_for(leave.user, by)
    found = (
        Leave.objects.select_for_update(of=("self",)).select_related("user").filter(pk=leave.pk, ends_at__gt=at).first()
    )
    if found is None:
        return
    if found.starts_at >= at:
        found.delete()
    else:
        Leave.objects.filter(pk=found.pk).update(ends_at=at)
    record([Happening("engineer.leave_ended", _told(found))], by=by, at=at, subject=leave.user.key)


def _may_for(person: User, by: User) -> None:
    if not (may(by, Right.TEAMS) or by.pk == person.pk) or not (person.is_desk and by.is_desk):
        raise PermissionDenied


def _told(leave: Leave) -> dict[str, str]:
    return {"starts": leave.starts_at.isoformat(), "ends": leave.ends_at.isoformat(), "zone": leave.user.zone}
