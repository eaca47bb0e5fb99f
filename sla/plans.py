"""Plans, and which customer has which from when until when: every change here is an action.

A ticket is bound to the plan of its customer when it is filed (clocks.terms_in_force); what changes later moves none.
Nothing is deleted: a plan retires, and then nobody new gets it.
"""

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from helpdesk.accounts.doors import Refused as Refused
from helpdesk.accounts.models import Customer, User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.record import Happening, record
from sla.completing import complete_open
from sla.models import Calendar, CalendarVersion, Plan, PlanAssignment, PolicyVersion, Target

Fault = tuple[str, str]


# --- Plans -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def create_plan(
    *, code: str, label_zh: str, label_en: str, calendar: Calendar | None = None, by: User, at: datetime
) -> Plan:
    """A plan that can be assigned once a published version of the policy names its targets. Raises Refused,
    PermissionDenied."""
    _demand(by)
    if Plan.objects.filter(code=code).exists():
        raise Refused("code", _("There is a plan of this code already."))
    _demand_sound(plan_faults(None, calendar=calendar, at=at))
    made = Plan.objects.create(code=code, label_zh=label_zh, label_en=label_en, calendar=calendar)
    complete_open()
    record([Happening("plan.created")], by=by, at=at, subject=f"plan:{code}")
    return made


@transaction.atomic
def change_plan(
    *,
    plan: Plan,
    label_zh: str,
    label_en: str,
    calendar: Calendar | None,
    retired: bool = False,
    by: User,
    at: datetime,
) -> Plan:
    """Its names and hours, and whether it is sold still. Raises Refused, PermissionDenied."""
    _demand(by)
    found = Plan.objects.select_for_update().get(pk=plan.pk)
    _demand_sound(plan_faults(found, calendar=calendar, retired=retired, at=at))
    said = {"label_zh": label_zh, "label_en": label_en, "calendar": calendar, "retired": retired}
    if differing := [name for name in said if said[name] != getattr(found, name)]:
        for name in differing:
            setattr(found, name, said[name])
        found.save(update_fields=differing)
        record([Happening("plan.changed", {"fields": differing})], by=by, at=at, subject=f"plan:{found.code}")
    return found


def plan_faults(plan: Plan | None, *, calendar: Calendar | None, retired: bool = False, at: datetime) -> list[Fault]:
    """(field, what is wrong) with a plan as it would stand. Up to one statement."""
    if retired and plan and plan.is_default:
        return [("retired", _("This is the default plan: customers without a plan have it."))]
    if calendar and not CalendarVersion.objects.in_force(at).filter(calendar=calendar).exists():
        return [("calendar", _("No version of this calendar is in force yet: publish one first."))]
    return []


# --- Who has which ---------------------------------------------------------------------------------------------------


@transaction.atomic
def assign(
    *, customer: Customer, plan: Plan, from_at: datetime, until_at: datetime | None = None, by: User, at: datetime
) -> PlanAssignment:
    """Gives a customer a plan from `from_at` until before `until_at`. Raises Refused, PermissionDenied."""
    _demand(by)
    return _write(PlanAssignment(customer=customer, plan=plan, from_at=from_at, until_at=until_at), "assigned", by, at)


@transaction.atomic
def reassign(
    *,
    assignment: PlanAssignment,
    plan: Plan,
    from_at: datetime,
    until_at: datetime | None = None,
    by: User,
    at: datetime,
) -> PlanAssignment:
    """Corrects plan or window; tickets that were filed keep what they were promised. Raises Refused,
    PermissionDenied."""
    _demand(by)
    found = PlanAssignment.objects.select_related("customer").get(pk=assignment.pk)
    if (found.plan_id, found.from_at, found.until_at) == (plan.pk, from_at, until_at):
        return found
    found.plan, found.from_at, found.until_at = plan, from_at, until_at
    return _write(found, "reassigned", by, at)


def _write(row: PlanAssignment, what: str, by: User, at: datetime) -> PlanAssignment:
    # Two administrators take turns at a customer, so that the second is told of what the first wrote.
    Customer.objects.select_for_update(no_key=True).get(pk=row.customer_id)
    _demand_sound(faults(row, at))
    row.save()
    ends = row.until_at.isoformat() if row.until_at else None
    data = {"plan": row.plan.code, "from": row.from_at.isoformat(), "until": ends}
    subject = f"customer:{row.customer_id}"
    record([Happening(f"plan.{what}", data)], by=by, at=at, subject=subject, customer=row.customer_id)
    return row


def faults(row: PlanAssignment, at: datetime, written: Iterable[PlanAssignment] | None = None) -> list[Fault]:
    """(field, what is wrong) with an assignment as it would stand. Up to three statements.

    `written` are the others of the customer where the caller knows them, as they would stand.
    """
    if row.until_at and row.until_at <= row.from_at:
        return [("until_at", _("It ends before it begins."))]
    if written is None:
        written = PlanAssignment.objects.filter(customer=row.customer_id).exclude(pk=row.pk).select_related("plan")
    for other in sorted(written, key=lambda each: each.from_at):
        if overlap(row, other):
            return [("from_at", _("This overlaps with %(other)s.") % {"other": said(other)})]
    kept = PlanAssignment.objects.filter(pk=row.pk, plan=row.plan_id).exists() if row.pk else False
    if row.plan.retired and not kept:
        return [("plan", _("This plan is retired: it is sold no more."))]
    if not kept and not promised(row.plan, max(row.from_at, at)):
        text = _("No published version of the policy names targets for this plan by then: publish them first.")
        return [("plan", text)]
    return []


def said(row: PlanAssignment) -> str:
    """An assignment in words, in the reader's zone."""
    first, last = (f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else "" for at in (row.from_at, row.until_at))
    told = {"plan": row.plan.label, "first": first, "last": last}
    return (_("%(plan)s, %(first)s to %(last)s") if last else _("%(plan)s, from %(first)s on")) % told


def overlap(one: PlanAssignment, other: PlanAssignment) -> bool:
    """Whether two windows share an instant; where one ends, the next may begin."""
    return (one.until_at is None or other.from_at < one.until_at) and (
        other.until_at is None or one.from_at < other.until_at
    )


def promised(plan: Plan, at: datetime) -> bool:
    """Whether the policy in force at that time names targets for a plan. One statement."""
    policy = PolicyVersion.objects.in_force(at).values("pk")[:1]
    return Target.objects.filter(policy__in=policy, plan=plan).exists()


def _demand_sound(wrong: list[Fault]) -> None:
    if wrong:
        raise Refused(*wrong[0])


def _demand(by: User) -> None:
    if not may(by, Right.ADMIN):
        raise PermissionDenied
