"""A company's administrators look after its people: nobody else's, nobody by accident, never without one of them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from helpdesk.accounts import actions, keys
from helpdesk.accounts.models import ApiKey, Invitation, Membership, User
from helpdesk.accounts.permissions import Right, may
from helpdesk.outbox.enqueue import unseal
from helpdesk.outbox.models import Letter
from tests.accounts.many import at_once

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
NEWCOMER = {"email": "nia@acme.example", "name": "Nia", "role": "member", "language": "en", "zone": "UTC"}


def as_(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def page_of(person: User, cast: Any, q: str = "") -> str:
    answer = as_(person).get(f"/company/{cast.acme.pk}/", {"q": q})
    assert answer.status_code == 200
    return str(answer.content.decode())


def role_of(person: User, customer: Any) -> str | None:
    found = Membership.objects.get(user=person, customer=customer)
    return found.role if found.is_active else None


def test_the_page_shows_the_companys_people_and_finds_them(cast: Any, django_assert_num_queries: Any) -> None:
    keys.create_key(name="nightly", customer=cast.acme, may_write=True, days=30, by=cast.carla, at=AT)
    Membership.objects.filter(user=cast.cody).update(is_active=False)
    page = page_of(cast.carla, cast)
    assert [name in page for name in ("Cora", "Cody", "Dora", "nightly", "Gus", "Ana")] == [True, True, True] + [
        False
    ] * 3
    assert "deactivated" in page
    assert ("Cora" in page_of(cast.carla, cast, "ora@"), "Cody" in page_of(cast.carla, cast, "ora@")) == (True, False)
    assert "Nobody matches" in page_of(cast.carla, cast, "nobody at all")
    client = as_(cast.carla)
    assert client.get("/company/").headers["Location"] == f"/company/{cast.acme.pk}/"
    for n in range(60):
        person = User.objects.create_user(email=f"p{n:02}@x.example", name=f"Person {n:02}", at=AT)
        Membership.objects.create(user=person, customer=cast.acme)
    with django_assert_num_queries(6):  # session, viewer, memberships, companies for the door, people, invitations
        first = client.get(f"/company/{cast.acme.pk}/").content.decode()
    (after,) = re.findall(r"\?after=(\d+)", first)
    second = client.get(f"/company/{cast.acme.pk}/?after={after}").content.decode()
    assert ("Person 59" in first, "Person 59" in second) == (False, True)
    for odd in (
        "?q=%00",
        "?after=9999999999999999999",
        "?after=x",
        f"?after={Membership.objects.get(user=cast.gus).pk}",
    ):
        assert client.get(f"/company/{cast.acme.pk}/{odd}").status_code == 200


def test_an_invitation_goes_to_the_address_and_nobody_else_reads_its_link(cast: Any) -> None:
    client = as_(cast.carla)
    assert client.post(f"/company/{cast.acme.pk}/invite", NEWCOMER).status_code == 303
    page = client.get(f"/company/{cast.acme.pk}/").content.decode()
    assert "Nia is invited" in page
    assert "/invitation/" not in page
    letter = Letter.objects.get(kind="account.invitation")
    link = unseal(letter.secret).removeprefix("http://127.0.0.1:8000")
    join = {"name": "Nia", "language": "en", "zone": "UTC", "password": "a long enough sentence"}
    assert Client().post(link, join).status_code == 302
    nia = User.objects.get(email="nia@acme.example")
    assert role_of(nia, cast.acme) == "member"


def test_an_invitation_can_be_taken_back_but_not_another_companys(cast: Any) -> None:
    client = as_(cast.carla)
    client.post(f"/company/{cast.acme.pk}/invite", NEWCOMER)
    (url,) = re.findall(r'action="(/company/[^"]+/revoke)"', page_of(cast.carla, cast))
    given = NEWCOMER | {"role": None, "by": cast.lee, "at": datetime.now(UTC), "customer": cast.globex}
    del given["role"]
    theirs, _token = actions.invite(**given, customer_role="member")  # type: ignore[arg-type]
    assert client.post(f"/company/{cast.acme.pk}/invitations/{theirs.pk}/revoke").status_code == 404
    assert client.post(url).status_code == 303
    assert list(Invitation.objects.filter(revoked_at=None)) == [theirs]


def test_a_form_that_is_wrong_says_where_and_keeps_what_was_typed(cast: Any) -> None:
    client, url = as_(cast.carla), f"/company/{cast.acme.pk}/invite"
    for wrong in ({"email": "x"}, {"email": ""}, {"role": "staff:admin"}, {"role": ""}, {"zone": "Moon"}, {"name": ""}):
        answer = client.post(url, NEWCOMER | wrong)
        assert answer.status_code == 422, wrong
        assert ("Nia" in answer.content.decode()) == ("name" not in wrong)
    for taken in (cast.cora.email, cast.ana.email):
        assert client.post(url, NEWCOMER | {"email": taken}).status_code == 422
    assert client.post(url, NEWCOMER | {"customer": str(cast.globex.pk), "staff_role": "admin"}).status_code == 303
    made = Invitation.objects.get()
    assert (made.customer, made.staff_role, made.customer_role) == (cast.acme, None, "member")


@pytest.mark.parametrize("who", ["stranger", "cora", "gus", "ana", "lee", "ada", "audrey", "gina"])
def test_nobody_else_finds_the_door(cast: Any, who: str) -> None:
    """A member, another company's administrator and the desk: not its people, not through its own address either."""
    gina = User.objects.create_user(email="gina@globex.example", name="Gina", at=AT)
    Membership.objects.create(user=gina, customer=cast.globex, role="admin")
    client = Client() if who == "stranger" else as_(gina if who == "gina" else getattr(cast, who))
    before = list(Membership.objects.order_by("pk").values())
    wanted = (404,) if who != "stranger" else (302,)
    acme, globex = f"/company/{cast.acme.pk}", f"/company/{cast.globex.pk}"
    assert client.get(f"{acme}/").status_code in wanted
    for base in (acme, globex):
        for verb, data in (("role", {"role": "admin"}), ("deactivate", {}), ("activate", {})):
            answer = client.post(f"{base}/people/{cast.cora.pk}/{verb}", data | {"sure": "1"})
            assert answer.status_code in wanted, (base, verb)
    assert client.post(f"{acme}/invite", NEWCOMER).status_code in wanted
    assert list(Membership.objects.order_by("pk").values()) == before
    assert not Invitation.objects.exists()


