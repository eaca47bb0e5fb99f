"""Errors of the API as RFC 9457 asks: application/problem+json, one shape for all, never a page and never a trace.

A view answers with `problem(...)`. Whatever else goes wrong under /api/ (no such path, another method, a database that
is away) is turned into the same shape on its way out.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

API = "/api/"
CONTENT_TYPE = "application/problem+json"
KEPT = ("Allow", "Retry-After", "WWW-Authenticate")
Get = Callable[[HttpRequest], HttpResponse]


def problem(
    status: int,
    detail: str = "",
    *,
    errors: Mapping[str, list[str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """An error answer. `errors` are messages by field, in the order of the fields."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail or _in_words(status),
    }
    if errors:
        body["errors"] = [{"field": field, "message": m} for field, messages in errors.items() for m in messages]
    return JsonResponse(
        body, status=status, headers=headers, content_type=CONTENT_TYPE, json_dumps_params={"ensure_ascii": False}
    )


def _in_words(status: int) -> str:
    return {
        400: _("The request could not be read."),
        401: _("A key is needed: Authorization: Bearer hd_…. This one is missing, wrong or no longer good."),
        403: _("This key may not do that."),
        404: _("There is nothing here under this address, or not for this key."),
        405: _("This address does not know the method; Allow says which it knows."),
        413: _("The request is too large."),
        415: _("Send JSON: Content-Type: application/json."),
        429: _("Too many requests. Retry-After says when to go on."),
        503: _("The desk cannot answer at the moment. Retry-After says when to try again."),
    }.get(status, _("Something went wrong here; it has been written down. Nothing was done."))


class ProblemsUnderApi:
    """Turns error pages under /api/ into problems."""

    def __init__(self, get_response: Get) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if answer.status_code < 400 or not request.path.startswith(API):
            return answer
        if answer.headers.get("Content-Type", "").startswith(CONTENT_TYPE):
            return answer
        kept = {name: answer.headers[name] for name in KEPT if name in answer.headers}
        return problem(answer.status_code, headers=kept)
