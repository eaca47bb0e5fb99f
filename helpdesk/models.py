"""The pulse of the desk's own processes: one row each, touched while it lives."""

import os
import socket
from datetime import datetime

from django.db import models

from helpdesk import __version__


class Heartbeat(models.Model):
    """When a process, or a recurring job, was last seen alive, and what it had to say."""

    name = models.CharField(max_length=80, primary_key=True)
    at = models.DateTimeField()
    pid = models.IntegerField()
    host = models.CharField(max_length=120)
    version = models.CharField(max_length=40)
    note = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def beat(cls, name: str, at: datetime, note: str = "") -> None:
        """Says that `name` was alive at `at`; one statement, safe from many processes at once."""
        row = Heartbeat(
            name=name, at=at, pid=os.getpid(), host=socket.gethostname()[:120], version=__version__, note=note[:500]
        )
        Heartbeat.objects.bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["at", "pid", "host", "version", "note"],
        )
