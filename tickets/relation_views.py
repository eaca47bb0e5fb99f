"""The doors of what holds tickets together: tags, links, merging, splitting. The desk's alone."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from helpdesk.text import showable
from tickets import forms, relations, tagging
from tickets.access import access_ticket
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
