"""Pages that belong to no app: home, errors, health, the choice of language."""

import sys
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from helpdesk.middleware import away
from helpdesk.models import Heartbeat
from helpdesk.outbox.models import health
from helpdesk.schedule import LATE_AFTER
from helpdesk.site import current
from helpdesk.storage import is_full


def site(request: HttpRequest) -> dict[str, Any]:
    """What every page knows: whose desk it is, the other language, the instant, and in which look it stands."""
    code = translation.get_language() or settings.LANGUAGE_CODE
    chinese = code.startswith("zh")
    person = getattr(request, "user", None)
    house = current()
    return {
        "now": timezone.now(),
        "look": "base.html" if person and person.is_authenticated and person.is_desk else "portal.html",
        "house": house,
        "site_name": house.name,
        "simulated": settings.AWS_IS_SIMULATED,
        "page_language": "zh-Hans" if chinese else "en",
        "other_language": ("en", "English") if chinese else ("zh-hans", "中文"),
    }


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Each person's first page."""
    if not request.user.is_authenticated:
        return redirect("account_login")
    return redirect("account" if request.user.staff_role == "auditor" else "tickets")


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Stores the language in a cookie, and with the person where somebody is logged in; then back to the page."""
    code = request.POST.get("language", "")
    back = without_language(request.POST.get("next", "/"))
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = "/"
    answer = HttpResponseRedirect(back)
    if code in dict(settings.LANGUAGES):
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            code,
            max_age=365 * 24 * 3600,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        if request.user.is_authenticated and request.user.language != code:
            request.user.language = code
            request.user.save(update_fields=["language"])
    return answer


def without_language(address: str) -> str:
    """The page without a `lang` of its own, which would outweigh what was just chosen."""
    page, _mark, query = address.partition("?")
    rest = "&".join(part for part in query.split("&") if part and not part.startswith("lang="))
    return f"{page}?{rest}" if rest else page


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The web process answers: nothing more is asked."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether the desk can do its work now: database, workers, room for files. 503 names what is missing."""
    missing = not_ready()
    told = {"ready": not missing, "missing": missing, "degraded": [] if missing else degraded()}
    return JsonResponse(told, status=503 if missing else 200)


def degraded() -> list[str]:
    """What does badly while the pages do well: nobody is sent away from them because letters wait."""
    post = health()
    return ["letters"] if post.dead or post.is_late(timezone.now()) else []


def not_ready() -> list[str]:
    """The parts that are away or late, by name."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        beats = dict(Heartbeat.objects.values_list("name", "at"))
    except Exception:
        return ["database"]
    now = timezone.now()
    late = [n for n, late in LATE_AFTER.items() if n not in beats or (now - beats[n]).total_seconds() > late]
    return late + _no_storage()


def _no_storage() -> list[str]:
    try:
        return ["storage"] if is_full() else []
    except OSError:
        return ["storage"]


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "errors/400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "errors/403.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "errors/404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Asks neither database nor session: whatever is broken, this page still stands.

    A database that is away raises in the middleware already, where only this page is left to say so.
    """
    if isinstance(error := sys.exc_info()[1], (OperationalError, InterfaceError)):
        return away(error)
    try:
        page = str(render_to_string("errors/500.html"))
    except Exception:
        page = "<!doctype html><meta charset=utf-8><title>500</title><p>500"
    return HttpResponse(page, status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was too old: what was typed is shown again so that it can be copied."""
    typed = [v for k, v in request.POST.items() if k in ("title", "description", "body", "reason") and v]
    back = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = "/"
    # A ticket's composer takes its words back by itself (static/js/drafts.js).
    ticket, _slash, verb = request.path.rpartition("/")
    composed = request.POST.get("body", "") if verb in ("reply", "note", "draft") else ""
    told = {"typed": typed, "back": back, "kept_for": f"{ticket}/", "composed": composed}
    return render(request, "errors/csrf.html", told, status=403)
