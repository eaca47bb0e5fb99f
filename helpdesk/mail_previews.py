"""How every mail looks, with sample data and before anybody gets one: the console's page of mails.

The HTML part stands in a sandboxed frame with an address of its own and the strictest policy that shows a mail.
"""

import base64
from dataclasses import dataclass
from email.header import decode_header, make_header
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from awsint import letters as aws_samples
from helpdesk.accounts import mail_samples as account_samples
from helpdesk.console import operators
from helpdesk.middleware import CSP
from helpdesk.outbox.compose import LOGO, write
from helpdesk.outbox.content import Unwritable
from helpdesk.outbox.sender import sender
from sla import calendar_ends as calendar_samples
from sla import plan_ends as plan_samples
from tickets import mail_samples as ticket_samples
from tickets import month_letters

# decisions.md, "Local and production": the one listed exception.
MAIL_CSP = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'"
PAGE_CSP = CSP + "; frame-src 'self'"
FIRST = "ticket.received"
HEADERS = ["Subject", "From", "To", "Cc", "Reply-To", "Message-ID", "References", "Auto-Submitted"]
WIDTHS = [("wide", _("Wide")), ("narrow", _("Narrow"))]
GROUPS = [
    ("ticket.", _("To customers")),
    ("desk", _("To colleagues")),
    ("account.", _("About accounts")),
    ("sla.", _("About service levels")),
]
# Who makes a sample, by how the kind begins; the rest are of tickets.
SAMPLES = {
    "account": account_samples,
    "aws": aws_samples,
    "calendar": calendar_samples,
    "plan": plan_samples,
    "sla": month_letters,
}
NAMES = {
    "ticket.received": _("Receipt"),
    "ticket.answered": _("Answer"),
    "ticket.colleague_replied": _("A colleague wrote"),
    "ticket.aws_said": _("AWS wrote"),
    "ticket.aws_status": _("The AWS case moves on"),
    "ticket.case_refused": _("AWS did not take what was sent"),
    "ticket.aws_event": _("AWS Health tells of an event"),
    "ticket.aws_event_news": _("News of an event of AWS Health"),
    "ticket.resources_done": _("All resources handled"),
    "ticket.resources_again": _("Resources to do again"),
    "ticket.asked": _("Question"),
    "ticket.reminder": _("Reminder"),
    "ticket.resolved": _("Solution"),
    "ticket.auto_resolved": _("Taken as solved"),
    "ticket.reopened": _("Reopened"),
    "ticket.closing_soon": _("Closes soon"),
    "ticket.closed": _("Closed"),
    "ticket.auto_closed": _("Closed by itself"),
    "ticket.withdrawn": _("Withdrawn"),
    "ticket.merged": _("Merged"),
    "ticket.unmerged": _("No longer merged"),
    "ticket.prioritised": _("Priority changed"),
    "ticket.shared": _("Shared"),
    "ticket.participant_proposed": _("Somebody proposed"),
    "ticket.assigned": _("Assigned"),
    "ticket.assignment_failed": _("Nobody could take it"),
    "ticket.customer_replied": _("The customer wrote"),
    "ticket.noted": _("Note"),
    "ticket.mentioned": _("Called in a note"),
    "ticket.warning": _("Warning"),
    "ticket.breached": _("Breach"),
    "ticket.cause_owed": _("A cause is owed"),
    "ticket.rated": _("Rating"),
    "sla.month": _("Report of a month"),
    "account.invitation": _("Invitation"),
    "account.password_reset_key": _("New password"),
    "account.password_changed": _("Password changed"),
    "account.second_factor_added": _("Second factor added"),
    "account.second_factor_removed": _("Second factor removed"),
    "calendar.ends": _("Holidays end"),
    "plan.ends": _("A plan ends"),
    "aws.account_unread": _("An AWS account cannot be read"),
    "aws.hub_down": _("No AWS account can be read"),
    "aws.accounts_late": _("AWS accounts not read"),
    "aws.job_silent": _("AWS is not being read"),
    "aws.unseen": _("Nobody has seen what AWS said"),
    "aws.stuck": _("A pushed message is stuck"),
    "aws.health_missed": _("Push missed an event"),
    "aws.health_untold": _("Customers were not told"),
}


@dataclass(frozen=True)
class Shown:
    """What a request asks to see."""

    kind: str
    language: str
    width: str

    @classmethod
    def read(cls, request: HttpRequest, kind: str) -> "Shown":
        if kind not in kinds():
            raise Http404
        language = request.GET.get("language", translation.get_language() or "en")
        width = request.GET.get("width", "wide")
        return cls(
            kind,
            language if language in dict(settings.LANGUAGES) else "en",
            width if width in dict(WIDTHS) else "wide",
        )


@cache
def kinds() -> list[str]:
    """Every kind that has a trio."""
    folder = Path(settings.BASE_DIR) / "templates" / "email"
    return sorted(path.name.removesuffix(".subject") for path in folder.glob("*.subject"))


def written(kind: str, language: str) -> EmailMultiAlternatives:
    """The sample mail of a kind. Raises Unwritable."""
    samples: Any = SAMPLES.get(kind.partition(".")[0], ticket_samples)
    with translation.override(language), timezone.override(ticket_samples.ZONE):
        letter, content = samples.sample(kind, language)
        return write(letter, content, samples.AT)


@operators
@require_safe
def mails(request: HttpRequest, kind: str = FIRST) -> HttpResponse:
    """The kinds beside one of them: headers, text, and the HTML in its frame."""
    shown = Shown.read(request, kind)
    context: dict[str, Any] = {
        "shown": shown,
        "groups": _groups(),
        "widths": WIDTHS,
        "languages": [(code, {"zh-hans": "中文", "en": "English"}[code]) for code, _name in settings.LANGUAGES],
        "page_lang": "zh-Hans" if shown.language.startswith("zh") else "en",
    }
    try:
        mail = written(shown.kind, shown.language)
        message = mail.message()
        context["headers"] = [(name, _decoded(message[name])) for name in HEADERS if message[name]]
        context["text"] = mail.body
    except Unwritable as trouble:
        context["trouble"] = str(trouble)
    answer = render(request, "console/mails.html", context)
    answer.headers["Content-Security-Policy"] = PAGE_CSP
    return answer


def _decoded(value: Any) -> str:
    return str(make_header(decode_header(str(value))))


def _groups() -> list[tuple[Any, list[tuple[str, Any]]]]:
    """The kinds by whom they go to, each with its name, in the order of a ticket's life."""

    def group(kind: str) -> str:
        return (
            "desk"
            if kind in ticket_samples.OF_THE_DESK or kind.startswith(("aws.", "calendar.", "plan."))
            else kind.partition(".")[0] + "."
        )

    order = [*NAMES, *(kind for kind in kinds() if kind not in NAMES)]
    return [(label, [(kind, NAMES.get(kind, kind)) for kind in order if group(kind) == key]) for key, label in GROUPS]


@operators
@require_safe
def mail_html(request: HttpRequest, kind: str) -> HttpResponse:
    """The HTML part alone, for the frame; the logo, which goes along with a real mail, stands in the page."""
    shown = Shown.read(request, kind)
    try:
        part = str(written(shown.kind, shown.language).alternatives[0][0])
    except Unwritable as trouble:
        return HttpResponse(str(trouble), status=422, content_type="text/plain; charset=utf-8")
    by = sender()
    picture = f"data:{by.logo_type};base64,{base64.b64encode(by.logo).decode()}" if by.logo else ""
    answer = HttpResponse(part.replace(f"cid:{LOGO}", picture))
    answer.headers["Content-Security-Policy"] = MAIL_CSP
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer
