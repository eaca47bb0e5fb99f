"""The register as a table for spreadsheets: the rows a list means, in the reader's language and zone."""

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.sheets import Cell, Sheet, instant
from sla.models.register import Reason, Why
from tickets import register

MOST = 10_000
SLICE = 500
Line = list[Cell]


def table(user: User, wish: register.Wish, at: datetime) -> Sheet:
    """Up to MOST rows, read in slices of a page's statements each.

    They are made now: whoever reads them as they are sent has another language and zone on.
    """
    return Sheet(_("Broken promises"), _heading(user), list(_rows(user, wish, at)))


def _rows(user: User, wish: register.Wish, at: datetime) -> Iterator[Line]:
    rows = register.chosen(user, wish, at).select_related("clock", "excusal")
    newest = wish.sort == "newest"
    found = list(rows.order_by(*(["-breached_at", "-id"] if newest else ["breached_at", "id"]))[:MOST])
    for first in range(0, len(found), SLICE):
        yield from (_line(row, user) for row in register.told(found[first : first + SLICE], user, at))


def _heading(user: User) -> list[str]:
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
        *(breach.subject, row.customer, str(breach.get_kind_display()), row.priority, breach.policy, breach.target_s),
        *(_local(breach.due_at), _local(breach.breached_at), _local(breach.detected_at), row.late_s),
        *(str(Why(row.cause.cause).label) if row.cause else "", row.changes),
        _local(row.apology.at) if row.apology else "",
        _local(excusal.at) if excusal else "",
        str(Reason(excusal.reason).label) if excusal else "",
        excusal.arn if excusal else "",
        *own,
    ]


def _local(at: datetime) -> str:
    return instant(at, timezone.get_current_timezone_name())
