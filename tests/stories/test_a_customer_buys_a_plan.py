"""A customer buys a plan with hours of its own: an administrator enters it, and tickets are promised what it says."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.utils import timezone

from helpdesk.accounts import keys
from helpdesk.audit.models import Entry
from sla import clocks, plans
from sla.models import Calendar, Clock, Plan, PlanAssignment, PolicyVersion
from tests.cast import Cast
from tests.docs.test_publishing import admin_form, client_of, publish, text
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
ADMIN = "/admin/sla/planassignment/"
# A Friday afternoon in Shanghai, half an hour before the office closes.
FRIDAY = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def friday(monkeypatch: Any) -> datetime:
    monkeypatch.setattr(timezone, "now", lambda: FRIDAY)
    return FRIDAY


def added(cast: Cast, code: str = "office", calendar: str = "CN-8x5") -> Plan:
    """The plan, as an administrator types it into the admin."""
    hours = Calendar.objects.get(code=calendar)
    typed = {"code": code, "label_zh": "工作时间", "label_en": "Office hours", "calendar": hours.pk}
    answer = client_of(cast.ada).post("/admin/sla/plan/add/", typed)
    assert answer.status_code == 302, text(answer)
    return Plan.objects.get(code=code)


def published(cast: Cast, **changed: Any) -> PolicyVersion:
    """A version with a target for each plan; `office_critical_response_time_minutes=30` is typed into the draft."""
    ada = client_of(cast.ada)
    assert ada.post("/sla-config/draft").status_code == 303
    policy = PolicyVersion.objects.order_by("-number")[0]
    url = f"/admin/sla/policyversion/{policy.pk}/change/"
    page = ada.get(url)
    forms = page.context["inline_admin_formsets"][0].formset.forms
    place = {(f.instance.plan.code, f.instance.priority.code): n for n, f in enumerate(forms)}
    typed = {}
    for name, value in changed.items():
        plan, priority, field = name.split("_", 2)
        typed[f"targets-{place[plan, priority]}-{field}"] = value
    assert ada.post(url, admin_form(page) | typed).status_code == 302
    ada.post("/sla-config/submit")
    # The holidays of the office hours are known for some weeks only: the publisher has read that.
    assert publish(cast.abe, accepted="on").headers["Location"] == "/sla-config"
    return policy


def split(at: datetime | None, name: str) -> dict[str, str]:
    """An instant as the admin's two fields, in the zone of Ada."""
    if at is None:
        return {f"{name}_0": "", f"{name}_1": ""}
    local = at + timedelta(hours=8)
    return {f"{name}_0": f"{local:%Y-%m-%d}", f"{name}_1": f"{local:%H:%M:%S}"}


def assigned(cast: Cast, plan: Plan, from_at: datetime = FRIDAY, until_at: datetime | None = None) -> Any:
    typed = {"customer": cast.globex.pk, "plan": plan.pk, **split(from_at, "from_at"), **split(until_at, "until_at")}
    return client_of(cast.ada).post(f"{ADMIN}add/", typed)


def filed(person: Any, customer: Any, once: str = "a") -> Ticket:
    given = {"title": "T", "description": "D", "category": "technical", "impact": "production_down", "once": once}
    answer = client_of(person).post("/tickets/create", given | {"urgency": "urgent", "customer": str(customer.pk)})
    assert answer.status_code == 303, text(answer)
    return Ticket.objects.order_by("-pk")[0]


def due(ticket: Ticket, kind: str = "response") -> datetime | None:
    return Clock.objects.get(subject=ticket.ref, kind=kind).due_at


def on_office_hours(cast: Cast) -> Plan:
    office = added(cast)
    published(cast, office_critical_response_time_minutes=60)
    assert assigned(cast, office).status_code == 302
    return office


