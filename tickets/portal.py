"""The customer's doors: own tickets, filing one, following one. An engineer files through the same form.

Filing keeps everything typed, whatever happens: previewing, asking for the promise, an error, a company deactivated
meanwhile all answer with the same page and the same words in it.
"""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from helpdesk import richtext
from helpdesk.accounts.doors import fresh_key
from helpdesk.accounts.models import Customer, User
from helpdesk.accounts.permissions import companies, customers_of, whole_for
from helpdesk.templatetags.desk import said
from helpdesk.text import showable
from oncall.families import FAMILIES
from sla import clocks, words
from sla.calendar_ends import unpublished
from sla.promise import matrix, promises
from tickets import actions, circle, drafting, queue, relations, searching
from tickets.access import access_ticket
from tickets.forms import FilingForm, PhoneForm
from tickets.models import Category, Ticket
from tickets.pages import Asked, Trouble, came_from, changed_by, crossing, see, send
from tickets.panels import panels
from tickets.receiving import received, waiting
from tickets.timeline import timeline
from tickets.workflow import offered

MOST_CHOICES = 500
# What a list of one's own tickets shows of each.
SHOWN_IN_CARDS = [
    *("id", "title", "status", "created_at", "sla_due_at", "due_kind", "queue_at", "case_turn", "customer__name"),
    "requester__name",
    *("priority__code", "priority__rank", "priority__label_zh", "priority__label_en"),
]
# Buttons that answer with the same page instead of filing.
LOOKING = ["preview", "promise", "carry"]


# --- Own tickets -----------------------------------------------------------------------------------------------------


def own(request: Asked) -> HttpResponse:
    """A customer's people see their tickets, newest first: the open ones, or all."""
    at, wish = timezone.now(), queue.Wish.read(request.GET)
    wish = queue.Wish(
        view="all" if wish.view == "all" else "open",
        q=wish.q,
        since=wish.since,
        sort="newest",
        mine=wish.mine,
        after=wish.after,
        before=wish.before,
    )
    base = Ticket.objects.visible_to(request.user)
    answer = searching.results(request, base, wish, at) if wish.q else {}
    if isinstance(answer, HttpResponse):
        return answer
    parts = [queue.chosen(part, wish, request.user, at) for part in _parts(wish, request.user)]
    context = {
        "section": "tickets",
        "now": at,
        "wish": wish,
        "open_link": wish.link(view="open"),
        "all_link": wish.link(view="all"),
        "company_link": wish.link(mine=""),
        "mine_link": wish.link(mine="1"),
        "since": [("", _("Any time")), *queue.SINCE.items()],
        "page": None if wish.q else queue.page(parts, wish, "priority", "requester", "customer", only=SHOWN_IN_CARDS),
        "shared": bool(whole_for(request.user)),
        "several": len(customers_of(request.user)) > 1,
    }
    return render(request, "tickets/own.html", context | answer)


def _parts(wish: queue.Wish, user: User) -> list[Any]:
    own = Ticket.objects.requested_by(user)
    return [own] if wish.mine else Ticket.objects.parts_visible_to(user)


# --- Filing ----------------------------------------------------------------------------------------------------------


def file(request: Asked) -> HttpResponse:
    """Files a ticket for oneself."""
    follows = _follows(request)
    given = {"customers": companies(request.user), **_answers()}
    if request.method != "POST" or _looking(request):
        return _filing_page(request, FilingForm(initial=_typed(request, follows), **given), follows)
    form = FilingForm(request.POST, received(request, timezone.now()), **given)
    return _file(request, form, follows) or _filing_page(request, form, follows, status=422)


def file_for(request: Asked) -> HttpResponse:
    """An engineer files for somebody of a customer: first which customer, then the ticket."""
    customer = _customer(request.POST.get("customer") or request.GET.get("customer", ""), request.user)
    if customer is None:
        customers = Customer.objects.active().known_to(request.user).order_by("name")[:MOST_CHOICES]
        return render(request, "tickets/create_for.html", {"section": "create", "customers": customers})
    people = User.objects.people().filter(is_active=True, memberships__customer=customer, memberships__is_active=True)
    given = {"customers": [customer], "people": people.order_by("name")[:MOST_CHOICES], **_answers()}
    if request.method != "POST" or _looking(request):
        form = PhoneForm(initial=_typed(request, None), **given)
        return _filing_page(request, form, None, customer=customer)
    form = PhoneForm(request.POST, received(request, timezone.now()), **given)
    return _file(request, form, None) or _filing_page(request, form, None, status=422, customer=customer)


def _answers() -> dict[str, Any]:
    impacts, urgencies = words.answers()
    return {"impacts": impacts, "urgencies": urgencies}


def _looking(request: Asked) -> bool:
    return any(name in request.POST for name in LOOKING)


