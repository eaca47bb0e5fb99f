"""From a ticket to AWS: open a case, write on one, resolve it. Nothing leaves before somebody has seen what does.

A form is sent twice: the first time it is answered by the text as it will leave, with whatever should have been seen in
it; the second, with each of that ticked, sends it. Words that changed between the two are looked through again.
"""

import hashlib
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from awsint import case_actions, expecting, looking, options, splitting
from awsint.case_forms import AnswerForm, OpenCaseForm
from awsint.models import Account, SupportCase
from awsint.shapes import AwsError
from helpdesk.accounts.doors import Busy, Mismatch, Refused, answered_once, fresh_key
from helpdesk.accounts.views import see_other
from tickets.access import access_ticket, messages_visible_to
from tickets.forms import DeskForm
from tickets.models import Message, Ticket
from tickets.pages import Asked, desk_only
from tickets.receiving import received, takes_files, waiting
from tickets.workflow import Conflict

LANGUAGES = {"zh": "中文", "en": "English", "ja": "日本語", "ko": "한국어"}
NOTHING: dict[str, Any] = {"severities": [], "services": [], "languages": ["en"], "trouble": ""}


@takes_files
@desk_only
def open_case(request: Asked, ref: str) -> HttpResponse:
    """A case about a ticket, in one of its customer's accounts."""
    ticket, at = access_ticket(request.user, ref), timezone.now()
    accounts = Account.objects.visible_to(request.user).connected().filter(customer=ticket.customer_id, may_write=True)
    if not accounts:
        raise Http404
    account = _chosen(request, list(accounts))
    offered = _offered(request, account, at)
    if request.method != "POST":
        form = OpenCaseForm(initial=_proposed(ticket, account, offered), accounts=accounts, offered=offered)
        return _page(request, "aws/open.html", ticket, form, account=account, accounts=accounts, offered=offered)
    form = OpenCaseForm(request.POST, received(request, at), accounts=accounts, offered=offered)
    told: dict[str, Any] = {"account": account, "accounts": accounts, "offered": offered}
    if "options" in request.POST:
        # Another account or service was chosen: what it offers, with everything that was typed.
        form = OpenCaseForm(initial=request.POST.dict(), accounts=accounts, offered=offered)
        return _page(request, "aws/open.html", ticket, form, **told)
    if not form.is_valid():
        return _page(request, "aws/open.html", ticket, form, status=422, **told)

    def act(at: datetime) -> None:
        case_actions.open_case(
            ticket=ticket,
            account=form.cleaned_data["account"],
            subject=form.cleaned_data["subject"],
            body=form.cleaned_data["body"],
            wanted=form.wanted,
            files=form.cleaned_data["files"],
            by=request.user,
            at=at,
        )

    text = f"{form.cleaned_data['subject']}\n{form.cleaned_data['body']}"
    told["account"] = form.cleaned_data["account"]
    return _looked_at(request, "aws/open.html", ticket, form, act, text, **told)


@takes_files
@desk_only
def answer(request: Asked, ref: str, case: int) -> HttpResponse:
    """Words on a case: written for it, or a message of the ticket as it stands (`?message=`)."""
    ticket, at = access_ticket(request.user, ref), timezone.now()
    found = _case(request, ticket, case)
    message = _message(request, ticket, at)
    told: dict[str, Any] = {"account": found.account, "case": found, "message": message}
    if request.method != "POST":
        form = AnswerForm(initial={"body": message.body if message else _prepared(request, found)})
        return _page(request, "aws/answer.html", ticket, form, **told)
    given = request.POST.copy()
    if message:
        given["body"] = message.body
    form = AnswerForm(given, received(request, at))
    if not form.is_valid():
        return _page(request, "aws/answer.html", ticket, form, status=422, **told)

    def act(at: datetime) -> None:
        more = (
            {"message": message}
            if message
            else {"body": form.cleaned_data["body"], "files": form.cleaned_data["files"]}
        )
        case_actions.answer(ticket=ticket, case=found, **more, by=request.user, at=at)

    return _looked_at(request, "aws/answer.html", ticket, form, act, form.cleaned_data["body"], **told)


@desk_only
def resolve(request: Asked, ref: str, case: int) -> HttpResponse:
    """Asked alone: what happens at AWS is never a consequence of what happens to the ticket."""
    ticket = access_ticket(request.user, ref)
    found = _case(request, ticket, case)
    form = DeskForm(request.POST or None)
    told: dict[str, Any] = {"account": found.account, "case": found}
    if request.method != "POST":
        return _page(request, "aws/resolve.html", ticket, form, **told)
    return _done(
        request,
        "aws/resolve.html",
        ticket,
        form,
        lambda at: case_actions.resolve_case(ticket=ticket, case=found, by=request.user, at=at),
        _("AWS is asked to resolve the case."),
        **told,
    )


# --- What a form is made of ------------------------------------------------------------------------------------------


def _case(request: Asked, ticket: Ticket, number: int) -> SupportCase:
    cases = SupportCase.objects.visible_to(request.user).filter(links__ticket=ticket, pk=number)
    found = cases.select_related("account__poll", "account__customer").first()
    if found is None:
        raise Http404
    return found  # type: ignore[no-any-return]


