"""Django's PostgreSQL with two things done quicker: instants, and the look at a connection before it is used again.

A page reads some two hundred instants. The driver takes each to pieces by a regular expression and puts it together in
three steps; Python reads the same text by itself, in C. The server writes them in UTC, for Django sets each
connection's zone so.

Django asks the server `SELECT 1`, on every page. A server that went away has closed its end, which the socket tells by
itself: it has something to read where nothing was asked. Then Django's way says whether that is the end. A connection
that a network swallowed without a word is found by the statement that fails, and the page says that the database is
away (middleware.DatabaseAway), as it does where the server goes away a moment later.
"""

import select
from datetime import UTC, datetime
from typing import Any

from django.db.backends.postgresql import base, operations
from psycopg.types.datetime import TimestamptzLoader


class Instants(TimestamptzLoader):
    """`timezone` is what Django compares with the connection's own: where they differ it takes its own loader."""

    timezone = UTC

    def load(self, data: Any) -> datetime:
        try:
            found = datetime.fromisoformat(str(data, "ascii"))
        except ValueError:
            # Before our era or after the year 9999: the driver knows what to say.
            return super().load(data)
        return found if found.tzinfo is UTC else found.astimezone(UTC)


class DatabaseOperations(operations.DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: str, params: Any) -> str:
        # The cursor keeps no text of what was prepared before.
        return super().last_executed_query(cursor, sql, params) or sql


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        connection.adapters.register_loader("timestamptz", Instants)
        return connection

    def is_usable(self) -> bool:
        if self.connection is None or self.connection.closed:
            return False
        return not _tells_something(self.connection.fileno()) or super().is_usable()


def _tells_something(socket: int) -> bool:
    waiting = select.poll()
    waiting.register(socket, select.POLLIN)
    return bool(waiting.poll(0))
