"""What is true of every answer: its security headers, and a plain word while the database is away."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse

log = logging.getLogger(__name__)
Get = Callable[[HttpRequest], HttpResponse]

CSP = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


class SecurityHeaders:
    """Strict by default; a view that needs another policy sets its own header and stands in the tests' list."""

    def __init__(self, get_response: Get) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        answer.headers.setdefault("Content-Security-Policy", CSP)
        answer.headers.setdefault("X-Content-Type-Options", "nosniff")
        answer.headers.setdefault("X-Frame-Options", "DENY")
        answer.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        answer.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
        answer.headers.setdefault("Referrer-Policy", settings.SECURE_REFERRER_POLICY)
        answer.headers.setdefault("Cross-Origin-Opener-Policy", settings.SECURE_CROSS_ORIGIN_OPENER_POLICY)
        if not request.path.startswith(settings.STATIC_URL):
            # Pages carry what customers wrote: no cache may keep them.
            answer.headers.setdefault("Cache-Control", "private, no-store")
        return answer


class DatabaseAway:
    """While PostgreSQL restarts a page answers 503 with Retry-After instead of a trace."""

    def __init__(self, get_response: Get) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        except (OperationalError, InterfaceError) as error:
            return away(error)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, (OperationalError, InterfaceError)):
            return away(exception)
        return None


def away(error: BaseException) -> HttpResponse:
    """The plain word, in both languages; the connection is given up, so that the next request makes a new one."""
    log.error("database away: %s", error)
    connection.close()
    page = (
        "<!doctype html><meta charset=utf-8><title>503</title>"
        "<p lang=zh-Hans>数据库暂时没有应答。请等几秒钟，然后用浏览器的“重新加载”再试；您填写的内容会一起重新发送。</p>"
        "<p lang=en>The database is not answering at the moment. Wait a few seconds and reload the page; "
        "what you typed is sent again.</p>"
    )
    return HttpResponse(page, status=503, headers={"Retry-After": "5"})
