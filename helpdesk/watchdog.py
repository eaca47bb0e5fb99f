"""Notices that django-q2 has stalled.

When a worker of a cluster is killed while it holds the queue's lock, the cluster lives on and never runs a task again.
`manage.py jobs` notices such a death itself; whatever else may stall is noticed here. A heartbeat task is enqueued
every three seconds, and where none was answered for ten, the whole process group is killed and started afresh. Long
tasks touch the same row. After an outage of the database less patience is needed: django-q2 sleeps ten seconds after
one, and no task of it has survived.
"""

import logging
import time
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from django_q.tasks import async_task

from helpdesk import claims
from helpdesk.models import Heartbeat
from helpdesk.supervisor import Child

log = logging.getLogger(__name__)
EVERY = 1
ASK_EVERY = 3
STALLED_AFTER = 10
STALLED_AFTER_OUTAGE = 2
# A cluster needs some seconds to come up.
GRACE = 12
BEAT = "helpdesk.tasks.beat"


class Watchdog:
    """Looks after one cluster; `look` is called often and acts every second."""

    def __init__(self, jobs: Child) -> None:
        self.jobs = jobs
        self.next_look = 0.0
        # When the database was last seen to be away, in monotonic seconds.
        self.outage = 0.0
        # The connection on which the other workers were told of us, and the cluster whose predecessors left nothing.
        self.present_on: object = None
        self.released_for = -1.0
        # When the question still open was asked.
        self.asked: datetime | None = None

    def look(self) -> str | None:
        """Asks for a sign of life; returns a line where the cluster had to be started afresh."""
        if time.monotonic() < self.next_look:
            return None
        self.next_look = time.monotonic() + EVERY
        try:
            return self._look(timezone.now())
        except (DatabaseError, InterfaceError) as error:
            # The database is away: nobody could answer, so nobody is judged.
            log.warning("the watchdog cannot see the database: %s", error)
            connection.close()
            self.outage, self.asked = time.monotonic(), None
            return None

    def _look(self, now: datetime) -> str | None:
        Heartbeat.beat("worker", now)
        if self.present_on is not connection.connection:
            claims.be_present()
            self.present_on = connection.connection
        if self.released_for != self.jobs.started:
            claims.release(now - timedelta(seconds=time.monotonic() - self.jobs.started), now)
            # What a dead cluster took with it is asked anew.
            self.released_for, self.asked = self.jobs.started, None
        heard = Heartbeat.objects.filter(name="qcluster").values_list("at", flat=True).first()
        answered = self.asked is not None and heard is not None and heard >= self.asked
        if self.asked is None or (answered and (now - self.asked).total_seconds() >= ASK_EVERY):
            async_task(BEAT, q_options={"save": False})
            self.asked = now
            return None
        if answered:
            self.outage = 0.0
        return None if answered else self._judge((now - self.asked).total_seconds())

    def _judge(self, silent: float) -> str | None:
        """Restarts the cluster where it was silent for too long, in seconds."""
        lived_through_outage = self.jobs.started < self.outage
        young = time.monotonic() - self.jobs.started < GRACE
        if silent < (STALLED_AFTER_OUTAGE if lived_through_outage else STALLED_AFTER):
            return None
        if young and not lived_through_outage:
            return None
        self.jobs.restart()
        return "The jobs have stalled; started afresh"
