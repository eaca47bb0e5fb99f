"""A connection that is kept from one request to the next is looked at before it is used again.

Django asks the server `SELECT 1`, on every page. A server that went away has closed its end, which the socket tells by
itself: it has something to read where nothing was asked. Then Django's way says whether that is the end. A connection
that a network swallowed without a word is found by the statement that fails, and the page says that the database is
away (middleware.DatabaseAway), as it does where the server goes away a moment later.
"""

import select
from typing import Any

from django.db.backends.postgresql import base, operations


class DatabaseOperations(operations.DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: str, params: Any) -> str:
        # The cursor keeps no text of what was prepared before.
        return super().last_executed_query(cursor, sql, params) or sql


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations

    def is_usable(self) -> bool:
        if self.connection is None or self.connection.closed:
            return False
        return not _tells_something(self.connection.fileno()) or super().is_usable()


def _tells_something(socket: int) -> bool:
    waiting = select.poll()
    waiting.register(socket, select.POLLIN)
    return bool(waiting.poll(0))
