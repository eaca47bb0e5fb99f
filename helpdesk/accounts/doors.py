"""What every door needs: a write that counts once however often it is sent, and a limit on how often somebody may try.

Once: the key is written first, in the transaction of the write itself. A twin that arrives meanwhile waits for that
transaction and then reads the first answer. An attempt that was refused leaves no key behind, so that the corrected
form may be sent with the same one. Limits are one upsert in an unlogged table, shared by all processes; a crash may
forget them.
"""

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse
from psycopg.errors import LockNotAvailable

from helpdesk.accounts.models import Once, User
from helpdesk.kept import done, fetched

KEPT = timedelta(hours=24)
LONGEST_KEY = 200
RETRY_AFTER_S = 5


class PersonRequest(HttpRequest):
    """A request of somebody who is logged in, for views behind a guard that sees to it."""

    user: User


class Mismatch(Exception):
    """The same key came with other words: 422. What was sent first is done, what was sent now is not."""


class Refused(Exception):
    """Something cannot be done as it was asked: `field` says where, the text why, in the reader's language."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Busy(Exception):
    """Somebody holds the lock for longer than five seconds: 409 with Retry-After. Nothing is done."""

    retry_after_s = RETRY_AFTER_S


@dataclass(frozen=True)
class Answer:
    """How a write was answered: 2xx with its body, or 303 with the location as body."""

    status: int
    body: str

    def response(self) -> HttpResponse:
        if self.status == 303:
            return HttpResponse(status=303, headers={"Location": self.body})
        return HttpResponse(self.body, status=self.status, content_type="application/json")


@dataclass
class Slot:
    """Where a write finds the answer of its twin, or leaves its own."""

    answer: Answer | None = None
    kept: Answer | None = None

    def keep(self, status: int, body: str) -> None:
        """Keeps the answer, and with it everything written in this slot."""
        if not (200 <= status < 300 or status == 303):
            raise ValueError("only an answer that did something is kept")
        self.kept = Answer(status, body)


def fresh_key() -> str:
    """A key for the hidden `once` field of a form."""
    return secrets.token_urlsafe(16)


@contextmanager
def answered_once(request: HttpRequest, *, at: datetime) -> Iterator[Slot]:
    """A form's write, by its hidden field `once`; without one it simply runs in a transaction.

    Give back `slot.answer.response()` where there is one, else do the work and `slot.keep(303, location)`. A slot
    that keeps nothing undoes whatever was written in it. Raises Mismatch and Busy.
    """
    owner = request.user.key if request.user.is_authenticated else "nobody"
    key = request.POST.get("once", "")[:LONGEST_KEY].replace("\x00", "")
    with once(
        owner=owner, key=key, path=f"{request.method} {request.path}", digest=form_digest(request), at=at
    ) as slot:
        yield slot


@contextmanager
def once(*, owner: str, key: str, path: str, digest: str, at: datetime) -> Iterator[Slot]:
    """The same for any door: `owner` is whose key it is, `digest` the sha256 of what was asked."""
    try:
        with transaction.atomic():
            slot = _take(owner, key, path[:300], digest, at) if key else Slot()
            yield slot
            if slot.kept and key:
                _give(owner, key, slot.kept)
            if not slot.kept:
                transaction.set_rollback(True)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise Busy from error
        raise


def _take(owner: str, key: str, path: str, digest: str, at: datetime) -> Slot:
    # Waits for a twin's transaction; a savepoint and an exception less than get_or_create.
    taken = fetched(
        "INSERT INTO accounts_once (owner, key, path, digest, body, created_at) VALUES (%s, %s, %s, %s, '', %s) "
        "ON CONFLICT (owner, key) DO NOTHING RETURNING id",
        [owner, key, path, digest, at],
    )
    if taken:
        return Slot()
    first = Once.objects.get(owner=owner, key=key)
    if (first.path, first.digest) != (path, digest):
        raise Mismatch
    return Slot(answer=Answer(first.status or 200, first.body))


def _give(owner: str, key: str, answer: Answer) -> None:
    done(
        "UPDATE accounts_once SET status = %s, body = %s WHERE owner = %s AND key = %s",
        [answer.status, answer.body, owner, key],
    )


def form_digest(request: HttpRequest) -> str:
    """What a form said, without the token that differs on every page."""
    said = sorted((name, values) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken")
    return hashlib.sha256(json.dumps(said).encode(errors="surrogatepass")).hexdigest()


def forget_once(at: datetime) -> int:
    """Removes the keys of yesterday; returns how many."""
    return Once.objects.filter(created_at__lt=at - KEPT).delete()[0]


def limit(key: str, hits: int, seconds: int, at: datetime) -> bool:
    """Counts a hit of `key`; whether it is among the first `hits` in its window of `seconds`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_limit AS l (key, hits, until) VALUES (%s, 1, %s) ON CONFLICT (key) DO UPDATE SET "
            "hits = CASE WHEN l.until <= %s THEN 1 ELSE l.hits + 1 END, "
            "until = CASE WHEN l.until <= %s THEN excluded.until ELSE l.until END RETURNING hits",
            [key, at + timedelta(seconds=seconds), at, at],
        )
        return bool(cursor.fetchone()[0] <= hits)


def forget_limits(at: datetime) -> int:
    """Removes windows that ended; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_limit WHERE until <= %s", [at])
        return int(cursor.rowcount)
