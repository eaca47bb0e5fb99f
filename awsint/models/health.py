"""AWS Health as AWS tells it: events, each message as it came, whom and what it affects. What decides about it is in
health_rules.py.

What an event's rows say is a function of the set of its messages, in whatever order they came (awsint/health_state.py);
tickets and what was told to whom are ours and only ever move forward.
"""

from datetime import datetime
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from awsint.models.accounts import Account, Hub, Partition
from awsint.models.health_rules import EventStatus, HealthRule, Scope, Suppression
from awsint.models.reading import Via
from helpdesk.accounts.models import Customer, User, hidden_from
from sla.models import Priority
from tickets.models import Ticket


class EntityStatus(models.TextChoices):
    IMPAIRED = "IMPAIRED", _("impaired")
    PENDING = "PENDING", _("pending")
    UPCOMING = "UPCOMING", _("upcoming")
    UNKNOWN = "UNKNOWN", _("unknown")
    UNIMPAIRED = "UNIMPAIRED", _("not impaired")
    RESOLVED = "RESOLVED", _("resolved")


# What AWS itself says is over.
OVER = (EntityStatus.UNIMPAIRED, EntityStatus.RESOLVED)


def called(choices: type[models.TextChoices], value: str) -> str:
    """What a value is called, or itself where no list knows it. Django's own reads all choices anew for each row."""
    try:
        return str(choices(value).label)
    except ValueError:
        return value


class HealthEventQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """The desk and auditors see every event; whom it affects is seen customer by customer (AffectedCustomer)."""
        return self if user.is_desk or user.staff_role == "auditor" else self.none()

    def current(self) -> Self:
        return self.filter(status__in=[EventStatus.OPEN, EventStatus.UPCOMING], expired_at=None)


class HealthEvent(models.Model):
    """An event, by its ARN: neither unique to an account nor to a region (aws.md, 2.4). Instants are AWS's, but
    `seen_at`, `told_at`, `expired_at` and `ended_at`, which are ours.

    `priority` is the highest that any customer's part has; empty where no ticket is due.
    """

    arn = models.CharField(max_length=1600, unique=True)
    partition = models.CharField(max_length=12, choices=Partition.choices, default=Partition.AWS)
    scope = models.CharField(max_length=20, choices=Scope.choices)
    service = models.CharField(max_length=60)
    code = models.CharField(max_length=120)
    category = models.CharField(max_length=30)
    region = models.CharField(max_length=30)
    status = models.CharField(max_length=10, choices=EventStatus.choices)
    actionability = models.CharField(max_length=30, blank=True)
    personas = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    abuse = models.BooleanField(default=False)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    # The newest lastUpdatedTime, and the message that bears it: it decides status and text.
    updated_at = models.DateTimeField(null=True)
    newest = models.CharField(max_length=40, blank=True)
    description = models.TextField(blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    priority = models.ForeignKey(Priority, models.PROTECT, to_field="code", null=True, related_name="+", db_index=False)
    # The rule that decided, and what it looked at: {"rule": "H2", "raised": "VIP", "billing": true, ..}
    rule = models.ForeignKey(HealthRule, models.SET_NULL, null=True, related_name="+", db_index=False)
    reason = models.JSONField(default=dict, blank=True)
    suppression = models.ForeignKey(Suppression, models.SET_NULL, null=True, related_name="+", db_index=False)
    ticket = models.ForeignKey(Ticket, models.PROTECT, null=True, related_name="+")
    # What the ticket of ours was told last (health_telling.py), and the priority it was raised to.
    told = models.JSONField(default=dict, blank=True)
    applied = models.CharField(max_length=20, blank=True)
    # When it is told how many accounts and resources came since; null where none did.
    note_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()
    via = models.CharField(max_length=10, choices=Via.choices)
    # When it was told us as closed, and when AWS forgot it (90 days).
    ended_at = models.DateTimeField(null=True)
    expired_at = models.DateTimeField(null=True)
    # The last time that AWS was asked about it, and a priority may have to be raised because time went on.
    described_at = models.DateTimeField(null=True)

    objects = HealthEventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["-seen_at", "-id"], name="health_newest"),
            models.Index(
                fields=["described_at", "id"],
                condition=~models.Q(status="closed") & models.Q(expired_at=None),
                name="health_current",
            ),
            models.Index(fields=["code", "-id"], name="health_of_code"),
            models.Index(fields=["note_at"], condition=models.Q(note_at__isnull=False), name="health_notes_due"),
            # Planned changes by when they begin (planned.py).
            models.Index(
                fields=["starts_at", "id"],
                condition=models.Q(category="scheduledChange") | models.Q(status="upcoming"),
                name="health_planned",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_current(self) -> bool:
        return self.status != EventStatus.CLOSED and self.expired_at is None


class HealthMessage(models.Model):
    """One message about an event as it came; never changed. `key` is `communicationId`, or the digest of the detail
    without backupEvent and page, or `poll:<lastUpdatedTime>` for a polled reading.

    `missed` says of a polled reading that no pushed message told the same within 15 minutes; null until that is known.
    """

    event = models.ForeignKey(HealthEvent, models.CASCADE, related_name="messages", db_index=False)
    account = models.CharField(max_length=12, blank=True)
    key = models.CharField(max_length=200)
    via = models.CharField(max_length=10, choices=Via.choices)
    hub = models.ForeignKey(Hub, models.PROTECT, null=True, related_name="+", db_index=False)
    status = models.CharField(max_length=10)
    updated_at = models.DateTimeField()
    # Who has the last word among messages of the same lastUpdatedTime (health_state.py).
    rank = models.CharField(max_length=40)
    # What was said, read (health_payload.Told), but resources, which have rows of their own.
    told = models.JSONField()
    raw = models.JSONField()
    received_at = models.DateTimeField()
    copies = models.PositiveIntegerField(default=0)
    missed = models.BooleanField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "account", "key"], name="one_row_a_health_message")]
        indexes = [
            models.Index(fields=["event", "-updated_at", "-rank"], name="health_last_word"),
            models.Index(
                fields=["received_at", "id"],
                condition=models.Q(via="poll", missed=None),
                name="health_push_to_look_for",
            ),
            models.Index(fields=["received_at", "id"], condition=models.Q(missed=True), name="health_push_missed"),
            models.Index(fields=["received_at", "via"], name="health_messages_by_time"),
        ]

    @property
    def order(self) -> tuple[datetime, str]:
        """The greatest of an event's messages has the last word (health_state.py)."""
        return self.updated_at, self.rank

    @property
    def via_label(self) -> str:
        return called(Via, self.via)


class AffectedCustomerQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        if user.sees_every_customer or user.staff_role == "auditor":
            return self
        return self.exclude(customer__in=hidden_from(user)) if user.is_desk else self.none()

    def standing(self) -> Self:
        """With the write that each row stands after, so that whoever comes back to it knows of a later one."""
        return self.annotate(stand=RawSQL("awsint_affectedcustomer.xmin::text", []))


class AffectedCustomer(models.Model):
    """A customer's part in an event: their ticket, its priority and why, and when they were really told.

    `opened_at` is when their ticket was opened; `told_at` when the relay took the letter that tells them
    of it (health_proof.py).
    """

    event = models.ForeignKey(HealthEvent, models.CASCADE, related_name="customers", db_index=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+", db_index=False)
    ticket = models.OneToOneField(Ticket, models.PROTECT, null=True, related_name="health")
    priority = models.ForeignKey(Priority, models.PROTECT, to_field="code", null=True, related_name="+", db_index=False)
    rule = models.ForeignKey(HealthRule, models.SET_NULL, null=True, related_name="+", db_index=False)
    reason = models.JSONField(default=dict, blank=True)
    suppression = models.ForeignKey(Suppression, models.SET_NULL, null=True, related_name="+", db_index=False)
    # Why nobody is told though a ticket is open: the company has nobody.
    trouble = models.CharField(max_length=40, blank=True)
    # What they were told last: {"status", "starts_at", "ends_at", "text", "updated_at", "entities": {status: count}}.
    told = models.JSONField(default=dict, blank=True)
    applied = models.CharField(max_length=20, blank=True)
    # Something may have to be opened or told: looked at by whoever tells next, and by the sweep.
    due = models.BooleanField(default=False)
    opened_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    # Since when all of its resources are dealt with, by somebody's tick (handling.py).
    handled_at = models.DateTimeField(null=True)

    objects = AffectedCustomerQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "customer"], name="one_part_a_customer")]
        indexes = [
            models.Index(fields=["customer", "-id"], name="health_of_customer"),
            models.Index(fields=["event", "id"], condition=models.Q(due=True), name="health_parts_due"),
            models.Index(fields=["event", "id"], name="health_parts_of_event"),
            models.Index(
                fields=["opened_at", "id"],
                condition=models.Q(told_at=None, ticket__isnull=False),
                name="health_parts_untold",
            ),
        ]


