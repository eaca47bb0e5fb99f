"""/aws/cases/report: how long AWS and we took, as plots over tables, and as a file."""

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from awsint import case_plot, case_report
from awsint.access import readers_only
from awsint.account_views import aws_page
from helpdesk.accounts.doors import PersonRequest
from helpdesk.sheets import as_csv


@readers_only
@require_safe
def report(request: PersonRequest) -> HttpResponse:
    at, user = timezone.now(), request.user
    wish = case_report.Asked.read(request.GET, user.zone, at)
    tables = [
        {"table": one, "first": case_plot.plot(one.rows, "first"), "close": case_plot.plot(one.rows, "close")}
        for one in case_report.tables(user, wish)
    ]
    return aws_page(request, "aws/case_report.html", {"now": at, "wish": wish, "tables": tables}, tab="cases")


@readers_only
@require_safe
def report_csv(request: PersonRequest) -> HttpResponseBase:
    wish = case_report.Asked.read(request.GET, request.user.zone, timezone.now())
    return as_csv(case_report.sheets(request.user, wish), f"aws-case-report-{wish.first}-{wish.last}")
