"""Reads the histories and the stored clocks of many subjects at once, for whoever reckons thousands of them.

As text, with instants as microseconds since 1970: building rows of the ORM and parsing dates would take longer than
the reckoning itself.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection

from sla.facts import Fact

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FACTS = """
SELECT subject, (extract(epoch FROM at) * 1000000)::bigint, id, fact::text FROM audit_entry
WHERE subject = ANY(%s) AND fact IS NOT NULL ORDER BY at, id
"""
INSTANTS = ("started_at", "due_at", "completed_at", "breached_at", "next_event_at")
CLOCKS = f"""
SELECT subject, id, kind, cycle, target_s, verdict, cause, remaining_s, running_s, paused_s,
    {", ".join(f"(extract(epoch FROM {name}) * 1000000)::bigint" for name in INSTANTS)}
FROM sla_clock WHERE subject = ANY(%s) ORDER BY id
"""  # noqa: S608 - of its own constants


class Stored(NamedTuple):
    """A clock as it is stored: the columns that follow from the history."""

    pk: int
    kind: str
    cycle: int
    target_s: int
    verdict: str
    cause: str
    remaining_s: int | None
    running_s: int
    paused_s: int
    started_at: datetime
    due_at: datetime | None
    completed_at: datetime | None
    breached_at: datetime | None
    next_event_at: datetime | None


def facts_of(subjects: Sequence[str]) -> dict[str, list[Fact]]:
    """What the clocks hear of each subject, in order. One statement."""
    found: dict[str, list[Fact]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(FACTS, [list(subjects)])
        for subject, at, number, fact in cursor.fetchall():
            found[subject].append((_instant(at), number, _fact(fact)))
    return found


def clocks_of(subjects: Sequence[str]) -> dict[str, list[Stored]]:
    """Every stored clock of each subject. One statement."""
    found: dict[str, list[Stored]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(CLOCKS, [list(subjects)])
        for subject, *plain, started, due, completed, breached, coming in cursor.fetchall():
            instants = (None if at is None else _instant(at) for at in (started, due, completed, breached, coming))
            found[subject].append(Stored._make([*plain, *instants]))
    return found


def _instant(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


# There are some dozens of them.
@lru_cache(maxsize=1024)
def _fact(text: str) -> tuple[Any, ...]:
    return tuple(json.loads(text))
