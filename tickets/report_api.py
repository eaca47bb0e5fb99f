"""How promises were kept, for programs: the rows of the report's page in JSON."""

from typing import Any, Literal

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_noop as _
from ninja import Query, Schema
from pydantic import Field

from helpdesk.problem import problem
from sla.attainment import Attainment
from sla.report import Row
from tickets.api import _instant, _json, door
from tickets.api_schema import Code, _with
from tickets.report_rows import Line, report_of
from tickets.reporting import WindowForm, Wish, scope_of
from tickets.sla_api import api as api

DAY = r"^\d{4}-\d{2}-\d{2}$"


class Question(Schema):
    from_: str | None = Field(
        None,
        alias="from",
        pattern=DAY,
        description=_("The first day, like 2026-03-01; the last 30 days where it is left out."),
    )
    to: str | None = Field(
        None, pattern=DAY, description=_("The day after the last one; today is the last without it.")
    )
    zone: str | None = Field(None, description=_("Where its days begin, like Asia/Shanghai; the key's own without it."))
    by: Literal["priority", "customer", "category", "engineer", "source"] = Field(
        "priority", description=_("What the rows are; a company's key hears nothing of engineers and gets priorities.")
    )
    priority: list[Code] = Field([], description=_("Only these priorities."))
    category: list[Code] = Field([], description=_("Only these categories."))
    source: list[Code] = Field([], description=_("Only these sources."))
    customer: list[str] = Field([], description=_("Only these companies, by UUID."))


class Kept(Schema):
    met: int
    breached: int
    excused: int = Field(description=_("Of those breached, how many a second person excused."))
    gross: str | None = Field(
        description=_("Percent with two decimals, rounded down; null where none counts."), examples=["88.88"]
    )
    net: str | None = Field(description=_("The same without the excused."))


class Part(Schema):
    key: str
    label: str
    response: Kept
    resolution: Kept


class LeftOut(Schema):
    reason: str
    response: int
    resolution: int


class Told(Schema):
    start: str = Field(description=_("The first instant of the window."))
    until: str = Field(description=_("The instant it ends before."))
    zone: str
    by: str
    as_of: str
    total: Part
    rows: list[Part]
    not_counted: list[LeftOut]


@api.get(
    "/sla/report",
    response={200: Told, **_with(401, 404, 422, 429)},
    summary=_("How promises were kept"),
    description=_(
        "The clocks due in a window: met, breached and excused, by what is asked. A company's key gets its company's; "
        "clocks that do not count are counted apart."
    ),
    operation_id="get_sla_report",
)
@door
def sla_report(request: Any, question: Query[Question]) -> HttpResponse:
    """The report as its page has it. 404 to a key that has none."""
    user, at = request.auth.user, timezone.now().replace(microsecond=0)
    scope, form = scope_of(user), WindowForm(request.GET, at)
    if not form.is_valid():
        return problem(422, errors={name: [str(e) for e in errors] for name, errors in form.errors.items()})
    wish = Wish.read(request.GET, scope)
    report = report_of(wish, form.cleaned_data, scope, user, at=at)
    return _json(
        {
            "start": _instant(report.window.start),
            "until": _instant(report.window.until),
            "zone": report.window.zone,
            "by": report.by,
            "as_of": _instant(report.as_of),
            "total": _part(report.total),
            "rows": [_part(line) for line in report.lines],
            "not_counted": [{"reason": one.reason, **dict(one.cells)} for one in report.left],
        }
    )


def _part(line: Line) -> dict[str, Any]:
    return {"key": line.value, "label": line.label, **{kind: _kept(row) for kind, row in line.cells}}


def _kept(row: Row) -> dict[str, Any]:
    return {
        "met": row.gross.met,
        "breached": row.gross.breached,
        "excused": row.excused,
        "gross": _percent(row.gross),
        "net": _percent(row.net),
    }


def _percent(kept: Attainment) -> str | None:
    return str(kept).removesuffix(" %") if kept.decided else None
