"""The page of keys: made once, shown once, ended by whoever looks after them."""

import re
from typing import Any

import pytest
from django.test import Client

from helpdesk.accounts.models import ApiKey, User
from helpdesk.audit.models import Entry
from tests.entering import enter

pytestmark = pytest.mark.django_db
FORM = {"name": "Nightly import", "days": "30", "may_write": "on"}


def made(client: Client, **more: str) -> str:
    answer = client.post("/account/keys", FORM | more)
    assert answer.status_code == 201, answer.content
    (token,) = re.findall(r'value="(hd_[^"]+)"', answer.content.decode())
    return str(token)


def works(token: str) -> bool:
    return bool(Client().get("/api/tickets", headers={"Authorization": f"Bearer {token}"}).status_code == 200)


def test_a_key_is_shown_once_and_works(cast: Any) -> None:
    cora = enter(cast.cora)
    token = made(cora)
    assert works(token)
    page = cora.get("/account/keys").content.decode()
    assert token[:11] in page
    assert token not in page


def test_a_double_click_makes_one_key(cast: Any) -> None:
    cora = enter(cast.cora)
    first = cora.post("/account/keys", FORM | {"once": "one"})
    second = cora.post("/account/keys", FORM | {"once": "one"})
    assert (first.status_code, second.status_code, ApiKey.objects.count()) == (201, 303, 1)


def test_a_key_is_ended_after_asking(cast: Any) -> None:
    cora = enter(cast.cora)
    token = made(cora)
    path = f"/account/keys/{ApiKey.objects.get().pk}/revoke"
    assert cora.post(path).status_code == 200
    assert works(token)
    assert cora.post(path, {"sure": "1"}).status_code == 303
    assert not works(token)
    told = Entry.objects.filter(action__startswith="account.key_").order_by("id")
    assert [e.action for e in told] == ["account.key_created", "account.key_revoked"]
    assert all(token[12:] not in str(vars(e)) for e in told)


def test_a_company_administrator_looks_after_the_companys_keys(cast: Any) -> None:
    carla, gus = enter(cast.carla), enter(cast.gus)
    made(carla, customer=str(cast.acme.pk))
    key = ApiKey.objects.get()
    assert (key.customer, key.user.is_service, key.created_by) == (cast.acme, True, cast.carla)
    assert key.name not in gus.get("/account/keys").content.decode()
    assert gus.post(f"/account/keys/{key.pk}/revoke", {"sure": "1"}).status_code == 404
    assert enter(cast.cora).post(f"/account/keys/{key.pk}/revoke", {"sure": "1"}).status_code == 404
    assert enter(cast.dora).post(f"/account/keys/{key.pk}/revoke", {"sure": "1"}).status_code == 303


@pytest.mark.parametrize("who", ["cora", "gus", "ana"])
def test_nobody_else_makes_a_companys_key(cast: Any, who: str) -> None:
    answer = enter(getattr(cast, who)).post("/account/keys", FORM | {"customer": str(cast.acme.pk)})
    assert answer.status_code == 422
    assert ApiKey.objects.count() == 0


def test_what_is_wrong_is_said_at_its_field_and_the_rest_stays(cast: Any) -> None:
    answer = enter(cast.lee).post("/account/keys", FORM | {"name": "", "customer": str(cast.acme.pk), "days": "90"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'id="name_error"' in page
    assert re.search(rf'value="{cast.acme.pk}" selected', page)
    assert re.search(r'value="90" selected', page)


def test_a_service_user_is_nobody_to_meet(cast: Any) -> None:
    made(enter(cast.carla), customer=str(cast.acme.pk))
    service = User.objects.get(is_service=True)
    assert "Nightly import" not in enter(cast.ada).get("/people/").content.decode()
    login = Client().post("/accounts/login/", {"login": service.email, "password": "x"})
    assert login.status_code == 200
    assert not service.has_usable_password()


def test_an_auditor_has_no_keys(cast: Any) -> None:
    assert enter(cast.audrey).get("/account/keys").status_code == 404
