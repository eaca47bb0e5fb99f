"""What is promised, for programs: the version of the policy in force, as the rows stand."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_noop as _
from ninja import Schema
from pydantic import Field

from helpdesk.accounts.permissions import customers_of
from sla.changes import targets_of
from sla.clocks import terms_in_force
from sla.models import PolicyVersion
from sla.tiers import promised_to
from tickets.api import _instant, _json, door
from tickets.api import api as api
from tickets.api_schema import _with
from tickets.sla_categories import Billing, billing
from tickets.sla_plans import Hours, Limits, Tier, calendars, hours, limits, tiers


class Cell(Schema):
    impact: str
    urgency: str
    priority: str


class Promises(Schema):
    version: int
    effective_at: str = Field(description=_("RFC 3339, UTC, as all instants here."))
    published_at: str | None
    url: str = Field(description=_("The policy in words."))
    plan: str = Field(description=_("The code of the plan these targets are of."))
    targets: list[Limits]
    matrix: list[Cell] = Field(description=_("For all categories that have no block of their own here."))
    billing: Billing
    plans: list[Tier] = Field(description=_("Those your companies have."))
    calendars: list[Hours] = Field(description=_("Those the plans are measured by."))


@api.get(
    "/sla",
    response={200: Promises, **_with(401, 429)},
    summary=_("What is promised"),
    description=_(
        "The targets a ticket filed now is held to by your company's plan, most urgent first, and which priority two "
        "answers propose."
    ),
    operation_id="get_sla",
)
@door
def promises(request: Any) -> HttpResponse:
    """The targets a ticket filed now is held to, of the plan of the key's company, and its plans. Nine statements."""
    user, at = request.auth.user, timezone.now()
    mine = list(customers_of(user))
    terms = terms_in_force(at, mine[0] if len(mine) == 1 else None)
    policy = PolicyVersion.objects.get(pk=terms.policy)
    every = targets_of(policy)
    named = sorted({row.plan for row in every}, key=lambda plan: (not plan.is_default, plan.code))
    plans = named if user.is_desk else promised_to(mine, named, at)
    rows = [row for row in every if row.plan_id == terms.plan]
    used = calendars(plans, at)
    cells = policy.matrix.filter(impact__category="").order_by("impact__rank", "urgency__rank")
    return _json(
        {
            "version": policy.number,
            "effective_at": _instant(policy.effective_at),
            "published_at": _instant(policy.published_at),
            "url": f"{settings.SITE_URL}/docs/SLA-POLICY",
            "plan": next(plan.code for plan in named if plan.pk == terms.plan),
            "targets": limits(rows),
            "matrix": [
                {"impact": impact, "urgency": urgency, "priority": priority}
                for impact, urgency, priority in cells.values_list("impact__code", "urgency__code", "priority__code")
            ],
            "billing": billing(policy, rows),
            "plans": tiers(plans, every, used),
            "calendars": hours(used.values()),
        }
    )
