"""`manage.py seed_demo`: companies and people to try the desk with. Never beside real people."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from helpdesk.accounts import demo
from oncall import demo as work


class Command(BaseCommand):
    help = "Makes the demo companies and people; prints their passwords and writes them to a file only you can read."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--people", action="store_true", help="people and companies (what is always made)")
        parser.add_argument("--write", default=str(settings.DATA_DIR / "demo.json"), help="where the logins are kept")

    def handle(self, *, write: str, **options: Any) -> None:
        path = Path(write)
        if demo.strangers():
            raise CommandError("There are real people here already: the demo would stand among them.", returncode=2)
        logins = known_logins(path) or seed(path)
        for login in logins:
            self.stdout.write(f"{login['role']:<9} {login['email']:<30} {login['password']}")


def known_logins(path: Path) -> list[dict[str, str]]:
    """The logins of the first seeding, if everybody of it is there."""
    try:
        logins: list[dict[str, str]] = json.loads(path.read_text())
    except (OSError, ValueError):
        return []
    return logins if demo.complete() else []


def seed(path: Path) -> list[dict[str, str]]:
    """Seeds and keeps the passwords; if they cannot be kept nobody is made."""
    with transaction.atomic():
        at = timezone.now()
        logins = [asdict(login) for login in demo.seed(at=at)]
        work.seed(at=at)
        keep(path, logins)
    return logins


def keep(path: Path, logins: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.fresh")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(logins, ensure_ascii=False, indent=1))
    fresh.replace(path)
