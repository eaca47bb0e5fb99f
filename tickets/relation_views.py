"""The doors of what holds tickets together: tags, links, merging, splitting. The desk's alone."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from helpdesk.accounts.doors import fresh_key
from helpdesk.text import showable
from sla import words
from tickets import forms, merging, relations, splitting, tagging
from tickets.access import access_ticket, messages_visible_to
from tickets.models import Message, Ticket
from tickets.pages import Asked, Trouble, desk_only, send
from tickets.views import ticket_page


def _through(
    request: Asked, ref: str, name: str, form: forms.DeskForm, act: Callable[..., object], done: str
) -> HttpResponse:
    """One way through every verb, as in views.py."""
    found = access_ticket(request.user, ref)

    def do(said: dict[str, Any], at: datetime) -> str:
        act(ticket=found, **said, by=request.user, at=at)
        return reverse("ticket", args=[found.ref])

    answer = send(request, name, form, do)
    if isinstance(answer, Trouble):
        return ticket_page(request, access_ticket(request.user, ref), answer)
    messages.success(request, done)
    return answer


# --- Tags ------------------------------------------------------------------------------------------------------------


@desk_only
@require_POST
def tag(request: Asked, ref: str) -> HttpResponse:
    return _through(request, ref, "tag", forms.TagForm(request.POST), tagging.tag, _("The tags are changed."))


@desk_only
@require_safe
def tags(request: Asked) -> HttpResponse:
    """Tags in use that hold what somebody is typing."""
    typed = showable(request.GET.get("add") or request.GET.get("tag", ""))
    return render(request, "tickets/_tag_names.html", {"names": tagging.suggested(typed[:1000])})


# --- Links -----------------------------------------------------------------------------------------------------------


@desk_only
@require_POST
def link(request: Asked, ref: str) -> HttpResponse:
    form = forms.LinkForm(request.POST, by=request.user)
    return _through(request, ref, "link", form, relations.link, _("The tickets are linked."))


@desk_only
@require_POST
def unlink(request: Asked, ref: str) -> HttpResponse:
    form = forms.OtherForm(request.POST, by=request.user)
    return _through(request, ref, "unlink", form, relations.unlink, _("The link is removed."))


# --- Merging ---------------------------------------------------------------------------------------------------------


@desk_only
@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: Asked, ref: str) -> HttpResponse:
    """Shows which ticket goes and which stays; then merges the one into the other and leads there."""
    source = access_ticket(request.user, ref)
    if request.method != "POST":
        asked = request.GET if "other" in request.GET else None
        return _merge_page(request, source, forms.OtherForm(asked, by=request.user))
    form = forms.OtherForm(request.POST, by=request.user)
    survivor = form.cleaned_data["other"] if form.is_valid() else None

    def do(said: dict[str, Any], at: datetime) -> str:
        into = merging.merge(ticket=source, **said, by=request.user, at=at)
        return reverse("ticket", args=[into.ref])

    answer = send(request, "merge", form, do)
    if isinstance(answer, Trouble):
        return _merge_page(request, access_ticket(request.user, ref), form, answer, survivor)
    messages.success(request, _("%(ref)s is merged into this one. You can undo it for 7 days.") % {"ref": source.ref})
    return answer


def _merge_page(
    request: Asked,
    source: Ticket,
    form: forms.OtherForm,
    trouble: Trouble | None = None,
    survivor: Ticket | None = None,
) -> HttpResponse:
    """Both tickets side by side, as they are now."""
    if trouble is None and form.is_valid():
        survivor = form.cleaned_data["other"]
    found = Ticket.objects.visible_to(request.user).select_related("customer", "requester", "priority")
    both = found.annotate(said=Count("messages")).in_bulk([source.pk, *([survivor.pk] if survivor else [])])
    source, survivor = both[source.pk], both[survivor.pk] if survivor else None
    context = {
        "section": "tickets",
        "source": source,
        "survivor": survivor,
        "obstacle": merging.obstacle(source, survivor) if survivor else "",
        "form": form,
        "trouble": trouble,
        "here": reverse("ticket", args=[source.ref]),
        "once": fresh_key(),
    }
    return render(request, "tickets/merge.html", context, status=trouble.status if trouble else 200)


@desk_only
@require_POST
def unmerge(request: Asked, ref: str) -> HttpResponse:
    form = forms.OtherForm(request.POST, by=request.user)
    done = _("The merge is undone: what was said there is back on its own ticket.")
    return _through(request, ref, "unmerge", form, merging.unmerge, done)


# --- Splitting -------------------------------------------------------------------------------------------------------


@desk_only
@require_http_methods(["GET", "HEAD", "POST"])
def split(request: Asked, ref: str) -> HttpResponse:
    """Asks what a ticket needs, for a message that becomes one; then leads to it."""
    found = access_ticket(request.user, ref)
    message = _message(request, found)
    impacts, urgencies = words.answers()
    given: dict[str, Any] = {"impacts": impacts, "urgencies": urgencies}
    if request.method != "POST":
        begun = {name: getattr(found, name) for name in ("title", "category", "impact", "urgency")}
        begun["category"] = request.GET.get("category", begun["category"])
        return _split_page(request, found, message, forms.SplitForm(initial=begun, **given))
    form = forms.SplitForm(request.POST, **given)

    def do(said: dict[str, Any], at: datetime) -> str:
        made = splitting.split(ticket=found, message=message, **said, by=request.user, at=at)
        return reverse("ticket", args=[made.ref])

    answer = send(request, "split", form, do)
    if isinstance(answer, Trouble):
        return _split_page(request, access_ticket(request.user, ref), message, form, answer)
    messages.success(request, _("This ticket is split off from %(ref)s; the two are linked.") % {"ref": found.ref})
    return answer


def _message(request: Asked, ticket: Ticket) -> Message:
    """The message that is meant, of those this person may read on the ticket; else 404."""
    text = request.POST.get("message") or request.GET.get("message", "")
    number = int(text) if text.isdecimal() and text.isascii() and len(text) < 19 else 0
    readable = messages_visible_to(request.user, ticket, timezone.now()).order_by().values("pk")
    return get_object_or_404(Message.objects.select_related("author"), pk=number, pk__in=readable)


def _split_page(
    request: Asked, ticket: Ticket, message: Message, form: forms.SplitForm, trouble: Trouble | None = None
) -> HttpResponse:
    context = {
        "section": "tickets",
        "ticket": ticket,
        "message": message,
        "requester": splitting.requester_of(ticket, message),
        "form": form,
        "trouble": trouble,
        "here": reverse("ticket", args=[ticket.ref]),
        "once": fresh_key(),
    }
    return render(request, "tickets/split.html", context, status=trouble.status if trouble else 200)
