"""The one history: what happened, when, by whom, to what.

Entries are only ever added (a trigger refuses the rest) and carry codes, numbers and keys, never names or texts, so
that erasing a person leaves history whole. Order is (at, id). A trigger takes a shared advisory lock before the id is
drawn, so that a sealer holding it exclusively knows that every id up to max(id) is decided.
"""

from django.db import models

AUDIENCES = [("public", "public"), ("staff", "staff")]


class Entry(models.Model):
    """One thing that happened. `fact` is what the SLA engine reads, null where it has no say (sla/clock.py)."""

    at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    actor_role = models.CharField(max_length=20)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=80)
    customer = models.UUIDField(null=True)
    audience = models.CharField(max_length=10, choices=AUDIENCES, default="staff")
    data = models.JSONField(default=dict)
    fact = models.JSONField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["subject", "at", "id"], name="entry_of_subject"),
            # Pauses are reviewed in their order; few entries are one.
            models.Index(fields=["at", "id"], condition=models.Q(action="ticket.asked"), name="pauses_in_order"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(audience__in=["public", "staff"]), name="known_audience")
        ]


class Origin(models.Model):
    """Where a write came from: kept 180 days beside the history, which is kept for good."""

    entry_id = models.BigIntegerField(db_index=True)
    at = models.DateTimeField(db_index=True)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True)


class Seal(models.Model):
    """One link of the chain over history (seal.py): `rows` entries from `first_id` to `last_id`.

    Only ever added, like the history itself. `leaves` holds each entry's id and the first eight bytes of its digest.
    """

    no = models.PositiveIntegerField(unique=True)
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    rows = models.PositiveIntegerField()
    sha256 = models.BinaryField()
    prev = models.BinaryField()
    leaves = models.BinaryField()
    at = models.DateTimeField()
