"""A colleague's page of work: who may read and change it, what it takes, what history says, and what it does."""

import html
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from helpdesk.accounts.models import Customer, CustomerTeam, User
from helpdesk.audit.models import Entry
from oncall.duty import duty
from oncall.families import FAMILIES
from oncall.models import Engineer, Leave, Skill
from tests.entering import enter

pytestmark = pytest.mark.django_db


def text(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def address(person: User, more: str = "") -> str:
    return f"/people/{person.pk}/work/{more}"


def told(**more: Any) -> dict[str, Any]:
    return {"capacity": "30", "languages": ["zh", "en"], "skill_database": "3", "skill_network": "1", **more}


def days(first: int, last: int) -> dict[str, str]:
    today = timezone.localdate()
    return {"first": f"{today + timedelta(days=first)}", "last": f"{today + timedelta(days=last)}"}


def test_twelve_families_in_both_languages() -> None:
    assert len(FAMILIES) == 12
    assert all(f.zh and f.en and f.zh != f.en and len(f.examples) == 4 for f in FAMILIES.values())


def test_a_lead_sets_skills_languages_and_capacity(cast: Any) -> None:
    lee = enter(cast.lee)
    page = text(lee.get(address(cast.ana)))
    assert 'name="capacity" type="number" min="1" max="200" value="20"' in page
    assert 'value="en" checked' in page
    assert lee.post(address(cast.ana, "settings"), told()).status_code == 303
    (ana,) = duty(timezone.now(), "database")
    assert (ana.capacity, ana.languages, ana.skill) == (30, ("en", "zh"), 3)
    assert duty(timezone.now(), "network")[0].skill == 1
    assert duty(timezone.now(), "storage")[0].skill == 0
    entry = Entry.objects.get(subject=cast.ana.key, action="engineer.changed")
    assert entry.data == {"capacity": 30, "languages": ["en", "zh"], "skills": {"database": 3, "network": 1}}
    # The same again is nothing new.
    assert lee.post(address(cast.ana, "settings"), told()).status_code == 303
    assert Entry.objects.filter(action="engineer.changed").count() == 1
    assert lee.post(address(cast.ana, "settings"), told(skill_database="0")).status_code == 303
    assert list(Skill.objects.filter(user=cast.ana).values_list("family", "level")) == [("network", 1)]
    assert "Lee changed skills, languages or capacity" in text(lee.get(f"/people/{cast.ana.pk}/"))


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"capacity": "0"}, "Write a number from 1 to 200."),
        ({"capacity": "many"}, "Write a number from 1 to 200."),
        ({"capacity": "201"}, "Write a number from 1 to 200."),
        ({"languages": []}, "Tick one language at least."),
        ({"languages": ["tlh"]}, "Tick one language at least."),
        ({"skill_database": "4"}, "Choose a level from 0 to 3."),
    ],
)
def test_wrong_settings_are_named_and_what_was_typed_stays(cast: Any, more: dict[str, Any], word: str) -> None:
    answer = enter(cast.lee).post(address(cast.ana, "settings"), told(skill_network="2") | more)
    assert (answer.status_code, word in text(answer)) == (422, True)
    assert '<option value="2" selected>' in text(answer)
    assert not Engineer.objects.exists()


def test_leave_is_whole_days_of_the_persons_own_zone(cast: Any) -> None:
    User.objects.filter(pk=cast.ana.pk).update(zone="Europe/Berlin")
    ana = enter(User.objects.get(pk=cast.ana.pk))
    year = timezone.now().year + 1
    given = {"first": f"{year}-03-27", "last": f"{year}-03-29"}
    assert ana.post(address(cast.ana, "leave"), given).status_code == 303
    leave = Leave.objects.get()
    zone = User.objects.get(pk=cast.ana.pk).tz
    assert leave.starts_at == datetime(year, 3, 27, tzinfo=zone)
    assert leave.ends_at == datetime(year, 3, 30, tzinfo=zone)
    assert "27 Mar to 29 Mar" in text(ana.get(address(cast.ana)))
    assert ana.post(address(cast.ana, f"leave/{leave.pk}/end")).status_code == 303
    assert not Leave.objects.exists()
    assert list(Entry.objects.filter(subject=cast.ana.key).order_by("id").values_list("action", flat=True)) == [
        "engineer.leave_added",
        "engineer.leave_ended",
    ]
    page = text(enter(cast.lee).get(f"/people/{cast.ana.pk}/"))
    assert "Ana entered a leave: 27 Mar to 29 Mar" in page
    assert "Ana took back the leave 27 Mar to 29 Mar" in page


