"""A ticket and what was said on it.

`status` is written by workflow.move alone. `sla_due_at` is the least due time of the clocks still to be kept and
`queue_at` the queue's sort key, never null; both follow the clocks (actions.py).
"""

from collections.abc import Sequence
from uuid import UUID, uuid4

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from helpdesk import refs
from helpdesk.accounts.models import Customer, Language, User
from oncall.families import FAMILIES, Family
from sla.clocks import Terms, number_of
from sla.models import CalendarVersion, Plan, PolicyVersion, Priority
from tickets.access import TicketQuerySet
from tickets.filetypes import FileType


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


class CloseReason(models.TextChoices):
    CONFIRMED = "confirmed", _("confirmed by the customer")
    WITHDRAWN = "withdrawn", _("withdrawn by the customer")
    DUPLICATE = "duplicate", _("duplicate")
    SPAM = "spam", _("spam")
    MERGED = "merged", _("merged")


class Score(models.TextChoices):
    GOOD = "good", _("Good")
    OKAY = "okay", _("Okay")
    BAD = "bad", _("Bad")


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
    version = models.PositiveIntegerField(default=1)
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
        """What was promised when it was opened."""
        return Terms(self.policy_id, self.plan_id, self.calendar_id)

    @property
    def family(self) -> Family | None:
        """The family of AWS services it is about, where somebody said so."""
        return FAMILIES.get(self.service)

    @property
    def policy_number(self) -> int:
        return number_of(self.policy_id)

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


class Message(models.Model):
    """Something said: the opening text, a public reply or an internal note. `html` is `body` rendered once."""

    class Kind(models.TextChoices):
        OPENING = "opening", _("opening")
        REPLY = "reply", _("reply")
        NOTE = "note", _("note")

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="messages", db_index=False)
    # Where it was said first, if that ticket was merged into this one (merging.py).
    origin = models.ForeignKey(Ticket, models.PROTECT, null=True, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    author = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    by_desk = models.BooleanField()
    source = models.CharField(max_length=20, choices=Source.choices)
    body = models.TextField()
    html = models.TextField()
    at = models.DateTimeField()
    # Customers meet it from then on: a reply of the desk can be taken back before (undoing.py).
    released_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["ticket", "id"], name="messages_of_ticket"),
            models.Index(fields=["origin"], condition=models.Q(origin__isnull=False), name="messages_of_origin"),
        ]
        constraints = [
            # A customer cannot write an internal note, whatever the code above says.
            models.CheckConstraint(condition=~models.Q(kind="note", by_desk=False), name="notes_are_ours")
        ]


class Draft(models.Model):
    """Words somebody has not sent yet (drafting.py). `at` is the last save, and what makes an older page older."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=Message.Kind.choices, default=Message.Kind.REPLY)
    body = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "user"], name="one_draft_each")]

    @property
    def is_note(self) -> bool:
        return self.kind == Message.Kind.NOTE

    @property
    def stamp(self) -> str:
        """`at` as a form carries it."""
        return self.at.isoformat()


class Load(models.Model):
    """What a colleague has in hand, in points (loads.py), and when they were last given a ticket."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="+")
    points = models.IntegerField(default=0)
    last_assigned_at = models.DateTimeField(null=True)


