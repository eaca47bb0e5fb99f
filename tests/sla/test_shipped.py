"""What the migrations ship beside the checklist: calendars, and billing with words of its own."""

import pytest
from django.apps import apps
from django.db import DatabaseError, transaction

from sla import billing_defaults, calendar_defaults, hours
from sla.models import CalendarVersion, Definition, Impact, MatrixCell, PolicyVersion

pytestmark = pytest.mark.django_db


def test_four_calendars_ship_as_published_versions() -> None:
    found = CalendarVersion.objects.filter(state="published").select_related("calendar")
    told = {v.calendar.code: (v.zone, v.rules["kind"], str(v.known_until), v.effective_at.year) for v in found}
    assert told == {
        "24x7": ("UTC", "24x7", "None", 2020),
        "CN-8x5": ("Asia/Shanghai", "hours", "2026-12-31", 2020),
        "US-8x5": ("America/New_York", "hours", "None", 2020),
        "UK-night": ("Europe/London", "hours", "None", 2020),
    }
    for version in found:
        if version.rules["kind"] == "hours":
            hours.read(version.rules | {"zone": version.zone})


def test_every_exception_of_china_2026_has_its_name() -> None:
    rules = CalendarVersion.objects.get(calendar__code="CN-8x5").rules
    assert set(rules["names"]) == {*rules["closed"], *rules["workdays"]}
    assert rules["names"]["2026-02-14"] == "春节"


def test_billing_has_its_own_answers_and_definitions_under_the_version_in_force() -> None:
    policy = PolicyVersion.objects.get(number=1)
    own = Impact.objects.filter(category="billing")
    assert [row.code for row in own] == ["account_suspended", "wrong_charge", "invoice_missing", "billing_question"]
    assert MatrixCell.objects.filter(policy=policy, impact__in=own).count() == 12
    assert Definition.objects.filter(policy=policy, category="billing").count() == 4


def test_what_ships_is_written_once_and_stays_guarded() -> None:
    before = (MatrixCell.objects.count(), CalendarVersion.objects.count(), Definition.objects.count())
    calendar_defaults.seed(apps)
    billing_defaults.seed(apps)
    assert (MatrixCell.objects.count(), CalendarVersion.objects.count(), Definition.objects.count()) == before
    for row in (Definition.objects.all()[0], MatrixCell.objects.all()[0]):
        with pytest.raises(DatabaseError), transaction.atomic():
            type(row).objects.filter(pk=row.pk).update(priority=row.priority_id)
