"""A ticket, its tags and its kin.

`status` is written by workflow.move alone. `sla_due_at` is the least due time of the clocks still to be kept and
`queue_at` the queue's sort key, never null; both follow the clocks (deed.py).
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from helpdesk import refs
from helpdesk.accounts.models import HOUSE, Customer, User
from oncall.families import FAMILIES, Family
from sla.clocks import Side, Terms, calendar_of, number_of
from sla.models import CalendarVersion, Plan, PolicyVersion, Priority
from sla.worktime import AROUND_THE_CLOCK
from tickets.access import TicketQuerySet


class Status(models.TextChoices):
    NEW = "new", _("New")
    IN_PROGRESS = "in_progress", _("In progress")
    WAITING_CUSTOMER = "waiting_customer", _("With customer")
    RESOLVED = "resolved", _("Resolved")
    CLOSED = "closed", _("Closed")


OPEN = [Status.NEW, Status.IN_PROGRESS, Status.WAITING_CUSTOMER]


class Source(models.TextChoices):
    WEB = "web", _("web")
    EMAIL = "email", _("e-mail")
    API = "api", _("API")
    PHONE = "phone", _("phone")
    AWS_SUPPORT = "aws_support", _("AWS Support")
    AWS_HEALTH = "aws_health", _("AWS Health")


class Category(models.TextChoices):
    TECHNICAL = "technical", _("Technical question")
    BILLING = "billing", _("Billing question")
    ACCOUNT = "account", _("Account question")


class Turn(models.TextChoices):
    """Who has to do something about a ticket next."""

    US = "us", _("us")
    CUSTOMER = "customer", _("the customer")
    AWS = "aws", _("AWS")


class CloseReason(models.TextChoices):
    CONFIRMED = "confirmed", _("confirmed by the customer")
    LAPSED = "lapsed", _("not reopened within 7 days")
    WITHDRAWN = "withdrawn", _("withdrawn by the customer")
    DUPLICATE = "duplicate", _("duplicate")
    SPAM = "spam", _("spam")
    MERGED = "merged", _("merged")


class Ticket(models.Model):
    customer = models.ForeignKey(Customer, models.PROTECT, db_index=False)
    requester = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    assigned_to = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    title = models.TextField()
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.NEW)
    priority = models.ForeignKey(Priority, models.PROTECT, to_field="code", db_column="priority", db_index=False)
    category = models.CharField(max_length=20, choices=Category.choices)
    source = models.CharField(max_length=20, choices=Source.choices)
    impact = models.CharField(max_length=20, blank=True)
    urgency = models.CharField(max_length=20, blank=True)
    service = models.CharField(max_length=20, blank=True)
    close_reason = models.CharField(max_length=20, choices=CloseReason.choices, blank=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children", db_index=False)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", db_index=False)
    merged_at = models.DateTimeField(null=True)
    follows = models.ForeignKey("self", models.PROTECT, null=True, related_name="followed_by")
    plan = models.ForeignKey(Plan, models.PROTECT, db_index=False)
    policy = models.ForeignKey(PolicyVersion, models.PROTECT, db_index=False)
    calendar = models.ForeignKey(CalendarVersion, models.PROTECT, db_index=False)
    created_at = models.DateTimeField()
    last_event_at = models.DateTimeField()
    sla_due_at = models.DateTimeField(null=True)
    due_kind = models.CharField(max_length=12, blank=True)
    queue_at = models.DateTimeField()
    # When the desk itself has something to do about it, if nobody else does (waking.py).
    wake_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)
    # Who has to act by the AWS cases it has (aws.py), null where it has none; and so who has to act on the whole.
    case_turn = models.CharField(max_length=8, choices=Turn.choices, null=True)
    who_acts = models.GeneratedField(
        expression=models.Case(
            models.When(status=Status.WAITING_CUSTOMER, then=models.Value(Turn.CUSTOMER)),
            models.When(case_turn=Turn.AWS, status__in=[Status.NEW, Status.IN_PROGRESS], then=models.Value(Turn.AWS)),
            default=models.Value(Turn.US),
        ),
        output_field=models.CharField(max_length=8),
        db_persist=True,
    )
    # Numbers of Tag rows, in the order they were put on (tagging.py).
    tags = ArrayField(models.IntegerField(), default=list, blank=True)

    objects = TicketQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="known_status"),
            models.CheckConstraint(
                condition=models.Q(close_reason="") | models.Q(status="closed"), name="reason_only_when_closed"
            ),
            models.CheckConstraint(
                condition=models.Q(merged_into=None, merged_at=None)
                | models.Q(merged_into__isnull=False, merged_at__isnull=False, status="closed"),
                name="merged_is_closed",
            ),
            models.CheckConstraint(condition=~models.Q(parent=models.F("id")), name="not_its_own_parent"),
        ]
        indexes = [
            models.Index(fields=["queue_at", "id"], condition=models.Q(status__in=OPEN), name="open_by_due"),
            models.Index(
                fields=["assigned_to", "queue_at", "id"], condition=models.Q(status__in=OPEN), name="open_of_engineer"
            ),
            models.Index(
                fields=["customer", "queue_at", "id"], condition=models.Q(status__in=OPEN), name="open_of_customer"
            ),
            models.Index(fields=["-id"], condition=models.Q(status__in=OPEN), name="open_newest"),
            models.Index(
                fields=["queue_at", "id"], condition=models.Q(status="waiting_customer"), name="open_with_customer"
            ),
            models.Index(
                fields=["queue_at", "id"],
                condition=models.Q(case_turn="aws", status__in=["new", "in_progress"]),
                name="open_with_aws",
            ),
            models.Index(fields=["wake_at", "id"], condition=models.Q(wake_at__isnull=False), name="tickets_to_wake"),
            models.Index(fields=["-id"], condition=models.Q(status="resolved"), name="resolved_newest"),
            models.Index(fields=["customer", "-id"], name="tickets_of_customer"),
            models.Index(fields=["requester", "-id"], name="tickets_of_requester"),
            models.Index(fields=["parent"], condition=models.Q(parent__isnull=False), name="tickets_of_parent"),
            models.Index(
                fields=["merged_into"], condition=models.Q(merged_into__isnull=False), name="tickets_merged_into"
            ),
            GinIndex(fields=["tags"], condition=~models.Q(tags=[]), fastupdate=False, name="tickets_of_tag"),
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def ref(self) -> str:
        return refs.ref(self.pk)

    @property
    def terms(self) -> Terms:
        """What was promised when it was opened: to its customer, among ourselves, or both."""
        side = Side.INWARD if self.customer_id == HOUSE else Side.OUTWARD if self.is_part else Side.BOTH
        return Terms(self.policy_id, self.plan_id, self.calendar_id, side)

    @property
    def is_part(self) -> bool:
        """Whether it tells one customer what its parent is about: the work, and who is warned, are the parent's."""
        return self.source == Source.AWS_HEALTH and self.parent_id is not None

    @property
    def turn(self) -> str:
        """`who_acts` of the row in hand, which may not be read again yet."""
        if self.status == Status.WAITING_CUSTOMER:
            return Turn.CUSTOMER
        return Turn.AWS if self.case_turn == Turn.AWS and self.is_open else Turn.US

    @property
    def family(self) -> Family | None:
        """The family of AWS services it is about, where somebody said so."""
        return FAMILIES.get(self.service)

    @property
    def policy_number(self) -> int:
        return number_of(self.policy_id)

    @property
    def around_the_clock(self) -> bool:
        """Whether every second counts, or office hours alone."""
        return calendar_of(self.calendar_id) is AROUND_THE_CLOCK

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


class Link(models.Model):
    """That two tickets have to do with each other: one row for both, the lower number first (relations.py)."""

    low = models.ForeignKey(Ticket, models.PROTECT, related_name="+", db_index=False)
    high = models.ForeignKey(Ticket, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["low", "high"], name="one_link_of_two"),
            models.CheckConstraint(condition=models.Q(low__lt=models.F("high")), name="lower_number_first"),
        ]


class Tag(models.Model):
    """A word of the desk's own for tickets. It never changes and is never removed, so history names it by number."""

    name = models.TextField()
    # What reads alike is one tag: the name in one form, without upper and lower case.
    key = models.TextField(unique=True)

    def __str__(self) -> str:
        return self.name
