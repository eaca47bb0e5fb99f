"""Who has to do with a ticket: whose work it is and why, who reads along, follows or is called, and how it went."""

from typing import Any

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from helpdesk.accounts.models import Customer, Language, User
from tickets.assignment import Candidate, of_row
from tickets.models.said import Message
from tickets.models.ticket import Ticket


class Score(models.TextChoices):
    GOOD = "good", _("Good")
    OKAY = "okay", _("Okay")
    BAD = "bad", _("Bad")


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


class Told(models.JSONField):
    """JSON that is kept as it was written: nobody asks into it, and the database need not take it to pieces."""

    def db_type(self, connection: Any) -> str:
        return "json"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        # The driver reads this type by itself.
        return value


class AssignmentDecision(models.Model):
    """To whom a ticket went and why, all of it as it stood then; only ever added to (a trigger sees to it).

    By the rule: `inputs` is what was asked of whom, `candidates` how each fared, both as rows under one head
    ("columns"), and the sentences name people by key, so that whoever is erased is gone from them too. By hand:
    `manual_by` and, in an internal note, the `reason`.
    """

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="decisions", db_index=False)
    at = models.DateTimeField()
    algorithm = models.CharField(max_length=20)
    inputs = Told(default=dict)
    candidates = Told(default=dict)
    winner = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    runner_up = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    sentence_zh = models.TextField(blank=True)
    sentence_en = models.TextField(blank=True)
    manual_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    reason = models.ForeignKey(Message, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        indexes = [models.Index(fields=["ticket", "-id"], name="decisions_of_ticket")]

    @property
    def fared(self) -> list[Candidate]:
        """How everybody fared, in the order they were asked; empty where a person decided."""
        return [of_row(row, self.candidates["columns"]) for row in self.candidates.get("rows", [])]


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
