"""A customer's plan that ends with none to follow: lead and manager are told 60, 30 and 7 days before, once each.

From its last instant on the customer would have the default plan, which may promise less than they are used to.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from helpdesk.accounts.models import Customer
from helpdesk.outbox.content import Content
from helpdesk.outbox.models import Letter
from sla.models import Plan, PlanAssignment
from sla.reminders import MARKS, reader, remind

DAY = timedelta(days=1)
KIND = "plan.ends"
TOLD = ("lead", "admin")
# When the sample of the previews is written.
AT = datetime(2026, 11, 1, 1, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Ending:
    """An assignment that ends in so many days, begun ones counted whole."""

    assignment: PlanAssignment
    days: int

    @property
    def row(self) -> PlanAssignment:
        return self.assignment

    @property
    def subject(self) -> str:
        # The end belongs to it: who is promised a later one is told of that anew.
        return f"plan:{self.assignment.pk}:{self.assignment.until_at:%Y-%m-%dT%H:%M}"


def endings(at: datetime) -> list[Ending]:
    """What ends within 60 days and is followed by nothing, the first to end first. One statement."""
    after = PlanAssignment.objects.filter(
        Q(until_at=None) | Q(until_at__gt=OuterRef("until_at")),
        customer=OuterRef("customer"),
        from_at__lte=OuterRef("until_at"),
    ).exclude(pk=OuterRef("pk"))
    rows = PlanAssignment.objects.filter(~Exists(after), until_at__gt=at, until_at__lte=at + MARKS[0] * DAY)
    return [
        # Rounded up: a plan that ends in six days and an hour ends in seven.
        Ending(row, -((at - row.until_at) // DAY))
        for row in rows.select_related("customer", "plan").order_by("until_at", "id")
        if row.until_at
    ]


def tell(at: datetime) -> int:
    """Writes the letters that are wanted now; returns how many."""
    return remind(KIND, endings(at), TOLD, at)


def content(letter: Letter, at: datetime) -> Content | None:
    """What the letter says when it leaves; None where another plan follows meanwhile, or it was moved or ended."""
    person = reader(letter, TOLD)
    found = [one for one in endings(at) if one.subject == letter.subject]
    if person is None or not found:
        return None
    return Content(said(person.name, found[0]), {person.key: person.name}, automatic=True)


def said(name: str, ending: Ending) -> dict[str, Any]:
    """What the letter's templates ask for."""
    row = ending.assignment
    link = f"{settings.SITE_URL}/sla-config?plan={row.plan.code}"
    return {"name": name, "customer": row.customer.name, "plan": row.plan.label, "until": row.until_at, "link": link}


def sample(kind: str, language: str) -> tuple[Letter, Content]:
    """A letter that nobody gets, for the previews."""
    name = {"zh-hans": "陈佳", "en": "Tom Ellis"}[language]
    customer = Customer(name={"zh-hans": "远帆物流", "en": "Meridian Foods"}[language])
    plan = Plan(pk=1, code="office", label_zh="工作时间支持", label_en="Office hours")
    row = PlanAssignment(pk=1, customer=customer, plan=plan, from_at=AT - 305 * DAY, until_at=AT + 60 * DAY)
    letter = Letter(
        pk=8, kind=kind, to_key="sample", to_address="lead@desk.example", language=language, zone="Asia/Shanghai",
        created_at=AT,
    )  # fmt: skip
    return letter, Content(said(name, Ending(row, 60)), {"sample": name}, automatic=True)
