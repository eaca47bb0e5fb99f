"""`manage.py bench`: the desk measured over real HTTP, with many tickets. `make bench` calls it."""

import json
import os
import platform
import socket
import subprocess
import sys
import time
import urllib.request
from argparse import BooleanOptionalAction
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from helpdesk.accounts.models import User
from helpdesk.bench import (
    assigning,
    aws,
    client,
    freezing,
    health,
    memory,
    pages,
    people,
    place,
    post,
    pushing,
    reckoning,
    report,
    reporting,
    statements,
    streaming,
    sweeping,
    upload,
)
from helpdesk.supervisor import Child
from tickets import actions
from tickets.models import Ticket

# How many messages the long ticket gets beyond its three.
MORE = 27
# Percent of the machine that others may take before the numbers say more about them.
QUIET = 15
# Names of no page: this is measured, and nothing else.
SWEEP, POST, REPORT, COMPUTE, RECOMPUTE, FREEZE = "sweep", "post", "report", "compute", "recompute", "freeze"
AWS, PUSH, HEALTH = "aws", "push", "health"


class Command(BaseCommand):
    help = "Loads many tickets by COPY and measures pages, writes, statements and memory."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tickets", type=int, default=100_000, help="how many tickets (10,000 of them open)")
        parser.add_argument("--fresh", action="store_true", help="load again, even where the database is there")
        parser.add_argument(
            "--only",
            default="",
            help="measure this: a page, sweep, post, report, compute, recompute, aws, push or health; keeps nothing",
        )
        parser.add_argument("--accounts", type=int, default=aws.ACCOUNTS, help="how many AWS accounts are read")
        parser.add_argument("--load-only", action="store_true", help="load and measure nothing")
        parser.add_argument("--memory", action=BooleanOptionalAction, default=True, help="measure memory too")
        parser.add_argument("--explain", action=BooleanOptionalAction, default=True, help="print the queue's plans")

    def handle(
        self,
        *,
        tickets: int,
        accounts: int,
        fresh: bool,
        load_only: bool,
        only: str,
        memory: bool,
        explain: bool,
        **more: Any,
    ) -> None:
        if tickets < 1000:
            raise CommandError("Fewer than 1,000 tickets measure nothing.", returncode=2)
        if not settings.SITE_IS_LOCAL:
            raise CommandError("The bench measures on this machine: leave SITE_URL out.", returncode=2)
        with place.server() as url, place.desk(url, tickets, fresh=fresh, at=timezone.now(), say=self.say):
            if only == SWEEP:
                self.sweep()
            elif only == HEALTH:
                self.health()
            elif only == FREEZE:
                self.freeze()
            elif only == POST:
                self.post()
            elif only == PUSH:
                self.push()
            elif only == AWS:
                self.aws(accounts)
            elif only == REPORT:
                self.report()
            elif only in (COMPUTE, RECOMPUTE):
                self.reckon()
            elif not load_only:
                self.measure(tickets, only, explain=explain and not only)
        if memory and not load_only and not only:
            self.memory()

    def say(self, line: str = "") -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def measure(self, count: int, only: str, *, explain: bool) -> None:
        self.say(f"{count:,} tickets · {place_words()} · {pace_ms():.0f} ms for three million steps of Python")
        if (others := busy()) > QUIET:
            self.say(f"NOISY: other work takes {others:.0f} % of this machine, so what follows is too slow.")
        long_ref = pages.long_ticket()
        lengthen(long_ref)
        walks = [page for page in pages.pages(long_ref) if only in page.name]
        counted = {w.name: (len(statements.of_page(w)), len(statements.of_other(w))) for w in walks}
        bare = statements.bare_ms(statements.queue_statement(""), os.environ["DATABASE_URL"])
        if explain:
            self.explain()
        taken = {t.name: t for t in self.walked(walks)}
        rows = [report.row(w, taken[w.name], *counted[w.name]) for w in walks]
        rows.insert(1, ["the queue's SQL by psycopg alone", f"{bare:.2f}", *[""] * 6])
        self.say("\n" + report.table([report.head(), *rows]))
        self.say(f"\nChoosing among {assigning.MANY} engineers, p50 ms: {assigning.told()}")
        if not only:
            self.sweep()
            self.post()
            self.report()
            self.reckon()
            self.aws(aws.ACCOUNTS)
            self.push()
            self.compare(count, bare, taken, counted)

    def sweep(self) -> None:
        self.say(f"\nFinding due clocks: {sweeping.told()}")

    def report(self) -> None:
        self.say(f"\nA report over {reporting.CLOCKS:,} decided clocks:")
        for line in reporting.told():
            self.say(line)

    def reckon(self) -> None:
        self.say(f"\nReckoning clocks: {reckoning.told()}")

    def health(self) -> None:
        self.say(f"\nAn event of AWS Health that touches {health.CUSTOMERS:,} accounts:")
        for line in health.told():
            self.say(line)
        self.say(streaming.told())

    def freeze(self) -> None:
        self.say(f"\nFreezing a month: {freezing.told()}")

    def post(self) -> None:
        self.say(f"\nLetters by one pulse: {post.measure().told()}")
        writes = [page for page in pages.pages(pages.long_ticket()) if page.name in ("create", "reply")]
        counted = (f"{page.name} {len(statements.of_page(page))}" for page in writes)
        self.say(f"Statements with their letters: {', '.join(counted)}")

    def push(self) -> None:
        self.say("\nWhat AWS pushes:")
        for line in pushing.told():
            self.say(line)

    def aws(self, accounts: int) -> None:
        self.say("\nReading AWS accounts:")
        for line in aws.told(accounts):
            self.say(line)

    def explain(self) -> None:
        for name, query in statements.queue_filters().items():
            self.say(f"\nEXPLAIN of the queue, {name}:")
            for line in statements.explain(statements.queue_statement(query)):
                self.say(f"  {line}")

    def walked(self, walks: list[pages.Page]) -> Iterator[client.Taken]:
        """Each page's measurements, as they come."""
        with web() as port:
            plan = {"port": port, "jobs": [job(w) for w in walks]}
            with subprocess.Popen(
                [sys.executable, "-m", "helpdesk.bench.client"],
                cwd=settings.BASE_DIR,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            ) as other:
                assert other.stdin
                assert other.stdout
                other.stdin.write(json.dumps(plan))
                other.stdin.close()
                for line in other.stdout:
                    taken = client.Taken(**json.loads(line))
                    self.stderr.write(f"{taken.name}: {taken.p50_ms:.1f} ms, {taken.per_s:.0f}/s")
                    yield taken
            if other.returncode:
                raise CommandError("The measuring client failed; the lines above say why.")

    def compare(
        self, count: int, bare: float, taken: dict[str, client.Taken], counted: dict[str, tuple[int, int]]
    ) -> None:
        results = {"the queue's SQL": {"p50_ms": bare}} | {
            name: {"p50_ms": t.p50_ms, "per_s": t.per_s, "statements": counted[name][0]} for name, t in taken.items()
        }
        if ratios := report.ratios(report.kept(settings.DATA_DIR / "bench.json", count, results), count):
            self.say("\n" + ratios)

    def memory(self) -> None:
        found = memory.of_a_desk()
        if found is None:
            self.say("\nMemory: this system does not say what processes share (PSS is Linux's).")
            return
        total = sum(mb for _, mb in found.processes)
        verdict = "ok" if total <= memory.LIMIT_MB else "MISSED"
        rows = [["process", "PSS MB", ""], *([name, f"{mb:.1f}", ""] for name, mb in found.processes)]
        rows.append(["all", f"{total:.0f}", f"<= {memory.LIMIT_MB} MB: {verdict}"])
        self.say("\nMemory of a running desk, after 50 pages:\n" + report.table(rows))
        self.uploads(found.upload)

    def uploads(self, taken: upload.Taken) -> None:
        flat = "flat: ok" if taken.is_flat else "flat: MISSED"
        memory = f"{taken.before:.1f} before, {taken.peak:.1f} at most, {taken.after:.1f} after, {flat}"
        self.say(f"\nA file of 25 MB: {taken.seconds * 1000:.0f} ms; web processes with two at once, PSS MB: {memory}")


