"""Who is asking, in which language, from where; and that staff prove themselves twice where the desk demands it.

The language of a page: `?lang=` on public pages, then the person's, then the cookie, then what the browser asks
for, then the site's.
A proxy's word about the client counts only if the proxy is one of ours (TRUSTED_PROXIES): anybody else could write it.
"""

import ipaddress
from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

from helpdesk.accounts.doors import PersonRequest
from helpdesk.accounts.second_factor import has_second_factor
from helpdesk.audit.record import Sender, sender
from helpdesk.site import current

Get = Callable[[HttpRequest], HttpResponse]
PUBLIC = ("/accounts/", "/invitation/", "/docs/")


class LanguageAndZone:
    """Everything said in a request is said in one language and one zone. Costs an anonymous visitor no query."""

    def __init__(self, get_response: Get) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Who it is, and no longer a stand-in that asks itself again for every attribute.
        request.user = get_user(request)
        person = request.user if request.user.is_authenticated else None
        code = language_of(request)
        request.LANGUAGE_CODE = code
        with translation.override(code), timezone.override(person.zone if person else current().default_zone):
            answer = self.get_response(request)
        answer.headers.setdefault("Content-Language", code)
        patch_vary_headers(answer, ["Cookie"] if person else ["Cookie", "Accept-Language"])
        return answer


def language_of(request: HttpRequest) -> str:
    """The code of the language to answer in."""
    person = request.user
    public = not person.is_authenticated or request.path.startswith(PUBLIC)
    if public and request.method == "GET" and (asked := supported(request.GET.get("lang", ""))):
        return asked
    return person.language if person.is_authenticated else remembered(request) or current().default_language


def remembered(request: HttpRequest) -> str | None:
    """What a visitor chose before, else the first language of the browser that we speak."""
    if chosen := supported(request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")):
        return chosen
    wanted = (code for code, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "")))
    return next((code for code in map(supported, wanted) if code), None)


def supported(code: str) -> str | None:
    """Our own code for a language somebody named, None where we do not speak it."""
    try:
        return translation.get_supported_language_variant(code) if code else None
    except LookupError:
        return None


class SecondFactor:
    """Staff without a second factor see the pages where one is set up, and nothing else."""

    open_to_all = (
        "/accounts/2fa/",
        "/accounts/reauthenticate/",
        "/accounts/logout/",
        "/i18n/",
        "/healthz",
        "/readyz",
        settings.STATIC_URL,
    )

    def __init__(self, get_response: Get) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self.must_set_up(request):
            return HttpResponseRedirect(reverse("mfa_index"))
        return self.get_response(request)

    def must_set_up(self, request: HttpRequest) -> bool:
        if not settings.SECOND_FACTOR_REQUIRED or request.path.startswith(self.open_to_all):
            return False
        person = request.user
        if not person.is_authenticated or not person.staff_role:
            return False
        return not has_second_factor(cast(PersonRequest, request))


class Origin:
    """Says where the writes of this request come from (audit.Origin)."""

    def __init__(self, get_response: Get) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        agent = request.headers.get("User-Agent", "").replace("\x00", "")
        token = sender.set(Sender(ip=client_ip(request), user_agent=agent))
        try:
            return self.get_response(request)
        finally:
            sender.reset(token)


def client_ip(request: HttpRequest) -> str | None:
    """The address of whoever asks: the peer, or what our own proxy says about it."""
    peer = valid_ip(request.META.get("REMOTE_ADDR", ""))
    if peer in settings.TRUSTED_PROXIES:
        # The last entry is the one our proxy wrote itself; those before it are hearsay.
        return valid_ip(request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()) or peer
    return peer


def valid_ip(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
