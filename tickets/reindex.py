"""Writes the words of messages anew where they were cut in an older way (search.EDITION), while the desk runs.

A row says which edition it is of, so the work knows no other state: it may be stopped at any moment, run twice at once
and taken up again. A slice is one transaction of its own; it locks its rows and nothing else, and skips those that
somebody writes at this moment, for they are written in the new way.
"""

import time
from collections.abc import Iterator

from django.db import connection, transaction
from django.db.models import QuerySet

from tickets import search
from tickets.models import SearchRow

SLICE = 500
# A recurring job may take this long at a time.
A_WHILE_S = 45


def behind() -> int:
    """How many messages wait to be written anew; 1000 stands for more."""
    return _old().count() if not _old()[999:1000].exists() else 1000


def everything_again() -> None:
    """Marks every row as old."""
    SearchRow.objects.update(edition=0)


def adopt() -> int:
    """Gives messages that have no row one, still empty; returns how many rows are old now."""
    findable, params = search.findable().order_by().values("id", "ticket_id").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(ADOPT.format(findable=findable), params)
    return _old().count()


# The text of `findable` is the ORM's own.
ADOPT = """
INSERT INTO tickets_searchrow (message_id, ticket_id, edition, words)
SELECT f.id, f.ticket_id, 0, '' FROM ({findable}) f
WHERE NOT EXISTS (SELECT 1 FROM tickets_searchrow r WHERE r.message_id = f.id)
ON CONFLICT DO NOTHING
"""


def slices() -> Iterator[int]:
    """Writes a slice at a time until nothing is old; yields how many were written."""
    while done := _slice():
        yield done


def for_a_while() -> None:
    """The recurring job: nothing where nothing is old."""
    until = time.monotonic() + A_WHILE_S
    if _old().exists():
        for _done in slices():
            if time.monotonic() > until:
                return


@transaction.atomic
def _slice() -> int:
    rows = _old().order_by("message_id").select_for_update(skip_locked=True, of=("self",))
    ids = list(rows.values_list("message_id", flat=True)[:SLICE])
    messages = list(search.findable().filter(pk__in=ids).select_related("ticket"))
    search.index(messages)
    hidden = set(ids) - {m.pk for m in messages}
    if hidden:
        SearchRow.objects.filter(message__in=hidden).delete()
    return len(ids)


def _old() -> QuerySet[SearchRow]:
    return SearchRow.objects.filter(edition__lt=search.EDITION)
