"""Accounts of AWS: who sees and who manages them, whose they are, and what is shown once."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from awsint.models import Account, Poll, Setting, State
from helpdesk.accounts.models import CustomerTeam
from helpdesk.audit.models import Entry
from tests.entering import enter

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
FORM = {"number": "4417 2290 8813", "partition": "aws", "name": "orders", "support_model": "resold"}


def said(answer: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def shown(answer: Any) -> str:
    """The ExternalId on an answer, empty where there is none."""
    found = re.search(r'id="external_id" value="([^"]+)"', answer.content.decode())
    return found[1] if found else ""


def connect(person: Any, customer: Any, **more: str) -> Any:
    return enter(person).post("/aws/accounts/new", FORM | {"customer": str(customer.pk)} | more)


def known(customer: Any, number: int = 1, **more: Any) -> Account:
    digits = f"{number:012}"
    return Account.objects.create(
        customer=customer,
        number=digits,
        name=f"account {number}",
        role_arn=f"arn:aws:iam::{digits}:role/PartnerSupportSync",
        external_id=f"external-{number}",
        created_at=AT,
        **more,
    )


def read(account: Account, state: str = State.OK, **more: Any) -> Account:
    Account.objects.filter(pk=account.pk).update(proved_at=AT)
    Poll.objects.create(account=account, next_at=AT, read_at=AT, state=state, since=AT, **more)
    return account


# --- Connect and change ----------------------------------------------------------------------------------------------


def test_a_lead_connects_an_account_and_sees_its_external_id_once(cast: Any) -> None:
    answer = connect(cast.lee, cast.acme)
    made = Account.objects.get()
    assert answer.status_code == 201
    assert shown(answer) == made.external_id
    assert len(made.external_id) >= 43, "256 bits"
    assert made.role_arn == "arn:aws:iam::441722908813:role/PartnerSupportSync"
    again = enter(cast.lee).get(f"/aws/accounts/{made.pk}/")
    assert made.external_id not in again.content.decode()
    assert "Lee connected the account" in said(again)
    assert not Account.objects.connected().exists(), "nothing is read before it is proved"


def test_a_double_click_connects_one_account_and_shows_no_id_twice(cast: Any) -> None:
    first, second = connect(cast.lee, cast.acme, once="k"), connect(cast.lee, cast.acme, once="k")
    assert (first.status_code, second.status_code) == (201, 303)
    assert Account.objects.count() == 1


def test_an_account_is_connected_once_whoever_asks_and_only_administrators_read_for_whom(cast: Any) -> None:
    """A-01: another customer's account cannot be registered."""
    connect(cast.lee, cast.acme)
    for person, words in ((cast.lee, "connected already."), (cast.ada, "connected already, for Acme.")):
        answer = connect(person, cast.globex, name="stolen")
        assert answer.status_code == 422
        assert words in said(answer)
        assert Account.objects.get().customer == cast.acme


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"number": "1234"}, "has 12 digits"),
        ({"role_arn": "arn:aws:iam::000000000001:role/PartnerSupportSync"}, "in another account or partition"),
        ({"role_arn": "arn:aws-cn:iam::441722908813:role/PartnerSupportSync"}, "in another account or partition"),
        ({"role_arn": "https://evil.example"}, "no ARN of a role"),
        ({"model_from": "2026-03-02", "model_until": "2026-03-01"}, "ends before it begins"),
        ({"name": ""}, "Write the name"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field(cast: Any, sent: dict[str, str], words: str) -> None:
    answer = connect(cast.lee, cast.acme, **sent)
    assert answer.status_code == 422
    assert words in said(answer)
    assert not Account.objects.exists()


def test_an_edit_writes_what_differs_and_another_role_is_proved_anew(cast: Any) -> None:
    account = read(known(cast.acme))
    lee, here = enter(cast.lee), f"/aws/accounts/{account.pk}/edit"
    told = {"name": "shop", "support_model": "kept", "workload": "Production， EU;production", "contact": cast.cora.pk}
    assert lee.post(here, told).status_code == 303
    account.refresh_from_db()
    assert (account.name, account.workload, account.contact) == ("shop", ["production", "eu"], cast.cora)
    assert account.proved_at
    assert Entry.objects.get(action="aws.account_changed").data == {"fields": ["name", "workload", "contact"]}
    lee.post(here, told | {"role_arn": "arn:aws:iam::000000000001:role/Another"})
    account.refresh_from_db()
    assert account.proved_at is None
    stranger = lee.post(here, told | {"contact": cast.gus.pk})
    assert stranger.status_code == 422


def test_deactivating_asks_and_can_be_taken_back(cast: Any) -> None:
    account, ada = read(known(cast.acme)), enter(cast.ada)
    here = f"/aws/accounts/{account.pk}"
    asked = ada.post(f"{here}/deactivate")
    assert "Deactivate account 1?" in said(asked)
    assert Account.objects.connected().exists()
    ada.post(f"{here}/deactivate", {"sure": "1"})
    assert not Account.objects.connected().exists()
    assert "account 1" not in said(ada.get("/aws/accounts/"))
    assert "account 1" in said(ada.get("/aws/accounts/?state=INACTIVE"))
    ada.post(f"{here}/activate")
    assert Account.objects.connected().exists()


def test_a_new_external_id_is_shown_once_and_the_old_one_works_until_it_is_proved(cast: Any) -> None:
    account, lee = read(known(cast.acme)), enter(cast.lee)
    here = f"/aws/accounts/{account.pk}/external-id"
    assert not shown(lee.post(here))
    made = shown(lee.post(here, {"sure": "1"}))
    account.refresh_from_db()
    assert (account.external_id, account.next_external_id) == ("external-1", made)
    assert made not in lee.get(f"/aws/accounts/{account.pk}/").content.decode()
    fresh = known(cast.acme, 2)
    assert shown(lee.post(f"/aws/accounts/{fresh.pk}/external-id", {"sure": "1"})) != "external-2"
    fresh.refresh_from_db()
    assert fresh.next_external_id is None
    assert fresh.external_id != "external-2"


def test_how_a_customer_hears_of_aws_is_set_on_an_account(cast: Any) -> None:
    account, lee = known(cast.acme), enter(cast.lee)
    lee.post(f"/aws/accounts/{account.pk}/notice", {"notice_only": "1"})
    assert Setting.objects.get(customer=cast.acme).notice_only
    assert "once an engineer has let them" in said(lee.get(f"/aws/accounts/{account.pk}/"))
    lee.post(f"/aws/accounts/{account.pk}/notice", {"notice_only": "0"})
    assert not Setting.objects.get(customer=cast.acme).notice_only


# --- Who sees which --------------------------------------------------------------------------------------------------


def test_an_engineer_reads_the_accounts_of_the_customers_they_may_see(cast: Any) -> None:
    acme, globex = known(cast.acme), known(cast.globex, 2)
    cast.globex.restricted = True
    cast.globex.save()
    ana = enter(cast.ana)
    listed = said(ana.get("/aws/accounts/"))
    assert "account 1" in listed
    assert "account 2" not in listed
    assert ana.get(f"/aws/accounts/{globex.pk}/").status_code == 404
    page = ana.get(f"/aws/accounts/{acme.pk}/")
    assert "New ExternalId" not in said(page)
    assert ana.post(f"/aws/accounts/{acme.pk}/deactivate", {"sure": "1"}).status_code == 404
    CustomerTeam.objects.create(customer=cast.globex, user=cast.ana)
    assert "account 2" in said(ana.get("/aws/accounts/"))


def test_an_auditor_reads_numbers_in_place_of_names(cast: Any) -> None:
    account = read(known(cast.acme, 441722908813), State.ACCESS_DENIED, reason="arn:aws:iam::441722908813:role/X")
    audrey = enter(cast.audrey)
    listed = audrey.get("/aws/accounts/?q=account")
    assert "No account matches" in said(listed)
    listed = audrey.get("/aws/accounts/").content.decode()
    assert "access denied" in listed
    assert f"ACCT-{account.pk:04}" in listed
    assert "···· ···· 8813" in listed
    for name in ("Acme", "account 4417", "441722908813", "4417 2290", "arn:"):
        assert name not in listed
    assert audrey.get(f"/aws/accounts/{account.pk}/").status_code == 404


# --- The list --------------------------------------------------------------------------------------------------------


def test_the_list_says_how_an_account_stands_and_how_that_is_mended(cast: Any) -> None:
    read(known(cast.acme))
    read(known(cast.acme, 2), State.NO_PLAN, code="SubscriptionRequiredException")
    known(cast.globex, 3)
    Account.objects.filter(number__endswith="1").update(severities=["low", "normal", "high", "urgent"])
    lee = enter(cast.lee)
    with time_machine.travel(AT + timedelta(minutes=19), tick=False):
        listed = said(lee.get("/aws/accounts/"))
    assert "Business or alike" in listed
    assert "no support plan" in listed
    assert "SubscriptionRequiredException" in listed
    assert "Once the plan is bought it is read again" in listed
    assert "Deploy the template in the account" in listed
    assert "not read lately" not in listed
    with time_machine.travel(AT + timedelta(minutes=21), tick=False):
        assert "not read lately" in said(lee.get("/aws/accounts/"))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=0000 0000 0002", [2]),
        ("q=globex", [3]),
        ("q=production", [1]),
        ("state=NO_PLAN", [2]),
        ("state=UNPROVED", [3]),
        ("state=OK", [1]),
        ("partition=aws-cn", []),
        ("q=nobody", []),
    ],
)
def test_the_list_is_searched_and_filtered(cast: Any, query: str, found: list[int]) -> None:
    read(known(cast.acme, workload=["production"]))
    read(known(cast.acme, 2), State.NO_PLAN)
    known(cast.globex, 3)
    listed = said(enter(cast.lee).get(f"/aws/accounts/?{query}"))
    assert [n for n in (1, 2, 3) if f"account {n}" in listed] == found


