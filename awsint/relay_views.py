"""From AWS to the customer: one message of AWS, and the three things that can be made of it."""

from collections.abc import Callable
from datetime import datetime

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_safe

from awsint import relay
from awsint.case_views import LANGUAGES
from awsint.models import Communication, SupportCase
from awsint.wishes import number
from helpdesk.accounts.doors import Busy, Mismatch, Refused, answered_once, fresh_key
from helpdesk.accounts.views import see_other
from helpdesk.text import Block
from tickets.access import access_ticket
from tickets.forms import DeskForm
from tickets.models import Ticket
from tickets.pages import Asked, desk_only
from tickets.workflow import Conflict

DONE = {
    "as_it_is": _l("Passed on as AWS wrote it."),
    "edited": _l("Your words are on their way to the customer."),
    "internal": _l("The internal note is saved."),
}


class RelayForm(DeskForm):
    how = forms.ChoiceField(choices=[(how, how) for how in DONE])
    body = Block(required=False)

    def clean(self) -> dict[str, str]:
        if self.cleaned_data.get("how") != "as_it_is" and not self.cleaned_data.get("body") and not self.errors:
            self.add_error("body", _("Write something first."))
        return self.cleaned_data


@desk_only
@require_safe
def find(request: Asked, ref: str) -> HttpResponse:
    """The page about what stands in the timeline as this message."""
    ticket, message = access_ticket(request.user, ref), number(request.GET.get("message", ""))
    said = Communication.objects.filter(message=message, message__ticket=ticket, by_aws=True).first()
    if message is None or said is None:
        raise Http404
    return redirect("aws_relay", ticket.ref, said.pk)


@desk_only
def relay_one(request: Asked, ref: str, communication: int) -> HttpResponse:
    """Nothing is passed on by looking; each button does one thing."""
    ticket = access_ticket(request.user, ref)
    said = _said(request, ticket, communication)
    if request.method != "POST":
        form = RelayForm(initial={"body": relay.quoted(said, ticket.requester.language)})
        return _page(request, ticket, said, form)
    form = RelayForm(request.POST)
    if not form.is_valid():
        return _page(request, ticket, said, form, status=422)
    how, body = form.cleaned_data["how"], form.cleaned_data["body"]

    def act(at: datetime) -> None:
        if how == "as_it_is":
            relay.as_it_is(ticket=ticket, said=said, by=request.user, at=at)
        elif how == "edited":
            relay.edited(ticket=ticket, said=said, body=body, by=request.user, at=at)
        else:
            relay.internal(ticket=ticket, said=said, body=body, by=request.user, at=at)

    return _done(request, ticket, said, form, act)


def _said(request: Asked, ticket: Ticket, pk: int) -> Communication:
    """Something AWS said on a case of this ticket."""
    cases = SupportCase.objects.visible_to(request.user).filter(links__ticket=ticket)
    rows = Communication.objects.filter(pk=pk, by_aws=True, case__in=cases)
    found = rows.select_related("case__account", "message__ticket", "seen_by").first()
    if found is None:
        raise Http404
    return found


def _done(
    request: Asked, ticket: Ticket, said: Communication, form: RelayForm, act: Callable[[datetime], None]
) -> HttpResponse:
    back = reverse("ticket", args=[ticket.ref])
    status = 422
    try:
        with answered_once(request, at=timezone.now()) as slot:
            if slot.answer:
                return slot.answer.response()
            act(timezone.now())
            slot.keep(303, back)
        messages.success(request, DONE[form.cleaned_data["how"]])
        return see_other(back)
    except Refused as refused:
        form.refuse(refused)
    except (Conflict, Busy) as conflict:
        form.add_error(None, str(conflict) or _("Somebody else is writing this very moment. Please send it again."))
        status = 409
    except Mismatch:
        form.add_error(None, _("This form was sent before with other words. If you mean these as well, send them now."))
    return _page(request, ticket, said, form, status=status)


def _page(request: Asked, ticket: Ticket, said: Communication, form: RelayForm, *, status: int = 200) -> HttpResponse:
    at = timezone.now()
    message = said.message
    told = {
        "section": "tickets",
        "now": at,
        "ticket": ticket,
        "said": said,
        "form": form,
        "once": fresh_key(),
        "once_too": fresh_key(),
        "simulated": settings.AWS_IS_SIMULATED,
        "stands_here": message is not None and message.ticket_id == ticket.pk and message.kind == "aws",
        "held": message is not None and message.released_at > at,
        "differs": relay.differs(said, ticket),
        "theirs": LANGUAGES.get(said.case.language, said.case.language),
        "ours": LANGUAGES["zh" if ticket.requester.language.startswith("zh") else "en"],
    }
    return render(request, "aws/relay.html", told, status=status)
