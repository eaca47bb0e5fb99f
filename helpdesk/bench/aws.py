"""How fast many AWS accounts are read: the simulator in a process of its own behind AWS's distance, workers as
django-q2 has them, and cases that were read before, some of which have something new.

The first round finds what is new; the second finds nothing and may write no row of a case.
"""

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.db import connection
from django.utils import timezone

ACCOUNTS, CASES, LATENCY_S, WORKERS = 5_000, 5, 0.15, 2
# Of so many cases one has something new.
ONE_IN = 500
MOST_S, MOST_MB = 240, 600
GUARD_S = 900
# The simulator's own hub.
HUB = "123456789012"
# What a round may write of cases, and what it leaves: children first.
OF_CASES = [
    "awsint_change",
    "awsint_casefile",
    "awsint_communication",
    "awsint_supportcase",
]
LEFT = [
    *(
        "awsint_change",
        "awsint_casefile",
        "awsint_communicationversion",
        "awsint_communication",
        "awsint_caselink",
    ),
    *(
        "awsint_supportcase",
        "awsint_poll",
        "awsint_account",
        "awsint_hub",
        "awsint_round",
        "awsint_calllog",
    ),
]
WRITTEN = "SELECT count(*) FROM {table} WHERE xmin::text::bigint >= %s"


@dataclass(frozen=True)
class Round:
    """Accounts read and changes found in so many seconds; the workers' processor time, their PSS at its highest, and
    rows of cases that were written."""

    read: int
    changed: int
    seconds: float
    busy: float
    mb: float
    rows: int


