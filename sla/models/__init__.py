"""Promises, stopwatches and what came of them.

A policy version and a calendar version are written once: drafts may change, a trigger refuses any later change but the
step to the next state. A ticket keeps the versions it was opened under. `Clock` is a stopwatch that does not know what
it times: it holds the subject as text and stores what sla/clock.py computed from the history. A `Breach` is written
once and stays, whatever becomes of the clock; so does a `Warning`. What people say of a breach later stands in rows of
its own (register.py).
"""

from datetime import datetime
from typing import Self

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from helpdesk.accounts.models import Customer, User
from sla.models.assignments import PlanAssignment as PlanAssignment
from sla.models.kept import Kept, M
from sla.models.months import CreditRow as CreditRow
from sla.models.months import MonthFile as MonthFile
from sla.models.months import MonthReport as MonthReport
from sla.models.months import Settlement as Settlement
from sla.models.register import Apology as Apology
from sla.models.register import BreachCause as BreachCause
from sla.models.register import Excusal as Excusal
from sla.models.register import ExcusalDeclined as ExcusalDeclined
from sla.models.register import ExcusalProposal as ExcusalProposal


class Bilingual(models.Model):
    """A row with a label in both languages; `label` is the reader's."""

    label_zh = models.CharField(_("label in Chinese"), max_length=80)
    label_en = models.CharField(_("label in English"), max_length=80)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        return self.label_zh if (get_language() or "").startswith("zh") else self.label_en


class Plan(Bilingual):
    """A tier of support: a set of targets a customer has bought, in the hours of its calendar.

    Without a calendar of its own it has the default one. A retired one is sold no more; who has it keeps it to the end.
    """

    code = models.SlugField(_("code"), max_length=20, unique=True)
    is_default = models.BooleanField(_("default"), default=False)
    calendar = models.ForeignKey("Calendar", models.PROTECT, null=True, blank=True, verbose_name=_("calendar"))
    retired = models.BooleanField(_("retired"), default=False)

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["-is_default", "code"]
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=models.Q(is_default=True), name="one_default_plan")
        ]


class Priority(Bilingual):
    """A level of urgency. Rows, so that a partner may run P0 to P4; rank 1 is the most urgent.

    The next version of the policy names those that are not retired; a ticket keeps what its own version names.
    """

    code = models.SlugField(_("code"), max_length=20, unique=True)
    rank = models.PositiveSmallIntegerField(_("rank"), validators=[MinValueValidator(1)])
    retired = models.BooleanField(_("retired"), default=False)

    class Meta:
        verbose_name = _("priority")
        verbose_name_plural = _("priorities")
        ordering = ["rank", "retired", "code"]
        constraints = [
            models.UniqueConstraint(fields=["rank"], condition=models.Q(retired=False), name="one_priority_of_a_rank")
        ]

    @property
    def icon(self) -> str:
        """The shape that says it without colour (looks.md): from rank 4 on they share one."""
        return {1: "p-critical", 2: "p-high", 3: "p-medium"}.get(self.rank, "p-low")


class Impact(Bilingual):
    """An answer to "how large is the impact?", in the policy's words.

    A category that has answers of its own is asked with those alone; the rest, with those of no category.
    """

    code = models.SlugField(max_length=20, unique=True)
    rank = models.PositiveSmallIntegerField(unique=True)
    category = models.CharField(_("category"), max_length=20, blank=True)
    hint_zh = models.CharField(_("explanation in Chinese"), max_length=200)
    hint_en = models.CharField(_("explanation in English"), max_length=200)

    class Meta:
        verbose_name = _("answer about the impact")
        verbose_name_plural = _("answers about the impact")
        ordering = ["rank"]

    @property
    def hint(self) -> str:
        return self.hint_zh if (get_language() or "").startswith("zh") else self.hint_en


class Urgency(Bilingual):
    """An answer to "how urgent is it?"."""

    code = models.SlugField(max_length=20, unique=True)
    rank = models.PositiveSmallIntegerField(unique=True)
    hint_zh = models.CharField(max_length=200)
    hint_en = models.CharField(max_length=200)

    class Meta:
        ordering = ["rank"]

    hint = Impact.hint


class State(models.TextChoices):
    DRAFT = "draft", _("draft")
    SUBMITTED = "submitted", _("submitted")
    PUBLISHED = "published", _("published")


class VersionQuerySet(models.QuerySet[M]):
    def in_force(self, at: datetime) -> Self:
        """The published versions effective by `at`, the one in force first."""
        return self.filter(state=State.PUBLISHED, effective_at__lte=at).order_by("-number")


