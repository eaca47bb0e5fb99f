"""What is promised and what was: tiers and the last 30 days on /sla-config, each version on a page that stays, and what
is said of a version before it is published."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sla import actions
from sla.models import CalendarVersion, Definition, Plan, PlanAssignment, PolicyVersion, Target
from tests.cast import Cast
from tests.docs.test_publishing import PUBLISH, api, client_of, edit, publish, submitted, text
from tests.stories.travel import Person
from tests.stories.travel import at as on_the_day
from tests.tickets.test_sla_report import at, broken, kept

pytestmark = pytest.mark.django_db
CONFIG = "/sla-config"
EVENING = datetime(2026, 3, 20, 20, tzinfo=UTC)


def see(person: Any, address: str = CONFIG, when: datetime = EVENING) -> str:
    with time_machine.travel(when, tick=False):
        answer = client_of(person).get(address)
    assert answer.status_code == 200
    return text(answer)


def statements(person: Any, address: str = CONFIG) -> int:
    client = client_of(person)
    client.get(address)
    with CaptureQueriesContext(connection) as made:
        assert client.get(address).status_code == 200
    return len(made)


def gold(policy: PolicyVersion, *, but: str = "") -> Plan:
    """A second plan: twice as fast, for every priority but one."""
    plan = Plan.objects.create(code="gold", label_zh="金牌", label_en="Gold")
    rows = list(policy.targets.select_related("priority").filter(plan__is_default=True).exclude(priority__code=but))
    for row in rows:
        row.pk, row.plan, row.response_time_minutes = None, plan, row.response_time_minutes // 2
        row._state.adding = True
    Target.objects.bulk_create(rows)
    return plan


# --- /sla-config -----------------------------------------------------------------------------------------------------


def test_a_companys_administrator_reads_their_own_and_a_member_none(cast: Cast) -> None:
    broken(cast, at(9))
    kept(cast, at(10), customer=cast.globex, by=cast.gus)
    assert "0.00 % 0 / 1" in see(cast.carla)
    assert "50.00 % 1 / 2" in see(cast.ana)
    for person in (cast.cora, cast.gus):
        page = see(person)
        assert "0 / 1" not in page
        assert "达成率" not in page
        assert "Attainment" not in page


def test_what_we_promise_each_other_is_for_the_staff(cast: Cast) -> None:
    assert "Among ourselves" in see(cast.ana)
    for person in (cast.carla, cast.dora, cast.gus):
        page = see(person)
        assert "Among ourselves" not in page
        assert "内部" not in page
        assert "15 minutes" in page
    assert "Operation standards" in see(cast.gus)


def test_an_auditor_reads_no_name(cast: Cast) -> None:
    submitted(cast)
    publish(cast.abe)
    for address in (CONFIG, "/sla-config/history", "/sla-config/history/2"):
        page = see(cast.audrey, address, timezone.now() + timedelta(minutes=1))
        main = page.split("Service levels", 1)[1].split("Keyboard", 1)[0]
        assert f"USER-{cast.abe.pk:04}" in main
        assert not re.search(r"\b(Abe|Ada)\b", main), main
        assert re.search(r"\bAbe\b", see(cast.lee, address, timezone.now() + timedelta(minutes=1)))


def test_tiers_are_tabs(cast: Cast) -> None:
    policy = submitted_with_gold(cast)
    publish(cast.abe)
    soon = timezone.now() + timedelta(minutes=1)
    page = see(cast.ana, CONFIG, soon)
    assert "Targets, Standard" in page
    assert "Targets, Gold" in see(cast.ana, f"{CONFIG}?plan=gold", soon)
    assert "≤ 7 minutes" in see(cast.ana, f"{CONFIG}?plan=gold", soon)
    for odd in ("nonsense", "%00", "' or 1=1", "x" * 500):
        assert "Targets, Standard" in see(cast.ana, f"{CONFIG}?plan={odd}", soon)
    assert policy.number == 2


def test_a_customer_reads_the_plan_they_have(cast: Cast) -> None:
    submitted_with_gold(cast)
    PlanAssignment.objects.create(customer=cast.acme, plan=Plan.objects.get(code="gold"), from_at=timezone.now())
    assert "Customers it is promised to Standard 1, Gold 1" in text(client_of(cast.abe).get(PUBLISH))
    publish(cast.abe)
    soon = timezone.now() + timedelta(minutes=1)
    assert "Targets, Gold" in see(cast.carla, CONFIG, soon)
    assert "Targets, Gold" in see(cast.carla, f"{CONFIG}?plan=standard", soon), "no other plan is theirs"
    assert "Targets, Standard" in see(cast.gus, f"{CONFIG}?plan=gold", soon)
    both = see(cast.dora, f"{CONFIG}?plan=gold", soon)
    assert "Standard Gold Targets, Gold" in both, "who is of two companies chooses"


def submitted_with_gold(cast: Cast, **more: Any) -> PolicyVersion:
    """A version with a second plan, waiting to be approved."""
    policy = actions.draft(by=cast.ada, at=timezone.now())
    gold(policy, **more)
    actions.submit(policy=policy, by=cast.ada, at=timezone.now())
    policy.refresh_from_db()
    return policy


def test_the_levels_cost_the_same_whatever_happened(cast: Cast) -> None:
    with time_machine.travel(EVENING, tick=False):
        few = statements(cast.ana)
        for day in range(1, 9):
            kept(cast, at(day))
        broken(cast, at(9))
        assert statements(cast.ana) == few
        assert few <= 14
        assert statements(cast.gus) <= 12


# --- A version's own page --------------------------------------------------------------------------------------------


def test_a_version_stays_on_its_page_for_everybody_logged_in(cast: Cast) -> None:
    submitted(cast)
    publish(cast.abe)
    soon = timezone.now() + timedelta(minutes=1)
    for person, number, minutes in ((cast.gus, 1, 15), (cast.gus, 2, 10), (cast.lee, 1, 15), (cast.audrey, 2, 10)):
        assert f"≤ {minutes} minutes" in see(person, f"/sla-config/history/{number}", soon)
    assert "sha256" in see(cast.gus, "/sla-config/history/2", soon)
    assert not re.search(r"\b(Abe|Ada)\b", see(cast.gus, "/sla-config/history/2", soon)), "who wrote it is ours"
    told = see(cast.lee, "/sla-config/history/2", soon)
    for word in ("Ada", "Abe", "15 minutes", "10 minutes", "submitted it for approval"):
        assert word in told
    assert Client().get("/sla-config/history/1").status_code == 302
    for number in (3, 0, 10**9, 10**12):
        assert client_of(cast.lee).get(f"/sla-config/history/{number}").status_code == 404


def test_a_draft_has_no_such_page(cast: Cast) -> None:
    submitted(cast)
    for person in (cast.ada, cast.lee, cast.gus):
        assert client_of(person).get("/sla-config/history/2").status_code == 404


def test_why_a_clock_is_due_leads_to_what_was_promised_that_day(cast: Cast) -> None:
    ticket = Person(cast.cora).files(cast, on_the_day("10:00"))
    page = Person(cast.cora).see(f"/tickets/{ticket.ref}/why/response", on_the_day("10:05"))
    link = re.search(r'href="(/sla-config/history/1\?plan=[\w-]+)"', page)
    assert link
    assert "≤ 15" in Person(cast.cora).see(link[1], on_the_day("10:06"))


def test_history_costs_the_same_however_many_versions(cast: Cast) -> None:
    one = statements(cast.lee, "/sla-config/history")
    submitted(cast)
    publish(cast.abe)
    assert statements(cast.lee, "/sla-config/history") <= one + 1, "whose names they are is asked once"
    first = PolicyVersion.objects.get(number=2)
    two = statements(cast.lee, "/sla-config/history")
    for number in range(3, 26):
        PolicyVersion.objects.create(
            number=number,
            state="published",
            author=cast.ada,
            approver=cast.abe,
            effective_at=first.effective_at,
            published_at=first.published_at,
        )
    assert statements(cast.lee, "/sla-config/history") == two
    page = client_of(cast.lee).get("/sla-config/history").content.decode()
    assert "?before=6" in page
    assert "Version 1" in text(client_of(cast.lee).get("/sla-config/history?before=6"))
    for odd in ("x", "-1", "²", "9" * 30):
        assert "Version 25" in text(client_of(cast.lee).get("/sla-config/history", {"before": odd}))
    assert "No earlier versions" in text(client_of(cast.lee).get("/sla-config/history?before=1"))


# --- Before it is published ------------------------------------------------------------------------------------------


def test_the_preview_says_whom_it_touches(cast: Cast) -> None:
    submitted(cast)
    page = text(client_of(cast.abe).get(PUBLISH))
    assert "SLA-POLICY, 中文" in page
    assert "Customers it is promised to Standard 2" in page
    assert "keep the version they were opened under" in page
    assert "What would this have meant last quarter?" in page


def test_with_several_plans_a_change_names_its_plan(cast: Cast) -> None:
    policy = submitted_with_gold(cast)
    page = text(client_of(cast.abe).get(PUBLISH))
    assert "Gold: Critical" in page
    assert "Standard: Critical" not in page, "it says what it said"
    assert policy.state == "submitted"


MISTAKES = [
    ({"response_time_minutes": 0}, "High, First response"),
    ({"response_time_minutes": 9999}, "High, Resolution"),
    ({"response_time_minutes": 10}, "High, First response"),
    ({"resolution_time_hours": 3}, "High, Resolution"),
    ({"description_en": " "}, "High, Definition in English"),
    ({"description_zh": ""}, "High, Definition in Chinese"),
]


@pytest.mark.parametrize(("typed", "where"), MISTAKES)
def test_what_is_unsound_is_told_with_its_plan_priority_and_field_and_not_submitted(
    cast: Cast, typed: dict[str, Any], where: str
) -> None:
    policy = actions.draft(by=cast.ada, at=timezone.now())
    policy.targets.filter(priority__code="high").update(**typed)
    assert f"Standard, {where}: " in text(client_of(cast.ada).get(PUBLISH))
    client_of(cast.ada).post("/sla-config/submit")
    policy.refresh_from_db()
    assert policy.state == "draft"
    cast.ada.language = "zh-hans"
    cast.ada.save()
    assert re.search("标准.高.", text(client_of(cast.ada).get(PUBLISH)))


def test_an_incomplete_plan_and_an_empty_definition_are_told(cast: Cast) -> None:
    policy = actions.draft(by=cast.ada, at=timezone.now())
    gold(policy, but="low")
    row = Definition.objects.filter(policy=policy).select_related("priority")[0]
    Definition.objects.filter(pk=row.pk).update(description_en="")
    page = text(client_of(cast.ada).get(PUBLISH))
    assert "Gold, Low: The plan promises nothing for this priority." in page
    assert f"{row.category}, {row.priority.label_en}, Definition in English: " in page
    client_of(cast.ada).post("/sla-config/submit")
    policy.refresh_from_db()
    assert policy.state == "draft"


def test_what_became_unsound_after_it_was_submitted_is_not_published(cast: Cast) -> None:
    policy = submitted(cast)
    actions.give_back(policy=policy, by=cast.abe, at=timezone.now())
    policy.targets.filter(priority__code="high").update(response_time_minutes=1)
    PolicyVersion.objects.filter(pk=policy.pk).update(state="submitted")
    answer = publish(cast.abe)
    assert answer.status_code == 422
    assert "Standard, High, First response: " in text(answer)
    policy.refresh_from_db()
    assert policy.state == "submitted"


def test_a_caution_is_ticked_by_whoever_publishes(cast: Cast) -> None:
    policy = submitted(cast, low_update_minutes=80 * 60)
    page = text(client_of(cast.abe).get(PUBLISH))
    assert "Standard, Low, Update: Longer than the resolution" in page
    refused = publish(cast.abe)
    assert refused.status_code == 422
    assert 'id="accepted_error"' in refused.content.decode()
    policy.refresh_from_db()
    assert policy.state == "submitted"
    assert publish(cast.abe, accepted="on").status_code == 302


def test_a_doubt_about_the_calendar_is_ticked_too(cast: Cast) -> None:
    submitted(cast)
    around = CalendarVersion.objects.get(calendar__is_default=True)
    office = {"kind": "hours", "week": {str(day): [["09:00", "18:00"]] for day in range(5)}}
    CalendarVersion.objects.create(
        calendar=around.calendar,
        number=around.number + 1,
        zone="Asia/Shanghai",
        rules=office,
        state="published",
        effective_at=around.effective_at,
        published_at=around.effective_at,
    )
    assert "24×7 is claimed" in text(client_of(cast.abe).get(PUBLISH))
    assert publish(cast.abe).status_code == 422
    assert publish(cast.abe, accepted="on").status_code == 302


def test_the_admin_still_takes_a_caution(cast: Cast) -> None:
    policy = actions.draft(by=cast.ada, at=timezone.now())
    assert edit(cast.ada, policy, low_update_minutes=80 * 60).status_code == 302


# --- For programs ----------------------------------------------------------------------------------------------------


def test_programs_read_plans_and_hours(cast: Cast) -> None:
    submitted_with_gold(cast)
    office = CalendarVersion.objects.get(calendar__code="CN-8x5")
    plan = Plan.objects.get(code="gold")
    Plan.objects.filter(pk=plan.pk).update(calendar=office.calendar)
    publish(cast.abe, accepted="on")
    told = api(cast).json()
    assert (told["plan"], [one["code"] for one in told["plans"]]) == ("standard", ["standard"]), "no other is theirs"
    assert told["calendars"] == [
        {
            "code": "24x7",
            "label": "24×7",
            "version": 1,
            "zone": told["calendars"][0]["zone"],
            "around_the_clock": True,
            "week": [[]] * 7,
            "exceptions": [],
            "known_until": None,
        }
    ]
    PlanAssignment.objects.create(customer=cast.acme, plan=plan, from_at=timezone.now())
    told = api(cast).json()
    assert (told["plan"], [one["code"] for one in told["plans"]]) == ("gold", ["gold"])
    assert told["targets"] == told["plans"][0]["targets"]
    assert told["targets"][0]["response_time_minutes"] == 7
    assert told["plans"][0]["calendar"] == "CN-8x5"
    hours = told["calendars"][0]
    assert (hours["zone"], hours["known_until"]) == ("Asia/Shanghai", "2026-12-31")
    assert hours["week"][0] == [["09:00", "12:00"], ["13:00", "18:00"]]
    assert hours["week"][6] == []
    days = {day["date"]: day["hours"] for day in hours["exceptions"]}
    assert days["2026-10-01"] == []
    assert "2026-01-04" in days
