"""AWS Support cases as AWS tells them, kept for good: AWS itself forgets them after 24 months."""

from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils.translation import gettext_lazy as _

from awsint.models.accounts import Account
from awsint.models.reading import Via
from helpdesk.accounts.models import User
from tickets.models import Attachment, Message, Ticket


class CaseQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """The cases in accounts that somebody of the desk, or an auditor, may see."""
        return self.filter(account__in=Account.objects.visible_to(user))


class SupportCase(models.Model):
    """A case. `status`, `severity` and the rest are AWS's own codes.

    `is_open` is what we know: not resolved and not gone. An archived case had been resolved when we first read it and
    has no ticket.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="cases", db_index=False)
    case_id = models.CharField(max_length=120)
    display_id = models.CharField(max_length=30)
    subject = models.TextField()
    status = models.CharField(max_length=40)
    service = models.CharField(max_length=120)
    category = models.CharField(max_length=120)
    severity = models.CharField(max_length=20)
    language = models.CharField(max_length=10)
    submitted_by = models.CharField(max_length=300)
    cc = ArrayField(models.CharField(max_length=254), default=list, blank=True)
    created_text = models.CharField(max_length=40)
    # AWS's clock.
    created_at = models.DateTimeField()
    # The newest communication, by AWS's clock; what is older than this by a day has been read (aws.md, 4.6).
    said_at = models.DateTimeField(null=True)
    said_by_aws = models.BooleanField(default=False)
    # Our clock.
    detected_at = models.DateTimeField()
    status_at = models.DateTimeField()
    is_open = models.BooleanField(default=True)
    archived = models.BooleanField(default=False)
    # AWS does not know its number any more.
    gone_at = models.DateTimeField(null=True)
    # The subject as it is searched; written by archive.index with what it says.
    words = SearchVectorField(null=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "case_id"], name="one_row_a_case")]
        indexes = [
            models.Index(fields=["account"], condition=models.Q(is_open=True), name="open_cases_of_account"),
            models.Index(fields=["-id"], condition=models.Q(is_open=True), name="open_cases_newest"),
            models.Index(fields=["-created_at", "-id"], name="cases_newest"),
            # Looked up whole, and by how they begin.
            models.Index(fields=["display_id"], name="cases_by_number", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["case_id"], name="cases_by_case_id", opclasses=["varchar_pattern_ops"]),
            GinIndex(fields=["words"], fastupdate=False, name="words_of_cases"),
        ]

    def __str__(self) -> str:
        return self.display_id or self.case_id


class CaseLink(models.Model):
    """That a case and a ticket are about the same: a ticket may have several cases, a case several tickets."""

    case = models.ForeignKey(SupportCase, models.PROTECT, related_name="links", db_index=False)
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="+")
    linked_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "ticket"], name="one_link_a_case_and_ticket")]


class Communication(models.Model):
    """Something said on a case. AWS gives no id, so its own time, author and place among equals are one.

    `body` is the newest wording; AWS redacts secrets afterwards, and earlier wordings are versions.
    `ref` is the tag of our own letter, where it is our echo.
    """

    class SeenBy(models.TextChoices):
        BUTTON = "button", _("marked as seen")
        RELAY = "relay", _("relayed")
        REPLY = "reply", _("answered")

    case = models.ForeignKey(SupportCase, models.PROTECT, related_name="said", db_index=False)
    created_text = models.CharField(max_length=40)
    submitted_by = models.CharField(max_length=300)
    ordinal = models.PositiveSmallIntegerField(default=0)
    # AWS's clock; then ours.
    created_at = models.DateTimeField()
    detected_at = models.DateTimeField()
    via = models.CharField(max_length=10, choices=Via.choices)
    by_aws = models.BooleanField()
    # AWS's automatic acknowledgement: told like any other, and never counted as an answer.
    automatic = models.BooleanField(default=False)
    body = models.TextField()
    sha256 = models.CharField(max_length=64)
    ref = models.CharField(max_length=60, blank=True)
    message = models.ForeignKey(Message, models.PROTECT, null=True, related_name="+")
    # Who of us has taken note of it; a page view is no note (decisions.md).
    seen_at = models.DateTimeField(null=True)
    seen_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    seen_how = models.CharField(max_length=10, choices=SeenBy.choices, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "created_text", "submitted_by", "ordinal"], name="one_row_a_communication"
            ),
            models.CheckConstraint(
                condition=models.Q(seen_at=None, seen_by=None, seen_how="")
                | models.Q(seen_at__isnull=False, seen_by__isnull=False) & ~models.Q(seen_how=""),
                name="seen_by_somebody",
            ),
        ]
        indexes = [
            models.Index(
                fields=["detected_at", "id"],
                condition=models.Q(seen_at=None, by_aws=True, automatic=False),
                name="unseen_communications",
            ),
        ]


class CommunicationVersion(models.Model):
    """An earlier wording of a communication that AWS changed. Only ever added."""

    communication = models.ForeignKey(Communication, models.PROTECT, related_name="versions", db_index=False)
    number = models.PositiveSmallIntegerField()
    body = models.TextField()
    sha256 = models.CharField(max_length=64)
    replaced_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["communication", "number"], name="one_row_a_version")]


class CaseFile(models.Model):
    """An attachment of a communication, on its way into our storage or there (`attachment`), or why not (`reason`)."""

    class State(models.TextChoices):
        WANTED = "wanted", _("on its way")
        KEPT = "kept", _("kept")
        REFUSED = "refused", _("not kept")
        FAILED = "failed", _("could not be fetched")

    communication = models.ForeignKey(Communication, models.PROTECT, related_name="files", db_index=False)
    aws_id = models.CharField(max_length=120)
    name = models.CharField(max_length=260)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WANTED)
    reason = models.CharField(max_length=40, blank=True)
    attachment = models.ForeignKey(Attachment, models.PROTECT, null=True, related_name="+", db_index=False)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["communication", "aws_id"], name="one_row_a_case_file"),
        ]
        indexes = [models.Index(fields=["next_try_at"], condition=models.Q(state="wanted"), name="case_files_to_fetch")]
