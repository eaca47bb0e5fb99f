"""The register as a file: the rows a list means, one line each, in the reader's language and zone.

Cells that a spreadsheet would take for a formula are written as text: what somebody typed calculates nothing.
"""

import csv as writer
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import xlsxwriter
from django.utils import timezone
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from sla.models.register import Reason, Why
from tickets import register

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST = 10_000
SLICE = 500
Line = list[Any]


def lines(user: User, wish: register.Wish, at: datetime) -> list[Line]:
    """The heading and up to MOST rows, in slices of a page's statements each."""
    rows = register.chosen(user, wish, at).select_related("clock", "excusal")
    newest = wish.sort == "newest"
    found = list(rows.order_by(*(["-breached_at", "-id"] if newest else ["breached_at", "id"]))[:MOST])
    told = (r for n in range(0, len(found), SLICE) for r in register.told(found[n : n + SLICE], user, at))
    return [_heading(user), *(_line(row, user) for row in told)]


def _heading(user: User) -> Line:
    zone = timezone.get_current_timezone_name()
    own = [_("What happened"), _("Asked by"), _("Approved by"), _("Note")] if user.is_desk else []
    return [
        *(_("Ticket"), _("Customer"), _("Promise"), _("Priority"), _("Policy version"), _("Target, seconds")),
        *(f"{word}, {zone}" for word in (_("Due"), _("Broken"), _("Detected"))),
        *(_("Late by, working seconds"), _("Cause"), _("What changes"), _("Apology"), _("Excused"), _("Reason")),
        *(_("AWS event"), *own),
    ]


def _line(row: register.Row, user: User) -> Line:
    breach, excusal = row.breach, row.excusal
    own = []
    if user.is_desk:
        own = [row.happened, row.asked_by, row.approver, excusal.note if excusal else ""]
    return [
        *(breach.subject, row.customer, breach.get_kind_display(), row.priority, breach.policy, breach.target_s),
        *(_local(breach.due_at), _local(breach.breached_at), _local(breach.detected_at), row.late_s),
        *(Why(row.cause.cause).label if row.cause else "", row.changes),
        _local(row.apology.at) if row.apology else "",
        _local(excusal.at) if excusal else "",
        Reason(excusal.reason).label if excusal else "",
        excusal.arn if excusal else "",
        *own,
    ]


def _local(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"


def csv(lines: Iterable[Line]) -> bytes:
    """With a byte order mark, so that spreadsheets read Chinese."""
    out = io.StringIO()
    writer.writer(out).writerows(list(_plain(line)) for line in lines)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _plain(line: Line) -> Iterator[Any]:
    for cell in line:
        text = isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r")
        yield f"'{cell}" if text else cell


def xlsx(lines: Iterable[Line]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    page = book.add_worksheet()
    for number, line in enumerate(lines):
        page.write_row(number, 0, [str(cell) if not isinstance(cell, int) else cell for cell in line])
    page.freeze_panes(1, 0)
    page.autofit()
    book.close()
    return out.getvalue()