class AffectedAccount(models.Model):
    """An account that an event affects, known to us or not. `status` follows from its own messages."""

    event = models.ForeignKey(HealthEvent, models.CASCADE, related_name="accounts", db_index=False)
    number = models.CharField(max_length=12)
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+", db_index=False)
    status = models.CharField(max_length=10, choices=EventStatus.choices)
    updated_at = models.DateTimeField(null=True)
    newest = models.CharField(max_length=40, blank=True)
    # Its own newest message, whose text is its own too: what AWS says of one account is no other's business.
    head = models.ForeignKey(HealthMessage, models.SET_NULL, null=True, related_name="+", db_index=False)
    # The poll has read its resources as of this lastUpdatedTime of the event.
    entities_as_of = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "number"], name="one_row_an_affected_account")]
        indexes = [
            models.Index(fields=["account", "-id"], name="health_of_account"),
            models.Index(fields=["number", "-id"], condition=models.Q(account=None), name="health_of_unknown"),
        ]

    @property
    def status_label(self) -> str:
        return called(EventStatus, self.status)


class AffectedEntity(models.Model):
    """A resource that an event affects, as AWS names it. `handled_at`: the customer ticked it as dealt with."""

    account = models.ForeignKey(AffectedAccount, models.CASCADE, related_name="entities", db_index=False)
    value = models.CharField(max_length=1224)
    arn = models.CharField(max_length=1600, blank=True)
    status = models.CharField(max_length=12, choices=EntityStatus.choices)
    updated_at = models.DateTimeField(null=True)
    # Where it stood before its last change.
    before = models.CharField(max_length=12, blank=True)
    seen_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True)
    handled_at = models.DateTimeField(null=True)
    handled_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    # AWS said something worse of it after it was ticked, which took the tick away; and when that was told.
    again_at = models.DateTimeField(null=True)
    again_told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "value"], name="one_row_an_entity")]
        indexes = [
            models.Index(
                fields=["account"],
                condition=models.Q(again_at__isnull=False, again_told_at=None),
                name="entities_to_do_again",
            )
        ]

    @property
    def is_over(self) -> bool:
        """Whether AWS itself says that it is over."""
        return self.status in OVER

    @property
    def status_label(self) -> str:
        return called(EntityStatus, self.status)

    def get_before_display(self) -> str:
        return called(EntityStatus, self.before)


class HealthChange(models.Model):
    """Something new about an event that we took note of, and how many customers were told of it. Only ever added."""

    class What(models.TextChoices):
        SEEN = "seen", _("first seen")
        STATUS = "status", _("new status")
        TEXT = "text", _("new text")
        TIMES = "times", _("new times")
        RESOURCES = "resources", _("further resources")
        ACCOUNTS = "accounts", _("further accounts")
        PRIORITY = "priority", _("priority raised")
        EXPIRED = "expired", _("no longer known to AWS")

    event = models.ForeignKey(HealthEvent, models.CASCADE, related_name="changes", db_index=False)
    at = models.DateTimeField()
    aws_at = models.DateTimeField(null=True)
    what = models.CharField(max_length=12, choices=What.choices)
    via = models.CharField(max_length=10, choices=Via.choices)
    old = models.CharField(max_length=40, blank=True)
    new = models.CharField(max_length=40, blank=True)
    told = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["event", "id"], name="changes_of_health_event")]

    @property
    def what_label(self) -> str:
        return called(self.What, self.what)

    @property
    def via_label(self) -> str:
        return called(Via, self.via)


class HealthReading(models.Model):
    """How the poll of Health stands for one feed: an organization's, or an account's outside of any.

    `watermark` is the newest lastUpdatedTime read, AWS's clock; the next reading begins an hour before it.
    """

    organization = models.OneToOneField("awsint.Organization", models.CASCADE, null=True, related_name="health_reading")
    account = models.OneToOneField(Account, models.CASCADE, null=True, related_name="health_reading")
    watermark = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    reconciled_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    next_at = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0)
    code = models.CharField(max_length=80, blank=True)
    reason = models.TextField(blank=True)
    # The region whose endpoint answered last: after a failover a day is read again.
    endpoint = models.CharField(max_length=30, blank=True)
    events = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(organization=None, account__isnull=False)
                | models.Q(organization__isnull=False, account=None),
                name="one_feed_a_reading",
            )
        ]
        indexes = [models.Index(fields=["next_at", "id"], name="health_readings_due")]