def _customer(text: str, user: User) -> Customer | None:
    try:
        return Customer.objects.active().known_to(user).filter(pk=UUID(text)).first()
    except ValueError:
        return None


def _follows(request: Asked) -> Ticket | None:
    ref = request.POST.get("follows") or request.GET.get("follows", "")
    try:
        return access_ticket(request.user, ref) if ref else None
    except Http404:
        return None


def _typed(request: Asked, follows: Ticket | None) -> dict[str, str]:
    """What the form begins with: what was typed so far, else what the ticket it follows says."""
    typed = {name: showable(str(value)) for name, value in request.POST.items()}
    begun = {"category": Category.TECHNICAL.value}
    if follows:
        begun |= {"title": follows.title, "category": follows.category, "service": follows.service}
        begun |= {"customer": str(follows.customer_id)}
    return begun | typed


def _file(request: Asked, form: FilingForm, follows: Ticket | None) -> HttpResponse | None:
    """Files what the form says and leads to the new ticket, with the receipt; None where it was not filed."""
    opened: list[Ticket] = []

    def act(typed: dict[str, Any], at: datetime) -> str:
        same = follows is not None and follows.customer_id == typed["customer"].pk
        opened.append(actions.open_ticket(**typed, follows=follows if same else None, by=request.user, at=at))
        if follows:
            drafting.clear(ticket=follows, user=request.user, sent=typed["description"])
        return reverse("ticket", args=[opened[0].ref])

    answer = send(request, "create", form, act)
    if isinstance(answer, Trouble):
        return None
    # The second half of a double click opened nothing and says the same.
    ticket = opened[0] if opened else access_ticket(request.user, answer.headers["Location"].split("/")[-2])
    messages.success(request, _receipt(ticket))
    return answer


def _receipt(ticket: Ticket) -> str:
    if ticket.due_kind != "response" or not ticket.sla_due_at:
        return _("We have it: %(ref)s.") % {"ref": ticket.ref}
    time = said(ticket.sla_due_at, timezone.now(), "in")
    return _("We have it: %(ref)s. An engineer answers by %(time)s.") % {"ref": ticket.ref, "time": time}


def _filing_page(
    request: Asked, form: FilingForm, follows: Ticket | None, status: int = 200, customer: Customer | None = None
) -> HttpResponse:
    at = timezone.now()
    # Whoever looks first keeps their files too.
    received(request, at)
    offered_codes = {impact.code for impact in form.impacts}
    proposals = {pair: code for pair, code in matrix(at).items() if pair[0] in offered_codes}
    answers = (str(form["impact"].value() or ""), str(form["urgency"].value() or ""))
    context = {
        "section": "create",
        "now": at,
        "form": form,
        "follows": follows,
        "customer": customer,
        "categories": Category.choices,
        "families": FAMILIES.values(),
        "promises": promises(at, form.company),
        "matrix": json.dumps({f"{impact} {urgency}": code for (impact, urgency), code in proposals.items()}),
        "proposed": proposals.get(answers),
        "preview": richtext.render(form.text) if "preview" in request.POST else None,
        "similar": searching.likely(request) if "preview" in request.POST else None,
        "waiting": waiting(request),
        "once": fresh_key(),
        "here": request.path,
    }
    return render(request, "tickets/create.html", context, status=status)


# --- One ticket ------------------------------------------------------------------------------------------------------


def ticket_page(request: Asked, ticket: Ticket, trouble: Trouble | None = None) -> HttpResponse:
    """State in a sentence, promise, conversation, answer, the rest."""
    at, own_words = timezone.now(), words.read()
    ticket.priority = own_words.priorities[ticket.priority_id]
    items = timeline(ticket, request.user, own_words, at=at)
    around = circle.around(ticket, request.user, choosing=circle.asked(request.GET, trouble), at=at)
    known = {c.kind: c for c in clocks.of_subjects([ticket.ref])[ticket.ref]}
    context = {
        "section": "tickets",
        "now": at,
        "ticket": ticket,
        "items": items,
        "last_message": max(item.message.pk for item in items if item.message),
        "offered": {v.name: v for v in offered(ticket, request.user)},
        **panels(ticket, request.user),
        "kin": relations.kin_of(ticket, around["circle"].near, request.user, at),
        "came_from": came_from(request, items),
        "calendar": clocks.calendar_of(ticket.calendar_id),
        "simulated": getattr(settings, "AWS_IS_SIMULATED", False),
        "response": known.get("response"),
        "update": known.get("update"),
        "resolution": known.get("resolution"),
        "unpublished": unpublished(ticket.calendar_id, known.values()),
        **around,
        "readers": circle.names(ticket, around["circle"]),
        "changed_by": changed_by(items, request.user) if trouble and trouble.conflict else None,
        **crossing(trouble, items, request.user),
    }
    return see(request, "tickets/portal_ticket.html", ticket, trouble, context)
