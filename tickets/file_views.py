"""The doors of attached files: sending one before its message, taking it back, downloading, looking at it.

A download passes through the desk, which asks each time anew whether this person may read the message it hangs on. The
bytes that somebody sent only ever leave as a download, in a sandbox; what is shown in place was drawn anew by us.
"""

import logging
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.http import Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from helpdesk.storage import Away, store
from helpdesk.templatetags.desk import filesize
from tickets import attaching, ranges, receiving
from tickets.access import access_file, access_ticket
from tickets.filetypes import BYTES, MIME, FileType
from tickets.models import Attachment
from tickets.pages import Asked, people_only

log = logging.getLogger(__name__)

View = Callable[..., HttpResponseBase]
# Django reads a form before we could.
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
LOCKED_AWAY = "sandbox; default-src 'none'"
# As much of a text as is shown on a page.
SHOWN_OF_A_TEXT = 200_000


# --- Sending ---------------------------------------------------------------------------------------------------------


@people_only
@require_POST
def upload(request: Asked) -> HttpResponse:
    """One file as the body of the request, before the form that will carry its number: of a ticket, or a new one."""
    at, name, ref = timezone.now(), request.GET.get("name", ""), request.GET.get("for", "")
    ticket = access_ticket(request.user, ref) if ref else None
    try:
        if request.content_type in FORMS:
            raise attaching.Stopped(415, _("Send the file itself as the body, not a form."))
        with receiving.slot():
            attaching.may_send(request.user, at)
            with receiving.body(request, name) as incoming:
                kept = attaching.keep(incoming=incoming, by=request.user, at=at, waits_for=ticket)
    except attaching.Stopped as stopped:
        return JsonResponse({"error": stopped.text}, status=stopped.status)
    told = {"id": str(kept.pk), "name": kept.name, "size": filesize(kept.size), "notice": attaching.said_of(kept)}
    return JsonResponse(told, status=201)


@people_only
@require_POST
def remove(request: Asked, file: UUID) -> HttpResponse:
    """Takes back what was not sent yet. What is gone already is gone."""
    if not attaching.remove(file=file, by=request.user):
        raise Http404
    return HttpResponse(status=204)


def from_store(view: View) -> View:
    """A door that reads from the storage says so in plain words while that does not answer."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(*args, **kwargs)
        except Away as error:
            log.error("storage away: %s", error)
            text = _("Files cannot be read at the moment. Please try again soon.")
            headers = {"Retry-After": "10"}
            return HttpResponse(text, status=503, content_type="text/plain; charset=utf-8", headers=headers)

    return guarded


# --- Downloading -----------------------------------------------------------------------------------------------------


@people_only
@require_safe
@from_store
def download(request: Asked, ref: str, file: UUID, name: str) -> HttpResponseBase:
    """The bytes as they came, whole or one part of them, and always as a download."""
    found = access_file(request.user, ref, file, timezone.now())
    headers = {
        "Content-Type": MIME.get(FileType(found.type), BYTES),
        "Content-Disposition": disposition(found.name),
        "Content-Security-Policy": LOCKED_AWAY,
        "Accept-Ranges": "bytes",
        "ETag": f'"{found.sha256}"',
    }
    try:
        part = _asked_part(request, found)
    except ranges.Unsatisfiable:
        return HttpResponse(status=416, headers=headers | {"Content-Range": f"bytes */{found.size}"})
    if part:
        headers["Content-Range"] = f"bytes {part.start}-{part.last}/{found.size}"
    length = part.length if part else found.size
    headers["Content-Length"] = str(length)
    status = 206 if part else 200
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers)
    return StreamingHttpResponse(_bytes(found.key, part.start if part else 0, length), status=status, headers=headers)


def _asked_part(request: Asked, found: Attachment) -> ranges.Part | None:
    header = request.headers.get("Range", "")
    if not header or request.method == "HEAD":
        return None
    # Another file than the one they began with, or a date, which we do not give: the whole.
    if request.headers.get("If-Range", f'"{found.sha256}"') != f'"{found.sha256}"':
        return None
    return ranges.asked_part(header, found.size)


def _bytes(key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
    try:
        return store().read(key, start, length)
    except FileNotFoundError:
        log.error("the file %s has a row and is not there", key)
        raise Http404 from None


def disposition(name: str) -> str:
    """The header that makes a download of it, under its own name in any script (RFC 6266)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


# --- Looking ---------------------------------------------------------------------------------------------------------


@people_only
@require_safe
@from_store
def look(request: Asked, ref: str, file: UUID) -> HttpResponse:
    """A page of ours about a file, with what can be shown of it. The ticket's page asks it for one file's line."""
    found = access_file(request.user, ref, file, timezone.now())
    context: dict[str, Any] = {"section": "tickets", "ref": ref, "file": found, "here": reverse("ticket", args=[ref])}
    if request.htmx:
        return render(request, "tickets/_file.html", context)
    if found.type == FileType.TEXT:
        context |= _text(found)
    context["numbers"] = range(1, found.pages + 1)
    return render(request, "tickets/file.html", context)


def _text(found: Attachment) -> dict[str, Any]:
    raw = b"".join(_bytes(found.key, 0, min(found.size, SHOWN_OF_A_TEXT)))
    return {"text": readable(raw), "cut": found.size > SHOWN_OF_A_TEXT}


def readable(raw: bytes) -> str:
    """Text in the encoding it is probably in: UTF-16 with its mark, UTF-8, GB 18030, else what UTF-8 makes of it.

    The last character may be cut off.
    """
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    for encoding in ("utf-8-sig", "gb18030"):
        for cut in range(4):
            try:
                return raw[: len(raw) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
    return raw.decode("utf-8", errors="replace")


@people_only
@require_safe
@from_store
def preview(request: Asked, ref: str, file: UUID, page: int) -> HttpResponseBase:
    """A picture that we drew: number 0 is small, the others are the pages. In place only where it is a picture."""
    found = access_file(request.user, ref, file, timezone.now())
    if page > found.pages or not found.pages:
        raise Http404
    drawn = b"".join(_bytes(f"{found.key}-{page}"))
    if not (drawn.startswith(b"RIFF") and drawn[8:12] == b"WEBP"):
        raise Http404
    headers = {"Content-Disposition": "inline", "Content-Security-Policy": LOCKED_AWAY}
    return HttpResponse(drawn, content_type="image/webp", headers=headers)
