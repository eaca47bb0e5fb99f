"""Nobody signs up. An invitation opens one account, once, for seven days, and says nothing to anybody else."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, transaction
from django.test import Client

from helpdesk.accounts import actions
from helpdesk.accounts.models import Invitation, Membership, User
from helpdesk.audit.models import Entry
from helpdesk.outbox.enqueue import unseal
from helpdesk.outbox.models import Letter
from tests.accounts.many import at_once

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
PASSWORD = "a long enough sentence"
WISH = {"email": "New@Acme.example", "name": "新同事", "language": "zh-hans", "zone": "Asia/Shanghai"}
JOIN = {"name": "新同事", "language": "zh-hans", "zone": "Asia/Shanghai", "password": PASSWORD}


def invite(cast: Any, **more: Any) -> tuple[Invitation, str]:
    given = WISH | {"customer": cast.acme, "customer_role": "member", "by": cast.lee, "at": AT} | more
    return actions.invite(**given)


def accept(invitation: Invitation, at: datetime = AT, **more: Any) -> User:
    given = JOIN | more
    return actions.accept_invitation(invitation=invitation, at=at, **given)


def login(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.django_db
def test_from_the_inviters_page_to_the_new_persons_own(cast: Any) -> None:
    form = WISH | {"role": "customer:admin", "customer": str(cast.acme.pk)}
    answer = login(cast.lee).post("/people/invite", form)
    (link,) = re.findall(r"http://127\.0\.0\.1:8000(/invitation/[\w-]{43})", answer.content.decode())
    newcomer = Client()
    page = newcomer.get(link)
    assert page.status_code == 200
    assert "Lee" in page.content.decode()
    answer = newcomer.post(link, JOIN)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert "新同事" in newcomer.get("/account/").content.decode()
    person = User.objects.get(email="new@acme.example")
    assert list(person.memberships.values_list("customer__code", "role")) == [("ACME", "admin")]
    assert EmailAddress.objects.get(user=person).verified
    assert Client().get(link).status_code == 404
    told = list(Entry.objects.filter(subject=person.key).order_by("id").values_list("action", flat=True))
    assert told == ["account.joined", "account.logged_in"]


@pytest.mark.django_db
def test_the_link_lies_encrypted_in_the_letter_and_goes_when_it_is_used(cast: Any) -> None:
    invitation, token = invite(cast)
    letter = Letter.objects.get(kind="account.invitation")
    assert token not in letter.secret
    assert unseal(letter.secret) == f"http://127.0.0.1:8000/invitation/{token}"
    assert token not in str(Invitation.objects.values().get())
    assert token not in str(Entry.objects.values_list("data", flat=True))
    assert (letter.to_address, letter.language) == ("new@acme.example", "zh-hans")
    accept(invitation)
    letter.refresh_from_db()
    assert (letter.state, letter.secret) == ("cancelled", "")


@pytest.mark.django_db
def test_a_token_that_is_not_exactly_the_one_opens_nothing(cast: Any) -> None:
    _invitation, token = invite(cast)
    reset = default_token_generator.make_token(cast.cora)
    wrong = ["[]", "null", "None", token[:-1], token + "A", token.swapcase(), reset, "%00", "0" * 43]
    assert [t for t in wrong if Client().get(f"/invitation/{t}").status_code != 404] == []
    assert Client().get("/invitation/").status_code == 404
    assert actions.open_invitation("", AT) is None
    assert actions.open_invitation(Invitation.objects.get().token_hash, AT) is None
    assert actions.open_invitation(token, AT) is not None
    assert len(token) >= 43


@pytest.mark.django_db
def test_an_invitation_ends_by_time_by_a_newer_one_and_with_its_inviter(cast: Any) -> None:
    _first, old = invite(cast)
    _second, fresh = invite(cast)
    assert actions.open_invitation(old, AT) is None
    assert actions.open_invitation(fresh, AT + timedelta(days=7) - timedelta(seconds=1)) is not None
    assert actions.open_invitation(fresh, AT + timedelta(days=7)) is None
    _elsewhere, other = invite(cast, customer=cast.globex)
    assert actions.open_invitation(fresh, AT) is not None
    actions.deactivate_person(person=cast.lee, by=cast.ada, at=AT)
    assert [t for t in (fresh, other) if actions.open_invitation(t, AT)] == []


@pytest.mark.django_db
def test_an_invitation_to_a_company_that_is_deactivated_opens_nothing(cast: Any) -> None:
    _invitation, token = invite(cast)
    actions.change_customer(customer=cast.acme, is_active=False, by=cast.ada, at=AT)
    assert actions.open_invitation(token, AT) is None
    with pytest.raises(actions.Refused):
        invite(cast)


@pytest.mark.django_db
def test_opening_the_page_uses_nothing_up(cast: Any) -> None:
    _invitation, token = invite(cast, at=datetime.now(UTC))
    assert [Client().get(f"/invitation/{token}").status_code for _ in range(3)] == [200, 200, 200]
    assert Invitation.objects.get().accepted_at is None


@pytest.mark.django_db
def test_somebody_who_has_an_account_joins_one_more_company_after_login(cast: Any) -> None:
    _invitation, token = invite(cast, email=cast.gus.email, at=datetime.now(UTC))
    stranger = Client().get(f"/invitation/{token}")
    assert f"/accounts/login/?next=/invitation/{token}" in stranger.content.decode()
    assert Client().post(f"/invitation/{token}").status_code == 200
    assert login(cast.cody).post(f"/invitation/{token}", {}).status_code == 200
    assert not Membership.objects.filter(user=cast.gus, customer=cast.acme).exists()
    assert login(cast.gus).post(f"/invitation/{token}").status_code == 303
    assert Membership.objects.get(user=cast.gus, customer=cast.acme).role == "member"
    assert Client().get(f"/invitation/{token}").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("by", ["cora", "gus", "carla", "ana", "audrey", "lee"])
def test_who_may_not_invite_whom(cast: Any, by: str) -> None:
    """A lead no colleagues, a company's admin only into their own, engineers and members nobody."""
    refused = {"carla": cast.globex, "lee": None}.get(by, cast.acme)
    role = {"staff_role": "admin", "customer_role": None} if refused is None else {}
    with pytest.raises(PermissionDenied):
        invite(cast, by=getattr(cast, by), customer=refused, **role)
    assert not Invitation.objects.exists()
    if by == "carla":
        assert invite(cast, by=cast.carla)


