"""What a page asks of the database: how many statements, and how PostgreSQL answers the queue's."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import psycopg
from django.db import connection

from helpdesk.bench import people
from helpdesk.bench.pages import Page, inside
from helpdesk.kept import fetched
from tickets.models import Ticket

Statement = tuple[str, Any]
BARE_RUNS = 300
FAR = 4000


@contextmanager
def watched() -> Iterator[list[Statement]]:
    """Every statement of the block, with its parameters."""
    seen: list[Statement] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield seen


def of_page(page: Page) -> list[Statement]:
    """The statements of a warm request; what a process asks once is not counted."""
    return _asked(page.viewer, page.paths[-1], page.form, page.expect)


def of_other(page: Page) -> list[Statement]:
    """The same page with another number of rows."""
    return _asked(*page.other, page.form, page.expect) if page.other else []


def _asked(viewer: str, path: str, form: dict[str, str] | None, expect: int) -> list[Statement]:
    with inside(viewer) as desk:
        desk.ask(path, form)
        with watched() as seen:
            answer = desk.ask(path, form)
    if answer.status_code != expect:
        raise RuntimeError(f"{path} answered {answer.status_code} instead of {expect}")
    return seen


def queue_filters() -> dict[str, str]:
    """The queue's addresses whose plans are shown."""
    busy = Ticket.objects.open().filter(customer__memberships__user__email=people.BIG_ADMIN).first()
    customer = busy.customer_id if busy else ""
    one = {
        "status": "status=in_progress",
        "priority": "priority=high",
        "customer": f"customer={customer}",
        "assignee": "assignee=me",
    }
    return {"no filter": "", **one, "all together": "&".join(one.values()), "a page far below": _far_below()}


def _far_below() -> str:
    ticket = Ticket.objects.open().order_by("queue_at", "id")[FAR]
    return urlencode({"after": f"{ticket.queue_at.isoformat()},{ticket.pk}"})


def queue_statement(query: str) -> Statement:
    """The statement that finds the queue's rows, as the page itself asks it."""
    found = [s for s in _asked(people.ENGINEER, f"/tickets/?{query}", None, 200) if _finds_rows(s[0])]
    if len(found) != 1:
        raise RuntimeError(f"{len(found)} statements look like the queue's")
    return found[0]


def _finds_rows(sql: str) -> bool:
    return sql.startswith("SELECT") and 'FROM "tickets_ticket"' in sql and sql.rstrip().endswith("LIMIT 26")


def explain(statement: Statement) -> list[str]:
    """PostgreSQL's own account of a second run."""
    sql, params = statement
    explained = f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {sql}"
    if _by_place(sql):
        fetched(sql, params)
        return [line for (line,) in fetched(explained, params)]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        cursor.execute(explained, params)
        return [line for (line,) in cursor.fetchall()]


def _by_place(sql: str) -> bool:
    """Whether it was asked as kept.py asks, with $1 for its first value."""
    return "$1" in sql


def bare_ms(statement: Statement, url: str) -> float:
    """p50 of the same statement by psycopg alone, rows fetched."""
    sql, params = statement
    times = []
    way = psycopg.RawCursor if _by_place(sql) else psycopg.ClientCursor
    with psycopg.connect(url, autocommit=True, cursor_factory=way) as bare:
        for _ in range(BARE_RUNS):
            begun = time.perf_counter()
            bare.execute(sql, params).fetchall()
            times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times)
