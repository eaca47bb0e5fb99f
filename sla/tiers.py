"""Which of a version's plans somebody is promised: what pages and programs show them."""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q

from sla.models import Plan, PlanAssignment


def _at(at: datetime) -> Q:
    return Q(from_at__lte=at) & (Q(until_at=None) | Q(until_at__gt=at))


def promised_to(companies: Collection[UUID], plans: Iterable[Plan], at: datetime) -> list[Plan]:
    """Of `plans` those that some companies have at an instant; the default one where they have none of them. One
    statement."""
    every = list(plans)
    known = {plan.pk for plan in every}
    bought = PlanAssignment.objects.filter(_at(at), customer__in=list(companies))
    own = {company: plan for company, plan in bought.values_list("customer", "plan") if plan in known}
    default = any(company not in own for company in companies)
    return [plan for plan in every if plan.pk in own.values() or (default and plan.is_default)]


def buyers(at: datetime) -> dict[int, int]:
    """How many active customers have each plan assigned at an instant, by its id. One statement."""
    rows = PlanAssignment.objects.filter(_at(at), customer__is_active=True).order_by().values_list("plan")
    return dict(rows.annotate(Count("customer", distinct=True)))
