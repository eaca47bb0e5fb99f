"""A partner replaces the four priorities by five of their own, in the admin, and the whole desk goes by them."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from helpdesk.accounts import keys
from sla.models import Clock, PolicyVersion, Priority
from tests.cast import Cast
from tests.docs.test_publishing import admin_form, client_of, publish, text
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
LEVELS = ["P0", "P1", "P2", "P3", "P4"]
MINUTES = {"p0": 5, "p1": 15, "p2": 60, "p3": 240, "p4": 1440}


def replaced(cast: Cast) -> PolicyVersion:
    """The four retire, five come, a version names them, and somebody else publishes it: all in the admin's pages."""
    ada = client_of(cast.ada)
    for old in Priority.objects.order_by("rank"):
        typed = {"rank": old.rank, "label_zh": old.label_zh, "label_en": old.label_en, "retired": "on"}
        if old.rank == 4:
            add(ada, 5, "P4")
        assert ada.post(f"/admin/sla/priority/{old.pk}/change/", typed).status_code == 302
        add(ada, old.rank, LEVELS[old.rank - 1])
    assert ada.post("/sla-config/draft").status_code == 303
    policy = PolicyVersion.objects.get(number=2)
    url = f"/admin/sla/policyversion/{policy.pk}/change/"
    page = ada.get(url)
    forms = page.context["inline_admin_formsets"][0].formset.forms
    assert [form.instance.priority.code for form in forms] == list(MINUTES)
    typed = {f"targets-{n}-response_time_minutes": MINUTES[form.instance.priority.code] for n, form in enumerate(forms)}
    answer = ada.post(url, admin_form(page) | typed)
    assert answer.status_code == 302, text(answer)
    ada.post("/sla-config/submit")
    assert publish(cast.abe).headers["Location"] == "/sla-config"
    return policy


def add(ada: Client, rank: int, label: str) -> None:
    typed = {"code": label.lower(), "rank": rank, "label_zh": f"{label} 级", "label_en": label}
    answer = ada.post("/admin/sla/priority/add/", typed)
    assert answer.status_code == 302, text(answer)


def filed(cast: Cast, once: str = "web") -> Ticket:
    given = {"title": "T", "description": "D", "category": "technical", "impact": "production_down"}
    answer = client_of(cast.cora).post(
        "/tickets/create", given | {"urgency": "urgent", "customer": str(cast.acme.pk), "once": once}
    )
    assert answer.status_code == 303, text(answer)
    return Ticket.objects.order_by("-pk")[0]


def test_the_form_the_clock_and_the_pages_speak_of_p0(cast: Cast) -> None:
    before = filed(cast, "before")
    replaced(cast)
    ticket = filed(cast)
    assert ticket.priority_id == "p0"
    clock = Clock.objects.get(subject=ticket.ref, kind="response")
    assert clock.due_at == ticket.created_at + timedelta(minutes=5)
    ana = client_of(cast.ana)
    for path in ("/tickets/?view=all", f"/tickets/{ticket.ref}/", "/sla-config", "/docs/SLA-POLICY?lang=en"):
        assert "P0" in text(ana.get(path)), path
    assert "Critical" in text(ana.get(f"/tickets/{before.ref}/")), "what was filed keeps its priority"
    assert "P4" in text(ana.get("/docs/SLA-POLICY?lang=en"))
    assert "P0 级" in text(client_of(cast.ana).get("/docs/SLA-POLICY?lang=zh"))
    assert ana.get("/sla/report?by=priority").status_code == 200
    assert client_of(cast.gus).get(f"/tickets/{ticket.ref}/").status_code == 404


def test_programs_file_by_the_new_codes_and_by_no_old_one(cast: Cast) -> None:
    replaced(cast)
    _key, token = keys.create_key(
        name="files", customer=cast.acme, may_write=True, days=1, by=cast.lee, at=timezone.now()
    )

    def post(priority: str) -> Any:
        said = {"title": "T", "description": "D", "priority": priority, "customer_id": str(cast.acme.pk)}
        return Client().post("/api/tickets", said, "application/json", headers={"Authorization": f"Bearer {token}"})

    made = post("p1")
    assert made.status_code == 201, made.content
    assert Ticket.objects.get().priority_id == "p1"
    assert Clock.objects.get(kind="response").target_s == 15 * 60
    refused = post("critical")
    assert refused.status_code == 422
    assert b"priority" in refused.content
    assert (
        Client().get("/api/sla", headers={"Authorization": f"Bearer {token}"}).json()["targets"][0]["priority"] == "p0"
    )


def test_an_engineer_changes_among_the_new_ones(cast: Cast) -> None:
    replaced(cast)
    ticket = filed(cast)
    page = text(client_of(cast.ana).get(f"/tickets/{ticket.ref}/"))
    assert "P4" in page
    assert "Critical" not in page
    said = {"priority": "p1", "reason": "Half of it is back.", "version": ticket.version, "once": "p"}
    assert client_of(cast.ana).post(f"/tickets/{ticket.ref}/prioritise", said).status_code == 303
    assert Ticket.objects.get(pk=ticket.pk).priority_id == "p1"
