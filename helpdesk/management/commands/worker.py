"""`manage.py worker`: jobs and pulse under one roof, with a watchdog for what django-q2 does not notice itself.

What has work only where something is set up (schedule.SOMETIMES) is started once it has, and stopped when it has none.
"""

import logging
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError, connection
from django.utils.module_loading import import_string

from helpdesk import leftovers
from helpdesk.schedule import SOMETIMES
from helpdesk.supervisor import TICK, Child, Stop, die_with_parent_from_here_on
from helpdesk.watchdog import Watchdog

log = logging.getLogger(__name__)
ASK_EVERY_S = 10


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
        others = [
            Sometimes(Child(name, [*manage, command], patience=5, record=settings.DATA_DIR), wanted)
            for name, command, wanted in SOMETIMES
        ]
        try:
            for child in (jobs, pulse):
                child.start()
            while not stop.wait(TICK):
                for line in (jobs.tend(), pulse.tend(), watchdog.look(), *(other.tend() for other in others)):
                    if line:
                        self._say(line)
        finally:
            for child in (*(other.child for other in others), pulse, jobs):
                child.stop()

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


class Sometimes:
    """A child that runs while it is wanted; `wanted` is the dotted name of a function that says so."""

    def __init__(self, child: Child, wanted: str) -> None:
        self.child, self.wanted, self.next_look = child, wanted, 0.0

    def tend(self) -> str | None:
        if time.monotonic() >= self.next_look:
            self.next_look = time.monotonic() + ASK_EVERY_S
            self._start_or_stop()
        return self.child.tend()

    def _start_or_stop(self) -> None:
        try:
            wanted = import_string(self.wanted)()
        except (DatabaseError, InterfaceError) as error:
            log.warning("the worker cannot see whether %s is wanted: %s", self.child.name, error)
            connection.close()
            return
        if wanted and self.child.process is None:
            self.child.start()
        elif not wanted:
            self.child.stop()
