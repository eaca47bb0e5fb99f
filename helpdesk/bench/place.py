"""Where the bench stands: a PostgreSQL, one database per number of tickets, and this process pointed at it.

The database is kept and used again. A comment on it says what was loaded and up to which ids, so that what an earlier
run wrote is taken out before the next one measures.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection
from psycopg import sql

from helpdesk import embedded
from helpdesk.bench import load
from tickets.loads import reconcile

# Raised when the loader writes something else than before.
EDITION = 5
# What a run writes, in an order that foreign keys allow; ids up to the loaded ones stay.
WRITTEN = ["tickets_message", "audit_entry", "sla_clock", "tickets_ticket"]
ALL_OF = [
    "audit_origin",
    "awsint_outgoing",
    "outbox_bouncer",
    "outbox_word",
    "outbox_letter",
    "accounts_once",
    "django_session",
]


@contextmanager
def server() -> Iterator[str]:
    """The address of the PostgreSQL to measure on: the given one, else our own with the settings `up` uses."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    data = settings.DATA_DIR / "bench"
    try:
        with embedded.running(data) as own:
            yield own.url
    except embedded.Unavailable as error:
        raise CommandError(str(error), returncode=2) from error


@contextmanager
def desk(server_url: str, count: int, *, fresh: bool, at: datetime, say: Any) -> Iterator[dict[str, Any]]:
    """A loaded database of `count` tickets; this process and those it starts speak to it. Yields its marker."""
    name = f"helpdesk_bench_{count}"
    with psycopg.connect(server_url, autocommit=True) as maintenance:
        marker = None if fresh else _marker(maintenance, name)
        if marker is None:
            _recreate(maintenance, name)
    with pointed_at(urlsplit(server_url)._replace(path=f"/{name}").geturl()):
        if marker is None:
            say(f"Loading {count:,} tickets into {name}.")
        # A kept one is of the release that loaded it: without the newest columns and indexes it would measure those.
        _prepare()
        if marker is None:
            marker = _load(name, count, at)
        else:
            say(f"Using {name} as it was loaded on {marker['at'][:16]} (--fresh loads it again).")
            tidy(marker)
        yield marker


def _marker(maintenance: psycopg.Connection[Any], name: str) -> dict[str, Any] | None:
    asked = maintenance.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
    )
    row = asked.fetchone()
    known: dict[str, Any] = json.loads(row[0]) if row and row[0] else {}
    return known if known.get("edition") == EDITION else None


def _recreate(maintenance: psycopg.Connection[Any], name: str) -> None:
    maintenance.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    maintenance.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


@contextmanager
def pointed_at(url: str) -> Iterator[None]:
    """Django here, and every process started from here, uses this database for the length of the block."""
    before, given = dict(connection.settings_dict), os.environ.get("DATABASE_URL")
    connection.close()
    parts = urlsplit(url)
    connection.settings_dict.update(
        NAME=parts.path.lstrip("/"),
        USER=parts.username or "",
        PASSWORD=parts.password or "",
        HOST=parts.hostname or "",
        PORT=str(parts.port or ""),
    )
    # Loading takes longer than any page may.
    connection.settings_dict["OPTIONS"] = {**before["OPTIONS"], "options": "-c statement_timeout=0"}
    os.environ["DATABASE_URL"] = url
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)
        if given is None:
            del os.environ["DATABASE_URL"]
        else:
            os.environ["DATABASE_URL"] = given


def _prepare() -> None:
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "prepare"]
    if subprocess.run(command, env=os.environ | {"DEMO": "none"}).returncode:
        raise CommandError("The database could not be prepared; the lines above say why.")


def _load(name: str, count: int, at: datetime) -> dict[str, Any]:
    last = load.load(count, at=at, progress=load.bar(sys.stderr.write))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")
        marker = {"edition": EDITION, "tickets": count, "at": at.isoformat(), "last": vars(last)}
        # The name is ours, and what the comment says is made of numbers.
        cursor.execute(f"COMMENT ON DATABASE {name} IS '{json.dumps(marker)}'")
    return marker


def tidy(marker: dict[str, Any]) -> None:
    """Takes out what earlier runs wrote. History that was only measured with is no history."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM tickets_searchrow WHERE message_id > %s", [marker["last"]["tickets_message"]])
        cursor.execute("ALTER TABLE tickets_assignmentdecision DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM tickets_assignmentdecision")
        cursor.execute("ALTER TABLE tickets_assignmentdecision ENABLE TRIGGER USER")
        for table in ("sla_warning", "sla_breach"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(f"DELETE FROM {table}")
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        for table in WRITTEN:
            cursor.execute(f"DELETE FROM {table} WHERE id > %s", [marker["last"][table]])
        cursor.execute(f"TRUNCATE {', '.join(ALL_OF)}")
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")
        cursor.execute("VACUUM (ANALYZE)")
    reconcile()


def durability() -> dict[str, str]:
    """What a commit waits for on this server."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, current_setting(name) FROM pg_settings WHERE name IN ('server_version', 'fsync', 'synchronous_commit', "
            "'full_page_writes', 'shared_buffers') ORDER BY name"
        )
        return dict(cursor.fetchall())
