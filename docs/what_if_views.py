"""/sla-config/what-if: what the version in the making would have meant for a window past. For administrators."""

from typing import Any

from django import forms
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods

from docs.sla_views import administrators
from helpdesk.accounts.doors import PersonRequest
from helpdesk.accounts.forms import PlainForm
from helpdesk.accounts.models import User
from helpdesk.accounts.views import see_other
from sla import actions, plots, words
from sla.attainment import Attainment
from sla.models import PROMISED, Kind, PolicyVersion, Priority, Verdict
from tickets.models import Ticket
from tickets.what_if import MOST_LISTED, PAGE, SPANS, Change, Compared, ask, changed, compared, jobs_of, window_read

ROWS = 25


class SpanForm(PlainForm):
    """Which window."""

    span = forms.ChoiceField(
        choices=list(SPANS.items()),
        error_messages={"required": _l("Choose a window."), "invalid_choice": _l("Choose a window.")},
    )


@administrators
@require_http_methods(["GET", "HEAD", "POST"])
def what_if(request: PersonRequest) -> HttpResponse:
    """The window to choose and what came of it last; a POST begins to reckon."""
    policy, at = actions.open_version(), timezone.now()
    if request.method != "POST" or policy is None:
        return _page(request, policy, SpanForm())
    form = SpanForm(request.POST)
    if not form.is_valid():
        return _page(request, policy, form, status=422)
    zone = timezone.get_current_timezone_name()
    ask(policy=policy, span=form.cleaned_data["span"], zone=zone, by=request.user, at=at)
    return see_other(PAGE)


def _page(request: PersonRequest, policy: PolicyVersion | None, form: SpanForm, status: int = 200) -> HttpResponse:
    job = jobs_of(policy).first() if policy else None
    told: dict[str, Any] = {
        "form": form,
        "version": policy,
        "job": job,
        "spans": SPANS.items(),
        "chosen": form.data.get("span") or (job.args["span"] if job else "quarter"),
        "section": "sla",
    }
    if job is not None and policy is not None:
        told |= {"window": window_read(job.args), "span": SPANS.get(job.args["span"])}
        told |= {"outdated": actions.digest(policy) != job.args["digest"]}
        if job.result is not None:
            told |= _result(job.result, request.user, request.GET)
    return render(request, "docs/what_if.html", told, status=status)


def _result(result: dict[str, Any], reader: User, get: QueryDict) -> dict[str, Any]:
    """What a finished job says: the figures, their picture, and one page of the clocks that would have ended else."""
    known = words.read().priorities
    rows = sorted(compared(result), key=lambda row: (_rank(known, row.priority), PROMISED.index(Kind(row.kind))))
    every, more = changed(result), sum(row.more for row in rows)
    first = _first(get.get("from", ""), len(every))
    return {
        "rows": [(known.get(row.priority), Kind(row.kind), row) for row in rows],
        "totals": [(kind, _total(rows, kind)) for kind in PROMISED],
        "more": more,
        "fewer": -more,
        "result": result,
        "plot": _picture(rows, known),
        "plot_title": _in_words(rows),
        "changes": _named(every[first : first + ROWS], known, reader),
        "place": (first + 1, min(first + ROWS, len(every)), len(every)),
        "before": max(0, first - ROWS) if first else None,
        "after": first + ROWS if first + ROWS < len(every) else None,
        "unlisted": result["more"] - len(every),
        "most": MOST_LISTED,
    }


def _rank(known: dict[str, Priority], code: str) -> int:
    return known[code].rank if code in known else 99


def _total(rows: list[Compared], kind: str) -> Compared:
    return sum((row for row in rows if row.kind == kind), Compared("", kind, Attainment(), Attainment()))


def _first(typed: str, count: int) -> int:
    """Where the page of the list begins; anything odd in the address begins it at its top."""
    place = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 7 else 0
    return place if place < count else 0


def _picture(rows: list[Compared], known: dict[str, Priority]) -> plots.Plot:
    """For each kind two bars a priority: as it was, and with the draft."""
    codes = list(dict.fromkeys(row.priority for row in rows))
    labels = [
        label
        for code in codes
        for name in [known[code].label if code in known else code]
        for label in (_("%(priority)s, was") % {"priority": name}, _("%(priority)s, draft") % {"priority": name})
    ]
    found = {(row.priority, row.kind): row for row in rows}
    lanes = []
    for kind in PROMISED:
        values = []
        for code in codes:
            row = found.get((code, kind), Compared(code, kind, Attainment(), Attainment()))
            values += [row.stored, row.draft]
        lanes.append((str(kind.label), values))
    return plots.bars(lanes, labels)


def _in_words(rows: list[Compared]) -> str:
    said = []
    for kind in PROMISED:
        total = _total(rows, kind)
        text = _("%(kind)s: %(was)s breached, with the draft %(would)s")
        said.append(text % {"kind": kind.label, "was": total.stored.breached, "would": total.draft.breached})
    return _("; ").join(said)


def _named(some: list[Change], known: dict[str, Priority], reader: User) -> list[dict[str, Any]]:
    """Each with its ticket's title. One statement."""
    numbers = [int(one.ref.removeprefix("HD-")) for one in some]
    titles = {ticket.ref: ticket.title for ticket in Ticket.objects.visible_to(reader).filter(pk__in=numbers)}
    return [
        {
            "ref": one.ref,
            "title": titles.get(one.ref, ""),
            "priority": known.get(one.priority),
            "kind": Kind(one.kind).label,
            "was": Verdict(one.was).label,
            "would": Verdict(one.would).label,
            "worse": one.would == Verdict.BREACHED,
        }
        for one in some
    ]
