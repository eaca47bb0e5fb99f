"""`manage.py seed_demo`: a desk to try, with people, companies and ninety days of tickets. Never beside real ones."""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from helpdesk.accounts import demo as people
from oncall import demo as work
from tickets import demo
from tickets.models import Ticket


class Command(BaseCommand):
    help = (
        "Makes the demo: companies, people and 90 days of tickets, by the desk's real actions; prints the logins and "
        "keeps them in a file only you can read. To remove it, drop the database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--people", action="store_true", help="people and companies only")
        parser.add_argument("--days", type=int, default=demo.DAYS, help="how many days before today (90)")
        parser.add_argument("--write", default=str(settings.DATA_DIR / "demo.json"), help="where the logins are kept")

    def handle(self, *, write: str, people: bool, days: int, **options: Any) -> None:
        if not 0 <= days <= 400:
            raise CommandError("--days is a number from 0 to 400.", returncode=2)
        path = Path(write)
        logins = known_logins(path)
        refuse_beside_real_ones(bool(logins))
        logins = logins or seed_people(path)
        if not people and not Ticket.objects.exists():
            self.live(days)
        for login in logins:
            self.stdout.write(f"{login['role']:<9} {login['email']:<30} {login['password']}")

    def live(self, days: int) -> None:
        begun = time.monotonic()
        drawn = -1

        def progress(done: int, count: int) -> None:
            nonlocal drawn
            day = done * days // count
            if day != drawn:
                drawn = day
                self.draw(day, days)

        count = demo.seed(at=timezone.now(), days=days, progress=progress)
        self.stderr.write(f"\n{count} tickets in {time.monotonic() - begun:.0f} s.")

    def draw(self, day: int, days: int) -> None:
        """How far the days are lived: a bar where somebody watches, else a line every ten days."""
        if sys.stderr.isatty():
            filled = 30 * day // max(days, 1)
            self.stderr.write(f"\r[{'#' * filled}{'.' * (30 - filled)}] day {day} of {days} ", ending="")
        elif day % 10 == 0:
            self.stderr.write(f"day {day} of {days}")


def refuse_beside_real_ones(known: bool) -> None:
    if people.strangers():
        raise CommandError("There are real people here already: the demo would stand among them.", returncode=2)
    if not known and Ticket.objects.exists():
        raise CommandError("There are tickets here already: the demo would stand among them.", returncode=2)


def known_logins(path: Path) -> list[dict[str, str]]:
    """The logins of the first seeding, if everybody of it is there."""
    try:
        logins: list[dict[str, str]] = json.loads(path.read_text())
    except (OSError, ValueError):
        return []
    return logins if people.complete() else []


def seed_people(path: Path) -> list[dict[str, str]]:
    """Seeds and keeps the passwords; if they cannot be kept nobody is made."""
    with transaction.atomic():
        # They have been here since before the first ticket.
        at = timezone.now() - demo.SINCE
        logins = [asdict(login) for login in people.seed(at=at)]
        work.seed(at=timezone.now(), since=at)
        keep(path, logins)
    return logins


def keep(path: Path, logins: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.fresh")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(logins, ensure_ascii=False, indent=1))
    fresh.replace(path)
