"""What decides about AWS Health events, and what is said of them: rules, suppressions, who is registered, playbooks."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from helpdesk.accounts.models import Customer, User
from sla.models import Priority


class Scope(models.TextChoices):
    ACCOUNT_SPECIFIC = "ACCOUNT_SPECIFIC", _("certain accounts")
    PUBLIC = "PUBLIC", _("public")


class EventCategory(models.TextChoices):
    ISSUE = "issue", _("Issue")
    NOTIFICATION = "accountNotification", _("Notification")
    CHANGE = "scheduledChange", _("Scheduled change")
    INVESTIGATION = "investigation", _("Investigation")


class EventStatus(models.TextChoices):
    UPCOMING = "upcoming", _("Upcoming")
    OPEN = "open", _("Open")
    CLOSED = "closed", _("Closed")


class HealthRule(models.Model):
    """A row of the rules, in their order (oncall.md, 5.3): what must all hold, and what follows.

    Of the rows that decide the first that fits wins; rows that change a decision (BILLING, VIP) then all apply. A
    condition that is empty holds always.
    """

    class Effect(models.TextChoices):
        PRIORITY = "priority", _("opens with this priority")
        STORE = "store", _("is stored, without a ticket")
        BILLING = "billing", _("goes to the billing queue")
        RAISE = "raise", _("raises the priority by one")

    position = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=12, unique=True)
    note_zh = models.CharField(max_length=200, blank=True)
    note_en = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    categories = ArrayField(models.CharField(max_length=30, choices=EventCategory.choices), default=list, blank=True)
    statuses = ArrayField(models.CharField(max_length=10, choices=EventStatus.choices), default=list, blank=True)
    scope = models.CharField(max_length=20, choices=Scope.choices, blank=True)
    # Any of these stands in the event type's code; an abuse event by its kind of message counts as ABUSE.
    code_words = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    services = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    regions = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    actionabilities = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    personas = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    # At least one affected resource in an account that is tagged production.
    production = models.BooleanField(default=False)
    # Whether a customer is registered as using the service in the region.
    registered = models.BooleanField(null=True, blank=True)
    vip = models.BooleanField(default=False)
    starts_within_h = models.PositiveIntegerField(null=True, blank=True)
    effect = models.CharField(max_length=10, choices=Effect.choices, default=Effect.PRIORITY)
    priority = models.ForeignKey(
        Priority, models.PROTECT, to_field="code", null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(effect="priority", priority__isnull=False)
                | (~models.Q(effect="priority") & models.Q(priority=None)),
                name="a_priority_where_it_decides_one",
            )
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def note(self) -> str:
        return self.note_zh if (get_language() or "").startswith("zh") else self.note_en


class Suppression(models.Model):
    """Events that open no ticket for a while. They are stored all the same, and what was suppressed is shown."""

    code = models.CharField(max_length=120, blank=True)
    service = models.CharField(max_length=60, blank=True)
    region = models.CharField(max_length=30, blank=True)
    customer = models.ForeignKey(Customer, models.CASCADE, null=True, blank=True, related_name="+", db_index=False)
    reason = models.CharField(max_length=300)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["expires_at"], condition=models.Q(ended_at=None), name="suppressions_in_force")]


class Usage(models.Model):
    """A customer uses a service in a region and wants to hear of what AWS says of it publicly: `global` for both."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+", db_index=False)
    service = models.CharField(max_length=60)
    region = models.CharField(max_length=30)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "service", "region"], name="one_row_a_usage")]
        indexes = [models.Index(fields=["service", "region", "customer"], name="usage_of_service")]


class Playbook(models.Model):
    """What an event means and what to do, in both languages: for one code, or for a family of them (`AWS_EC2_*`)."""

    code = models.CharField(max_length=120, unique=True)
    title_zh = models.CharField(max_length=120)
    title_en = models.CharField(max_length=120)
    means_zh = models.TextField()
    means_en = models.TextField()
    do_zh = models.TextField()
    do_en = models.TextField()
    updated_at = models.DateTimeField(null=True)
    updated_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    # Grows with each change, and no two changes have the same (playbooks.py).
    revision = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code

    def title(self, language: str) -> str:
        return self.title_zh if language.startswith("zh") else self.title_en

    def means(self, language: str) -> str:
        return self.means_zh if language.startswith("zh") else self.means_en

    def do(self, language: str) -> str:
        return self.do_zh if language.startswith("zh") else self.do_en
