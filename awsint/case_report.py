"""/aws/cases/report: how long AWS took, and how long we took on the tickets of the same cases.

AWS's first answer is the first word that a person of AWS wrote, by AWS's clock; automatic ones are none. AWS gives no
time of closing: it is when we saw the status, and for what was resolved before we looked, its last word. Ours are the
response and resolution clocks of each case's newest ticket, from filing to the answer, pauses included, so that the two
sides measure the same. One statement a table; its last row is over all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from awsint.models import Account
from helpdesk.accounts.masking import aws_name, customer_names, masks
from helpdesk.accounts.models import User
from helpdesk.sheets import Sheet

USUAL = timedelta(days=90)
# By what the cases are told apart: the column, and what a row is called.
TABLES = {
    "customer": _l("Customer"),
    "account": _l("Account"),
    "service": _l("Service"),
    "severity": _l("AWS severity"),
}
KEYS = {
    "customer": "a.customer_id::text",
    "account": "a.id::text",
    "service": "c.service",
    "severity": "c.severity",
}
NAMES = {"customer": "max(cu.name)", "account": "max(a.name)", "service": "''", "severity": "''"}
MEASURES = ("aws_first", "our_first", "aws_close", "our_close")
MOST_ROWS = 500

READ = """
SELECT {key}, {name}, count(*), grouping({key}), {spans}
FROM awsint_supportcase c
JOIN awsint_account a ON a.id = c.account_id JOIN accounts_customer cu ON cu.id = a.customer_id
LEFT JOIN LATERAL (SELECT extract(epoch FROM min(w.created_at) - c.created_at) AS aws_first
    FROM awsint_communication w WHERE w.case_id = c.id AND w.by_aws AND NOT w.automatic) f ON true
LEFT JOIN LATERAL (SELECT extract(epoch FROM CASE WHEN c.archived THEN c.said_at ELSE c.status_at END - c.created_at)
    AS aws_close WHERE c.status = 'resolved') e ON true
LEFT JOIN LATERAL (SELECT 'HD-' || l.ticket_id AS ref FROM awsint_caselink l WHERE l.case_id = c.id
    ORDER BY l.id DESC LIMIT 1) t ON true
LEFT JOIN LATERAL (SELECT
    max(extract(epoch FROM k.completed_at - k.started_at)) FILTER (WHERE k.kind = 'response') AS our_first,
    max(extract(epoch FROM k.completed_at - k.started_at)) FILTER (WHERE k.kind = 'resolution') AS our_close
    FROM sla_clock k WHERE k.subject = t.ref AND k.kind IN ('response', 'resolution')) o ON true
WHERE c.created_at >= %(start)s AND c.created_at < %(end)s AND a.id IN ({seen})
GROUP BY GROUPING SETS (({key}), ()) ORDER BY grouping({key}), count(*) DESC, {key} LIMIT %(most)s
"""
SPANS = ", ".join(
    f"count({one}), percentile_cont(0.5) WITHIN GROUP (ORDER BY {one}), "
    f"percentile_cont(0.9) WITHIN GROUP (ORDER BY {one})"
    for one in MEASURES
)


@dataclass(frozen=True)
class Asked:
    """The days of the period, both included, in the reader's zone, and its two instants."""

    first: date
    last: date
    start: datetime
    end: datetime

    @classmethod
    def read(cls, get: Mapping[str, str], zone: str, at: datetime) -> "Asked":
        today = at.astimezone(ZoneInfo(zone)).date()
        last = _day(get.get("to", "")) or today
        first = _day(get.get("from", "")) or last - USUAL
        first, last = min(first, last), max(first, last)
        return cls(first, last, _midnight(first, zone), _midnight(last + timedelta(days=1), zone))

    @property
    def query(self) -> str:
        return f"?from={self.first.isoformat()}&to={self.last.isoformat()}"


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year < 2200 else None


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


@dataclass(frozen=True)
class Span:
    """Seconds within which half of them, and nine of ten, happened; over how many. None where it never did."""

    count: int
    half: float | None
    most: float | None


@dataclass(frozen=True)
class Row:
    name: str
    count: int
    aws_first: Span
    our_first: Span
    aws_close: Span
    our_close: Span


@dataclass(frozen=True)
class Table:
    code: str
    title: Any
    rows: list[Row]
    total: Row | None


def tables(user: User, wish: Asked) -> list[Table]:
    return [table(user, wish, code) for code in TABLES]


def table(user: User, wish: Asked, code: str) -> Table:
    """One statement; one more for an auditor, to whom customers are numbers."""
    seen, params = Account.objects.visible_to(user).order_by().values("pk").query.sql_with_params()
    # Which columns is ours to say, and who may see them is Django's own SQL with its parameters beside it.
    sql = READ.format(key=KEYS[code], name=NAMES[code], spans=SPANS, seen=seen.replace("%s", "%%s"))
    given: dict[str, Any] = {"start": wish.start, "end": wish.end, "most": MOST_ROWS + 1}
    with connection.cursor() as cursor:
        cursor.execute(_numbered(sql, params, given), given)
        found = cursor.fetchall()
    names = _names(user, code, [(key, name) for key, name, _count, over, *_rest in found if not over])
    rows = [_row(names[key], count, spans) for key, _name, count, over, *spans in found if not over]
    totals = [_row(_("All"), count, spans) for _key, _name, count, over, *spans in found if over]
    total = totals[0] if totals and totals[0].count else None
    return Table(code, TABLES[code], rows, total)


def _numbered(sql: str, params: tuple[Any, ...], given: dict[str, Any]) -> str:
    """The statement with the parameters of its inner part by name, as the outer part has its own."""
    for place, value in enumerate(params):
        given[f"seen{place}"] = value
        sql = sql.replace("%%s", f"%(seen{place})s", 1)
    return sql


def _row(name: str, count: int, spans: list[Any]) -> Row:
    return Row(name, count, *(Span(*spans[place : place + 3]) for place in range(0, 12, 3)))


def _names(user: User, code: str, found: list[tuple[str, str]]) -> dict[str, str]:
    if code == "customer" and masks(user):
        called = customer_names(user, [UUID(key) for key, _name in found])
        return {key: called.get(UUID(key), "") for key, _name in found}
    if code == "account":
        return {key: aws_name(user, int(key), name) for key, name in found}
    return {key: name or key or "—" for key, name in found}


# --- As a file -------------------------------------------------------------------------------------------------------


def sheets(user: User, wish: Asked) -> list[Sheet]:
    """The tables, with seconds in their cells."""
    words = [_("AWS, first answer"), _("We, first answer"), _("AWS, closed"), _("We, resolved")]
    told = [_("%(what)s: number"), _("%(what)s: half within, s"), _("%(what)s: nine of ten within, s")]
    head = [each % {"what": what} for what in words for each in told]
    return [
        Sheet(
            str(one.title), [str(one.title), _("Cases"), *head], [_cells(row) for row in [*one.rows, one.total] if row]
        )
        for one in tables(user, wish)
    ]


def _cells(row: Row) -> list[Any]:
    spans = [row.aws_first, row.our_first, row.aws_close, row.our_close]
    return [
        row.name,
        row.count,
        *(cell for span in spans for cell in (span.count, _whole(span.half), _whole(span.most))),
    ]


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)