class Version(models.Model):
    """What policy and calendar versions share. In force at T is the highest number with effective_at <= T."""

    number = models.PositiveIntegerField(_("number"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT)
    author = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("author"))
    approver = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("approver"))
    effective_at = models.DateTimeField(_("effective from"))
    published_at = models.DateTimeField(_("published"), null=True)

    class Meta:
        abstract = True


class PolicyVersion(Version):
    """One edition of the promises: targets per plan and priority, and the matrix that proposes a priority."""

    objects = VersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("policy version")
        verbose_name_plural = _("policy versions")
        constraints = [
            models.UniqueConstraint(fields=["number"], name="policy_number"),
            models.CheckConstraint(
                condition=models.Q(author=None) | ~models.Q(author=models.F("approver")), name="policy_second_person"
            ),
        ]

    def __str__(self) -> str:
        return str(self.number)


class Target(models.Model):
    """What is promised for one plan and priority. Column names are the checklist's (sla_config)."""

    policy = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="targets")
    plan = models.ForeignKey(Plan, models.PROTECT)
    priority = models.ForeignKey(Priority, models.PROTECT, verbose_name=_("priority"))
    response_time_minutes = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    resolution_time_hours = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    update_minutes = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    description_zh = models.CharField(max_length=200)
    description_en = models.CharField(max_length=200)

    class Meta:
        verbose_name = _("target")
        verbose_name_plural = _("targets")
        constraints = [models.UniqueConstraint(fields=["policy", "plan", "priority"], name="one_target")]

    def __str__(self) -> str:
        return self.priority.label

    @property
    def description(self) -> str:
        return self.description_zh if (get_language() or "").startswith("zh") else self.description_en


class MatrixCell(models.Model):
    """The priority that one pair of answers proposes."""

    policy = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="matrix")
    impact = models.ForeignKey(Impact, models.PROTECT, verbose_name=_("impact"))
    urgency = models.ForeignKey(Urgency, models.PROTECT, verbose_name=_("urgency"))
    priority = models.ForeignKey(Priority, models.PROTECT, verbose_name=_("priority"))

    class Meta:
        verbose_name = _("cell of the matrix")
        verbose_name_plural = _("cells of the matrix")
        constraints = [models.UniqueConstraint(fields=["policy", "impact", "urgency"], name="one_cell")]

    def __str__(self) -> str:
        return f"{self.impact.label} × {self.urgency.label}"


class Definition(models.Model):
    """What a priority means for the tickets of one category, where it is not what its target says."""

    policy = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="definitions")
    category = models.CharField(_("category"), max_length=20)
    priority = models.ForeignKey(Priority, models.PROTECT, verbose_name=_("priority"))
    description_zh = models.CharField(_("definition in Chinese"), max_length=200)
    description_en = models.CharField(_("definition in English"), max_length=200)

    class Meta:
        verbose_name = _("definition of a category")
        verbose_name_plural = _("definitions of a category")
        constraints = [models.UniqueConstraint(fields=["policy", "category", "priority"], name="one_definition")]

    def __str__(self) -> str:
        return f"{self.category}: {self.priority.label}"

    @property
    def description(self) -> str:
        return self.description_zh if (get_language() or "").startswith("zh") else self.description_en


class Calendar(Bilingual):
    """Working hours by name; its editions hold the hours."""

    code = models.SlugField(_("code"), max_length=20, unique=True)
    is_default = models.BooleanField(_("default"), default=False)

    class Meta:
        verbose_name = _("calendar")
        verbose_name_plural = _("calendars")
        ordering = ["-is_default", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="one_default_calendar"
            )
        ]


