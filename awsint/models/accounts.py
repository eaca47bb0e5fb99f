"""Whose AWS we look after: hubs (ours, one a partition), organizations and accounts (customers')."""

from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from awsint.shapes import Place
from helpdesk.accounts.models import Customer, User, hidden_from
from helpdesk.jobs.models import Job

if TYPE_CHECKING:
    from awsint.models.reading import Poll

TWELVE_DIGITS = RegexValidator(r"\A[0-9]{12}\Z", _("An AWS account number has 12 digits."))


class Partition(models.TextChoices):
    AWS = "aws", _("AWS")
    CHINA = "aws-cn", _("AWS China")
    GOV = "aws-us-gov", _("AWS GovCloud")


class State(models.TextChoices):
    """Whether an account can be read."""

    NEW = "NEW", _("not read yet")
    OK = "OK", _("read")
    ACCESS_DENIED = "ACCESS_DENIED", _("access denied")
    NO_PLAN = "NO_PLAN", _("no support plan")
    THROTTLED = "THROTTLED", _("throttled")
    ERROR = "ERROR", _("error")


class SupportModel(models.TextChoices):
    """Who is responsible for AWS support of an account."""

    RESOLD = "resold", _("resold support")
    PARTNER_LED = "partner_led", _("partner-led support")
    KEPT = "kept", _("the customer's own plan")


class Hub(models.Model):
    """Our own place in a partition: where roles are assumed from and where events arrive.

    `profile` names a profile of the machine's AWS configuration; empty takes the machine's own identity. No credential
    is stored.
    """

    partition = models.CharField(max_length=12, choices=Partition.choices, unique=True)
    account_number = models.CharField(max_length=12, validators=[TWELVE_DIGITS])
    region = models.CharField(max_length=30)
    principal_arn = models.CharField(max_length=200)
    profile = models.CharField(max_length=64, blank=True)
    bus_arn = models.CharField(max_length=300, blank=True)
    queue_url = models.CharField(max_length=300, blank=True)
    dead_queue_url = models.CharField(max_length=300, blank=True)
    health_queue_url = models.CharField(max_length=300, blank=True)
    health_dead_queue_url = models.CharField(max_length=300, blank=True)
    # Where we host the templates of deploy/aws, if anywhere: then the console opens with everything filled in.
    template_url = models.CharField(max_length=300, blank=True)
    is_active = models.BooleanField(default=True)
    # Since when nothing of the partition can be read, because our own identity or clock is refused (notices.py).
    down_since = models.DateTimeField(null=True)
    down_code = models.CharField(max_length=80, blank=True)
    down_reason = models.TextField(blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.get_partition_display()


class Organization(models.Model):
    """An AWS organization: the partner's own, whose accounts belong to many customers, or one customer's."""

    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="+")
    name = models.CharField(max_length=80)
    organization_id = models.CharField(max_length=34, blank=True)
    partition = models.CharField(max_length=12, choices=Partition.choices, default=Partition.AWS)
    # Whose word counts for the organization: the management account or a delegated administrator.
    account_number = models.CharField(max_length=12, validators=[TWELVE_DIGITS])
    role_arn = models.CharField(max_length=200)
    external_id = models.CharField(max_length=64, unique=True)
    is_active = models.BooleanField(default=True)
    # The job that listed its members last.
    listing = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+", db_index=False)
    # Regions in use beside those that every partition needs: AWS Health has a rule in each (setup.py).
    health_regions = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    # The job that looked at the set-up of AWS Health last, or carried it out.
    setup = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partition", "account_number"], name="one_organization_an_account")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def place(self) -> Place:
        return Place(self.account_number, self.partition, self.role_arn, self.external_id)


class AccountQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """The accounts of the customers that somebody of the desk may see; an auditor sees all, by code only."""
        if user.sees_every_customer or user.staff_role == "auditor":
            return self
        return self.exclude(customer__in=hidden_from(user)) if user.is_desk else self.none()

    def connected(self) -> Self:
        """Those that are read: nothing comes from an account before it was proved to let us in as its own (A-01)."""
        return self.filter(is_active=True, proved_at__isnull=False, customer__is_active=True)


class Account(models.Model):
    """An AWS account that we look after. Its role is in the account, its ExternalId is made by us."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    organization = models.ForeignKey(Organization, models.PROTECT, null=True, blank=True, related_name="+")
    number = models.CharField(max_length=12, validators=[TWELVE_DIGITS])
    partition = models.CharField(max_length=12, choices=Partition.choices, default=Partition.AWS)
    name = models.CharField(max_length=80)
    role_arn = models.CharField(max_length=200)
    # 128 bits or more, made by us, one an account (aws.md, 4.12). Shown once.
    external_id = models.CharField(max_length=64, unique=True)
    external_id_shown_at = models.DateTimeField(null=True)
    # The one that takes its place once the role asks for it: until then we are let in with the old one.
    next_external_id = models.CharField(max_length=64, unique=True, null=True)
    # Whether its role lets us write: open cases, answer, resolve.
    may_write = models.BooleanField(default=False)
    support_model = models.CharField(max_length=12, choices=SupportModel.choices, default=SupportModel.KEPT)
    model_from = models.DateField(null=True, blank=True)
    model_until = models.DateField(null=True, blank=True)
    # Severity codes that AWS offered it last, the lowest first; the plan is only ever seen through them.
    severities = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    severities_at = models.DateTimeField(null=True)
    # What runs there, in the desk's words: "production" and "business-critical" have a meaning.
    workload = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    # Who files what is found there; without one a company's administrator.
    contact = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    is_active = models.BooleanField(default=True)
    # How we proved that the customer's account lets us in: the last successful test.
    proved_at = models.DateTimeField(null=True)
    # The job that tested the connection last.
    test = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()

    objects = AccountQuerySet.as_manager()

    if TYPE_CHECKING:
        poll: Poll

    class Meta:
        constraints = [models.UniqueConstraint(fields=["partition", "number"], name="one_row_an_account")]
        indexes = [models.Index(fields=["customer", "id"], name="accounts_of_customer")]

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"

    @property
    def place(self) -> Place:
        return Place(self.number, self.partition, self.role_arn, self.external_id)

    @property
    def is_production(self) -> bool:
        return "production" in self.workload or self.is_business_critical

    @property
    def is_business_critical(self) -> bool:
        return "business-critical" in self.workload


class Setting(models.Model):
    """How a customer wants to hear of what AWS says. Without a row: at once, with AWS's words."""

    customer = models.OneToOneField(Customer, models.CASCADE, primary_key=True, related_name="+")
    # The customer is told that AWS wrote, and reads it once an engineer has.
    notice_only = models.BooleanField(default=False)
    # What AWS Health says to them is one level more pressing (the rule VIP).
    vip = models.BooleanField(default=False)
    # So many days ahead they are told of planned changes, where AWS tells us in time (planned.py).
    lead_days = models.PositiveSmallIntegerField(default=7)