def told(accounts: int = ACCOUNTS) -> Iterator[str]:
    """The measurement, a line a round, each with its verdict."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _world(accounts, Path(folder) / "cases") as url,
    ):
        try:
            _load(accounts, Path(folder) / "cases", timezone.now())
            found = _news(url, accounts)
            first = _round(url)
            yield _line(f"{found} new words", first, accounts, first.changed >= found)
            second = _round(url)
            yield _line("nothing new", second, accounts, second.rows == 0)
        finally:
            forget()


def _line(what: str, took: Round, accounts: int, good: bool) -> str:
    speed = "ok" if took.seconds < MOST_S and took.read == accounts else "MISSED"
    memory = "ok" if took.mb < MOST_MB else "MISSED"
    return (
        f"{accounts:,} accounts x {CASES} cases at {LATENCY_S * 1000:.0f} ms, {what}: {took.read:,} read in "
        f"{took.seconds:.0f} s, {took.read / took.seconds:.0f}/s (< {MOST_S} s: {speed}; "
        f"{took.busy / max(took.read, 1) * 1000:.1f} ms of a processor each), {took.mb:.0f} MB PSS in "
        f"{WORKERS} workers (< {MOST_MB} MB: {memory}), {took.changed} changes, {took.rows} rows of cases: "
        f"{'ok' if good else 'MISSED'}"
    )


@contextmanager
def _world(accounts: int, file: Path) -> Iterator[str]:
    command = [
        sys.executable,
        "-m",
        "helpdesk.bench.aws_world",
        str(accounts),
        str(CASES),
        str(LATENCY_S),
        str(file),
    ]
    with subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdin
        assert other.stdout
        yield other.stdout.readline().strip()
        other.stdin.close()


# --- What was read before --------------------------------------------------------------------------------------------


def _load(accounts: int, file: Path, at: datetime) -> None:
    from awsint.models import Account, Hub, Poll
    from helpdesk.accounts.models import Customer
    from helpdesk.bench.aws_world import external_id_of, number_of

    forget()
    hub = f"arn:aws:iam::{HUB}:role/hub"
    Hub.objects.create(
        partition="aws",
        account_number=HUB,
        region="us-east-1",
        principal_arn=hub,
        created_at=at,
    )
    customers = list(Customer.objects.active().values_list("pk", flat=True)[:500])
    rows = Account.objects.bulk_create(
        (
            Account(
                customer_id=customers[place % len(customers)],
                number=number_of(place),
                name=f"bench {place}",
                role_arn=f"arn:aws:iam::{number_of(place)}:role/PartnerSupportSync",
                external_id=external_id_of(place),
                proved_at=at,
                created_at=at,
            )
            for place in range(accounts)
        ),
        batch_size=1000,
    )
    Poll.objects.bulk_create(
        (Poll(account=row, next_at=at, first_at=at, whole_at=at, state="OK") for row in rows),
        batch_size=1000,
    )
    with file.open() as lines:
        while some := [json.loads(line) for line in islice(lines, 1000)]:
            _load_cases(rows, some, at)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(LEFT)}")


def _load_cases(accounts: list[Any], told: list[dict[str, Any]], at: datetime) -> None:
    from awsint.models import Communication, SupportCase
    from awsint.sim.support import text_of

    def instant(text: str) -> tuple[str, datetime]:
        found = datetime.fromisoformat(text)
        return text_of(found), found

    cases = SupportCase.objects.bulk_create(
        SupportCase(
            account=accounts[one["account"]],
            case_id=one["case"],
            display_id=one["display"],
            **{
                name: one[name]
                for name in (
                    "subject",
                    "status",
                    "service",
                    "category",
                    "severity",
                    "language",
                )
            },
            submitted_by=one["by"],
            created_text=instant(one["at"])[0],
            created_at=instant(one["at"])[1],
            said_at=instant(one["words"][-1]["at"])[1],
            detected_at=at,
            status_at=at,
        )
        for one in told
    )
    Communication.objects.bulk_create(
        Communication(
            case=case,
            created_text=instant(word["at"])[0],
            created_at=instant(word["at"])[1],
            submitted_by=word["by"],
            detected_at=at,
            via="first",
            by_aws=word["by"] == "Amazon Web Services",
            body=word["body"],
            sha256=hashlib.sha256(word["body"].encode()).hexdigest(),
        )
        for case, one in zip(cases, told, strict=True)
        for word in one["words"]
    )


def forget() -> None:
    """Nothing of AWS stays."""
    with connection.cursor() as cursor:
        for table in LEFT:
            cursor.execute(f"DELETE FROM {table}")


# --- A round ---------------------------------------------------------------------------------------------------------


def _news(url: str, accounts: int) -> int:
    """AWS says something on a few of the cases; returns on how many."""
    from awsint.models import SupportCase

    few = SupportCase.objects.order_by("pk").values_list("account__number", "case_id")[::ONE_IN]
    for account, case in few:
        _steer(
            url,
            "answer",
            {"account": account, "case": case, "body": "We found the reason."},
        )
    return len(few)


def _steer(url: str, what: str, given: dict[str, Any]) -> None:
    body = json.dumps(given).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{url}/_sim/{what}", body), timeout=30) as answer:
        answer.read()


def _round(url: str) -> Round:
    from awsint.models import Poll
    from awsint.models import Round as Heart

    Poll.objects.update(next_at=timezone.now())
    Heart.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT txid_current()")
        (since,) = cursor.fetchone()
    began, cpu = time.monotonic(), _cpu()
    mb = _work(url)
    seconds, busy = time.monotonic() - began, _cpu() - cpu
    hearts = list(Heart.objects.all())
    return Round(
        sum(h.read for h in hearts),
        sum(h.changed for h in hearts),
        seconds,
        busy,
        mb,
        _rows(since),
    )


def _cpu() -> float:
    """Of the children that have ended: the workers."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _rows(since: int) -> int:
    found = 0
    with connection.cursor() as cursor:
        for table in OF_CASES:
            cursor.execute(WRITTEN.format(table=table), [since])
            found += cursor.fetchone()[0]
    return found


def _work(url: str) -> float:
    """Has the workers read all there is; returns their PSS together at its highest, in MB."""
    given = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "AKIAHUB",
        "AWS_SECRET_ACCESS_KEY": "none",
    }
    command = [sys.executable, "-m", "helpdesk.bench.aws"]
    workers = [subprocess.Popen(command, cwd=settings.BASE_DIR, env=os.environ | given) for _worker in range(WORKERS)]
    most, until = 0.0, time.monotonic() + GUARD_S
    try:
        while any(worker.poll() is None for worker in workers) and time.monotonic() < until:
            most = max(most, sum(_pss(worker) for worker in workers))
            time.sleep(2)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    return most


def _pss(worker: subprocess.Popen[bytes]) -> float:
    try:
        return float(psutil.Process(worker.pid).memory_full_info().pss / 2**20)
    except (psutil.Error, AttributeError):
        return 0.0


def work() -> None:
    """A worker: bites as django-q2 gives them, until nothing is due."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    django.setup()
    from awsint import polling

    while polling.bite(timezone.now):
        pass


if __name__ == "__main__":
    work()
