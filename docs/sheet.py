"""What the figures of a document are read from (figures.py): a version of the policy with its rows."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from helpdesk import site
from helpdesk.models import SiteSettings
from sla.billing_defaults import BILLING
from sla.changes import cells_of, targets_of
from sla.clock import Target as Limits
from sla.definitions import definitions_of, meanings
from sla.models import CalendarVersion, MatrixCell, Plan, PolicyVersion, Target


@dataclass
class Sheet:
    """What the figures of one document are read from; each kind of row is read once, where a text needs it.

    `plan` is the code of the plan whose targets are told; a document tells those of the default one.
    """

    policy: PolicyVersion
    at: datetime
    plan: str = ""

    @cached_property
    def house(self) -> SiteSettings:
        return site.current()

    @cached_property
    def targets(self) -> list[Target]:
        return [row for row in self.all_targets if row.plan == self.chosen]

    @cached_property
    def all_targets(self) -> list[Target]:
        return targets_of(self.policy)

    @cached_property
    def plans(self) -> list[Plan]:
        """The plans of the version, the default one first."""
        found = {row.plan_id: row.plan for row in self.all_targets}
        return sorted(found.values(), key=lambda plan: (not plan.is_default, plan.code))

    @cached_property
    def chosen(self) -> Plan:
        return next((plan for plan in self.plans if plan.code == self.plan), self.plans[0])

    @cached_property
    def cells(self) -> list[MatrixCell]:
        return [cell for cell in self._all_cells if not cell.impact.category]

    @cached_property
    def billing_cells(self) -> list[MatrixCell]:
        return [cell for cell in self._all_cells if cell.impact.category == BILLING]

    @cached_property
    def _all_cells(self) -> list[MatrixCell]:
        return cells_of(self.policy)

    @cached_property
    def billing(self) -> list[tuple[Target, str]]:
        """Each target with what its priority means for tickets about bills."""
        own = [row for row in definitions_of(self.policy) if row.category == BILLING]
        return meanings(self.targets, own)

    @cached_property
    def calendar(self) -> CalendarVersion:
        """Of the plan that is told: its own, else the default one."""
        own = self.chosen.calendar_id
        return next(one for one in self.calendars if (one.calendar_id == own if own else one.calendar.is_default))

    @cached_property
    def calendars(self) -> list[CalendarVersion]:
        """The version in force of each calendar, the default one first."""
        found = CalendarVersion.objects.in_force(max(self.at, self.policy.effective_at)).select_related("calendar")
        order = ("-calendar__is_default", "calendar__code")
        return list(found.order_by(*order, "-number").distinct("calendar__is_default", "calendar__code"))

    @cached_property
    def versions(self) -> list[PolicyVersion]:
        """This version and those before it, the newest first."""
        found = PolicyVersion.objects.filter(number__lte=self.policy.number)
        return list(found.select_related("author", "approver").order_by("-number"))

    @cached_property
    def limits(self) -> dict[str, Limits]:
        """Seconds promised, for sla.clock.compute."""
        return {
            row.priority.code: Limits(row.response_time_minutes * 60, row.resolution_time_hours * 3600)
            for row in self.targets
        }
