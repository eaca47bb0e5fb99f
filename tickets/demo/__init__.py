"""The demo desk: ninety days of tickets that end today, made by the real actions. Called by `seed_demo`."""

from datetime import datetime, timedelta

from django.db import connection, transaction

from helpdesk import site
from helpdesk.accounts.models import User
from helpdesk.outbox.enqueue import tell_as_sent
from sla.months import Month
from tickets import freezing, sweeping, waking
from tickets.demo import amends, life, today
from tickets.models import Ticket

DAYS = 90
# The people are older than the first ticket.
SINCE = timedelta(days=DAYS + 2)
MINUTE = timedelta(minutes=1)
# As text: it is asked between every two acts of the ninety days.
DUE = """
SELECT least((SELECT min(next_event_at) FROM sla_clock WHERE next_event_at IS NOT NULL),
    (SELECT min(wake_at) FROM tickets_ticket WHERE wake_at IS NOT NULL))
"""


def seed(*, at: datetime, days: int, progress: life.Progress) -> int:
    """Writes today's dozen tickets and those of the `days` before; returns how many there are.

    All of it or nothing: one transaction. Letters of the past count as sent, because nobody of the demo is out there.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
        life.live(at, days, today.lives(at), _with_months(at, days), progress)
        if lead := User.objects.staff().filter(staff_role="lead").order_by("pk").first():
            amends.go_through(lead, at)
        tell_as_sent(before=at)
    return Ticket.objects.count()


def _with_months(at: datetime, days: int) -> life.Sweep:
    """The sweep that also freezes the months which end in these days, each when it was due."""
    zone = site.current().default_zone
    month, marks = Month.of((at - timedelta(days=days)).date()), []
    while (when := month.frozen_from(zone)) <= at:
        marks.append((when, month))
        month = month.after

    def sweep(until: datetime) -> None:
        while marks and marks[0][0] <= until:
            when, month = marks.pop(0)
            _sweep(when)
            freezing.freeze(list(freezing.wanting(month)), month, when)
        _sweep(until)

    return sweep


def _sweep(until: datetime) -> None:
    """What the pulse would have done up to `until`, minute by minute where there was something to do."""
    due = _due()
    while due and due <= until:
        at = min(until, due.replace(second=0, microsecond=0) + MINUTE)
        sweeping.sweep(at)
        waking.wake(at)
        left, due = due, _due()
        if due == left:
            raise RuntimeError(f"the sweep leaves undone what was due at {due}")


def _due() -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(DUE)
        due: datetime | None = cursor.fetchone()[0]
    return due
