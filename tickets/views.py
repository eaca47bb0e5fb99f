"""The desk's doors, and those both sides share: each finds the ticket, checks the words, calls one action, answers."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from helpdesk import richtext
from helpdesk.accounts.models import Customer, User
from helpdesk.kept import kept
from helpdesk.templatetags.desk import undo_tags
from oncall.families import FAMILIES
from sla import clocks, words
from sla.calendar_ends import unpublished
from sla.models import Priority
from tickets import (
    actions,
    after,
    apology,
    aws,
    circle,
    classifying,
    forms,
    portal,
    queue,
    relations,
    searching,
    tagging,
)
from tickets.access import access_ticket, where_it_went
from tickets.assigning import takers
from tickets.canned_views import put_in
from tickets.case_words import resolved_cases
from tickets.deed import UNDO
from tickets.models import Status, Ticket
from tickets.pages import (
    Asked,
    Trouble,
    came_from,
    changed_by,
    crossing,
    desk_only,
    first_answer,
    forget_draft,
    people_only,
    see,
    send,
    why,
)
from tickets.panels import panels
from tickets.receiving import received, takes_files
from tickets.timeline import entries_visible_to, timeline
from tickets.undoing import undo_reply
from tickets.whyme import why_me
from tickets.workflow import offered

SHOWN_IN_ROWS = [
    *("id", "title", "status", "sla_due_at", "due_kind", "queue_at", "last_event_at", "tags", "case_turn"),
    *("customer__name", "assigned_to__name"),
    *("priority__code", "priority__rank", "priority__label_zh", "priority__label_en"),
]
ROWS_NAME = ["customer", "assigned_to", "priority"]
MOST_CHOICES = 500
# What these say to the customer can be taken back for a while.
UNDOABLE = ("reply", "resolve", "reopen")


# --- Lists -----------------------------------------------------------------------------------------------------------


@people_only
@require_safe
def tickets(request: Asked) -> HttpResponse:
    """The queue for the desk, their own tickets for a customer's people."""
    return desk_queue(request) if request.user.is_desk else portal.own(request)


def desk_queue(request: Asked) -> HttpResponse:
    """What runs out first stands on top. The same address answers the page's own refresh with its moving parts."""
    at, wish = timezone.now(), queue.Wish.read(request.GET)
    base = Ticket.objects.visible_to(request.user)
    if wish.q:
        return _search(request, base, wish, at)
    if wish == queue.Wish(view=wish.view):
        first = _first_rows(request.user.pk, at, view=wish.view, role=request.user.staff_role)
        page = queue.cut(first, wish)
    else:
        rows = queue.chosen(base, wish, request.user, at)
        page = queue.page(rows, wish, *ROWS_NAME, only=SHOWN_IN_ROWS)
    queue.remember_paused(page.rows)
    tagging.name_on(page.rows)
    context = {
        "section": "tickets",
        "now": at,
        "wish": wish,
        "page": page,
        "groups": queue.grouped(page, wish, at),
        "here": request.path + wish.link(after=wish.after, before=wish.before),
        "place": after.Place(wish),
        **_views(base, wish, request.user, at),
    }
    # Whoever types in the search field takes the whole of the main part.
    if request.htmx and request.htmx.target != "main" and not request.htmx.history_restore_request:
        return render(request, "tickets/_queue_live.html", context)
    return render(request, "tickets/queue.html", context | _tools(request, wish))


@kept
def _first_rows(viewer: int, at: datetime, *, view: str, role: str) -> QuerySet[Ticket]:
    """The first page of a view without filters: what everybody looks at all day."""
    colleague, wish = User(pk=viewer, staff_role=role), queue.Wish(view=view)
    rows = queue.chosen(Ticket.objects.visible_to(colleague), wish, colleague, at)
    return queue.first_rows([rows], wish, *ROWS_NAME).only(*SHOWN_IN_ROWS)


def _search(request: Asked, base: Any, wish: queue.Wish, at: datetime) -> HttpResponse:
    """The queue's page with what was found in place of the list."""
    answer = searching.results(request, base, wish, at)
    if isinstance(answer, HttpResponse):
        return answer
    here = request.path + wish.link()
    context = {
        "section": "tickets",
        "now": at,
        "wish": wish,
        "here": here,
        "place": after.Place(wish),
        **_views(base, wish, request.user, at),
    }
    return render(request, "tickets/queue.html", context | answer | _tools(request, wish))


def _tools(request: Asked, wish: queue.Wish) -> dict[str, Any]:
    return {"chips": list(queue.chips(wish, request.user)), "q": wish.q, "choices": _choices(request)}


