"""What a dead cluster had taken from the queue, and how it comes back.

django-q2 gives a task that was taken and never finished to the next one only after Q_CLUSTER["retry"], five minutes.
Where no other worker is about, everything taken before our cluster started was taken by a dead one and comes back at
once. Whether one is about is told by an advisory lock that every worker holds together with the others.
"""

from datetime import datetime, timedelta

from django.db import connection
from django_q.conf import Conf
from django_q.models import OrmQ

PRESENCE = 0x6465736B


def be_present() -> None:
    """Says for the length of this connection that a worker is about; once a connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [PRESENCE])


def release(started_at: datetime, at: datetime) -> int:
    """Gives back what was taken before our cluster started, unless there are other workers; returns how many tasks."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [PRESENCE])
        if not cursor.fetchone()[0]:
            return 0
        try:
            # A taken task is locked until it would be given to the next one.
            taken_until = started_at + timedelta(seconds=Conf.RETRY)
            return int(OrmQ.objects.filter(lock__gt=at, lock__lt=taken_until).update(lock=at))
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [PRESENCE])
