"""What we say to AWS: exactly what leaves, and beside it the letter that says how far it came."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from awsint.models.accounts import Account
from awsint.models.cases import SupportCase
from helpdesk.accounts.models import User
from helpdesk.outbox.models import Letter
from tickets.models import Message, Ticket


class Outgoing(models.Model):
    """One call that changes something at AWS: a case opened, a part of an answer added, a case resolved.

    `subject` and `body` are word for word what leaves, tag and all. A text over AWS's length is several rows, sent in
    their order. `uploads` holds, by our file's number, AWS's number of what was handed over already.
    """

    class Verb(models.TextChoices):
        CREATE = "create", _("open a case")
        REPLY = "reply", _("answer")
        RESOLVE = "resolve", _("resolve the case")

    # The database refuses to lose it; Django need not ask before it deletes letters that have nothing to do with AWS.
    letter = models.OneToOneField(Letter, models.DO_NOTHING, related_name="+")
    verb = models.CharField(max_length=10, choices=Verb.choices)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    case = models.ForeignKey(SupportCase, models.PROTECT, null=True, related_name="sendings")
    # Of a text too long to open a case with: the opening whose case its other parts go to.
    opening = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", db_index=False)
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="+")
    message = models.ForeignKey(Message, models.PROTECT, null=True, related_name="+")
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    # The tag that finds it again at AWS (tags.py).
    tag = models.CharField(max_length=60, blank=True)
    part = models.PositiveSmallIntegerField(default=1)
    parts = models.PositiveSmallIntegerField(default=1)
    subject = models.TextField(blank=True)
    body = models.TextField(blank=True)
    service = models.CharField(max_length=120, blank=True)
    category = models.CharField(max_length=120, blank=True)
    severity = models.CharField(max_length=20, blank=True)
    language = models.CharField(max_length=10, blank=True)
    issue_type = models.CharField(max_length=20, default="technical")
    cc = ArrayField(models.EmailField(), default=list, blank=True)
    uploads = models.JSONField(default=dict, blank=True)
    # More of them than one were found at AWS: their numbers.
    doubles = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    # Why not, in AWS's code, where AWS refuses it.
    code = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(verb="create") | models.Q(case__isnull=False) | models.Q(opening__isnull=False),
                name="an_answer_has_a_case",
            )
        ]
        indexes = [models.Index(fields=["message"], name="sendings_of_message")]
