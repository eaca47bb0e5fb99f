"""What watches the mirror itself: how each queue stands, which alarm was given, what the doctor found."""

from django.db import models

from awsint.models.accounts import Hub
from helpdesk.accounts.models import User
from helpdesk.jobs.models import Job


class QueueState(models.Model):
    """How a hub's queue stood when it was looked at last: one row a queue, written by whoever receives from it."""

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="+", db_index=False)
    queue = models.CharField(max_length=10)
    # The last time that the queue answered.
    heard_at = models.DateTimeField(null=True)
    # How many messages lie there, and in the queue of those that nobody could take. Null where none is named.
    depth = models.PositiveIntegerField(null=True)
    dead = models.PositiveIntegerField(null=True)
    # What AWS answers, where it refuses us.
    trouble = models.CharField(max_length=300, blank=True)
    # Somebody wants the dead messages back; whoever receives fetches them.
    wanted_back_at = models.DateTimeField(null=True)
    # When the whole of them was fetched last, and how many they were.
    back_at = models.DateTimeField(null=True)
    back = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hub", "queue"], name="one_row_a_queue")]


class Alarm(models.Model):
    """That something is wrong and the leads were told: once, until it is over (watching.py)."""

    kind = models.CharField(max_length=30)
    key = models.CharField(max_length=60)
    at = models.DateTimeField()
    over_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"], condition=models.Q(over_at=None), name="one_alarm_at_a_time"
            )
        ]


class Look(models.Model):
    """What the doctor found when somebody let every switch of AWS Health be looked at (health_org.py); the last fifty.

    `findings` are those of doctor.Finding, in codes; `at` is null until the job is through.
    """

    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(null=True)
    findings = models.JSONField(default=list)
    # How many are well, to be watched, wrong.
    good = models.PositiveSmallIntegerField(default=0)
    soon = models.PositiveSmallIntegerField(default=0)
    bad = models.PositiveSmallIntegerField(default=0)