def test_the_list_pages_by_name_and_costs_the_same_whatever_it_shows(cast: Any) -> None:
    lee = enter(cast.lee)
    known(cast.acme)
    with CaptureQueriesContext(
        connection,
    ) as few:
        lee.get("/aws/accounts/")
    for number in range(2, 61):
        read(known(cast.acme if number % 2 else cast.globex, number))
    with CaptureQueriesContext(connection) as many:
        first = lee.get("/aws/accounts/")
    assert (len(few), len(many)) == (5, 5), [q["sql"] for q in many]
    second = lee.get(
        "/aws/accounts/" + html.unescape(re.search(r'rel="next" href="([^"]+)"', first.content.decode())[1])
    )
    pages = [set(re.findall(r"account \d+", said(answer))) for answer in (first, second)]
    assert [len(page) for page in pages] == [50, 10]
    assert not pages[0] & pages[1]


def test_without_an_account_the_list_says_what_to_do(cast: Any) -> None:
    assert "Connect the first" in said(enter(cast.lee).get("/aws/accounts/"))
    assert "Leads and administrators connect them" in said(enter(cast.ana).get("/aws/accounts/"))


def test_a_page_of_an_account_costs_the_same_in_any_state(cast: Any) -> None:
    account, lee = read(known(cast.acme)), enter(cast.lee)
    with CaptureQueriesContext(connection) as told:
        lee.get(f"/aws/accounts/{account.pk}/")
    assert len(told) == 6, [q["sql"] for q in told]
