"""What GET /api/sla says of categories with words of their own: tickets about bills."""

from typing import Any

from django.utils.translation import gettext_noop as _
from ninja import Schema
from pydantic import Field

from sla.billing_defaults import BILLING
from sla.definitions import definitions_of, meanings
from sla.models import MatrixCell, PolicyVersion, Target


class Answer(Schema):
    code: str
    label: str
    hint: str


class Meaning(Schema):
    priority: str
    definition: str


class Cell(Schema):
    impact: str
    urgency: str
    priority: str


class Billing(Schema):
    """The limits are those of the targets; only the words and the questions differ."""

    definitions: list[Meaning] = Field(description=_("In the language of the request."))
    impacts: list[Answer]
    matrix: list[Cell]


def billing(policy: PolicyVersion, targets: list[Target]) -> dict[str, Any]:
    """What a priority means for a ticket about a bill, and which answers propose it. Two statements."""
    own = [row for row in definitions_of(policy) if row.category == BILLING]
    cells = policy.matrix.filter(impact__category=BILLING).select_related("impact", "urgency", "priority")
    rows: list[MatrixCell] = list(cells.order_by("impact__rank", "urgency__rank"))
    impacts = {row.impact.code: row.impact for row in rows}
    return {
        "definitions": [
            {"priority": row.priority.code, "definition": meaning} for row, meaning in meanings(targets, own)
        ],
        "impacts": [{"code": one.code, "label": one.label, "hint": one.hint} for one in impacts.values()],
        "matrix": [{"impact": r.impact.code, "urgency": r.urgency.code, "priority": r.priority.code} for r in rows],
    }
