"""What people say of a breach after it happened: why, what changes, whether it counts, and that we are sorry.

The breach itself is never touched. Each word about it is a row that is only ever added: a cause may be written again,
and the newest number counts; an excusal is proposed by one person and approved by another, and a breach is excused
where its `Excusal` stands, from its `at` on. Figures are gross first, and net without the excused (sla.md).
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from helpdesk.accounts.models import User
from sla.models.kept import Kept


class Why(models.TextChoices):
    """Kinds of causes, so that they can be counted; the words beside them say what happened."""

    LATE_START = "late_start", _("Started too late")
    HANDOVER = "handover", _("Lost in a handover")
    WORKLOAD = "workload", _("Too much at once")
    KNOWLEDGE = "knowledge", _("Knowledge was missing")
    SUPPLIER = "supplier", _("Waited for AWS")
    CUSTOMER = "customer", _("Waited for the customer")
    PRIORITY = "priority", _("The priority was raised")
    TOOLS = "tools", _("A tool failed")
    OTHER = "other", _("Something else")


class Reason(models.TextChoices):
    """Why a breach does not count: the contract names these and no others."""

    FORCE_MAJEURE = "force_majeure", _("Force majeure")
    AWS_EVENT = "aws_event", _("An AWS event")
    CUSTOMER_DELAY = "customer_delay", _("Delay of the customer")
    WRONG_PRIORITY = "wrong_priority", _("The priority was wrong")
    OTHER = "other", _("Another reason")


class BreachCause(Kept):
    """Why a promise was broken, and what changes so that it is kept the next time. The newest number counts."""

    breach = models.ForeignKey("sla.Breach", models.PROTECT, related_name="causes", db_index=False)
    number = models.PositiveSmallIntegerField()
    cause = models.CharField(max_length=20, choices=Why.choices)
    words = models.CharField(max_length=2000)
    corrective_action = models.CharField(max_length=2000)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["breach", "number"], name="cause_number"),
            models.CheckConstraint(condition=~models.Q(words="") & ~models.Q(corrective_action=""), name="cause_said"),
        ]

    def __str__(self) -> str:
        return f"{self.breach_id}: {self.cause}"


# What an excusal needs besides its reason.
SAID = ~models.Q(reason=Reason.OTHER) | ~models.Q(note="")
NAMED = ~models.Q(reason=Reason.AWS_EVENT) | ~models.Q(arn="")


class Excuse(Kept):
    """What a proposal and an excusal say alike. `note` is for the staff, `arn` names the AWS event."""

    reason = models.CharField(max_length=20, choices=Reason.choices)
    note = models.CharField(max_length=2000, blank=True)
    arn = models.CharField(max_length=300, blank=True)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        abstract = True


class ExcusalProposal(Excuse):
    """Somebody asks that a breach shall not count. It waits until it is approved or declined."""

    breach = models.ForeignKey("sla.Breach", models.PROTECT, related_name="proposals", db_index=False)
    number = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["breach", "number"], name="proposal_number"),
            models.CheckConstraint(condition=SAID, name="proposal_said"),
            models.CheckConstraint(condition=NAMED, name="proposal_names_event"),
        ]

    def __str__(self) -> str:
        return f"{self.breach_id}: {self.reason}"


class ExcusalDeclined(Kept):
    """Somebody else looked at a proposal and said no."""

    proposal = models.OneToOneField(ExcusalProposal, models.PROTECT, related_name="declined")
    note = models.CharField(max_length=2000)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.proposal_id}"


class Excusal(Excuse):
    """A breach that does not count in net figures, from `at` on: the proposal's words, approved by somebody else."""

    breach = models.OneToOneField("sla.Breach", models.PROTECT, related_name="excusal")
    approver = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=SAID, name="excusal_said"),
            models.CheckConstraint(condition=NAMED, name="excusal_names_event"),
            models.CheckConstraint(condition=~models.Q(approver=models.F("asked_by")), name="excusal_second_person"),
        ]

    def __str__(self) -> str:
        return f"{self.breach_id}: {self.reason}"


class Apology(Kept):
    """That a public word to the customer was the apology for a breach. `message` is the number of that word."""

    breach = models.ForeignKey("sla.Breach", models.PROTECT, related_name="apologies", db_index=False)
    message = models.PositiveBigIntegerField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["breach", "message"], name="one_apology_a_word")]

    def __str__(self) -> str:
        return f"{self.breach_id}: {self.message}"
