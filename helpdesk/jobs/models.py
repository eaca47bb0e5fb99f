"""A long job: a row that says how far it came, so that a killed worker loses nothing of it.

waiting -> running -> done, with a result
              '-----> failed, with words; tried again it goes on from its cursor
"""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Job(models.Model):
    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("broken off")

    public = models.UUIDField(default=uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=60)
    args = models.JSONField(default=dict)
    # Where the next slice begins; its form is the kind's own.
    cursor = models.JSONField(null=True)
    done = models.PositiveIntegerField(default=0)
    # How much there is to do, once somebody knows.
    count = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    asked_by = models.CharField(max_length=80)
    # Where its result is seen; empty where the job's own page is all there is.
    page = models.CharField(max_length=300, blank=True)
    asked_at = models.DateTimeField()
    touched_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)
    last_error = models.CharField(max_length=500, blank=True)
    # How often it was picked up since its last slice: what kills its worker each time is given up.
    pickups = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "running", "done", "failed"]), name="known_job_state"
            )
        ]
        indexes = [
            models.Index(
                fields=["touched_at"], condition=models.Q(state__in=["waiting", "running"]), name="jobs_under_way"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def name(self) -> str:
        """What the job is called in the reader's language."""
        return str(settings.JOB_KINDS[self.kind][1]) if self.kind in settings.JOB_KINDS else self.kind

    @property
    def right(self) -> str:
        """Who may see it besides whoever asked for it; empty where nobody may."""
        return str(settings.JOB_KINDS[self.kind][2]) if self.kind in settings.JOB_KINDS else ""

    @property
    def is_under_way(self) -> bool:
        return self.state in (self.State.WAITING, self.State.RUNNING)

    @property
    def can_be_retried(self) -> bool:
        return self.state == self.State.FAILED
