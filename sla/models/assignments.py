"""Which plan a customer has bought, from when until when."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from helpdesk.accounts.models import Customer


class PlanAssignment(models.Model):
    """A plan of a customer in [from_at, until_at), without end where that is null.

    A customer has one plan at a time: a trigger refuses what overlaps. Without any, they have the default plan.
    """

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="plans", verbose_name=_("customer"))
    plan = models.ForeignKey("sla.Plan", models.PROTECT, related_name="assignments", verbose_name=_("plan"))
    from_at = models.DateTimeField(_("from"))
    until_at = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("plan of a customer")
        verbose_name_plural = _("plans of customers")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(until_at=None) | models.Q(until_at__gt=models.F("from_at")),
                name="plan_ends_after_it_begins",
            )
        ]
        indexes = [
            models.Index(fields=["until_at", "id"], condition=models.Q(until_at__isnull=False), name="plans_that_end")
        ]

    def __str__(self) -> str:
        return f"{self.customer} – {self.plan}"
