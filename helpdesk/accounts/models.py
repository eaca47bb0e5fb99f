"""People and the companies they belong to.

Staff have a role and no membership; everybody else has memberships and no role. A deferred constraint trigger keeps
that (migrations/0002). Rights are asked per (user, customer): see permissions.py.
"""

import uuid
from datetime import datetime
from typing import Any, Self
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class Language(models.TextChoices):
    CHINESE = "zh-hans", _("Chinese")
    ENGLISH = "en", _("English")


class StaffRole(models.TextChoices):
    ENGINEER = "engineer", _("Engineer")
    LEAD = "lead", _("Lead")
    ADMIN = "admin", _("Administrator")
    AUDITOR = "auditor", _("Auditor")


class CustomerRole(models.TextChoices):
    MEMBER = "member", _("Member")
    ADMIN = "admin", _("Company administrator")


class Currency(models.TextChoices):
    """What a support fee is agreed in."""

    CNY = "CNY", _("Chinese yuan")
    USD = "USD", _("US dollar")
    EUR = "EUR", _("Euro")
    GBP = "GBP", _("Pound sterling")
    HKD = "HKD", _("Hong Kong dollar")
    SGD = "SGD", _("Singapore dollar")


class AfterSend(models.TextChoices):
    """Where an engineer goes when a reply or a note is sent."""

    STAY = "stay", _("then stay here")
    NEXT = "next", _("then the next ticket")
    LIST = "list", _("then back to the list")


class News(models.TextChoices):
    """What an engineer hears of without asking."""

    ASSIGNED = "assigned", _("A ticket is assigned to me")
    REPLIED = "replied", _("A customer replies on a ticket of mine")
    SOON = "soon", _("A ticket of mine is due within the hour")
    NEW = "new", _("A new ticket arrives")


class Mail(models.TextChoices):
    """What somebody may do without: letters that tell them nothing they must act on (preferences.py)."""

    FILED = "filed", _("The receipt of a ticket I filed")
    REPLIES = "replies", _("An engineer or a colleague writes on a ticket of mine")
    CLOSINGS = "closings", _("A ticket of mine is closed")
    AWS = "aws", _("AWS writes on a ticket of mine, or its case moves on")
    ASSIGNED = "assigned", _("A ticket is assigned to me")
    MENTIONED = "mentioned", _("A colleague calls me in a note")
    MONTHS = "months", _("The report of a month")
    WARNING = "warning", _("A promise is in danger")
    FOLLOWED = "followed", _("Something happens on a ticket that I only follow")


MAILS_TO_CUSTOMERS = [Mail.FILED, Mail.REPLIES, Mail.AWS, Mail.CLOSINGS]
MAILS_TO_ADMINISTRATORS = [Mail.MONTHS]
MAILS_TO_THE_DESK = [Mail.ASSIGNED, Mail.MENTIONED, Mail.AWS, Mail.WARNING, Mail.FOLLOWED]


def all_news() -> list[str]:
    return [str(kind) for kind in News.values]


def check_zone(name: str) -> None:
    """Raises ValidationError unless `name` is an IANA time zone."""
    if name not in available_timezones():
        raise ValidationError(_("%(zone)s is not a time zone we know."), params={"zone": name})


HIDDEN_FROM = """
SELECT c.id FROM accounts_customer c WHERE c.restricted
AND NOT EXISTS (SELECT 1 FROM accounts_customerteam t WHERE t.customer_id = c.id AND t.user_id = %s)
"""


def hidden_from(user: "User") -> RawSQL:
    """The restricted customers whose team an engineer is not on, for an `__in`. Leads and administrators see every one.

    As text, because every statement of an engineer asks it and the ORM would build it anew each time.
    """
    return RawSQL(HIDDEN_FROM, [user.pk])  # noqa: S611, a fixed text with its parameter


# The customer that is ourselves (house.py): what is filed for it is nobody's outside, and no list of customers has it.
HOUSE = uuid.UUID("00000000-0000-4000-8000-000000000001")


