"""The levels of urgency: a partner may replace the four that ship, P0 to P4 for one, by actions alone.

The policy decides which level there is for a ticket: the version in force names those of a new one, and a ticket keeps
those of its own version. So a level that retires leaves with the next version, and one that is new comes with it.
"""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.doors import Refused as Refused
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.record import Happening, record
from sla.completing import complete_open
from sla.models import Priority, State, Target

# More levels nobody tells apart.
MOST = 99


@transaction.atomic
def create_priority(*, code: str, rank: int, label_zh: str, label_en: str, by: User, at: datetime) -> Priority:
    """A level that the next version of the policy names. Raises Refused, PermissionDenied."""
    _demand(by)
    _lock()
    if Priority.objects.filter(code=code).exists():
        raise Refused("code", _("There is a priority of this code already."))
    _demand_sound(faults(None, rank=rank))
    made = Priority.objects.create(code=code, rank=rank, label_zh=label_zh, label_en=label_en)
    complete_open()
    record([Happening("priority.created", {"rank": rank})], by=by, at=at, subject=f"priority:{code}")
    return made


@transaction.atomic
def change_priority(
    *, priority: Priority, rank: int, label_zh: str, label_en: str, retired: bool = False, by: User, at: datetime
) -> Priority:
    """Its names and rank, and whether the next version names it. Raises Refused, PermissionDenied."""
    _demand(by)
    _lock()
    found = Priority.objects.get(pk=priority.pk)
    _demand_sound(faults(found, rank=rank, retired=retired))
    said = {"rank": rank, "label_zh": label_zh, "label_en": label_en, "retired": retired}
    if differing := [name for name in said if said[name] != getattr(found, name)]:
        for name in differing:
            setattr(found, name, said[name])
        found.save(update_fields=differing)
        complete_open()
        record([Happening("priority.changed", {"fields": differing})], by=by, at=at, subject=f"priority:{found.code}")
    return found


def is_promised(priority: Priority) -> bool:
    """Whether a published version names it: then clocks count with its rank. One statement."""
    return Target.objects.filter(priority=priority, policy__state=State.PUBLISHED).exists()


def faults(found: Priority | None, *, rank: int, retired: bool = False) -> list[tuple[str, str]]:
    """(field, what is wrong) with a level as it would stand. Up to three statements."""
    if not 1 <= rank <= MOST:
        return [("rank", _("Write a number from 1 to %(most)s.") % {"most": MOST})]
    if found and rank != found.rank and is_promised(found):
        return [("rank", _("A published version counts on this rank. Retire this priority and add another."))]
    others = Priority.objects.filter(retired=False)
    if found:
        others = others.exclude(pk=found.pk)
    if retired:
        last = _("This is the last priority: add another one first.")
        return [] if others.exists() else [("retired", last)]
    if other := others.filter(rank=rank).first():
        text = _("“%(other)s” has this rank. Retire it first, or choose another.")
        return [("rank", text % {"other": other.label})]
    return []


def _demand_sound(wrong: list[tuple[str, str]]) -> None:
    if wrong:
        raise Refused(*wrong[0])


def _lock() -> None:
    # Ranks are told apart among all levels, so that administrators take turns at the table; readers do not wait.
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE sla_priority IN SHARE ROW EXCLUSIVE MODE")


def _demand(by: User) -> None:
    if not may(by, Right.ADMIN):
        raise PermissionDenied