def place_words() -> str:
    held = ", ".join(f"{name} {value}" for name, value in place.durability().items())
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {held}"


def busy() -> float:
    """How much of the machine other work takes, in percent, looked at for two seconds."""
    return float(psutil.cpu_percent(2))


def pace_ms() -> float:
    """What a fixed piece of Python takes, the best of five: runs on machines of another pace compare by it."""

    def once() -> float:
        began, total = time.perf_counter(), 0
        for number in range(3_000_000):
            total += number
        return time.perf_counter() - began

    return min(once() for _ in range(5)) * 1000


def lengthen(ref: str) -> None:
    """Makes a ticket long, the way it would become so."""
    engineer = User.objects.get(email=people.ENGINEER)
    for number in range(MORE):
        ticket = Ticket.objects.get(pk=int(ref.removeprefix("HD-")))
        actions.reply(ticket=ticket, body=f"**{number}**", by=engineer, at=timezone.now())


def job(page: pages.Page) -> dict[str, Any]:
    given = pages.cookies(page.viewer)
    form = None
    if page.form is not None:
        form = page.form | {"csrfmiddlewaretoken": given[settings.CSRF_COOKIE_NAME]}
    return {
        "name": page.name,
        "cookie": "; ".join(f"{name}={value}" for name, value in given.items()),
        "paths": page.paths,
        "form": form,
        "expect": page.expect,
    }


@contextmanager
def web() -> Iterator[int]:
    """The web server as `up` runs it, on a free port, with the bench's page beside the desk's."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as door:
        argv = [sys.executable, "-m", "gunicorn", "-c", "python:helpdesk.gunicorn_conf", "-b", f"fd://{door.fileno()}"]
        server = Child("The web server", [*argv, "helpdesk.bench.wsgi"], fds=(door.fileno(),))
        server.start()
        try:
            port = int(door.getsockname()[1])
            answers(port)
            yield port
        finally:
            server.stop()


def answers(port: int) -> None:
    """Waits until the server does; the door itself is open from the start."""
    time.sleep(1)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30) as answer:
        answer.read()
