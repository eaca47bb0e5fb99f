"""Nobody becomes more than they were by what they send: extra fields, other people's pages, a lead's own hands."""

from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.test import Client

from helpdesk.accounts import actions
from helpdesk.accounts.models import Customer, Invitation, Membership, User
from helpdesk.accounts.permissions import ROLE_TABLE, Right, may
from tests.accounts.test_coming_in import AT, JOIN, PASSWORD

pytestmark = pytest.mark.django_db

# The union of all field names of the desk, and what frameworks call their own.
FIELDS = {
    f.name for m in apps.get_models() if m._meta.app_label in ("accounts", "audit", "outbox") for f in m._meta.fields
}
ALL = dict.fromkeys(
    FIELDS | {"is_staff", "is_superuser", "is_admin", "groups", "role", "org", "user_id", "pk"}, "admin"
)


def state(*, but: User | None = None) -> Any:
    """Everything about people that a form must not move."""
    people = User.objects.exclude(pk=but.pk if but else None).order_by("pk").values()
    tables = (Membership, Customer, Invitation)
    return list(people), [list(t.objects.order_by("pk").values()) for t in tables]  # type: ignore[attr-defined]


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.mark.parametrize("who", ["cora", "carla", "dora", "ana", "lee", "ada", "audrey"])
def test_a_profile_moves_its_four_fields_and_nothing_else(cast: Any, who: str) -> None:
    person = getattr(cast, who)
    client = client_of(person)
    before, own = state(but=person), User.objects.filter(pk=person.pk).values().get()
    profile = {"name": "Other", "language": "en", "zone": "UTC", "phone": ""}
    assert client.post("/account/", ALL | profile).status_code == 303
    assert state(but=person) == before
    assert User.objects.filter(pk=person.pk).values().get() == own | profile


def test_an_invitation_is_taken_as_it_was_given(cast: Any) -> None:
    from datetime import UTC, datetime

    given = {"email": "new@acme.example", "name": "N", "language": "en", "zone": "UTC"}
    _made, token = actions.invite(
        **given, customer=cast.acme, customer_role="member", by=cast.lee, at=datetime.now(UTC)
    )
    forged = {"email": "boss@acme.example", "customer": str(cast.globex.pk), "customer_role": "admin", "is_active": ""}
    assert Client().post(f"/invitation/{token}", ALL | forged | JOIN).status_code == 302
    person = User.objects.get(email="new@acme.example")
    assert (person.staff_role, person.is_staff, person.is_active) == (None, False, True)
    assert list(person.memberships.values_list("customer__code", "role")) == [("ACME", "member")]
    assert not User.objects.filter(email="boss@acme.example").exists()


def test_a_lead_invites_no_colleague_by_a_forged_role(cast: Any) -> None:
    given = {"email": "x@desk.example", "name": "X", "language": "en", "zone": "UTC", "customer": ""}
    client = client_of(cast.lee)
    for role in ("staff:admin", "staff:engineer", "admin", "customer:owner", ""):
        assert client.post("/people/invite", ALL | given | {"role": role}).status_code == 422, role
    assert not Invitation.objects.exists()


VERBS = {
    "deactivate": {},
    "activate": {},
    "role": {"staff_role": "admin"},
    "membership": {"role": "admin"},
    "second-factor": {},
}


@pytest.mark.parametrize("who", ["cora", "carla", "dora", "gus", "ana", "audrey"])
def test_neither_customers_nor_engineers_nor_auditors_touch_people(cast: Any, who: str) -> None:
    client, person = client_of(getattr(cast, who)), getattr(cast, who)
    before = state()
    for other in (person, cast.cora, cast.ana, cast.ada):
        for verb, more in VERBS.items():
            answer = client.post(f"/people/{other.pk}/{verb}", {"customer": str(cast.acme.pk)} | more)
            assert answer.status_code == 404, verb
        assert client.get(f"/people/{other.pk}/").status_code == 404
    assert client.post("/people/invite", {"email": "x@x.example"}).status_code == 404
    assert client.get("/people/").status_code == 404
    assert state() == before


def test_a_lead_touches_customers_people_and_no_colleague(cast: Any) -> None:
    client = client_of(cast.lee)
    before = state()
    for other in (cast.lee, cast.ana, cast.ada, cast.audrey):
        for verb, more in VERBS.items():
            answer = client.post(f"/people/{other.pk}/{verb}", {"customer": str(cast.acme.pk)} | more)
            assert answer.status_code == 404, (other, verb)
    assert client.post(f"/people/{cast.cora.pk}/role", {"staff_role": "admin"}).status_code == 404
    assert client.post(f"/people/{cast.cora.pk}/second-factor").status_code == 404
    assert state() == before
    made = client.post(f"/people/{cast.cora.pk}/membership", {"customer": str(cast.acme.pk), "role": "admin"})
    assert made.status_code == 303
    assert Membership.objects.get(user=cast.cora).role == "admin"


