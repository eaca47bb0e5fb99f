"""`manage.py sla_drift`: reckons the clocks from the history again and compares them with what is stored."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tickets import drift


class Command(BaseCommand):
    help = "Compares the clocks of open tickets and of the last 90 days with their history. Exit 1 where they differ."

    def handle(self, **options: Any) -> None:
        found = drift.compare(timezone.now(), self._draw)
        if sys.stderr.isatty():
            self.stderr.write("")
        for line in found.drifts:
            self.stdout.write(line)
        counts = f"{found.tickets} tickets compared, {found.waiting} wait for the sweep"
        self.stdout.write(f"{counts}, {len(found.drifts)} differences")
        if found.drifts:
            raise CommandError("The stored clocks are not what the history says.", returncode=1)

    def _draw(self, done: int, count: int) -> None:
        if sys.stderr.isatty():
            self.stderr.write(f"\r{done} of {count} tickets", ending="")
