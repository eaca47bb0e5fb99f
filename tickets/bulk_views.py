"""The doors of bulk work: the page that says what will be done to which tickets, and the one that says what was."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods

from helpdesk.accounts.doors import form_digest, fresh_key
from helpdesk.accounts.models import User
from sla import words
from tickets import bulk, forms
from tickets.models import CloseReason, Ticket
from tickets.pages import Asked, desk_only

SUBJECTS: dict[str, Any] = {
    "assign": (_l("Assign"), forms.AssignForm),
    "status": (_l("Change the status"), forms.StatusForm),
    "tag": (_l("Change tags"), forms.TagForm),
    "prioritise": (_l("Change the priority"), forms.PrioritiseForm),
}
FINAL = (CloseReason.DUPLICATE, CloseReason.SPAM)
# What a row of the page says.
NAMED = ("customer", "assigned_to", "priority")
MOST_CHOICES = 500


@desk_only
@require_http_methods(["GET", "HEAD", "POST"])
def many(request: Asked) -> HttpResponse:
    """Asks what to do with the tickets picked; then does it and says of each whether it is done.

    What ends a ticket for good is asked once more. Those that could not be changed stay picked, as they stand now.
    """
    given = request.POST if request.method == "POST" else request.GET
    subject = given.get("do", "")
    subject = subject if subject in SUBJECTS else "status"
    picked = bulk.picks(given.getlist("pick"))
    if request.method != "POST" or not picked or len(picked) > bulk.MOST:
        return _page(request, subject, picked, SUBJECTS[subject][1](), status=422 if request.method == "POST" else 200)
    form = SUBJECTS[subject][1](request.POST)
    if not form.is_valid():
        return _page(request, subject, picked, form, status=422)
    if form.cleaned_data.get("step") in FINAL and "sure" not in request.POST:
        return _page(request, subject, picked, form, asks=True)
    answers = bulk.run(
        bulk.act_for(subject, form.cleaned_data),
        picked,
        _tickets(request, picked),
        key=request.POST.get("once", "")[:100].replace("\x00", ""),
        digest=form_digest(request),
        by=request.user,
        at=timezone.now(),
    )
    return _page(request, subject, picked, form, answers=answers)


def _page(
    request: Asked,
    subject: str,
    picked: list[bulk.Pick],
    form: forms.DeskForm,
    *,
    status: int = 200,
    asks: bool = False,
    answers: list[bulk.Answer] | None = None,
) -> HttpResponse:
    """Fresh rows in the order they were picked; each with its answer, where there is one."""
    tickets = _tickets(request, picked) if len(picked) <= bulk.MOST else {}
    told = {a.ticket.pk: a for a in answers or []}
    rows = [(tickets[p.number], told.get(p.number)) for p in picked if p.number in tickets]
    failed = sum(1 for a in told.values() if a.problem)
    context = {
        "section": "tickets",
        "subject": subject,
        "title": SUBJECTS[subject][0],
        "subjects": [(name, label) for name, (label, _form) in SUBJECTS.items()],
        "form": form,
        "rows": rows,
        "told": bool(told),
        "done": len(told) - failed,
        "left": failed if told else len(rows),
        "asks": asks,
        "too_many": bulk.MOST if len(picked) > bulk.MOST else None,
        "people": _colleagues() if subject == "assign" else None,
        "priorities": words.read().priorities.values() if subject == "prioritise" else None,
        "back": _back(request),
        "once": fresh_key(),
    }
    return render(request, "tickets/bulk.html", context, status=status)


def _tickets(request: Asked, picked: list[bulk.Pick]) -> dict[int, Ticket]:
    found = Ticket.objects.visible_to(request.user).select_related(*NAMED)
    return found.in_bulk([p.number for p in picked])


def _colleagues() -> list[tuple[int, str]]:
    return list(User.objects.staff().order_by("name").values_list("pk", "name")[:MOST_CHOICES])


def _back(request: Asked) -> str:
    """The list somebody came from: one of ours, by its filters alone."""
    asked = request.POST.get("back") or request.GET.get("back", "")
    return asked if asked.startswith("?") else ""
