"""The outbox in the console: every letter with its state, what can be done about it, and the mails that were caught.

Caught mails exist on a desk on one's own machine only. Their HTML is shown in a frame that may do nothing.
"""

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from helpdesk import caught, letters
from helpdesk.accounts.doors import PersonRequest, Refused
from helpdesk.accounts.history import history_of
from helpdesk.accounts.permissions import Right, may
from helpdesk.accounts.views import see_other
from helpdesk.console import operators
from helpdesk.mail_previews import MAIL_CSP, PAGE_CSP
from helpdesk.models import Heartbeat
from helpdesk.outbox import words
from helpdesk.outbox.addresses import bare
from helpdesk.outbox.models import BAD_FATES, Bouncer, Fate, Letter

PAGE = 50
# Whatever came back, for whichever reason.
BAD = "bad"


@operators
@require_safe
def outbox(request: HttpRequest) -> HttpResponse:
    """What leaves the building, newest first; links that grant a login are shown as [link]."""
    found = Letter.objects.order_by("-id")
    state, q = request.GET.get("state", ""), request.GET.get("q", "").strip().replace("\x00", "")
    fate = request.GET.get("fate", "")
    if state in Letter.State.values:
        found = found.filter(state=state)
    if fate in Fate.values or fate == BAD:
        found = found.filter(fate__in=BAD_FATES if fate == BAD else [fate])
    if q:
        found = found.filter(to_address__icontains=q) | found.filter(subject__iexact=q)
    if (before := request.GET.get("before", "")).isdecimal() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    page = list(found[: PAGE + 1])
    context = {
        "letters": page[:PAGE],
        "older": _older(request, str(page[PAGE - 1].pk)) if len(page) > PAGE else "",
        "state": state,
        "q": q,
        "states": Letter.State.choices,
        "fate": fate,
        "fates": Fate.choices,
        "bad": Letter.objects.filter(fate__in=BAD_FATES)[:1000].count(),
        "hears": bool(settings.SES_EVENTS["topics"]),
        "dead": Letter.objects.filter(state=Letter.State.FAILED)[:1000].count(),
        "server": Heartbeat.objects.filter(name="mail server").exclude(note="").first(),
        "way": settings.MAIL["way"],
        "catches": settings.SITE_IS_LOCAL,
    }
    return render(request, "console/outbox.html", context)


def _older(request: HttpRequest, before: str) -> str:
    asked = QueryDict(mutable=True)
    asked.update(
        {name: request.GET[name] for name in ("state", "fate", "q") if request.GET.get(name)} | {"before": before}
    )
    return "?" + asked.urlencode()


@operators
@require_safe
def letter(request: PersonRequest, letter: int) -> HttpResponse:
    return letter_page(request, get_object_or_404(Letter, pk=letter))


def letter_page(request: PersonRequest, found: Letter, trouble: str = "") -> HttpResponse:
    """One letter: where it stands, why, and what can be done about it."""
    addresses = [bare(address) for address in words.readers(found)]
    context = {
        "letter": found,
        "history": history_of(letters.subject_of(found)),
        "trouble": trouble,
        "words": found.words.order_by("at", "id"),
        "bouncers": Bouncer.objects.filter(address__in=addresses).order_by("address"),
        "hears": bool(settings.SES_EVENTS["topics"]),
    }
    return render(request, "console/letter.html", context, status=409 if trouble else 200)


@operators
@require_POST
def retry(request: PersonRequest, letter: int) -> HttpResponse:
    """A dead letter is tried again at once."""
    return _about(request, letter, letters.retry, _("The letter leaves with the next beat of the pulse."))


@operators
@require_POST
def cancel(request: PersonRequest, letter: int) -> HttpResponse:
    """A letter that has not left does not leave any more."""
    return _about(request, letter, letters.cancel, _("The letter does not leave any more."))


@operators
@require_POST
def trust(request: PersonRequest, letter: int) -> HttpResponse:
    """Letters leave to its addresses again."""
    return _about(request, letter, letters.trust, _("Letters leave to the address again."))


def _about(request: PersonRequest, pk: int, act: Callable[..., Letter], done: str) -> HttpResponse:
    found = get_object_or_404(Letter, pk=pk)
    try:
        act(letter=found, by=request.user, at=timezone.now())
    except Refused as refused:
        found.refresh_from_db()
        return letter_page(request, found, str(refused))
    messages.success(request, done)
    return see_other(reverse("console_letter", args=[pk]))


# --- What was caught -------------------------------------------------------------------------------------------------


def _here() -> None:
    if not settings.SITE_IS_LOCAL:
        raise Http404


@operators
@require_safe
def mails(request: HttpRequest) -> HttpResponse:
    """The mails that did not get further than this machine, newest first."""
    _here()
    before = request.GET.get("before", "")
    found = caught.page(before if caught.NAME.fullmatch(before) else "", PAGE + 1)
    older = f"?before={found[PAGE - 1].name}" if len(found) > PAGE else ""
    return render(request, "console/caught.html", {"mails": found[:PAGE], "older": older})


@operators
@require_safe
def mail(request: PersonRequest, mail: str) -> HttpResponse:
    """One of them: its headers, its text, its HTML in a frame."""
    answer = render(
        request, "console/mail.html", {"mail": _read(request, mail), "with_source": may(request.user, Right.ADMIN)}
    )
    answer.headers["Content-Security-Policy"] = PAGE_CSP
    return answer


@operators
@require_safe
def mail_html(request: PersonRequest, mail: str) -> HttpResponse:
    """Its HTML alone, under a policy of its own."""
    found = _read(request, mail)
    if not found.html:
        raise Http404
    return HttpResponse(found.html, headers={"Content-Security-Policy": MAIL_CSP})


@operators
@require_safe
def mail_source(request: PersonRequest, mail: str) -> HttpResponse:
    """It, as it came: with links that grant logins, so for administrators."""
    _here()
    if not may(request.user, Right.ADMIN):
        raise Http404
    try:
        return HttpResponse(caught.source(mail), content_type="text/plain; charset=utf-8")
    except FileNotFoundError:
        raise Http404 from None


def _read(request: PersonRequest, name: str) -> caught.Read:
    _here()
    try:
        return caught.read(name, with_links=may(request.user, Right.ADMIN))
    except FileNotFoundError:
        raise Http404 from None
