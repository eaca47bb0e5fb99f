"""Why this due time: every window used, each pause with who and why, holidays, the sum; opened in place on a ticket.

Whoever may see the ticket reads it, without internal words; targets among ourselves are for the desk alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from helpdesk.accounts.models import User, key_of
from helpdesk.audit.models import Entry
from sla import clocks, words
from sla.clock import ClockState, Reckoning
from sla.models import CalendarVersion, Excusal, Kind, Plan
from sla.why import Explained, Stretch, explain
from tickets.access import access_ticket, messages_visible_to, people_of
from tickets.models import Ticket
from tickets.pages import Asked, people_only
from tickets.timeline import entries_visible_to


@dataclass(frozen=True)
class Told:
    """A stretch as a page tells it. `by` is who paused, struck or went on, `message` the word it hangs on."""

    stretch: Stretch
    by: str = ""
    message: int | None = None


@dataclass(frozen=True)
class Turn:
    """A priority that was changed on the way, and what was promised from then on."""

    at: datetime
    by: str
    old: str
    new: str
    target_s: int


@people_only
@require_safe
def why(request: Asked, ref: str, kind: str) -> HttpResponse:
    """A page of its own; on the ticket its middle is opened in place."""
    if kind not in Kind.values or (kind.startswith("ola_") and not request.user.is_desk):
        raise Http404
    ticket, at = access_ticket(request.user, ref), timezone.now()
    reckoning = clocks.reckon(ticket.ref, terms=ticket.terms, at=max(at, ticket.last_event_at))
    state = _state(reckoning, kind)
    if state is None:
        raise Http404
    history = entries_visible_to(request.user, ticket)
    explained = explain(state, reckoning.spans, clocks.calendar_of(ticket.calendar_id), at)
    context = {
        "section": "tickets",
        "now": at,
        "ticket": ticket,
        "clock": state,
        "kind": Kind(kind),
        "explained": explained,
        "part": bool(request.htmx),
        **_terms(ticket),
        **_told(request.user, ticket, kind, explained, history, at),
    }
    return render(request, "tickets/why.html", context)


def _state(reckoning: Reckoning, kind: str) -> ClockState | None:
    """The clock of a kind, the last of its cycles."""
    if kind == Kind.RESPONSE:
        return reckoning.response
    if kind == Kind.RESOLUTION:
        return reckoning.resolution
    cycles = [*reckoning.updates, *reckoning.internal]
    return next((state for state in reversed(cycles) if state.kind == kind), None)


def _terms(ticket: Ticket) -> dict[str, Any]:
    """What the ticket was promised under."""
    calendar = CalendarVersion.objects.select_related("calendar").get(pk=ticket.calendar_id)
    return {"plan": Plan.objects.get(pk=ticket.plan_id), "calendar": calendar, "policy": ticket.policy_number}


def _told(
    viewer: User, ticket: Ticket, kind: str, explained: Explained, history: list[Entry], at: datetime
) -> dict[str, Any]:
    spoken = list(messages_visible_to(viewer, ticket, at).filter(by_desk=True).exclude(kind="note"))
    asked = {e.at: e for e in history if e.action == "ticket.asked"}
    struck = {e.data["pause"]: e for e in history if e.action == "ticket.pause_struck"}
    turns = [e for e in history if e.action == "ticket.prioritised"]
    names = _names(ticket, [*asked.values(), *struck.values(), *turns])

    def tell(stretch: Stretch) -> Told:
        pause = asked.get(stretch.start)
        if pause is None or stretch.kind not in ("pause", "struck"):
            return Told(stretch)
        said = [m.pk for m in spoken if m.at <= stretch.start]
        # Who struck it out is for the desk alone: its entry is not among those a customer reads.
        entry = struck.get(pause.pk) if stretch.kind == "struck" else pause
        by = names.get(entry.actor, _("the desk")) if entry else ""
        return Told(stretch, by, said[-1] if said else None)

    return {
        "stretches": [tell(stretch) for stretch in explained.stretches],
        "turns": list(_turns(ticket, kind, turns, names)),
        "excusal": Excusal.objects.filter(breach__subject=ticket.ref, breach__kind=kind).first(),
    }


def _turns(ticket: Ticket, kind: str, entries: Iterable[Entry], names: dict[str, str]) -> Iterable[Turn]:
    targets, labels = clocks.targets_of(ticket.terms), words.read().labels
    for entry in entries:
        target = targets.get(entry.data["new"])
        seconds = getattr(target, f"{kind.removeprefix('ola_')}_s", None) if target else None
        if seconds:
            old, new = (labels.get(entry.data[name], entry.data[name]) for name in ("old", "new"))
            yield Turn(entry.at, names.get(entry.actor, _("the desk")), old, new, seconds)


def _names(ticket: Ticket, entries: Iterable[Entry]) -> dict[str, str]:
    numbers = {int(e.actor.removeprefix("user:")) for e in entries if e.actor.startswith("user:")}
    found = people_of(ticket, numbers)
    return {key_of(n): found[n].name if n in found else _("erased person") for n in numbers}