class Handled(models.Model):
    """When a colleague last worked on a ticket of a customer's."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "user"], name="handled_once_each")]


class AssignmentDecision(models.Model):
    """To whom a ticket went and why, all of it as it stood then; only ever added to (a trigger sees to it).

    By the rule: `inputs` is what was asked of whom, `candidates` how each fared, and the sentences name people by key,
    so that whoever is erased is gone from them too. By hand: `manual_by` and, in an internal note, the `reason`.
    """

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="decisions", db_index=False)
    at = models.DateTimeField()
    algorithm = models.CharField(max_length=20)
    inputs = models.JSONField(default=dict)
    candidates = models.JSONField(default=list)
    winner = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    runner_up = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    sentence_zh = models.TextField(blank=True)
    sentence_en = models.TextField(blank=True)
    manual_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    reason = models.ForeignKey(Message, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        indexes = [models.Index(fields=["ticket", "-id"], name="decisions_of_ticket")]


class Participant(models.Model):
    """Somebody of the customer's side who reads a ticket beside its requester: a colleague, or an outside address.

    A colleague is let in at once and sees the ticket. An outsider has no login; nothing is sent there before
    `confirmed_by` says who let them in, and then only what is said after the message of number `since`.
    """

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="participants", db_index=False)
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    email = models.EmailField(max_length=254, blank=True)
    name = models.CharField(max_length=80, blank=True)
    language = models.CharField(max_length=10, choices=Language.choices, blank=True)
    added_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()
    since = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            # What a person reads besides their own is found by this one too.
            models.UniqueConstraint(fields=["user", "ticket"], name="one_place_per_colleague"),
            models.UniqueConstraint(
                "ticket", Lower("email"), condition=models.Q(user=None), name="one_place_per_address"
            ),
            models.CheckConstraint(
                condition=models.Q(user__isnull=False, email="", confirmed_by__isnull=False)
                | models.Q(models.Q(user=None), ~models.Q(email="")),
                name="colleague_or_address",
            ),
        ]
        indexes = [models.Index(fields=["ticket"], name="participants_of_ticket")]


class Satisfaction(models.Model):
    """How it went, in the customer's word (rating.py). `at` is when it was answered first."""

    ticket = models.OneToOneField(Ticket, models.PROTECT, related_name="+")
    score = models.CharField(max_length=4, choices=Score.choices)
    comment = models.TextField(blank=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(score__in=Score.values), name="known_score")]


class Follow(models.Model):
    """A colleague hears of a ticket as if they had it (following.py)."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="+", db_index=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "user"], name="followed_once")]


class Mention(models.Model):
    """A colleague was called by name in an internal note (mentions.py)."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "user"], name="mentioned_once")]


class SearchRow(models.Model):
    """The words of a message as a search asks for them (search.py); `edition` says how they were cut."""

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="+")
    # The message's own key holds it up.
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    edition = models.PositiveSmallIntegerField(db_index=True)
    words = SearchVectorField()

    class Meta:
        # Without the pending list every search is as quick as the last, and no writer pays for a hundred others.
        indexes = [GinIndex(fields=["words"], fastupdate=False, name="words_of_messages")]


# Numbers of files that were uploaded and go with a message.
Files = Sequence[UUID]


class Attachment(models.Model):
    """A file that somebody sent. Without a message it waits to be sent.

    `stored` is its key in the storage: two rows share it where a message was split off into a ticket of its own.
    `preview` says whether a worker has drawn it: `pages` pictures, the first of them `width` by `height`.
    """

    class Preview(models.TextChoices):
        NONE = "none", _("no preview")
        WANTED = "wanted", _("preview on its way")
        MADE = "made", _("preview")
        FAILED = "failed", _("no preview possible")

    id = models.UUIDField(primary_key=True, default=uuid4)
    stored = models.UUIDField(db_index=True)
    message = models.ForeignKey(Message, models.PROTECT, null=True, related_name="+", db_index=False)
    uploader = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=200)
    type = models.CharField(max_length=10, choices=FileType.choices)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    preview = models.CharField(max_length=10, choices=Preview.choices, default=Preview.NONE)
    pages = models.PositiveSmallIntegerField(default=0)
    width = models.PositiveSmallIntegerField(default=0)
    height = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["message"], name="files_of_message"),
            models.Index(fields=["uploader", "created_at"], name="files_of_uploader"),
            models.Index(fields=["created_at"], condition=models.Q(message=None), name="files_not_sent"),
            models.Index(fields=["next_try_at"], condition=models.Q(preview="wanted"), name="files_to_draw"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(type__in=FileType.values), name="known_type"),
            models.CheckConstraint(
                condition=~models.Q(preview="wanted") | models.Q(next_try_at__isnull=False), name="wanted_has_a_time"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        return self.stored.hex
