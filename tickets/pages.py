"""What both faces of a ticket share: who may come in, one way through every verb, and the page that answers.

A verb's door finds the ticket, checks the words, calls one action and answers. 303 to the ticket where it went well;
422 with the message at its field where the words were wrong; 409 with the fresh ticket where somebody was quicker. In
both of the latter the typed text stands in the page again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from helpdesk import refs
from helpdesk.accounts.doors import Busy, Mismatch, PersonRequest, answered_once, fresh_key
from helpdesk.accounts.models import StaffRole, User
from sla.clock import Reckoning
from sla.clocks import calendar_of
from sla.models import Clock
from tickets import drafting
from tickets.forms import DeskForm, SeenAt
from tickets.models import Status, Ticket
from tickets.receiving import waiting
from tickets.timeline import Item
from tickets.workflow import Conflict, Crossed, Refused

# Verbs whose words come from the composer.
COMPOSED = ("reply", "note", "draft")
View = Callable[..., HttpResponseBase]
Act = Callable[[dict[str, Any], datetime], str]


class Asked(PersonRequest):
    """A request behind `people_only`: somebody is there, and the middleware has looked for htmx."""

    htmx: HtmxDetails


def people_only(view: View) -> View:
    """Lets in whoever is logged in and no auditor. Text sent after a session ended is shown, to be copied, not lost."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _come_back(request)
        if request.user.staff_role == StaffRole.AUDITOR:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def _come_back(request: HttpRequest) -> HttpResponse:
    back = request.get_full_path()
    if request.headers.get("HX-Request"):
        # A page left open refreshes itself: it must become the login page and not hold one.
        return HttpResponse(status=401, headers={"HX-Refresh": "true"})
    if request.method != "POST":
        return redirect_to_login(back)
    match = request.resolver_match
    ref = match.kwargs.get("ref") if match else None
    back = reverse("ticket", args=[ref]) if ref else reverse("ticket_create")
    typed = typed_text(request)
    if not typed:
        return redirect_to_login(back)
    composed = match is not None and match.url_name in [f"ticket_{verb}" for verb in COMPOSED]
    told = {"typed": typed, "back": back, "kept_for": back, "composed": composed and request.POST.get("body")}
    return render(request, "errors/signed_out.html", told, status=403)


def typed_text(request: HttpRequest) -> list[str]:
    """The words in a form that would hurt to lose."""
    return [request.POST[name] for name in ("title", "description", "body", "reason") if request.POST.get(name)]


@dataclass(frozen=True)
class Trouble:
    """Why a verb was not done, for the page that says so."""

    verb: str
    form: DeskForm
    status: int = 422
    conflict: Conflict | None = None
    retry_after: int | None = None


class _NoTrouble(dict[str, str]):
    """Says nothing to whatever a template asks, and is false: quicker than None, which a template looks up in vain."""

    def __missing__(self, _name: str) -> str:
        return ""


NO_TROUBLE = _NoTrouble()


def send(request: Asked, verb: str, form: DeskForm, act: Act) -> HttpResponse | Trouble:
    """Does a verb with the words of `form`, once however often the form is sent; `act` returns where to go then."""
    if not form.is_valid():
        return Trouble(verb, form)
    at = timezone.now()
    try:
        with answered_once(request, at=at) as slot:
            if slot.answer:
                return slot.answer.response()
            location = act(form.cleaned_data, at)
            slot.keep(303, location)
        return HttpResponse(status=303, headers={"Location": location})
    except Refused as refused:
        form.refuse(refused)
        return Trouble(verb, form)
    except Conflict as conflict:
        return Trouble(verb, form, 409, conflict)
    except Mismatch:
        form.add_error(None, _("This form was sent before with other words. If you mean these as well, send them now."))
        return Trouble(verb, form)
    except Busy as busy:
        form.add_error(None, _("Somebody else is writing this very moment. Your text is kept: please send it again."))
        return Trouble(verb, form, 409, retry_after=busy.retry_after_s)


