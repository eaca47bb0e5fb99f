"""`manage.py audit_verify`: whether the history is what it was when it was sealed."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk.audit import seal


class Command(BaseCommand):
    help = "Checks the chain of seals over the history and names every entry that was changed, deleted or inserted."

    def handle(self, **options: Any) -> None:
        found = seal.verify(self._draw)
        if sys.stderr.isatty():
            self.stderr.write("")
        for problem in found.problems:
            self.stdout.write(problem)
        self.stdout.write(
            f"{found.seals} seals over {found.rows} entries, {found.unsealed} not sealed yet, "
            f"{len(found.problems)} problems"
        )
        if found.problems:
            raise CommandError("The history is not what was sealed.", returncode=1)

    def _draw(self, rows: int) -> None:
        if sys.stderr.isatty():
            self.stderr.write(f"\r{rows:,} entries", ending="")