def test_nobody_changes_or_deactivates_themselves(cast: Any) -> None:
    client = client_of(cast.ada)
    assert client.post(f"/people/{cast.ada.pk}/role", {"staff_role": "engineer"}).status_code == 422
    assert client.post(f"/people/{cast.ada.pk}/deactivate").status_code == 422
    cast.ada.refresh_from_db()
    assert (cast.ada.staff_role, cast.ada.is_active) == ("admin", True)


def test_the_actions_themselves_refuse_too(cast: Any) -> None:
    """A door may forget to ask; the action does not."""
    before = state()
    for by in (cast.cora, cast.carla, cast.ana, cast.audrey, cast.lee):
        for act in (
            lambda by=by: actions.set_staff_role(person=cast.cody, role="admin", by=by, at=AT),
            lambda by=by: actions.deactivate_person(person=cast.abe, by=by, at=AT),
            lambda by=by: actions.reset_second_factor(person=cast.abe, by=by, at=AT),
            lambda by=by: actions.change_profile(person=cast.abe, name="X", by=by, at=AT),
            lambda by=by: actions.change_customer(customer=cast.acme, name="X", by=by, at=AT),
            lambda by=by: actions.create_customer(name="X", code="X", language="en", zone="UTC", by=by, at=AT),
        ):
            with pytest.raises(PermissionDenied):
                act()
    with pytest.raises(PermissionDenied):
        actions.set_customer_role(person=cast.gus, customer=cast.globex, role="admin", by=cast.dora, at=AT)
    with pytest.raises(TypeError):
        actions.change_profile(person=cast.cora, by=cast.cora, at=AT, staff_role="admin")
    assert state() == before


def test_who_becomes_staff_leaves_every_company(cast: Any) -> None:
    actions.set_staff_role(person=cast.dora, role="engineer", by=cast.ada, at=AT)
    assert not Membership.objects.filter(user=cast.dora, is_active=True).exists()
    with pytest.raises(actions.Refused):
        actions.set_customer_role(person=cast.dora, customer=cast.acme, role="member", by=cast.ada, at=AT)


def test_rights_are_asked_per_company_and_end_with_either_side(cast: Any) -> None:
    fresh = lambda person: User.objects.get(pk=person.pk)  # noqa: E731
    assert may(fresh(cast.dora), Right.INVITE, cast.acme.pk)
    assert not may(fresh(cast.dora), Right.INVITE, cast.globex.pk)
    actions.change_customer(customer=cast.acme, is_active=False, by=cast.ada, at=AT)
    assert not may(fresh(cast.dora), Right.INVITE, cast.acme.pk)
    assert not any(may(fresh(cast.audrey), right) for right in Right)
    assert set(ROLE_TABLE) == {"customer:member", "customer:admin", "engineer", "lead", "admin", "auditor"}


def test_a_persons_page_tells_what_was_done_in_words(cast: Any) -> None:
    client = client_of(cast.ada)
    client.post(f"/people/{cast.gus.pk}/membership", {"customer": str(cast.acme.pk), "role": "admin"})
    client.post(f"/people/{cast.gus.pk}/deactivate")
    page = client.get(f"/people/{cast.gus.pk}/").content.decode()
    assert "Ada made this person <b>Company administrator</b> at Acme" in page
    assert "Ada <b>deactivated</b> the account" in page


def test_people_are_found_and_paged(cast: Any, django_assert_num_queries: Any) -> None:
    for n in range(60):
        User.objects.create_user(email=f"p{n:02}@x.example", name=f"Person {n:02}", at=AT)
    client = client_of(cast.lee)
    client.get("/people/")
    with django_assert_num_queries(5):  # session, viewer, people, memberships, invitations
        first = client.get("/people/").content.decode()
    (after,) = {part.split("&")[0] for part in first.split("?after=")[1:]}
    second = client.get(f"/people/?after={after}").content.decode()
    assert ("Person 59" in first, "Person 59" in second) == (False, True)
    for q, who in {"cora@": "Cora", "glob": "Gus", "person 07": "Person 07"}.items():
        assert who in client.get("/people/", {"q": q}).content.decode()
    for q in ("nobody\x00here", "%", "\ud800", "x" * 10_000):
        assert client.get("/people/", {"q": q.encode(errors="surrogatepass")}).status_code == 200
    assert client.get("/people/?after=999999999999999999999").status_code == 200
    assert PASSWORD not in first
