"""/aws/cases/: all cases as a page and as a file, one of them with all its words, its tickets, and AWS beside it."""

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from awsint import case_list, case_page, expecting, linking, live
from awsint.access import desk_only, readers_only
from awsint.account_views import aws_page
from awsint.models import CaseFile, SupportCase
from helpdesk.accounts.doors import PersonRequest
from helpdesk.accounts.views import see_other
from helpdesk.sheets import as_csv
from helpdesk.storage import store
from tickets.access import access_ticket
from tickets.file_views import LOCKED_AWAY, disposition, from_store
from tickets.filetypes import BYTES, MIME, FileType
from tickets.models import Attachment, Ticket
from tickets.workflow import Conflict, Refused


@readers_only
@require_safe
def cases(request: PersonRequest) -> HttpResponse:
    """The newest first, under how many are in need of somebody."""
    at, user, wish = timezone.now(), request.user, case_list.Asked.read(request.GET)
    lines, further = case_list.page(user, wish, at)
    told = {
        "now": at,
        "wish": wish,
        "lines": lines,
        "further": further,
        "counts": case_list.counts(user, at),
        "kinds": case_list.KINDS.items(),
        "hours": case_list.STALE_HOURS,
        "severities": expecting.FIRST_ANSWER,
        "accounts": case_list.accounts(user),
        "customers": case_list.customers(user),
    }
    return aws_page(request, "aws/cases.html", told, tab="cases")


@readers_only
@require_safe
def cases_csv(request: PersonRequest) -> HttpResponseBase:
    wish, at = case_list.Asked.read(request.GET), timezone.now()
    return as_csv([case_list.sheet(request.user, wish, at)], f"aws-cases-{timezone.localdate()}")


@readers_only
@require_safe
def case(request: PersonRequest, case: int) -> HttpResponse:
    return _case_page(request, _access(request, case))


@readers_only
@require_safe
def compare(request: PersonRequest, case: int) -> HttpResponse:
    """AWS is asked now; where it does not answer, the page says so and shows no comparison."""
    found, at = _access(request, case), timezone.now()
    told = {"now": at, "line": case_page.line_of(request.user, found), "case": found, "read": live.compare(found, at)}
    return aws_page(request, "aws/compare.html", told, tab="cases")


@desk_only
@require_safe
@from_store
def download(request: PersonRequest, case: int, file: int) -> HttpResponseBase:
    """The bytes as AWS had them, and always as a download."""
    theirs = CaseFile.objects.filter(communication__case=_access(request, case), attachment__isnull=False)
    kept: Attachment = get_object_or_404(Attachment, pk__in=theirs.filter(pk=file).values("attachment"))
    headers = {
        "Content-Type": MIME.get(FileType(kept.type), BYTES),
        "Content-Disposition": disposition(kept.name),
        "Content-Security-Policy": LOCKED_AWAY,
        "Content-Length": str(kept.size),
        "ETag": f'"{kept.sha256}"',
    }
    if request.method == "HEAD":
        return HttpResponse(headers=headers)
    try:
        return StreamingHttpResponse(store().read(kept.key), headers=headers)
    except FileNotFoundError:
        raise Http404 from None


# --- Its tickets -----------------------------------------------------------------------------------------------------


@desk_only
@require_POST
def link(request: PersonRequest, case: int) -> HttpResponse:
    """To the ticket whose number was typed."""
    found, typed = _access(request, case), request.POST.get("ticket", "")
    try:
        ticket = access_ticket(request.user, typed)
    except Http404:
        return _case_page(request, found, typed=typed, trouble=_("There is no such ticket."))
    said = _("The case and %(ref)s are linked.") % {"ref": ticket.ref}
    return _do(request, found, lambda at: linking.link(case=found, ticket=ticket, by=request.user, at=at), said, typed)


@desk_only
def unlink(request: PersonRequest, case: int, ref: str) -> HttpResponse:
    """The first look asks, the second does it."""
    found = _access(request, case)
    ticket = access_ticket(request.user, ref)
    if not Ticket.objects.filter(pk=ticket.pk, pk__in=found.links.values("ticket")).exists():
        raise Http404
    if request.method != "POST":
        told = {"case": found, "line": case_page.line_of(request.user, found), "ticket": ticket}
        return aws_page(request, "aws/case_sure.html", told, tab="cases")
    said = _("The case is no longer linked with %(ref)s.") % {"ref": ticket.ref}
    return _do(request, found, lambda at: linking.unlink(case=found, ticket=ticket, by=request.user, at=at), said)


def _do(
    request: PersonRequest, case: SupportCase, act: Callable[[datetime], object], said: str, typed: str = ""
) -> HttpResponse:
    try:
        act(timezone.now())
    except Refused as refused:
        return _case_page(request, case, typed=typed, trouble=str(refused))
    except Conflict as conflict:
        return _case_page(request, case, typed=typed, trouble=str(conflict), status=409)
    messages.success(request, said)
    return see_other(reverse("aws_case", args=[case.pk]))


def _access(request: PersonRequest, case: int) -> SupportCase:
    found: SupportCase = get_object_or_404(case_page.known_to(request.user), pk=case)
    return found


def _case_page(
    request: PersonRequest, case: SupportCase, *, typed: str = "", trouble: str = "", status: int = 422
) -> HttpResponse:
    words, further = case_page.words(request.user, case, request.GET.get("after", ""))
    told = {
        "now": timezone.now(),
        "case": case,
        "line": case_page.line_of(request.user, case),
        "words": words,
        "further": further,
        "console": expecting.console(case.account.partition, case.display_id),
        "typed": typed,
        "trouble": trouble,
    }
    return aws_page(request, "aws/case.html", told, tab="cases", status=status if trouble else 200)