def test_who_is_away_today_can_be_back_today_and_yesterday_stays(cast: Any) -> None:
    lee = enter(cast.lee)
    assert lee.post(address(cast.ana, "leave"), days(-3, 2)).status_code == 303
    leave = Leave.objects.get()
    assert duty(timezone.now())[0].leave
    assert "away now" in text(lee.get(address(cast.ana)))
    assert lee.post(address(cast.ana, f"leave/{leave.pk}/end")).status_code == 303
    kept = Leave.objects.get()
    assert kept.starts_at == leave.starts_at
    assert not duty(timezone.now() + timedelta(seconds=1))[0].leave


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"first": "", "last": ""}, "Say from when."),
        ({"first": "2026-13-01", "last": "x"}, "This is no date."),
        (days(5, 4), "A leave ends after it began."),
        (days(-9, -8), "This leave is over already."),
        (days(1, 400), "A leave lasts a year at most."),
        ({"first": f"{date.max}", "last": f"{date.max}"}, "This is no date."),
    ],
)
def test_wrong_days_are_named_and_stay(cast: Any, given: dict[str, str], word: str) -> None:
    answer = enter(cast.ana).post(address(cast.ana, "leave"), given)
    assert (answer.status_code, word in text(answer)) == (422, True)
    assert f'value="{given["first"]}"' in text(answer)
    assert not Leave.objects.exists()


def test_two_leaves_do_not_overlap(cast: Any) -> None:
    ana = enter(cast.ana)
    assert ana.post(address(cast.ana, "leave"), days(3, 5)).status_code == 303
    answer = ana.post(address(cast.ana, "leave"), days(5, 6))
    assert (answer.status_code, "There is a leave in these days already." in text(answer)) == (422, True)
    assert ana.post(address(cast.ana, "leave"), days(6, 7)).status_code == 303


def test_a_lead_puts_people_on_teams(cast: Any) -> None:
    lee = enter(cast.lee)
    given = {"customer": cast.acme.pk, "named": "on"}
    assert lee.post(address(cast.ana, "team"), given).status_code == 303
    assert CustomerTeam.objects.get(user=cast.ana, customer=cast.acme).named
    page = text(lee.get(address(cast.ana)))
    assert "named engineer" in page
    assert f'<option value="{cast.acme.pk}"' not in page
    assert lee.post(address(cast.ana, f"team/{cast.acme.pk}/leave")).status_code == 303
    assert not CustomerTeam.objects.exists()
    page = text(lee.get(f"/people/{cast.ana.pk}/"))
    assert "Lee made this person the named engineer of Acme" in page
    assert "Lee took this person off the team of Acme" in page
    assert lee.post(address(cast.ana, "team"), {"customer": "x"}).status_code == 422


def test_an_administrator_restricts_a_customer(cast: Any) -> None:
    given = {"name": "Acme", "code": "ACME", "language": "zh-hans", "zone": "Asia/Shanghai", "is_active": "on"}
    given |= {"support_fee": "0", "currency": "CNY", "plans-TOTAL_FORMS": "0", "plans-INITIAL_FORMS": "0"}
    ada = enter(cast.ada)
    assert ada.post(f"/admin/accounts/customer/{cast.acme.pk}/change/", given | {"restricted": "on"}).status_code == 302
    assert Customer.objects.get(pk=cast.acme.pk).restricted
    assert Entry.objects.get(action="customer.changed").data == {"fields": ["restricted"]}


def test_a_colleague_reads_their_own_and_changes_only_leave(cast: Any) -> None:
    ana = enter(cast.ana)
    page = text(ana.get(address(cast.ana)))
    assert "A lead changes these." in page
    assert address(cast.ana) in text(ana.get("/account/"))
    for more, given in (("settings", told()), ("team", {"customer": cast.acme.pk})):
        assert ana.post(address(cast.ana, more), given).status_code == 404
    assert ana.post(address(cast.ana, f"team/{cast.acme.pk}/leave")).status_code == 404
    assert not Engineer.objects.exists()
    for more in ("", "settings", "leave", "team"):
        assert getattr(ana, "post" if more else "get")(address(cast.lee, more), days(1, 2)).status_code == 404


@pytest.mark.parametrize("who", ["gus", "cora", "carla", "audrey"])
def test_to_others_the_page_does_not_exist(cast: Any, who: str) -> None:
    person = getattr(cast, who)
    client = enter(person)
    leave = Leave.objects.create(
        user=cast.ana, starts_at=timezone.now(), ends_at=timezone.now() + timedelta(days=1), made_by=cast.ana
    )
    doors = ["settings", "leave", f"leave/{leave.pk}/end", "team", f"team/{cast.acme.pk}/leave"]
    for target in (cast.ana, person):
        assert client.get(address(target)).status_code == 404
        assert [client.post(address(target, door)).status_code for door in doors] == [404] * 5
    assert Leave.objects.count() == 1
    # A customer's person has no such page, whoever asks; and a leave is reached through its own person only.
    assert enter(cast.lee).get(address(cast.cora)).status_code == 404
    assert enter(cast.lee).post(address(cast.lee, f"leave/{leave.pk}/end")).status_code == 404
    assert Client().get(address(cast.ana)).status_code == 302
