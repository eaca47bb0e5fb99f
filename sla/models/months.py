"""What a month came to for a customer, as it was known on the day it was frozen: rows that are only ever added.

A report holds everything it says in `data`, and its digest is over the canonical text of that (sla/months.py). The
reports of one customer are numbered, and each names the digest of the one before. What the clocks say later is shown
beside a report as a restatement and never written into it.
"""

from django.db import models

from helpdesk.accounts.models import Customer, Language, User
from sla.models.kept import Kept


class MonthReport(Kept):
    """One customer's month. `month` is its first day; `no` counts this customer's reports from 1 without a gap."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+", db_index=False)
    month = models.DateField()
    no = models.PositiveIntegerField()
    frozen_at = models.DateTimeField()
    data = models.JSONField()
    sha256 = models.CharField(max_length=64)
    # The digest of the report before; empty for the first.
    prev = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "month"], name="one_report_a_month"),
            models.UniqueConstraint(fields=["customer", "no"], name="reports_of_customer_in_order"),
        ]
        # The list of months goes by this.
        indexes = [models.Index(fields=["-month", "customer"], name="reports_by_month")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class CreditRow(Kept):
    """What a month is worth to the customer: being written is the claim (sla/credits.py)."""

    report = models.OneToOneField(MonthReport, models.PROTECT, related_name="credit")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+", db_index=False)
    month = models.DateField()
    fee = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    percent = models.PositiveSmallIntegerField()
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    # Net attainment as a fraction, met of decided; the gross number of breaches beside it.
    met = models.PositiveIntegerField()
    decided = models.PositiveIntegerField()
    breached_gross = models.PositiveIntegerField()
    critical_breached = models.BooleanField()
    # Of the report it was reckoned from.
    sha256 = models.CharField(max_length=64)

    class Meta:
        indexes = [
            models.Index(fields=["-month", "customer"], name="credits_by_month"),
            models.Index(fields=["customer", "-month"], name="credits_of_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.amount} {self.currency}"


class Settlement(Kept):
    """That a credit was deducted: on which invoice, by whom, when."""

    credit = models.OneToOneField(CreditRow, models.PROTECT, related_name="settlement")
    invoice = models.CharField(max_length=60)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.invoice


class MonthFile(Kept):
    """A report as PDF in one language, made once and kept in the storage under `key`."""

    report = models.ForeignKey(MonthReport, models.PROTECT, related_name="files", db_index=False)
    language = models.CharField(max_length=10, choices=Language.choices)
    key = models.CharField(max_length=32)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "language"], name="one_file_a_language")]

    def __str__(self) -> str:
        return f"{self.report} {self.language}"