def _views(base: Any, wish: queue.Wish, user: User, at: datetime) -> dict[str, Any]:
    counts = queue.counts(user, at)
    return {
        "title": queue.VIEWS[wish.view],
        "views": [
            (name, label, queue.Wish(view=name).link(), queue.shown(counts[name]) if name in counts else "")
            for name, label in queue.VIEWS.items()
        ],
        "late": counts["overdue"],
        "count": counts.get(wish.view),
        "count_shown": queue.shown(counts.get(wish.view, 0)),
        "next_due": queue.next_due(base, at) if wish.view == "overdue" and not counts["overdue"] else None,
    }


def _choices(request: Asked) -> dict[str, Any] | None:
    """What the filter form offers; asked for only when it is open."""
    if "filter" not in request.GET:
        return None
    return {
        "statuses": Status.choices,
        "priorities": Priority.objects.all(),
        "customers": Customer.objects.known_to(request.user)[:MOST_CHOICES],
        "people": User.objects.staff().order_by("name")[:MOST_CHOICES],
        "since": queue.SINCE.items(),
    }


# --- Filing ----------------------------------------------------------------------------------------------------------


@takes_files
@people_only
def create(request: Asked) -> HttpResponse:
    """A customer's person files for themselves, an engineer for a customer's person."""
    return portal.file_for(request) if request.user.is_desk else portal.file(request)


@people_only
@require_POST
def preview(request: Asked) -> HttpResponse:
    """Markdown as it will look."""
    return render(request, "tickets/_preview.html", {"html": richtext.render(request.POST.get("text", ""))})


# --- One ticket ------------------------------------------------------------------------------------------------------


@people_only
@require_safe
def ticket(request: Asked, ref: str) -> HttpResponse:
    """The number of a merged ticket leads to where it went; `?own` shows it as it was."""
    found = access_ticket(request.user, ref)
    went = found if "own" in request.GET else where_it_went(request.user, found)
    if went != found:
        asked = request.GET.copy()
        asked["merged"] = found.ref
        return redirect(f"{reverse('ticket', args=[went.ref])}?{asked.urlencode()}")
    return ticket_page(request, found)


def ticket_page(request: Asked, ticket: Ticket, trouble: Trouble | None = None) -> HttpResponse:
    """The ticket as it stands for this reader, with what went wrong on the way.

    What was sent to one that was merged meanwhile stands in the page of where it went.
    """
    if trouble:
        ticket = where_it_went(request.user, ticket)
    if not request.user.is_desk:
        return portal.ticket_page(request, ticket, trouble)
    at, own_words = timezone.now(), words.read()
    ticket.priority = own_words.priorities[ticket.priority_id]
    history = entries_visible_to(request.user, ticket)
    items = timeline(ticket, request.user, own_words, history, at=at)
    tagging.name_on([ticket])
    every = clocks.all_of(ticket.ref)
    known = clocks.promised_now(every)
    reckoning = clocks.reckon_facts([(e.at, e.pk, e.fact) for e in history], terms=ticket.terms, at=at)
    around = circle.around(ticket, request.user, choosing=circle.asked(request.GET, trouble), at=at)
    context = {
        "section": "tickets",
        "desk": True,
        **after.ways(request, ticket),
        **around,
        "now": at,
        "ticket": ticket,
        "items": items,
        "last_message": max(item.message.pk for item in items if item.message),
        "offered": {v.name: v for v in offered(ticket, request.user)},
        "kin": relations.kin_of(ticket, around["circle"].near, request.user, at),
        "came_from": came_from(request, items),
        "clocks": sorted(known, key=lambda c: c.completed_at is not None),
        "internal": clocks.internal_last(every),
        "calendar": clocks.calendar_of(ticket.calendar_id),
        **first_answer(items, known),
        "simulated": getattr(settings, "AWS_IS_SIMULATED", False),
        "resolved_cases": resolved_cases(ticket, history),
        "why": why(reckoning, ticket, at),
        "unpublished": unpublished(ticket.calendar_id, known),
        "takers": takers(ticket, at) if "assign" in request.GET or (trouble and trouble.verb == "assign") else None,
        **why_me(ticket, around["circle"].decision, in_full="whyme" in request.GET),
        "families": FAMILIES.values(),
        "priorities": [p for p in own_words.priorities.values() if p.code in clocks.targets_of(ticket.terms)],
        "changed_by": changed_by(items, request.user) if trouble and trouble.conflict else None,
        **crossing(trouble, items, request.user),
        **panels(ticket, request.user),
        **put_in(request, ticket),
        **apology.composing(request, ticket, known, request.user),
    }
    return see(request, "tickets/ticket.html", ticket, trouble, context)


# --- Verbs -----------------------------------------------------------------------------------------------------------


