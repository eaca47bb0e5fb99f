"""`manage.py worker`: jobs and pulse under one roof, with a watchdog for what django-q2 does not notice itself."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from helpdesk import leftovers
from helpdesk.supervisor import TICK, Child, Stop, die_with_parent_from_here_on
from helpdesk.watchdog import Watchdog


class Command(BaseCommand):
    help = "Runs the jobs and the pulse, and starts again what dies or stalls."

    def handle(self, **options: Any) -> None:
        die_with_parent_from_here_on()
        stop = Stop()
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        for group in leftovers.kill(settings.DATA_DIR):
            self._say(f"Ended what an earlier run had left (group {group})")
        manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
        jobs = Child("The jobs", [*manage, "jobs"], patience=20, record=settings.DATA_DIR)
        pulse = Child("The pulse", [*manage, "pulse"], patience=5, record=settings.DATA_DIR)
        watchdog = Watchdog(jobs)
        try:
            for child in (jobs, pulse):
                child.start()
            while not stop.wait(TICK):
                for line in (jobs.tend(), pulse.tend(), watchdog.look()):
                    if line:
                        self._say(line)
        finally:
            for child in (pulse, jobs):
                child.stop()

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
