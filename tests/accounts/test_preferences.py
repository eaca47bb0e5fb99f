"""How one likes to work is one's own matter: keys can be switched off, and a customer's person has no other switch."""

import re
from typing import Any

import pytest

from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry
from tests.entering import enter

pytestmark = pytest.mark.django_db


def test_single_keys_can_be_switched_off_and_on(cast: Any) -> None:
    ana = enter(cast.ana)
    assert "data-shortcuts" in ana.get("/tickets/").content.decode()
    assert ana.post("/account/preferences", {"after_send": "next"}).headers["Location"] == "/account/"
    page = ana.get("/tickets/").content.decode()
    assert "data-shortcuts" not in page
    assert "Switched off in your preferences." in page
    assert 'value="next" selected' in ana.get("/account/").content.decode()
    ana.post("/account/preferences", {"after_send": "next", "shortcuts": "on"})
    assert "data-shortcuts" in ana.get("/tickets/").content.decode()
    assert not Entry.objects.filter(subject=cast.ana.key).exists()


def test_an_unknown_choice_is_refused_at_its_field(cast: Any) -> None:
    answer = enter(cast.ana).post("/account/preferences", {"after_send": "home", "shortcuts": "on"})
    assert answer.status_code == 422
    assert 'id="after_send_error"' in answer.content.decode()
    assert User.objects.get(pk=cast.ana.pk).after_send == "stay"


def test_a_customers_person_has_the_keys_switch_alone(cast: Any) -> None:
    cora = enter(cast.cora)
    assert 'name="after_send"' not in cora.get("/account/").content.decode()
    assert cora.post("/account/preferences", {"after_send": "next", "staff_role": "admin"}).status_code == 303
    kept = User.objects.get(pk=cast.cora.pk)
    assert (kept.shortcuts, kept.after_send, kept.staff_role) == (False, "stay", None)


def choices(person: User) -> set[str]:
    return set(re.findall(r'name="mails" value="(\w+)"', enter(person).get("/account/").content.decode()))


def test_each_side_has_the_switches_of_its_own_mails_and_an_auditor_none(cast: Any) -> None:
    assert choices(cast.cora) == {"filed", "replies", "closings", "aws"}
    assert choices(cast.carla) == {"filed", "replies", "closings", "months", "aws"}
    assert choices(cast.ana) == {"assigned", "mentioned", "warning", "followed", "aws"}
    assert choices(cast.audrey) == set()
    assert "Always sent" in enter(cast.ana).get("/account/preferences").content.decode()
    ana = enter(cast.ana)
    ana.post("/account/preferences", {"after_send": "stay", "mails": ["assigned", "warning"]})
    assert User.objects.get(pk=cast.ana.pk).no_mail == ["mentioned", "aws", "followed"]
    page = ana.get("/account/").content.decode()
    assert 'value="assigned" checked' in page
    assert 'value="followed" checked' not in page


def test_what_is_always_sent_cannot_be_switched_off(cast: Any) -> None:
    refused = enter(cast.cora).post("/account/preferences", {"mails": ["filed", "assigned"]})
    assert refused.status_code == 422
    assert 'id="mails_error"' in refused.content.decode()
    assert enter(cast.cora).post("/account/preferences", {"mails": ["invitation"]}).status_code == 422
    assert User.objects.get(pk=cast.cora.pk).no_mail == []