def test_a_ticket_of_a_customer_on_office_hours_is_due_by_them_and_no_other_is(cast: Cast) -> None:
    before = filed(cast.gus, cast.globex, "before")
    on_office_hours(cast)
    assert "Mon 09:30" in text(client_of(cast.ana).get(f"/tickets/{filed(cast.gus, cast.globex).ref}/"))
    ticket = Ticket.objects.order_by("-pk")[0]
    # Half an hour on Friday until 18:00, the other half on Monday from 09:00; in seconds of work, not of the wall.
    assert due(ticket) == datetime(2026, 11, 30, 1, 30, tzinfo=UTC)
    assert due(ticket, "resolution") == datetime(2026, 11, 30, 5, 30, tzinfo=UTC)
    assert ticket.calendar.calendar.code == "CN-8x5"
    assert due(filed(cast.cora, cast.acme, "acme")) == FRIDAY + timedelta(minutes=15)
    assert due(before) == FRIDAY + timedelta(minutes=15), "what was filed keeps what it was promised"


def test_a_change_of_the_assignment_moves_no_ticket(cast: Cast) -> None:
    office = on_office_hours(cast)
    ticket = filed(cast.gus, cast.globex)
    stood = due(ticket)
    row = PlanAssignment.objects.get()
    typed = {"plan": office.pk, **split(FRIDAY - timedelta(days=9), "from_at"), **split(FRIDAY, "until_at")}
    assert client_of(cast.ada).post(f"{ADMIN}{row.pk}/change/", typed).status_code == 302
    told = clocks.recompute(
        ticket.ref, terms=ticket.terms, report=clocks.Report(cast.globex.pk, "critical", "technical", "web"), at=FRIDAY
    )
    assert {c.kind: c.due_at for c in told.clocks}["response"] == stood == due(ticket)
    assert due(filed(cast.gus, cast.globex, "later")) == FRIDAY + timedelta(minutes=15), (
        "the plan ended at this instant"
    )


def test_the_form_and_the_interface_promise_what_the_plan_does(cast: Cast) -> None:
    on_office_hours(cast)
    page = text(client_of(cast.gus).get("/tickets/create"))
    assert "Mon 09:30" in page or "Mon 02:30" in page
    for customer, minutes in ((cast.globex, 60), (cast.acme, 15)):
        _key, token = keys.create_key(
            name="reads", customer=customer, may_write=False, days=1, by=cast.lee, at=timezone.now()
        )
        said = Client().get("/api/sla", headers={"Authorization": f"Bearer {token}", "Accept-Language": "en"}).json()
        assert said["targets"][0]["response_time_minutes"] == minutes


def test_a_new_plan_in_a_draft_starts_with_the_figures_of_the_default_plan(cast: Cast) -> None:
    client_of(cast.ada).post("/sla-config/draft")
    office = added(cast)
    policy = PolicyVersion.objects.get(number=2)
    figures = [
        list(
            policy.targets.filter(plan=plan).order_by("priority__rank").values_list("response_time_minutes", flat=True)
        )
        for plan in (office, Plan.objects.get(is_default=True))
    ]
    assert figures == [[15, 60, 240, 1440]] * 2
    page = client_of(cast.ada).get(f"/admin/sla/policyversion/{policy.pk}/change/")
    assert "Office hours" in text(page)


def test_publishing_refuses_a_plan_without_a_target_and_names_it(cast: Cast) -> None:
    ada = client_of(cast.ada)
    ada.post("/sla-config/draft")
    ada.post("/sla-config/submit")
    added(cast)
    answer = publish(cast.abe)
    assert answer.status_code != 302
    said = text(answer)
    assert "“Office hours” has no target for the priority “Critical”" in said
    client_of(cast.abe).post("/sla-config/give-back")
    ada.post("/sla-config/submit")
    # The holidays of the office hours are known for some weeks only: the publisher has read that.
    assert publish(cast.abe, accepted="on").headers["Location"] == "/sla-config"