def _message(request: Asked, ticket: Ticket, at: datetime) -> Message | None:
    """The message of this ticket that the address names; what may not leave does not exist here."""
    text = request.GET.get("message", "")
    if not text:
        return None
    seen = messages_visible_to(request.user, ticket, at).defer(None).filter(kind__in=["opening", "reply"])
    found = seen.filter(pk=int(text)).first() if text.isdecimal() and len(text) < 19 else None
    if found is None:
        raise Http404
    return found


def _chosen(request: Asked, accounts: list[Account]) -> Account:
    """The account whose options are shown: the one chosen so far, else the one that runs production."""
    wanted = request.POST.get("account") or request.GET.get("account") or ""
    named = [one for one in accounts if str(one.pk) == wanted]
    return (named or sorted(accounts, key=lambda one: (not one.is_production, one.name)))[0]


def _offered(request: Asked, account: Account, at: datetime) -> dict[str, Any]:
    """What AWS lets the account choose; where it does not answer, why, and the words stay."""
    service, category = request.POST.get("service", ""), request.POST.get("category", "")
    try:
        return {
            "severities": options.severities(account, at),
            "services": options.services(account, request.user.language, at),
            "languages": options.languages(account, service, category, at),
            "trouble": "",
        }
    except AwsError as error:
        return NOTHING | {"trouble": error.code}


def _proposed(ticket: Ticket, account: Account, offered: dict[str, Any]) -> dict[str, Any]:
    opening = Message.objects.filter(ticket=ticket, kind=Message.Kind.OPENING).order_by("pk").first()
    critical = account.is_business_critical
    severity = expecting.severity_for(ticket.priority.rank, business_critical=critical, offered=offered["severities"])
    language = "zh" if account.partition == "aws-cn" or ticket.requester.language.startswith("zh") else "en"
    return {
        "account": account.pk,
        "subject": ticket.title[:200],
        "body": opening.body if opening else "",
        "severity": severity,
        "language": language,
    }


def _prepared(request: Asked, case: SupportCase) -> str:
    """Words that somebody asked for: a higher severity, or how it stands; in the case's language."""
    chinese = case.language == "zh"
    if "raise" in request.GET:
        return RAISE["zh" if chinese else "en"]
    return NUDGE["zh" if chinese else "en"] if "nudge" in request.GET else ""


RAISE = {
    "zh": "您好，\n\n实际影响比案例所示的级别更严重：请提高本案例的严重级别，并尽快安排工程师处理。\n\n"
    "当前影响：\n开始时间：\n受影响的资源：\n\n谢谢。",
    "en": "Hello,\n\nThe impact is greater than the severity of this case says. Please raise it and engage an engineer "
    "as soon as you can.\n\nImpact now:\nSince:\nResources affected:\n\nThank you.",
}
NUDGE = {
    "zh": "您好，\n\n请问这个案例目前进展如何？我们的客户仍受影响，请告知下一步计划和预计时间。\n\n谢谢。",
    "en": "Hello,\n\nHow does this case stand? Our customer is still affected. Please tell us the next step and when "
    "to expect it.\n\nThank you.",
}


# --- Looked at, and done ---------------------------------------------------------------------------------------------


def _looked_at(
    request: Asked, template: str, ticket: Ticket, form: AnswerForm, act: Any, text: str, **told: Any
) -> HttpResponse:
    """The preview, or where everything in it is ticked the deed."""
    found = looking.look(text, told["account"])
    ticked = request.POST.getlist("seen")
    missing = [one for one in found if one.value not in ticked]
    if "send" not in request.POST or missing or request.POST.get("looked") != _mark(text):
        told |= {"found": found, "parts": _parts(form.cleaned_data["body"]), "looked": _mark(text)}
        told |= {"unticked": "send" in request.POST and bool(missing)}
        return _page(request, template, ticket, form, status=422 if told["unticked"] else 200, **told)
    return _done(request, template, ticket, form, act, _("On its way to AWS."), **told)


def _parts(body: str) -> list[str]:
    parts = splitting.parts_of(body)
    return [splitting.numbered(part, n, len(parts)) for n, part in enumerate(parts, start=1)]


def _mark(text: str) -> str:
    """Stands for the words that somebody looked at."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _done(
    request: Asked, template: str, ticket: Ticket, form: DeskForm, act: Any, said: str, **told: Any
) -> HttpResponse:
    back = reverse("ticket", args=[ticket.ref])
    status = 422
    try:
        with answered_once(request, at=timezone.now()) as slot:
            if slot.answer:
                return slot.answer.response()
            act(timezone.now())
            slot.keep(303, back)
        messages.success(request, said)
        return see_other(back)
    except Refused as refused:
        form.refuse(refused)
    except (Conflict, Busy) as conflict:
        form.add_error(None, str(conflict) or _("Somebody else is writing this very moment. Please send it again."))
        status = 409
    except Mismatch:
        form.add_error(None, _("This form was sent before with other words. If you mean these as well, send them now."))
    return _page(request, template, ticket, form, status=status, **told)


def _page(
    request: Asked, template: str, ticket: Ticket, form: DeskForm, *, status: int = 200, **told: Any
) -> HttpResponse:
    known = {
        "section": "tickets",
        "now": timezone.now(),
        "ticket": ticket,
        "form": form,
        "once": fresh_key(),
        "languages": [(code, LANGUAGES.get(code, code)) for code in told.get("offered", NOTHING)["languages"]],
        "simulated": settings.AWS_IS_SIMULATED,
        "waiting": waiting(request) if request.method == "POST" else [],
    }
    return render(request, template, known | told, status=status)
