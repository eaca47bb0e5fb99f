"""What is promised, for programs: the version of the policy in force, as the rows stand."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_noop as _
from ninja import Schema
from pydantic import Field

from helpdesk.accounts.permissions import customers_of
from sla.clocks import terms_in_force
from sla.models import PolicyVersion
from sla.words import read
from tickets.api import _instant, _json, door
from tickets.api import api as api
from tickets.api_schema import _with
from tickets.sla_categories import Billing, billing


class Target(Schema):
    priority: str
    label: str = Field(description=_("In the language of the request, as the definition."))
    definition: str
    response_time_minutes: int
    resolution_time_hours: int
    update_minutes: int


class Cell(Schema):
    impact: str
    urgency: str
    priority: str


class Promises(Schema):
    version: int
    effective_at: str = Field(description=_("RFC 3339, UTC, as all instants here."))
    published_at: str | None
    url: str = Field(description=_("The policy in words."))
    targets: list[Target]
    matrix: list[Cell] = Field(description=_("For all categories that have no block of their own here."))
    billing: Billing


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
    """The targets a ticket filed now is held to, of the plan of the key's company. Eight statements."""
    mine = list(customers_of(request.auth.user))
    terms = terms_in_force(timezone.now(), mine[0] if len(mine) == 1 else None)
    policy = PolicyVersion.objects.get(pk=terms.policy)
    known = read()
    rows = list(policy.targets.filter(plan=terms.plan).select_related("priority").order_by("priority__rank"))
    cells = policy.matrix.filter(impact__category="").order_by("impact__rank", "urgency__rank")
    return _json(
        {
            "version": policy.number,
            "effective_at": _instant(policy.effective_at),
            "published_at": _instant(policy.published_at),
            "url": f"{settings.SITE_URL}/docs/SLA-POLICY",
            "targets": [
                {
                    "priority": row.priority.code,
                    "label": known.priorities[row.priority.code].label,
                    "definition": row.description,
                    "response_time_minutes": row.response_time_minutes,
                    "resolution_time_hours": row.resolution_time_hours,
                    "update_minutes": row.update_minutes,
                }
                for row in rows
            ],
            "matrix": [
                {"impact": impact, "urgency": urgency, "priority": priority}
                for impact, urgency, priority in cells.values_list("impact__code", "urgency__code", "priority__code")
            ],
            "billing": billing(policy, rows),
        }
    )
