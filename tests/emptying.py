"""After a test with real commits the tables hold what the migrations wrote, and nothing else.

Django truncates, which makes new files for each of a hundred tables, and has whoever listens for the end of a migration
write its rows anew. Here the rows of a new database are copied aside once, and each such test is followed by one
message to the server: delete, and copy back.
"""

from typing import Any

from django.apps import apps
from django.db import connection
from django.test import TransactionTestCase

ASIDE = "kept_for_tests"


def keep() -> None:
    """Copies what stands in a new database aside, and has it copied back after each test with real commits."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {ASIDE} CASCADE; CREATE SCHEMA {ASIDE}")
        tables = _tables(cursor)
        written = [table for table in tables if _holds_rows(cursor, table)]
        for table in written:
            cursor.execute(f'CREATE TABLE {ASIDE}."{table}" AS TABLE "{table}"')
    statements = [
        # Neither foreign keys nor the triggers that keep history are asked: the order does not matter.
        "SET LOCAL session_replication_role = replica",
        *(f'DELETE FROM "{table}"' for table in tables),
        *(f'INSERT INTO "{table}" SELECT * FROM {ASIDE}."{table}"' for table in written),
    ]
    TransactionTestCase._fixture_teardown = lambda self: _send(statements)  # type: ignore[method-assign]


def _tables(cursor: Any) -> list[str]:
    """Those of every model, the partitioned one that a migration makes among them."""
    there = {table.name for table in connection.introspection.get_table_list(cursor) if table.type == "t"}
    models = apps.get_models(include_auto_created=True)
    return sorted({model._meta.db_table for model in models if not model._meta.proxy} & there)


def _holds_rows(cursor: Any, table: str) -> bool:
    cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}")')
    return bool(cursor.fetchone()[0])


def _send(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(";".join(["BEGIN", *statements, "COMMIT"]))
