"""A customer's plan ends: leads and administrators hear of it in time, once each, unless another follows."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from helpdesk.outbox.compose import compose
from helpdesk.outbox.models import Letter
from sla import clocks
from sla.models import Calendar, CalendarVersion, Plan, PlanAssignment, PolicyVersion, Target
from sla.plan_ends import endings, tell
from tests.cast import Cast
from tests.docs.test_publishing import client_of, text

pytestmark = pytest.mark.django_db


def on(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T04:00:00+00:00")


@pytest.fixture
def office() -> Plan:
    return Plan.objects.create(
        code="office", label_zh="工作时间", label_en="Office hours", calendar=Calendar.objects.get(code="CN-8x5")
    )


def bought(customer: Any, plan: Plan, first: str, last: str | None) -> PlanAssignment:
    return PlanAssignment.objects.create(
        customer=customer, plan=plan, from_at=on(first), until_at=on(last) if last else None
    )


def test_leads_and_administrators_are_told_at_sixty_thirty_and_seven_days(cast: Cast, office: Plan) -> None:
    bought(cast.acme, office, "2026-01-01", "2026-12-31")
    days = ("2026-10-31", "2026-11-01", "2026-11-02", "2026-12-01", "2026-12-23", "2026-12-24", "2026-12-31")
    assert [tell(on(day)) for day in days] == [0, 3, 0, 3, 0, 3, 0]
    letters = Letter.objects.filter(kind="plan.ends")
    assert {letter.to_key for letter in letters} == {cast.ada.key, cast.abe.key, cast.lee.key}
    mail = compose(letters[0], on("2026-11-01"))
    assert mail
    assert "2026-12-31" in mail.subject
    assert cast.acme.name in mail.subject
    assert "default plan" in mail.body


def test_a_worker_that_was_away_tells_the_nearest_mark_only(cast: Cast, office: Plan) -> None:
    bought(cast.acme, office, "2026-01-01", "2026-12-31")
    assert tell(on("2026-12-28")) == 3
    assert tell(on("2026-12-29")) == 0
    assert {letter.data["mark"] for letter in Letter.objects.all()} == {7}


def test_nobody_is_told_where_another_follows_or_the_end_is_moved(cast: Cast, office: Plan) -> None:
    row = bought(cast.acme, office, "2026-01-01", "2026-12-31")
    other = bought(cast.globex, office, "2026-01-01", None)
    tell(on("2026-12-01"))
    letter = Letter.objects.filter(kind="plan.ends")[0]
    bought(cast.acme, office, "2026-12-31", None)
    assert endings(on("2026-12-30")) == []
    assert compose(letter, on("2026-12-30")) is None, "what is no longer true is not sent"
    PlanAssignment.objects.filter(from_at=row.until_at).delete()
    PlanAssignment.objects.filter(pk=row.pk).update(until_at=F("until_at") + timedelta(days=7))
    assert tell(on("2026-12-12")) == 3, "of the new end they are told anew"
    assert other not in [one.assignment for one in endings(on("2026-12-12"))]


def test_the_console_says_it(cast: Cast, office: Plan, monkeypatch: Any) -> None:
    bought(cast.acme, office, "2026-01-01", "2026-12-31")
    monkeypatch.setattr(timezone, "now", lambda: on("2026-12-01"))
    words = "the plan “Office hours” ends on 2026-12-31"
    assert words in text(client_of(cast.lee).get("/console/"))
    monkeypatch.setattr(timezone, "now", lambda: on("2026-09-01"))
    assert words not in text(client_of(cast.lee).get("/console/"))


def test_before_its_own_hours_are_in_force_a_plan_has_the_desks(cast: Cast, office: Plan) -> None:
    policy = PolicyVersion.objects.get(number=1)
    calendar = Calendar.objects.create(code="DE", label_zh="德国", label_en="Germany")
    old = CalendarVersion.objects.get(calendar__code="CN-8x5")
    late = CalendarVersion.objects.create(
        calendar=calendar, number=1, state="published", zone="Europe/Berlin", rules=old.rules,
        effective_at=on("2026-11-01"), published_at=on("2026-11-01"),
    )  # fmt: skip
    Plan.objects.filter(pk=office.pk).update(calendar=calendar, is_default=False)
    assert Target.objects.filter(policy=policy).exists()
    Plan.objects.filter(is_default=True).update(calendar=calendar)
    around = CalendarVersion.objects.get(calendar__code="24x7")
    assert clocks.terms_in_force(on("2026-10-01"), None).calendar == around.pk
    assert clocks.terms_in_force(on("2026-11-02"), None).calendar == late.pk
