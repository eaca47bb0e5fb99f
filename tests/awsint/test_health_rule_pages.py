"""Rules, suppressions and playbooks of AWS Health as those with the right edit them."""

import re
from typing import Any

import pytest
from django.test import Client

from awsint.models import HealthEvent, HealthRule, Playbook, Suppression
from tests.awsint.test_health import ACME, CODE, account, children, said, take
from tests.awsint.test_health_pages import enter, now, told, words
from tests.cast import Cast

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