class CalendarVersion(Version):
    """One edition of a calendar.

    `rules` is {"kind": "24x7"}, or {"kind": "hours"} with what sla/hours.py reads and, under "names", what the
    exceptions are called, by date. `known_until` is the last day whose exceptions are published; a calendar that
    keeps no holidays has none.
    """

    calendar = models.ForeignKey(Calendar, models.PROTECT, related_name="versions", verbose_name=_("calendar"))
    zone = models.CharField(_("time zone"), max_length=64)
    rules = models.JSONField()
    known_until = models.DateField(_("holidays known until"), null=True, blank=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("calendar version")
        verbose_name_plural = _("calendar versions")
        constraints = [
            models.UniqueConstraint(fields=["calendar", "number"], name="calendar_number"),
            models.CheckConstraint(
                condition=models.Q(author=None) | ~models.Q(author=models.F("approver")), name="calendar_second_person"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.calendar.code} {self.number}"


class Kind(models.TextChoices):
    """What a clock times. Attainment and credits count PROMISED; updates are listed apart, OLA clocks are internal."""

    RESPONSE = "response", _("First response")
    RESOLUTION = "resolution", _("Resolution")
    UPDATE = "update", _("Regular update")
    OLA_ASSIGN = "ola_assign", _("Internal: assigned")
    OLA_CASE = "ola_case", _("Internal: AWS case opened")
    OLA_RELAY = "ola_relay", _("Internal: AWS reply relayed")


PROMISED = (Kind.RESPONSE, Kind.RESOLUTION)
# What a customer is promised and may see.
OUTWARD = (*PROMISED, Kind.UPDATE)
INTERNAL = (Kind.OLA_ASSIGN, Kind.OLA_CASE, Kind.OLA_RELAY)


class Verdict(models.TextChoices):
    OPEN = "open", _("open")
    PAUSED = "paused", _("paused")
    MET = "met", _("met")
    BREACHED = "breached", _("breached")
    NOT_APPLICABLE = "n/a", _("not applicable")


class Clock(models.Model):
    """A stored result of sla.clock.compute. The report columns are the ticket's, frozen when the clock is decided."""

    subject = models.CharField(max_length=80)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    cycle = models.PositiveIntegerField(default=1)
    # An exercise: it counts nowhere.
    drill = models.BooleanField(default=False)
    customer = models.ForeignKey(Customer, models.PROTECT, db_index=False)
    target_s = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    breached_at = models.DateTimeField(null=True)
    # When it was paused or came not to apply: such a clock is listed in that window, not in the one of a due time.
    set_aside_at = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    next_event_at = models.DateTimeField(null=True)
    running_s = models.PositiveBigIntegerField(default=0)
    paused_s = models.PositiveBigIntegerField(default=0)
    remaining_s = models.PositiveBigIntegerField(null=True)
    cause = models.CharField(max_length=30, blank=True)
    priority = models.CharField(max_length=20)
    category = models.CharField(max_length=20)
    engineer = models.CharField(max_length=80, blank=True)
    source = models.CharField(max_length=20)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "kind", "cycle"], name="one_clock_per_cycle"),
            # A cycle not completed yet is the only one: no two stopwatches run for one promise.
            models.UniqueConstraint(
                fields=["subject", "kind"], condition=models.Q(completed_at=None), name="one_running_clock"
            ),
            models.CheckConstraint(condition=models.Q(verdict__in=Verdict.values), name="known_verdict"),
        ]
        indexes = [
            models.Index(
                fields=["next_event_at", "id"], condition=models.Q(next_event_at__isnull=False), name="clocks_to_sweep"
            ),
            # What a report counts is read from the index alone; a clock that still runs pays nothing for it.
            models.Index(
                fields=["due_at", "id"],
                include=["kind", "verdict", "customer", "priority", "category", "engineer", "source"],
                condition=models.Q(verdict__in=["met", "breached"], drill=False),
                name="clocks_decided",
            ),
            models.Index(
                fields=["customer", "due_at", "id"],
                condition=models.Q(verdict__in=["met", "breached"], drill=False),
                name="clocks_decided_of",
            ),
            models.Index(fields=["due_at", "id"], condition=models.Q(verdict="open"), name="clocks_open"),
            models.Index(fields=["due_at", "id"], condition=models.Q(drill=True), name="clocks_of_drills"),
            models.Index(
                fields=["set_aside_at", "id"], condition=models.Q(set_aside_at__isnull=False), name="clocks_set_aside"
            ),
        ]


class Breach(Kept):
    """That a promise was broken: the due time that was missed, under which target and policy, and when it was seen."""

    clock = models.OneToOneField(Clock, models.PROTECT, related_name="breach")
    subject = models.CharField(max_length=80)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    priority = models.CharField(max_length=20)
    target_s = models.PositiveIntegerField()
    # The number people know the policy version by.
    policy = models.PositiveIntegerField()
    due_at = models.DateTimeField()
    breached_at = models.DateTimeField()
    detected_at = models.DateTimeField()
    cause = models.CharField(max_length=30, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["subject"], name="breaches_of_subject"),
            # The register, newest first, of everybody and of one customer.
            models.Index(fields=["breached_at", "id"], name="breaches_in_order"),
            models.Index(fields=["customer", "breached_at", "id"], name="breaches_of_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.kind}"


class Warning(Kept):
    """That so much of a target was used, at `at`, and seen then or later; nobody was told of what is `superseded`."""

    clock = models.ForeignKey(Clock, models.PROTECT, related_name="warnings", db_index=False)
    target_s = models.PositiveIntegerField()
    percent = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    detected_at = models.DateTimeField()
    superseded = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clock", "target_s", "percent"], name="warned_once")]

    def __str__(self) -> str:
        return f"{self.clock} {self.percent} %"