class CustomerQuerySet(models.QuerySet["Customer"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def known_to(self, user: "User") -> Self:
        """The customers that a colleague may know of; whose people may know which, permissions.py says."""
        return self if user.sees_every_customer else self.exclude(pk__in=hidden_from(user))


class CustomerManager(models.Manager["Customer"]):
    """All customers but the house."""

    def get_queryset(self) -> models.QuerySet["Customer"]:
        return super().get_queryset().exclude(pk=HOUSE)


# What is agreed with a customer, besides what they are called.
CONTRACT = ["support_fee", "currency", "contract_number"]


class Customer(models.Model):
    """A company whose people file tickets. Its UUID is the API's `customer_id`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=80)
    code = models.CharField(_("code"), max_length=20, unique=True, help_text=_("Short, for lists and contracts."))
    language = models.CharField(_("language"), max_length=10, choices=Language.choices, default=Language.CHINESE)
    zone = models.CharField(_("time zone"), max_length=64, default="Asia/Shanghai", validators=[check_zone])
    members_see_all = models.BooleanField(
        _("members see all tickets"),
        default=False,
        help_text=_("Otherwise a member sees the tickets they filed or take part in."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    restricted = models.BooleanField(
        _("restricted"), default=False, help_text=_("Only leads, administrators and the engineers of its team see it.")
    )
    # What is agreed; credits are a share of the fee (sla/credits.py).
    support_fee = models.DecimalField(
        _("support fee a month"),
        max_digits=12,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(0)],
        help_text=_("Without AWS usage. Credits are a share of it."),
    )
    currency = models.CharField(_("currency"), max_length=3, choices=Currency.choices, default=Currency.CNY)
    contract_number = models.CharField(_("contract number"), max_length=40, blank=True)
    created_at = models.DateTimeField(_("created"), editable=False)

    objects = CustomerManager.from_queryset(CustomerQuerySet)()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ["name"]
        # Every list an engineer asks for leaves these out; mostly there are none.
        indexes = [models.Index(fields=["id"], condition=models.Q(restricted=True), name="restricted_customers")]
        constraints = [models.CheckConstraint(condition=models.Q(support_fee__gte=0), name="fee_is_not_negative")]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    def create_user(self, *, email: str, at: datetime, password: str | None = None, **fields: Any) -> "User":
        """A person; without a password nobody can log in as them until they set one."""
        user = self.model(email=self.normalize_email(email).lower(), created_at=at, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username or "")


class UserQuerySet(models.QuerySet["User"]):
    def people(self) -> Self:
        """Everybody but the service users that keys of companies act as."""
        return self.filter(is_service=False)

    def staff(self) -> Self:
        """People who work tickets: an auditor reads evidence and is not one of them."""
        return self.filter(is_active=True, staff_role__in=[StaffRole.ENGINEER, StaffRole.LEAD, StaffRole.ADMIN])


def key_of(number: int) -> str:
    """How history names the person of this number: no name, no address."""
    return f"user:{number}"


class User(AbstractBaseUser):
    """A person. Login is the mail address, in lower case; one field holds the name, in any script."""

    email = models.EmailField(_("mail address"), unique=True, max_length=254)
    name = models.CharField(_("name"), max_length=80)
    language = models.CharField(_("language"), max_length=10, choices=Language.choices, default=Language.CHINESE)
    zone = models.CharField(_("time zone"), max_length=64, default="Asia/Shanghai", validators=[check_zone])
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    staff_role = models.CharField(_("staff role"), max_length=10, choices=StaffRole.choices, null=True, blank=True)
    # Stands for a program of a company: can never log in and gets no letters.
    is_service = models.BooleanField(default=False, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), editable=False)
    # How they like to work (preferences.py): columns, so that no page asks for them twice.
    shortcuts = models.BooleanField(default=True, editable=False)
    after_send = models.CharField(max_length=10, choices=AfterSend.choices, default=AfterSend.STAY, editable=False)
    news = ArrayField(models.CharField(max_length=10), default=all_news, editable=False)
    notify = models.BooleanField(default=False, editable=False)
    # What they do without, so that a kind which is new is heard of by everybody.
    no_mail = ArrayField(models.CharField(max_length=10), default=list, editable=False)

    objects = UserManager.from_queryset(UserQuerySet)()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        # Colleagues are few among many customers' people, and each new ticket asks who they are.
        indexes = [models.Index(fields=["id"], condition=models.Q(staff_role__isnull=False), name="colleagues")]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="one_person_per_address"),
            models.CheckConstraint(
                condition=models.Q(staff_role__in=StaffRole.values) | models.Q(staff_role=None), name="known_staff_role"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """How history names this person: no name, no address."""
        return key_of(self.pk)

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def is_desk(self) -> bool:
        """Works tickets: engineer, lead or admin."""
        return self.is_active and self.staff_role in (StaffRole.ENGINEER, StaffRole.LEAD, StaffRole.ADMIN)

    @property
    def sees_every_customer(self) -> bool:
        """Leads and administrators; an engineer does not see a restricted one unless on its team."""
        return self.is_active and self.staff_role in (StaffRole.LEAD, StaffRole.ADMIN)

    # What Django's admin asks. Its rights are ours: an admin, and nobody else.
    @property
    def is_staff(self) -> bool:
        return self.is_active and self.staff_role == StaffRole.ADMIN

    @property
    def is_superuser(self) -> bool:
        return False

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff


class Membership(models.Model):
    """That a person belongs to a customer, and as what. Deactivated, never deleted."""

    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=CustomerRole.choices, default=CustomerRole.MEMBER)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "customer"], name="one_membership_per_customer"),
            models.CheckConstraint(condition=models.Q(role__in=CustomerRole.values), name="known_customer_role"),
        ]


class CustomerTeam(models.Model):
    """That a colleague looks after a customer: sees it where it is restricted, and is its engineer where `named`."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="team")
    user = models.ForeignKey(User, models.CASCADE, related_name="teams", db_index=False)
    named = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "customer"], name="once_on_a_team")]


