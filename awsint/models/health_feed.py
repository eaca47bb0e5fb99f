"""The link by which a company's calendar programs read its planned changes: it opens without a login, a key."""

from typing import Any

from django.db import models

from helpdesk.accounts.models import Customer, User


class HealthFeed(models.Model):
    """A link of one company. Its secret has 256 bits and is shown once; here is its hash (planned_feed.py)."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+", db_index=False)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    ended_at = models.DateTimeField(null=True)
    # When a program fetched it last, to the hour.
    read_at = models.DateTimeField(null=True)

    objects: models.Manager[Any] = models.Manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=models.Q(ended_at=None), name="one_planned_feed_a_customer"
            )
        ]