@pytest.mark.parametrize(
    ("first", "last", "field", "words"),
    [
        (0, 10, "from_at", "This overlaps with Office hours, 2026-11-27 17:30 to 2026-12-27 17:30."),
        (29, None, "from_at", "This overlaps with Office hours"),
        (-9, 1, "from_at", "This overlaps with Office hours"),
        (40, 39, "until_at", "It ends before it begins."),
        (40, 40, "until_at", "It ends before it begins."),
    ],
)
def test_what_overlaps_is_named_at_the_field(cast: Cast, first: int, last: int | None, field: str, words: str) -> None:
    office = added(cast)
    published(cast)
    assert assigned(cast, office, FRIDAY, FRIDAY + timedelta(days=30)).status_code == 302
    end = FRIDAY + timedelta(days=last) if last is not None else None
    answer = assigned(cast, office, FRIDAY + timedelta(days=first), end)
    assert answer.status_code == 200
    assert words in str(answer.context["adminform"].form.errors.get(field)), answer.context["adminform"].form.errors
    assert PlanAssignment.objects.count() == 1
    assert assigned(cast, office, FRIDAY + timedelta(days=30)).status_code == 302, "the next begins where one ends"


def test_the_database_refuses_what_overlaps(cast: Cast) -> None:
    office = added(cast)
    published(cast)
    assigned(cast, office)
    row = PlanAssignment(customer=cast.globex, plan=office, from_at=FRIDAY + timedelta(days=1))
    with pytest.raises(DatabaseError, match="one plan at a time"), transaction.atomic():
        row.save()
    row.customer, row.until_at = cast.acme, FRIDAY
    with pytest.raises(DatabaseError, match="plan_ends_after_it_begins"), transaction.atomic():
        row.save()
    with pytest.raises(ProtectedError):
        office.delete()


def test_a_plan_that_nothing_is_promised_for_or_that_is_retired_is_not_assigned(cast: Cast) -> None:
    office = added(cast)
    answer = assigned(cast, office)
    assert "names targets for this plan" in str(answer.context["adminform"].form.errors["plan"])
    published(cast)
    said = {"label_zh": "旧", "label_en": "Old", "calendar": "", "retired": "on"}
    ada = client_of(cast.ada)
    assert ada.post(f"/admin/sla/plan/{office.pk}/change/", said).status_code == 302
    answer = assigned(cast, office)
    assert "retired" in str(answer.context["adminform"].form.errors["plan"])
    standard = Plan.objects.get(is_default=True)
    answer = ada.post(f"/admin/sla/plan/{standard.pk}/change/", said)
    assert "default plan" in str(answer.context["adminform"].form.errors["retired"])
    assert list(Entry.objects.filter(subject="plan:office").order_by("pk").values_list("action", flat=True)) == [
        "plan.created",
        "plan.changed",
    ]


def test_a_plan_takes_no_hours_that_are_not_in_force(cast: Cast) -> None:
    fresh = Calendar.objects.create(code="new", label_zh="新", label_en="New")
    typed = {"code": "x", "label_zh": "新", "label_en": "New", "calendar": fresh.pk}
    answer = client_of(cast.ada).post("/admin/sla/plan/add/", typed)
    assert "publish one first" in str(answer.context["adminform"].form.errors["calendar"])
    assert not Plan.objects.filter(code="x").exists()


def inline(page: Any, **changed: Any) -> dict[str, Any]:
    """The customer's page as a browser sends it."""
    sent = {}
    for field in page.context["adminform"].form:
        value = field.value()
        if value is not False:
            sent[field.html_name] = "" if value is None else value
    formset = page.context["inline_admin_formsets"][0].formset
    for form in [formset.management_form, *formset.forms]:
        for field in form:
            value = field.value()
            if isinstance(value, datetime):
                sent |= split(value.astimezone(UTC), field.html_name)
            else:
                sent[field.html_name] = "" if value is None else value
    return sent | changed