@pytest.mark.django_db
def test_a_colleague_belongs_to_no_company_and_the_database_says_so_too(cast: Any) -> None:
    for more in ({"email": cast.ana.email}, {"email": cast.cora.email, "customer": cast.acme}):
        with pytest.raises(actions.Refused):
            invite(cast, **more)
    with pytest.raises(actions.Refused):
        invite(cast, by=cast.ada, email=cast.cora.email, customer=None, customer_role=None, staff_role="engineer")
    for break_it in (
        lambda: Membership.objects.create(user=cast.ana, customer=cast.acme),
        lambda: User.objects.filter(pk=cast.cora.pk).update(staff_role="admin"),
    ):
        with pytest.raises(DatabaseError):
            commit(break_it)


def commit(write: Callable[[], object]) -> None:
    """Writes, and does what commit does to deferred constraints."""
    with transaction.atomic(), connection.cursor() as cursor:
        write()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.django_db(transaction=True)
def test_of_twenty_at_once_one_gets_in(committed: None) -> None:
    from tests.cast import assemble

    cast = assemble()
    invitation, _token = invite(cast)
    quick = {"password": None}

    def come(_n: int) -> str:
        try:
            return accept(invitation, **quick).email
        except actions.Refused:
            return "refused"

    answers = at_once(20, come)
    assert sorted(answers) == ["new@acme.example"] + ["refused"] * 19
    assert Membership.objects.filter(user__email="new@acme.example").count() == 1


@pytest.mark.django_db
def test_the_signup_page_says_to_ask_and_takes_nobody(cast: Any) -> None:
    before = User.objects.count()
    page = Client().get("/accounts/signup/?lang=en").content.decode()
    assert "Ask your company" in page
    given = {"email": "x@x.example", "password1": PASSWORD, "password2": PASSWORD}
    Client().post("/accounts/signup/", given)
    assert User.objects.count() == before


@pytest.mark.django_db
def test_a_reset_link_dies_with_the_password_the_account_and_the_third_day(cast: Any) -> None:
    def opens() -> bool:
        page = Client().get(f"/accounts/password/reset/key/{user_pk_to_url_str(cast.cora)}-{key}/", follow=True)
        return "password1" in page.content.decode()

    key = default_token_generator.make_token(cast.cora)
    assert opens()
    actions.deactivate_person(person=cast.cora, by=cast.lee, at=AT)
    assert not opens()
    actions.activate_person(person=cast.cora, by=cast.lee, at=AT)
    assert opens()
    actions.set_password(person=cast.cora, password=PASSWORD, at=AT)
    assert not opens()
