"""A new version of the promises: one administrator writes it, another publishes it, and everything says it at once."""

import hashlib
import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone, translation

from docs import render
from docs.models import DocumentVersion
from helpdesk.accounts import keys
from helpdesk.audit.models import Entry
from helpdesk.outbox.compose import compose
from helpdesk.outbox.models import Letter
from sla import actions
from sla.models import Clock, MatrixCell, PolicyVersion, Priority, Target
from tests.cast import Cast
from tickets import actions as tickets

pytestmark = pytest.mark.django_db
PUBLISH = "/sla-config/publish"


def client_of(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def admin_form(page: Any, **changed: Any) -> dict[str, Any]:
    """What the admin's page would send, as a browser does, with `changed` by name."""
    sent: dict[str, Any] = {}
    for formset in page.context["inline_admin_formsets"]:
        for form in [formset.formset.management_form, *formset.formset.forms]:
            for field in form:
                sent[field.html_name] = "" if field.value() is None else field.value()
    return sent | changed


def edit(person: Any, policy: PolicyVersion, **changed: Any) -> Any:
    """`critical_response_time_minutes=10` and the like, typed into the admin's page and saved."""
    client = client_of(person)
    url = f"/admin/sla/policyversion/{policy.pk}/change/"
    page = client.get(url)
    assert page.status_code == 200
    order = list(policy.targets.order_by("priority__rank").values_list("priority__code", flat=True))
    typed = {}
    for name, value in changed.items():
        code, _underscore, field = name.partition("_")
        typed[f"targets-{order.index(code)}-{field}"] = value
    return client.post(url, admin_form(page) | typed)


def drafted(cast: Cast, **changed: Any) -> PolicyVersion:
    assert client_of(cast.ada).post("/sla-config/draft").status_code == 303
    policy = PolicyVersion.objects.get(number=2)
    if changed:
        assert edit(cast.ada, policy, **changed).status_code == 302
    return policy


def submitted(cast: Cast, **changed: Any) -> PolicyVersion:
    policy = drafted(cast, **(changed or {"critical_response_time_minutes": 10}))
    client_of(cast.ada).post("/sla-config/submit")
    policy.refresh_from_db()
    assert policy.state == "submitted"
    return policy


def publish(person: Any, **said: Any) -> Any:
    client = client_of(person)
    page = client.get(PUBLISH).content.decode()
    hidden = {name: re.search(f'name="{name}" value="([^"]*)"', page)[1] for name in ("seen", "after")}  # type: ignore[index]
    return client.post(PUBLISH, hidden | said)


def api(cast: Cast) -> Any:
    _key, token = keys.create_key(
        name="reads", customer=cast.acme, may_write=False, days=1, by=cast.lee, at=timezone.now()
    )
    return Client().get("/api/sla", headers={"Authorization": f"Bearer {token}", "Accept-Language": "en"})


def filed(cast: Cast) -> Any:
    given = {"category": "technical", "impact": "production_down", "urgency": "urgent", "by": cast.cora}
    words = {"title": "Disk full", "description": "On db-1"}
    return tickets.open_ticket(customer=cast.acme, at=timezone.now(), **given, **words)


def receipt(ticket: Any) -> timedelta:
    """How soon the letter of receipt promises an answer, to the minute."""
    letter = Letter.objects.get(subject=ticket.ref, kind="ticket.received", to_key=ticket.requester.key)
    letter.language = "en"
    mail = compose(letter, ticket.created_at)
    found = re.search(r"answers by .*?(\d\d):(\d\d)", str(mail and mail.body))
    assert found
    filed_at = ticket.created_at.astimezone(ZoneInfo(letter.zone))
    said = filed_at.replace(hour=int(found[1]), minute=int(found[2]))
    return (said - filed_at.replace(second=0, microsecond=0)) % timedelta(days=1)


def promised_to(ticket: Any) -> int:
    return Clock.objects.get(subject=ticket.ref, kind="response").target_s


def test_a_published_target_changes_page_levels_letter_and_api_alike_and_no_old_ticket(cast: Cast) -> None:
    old = filed(cast)
    submitted(cast)
    assert api(cast).json()["targets"][0]["response_time_minutes"] == 15, "nothing changes before it is published"
    answer = publish(cast.abe)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sla-config")
    assert "≤ 10分钟" in text(Client().get("/docs/SLA-POLICY?lang=zh"))
    assert "≤ 10 minutes" in text(Client().get("/docs/SLA-POLICY?lang=en"))
    assert "≤ 10 minutes" in text(client_of(cast.gus).get("/sla-config"))
    assert "10" in client_of(cast.gus).get("/tickets/create").content.decode()
    told = api(cast).json()
    assert (told["version"], told["targets"][0]["response_time_minutes"]) == (2, 10)
    fresh = filed(cast)
    assert promised_to(fresh) == 600
    assert receipt(fresh).seconds // 60 == 10
    assert receipt(old).seconds // 60 == 15
    tickets.note(ticket=old, body="still the same", by=cast.ana, at=timezone.now())
    assert promised_to(old) == 900


def test_what_was_published_is_frozen_in_both_languages(cast: Cast) -> None:
    policy = submitted(cast)
    publish(cast.abe)
    kept = DocumentVersion.objects.filter(policy=policy)
    assert {(d.name, d.language, d.author, d.approver) for d in kept} == {
        ("SLA-POLICY", language, cast.ada, cast.abe) for language in render.LANGUAGES
    }
    for document in kept:
        assert hashlib.sha256(document.html.encode()).hexdigest() == document.sha256
        page = Client().get("/docs/SLA-POLICY", {"lang": document.language})
        assert document.sha256 in page.content.decode()
        with pytest.raises(DatabaseError), transaction.atomic():
            DocumentVersion.objects.filter(pk=document.pk).update(html="other")
        with pytest.raises(DatabaseError), transaction.atomic():
            document.delete()
    assert DocumentVersion.objects.filter(policy__number=1).count() == 2, "the version before is kept too"
    before = text(Client().get("/docs/SLA-POLICY?lang=en&version=1"))
    assert "no longer in force" in before
    assert "≤ 15 minutes" in before


def test_history_tells_old_and_new_and_who(cast: Cast) -> None:
    submitted(cast)
    publish(cast.abe)
    assert [e.action for e in Entry.objects.filter(subject="policy:2").order_by("id")] == [
        "policy.drafted",
        "policy.changed",
        "policy.submitted",
        "policy.published",
        "policy.frozen",
    ]
    changed = Entry.objects.get(action="policy.changed")
    assert changed.data == {"targets": {"critical": {"response_time_minutes": [15, 10]}}, "cells": 0}
    page = text(client_of(cast.ana).get("/sla-config/history"))
    for word in ("Version 2", "Ada", "Abe", "15 minutes", "10 minutes"):
        assert word in page


def test_nobody_publishes_what_they_wrote(cast: Cast) -> None:
    policy = submitted(cast)
    page = client_of(cast.ada).get(PUBLISH)
    assert "Waits for another administrator" in page.content.decode()
    sent = {"seen": actions.digest(policy), "after": 1}
    answer = client_of(cast.ada).post(PUBLISH, sent)
    assert answer.status_code == 422
    assert "Another administrator has to publish it" in answer.content.decode()
    policy.refresh_from_db()
    assert policy.state == "submitted"
    assert not DocumentVersion.objects.exists()


def test_only_its_author_edits_a_draft_and_nobody_a_published_version(cast: Cast) -> None:
    policy = drafted(cast)
    url = f"/admin/sla/policyversion/{policy.pk}/change/"
    page = client_of(cast.ada).get(url)
    assert client_of(cast.abe).post(url, admin_form(page)).status_code == 403
    first = PolicyVersion.objects.get(number=1)
    published = client_of(cast.ada).get(f"/admin/sla/policyversion/{first.pk}/change/")
    assert 'type="submit"' not in published.content.decode().split('id="content"')[1].split("logout")[0]
    for person in (cast.lee, cast.ana, cast.gus, cast.audrey):
        assert client_of(person).get(url, follow=True).status_code == 404
        for verb in ("draft", "submit", "give-back", "discard", "publish"):
            assert client_of(person).post(f"/sla-config/{verb}").status_code == 404


def test_one_version_is_open_at_a_time(cast: Cast) -> None:
    drafted(cast)
    abe = client_of(cast.abe)
    abe.post("/sla-config/draft")
    assert "There is an open draft already" in abe.get(PUBLISH).content.decode()
    assert PolicyVersion.objects.count() == 2


def test_a_draft_is_given_back_changed_and_discarded(cast: Cast) -> None:
    policy = submitted(cast)
    client_of(cast.abe).post("/sla-config/give-back")
    assert edit(cast.ada, policy, critical_response_time_minutes=12).status_code == 302
    client_of(cast.ada).post("/sla-config/discard")
    assert not PolicyVersion.objects.filter(number=2).exists()
    assert not Target.objects.filter(policy_id=policy.pk).exists()
    assert "Nothing waits" in client_of(cast.ada).get(PUBLISH).content.decode()


def test_whoever_publishes_names_what_they_have_read(cast: Cast) -> None:
    """The version goes back, changes and is submitted anew while somebody reads the first text."""
    policy = submitted(cast)
    seen = actions.digest(policy)
    client_of(cast.abe).post("/sla-config/give-back")
    edit(cast.ada, policy, critical_response_time_minutes=1)
    client_of(cast.ada).post("/sla-config/submit")
    answer = client_of(cast.abe).post(PUBLISH, {"seen": seen, "after": 1})
    assert answer.status_code == 409
    assert "Nothing was published" in answer.content.decode()
    assert "1 minute" in text(answer), "the fresh page shows what stands there now"
    policy.refresh_from_db()
    assert policy.state == "submitted"


def test_the_second_of_two_who_publish_is_told(cast: Cast) -> None:
    policy = submitted(cast)
    sent = {"seen": actions.digest(policy), "after": 1}
    assert client_of(cast.abe).post(PUBLISH, sent).status_code == 302
    second = client_of(cast.abe).post(PUBLISH, sent)
    assert second.status_code == 409
    assert DocumentVersion.objects.filter(policy=policy).count() == 2
    assert Entry.objects.filter(action="policy.published").count() == 1


def test_nothing_is_published_where_a_document_cannot_be_rendered(cast: Cast, tmp_path: Any, monkeypatch: Any) -> None:
    policy = submitted(cast)
    for language in render.LANGUAGES:
        (tmp_path / language).mkdir()
        (tmp_path / language / "SLA-POLICY.md").write_text("# Title\n\n{{ sla.nonsense }}\n")
    monkeypatch.setattr(render, "CONTENT", tmp_path)
    answer = publish(cast.abe)
    assert answer.status_code == 422
    assert "sla.nonsense" in answer.content.decode()
    policy.refresh_from_db()
    assert policy.state == "submitted"
    assert not Entry.objects.filter(action="policy.published").exists()


def test_a_version_may_begin_later(cast: Cast) -> None:
    policy = submitted(cast)
    begins = timezone.now() + timedelta(days=40)
    publish(cast.abe, effective_at=begins.strftime("%Y-%m-%dT%H:%M"))
    policy.refresh_from_db()
    assert policy.state == "published"
    assert api(cast).json()["version"] == 1
    assert "≤ 15 minutes" in text(Client().get("/docs/SLA-POLICY?lang=en"))
    assert "takes effect" in text(client_of(cast.gus).get("/sla-config"))
    coming = text(Client().get("/docs/SLA-POLICY?lang=en&version=2"))
    assert "Version 2 takes effect" in coming
    assert "≤ 10 minutes" in coming


@pytest.mark.parametrize(("language", "word"), [("en", "This is past"), ("zh-hans", "已经过去")])
def test_a_version_cannot_begin_in_the_past(cast: Cast, language: str, word: str) -> None:
    policy = submitted(cast)
    cast.abe.language = language
    cast.abe.save()
    answer = publish(cast.abe, effective_at="2026-01-01T00:00")
    assert answer.status_code == 422
    assert word in answer.content.decode()
    assert 'value="2026-01-01T00:00"' in answer.content.decode(), "what was typed stays"
    policy.refresh_from_db()
    assert policy.state == "submitted"


MISTAKES = [
    ({"critical_response_time_minutes": 0}, "response_time_minutes", "from 1 to", "1 至"),
    ({"critical_response_time_minutes": 10**12}, "response_time_minutes", "from 1 to", "1 至"),
    ({"critical_response_time_minutes": "soon"}, "response_time_minutes", "whole number", "整数"),
    ({"critical_response_time_minutes": 300}, "resolution_time_hours", "before it is answered", "不可能"),
    ({"high_response_time_minutes": 5}, "response_time_minutes", "more urgent one", "越紧急"),
    ({"low_description_en": " "}, "description_en", "both languages", "两种语言"),
    ({"low_description_zh": ""}, "description_zh", "both languages", "两种语言"),
]


@pytest.mark.parametrize(("typed", "field", "english", "chinese"), MISTAKES)
def test_a_mistake_is_named_at_its_field_in_the_readers_language(
    cast: Cast, typed: dict[str, Any], field: str, english: str, chinese: str
) -> None:
    policy = drafted(cast)
    before = actions.digest(policy)
    for language, word in (("en", english), ("zh-hans", chinese)):
        cast.ada.language = language
        cast.ada.save()
        answer = edit(cast.ada, policy, **typed)
        assert answer.status_code == 200
        with translation.override(language):
            formset = answer.context["inline_admin_formsets"][0].formset
            said = [str(e) for form in formset.forms for e in form.errors.get(field, [])]
        assert any(word in each for each in said), said
        assert said[0] in answer.content.decode()
    assert actions.digest(policy) == before


def test_the_matrix_proposes_what_was_published(cast: Cast) -> None:
    policy = drafted(cast)
    high = Priority.objects.get(code="high")
    cell = MatrixCell.objects.get(policy=policy, impact__code="question", urgency__code="urgent")
    client, url = client_of(cast.ada), f"/admin/sla/policyversion/{policy.pk}/change/"
    sent = admin_form(client.get(url))
    name = next(k for k, v in sent.items() if k.startswith("matrix") and k.endswith("-id") and v == cell.pk)
    client.post(url, sent | {name.replace("-id", "-priority"): high.pk})
    client.post("/sla-config/submit")
    assert "High" in text(client_of(cast.abe).get(PUBLISH))
    publish(cast.abe)
    found = {(c["impact"], c["urgency"]): c["priority"] for c in api(cast).json()["matrix"]}
    assert found[("question", "urgent")] == "high"
    assert found[("question", "wait")] == "low"


def test_the_levels_are_for_everybody_who_is_logged_in(cast: Cast, django_assert_num_queries: Any) -> None:
    assert Client().get("/sla-config").status_code == 302
    for person, seen in ((cast.gus, False), (cast.ana, False), (cast.audrey, False), (cast.ada, True)):
        page = client_of(person).get("/sla-config").content.decode()
        assert ("Draft a new version" in page) == seen
        assert ("Version history" in page) == (person not in (cast.gus,))
        assert "Production is down" in page
    cora = client_of(cast.cora)
    assert "生产环境完全中断，业务严重受影响" in cora.get("/sla-config").content.decode()


def test_the_api_answers_with_a_key_only(cast: Cast) -> None:
    assert Client().get("/api/sla").status_code == 401
    told = api(cast).json()
    assert [t["priority"] for t in told["targets"]] == ["critical", "high", "medium", "low"]
    assert told["url"].endswith("/docs/SLA-POLICY")
    assert told["targets"][0]["definition"] == "Production is down and business is severely affected"
    assert len(told["matrix"]) == 12
