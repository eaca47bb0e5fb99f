"""What is known of an engineer before anybody asks for one: skills, languages, capacity, and when they are away.

Whoever has no row here has the defaults: room for CAPACITY points of tickets, and their own language.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from helpdesk.accounts.models import User

CAPACITY = 20
MOST_CAPACITY = 200
MOST_SKILL = 3


class Engineer(models.Model):
    """How much a colleague can take, in points of open tickets, and which languages they speak (zh, en)."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="+")
    capacity = models.PositiveSmallIntegerField(default=CAPACITY)
    languages = ArrayField(models.CharField(max_length=10))

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(capacity__gte=1), name="capacity_is_some")]


class Skill(models.Model):
    """How well a colleague knows a family of services (families.py): 0 not at all, 3 best. No row stands for 0."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    family = models.CharField(max_length=20)
    level = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "family"], name="one_skill_a_family"),
            models.CheckConstraint(condition=models.Q(level__lte=MOST_SKILL), name="skill_from_0_to_3"),
        ]


class Leave(models.Model):
    """When a colleague is away, half-open: from `starts_at` until just before `ends_at`."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)

    class Meta:
        indexes = [models.Index(fields=["user", "ends_at"], name="leave_of_user")]
        constraints = [
            models.CheckConstraint(condition=models.Q(ends_at__gt=models.F("starts_at")), name="leave_ends_later")
        ]
