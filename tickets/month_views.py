"""The doors of months and credits: for staff, a company's own administrators, and the auditor without names."""

from collections.abc import Callable
from decimal import Decimal
from functools import wraps
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_POST, require_safe

from helpdesk import site
from helpdesk.accounts.doors import PersonRequest
from helpdesk.accounts.forms import PlainForm
from helpdesk.accounts.masking import customer_names, masks
from helpdesk.accounts.models import Customer
from helpdesk.accounts.permissions import Right, may
from helpdesk.sheets import XLSX_TYPE
from helpdesk.storage import Away
from helpdesk.text import Line
from sla import credits, settling, terms, words
from sla.attainment import Attainment
from sla.models import CreditRow
from sla.months import Listed, Month
from tickets import month_book, month_lists, month_page, month_pdf, month_tables, register
from tickets.month_letters import filename

# So many clocks stand on the page; the book holds all.
MOST_CLOCKS = 200
View = Callable[..., HttpResponse]


def readers_only(view: View) -> View:
    """Staff and company administrators; to anybody else there are no months."""

    @login_required
    @wraps(view)
    def guarded(request: PersonRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not register.may_see(request.user):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


# --- Months ----------------------------------------------------------------------------------------------------------


@readers_only
@require_safe
def months(request: PersonRequest) -> HttpResponse:
    """Customers and their months: how promises were kept, what was credited."""
    at, wish, user = timezone.now(), month_lists.Wish.read(request.GET), request.user
    told = {
        "section": "months",
        "wish": wish,
        "page": month_lists.months_page(user, wish, at, site.current().default_zone),
        "masked": masks(user),
        "freeze_day": terms.FREEZE_DAY,
    }
    return render(request, "months/months.html", told)


def found(request: PersonRequest, customer: UUID, month: str) -> tuple[Customer, Month]:
    """The customer, where this person may look at it, and the month, where it has begun. Raises Http404."""
    known = register.customers_for(request.user).filter(pk=customer).first()
    try:
        wanted = Month.read(month)
    except ValueError:
        raise Http404 from None
    if known is None or wanted.window(known.zone).start > timezone.now():
        raise Http404
    return known, wanted


@readers_only
@require_safe
def month(request: PersonRequest, customer: UUID, month: str) -> HttpResponse:
    """One customer's month; one that is not frozen yet as it stands today."""
    at, user = timezone.now(), request.user
    known, wanted = found(request, customer, month)
    shown = month_page.show(known, wanted, at)
    say = month_page.speaker(shown.data, words.read().priorities)
    listed = [Listed(*row) for row in shown.data["clocks"]]
    clocks = month_tables.clocks(listed, say)
    tables = [month_tables.attainment(shown.data, say), month_tables.excluded(shown.data)]
    tables.append(month_tables.work(shown.data))
    if shown.report:
        tables.insert(0, month_tables.restatements(shown.restated, say))
    name = customer_names(user, [known.pk])[known.pk]
    told = {
        "section": "months",
        "customer": known,
        "name": name,
        "month": wanted,
        "title": month_page.title(name, str(wanted)),
        "shown": shown,
        "report": shown.report,
        "facts": [
            f
            for f in month_page.facts(known, shown.data, shown.report)
            if not masks(user) or f.text != known_contract(shown)
        ],
        "tables": [t for t in tables if t.rows],
        "restated": bool(shown.restated),
        "clocks": clocks,
        "shown_clocks": month_tables.first(clocks, MOST_CLOCKS),
        "more_clocks": max(0, len(clocks.rows) - MOST_CLOCKS),
        "credit_lines": month_tables.credit_lines(shown.data),
        "settlement": getattr(getattr(shown.report, "credit", None), "settlement", None),
        "over": wanted.window(known.zone).until <= at,
        "before": wanted.before,
        "after": wanted.after if wanted.after.window(known.zone).start <= at else None,
        "masked": masks(user),
        "links": not masks(user),
    }
    return render(request, "months/month.html", told)


def known_contract(shown: month_page.Shown) -> str:
    """The number of the contract, which an auditor does not read; what no fact says where there is none."""
    return str(shown.data["contract"]) or "\x00"


@readers_only
@require_safe
def month_xlsx(request: PersonRequest, customer: UUID, month: str) -> HttpResponse:
    """The month as one book."""
    known, wanted = found(request, customer, month)
    shown = month_page.show(known, wanted, timezone.now())
    name = customer_names(request.user, [known.pk])[known.pk]
    if masks(request.user):
        shown.data["contract"] = ""
    code = name if masks(request.user) else known.code
    return _file(month_book.book(shown, known, name), XLSX_TYPE, f"SLA-{_plain(code)}-{wanted}.xlsx")


@readers_only
@require_safe
def month_pdf_file(request: PersonRequest, customer: UUID, month: str) -> HttpResponse:
    """The frozen month on paper, in the reader's language. It names its customer, so an auditor gets none."""
    known, wanted = found(request, customer, month)
    at = timezone.now()
    report = month_page.frozen(known, wanted)
    if report is None or masks(request.user):
        raise Http404
    try:
        _row, made = month_pdf.pdf_of(report, get_language() or "en", at)
    except (month_pdf.Unset, Away, OSError):
        text = _("The PDF cannot be made just now. Try again in a minute; the spreadsheet says the same.")
        return HttpResponse(text, status=503, content_type="text/plain; charset=utf-8", headers={"Retry-After": "60"})
    return _file(made, month_pdf.TYPE, filename(report))


def _file(made: bytes, kind: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(made, content_type=kind, headers=headers)


def _plain(code: str) -> str:
    return "".join(c for c in code if c.isascii() and (c.isalnum() or c in "-_"))


# --- Credits ---------------------------------------------------------------------------------------------------------


class SettleForm(PlainForm):
    """On which invoice a credit was deducted."""

    invoice = Line(longest=60, error_messages={"required": _l("Write the number of the invoice.")})
    credit = forms.IntegerField(required=False, widget=forms.HiddenInput)


@readers_only
@require_safe
def credit_list(request: PersonRequest) -> HttpResponse:
    return credits_page(request)


def credits_page(request: PersonRequest, trouble: SettleForm | None = None, of: int = 0) -> HttpResponse:
    """Every credit, how it is reckoned, and four examples that the same function reckons as the page is made."""
    user, wish = request.user, month_lists.Wish.read(request.GET)
    told = {
        "section": "credits",
        "wish": wish,
        "page": month_lists.credits_page(user, wish),
        "steps": steps(),
        "examples": examples(),
        "fewest": terms.FEWEST_CLOCKS,
        "few": terms.FEW_CREDIT,
        "cap": terms.CREDIT_CAP,
        "days": terms.CLAIM_DAYS,
        "freeze_day": terms.FREEZE_DAY,
        "masked": masks(user),
        "admin": may(user, Right.ADMIN),
        "trouble": trouble,
        "trouble_of": of,
    }
    return render(request, "months/credits.html", told, status=422 if trouble else 200)


def steps() -> list[tuple[str, str]]:
    """Net attainment and what it brings, from the table the reckoning itself reads."""
    found, above = [], None
    for least, percent in terms.CREDITS:
        says = _("A ≥ %(least)s %%") % {"least": least}
        if above is not None:
            says = _("%(least)s %% ≤ A < %(above)s %%") % {"least": least, "above": above}
            says = says if least else _("A < %(above)s %%") % {"above": above}
        found.append((says, f"{percent} %"))
        above = least
    return found


def examples() -> list[dict[str, Any]]:
    """C1 to C4 of the rule, as the reckoning itself answers."""
    told = [
        ("C1", Attainment(17, 2), False, Decimal("20000.00")),
        ("C2", Attainment(19, 1), False, Decimal("20000.00")),
        ("C3", Attainment(2, 1), True, Decimal("8888.88")),
        ("C4", Attainment(), False, Decimal("20000.00")),
    ]
    found = []
    for name, attained, critical, fee in told:
        made = credits.credit(attained, critical_breached=critical, fee=fee)
        words_of = {"fee_words": f"{fee:,.2f}", "amount_words": f"{made.amount:,.2f}"}
        found.append({"name": name, "attained": attained, "critical": critical, "made": made, **words_of})
    return found


@login_required
@require_POST
def credit_settle(request: PersonRequest, pk: int) -> HttpResponse:
    """Marks a credit as deducted. Administrators of the desk."""
    if not may(request.user, Right.ADMIN):
        raise Http404
    credit, form = get_object_or_404(CreditRow, pk=pk), SettleForm(request.POST)
    if form.is_valid():
        try:
            invoice = form.cleaned_data["invoice"]
            settling.settle(credit=credit, invoice=invoice, by=request.user, at=timezone.now())
            messages.success(request, _("The credit is marked as deducted."))
            return HttpResponse(status=303, headers={"Location": "/sla/credits"})
        except settling.Refused as refused:
            form.add_error("invoice", str(refused))
    return credits_page(request, form, pk)