def test_the_plans_stand_on_the_customers_page_in_the_admin_too(cast: Cast) -> None:
    office = added(cast)
    published(cast)
    ada, url = client_of(cast.ada), f"/admin/accounts/customer/{cast.globex.pk}/change/"
    page = ada.get(url)
    typed = {"plans-0-plan": office.pk, **split(FRIDAY, "plans-0-from_at")}
    assert ada.post(url, inline(page, **typed)).status_code == 302
    row = PlanAssignment.objects.get()
    # One ends where the next begins: both are typed at once.
    standard, turn = Plan.objects.get(is_default=True), FRIDAY + timedelta(days=90)
    typed = {**split(turn, "plans-0-until_at"), "plans-1-plan": standard.pk, **split(turn, "plans-1-from_at")}
    answer = ada.post(url, inline(ada.get(url), **typed))
    assert answer.status_code == 302
    row.refresh_from_db()
    assert (row.until_at, PlanAssignment.objects.count()) == (turn, 2)
    typed = {**split(turn + timedelta(days=1), "plans-0-until_at")}
    answer = ada.post(url, inline(ada.get(url), **typed))
    assert answer.status_code == 200
    assert "This overlaps with Standard" in text(answer)
    actions = Entry.objects.filter(subject=f"customer:{cast.globex.pk}", action__startswith="plan.")
    assert [e.action for e in actions.order_by("pk")] == ["plan.assigned", "plan.reassigned", "plan.assigned"]


def test_the_list_is_searched_and_filtered_and_for_administrators_alone(cast: Cast) -> None:
    office = added(cast)
    published(cast)
    assigned(cast, office)
    ada = client_of(cast.ada)
    assert "Globex" in text(ada.get(ADMIN))
    assert "0 plans of customers" in text(ada.get(f"{ADMIN}?q=acme"))
    assert "Globex" in text(ada.get(f"{ADMIN}?q=glob&plan__id__exact={office.pk}"))
    for path in (ADMIN, f"{ADMIN}add/", "/admin/sla/plan/", "/admin/sla/priority/", "/admin/sla/plan/add/"):
        for person in (cast.gus, cast.carla, cast.ana, cast.lee, cast.audrey):
            assert client_of(person).get(path, follow=True).status_code == 404
            client_of(person).post(path, {"code": "x", "label_zh": "x", "label_en": "x", "rank": 9})
        assert Client().get(path).status_code == 302
    assert not Plan.objects.filter(code="x").exists()
    row = PlanAssignment.objects.get()
    assert ada.post(f"{ADMIN}{row.pk}/delete/", {"post": "yes"}).status_code in (403, 404)
    assert ada.post(f"/admin/sla/plan/{office.pk}/delete/", {"post": "yes"}).status_code in (403, 404)


def test_no_statement_more_is_asked_when_a_ticket_is_filed(cast: Cast, django_assert_num_queries: Any) -> None:
    on_office_hours(cast)
    with django_assert_num_queries(1):
        terms = clocks.terms_in_force(FRIDAY, cast.globex.pk)
    assert terms.plan == Plan.objects.get(code="office").pk
    with django_assert_num_queries(1):
        assert clocks.terms_in_force(FRIDAY - timedelta(seconds=1), cast.globex.pk).plan != terms.plan
    assert plans.promised(Plan.objects.get(code="office"), FRIDAY)


def test_the_company_sees_the_calendar_of_its_plan_and_a_plan_that_claims_more_is_doubted(cast: Cast) -> None:
    carla = client_of(cast.carla)
    assert "China office hours" not in text(carla.get("/sla-config/calendars"))
    office = added(cast, code="always")
    published(cast)
    PlanAssignment.objects.create(customer=cast.acme, plan=office, from_at=FRIDAY)
    page = text(carla.get("/sla-config/calendars"))
    assert "China office hours" in page
    assert "UK nights" not in page
    Plan.objects.filter(pk=office.pk).update(label_en="Support 24x7")
    client_of(cast.ada).post("/sla-config/draft")
    claimed = "24×7 is claimed, but the calendar “China office hours” has office hours"
    assert claimed in text(client_of(cast.ada).get("/sla-config/publish"))
