"""Somebody with a question about a bill is asked about accounts, charges and invoices, and never about outages."""

import json
import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from helpdesk.accounts import keys
from helpdesk.audit.models import Entry
from sla import actions as policy_actions
from sla.definitions import categories_of, fits
from sla.models import Definition, Impact, PolicyVersion
from tests.cast import Cast
from tests.docs.test_publishing import admin_form, client_of, publish, text
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
CREATE = "/tickets/create"
OUTAGE = ("Production is down", "Production is partly affected", "production_down", "生产环境完全中断")
BILL = (
    "Account suspended, or about to be",
    "Wrong charge",
    "Invoice or fapiao missing or wrong",
    "Question about a bill",
)


def words(**said: str) -> dict[str, str]:
    given = {"title": "The bill doubled", "description": "In October", "category": "billing", "urgency": "workaround"}
    return given | {"once": uuid4().hex} | said


def offered(page: Any) -> list[str]:
    return re.findall(r'name="impact" value="([^"]+)"', page.content.decode())


def test_without_javascript_the_button_beside_the_category_brings_its_questions(cast: Cast) -> None:
    gus = client_of(cast.gus)
    first = gus.get(CREATE)
    assert offered(first) == ["production_down", "production_part", "non_critical", "question"]
    assert 'name="carry"' in first.content.decode()
    page = gus.post(CREATE, words(carry="1"))
    assert page.status_code == 200
    assert offered(page) == ["account_suspended", "wrong_charge", "invoice_missing", "billing_question"]
    for word in OUTAGE:
        assert word not in page.content.decode()
    for word in BILL:
        assert word in text(page)
    assert 'value="The bill doubled"' in page.content.decode(), "what was typed stays"
    assert not Ticket.objects.exists()


def test_the_answers_propose_a_priority_before_anything_is_sent(cast: Cast) -> None:
    page = client_of(cast.gus).post(CREATE, words(promise="1", impact="account_suspended", urgency="urgent"))
    shown = re.findall(r'data-priority="(\w+)"(?! hidden)', page.content.decode())
    assert shown == ["critical"]


def test_a_customer_files_about_a_bill_and_an_engineer_files_for_one(cast: Cast) -> None:
    assert (
        client_of(cast.gus).post(CREATE, words(impact="wrong_charge", customer=str(cast.globex.pk))).status_code == 303
    )
    made = Ticket.objects.get()
    assert (made.category, made.impact, made.priority_id) == ("billing", "wrong_charge", "medium")
    said = words(impact="invoice_missing", customer=str(cast.globex.pk), requester=str(cast.gus.pk), source="phone")
    assert client_of(cast.ana).post(CREATE, said).status_code == 303
    assert Ticket.objects.order_by("-pk")[0].impact == "invoice_missing"


def test_an_engineer_meets_the_same_questions_and_so_does_who_splits_a_message_off(cast: Cast) -> None:
    page = client_of(cast.ana).post(CREATE, words(carry="1", customer=str(cast.globex.pk)))
    assert offered(page) == ["account_suspended", "wrong_charge", "invoice_missing", "billing_question"]
    said = words(category="technical", impact="question", customer=str(cast.globex.pk))
    assert client_of(cast.gus).post(CREATE, said).status_code == 303
    ticket = Ticket.objects.get()
    link = f"/tickets/{ticket.ref}/split?message={ticket.messages.get().pk}"
    assert OUTAGE[0] in text(client_of(cast.ana).get(link))
    other = text(client_of(cast.ana).get(f"{link}&category=billing"))
    assert BILL[0] in other
    assert OUTAGE[0] not in other


@pytest.mark.parametrize(("category", "impact"), [("billing", "production_down"), ("technical", "wrong_charge")])
def test_a_foreign_answer_is_refused_at_its_field_and_nothing_is_filed(cast: Cast, category: str, impact: str) -> None:
    page = client_of(cast.gus).post(CREATE, words(category=category, impact=impact, customer=str(cast.globex.pk)))
    assert page.status_code == 422
    assert 'id="impact_error"' in page.content.decode()
    assert 'value="The bill doubled"' in page.content.decode()
    assert impact not in offered(page)
    assert not Ticket.objects.exists()