def _verb(
    request: Asked, ref: str, name: str, form: forms.DeskForm, act: Callable[..., object], done: str
) -> HttpResponse:
    """One way through every verb. `act` is the action; the form's words are its arguments."""
    found = access_ticket(request.user, ref)

    def do(said: dict[str, Any], at: datetime) -> str:
        act(ticket=found, **said, by=request.user, at=at)
        if said.get("body"):
            forget_draft(request, found, name, said["body"], at)
        return after.way_on(request, request.user, found)

    answer = send(request, name, form, do)
    if isinstance(answer, Trouble):
        return ticket_page(request, access_ticket(request.user, ref), answer)
    undoable = name in UNDOABLE and request.user.is_desk
    tags = undo_tags(found.ref, timezone.now() + UNDO) if undoable else ""
    messages.success(request, f"{found.ref}: {done}" if after.leaves(answer, found) else done, extra_tags=tags)
    return answer


@takes_files
@people_only
@require_POST
def reply(request: Asked, ref: str) -> HttpResponse:
    act = partial(actions.reply, undoable=request.user.is_desk)
    kind = forms.DeskReplyForm if request.user.is_desk else forms.ReplyForm
    form = kind(request.POST, received(request, timezone.now()))
    return _verb(request, ref, "reply", form, act, _("Your reply is sent."))


@desk_only
@require_POST
def undo(request: Asked, ref: str) -> HttpResponse:
    def act(*, ticket: Ticket, by: User, at: datetime) -> None:
        # The clock is read once the ticket is ours: nobody takes back what was released while they waited for it.
        Ticket.objects.select_for_update().get(pk=ticket.pk)
        undo_reply(ticket=ticket, by=by, at=timezone.now())

    done = _("Taken back. Nothing of it reached the customer; your words are in the draft below.")
    return _verb(request, ref, "undo", forms.DeskForm(request.POST), act, done)


@takes_files
@desk_only
@require_POST
def note(request: Asked, ref: str) -> HttpResponse:
    def act(**given: Any) -> None:
        for person in actions.note(**given).unheard:  # type: ignore[attr-defined]
            word = _("%(name)s may not see this customer and was not told.")
            messages.warning(request, word % {"name": person.name})

    form = forms.NoteForm(request.POST, received(request, timezone.now()))
    return _verb(request, ref, "note", form, act, _("The internal note is saved."))


@desk_only
@require_POST
def start(request: Asked, ref: str) -> HttpResponse:
    return _verb(request, ref, "start", forms.StepForm(request.POST), actions.start, _("The ticket is in progress."))


@desk_only
@require_POST
def ask(request: Asked, ref: str) -> HttpResponse:
    done = _("The ticket waits for the customer.")
    return _verb(request, ref, "ask", forms.StepForm(request.POST), actions.ask, done)


@desk_only
@require_POST
def resume(request: Asked, ref: str) -> HttpResponse:
    return _verb(request, ref, "resume", forms.StepForm(request.POST), actions.resume, _("The ticket is in progress."))


@desk_only
@require_POST
def resolve(request: Asked, ref: str) -> HttpResponse:
    done = _("The ticket is resolved; the customer is asked to confirm.")
    act = partial(actions.resolve, undoable=True)
    return _verb(request, ref, "resolve", forms.ResolveForm(request.POST), act, done)


@people_only
@require_POST
def close(request: Asked, ref: str) -> HttpResponse:
    done = _("Thank you. The ticket is closed.")
    return _verb(request, ref, "close", forms.CloseForm(request.POST), actions.close, done)


@people_only
@require_POST
def reopen(request: Asked, ref: str) -> HttpResponse:
    act = partial(actions.reopen, undoable=request.user.is_desk)
    return _verb(request, ref, "reopen", forms.ReopenForm(request.POST), act, _("The ticket is open again."))


@people_only
@require_POST
def withdraw(request: Asked, ref: str) -> HttpResponse:
    done = _("The ticket is closed.")
    return _verb(request, ref, "withdraw", forms.WithdrawForm(request.POST), actions.withdraw, done)


@desk_only
@require_POST
def assign(request: Asked, ref: str) -> HttpResponse:
    return _verb(request, ref, "assign", forms.AssignForm(request.POST), actions.assign, _("The assignee is changed."))


@desk_only
@require_POST
def prioritise(request: Asked, ref: str) -> HttpResponse:
    done = _("The priority is changed.")
    return _verb(request, ref, "prioritise", forms.PrioritiseForm(request.POST), actions.prioritise, done)


@desk_only
@require_POST
def classify(request: Asked, ref: str) -> HttpResponse:
    done = _("The service is changed.")
    return _verb(request, ref, "classify", forms.ClassifyForm(request.POST), classifying.classify, done)


@desk_only
@require_POST
def release(request: Asked, ref: str) -> HttpResponse:
    """Lets the customer read what AWS said, which they had a notice of."""

    def act(*, ticket: Ticket, message: int, by: User, at: datetime) -> None:
        aws.reviewed(message=get_object_or_404(ticket.messages, pk=message), by=by, at=at)

    return _verb(request, ref, "release", forms.ReleaseForm(request.POST), act, _("The customer reads it now."))
