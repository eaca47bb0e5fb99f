"""The page speaks the reader's language: asked for, theirs, remembered, or the browser's, in this order."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path
from django.utils import timezone, translation

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"


def zone(request: HttpRequest) -> HttpResponse:
    return HttpResponse(timezone.get_current_timezone_name())


urlpatterns = [path("zone", zone), path("", include("helpdesk.urls"))]


def language(client: Client, url: str = LOGIN, **headers: str) -> str:
    return str(client.get(url, **headers).headers["Content-Language"])


def test_a_stranger_gets_what_the_browser_asks_for() -> None:
    asked = {"zh-CN,zh;q=0.9,en;q=0.8": "zh-hans", "zh-TW": "zh-hans", "en-GB": "en", "fr, de;q=0.5": "en", "": "en"}
    assert {a: language(Client(), HTTP_ACCEPT_LANGUAGE=a) for a in asked} == asked


def test_a_cookie_beats_the_browser_and_asking_beats_the_cookie() -> None:
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    client.post("/i18n/setlang/", {"language": "zh-hans", "next": LOGIN})
    assert language(client) == "zh-hans"
    assert language(client, f"{LOGIN}?lang=en") == "en"
    assert language(client, f"{LOGIN}?lang=zh") == "zh-hans"
    assert language(client, f"{LOGIN}?lang=xx") == "zh-hans"
    assert language(client, f"{LOGIN}?lang=" + "z" * 5000) == "zh-hans"


def test_a_persons_own_beats_cookie_and_browser(cast: Any) -> None:
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    client.cookies["language"] = "en"
    client.force_login(cast.cora)
    assert language(client, "/account/") == "zh-hans"
    assert language(client, "/account/?lang=en") == "zh-hans"
    assert language(client, "/accounts/signup/?lang=en") == "en"
    client.post("/i18n/setlang/", {"language": "en", "next": "/account/"})
    assert language(client, "/account/") == "en"


def test_a_cache_is_told_what_the_answer_depends_on() -> None:
    vary = Client().get(LOGIN).headers["Vary"]
    assert {"Cookie", "Accept-Language"} <= {v.strip() for v in vary.split(",")}


@override_settings(ROOT_URLCONF="tests.accounts.test_language")
def test_times_are_in_the_persons_zone_and_in_the_house_zone_for_strangers(cast: Any) -> None:
    client = Client()
    assert client.get("/zone").content == b"Asia/Shanghai"
    cast.gus.zone = "Europe/Berlin"
    cast.gus.save()
    client.force_login(cast.gus)
    assert client.get("/zone").content == b"Europe/Berlin"


def test_nothing_of_one_request_stays_for_the_next(cast: Any) -> None:
    before = translation.get_language(), timezone.get_current_timezone_name()
    client = Client()
    client.force_login(cast.cora)
    client.get("/account/")
    assert (translation.get_language(), timezone.get_current_timezone_name()) == before


@override_settings(ROOT_URLCONF="tests.accounts.test_language")
def test_a_stranger_costs_no_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        Client().get("/zone")
        Client().get("/healthz")


def test_the_profile_takes_a_zone_that_exists_and_a_phone_with_a_country(cast: Any) -> None:
    client = Client()
    client.force_login(cast.cora)
    given = {"name": "陈可", "language": "en", "zone": "Europe/Berlin", "phone": "+86 (21) 5000-0000"}
    assert client.post("/account/", given).status_code == 303
    cast.cora.refresh_from_db()
    assert (cast.cora.name, cast.cora.phone, cast.cora.tz) == ("陈可", "+862150000000", ZoneInfo("Europe/Berlin"))
    for wrong in ({"zone": "Mars/Olympus"}, {"phone": "5000"}, {"name": ""}, {"name": "x" * 81}, {"language": "fr"}):
        page = client.post("/account/", given | wrong)
        assert page.status_code == 422, wrong
        assert 'class="error"' in page.content.decode(), wrong


def test_parts_put_side_by_side_are_joined_in_the_readers_punctuation(cast: Any) -> None:
    client = Client()
    client.force_login(cast.ada)
    assert "Acme, " in client.get("/people/?q=cora").content.decode()
    cast.ada.language = "zh-hans"
    cast.ada.save()
    assert "Acme，" in client.get("/people/?q=cora").content.decode()
