"""`manage.py jobs`: django-q2's cluster, all of whose processes die with their parents, and with each other.

A worker that is killed may take the queue's lock with it: django-q2 forks another, which then waits for that lock for
ever. So a sudden death among its processes ends the whole cluster, and `worker` starts it afresh.
"""

import os
import signal
from multiprocessing import Process
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django_q import cluster

from helpdesk.supervisor import die_with_parent_from_here_on


class Command(BaseCommand):
    help = "Runs the recurring and long jobs. Started and watched by `worker`."
    # The worker that starts it has made the checks, with the same settings.
    requires_system_checks: list[str] = []

    def handle(self, **options: Any) -> None:
        die_with_parent_from_here_on()
        # The cluster looks its guard up by this name, and offers no other way to give it one.
        cluster.Sentinel = Guard
        call_command("qcluster")


class Guard(cluster.Sentinel):  # type: ignore[misc]
    """django-q2's guard, but for deaths that leave nothing to trust. An end of its own choice has exit code 0."""

    def reincarnate(self, process: Process) -> None:
        if process.exitcode:
            # The kernel takes everybody else with the parent, this process included.
            os.kill(self.parent_pid, signal.SIGKILL)
            os._exit(1)
        super().reincarnate(process)