def see(
    request: Asked, template: str, ticket: Ticket, trouble: Trouble | None, context: dict[str, Any]
) -> HttpResponse:
    """Renders a ticket; links and forms on it lead to its own address, whatever verb was sent."""
    wanted, stamp = request.GET.get("draft", ""), request.POST.get("draft_at")
    there = context["circle"].drafts
    composed = _composed(ticket, trouble)
    composed = drafting.standing(ticket, request.user, composed, there=there, wanted=wanted, stamp=stamp)
    if text := context.get("put_in"):
        composed["typed"] = drafting.joined(composed.get("typed", ""), text)
    told = {"trouble": trouble or NO_TROUBLE, "here": reverse("ticket", args=[ticket.ref]), "once": fresh_key()}
    context |= told | composed
    if trouble:
        context["waiting"] = waiting(request)
    answer = render(request, template, context, status=trouble.status if trouble else 200)
    if trouble and trouble.retry_after:
        answer.headers["Retry-After"] = str(trouble.retry_after)
    return answer


def forget_draft(request: Asked, ticket: Ticket, verb: str, sent: str, at: datetime) -> None:
    """Ends the draft whose words a verb has just sent, in its transaction; other words end only their equal."""
    seen = None
    if verb in COMPOSED:
        stamp = request.POST.get("draft_at")
        seen = at if stamp is None else SeenAt(required=False).clean(stamp)
    drafting.clear(ticket=ticket, user=request.user, sent=sent, seen=seen)


def _composed(ticket: Ticket, trouble: Trouble | None) -> dict[str, Any]:
    """What stands in the composer: the words of a verb that lost its own place with the conflict stand there too."""
    if trouble is None:
        return {}
    homeless = trouble.conflict and (trouble.verb in ("resolve", "reopen") or ticket.status == Status.CLOSED)
    composing = trouble.verb in COMPOSED
    if not (composing or homeless):
        return {}
    return {
        "composing": composing,
        "typed": trouble.form.text,
        "as_note": "note" in (trouble.verb, trouble.form.data.get("kind")) or trouble.verb in ("assign", "prioritise"),
        "then": "resolve" if trouble.verb == "resolve" else trouble.form.data.get("then", ""),
    }


def desk_only(view: View) -> View:
    """To anybody but the desk this door does not exist."""

    @people_only
    @wraps(view)
    def guarded(request: Asked, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_desk:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def changed_by(items: list[Item], reader: User) -> Item | None:
    """What another person did last, for the notice that says who was quicker."""
    for item in reversed(items):
        if item.message and item.message.author_id != reader.pk:
            return item
        lines = [line for line in item.lines if line.actor != reader.name]
        if lines:
            return Item("history", item.at, lines=lines[-1:])
    return None


def came_from(request: HttpRequest, items: list[Item]) -> str:
    """The number whose address led here, where something that was said there stands here now; else nothing."""
    number = refs.number(request.GET.get("merged", ""))
    return refs.ref(number) if number and any(i.message and i.message.origin_id == number for i in items) else ""


def crossing(trouble: Trouble | None, items: list[Item], reader: User) -> dict[str, Any]:
    """What others said since the page was shown from which somebody sent, where that stopped it."""
    if trouble is None or not isinstance(trouble.conflict, Crossed):
        return {}
    seen = trouble.form.cleaned_data["last_seen_message"]
    new = [i for i in items if i.message and i.message.pk > seen and i.message.author_id != reader.pk]
    return {"crossed": new, "crossed_ids": {i.message.pk for i in new if i.message}}


def first_answer(items: list[Item], known: list[Clock]) -> dict[str, Any]:
    """The clock of the first answer and the message that ended it, for the mark beside that message."""
    for clock in known:
        if clock.kind == "response" and clock.completed_at:
            said = (i.message for i in items if i.message and i.at == clock.completed_at)
            ids = [m.pk for m in said if m.by_desk and m.kind == "reply"]
            return {"answer": clock, "answer_id": ids[0] if ids else None}
    return {}


@dataclass(frozen=True)
class Step:
    """One stretch in the reckoning of a due time: working seconds that ran, paused or stood still."""

    kind: str
    start: datetime
    end: datetime
    seconds: int


def why(reckoning: Reckoning, ticket: Ticket, at: datetime) -> dict[str, Any]:
    """How the resolution's due time came about, from the spans behind the clock."""
    work = calendar_of(ticket.calendar_id).work
    clock = reckoning.resolution
    # A pause that was struck out counts.
    kinds = ["running" if s.struck else s.kind for s in reckoning.spans]
    spans = zip(kinds, reckoning.spans, strict=True)
    steps = [Step(kind, s.start, s.end or at, work(s.start, s.end or at)) for kind, s in spans]
    left = clock.remaining_s if clock.due_at is None else work(at, clock.due_at) if clock.due_at > at else 0
    return {"clock": clock, "steps": steps, "left": None if clock.completed_at or not left else left, "now": at}
