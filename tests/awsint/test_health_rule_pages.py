"""Rules, suppressions and playbooks of AWS Health as those with the right edit them."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from awsint.models import HealthEvent, HealthRule, Playbook, Suppression
from tests.awsint.test_health import ACME, CODE, account, children, said, take
from tests.awsint.test_health_pages import _statements, now, told
from tests.cast import Cast
from tests.entering import enter, words

pytestmark = pytest.mark.django_db
__all__ = ["now"]


@pytest.fixture
def world(cast: Cast) -> Cast:
    account(cast.acme, ACME, workload=["production"])
    return cast


def form(**changes: str) -> dict[str, str]:
    """The rules as their form sends them."""
    found: dict[str, str] = {}
    for rule in HealthRule.objects.all():
        found |= {f"position-{rule.pk}": str(rule.position), f"active-{rule.pk}": "on"}
        found |= {f"{name}-{rule.pk}": " ".join(getattr(rule, name)) for name in ("code_words", "services", "regions")}
        if rule.effect in ("priority", "store"):
            found[f"effect-{rule.pk}"] = rule.priority_id or "store"
    return found | changes


def sent(client: Client, said: dict[str, str]) -> Any:
    return client.post("/aws/health/rules/change", said)


def test_rules_are_tried_on_the_last_events_before_they_hold(world: Cast) -> None:
    event = told()
    rule = HealthRule.objects.get(code=event.reason["rule"])
    client = enter(world.lee)
    draft = form(**{f"effect-{rule.pk}": "low"})
    assert sent(client, draft | {"save": "1"}).status_code == 422
    looked = sent(client, draft)
    assert "What would have been" in words(looked)
    # Its accounts that the row does not fit decide then.
    assert re.search(rf"critical {rule.code} (high|medium|low) ", words(looked))
    assert HealthRule.objects.get(pk=rule.pk).priority_id == rule.priority_id
    tried = re.findall(r'name="tried" value="(\w+)"', looked.content.decode())[0]
    # What was tried is saved, and nothing else.
    assert sent(client, draft | {f"effect-{rule.pk}": "high", "save": "1", "tried": tried}).status_code == 422
    assert sent(client, draft | {"save": "1", "tried": tried}).status_code == 303
    assert HealthRule.objects.get(pk=rule.pk).priority_id == "low"
    assert "changed the rules" in words(client.get("/aws/health/rules"))
    assert sent(enter(world.ana), draft).status_code == 404
    assert rule.code in words(enter(world.ana).get("/aws/health/rules"))


WHOLE = {
    "note_zh": "韩国的数据库", "note_en": "Databases in Korea", "position": "1", "is_active": "on",
    "categories": ["issue", "scheduledChange"], "statuses": ["open"], "scope": "ACCOUNT_SPECIFIC",
    "code_words": "operational", "services": "ec2, rds", "regions": "US-EAST-1", "actionabilities": ["ACTION_REQUIRED"],
    "personas": ["SECURITY"], "production": "on", "registered": "no", "vip": "on", "starts_within_h": "48",
    "effect": "medium",
}  # fmt: skip


def saved(client: Client, url: str, said: dict[str, Any]) -> Any:
    """Tried first, and then saved as it was tried."""
    looked = client.post(url, said)
    assert "What would have been" in words(looked)
    tried = re.findall(r'name="tried" value="(\w+)"', looked.content.decode())[0]
    return client.post(url, said | {"save": "1", "tried": tried})


def test_a_rule_with_all_it_can_ask_is_written_changed_and_deleted(world: Cast) -> None:
    event = told()
    client, new = enter(world.lee), "/aws/health/rules/new"
    for wrong in (
        {"code": "H 1"}, {"code": ""}, {"note_zh": ""}, {"position": "0"}, {"categories": ["weather"]}, {"effect": ""},
        {"statuses": ["late"]}, {"scope": "WORLD"}, {"code_words": "a-b"}, {"services": "<b>"}, {"regions": "us east!"},
        {"actionabilities": ["SIT_STILL"]}, {"personas": ["CATS"]}, {"registered": "maybe"}, {"starts_within_h": "0"},
    ):  # fmt: skip
        answer = client.post(new, WHOLE | {"code": "H11"} | wrong)
        assert answer.status_code == 422, wrong
        # What was typed stays, and the trouble is told at its field.
        assert f'id="{next(iter(wrong))}_error"' in answer.content.decode(), wrong
        assert "Databases in Korea" in answer.content.decode()
    assert client.post(new, WHOLE | {"code": "H2"} | {"save": "1"}).status_code == 422, "not tried, and there is one"
    assert saved(client, new, WHOLE | {"code": "H11"}).status_code == 303
    rule = HealthRule.objects.get(code="H11")
    assert (rule.services, rule.regions, rule.code_words) == (["EC2", "RDS"], ["us-east-1"], ["OPERATIONAL"])
    assert (rule.registered, rule.production, rule.vip, rule.starts_within_h) == (False, True, True, 48)
    assert (rule.effect, rule.priority_id, rule.personas) == ("priority", "medium", ["SECURITY"])
    # Emptied, it fits everything: the dry run says so before it holds, and what was tried is saved alone.
    page, less = f"/aws/health/rules/{rule.pk}/", {"note_zh": "一切", "note_en": "All", "position": "1"}
    assert 'value="EC2 RDS"' in client.get(page).content.decode()
    looked = client.post(page, less | {"is_active": "on", "effect": "low"})
    assert re.search(r"critical H2 low H11", words(looked))
    assert saved(client, page, less | {"is_active": "on", "effect": "store"}).status_code == 303
    rule.refresh_from_db()
    assert (rule.effect, rule.priority, rule.categories, rule.registered) == ("store", None, [], None)
    # Deleting asks, says what would be otherwise, and leaves what was decided.
    HealthEvent.objects.filter(pk=event.pk).update(rule=rule)
    assert "Without it 1 of the newest events" in words(client.get(page + "delete"))
    assert HealthRule.objects.filter(pk=rule.pk).exists()
    assert client.post(page + "delete").status_code == 303
    event.refresh_from_db()
    assert (event.rule, event.reason["rule"]) == (None, "H2")
    history = words(client.get("/aws/health/rules"))
    for line in ("added a rule of AWS Health: H11", "deleted a rule of AWS Health: H11", "scope code_words"):
        assert line in history, line
    for url in (new, f"/aws/health/rules/{HealthRule.objects.earliest('pk').pk}/"):
        assert enter(world.ana).get(url).status_code == 404


def test_a_wrong_place_loses_nothing_that_was_typed(world: Cast) -> None:
    rule = HealthRule.objects.earliest("pk")
    answer = sent(enter(world.lee), form(**{f"position-{rule.pk}": "first", f"services-{rule.pk}": "LAMBDA"}))
    assert answer.status_code == 422
    assert 'value="first"' in answer.content.decode()
    assert "LAMBDA" in answer.content.decode()


@pytest.mark.parametrize("url", ["/aws/health/rules", "/aws/health/playbooks"])
def test_as_many_statements_for_few_rules_as_for_many(world: Cast, url: str) -> None:
    event = told()
    lee, ana = enter(world.lee), enter(world.ana)
    one = {"reason": "a test", "customer": world.globex, "created_by": world.lee, "created_at": event.seen_at}
    until = event.seen_at + timedelta(days=400)
    Suppression.objects.create(code="AWS_W_*", expires_at=until, **one)
    few = [_statements(client, url) for client in (lee, ana)]
    for n in range(20):
        HealthRule.objects.create(code=f"X{n}", position=90 + n, effect="store")
        Suppression.objects.create(code=f"AWS_X{n}_*", expires_at=until, **one)
        text = dict.fromkeys(("title_zh", "title_en", "means_zh", "means_en", "do_zh", "do_en"), "text")
        Playbook.objects.create(code=f"AWS_X{n}_*", **text)
        take(said(ACME, "i-1", code=f"AWS_QUUX{n}_STRANGE"))
    assert [_statements(client, url) for client in (lee, ana)] == few


def test_a_suppression_has_a_reason_and_an_end(world: Cast) -> None:
    client = enter(world.lee)
    given = {"code": CODE, "reason": "A drill of ours", "days": "3"}
    for wrong in ({"reason": ""}, {"days": "91"}, {"code": ""}, {"code": "a b"}):
        assert client.post("/aws/health/suppress", given | wrong).status_code == 422, wrong
    assert client.post("/aws/health/suppress", given).status_code == 303
    take(said(ACME, "i-1"))
    assert children() == {}
    assert HealthEvent.objects.exists()
    page = words(client.get("/aws/health/rules"))
    assert "A drill of ours" in page
    assert "A drill of ours" not in words(enter(world.audrey).get("/aws/health/rules"))
    row = Suppression.objects.get()
    assert client.post(f"/aws/health/suppressions/{row.pk}/end").status_code == 303
    assert "None in force" in words(client.get("/aws/health/rules"))


def test_a_code_without_a_playbook_is_listed_until_one_is_written(world: Cast) -> None:
    take(said(ACME, "i-1", code="AWS_QUUX_STRANGE_THING"))
    client = enter(world.lee)
    assert "AWS_QUUX_STRANGE_THING 1 event Write one" in words(client.get("/aws/health/playbooks"))
    texts = {name: f"text of {name}" for name in ("title_zh", "title_en", "means_zh", "means_en", "do_zh", "do_en")}
    new = "/aws/health/playbooks/new"
    assert client.post(new, texts | {"code": "AWS_QUUX_*", "do_zh": " "}).status_code == 422
    assert client.post(new, texts | {"code": "AWS_QUUX_*"}).status_code == 303
    assert client.post(new, texts | {"code": "AWS_QUUX_*"}).status_code == 422
    book = Playbook.objects.get(code="AWS_QUUX_*")
    assert client.get(f"/aws/health/playbooks/{book.pk}/").status_code == 200
    page = words(enter(world.ana).get("/aws/health/playbooks?q=quux"))
    assert "text of means_zh" in page
    assert "Write one" not in page
    assert enter(world.ana).get(new).status_code == 404
