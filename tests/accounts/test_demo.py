"""The demo's people log in with passwords made here and now, and never stand beside real ones."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from helpdesk.accounts.models import Customer, User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick_hashes(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def seed(path: Path) -> tuple[list[dict[str, str]], str]:
    said = StringIO()
    call_command("seed_demo", people=True, write=str(path), stdout=said)
    return json.loads(path.read_text()), said.getvalue()


def test_everybody_of_the_demo_can_log_in(tmp_path: Path) -> None:
    logins, said = seed(tmp_path / "demo.json")
    assert {"customer", "engineer", "lead", "admin", "auditor", "outsider"} == {p["role"] for p in logins}
    assert all(set(p) == {"role", "email", "password"} and p["password"] in said for p in logins)
    assert all(p["email"].endswith(".example") for p in logins)
    for n, p in enumerate(logins):
        client = Client(REMOTE_ADDR=f"198.51.100.{n}")
        answer = client.post("/accounts/login/", {"login": p["email"], "password": p["password"]})
        assert answer.headers.get("Location") == "/", p
    assert (tmp_path / "demo.json").stat().st_mode & 0o777 == 0o600


def test_half_of_them_are_chinese(tmp_path: Path) -> None:
    seed(tmp_path / "demo.json")
    assert sorted(Customer.objects.values_list("language", flat=True)) == ["en"] * 6 + ["zh-hans"] * 6
    assert User.objects.filter(language="zh-hans").count() >= 6


def test_twice_is_as_once_and_a_lost_file_means_new_passwords(tmp_path: Path) -> None:
    first, _ = seed(tmp_path / "demo.json")
    count = User.objects.count()
    assert seed(tmp_path / "demo.json")[0] == first
    again, _ = seed(tmp_path / "lost.json")
    assert ([p["email"] for p in again], User.objects.count()) == ([p["email"] for p in first], count)
    assert {p["password"] for p in again}.isdisjoint(p["password"] for p in first)
    login = {"login": again[0]["email"], "password": again[0]["password"]}
    assert Client().post("/accounts/login/", login).status_code == 302


def test_beside_real_people_nothing_is_made(cast: Any, tmp_path: Path) -> None:
    before = User.objects.count()
    with pytest.raises(CommandError) as refused:
        seed(tmp_path / "demo.json")
    assert refused.value.returncode == 2
    assert "\n" not in str(refused.value)
    assert (User.objects.count(), (tmp_path / "demo.json").exists()) == (before, False)


def test_the_first_administrator_comes_by_a_command_and_only_the_first() -> None:
    said = StringIO()
    call_command("first_admin", "Boss@desk.example", "林总", stdout=said)
    link = said.getvalue().strip().removeprefix("http://127.0.0.1:8000")
    client = Client()
    form = client.get(link).headers["Location"]
    password = {"password1": "a long enough sentence", "password2": "a long enough sentence"}
    assert client.post(form, password).status_code == 302
    login = {"login": "boss@desk.example", "password": password["password1"]}
    assert client.post("/accounts/login/", login).headers["Location"] == "/"
    assert client.get("/people/").status_code == 200
    with pytest.raises(CommandError):
        call_command("first_admin", "second@desk.example", "X")
