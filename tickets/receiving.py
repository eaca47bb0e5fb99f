"""Files on their way in: block by block from the network to the disk, never whole in memory.

Either alone as the body of a request (the script's way, with progress) or among a form's fields (without a script).
Both are hashed and looked at on the way; both stop at the limits, whatever length was announced. What does not arrive
whole leaves nothing behind.
"""

import errno
import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest
from django.http.request import UnreadablePostError
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from helpdesk.accounts.doors import PersonRequest
from helpdesk.storage import BLOCK, Away, is_full, store
from tickets import attaching
from tickets.attaching import Stopped
from tickets.filetypes import HEAD, clean_name, type_of
from tickets.models import Attachment

BIGGEST = 25 * 1024 * 1024
# Beyond this a form is not even read to its end.
BIGGEST_FORM = 300 * 1024 * 1024
PATIENCE_S = 900
# A slow line holds a thread: so many of a process's four may wait for files, the others answer pages.
AT_ONCE = 2
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_slots = threading.BoundedSemaphore(AT_ONCE)


class Incoming:
    """A file that is being received. Whoever opens one stores it or closes it."""

    def __init__(self, name: str, most: int | None = None) -> None:
        self.name, self.most = clean_name(name), BIGGEST if most is None else most
        self.id = uuid4()
        self.size = 0
        self.head = b""
        self.digest = hashlib.sha256()
        # Why it was not taken, in a form where the words beside it shall not be lost.
        self.trouble: Stopped | None = None
        with _plain_words():
            if is_full():
                raise OSError(errno.ENOSPC, "little room")
            self.path = store().spool / uuid4().hex
            self.handle = self.path.open("xb")

    def write(self, block: bytes) -> None:
        """Raises Stopped where it is too much or cannot be kept."""
        if self.size + len(block) > self.most:
            raise Stopped(413, too_big())
        with _plain_words():
            self.handle.write(block)
        self.digest.update(block)
        self.size += len(block)
        if len(self.head) < HEAD:
            self.head += block[: HEAD - len(self.head)]

    def store(self) -> None:
        """To its place, whole. Raises Stopped."""
        if not self.size:
            raise Stopped(422, _("%(name)s is empty: there is nothing to send.") % {"name": self.name})
        with _plain_words():
            self.handle.close()
            store().put(self.id.hex, self.path)

    def close(self) -> None:
        """Drops what was not stored."""
        with _quietly():
            self.handle.close()
        with _quietly():
            self.path.unlink(missing_ok=True)

    def row(self) -> dict[str, Any]:
        """What its row says of it."""
        kind = type_of(self.head)
        told = {"name": self.name, "type": kind, "size": self.size, "sha256": self.digest.hexdigest()}
        return told | {"id": self.id, "stored": self.id}


def too_big() -> str:
    return _("Larger than 25 MB. Compress it, or put it into S3 and paste a link.")


@contextmanager
def _plain_words() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise Stopped(507, _("There is no room for files here at the moment. Nothing of it was kept.")) from error
        raise Stopped(503, _("Files cannot be kept at the moment. Please try again soon.")) from error
    except Away as error:
        raise Stopped(503, _("Files cannot be kept at the moment. Please try again soon.")) from error


@contextmanager
def _quietly() -> Iterator[None]:
    # What was buffered cannot be written to a full disk either: it is thrown away anyhow.
    try:
        yield
    except OSError:
        return


# --- Alone -----------------------------------------------------------------------------------------------------------


@contextmanager
def slot() -> Iterator[None]:
    """A place among those who may send a file just now. Raises Stopped."""
    if not _slots.acquire(blocking=False):
        raise Stopped(503, _("Many files are arriving just now. Please try again in a moment."))
    try:
        yield
    finally:
        _slots.release()


@contextmanager
def body(request: HttpRequest, name: str) -> Iterator[Incoming]:
    """The request's body as a file, for the length of the block. Raises Stopped."""
    announced = int(request.headers.get("Content-Length") or 0)
    if announced > BIGGEST:
        raise Stopped(413, too_big())
    incoming = Incoming(name)
    try:
        _read(request, incoming)
        if incoming.size != announced:
            raise Stopped(400, _broken())
        yield incoming
    finally:
        incoming.close()


