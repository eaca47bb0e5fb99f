"""/sla/report: how promises were kept in a window, and every clock behind a number; the same as files.

Everybody who has a report gets there through `scope_of`; to the rest these pages do not exist.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import wraps
from typing import Any

from babel import dates
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from helpdesk.accounts.doors import PersonRequest
from helpdesk.models import in_chinese
from helpdesk.sheets import Sheet, as_csv, as_xlsx
from helpdesk.templatetags.desk import DAY_FORMS
from sla import plots
from sla.models import Clock, Kind
from tickets.report_clocks import SHOWS, SORTS, Look, chosen, page_of
from tickets.report_files import MOST_IN_A_BOOK, Listing, of_clocks, of_report
from tickets.report_rows import Line, Names, Report, report_of
from tickets.reporting import PARTS, SPANS, Scope, Stretch, WindowForm, Wish, scope_of, unit_of

# Rows of the table of customers and engineers; a file has them all.
MOST_LINES = 100
FILES = {"csv": as_csv, "xlsx": as_xlsx}


@dataclass
class Asked:
    """Who asks for what, as of when."""

    scope: Scope
    wish: Wish
    form: WindowForm
    at: datetime


def door(view: Any) -> Any:
    """Finds out whose clocks may be told, then what is asked."""

    @login_required
    @require_safe
    @wraps(view)
    def guarded(request: PersonRequest, **given: Any) -> HttpResponseBase:
        scope, at = scope_of(request.user), timezone.now().replace(microsecond=0)
        asked = Asked(scope, Wish.read(request.GET, scope), WindowForm(request.GET, at), at)
        answer: HttpResponseBase = view(request, asked, **given)
        return answer

    return guarded


# --- The report ------------------------------------------------------------------------------------------------------


@door
def sla_report(request: PersonRequest, asked: Asked) -> HttpResponse:
    """The page; where the window cannot be, the form with what was typed."""
    told = _frame(request, asked)
    if not asked.form.is_valid():
        return render(request, "reports/report.html", told, status=422)
    report = report_of(asked.wish, asked.form.cleaned_data, asked.scope, request.user, at=asked.at)
    lines = sorted(report.lines, key=lambda line: -line.breached) if len(report.lines) > MOST_LINES else report.lines
    told |= {
        "report": report,
        "lines": lines[:MOST_LINES],
        "more": max(0, len(lines) - MOST_LINES),
        "part": PARTS[asked.wish.by],
        "unit": unit_of(report.first, report.last),
        "chips": list(_chips(asked, report.names)),
        **_pictures(report, asked.wish),
    }
    return render(request, "reports/report.html", told)


def _frame(request: PersonRequest, asked: Asked) -> dict[str, Any]:
    wish = asked.wish
    return {
        "section": "report",
        "scope": asked.scope,
        "wish": wish,
        "form": asked.form,
        "zone": asked.form.data.get("zone") or asked.form.default_zone,
        "typed": _typed(asked.form),
        "spans": [(name, label, wish.at(name)) for name, label in SPANS.items()],
        "span": "" if "from" in request.GET or "to" in request.GET else request.GET.get("span", "30"),
        "tabs": [(name, label, wish.parted(name)) for name, label in asked.scope.parts.items()],
        "kept": [(name, value) for name, value in wish.pairs() if name not in ("span", "from", "to", "zone")],
    }


def _typed(form: WindowForm) -> tuple[str, str]:
    """What stands in the fields of days: what was typed, else the days of the span."""
    if form.data.get("from") or form.data.get("to") or not form.is_valid():
        return form.data.get("from", ""), form.data.get("to", "")
    return str(form.cleaned_data["first"]), str(form.cleaned_data["last"])


def _pictures(report: Report, wish: Wish) -> dict[str, Any]:
    labels = [_day_words(part.stretch) for part in report.parts]
    lanes = [
        (str(Kind.RESPONSE.label), [part.response.gross for part in report.parts]),
        (str(Kind.RESOLUTION.label), [part.resolution.gross for part in report.parts]),
    ]
    return {
        "bars": plots.bars(lanes, labels),
        "trend": plots.trend(lanes, labels),
        "parts": [
            (label, part, wish.between(part.stretch.first, part.stretch.last))
            for label, part in zip(labels, report.parts, strict=True)
        ],
        "in_words": _in_words(report.total),
    }


def _day_words(stretch: Stretch) -> str:
    locale = "zh_Hans" if in_chinese() else "en"
    return str(dates.format_date(stretch.first, DAY_FORMS[locale], locale))


def _in_words(total: Line) -> str:
    """What a picture shows, for those who do not see it."""
    said = [
        _("%(kind)s: %(count)s clocks, %(breached)s breached")
        % {"kind": Kind(kind).label, "count": row.gross.decided, "breached": row.gross.breached}
        for kind, row in total.cells
    ]
    return _("; ").join(said)


def _chips(asked: Asked, names: Names) -> Iterator[tuple[str, str, str]]:
    """What is filtered by, with a link that removes it."""
    for name, values in asked.wish.chosen:
        plain = asked.wish.filters[name]
        names.learn(name, asked.scope.known(plain) if name == "customer" else plain)
        label = _("Clock") if name == "kind" else str(PARTS[name])
        words = _(", ").join(names.of(name, value) for value in plain)
        yield label, words if values else "", asked.wish.without(name).query()


@door
def sla_report_file(request: PersonRequest, asked: Asked, form: str) -> HttpResponseBase:
    """The report as a file, with the rows of the page."""
    if not asked.form.is_valid():
        return sla_report_refused(request, asked)
    said = asked.form.cleaned_data
    report = report_of(asked.wish, said, asked.scope, request.user, at=asked.at)
    return FILES[form](_ready(of_report(report)), f"sla-report-{said['first']}-{said['last']}")


def sla_report_refused(request: PersonRequest, asked: Asked) -> HttpResponse:
    return render(request, "reports/report.html", _frame(request, asked), status=422)


def _ready(sheets: Iterable[Sheet]) -> list[Sheet]:
    """With their rows reckoned while the request still has its language."""
    return [Sheet(sheet.name, sheet.head, list(sheet.rows)) for sheet in sheets]


# --- The clocks ------------------------------------------------------------------------------------------------------


@door
def sla_clocks(request: PersonRequest, asked: Asked) -> HttpResponse:
    """The clocks behind a number."""
    if not asked.form.is_valid():
        return sla_report_refused(request, asked)
    look, names = _look(request, asked), Names(request.user)
    page = page_of(_rows(asked, look), look, asked.at)
    names.learn("customer", {clock.customer_id for clock in page.rows})
    if asked.scope.inside:
        names.learn("engineer", {clock.engineer for clock in page.rows})
    told = _frame(request, asked) | {
        "said": asked.form.cleaned_data,
        "asked": look,
        "back": asked.wish.without("kind").query(),
        "rows": [_listed(clock, names) for clock in page.rows],
        "next": asked.wish.query(**look.words(), after=page.after) if page.after else "",
        "first": asked.wish.query(**look.words()) if look.after else "",
        "shows": [(name, label, asked.wish.query(**look.words(show=name, q=""))) for name, label in SHOWS.items()],
        "sorts": [(name, label, asked.wish.query(**look.words(sort=name))) for name, label in SORTS.items()],
        "files": asked.wish.query(**look.words()),
        "chips": list(_chips(asked, names)),
        "fields": [*asked.wish.pairs(), *((n, v) for n, v in look.words().items() if n != "q")],
    }
    return render(request, "reports/clocks.html", told)


def _look(request: PersonRequest, asked: Asked) -> Look:
    """Whoever reads no ticket's number finds none by it either."""
    look = Look.read(request.GET)
    return replace(look, q="") if asked.scope.masked else look


def _rows(asked: Asked, look: Look) -> QuerySet[Clock]:
    return chosen(asked.wish, look, asked.scope, asked.form.cleaned_data["window"], asked.at)


def _listed(clock: Any, names: Names) -> dict[str, Any]:
    return {
        "clock": clock,
        "priority": names.priorities.get(clock.priority),
        "customer": names.of("customer", clock.customer_id),
        "engineer": names.of("engineer", clock.engineer),
        "late": clock.late if clock.breached_at else None,
    }


@door
def sla_clocks_file(request: PersonRequest, asked: Asked, form: str) -> HttpResponseBase:
    """All of them as a file, in the order of the page."""
    if not asked.form.is_valid():
        return sla_report_refused(request, asked)
    look, said = _look(request, asked), asked.form.cleaned_data
    most = MOST_IN_A_BOOK if form == "xlsx" else None
    listing = Listing(_rows(asked, look), look, said["window"], Names(request.user), asked.scope, asked.at, most)
    return FILES[form](of_clocks(listing), f"sla-clocks-{said['first']}-{said['last']}")