def test_a_program_is_refused_in_the_same_way_and_told_the_words_of_billing(cast: Cast) -> None:
    _key, token = keys.create_key(
        name="files", customer=cast.globex, may_write=True, days=1, by=cast.lee, at=timezone.now()
    )
    heads = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
    told = Client().get("/api/sla", headers=heads).json()
    assert [row["impact"] for row in told["matrix"]][:1] == ["production_down"]
    assert "production_down" not in json.dumps(told["billing"])
    assert told["billing"]["impacts"][0]["code"] == "account_suspended"
    assert told["billing"]["definitions"][0]["definition"].startswith("The account is suspended")
    said = {"title": "Bill", "description": "Wrong", "category": "billing", "requester": "gus@desk.example"}
    wrong = said | {"impact": "production_down", "urgency": "urgent"}
    answer = Client().post("/api/tickets", wrong, content_type="application/json", headers=heads)
    assert answer.status_code == 422
    assert "account_suspended" in json.dumps(answer.json())
    assert not Ticket.objects.exists()
    right = said | {"impact": "account_suspended", "urgency": "urgent"}
    answer = Client().post("/api/tickets", right, content_type="application/json", headers=heads)
    assert (answer.status_code, answer.json()["priority"]) == (201, "critical")


def test_the_policy_says_it_in_chapter_two_five(cast: Cast) -> None:
    page = text(Client().get("/docs/SLA-POLICY?lang=en"))
    chapter = page.split("2.5 Billing support")[-1].split("Operations")[0]
    for word in (*BILL, "A general question about bills or payment"):
        assert word in chapter
    assert OUTAGE[0] not in chapter
    assert "发票缺失或有误" in text(Client().get("/docs/SLA-POLICY?lang=zh"))


def test_what_a_priority_means_for_a_bill_is_a_promise_with_a_version(cast: Cast) -> None:
    """Written by one administrator, published by another; the version before keeps its words."""
    ada = client_of(cast.ada)
    ada.post("/sla-config/draft")
    draft = PolicyVersion.objects.get(number=2)
    url = f"/admin/sla/policyversion/{draft.pk}/change/"
    form = admin_form(ada.get(url))
    assert ada.post(url, form | {"definitions-0-description_en": ""}).status_code == 200, "it is named at its field"
    assert ada.post(url, form | {"definitions-0-description_en": "The account is locked"}).status_code == 302
    before = policy_actions.digest(draft)
    assert Entry.objects.get(action="policy.changed").data["definitions"] == 1
    ada.post("/sla-config/submit")
    assert "The account is locked" in text(ada.get("/sla-config/publish"))
    assert before == policy_actions.digest(draft)
    publish(cast.abe)
    assert "The account is locked" in text(Client().get("/docs/SLA-POLICY?lang=en"))
    assert Definition.objects.get(
        policy__number=1, category="billing", priority__code="critical"
    ).description_en.startswith("The account is suspended")
    assert "The account is locked" not in text(Client().get("/docs/SLA-POLICY?lang=en&version=1"))


def test_the_words_of_an_answer_are_edited_in_the_admin_and_by_administrators_alone(cast: Cast) -> None:
    row = Impact.objects.get(code="wrong_charge")
    url = f"/admin/sla/impact/{row.pk}/change/"
    said = {
        "label_zh": "扣错了",
        "label_en": "Charged wrongly",
        "hint_zh": "金额不对",
        "hint_en": "The amount is wrong",
    }
    for person in (cast.lee, cast.ana, cast.gus, cast.audrey):
        assert client_of(person).post(url, said).status_code in (302, 404)
    row.refresh_from_db()
    assert row.label_en == "Wrong charge"
    assert "login" in Client().get(url).headers["Location"]
    assert client_of(cast.ada).post(url, said).status_code == 302
    assert "Charged wrongly" in text(client_of(cast.gus).post(CREATE, words(carry="1")))
    assert Entry.objects.get(action="impact.changed").data == {"fields": ["label_zh", "label_en", "hint_zh", "hint_en"]}


def test_every_answer_belongs_to_one_category(cast: Cast) -> None:
    policy = PolicyVersion.objects.get(number=1).pk
    for code, category in categories_of(policy).items():
        assert fits(policy, code, "billing") == (category == "billing")
        assert fits(policy, code, "technical") == fits(policy, code, "account") == (category == "")
