"""Behind https, staff see nothing until they have a second factor; losing it sends them back at once."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client

from helpdesk.accounts.adapter import SecondFactorAdapter
from helpdesk.audit.models import Entry

Walk = Callable[[Client], None]
PASSWORD = "a long enough sentence"
HTTPS = {"secure": True}
OPEN = ["/accounts/2fa/", "/accounts/reauthenticate/", "/accounts/logout/", "/healthz"]
CLOSED = ["/", "/tickets/", "/tickets/create", "/account/", "/people/", "/console/", "/admin/", "/accounts/sessions/"]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def behind_https(settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ana(cast: Any) -> Client:
    return logged_in(cast.ana)


def logged_in(person: Any) -> Client:
    person.set_password(PASSWORD)
    person.save()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    client = Client()
    assert client.post("/accounts/login/", {"login": person.email, "password": PASSWORD}).status_code == 302
    return client


def code(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time()))))


@pytest.fixture
def set_up(django_capture_on_commit_callbacks: Any) -> Callable[[Client], None]:
    """By the pages: prove it is you, read the key, type the code."""

    def walk(client: Client) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            _set_up(client)

    return walk


def _set_up(client: Client) -> None:
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    (secret,) = re.findall(r'id="authenticator_secret" value="(\w+)"', page)
    assert client.post("/accounts/2fa/totp/activate/", {"code": code(secret)}).status_code == 302


def closed(client: Client) -> list[str]:
    return [p for p in CLOSED if client.get(p).headers.get("Location") == "/accounts/2fa/"]


def test_without_one_everything_leads_to_setting_it_up(ana: Client) -> None:
    assert closed(ana) == CLOSED
    assert [p for p in OPEN if ana.get(p).headers.get("Location") == "/accounts/2fa/"] == []
    assert ana.post("/tickets/create", {"title": "x"}).headers["Location"] == "/accounts/2fa/"
    assert ana.post("/i18n/setlang/", {"language": "en", "next": "/x"}).headers["Location"] == "/x"


def test_customers_and_strangers_need_none(cast: Any) -> None:
    assert closed(logged_in(cast.cora)) == []
    assert closed(Client()) == []


def test_with_one_the_desk_opens_and_pages_cost_nothing_more(
    set_up: Walk, ana: Client, django_assert_num_queries: Any
) -> None:
    set_up(ana)
    ana.get("/account/")
    with django_assert_num_queries(3):  # session, person, and the page's own question
        assert ana.get("/account/").status_code == 200
    assert closed(ana) == []


def test_its_key_lies_encrypted_in_the_database(set_up: Walk, ana: Client) -> None:
    set_up(ana)
    stored = Authenticator.objects.get(type="totp")
    assert stored.data["secret"].startswith("gAAAA")
    assert stored.wrap().validate_code(code(SecondFactorAdapter().decrypt(stored.data["secret"])))


def test_the_next_login_asks_for_it(set_up: Walk, ana: Client, cast: Any) -> None:
    set_up(ana)
    client = Client()
    first = client.post("/accounts/login/", {"login": cast.ana.email, "password": PASSWORD})
    assert first.headers["Location"] == "/accounts/2fa/authenticate/"
    assert client.get("/account/").status_code == 302
    wrong = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert "error" in wrong.content.decode()
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    assert client.post("/accounts/2fa/authenticate/", {"code": codes[0]}).headers["Location"] == "/"
    assert client.get("/account/").status_code == 200


def test_removing_ones_own_closes_the_desk_again(set_up: Walk, ana: Client, cast: Any) -> None:
    set_up(ana)
    assert closed(ana) == []
    ana.post("/accounts/2fa/totp/deactivate/")
    assert closed(ana) == CLOSED
    told = Entry.objects.filter(subject=cast.ana.key, action__contains="second_factor").order_by("id")
    added, removed = told.values_list("action", flat=True)
    assert (added, removed) == ("account.second_factor_added", "account.second_factor_removed")


def test_setting_one_up_ends_other_sessions(set_up: Walk, ana: Client, cast: Any) -> None:
    there = Client()
    there.post("/accounts/login/", {"login": cast.ana.email, "password": PASSWORD})
    set_up(ana)
    assert there.get("/account/").headers["Location"].startswith("/accounts/login/")
    assert ana.get("/account/").status_code == 200


def test_an_administrator_who_takes_it_ends_the_sessions(set_up: Walk, ana: Client, cast: Any, settings: Any) -> None:
    set_up(ana)
    settings.SECOND_FACTOR_REQUIRED = False
    ada = logged_in(cast.ada)
    assert ada.post(f"/people/{cast.ana.pk}/second-factor").status_code == 303
    settings.SECOND_FACTOR_REQUIRED = True
    assert not Authenticator.objects.filter(user=cast.ana).exists()
    assert ana.get("/account/").headers["Location"].startswith("/accounts/login/")
    assert closed(logged_in_again(cast.ana)) == CLOSED


def logged_in_again(person: Any) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    return client


def test_recovery_codes_alone_are_no_second_factor(ana: Client, cast: Any) -> None:
    Authenticator.objects.create(user=cast.ana, type="recovery_codes", data={"seed": "x", "used_mask": 0})
    assert closed(ana) == CLOSED