class Invitation(models.Model):
    """A way in for one person: a link that works once, until it expires. Only its hash is stored."""

    token_hash = models.CharField(max_length=64, unique=True)
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=80)
    language = models.CharField(max_length=10, choices=Language.choices)
    zone = models.CharField(max_length=64)
    staff_role = models.CharField(max_length=10, choices=StaffRole.choices, null=True)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True)
    customer_role = models.CharField(max_length=10, choices=CustomerRole.choices, null=True)
    invited_by = models.ForeignKey(User, models.PROTECT, related_name="invitations")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # Staff or customer's person, never both and never neither.
            models.CheckConstraint(
                condition=models.Q(staff_role__isnull=False, customer=None, customer_role=None)
                | models.Q(staff_role=None, customer__isnull=False, customer_role__isnull=False),
                name="invited_to_one_side",
            )
        ]


class Once(models.Model):
    """That a write was made, and how it was answered: the same key again gets the same answer (doors.py)."""

    owner = models.CharField(max_length=80)
    key = models.CharField(max_length=200)
    path = models.CharField(max_length=300)
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="once_per_owner_and_key")]


class ApiKey(models.Model):
    """A way in for programs. The secret is shown once; what lies here is its hash.

    `user` is who it acts as: the person whose key it is, or the service user of the company whose key it is.
    """

    prefix = models.CharField(max_length=12, unique=True)
    secret_hash = models.CharField(max_length=64)
    name = models.CharField(_("name"), max_length=80)
    user = models.ForeignKey(User, models.PROTECT, related_name="api_keys")
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="api_keys")
    may_write = models.BooleanField(default=False)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    @property
    def scopes(self) -> list[str]:
        return ["tickets:read", "tickets:write"] if self.may_write else ["tickets:read"]

    def works_at(self, at: datetime) -> bool:
        """Whether the key itself is still good at an instant; whether its person is, the caller asks."""
        return self.revoked_at is None and at < self.expires_at
