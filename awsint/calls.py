"""The call log: every call to AWS, a statement for each reading; a partition a day, 35 days, and hours kept for good.

Tomorrow's partition is made each night, so that a day's calls can be dropped at once; a call of a day without one goes
to the default partition and is moved when the day gets its own.
"""

from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max

from awsint.models import CallHour, CallLog
from awsint.shapes import Calls

KEPT = timedelta(days=35)
AHEAD = 2
TABLE = "awsint_calllog"


def store(made: Calls) -> None:
    """Writes what was called and forgets it. One statement, none where nothing was."""
    rows, made.made = made.made, []
    CallLog.objects.bulk_create(
        CallLog(
            at=call.at,
            account_number=call.account,
            partition=call.partition,
            service=call.service,
            operation=call.operation,
            result=call.result,
            ms=call.ms,
            attempts=call.attempts,
            request_id=call.request_id,
        )
        for call in rows
    )


def keep(at: datetime) -> None:
    """The nightly work: days to come get their partitions, hours that are over are counted, old days are dropped."""
    today = at.astimezone(UTC).date()
    for ahead in range(AHEAD + 1):
        _partition(today + timedelta(days=ahead))
    count(_counted(today), today)
    drop(today - KEPT)


@transaction.atomic
def _partition(day: date) -> None:
    name, until = _name(day), day + timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone() != (None,):
            return
        # A call of that day that came in between would be in the way.
        cursor.execute(f"LOCK TABLE {TABLE}_rest IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"CREATE TABLE {name} (LIKE {TABLE} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        # What came before its day had a partition.
        cursor.execute(
            f"WITH gone AS (DELETE FROM {TABLE}_rest WHERE at >= %s AND at < %s RETURNING *) "
            f"INSERT INTO {name} SELECT * FROM gone",
            [_start(day), _start(until)],
        )
        cursor.execute(
            f"ALTER TABLE {TABLE} ATTACH PARTITION {name} FOR VALUES FROM (%s) TO (%s)", [_start(day), _start(until)]
        )


def _name(day: date) -> str:
    return f"{TABLE}_{day:%Y%m%d}"


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


COUNT = f"""
INSERT INTO awsint_callhour (hour, account_number, service, operation, calls, failed, ms)
SELECT date_trunc('hour', at, 'UTC'), account_number, service, operation,
    count(*), count(*) FILTER (WHERE result NOT IN ('ok', 'DryRunOperationException')), sum(ms)
FROM {TABLE} WHERE at >= %s AND at < %s GROUP BY 1, 2, 3, 4
ON CONFLICT (hour, account_number, service, operation)
DO UPDATE SET calls = excluded.calls, failed = excluded.failed, ms = excluded.ms
"""


def count(begin: date, end: date) -> None:
    """Counts the hours of these days, again where they were counted before. One statement."""
    count_between(_start(begin), _start(end))


def count_lately(at: datetime) -> None:
    """Counts this hour so far and the one before it, so that the day's picture needs no calls. One statement."""
    hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    count_between(hour - timedelta(hours=1), hour + timedelta(hours=1))


def count_between(begin: datetime, end: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [begin, end])


def _counted(today: date) -> date:
    """The first day to count: the last one counted again, so that a night that was missed is made up for."""
    newest = CallHour.objects.filter(hour__lt=_start(today)).aggregate(newest=Max("hour"))["newest"]
    last: date = newest.astimezone(UTC).date() if newest else today - KEPT
    return max(min(last, today - timedelta(days=1)), today - KEPT)


def drop(before: date) -> list[str]:
    """Drops the days before this one; returns the names of their partitions."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [TABLE])
        names = [name for (name,) in cursor.fetchall() if name[-8:].isdecimal() and name < _name(before)]
        for name in names:
            cursor.execute(f"DROP TABLE {name}")
        cursor.execute(f"DELETE FROM {TABLE}_rest WHERE at < %s", [_start(before)])
    return names
