"""The history under seal: a chain of digests over all that was written, so that a change behind our back is found.

An exclusive advisory lock, held only to read the highest id, says that every id up to it is decided: whoever writes
history holds it shared from before the id is drawn until the end. Gaps are normal (what was rolled back); count and
digest prove the rest. A seal's digest holds that of the seal before it, so none can be taken out or made anew alone.

Beside the digest a seal keeps eight bytes of each row's own, so that `verify` names the row and not only the range.
"""

import hashlib
import logging
import random
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from django.db import OperationalError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import LockNotAvailable

from helpdesk.audit.models import Entry, Seal

log = logging.getLogger(__name__)
# Those of the triggers on history (migrations/0002), and one for sealers among themselves.
WRITERS, SEALERS = 7240151, 7240153
LOCK_TIMEOUT_MS = 100
TRIES = 6
# A seal covers no more rows than can be read in a moment.
MOST_ROWS = 20_000
LEAF = struct.Struct(">q8s")
NONE = b"\x00" * 32

# Each column as an explicit text, so that no setting of the server changes a digest.
ROWS = """
SELECT id, concat_ws(chr(31), id, (extract(epoch FROM at) * 1000000)::bigint, actor, actor_role, action, subject,
    coalesce(customer::text, '-'), audience, data::text, coalesce(fact::text, '-'))
FROM audit_entry WHERE id > %s AND id <= %s ORDER BY id LIMIT %s
"""


class Busy(Exception):
    """Writers left no gap in which to look; the next time will."""


@dataclass
class Verified:
    """What a check found: how many seals and rows it read, how many rows no seal covers yet, and what is wrong."""

    seals: int = 0
    rows: int = 0
    unsealed: int = 0
    problems: list[str] = field(default_factory=list)


def due(at: datetime) -> None:
    """What the pulse does: a seal, or another time where writers leave no gap."""
    try:
        seal(at)
    except Busy:
        log.info("history was too busy to be sealed; the next minute will")


def seal(at: datetime) -> int:
    """Seals what was written since the last one; returns how many rows. Several may call it. Raises Busy."""
    with _own_connection() as own:
        decided = _decided(own)
    done = 0
    while sealed := _seal_slice(decided, at):
        done += sealed
    return done


@contextmanager
def _own_connection() -> Iterator[BaseDatabaseWrapper]:
    """The lock must not wait for the caller's transaction, nor end with it."""
    own = connections.create_connection("default")
    try:
        yield own
    finally:
        own.close()


def _decided(own: BaseDatabaseWrapper) -> int:
    """The highest id of history, every one up to it committed or gone."""
    for _try in range(TRIES):
        try:
            own.set_autocommit(False)
            with own.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [WRITERS])
                # A statement of its own: it sees what was committed while the first waited.
                cursor.execute("SELECT coalesce(max(id), 0) FROM audit_entry")
                return int(cursor.fetchone()[0])
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            time.sleep(random.uniform(0.02, 0.2))  # noqa: S311, only so that two do not keep step
        finally:
            own.rollback()
            own.set_autocommit(True)
    raise Busy


@transaction.atomic
def _seal_slice(decided: int, at: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEALERS])
    last = Seal.objects.order_by("-no").first()
    begun = last.last_id if last else 0
    rows = list(_rows(begun, decided, MOST_ROWS))
    if not rows:
        return 0
    ends = rows[-1][0] if len(rows) == MOST_ROWS else decided
    prev = bytes(last.sha256) if last else NONE
    Seal.objects.create(
        no=last.no + 1 if last else 1,
        first_id=begun + 1,
        last_id=ends,
        rows=len(rows),
        sha256=_digest(prev, begun + 1, ends, rows),
        prev=prev,
        leaves=b"".join(LEAF.pack(number, leaf[:8]) for number, leaf in rows),
        at=at,
    )
    return len(rows)


def _rows(after: int, until: int, most: int) -> Iterator[tuple[int, bytes]]:
    """The rows of a range with the digest of each, in order."""
    with connection.cursor() as cursor:
        cursor.execute(ROWS, [after, until, most])
        while found := cursor.fetchmany(2000):
            for number, text in found:
                yield number, hashlib.sha256(text.encode()).digest()


def _digest(prev: bytes, first: int, last: int, rows: list[tuple[int, bytes]]) -> bytes:
    whole = hashlib.sha256(prev + struct.pack(">qqq", first, last, len(rows)))
    for _number, leaf in rows:
        whole.update(leaf)
    return whole.digest()


# --- Verify ----------------------------------------------------------------------------------------------------------


def verify(progress: Callable[[int], None] | None = None) -> Verified:
    """Reads every seal and every row under it, and says what does not fit; `progress` hears how many rows so far."""
    found, prev, number, end = Verified(), NONE, 0, 0
    for one in Seal.objects.order_by("no").iterator():
        name = f"seal {one.no}, entries {one.first_id} to {one.last_id}"
        if one.no != number + 1 or one.first_id != end + 1:
            found.problems.append(f"{name}: the seal before it is missing")
        if bytes(one.prev) != prev:
            found.problems.append(f"{name}: it does not continue the seal before it")
        rows = list(_rows(one.first_id - 1, one.last_id, one.rows + MOST_ROWS))
        if _digest(bytes(one.prev), one.first_id, one.last_id, rows) != bytes(one.sha256):
            found.problems += _named(name, one, rows)
        prev, number, end = bytes(one.sha256), one.no, one.last_id
        found.seals += 1
        found.rows += len(rows)
        if progress:
            progress(found.rows)
    found.unsealed = Entry.objects.filter(pk__gt=end).count()
    return found


def _named(name: str, one: Seal, rows: list[tuple[int, bytes]]) -> list[str]:
    """Which rows of a range are not as they were."""
    kept = dict(LEAF.iter_unpack(bytes(one.leaves)))
    there = dict(rows)
    problems = [f"{name}: entry {number} was deleted" for number in sorted(kept.keys() - there.keys())]
    problems += [f"{name}: entry {number} was inserted" for number in sorted(there.keys() - kept.keys())]
    changed = sorted(n for n in kept.keys() & there.keys() if kept[n] != there[n][:8])
    problems += [f"{name}: entry {number} was changed" for number in changed]
    # Every row is as it was: then the seal is not.
    return problems or [f"{name}: the seal itself was changed"]