def _read(request: HttpRequest, incoming: Incoming) -> None:
    until = time.monotonic() + PATIENCE_S
    try:
        while block := request.read(BLOCK):
            incoming.write(block)
            if time.monotonic() > until:
                raise Stopped(408, _broken())
    except UnreadablePostError as error:
        raise Stopped(400, _broken()) from error


def _broken() -> str:
    return _("The file did not arrive whole. Please send it again.")


# --- In a form -------------------------------------------------------------------------------------------------------


def takes_files(view: Any) -> Any:
    """Marks a door whose form may carry files; at all others they are thrown away unread."""
    view.takes_files = True
    return view


class FormFiles(FileUploadHandler):
    """Django's way to hand over a form's files. What is wrong with one is said at its field, later."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.arrived: list[Incoming] = []
        # Not `file`: Django closes that one where it stops.
        self.current: Incoming | None = None

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: Any, encoding: str | None = None
    ) -> None:
        if content_length > BIGGEST_FORM:
            raise RequestDataTooBig("a form larger than all its files may be")

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.field_name != "files" or not self._is_wanted():
            raise SkipFile
        try:
            self.current = Incoming(self.file_name or "")
        except Stopped as stopped:
            self.current = Refused(self.file_name or "", stopped)
        self.arrived.append(self.current)

    def _is_wanted(self) -> bool:
        match, user = self.request.resolver_match, getattr(self.request, "user", None)  # type: ignore[union-attr]
        return bool(match and getattr(match.func, "takes_files", False) and user and user.is_authenticated)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.current is None or self.current.trouble:
            return
        try:
            self.current.write(raw_data)
            if sum(one.size for one in self.arrived) > attaching.MOST_TOGETHER:
                raise Stopped(413, attaching.too_much())
        except Stopped as stopped:
            self.current.trouble = stopped
            self.current.close()

    def file_complete(self, file_size: int) -> Any:
        done, self.current = self.current, None
        return done

    def upload_interrupted(self) -> None:
        for one in self.arrived:
            one.close()


class Refused(Incoming):
    """A file that could not even be begun."""

    def __init__(self, name: str, trouble: Stopped) -> None:
        self.name, self.size, self.trouble = clean_name(name), 0, trouble

    def close(self) -> None:
        """There is nothing to drop."""


def received(request: PersonRequest, at: datetime) -> MultiValueDict:
    """The files in a form, each kept as its sender's (`Attachment`) or with the word why not (`Stopped`).

    However often it is asked, they are kept once a request.
    """
    if not request.FILES:
        return MultiValueDict()
    if not hasattr(request, "files_kept"):
        # A microsecond apart: they keep the order in which they were chosen.
        arrived = enumerate(request.FILES.getlist("files"))
        request.files_kept = [_kept(one, request, at + timedelta(microseconds=n)) for n, one in arrived]  # type: ignore[attr-defined]
    return MultiValueDict({"files": request.files_kept})  # type: ignore[attr-defined]


def _kept(incoming: Any, request: PersonRequest, at: datetime) -> Attachment | Stopped:
    try:
        if incoming.trouble:
            raise incoming.trouble
        attaching.may_send(request.user, at)
        return attaching.keep(incoming=incoming, by=request.user, at=at)
    except Stopped as stopped:
        return Stopped(stopped.status, f"{incoming.name}: {stopped.text}")


def standing_on_form(request: PersonRequest, at: datetime) -> list[UUID]:
    """The numbers of the files on the form that was sent, those that came with it among them."""
    received(request, at)
    return _on_form(request)


def waiting(request: PersonRequest) -> list[Attachment]:
    """The files that stand on the form that was sent, for showing it once more. No statement where there are none."""
    ids = _on_form(request)
    return attaching.waiting(ids, request.user) if ids else []


def _on_form(request: PersonRequest) -> list[UUID]:
    ids = [one.id for one in getattr(request, "files_kept", []) if isinstance(one, Attachment)]
    return ids + attaching.numbers(request.POST.getlist("files"))