def test_somebody_of_another_company_cannot_be_drawn_in(cast: Any) -> None:
    with pytest.raises(PermissionDenied):
        actions.set_customer_role(person=cast.gus, customer=cast.acme, role="member", by=cast.carla, at=AT)
    assert as_(cast.carla).post(f"/company/{cast.acme.pk}/people/{cast.gus.pk}/activate").status_code == 404


def test_deactivating_asks_and_then_ends_everything_within_the_request(cast: Any) -> None:
    """T-12; only the membership ends: what else the person belongs to stays."""
    url = f"/company/{cast.acme.pk}/people/{cast.dora.pk}"
    actions.set_customer_role(person=cast.dora, customer=cast.acme, role="member", by=cast.carla, at=AT)
    dora = as_(User.objects.get(pk=cast.dora.pk))
    # A session of a real login is known to the desk.
    dora.get("/tickets/")
    keys.create_key(name="own", customer=None, may_write=False, days=30, by=cast.dora, at=AT)
    client = as_(cast.carla)
    asked = client.post(f"{url}/deactivate").content.decode()
    assert "Deactivate Dora?" in asked
    assert role_of(cast.dora, cast.acme) == "member"
    assert client.post(f"{url}/deactivate", {"sure": "1"}).status_code == 303
    assert role_of(cast.dora, cast.acme) is None
    assert not may(User.objects.get(pk=cast.dora.pk), Right.OPEN_TICKET, cast.acme.pk)
    assert may(User.objects.get(pk=cast.dora.pk), Right.OPEN_TICKET, cast.globex.pk)
    assert User.objects.get(pk=cast.dora.pk).is_active
    assert not ApiKey.objects.filter(user=cast.dora, revoked_at=None).exists()
    assert client.post(f"{url}/activate").status_code == 303
    assert role_of(cast.dora, cast.acme) == "member"


def test_the_last_administrator_stays_one(cast: Any) -> None:
    client = as_(cast.carla)
    url = f"/company/{cast.acme.pk}/people"
    assert client.post(f"{url}/{cast.dora.pk}/role", {"role": "member"}).status_code == 303
    for verb, data in (("role", {"role": "member"}), ("deactivate", {})):
        answer = client.post(f"{url}/{cast.carla.pk}/{verb}", data | {"sure": "1"})
        assert answer.status_code == 422
        assert "needs an administrator" in answer.content.decode()
    with pytest.raises(actions.Refused):
        actions.set_customer_role(person=cast.carla, customer=cast.acme, role=None, by=cast.lee, at=AT)
    keys.create_key(name="a program is none", customer=cast.acme, may_write=True, days=30, by=cast.carla, at=AT)
    assert client.post(f"{url}/{cast.carla.pk}/deactivate", {"sure": "1"}).status_code == 422
    assert role_of(cast.carla, cast.acme) == "admin"


def test_giving_up_ones_own_role_is_asked_first(cast: Any) -> None:
    client, url = as_(cast.carla), f"/company/{cast.acme.pk}/people/{cast.carla.pk}/role"
    assert "Give up your own role?" in client.post(url, {"role": "member"}).content.decode()
    assert role_of(cast.carla, cast.acme) == "admin"
    assert client.post(url, {"role": "member", "sure": "1"}).status_code == 303
    assert role_of(cast.carla, cast.acme) == "member"
    assert client.post(url, {"role": "admin"}).status_code in (302, 404)


def test_what_an_administrator_began_ends_with_the_role(cast: Any) -> None:
    carlas = {"email": "n@x.example", "name": "N", "language": "en", "zone": "UTC", "customer": cast.acme}
    made, token = actions.invite(**carlas, customer_role="member", by=cast.carla, at=AT)
    actions.set_customer_role(person=cast.carla, customer=cast.acme, role="member", by=cast.dora, at=AT)
    assert actions.open_invitation(token, AT + timedelta(minutes=1)) is None
    made.refresh_from_db()
    assert made.revoked_at


def test_an_account_the_desk_locked_is_not_opened_from_here(cast: Any) -> None:
    actions.deactivate_person(person=cast.cora, by=cast.lee, at=AT)
    assert "locked by the desk" in page_of(cast.carla, cast)
    for verb in ("activate", "deactivate", "role"):
        answer = as_(cast.carla).post(f"/company/{cast.acme.pk}/people/{cast.cora.pk}/{verb}", {"sure": "1"})
        assert answer.status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_it_from_one_another_one_keeps_it(committed: None) -> None:
    from tests.cast import assemble

    cast = assemble()
    pairs = [(cast.carla, cast.dora), (cast.dora, cast.carla)]

    def take(n: int) -> str:
        by, person = pairs[n]
        try:
            actions.set_customer_role(person=person, customer=cast.acme, role="member", by=by, at=AT)
        except actions.Refused:
            return "refused"
        return "done"

    for person, _other in pairs:
        may(person, Right.INVITE, cast.acme.pk)
    assert sorted(at_once(2, take)) == ["done", "refused"]
    assert actions.admins_of(cast.acme).count() == 1
