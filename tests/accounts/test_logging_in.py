"""Logging in tells a stranger nothing, tires a guesser, leads nowhere else; a new password ends what went before."""

import time
from collections.abc import Callable
from statistics import NormalDist
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import MD5PasswordHasher, make_password
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from helpdesk.accounts import adapter
from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry, Origin
from helpdesk.outbox.enqueue import unseal
from helpdesk.outbox.models import Letter

PASSWORD = "a long enough sentence"
NEWER = "another long sentence"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick_hashes(request: Any, settings: Any) -> None:
    """Passwords are hashed slowly on purpose; only the test that takes the time needs it so."""
    if "slow_hashes" not in request.fixturenames:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        request.getfixturevalue("monkeypatch").setattr(adapter, "BEAT_S", 0.001)


@pytest.fixture
def slow_hashes() -> None:
    """Says that the real hasher is meant."""


@pytest.fixture
def cora(cast: Any) -> User:
    return ready(cast.cora)


def ready(person: User) -> User:
    """Somebody with a password who can log in."""
    person.password = make_password(PASSWORD)
    person.save()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


def log_in(person: User, password: str = PASSWORD, **more: str) -> tuple[Client, HttpResponse]:
    client = Client()
    return client, client.post("/accounts/login/", {"login": person.email, "password": password, **more})


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


# --- Sessions --------------------------------------------------------------------------------------------------------


def test_a_login_gets_a_session_of_its_own(cora: User) -> None:
    client = Client()
    client.session.save()
    session = client.session
    session["planted"] = "1"
    session.save()
    client.cookies["session"] = session.session_key
    client.post("/accounts/login/", {"login": cora.email, "password": PASSWORD})
    assert is_in(client)
    assert client.cookies["session"].value != session.session_key


def test_a_login_is_written_down_with_where_it_came_from(cora: User) -> None:
    client = Client(HTTP_USER_AGENT="Testfox", REMOTE_ADDR="198.51.100.7", HTTP_X_FORWARDED_FOR="203.0.113.9")
    client.post("/accounts/login/", {"login": cora.email.upper(), "password": PASSWORD})
    entry = Entry.objects.get(action="account.logged_in", subject=cora.key)
    origin = Origin.objects.get(entry_id=entry.pk)
    assert (origin.ip, origin.user_agent) == ("198.51.100.7", "Testfox")


def test_a_new_password_ends_all_other_sessions_and_keeps_this_one(cora: User) -> None:
    here, there = log_in(cora)[0], log_in(cora)[0]
    old = here.cookies["session"].value
    given = {"oldpassword": PASSWORD, "password1": NEWER, "password2": NEWER}
    assert here.post("/accounts/password/change/", given).status_code == 302
    assert (is_in(here), is_in(there)) == (True, False)
    assert here.cookies["session"].value != old
    assert is_in(log_in(cora, NEWER)[0])


def test_a_reset_ends_every_session_and_works_once(cora: User) -> None:
    there = log_in(cora)[0]
    Client().post("/accounts/password/reset/", {"email": cora.email})
    letter = Letter.objects.get(kind="account.password_reset_key")
    link = unseal(letter.secret)
    assert link.startswith("http://127.0.0.1:8000/accounts/password/reset/key/")
    assert (letter.to_address, letter.language, letter.data) == (cora.email, "zh-hans", {})
    client = Client()
    form = client.get(link.removeprefix("http://127.0.0.1:8000")).headers["Location"]
    assert client.post(form, {"password1": NEWER, "password2": NEWER}).status_code == 302
    assert not is_in(there)
    assert is_in(log_in(cora, NEWER)[0])
    again = Client().get(link.removeprefix("http://127.0.0.1:8000"), follow=True)
    assert "password1" not in again.content.decode()


def test_links_lead_to_the_desk_whatever_a_header_says(cora: User) -> None:
    forged = {"HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_X_FORWARDED_PROTO": "https", "HTTP_HOST": "localhost"}
    Client().post("/accounts/password/reset/", {"email": cora.email}, **forged)
    assert unseal(Letter.objects.get().secret).startswith("http://127.0.0.1:8000/")


@pytest.mark.parametrize("change", ["deactivate", "role", "membership"])
def test_sessions_end_with_the_account_and_with_a_role(cast: Any, change: str) -> None:
    person, lead = ready(cast.ana if change == "role" else cast.cora), Client()
    there = log_in(person)[0]
    lead.force_login(cast.ada)
    given = {"staff_role": "lead", "customer": str(cast.acme.pk), "role": "admin"}
    assert is_in(there)
    assert lead.post(f"/people/{person.pk}/{change}", given).status_code == 303
    assert not is_in(there)
    assert not there.session.get("_auth_user_id")


def test_who_is_deactivated_cannot_log_in(cast: Any, cora: User) -> None:
    User.objects.filter(pk=cora.pk).update(is_active=False)
    client, answer = log_in(cora)
    assert answer.headers["Location"] == "/accounts/inactive/"
    assert not is_in(client)


# --- Strangers -------------------------------------------------------------------------------------------------------

SAMPLES = 20
# Of two times twenty samples only (nearly) complete separation is rarer than this: no busy machine fails the test.
RARE = 1e-6


def known_and_unknown(act: Callable[[Client, str], HttpResponse], known: str) -> dict[str, list[Any]]:
    """Answers and times for an address that has an account and one that has not, in turn. Each from its own address."""
    seen: dict[str, list[Any]] = {"known": [], "unknown": []}
    for n in range(SAMPLES):
        pair = [("known", known), ("unknown", f"nobody{n:02}@desk.example")]
        for which, email in pair if n % 2 else reversed(pair):
            client = Client(REMOTE_ADDR=f"198.51.{n}.{1 if which == 'known' else 2}")
            begun = time.perf_counter()
            answer = act(client, email)
            seen[which].append((time.perf_counter() - begun, outside(answer, email)))
    return seen


def outside(answer: HttpResponse, email: str) -> Any:
    """What a stranger sees of an answer: status, headers, length of the page without what they typed themselves."""
    headers = {k: v for k, v in answer.headers.items() if k not in ("Content-Length", "Set-Cookie", "Expires")}
    cookies = sorted((name, len(c.value)) for name, c in answer.cookies.items())
    return answer.status_code, headers, cookies, len(answer.content.replace(email.encode(), b""))


def chance_that_times_are_alike(first: list[float], second: list[float]) -> float:
    """Mann and Whitney's p, two-sided, by the normal approximation."""
    n, m = len(first), len(second)
    u = sum((a > b) + 0.5 * (a == b) for a in first for b in second)
    z = (u - n * m / 2) / (n * m * (n + m + 1) / 12) ** 0.5
    return 2 * (1 - NormalDist().cdf(abs(z)))


def log_in_wrongly(client: Client, email: str) -> HttpResponse:
    return client.post("/accounts/login/", {"login": email, "password": "not the password"})  # type: ignore[return-value]


def ask_for_reset(client: Client, email: str) -> HttpResponse:
    return client.post("/accounts/password/reset/", {"email": email})  # type: ignore[return-value]


@pytest.mark.parametrize("act", [log_in_wrongly, ask_for_reset])
def test_a_known_address_cannot_be_told_from_an_unknown_one(
    slow_hashes: None, cora: User, settings: Any, act: Any
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "1000/m/key", "reset_password": "1000/m/key"}
    log_in(cora)  # The first hash of a process loads the library.
    seen = known_and_unknown(act, cora.email)
    answers = [answer for each in seen.values() for _time, answer in each]
    assert [a for a in answers if a != answers[0]] == []
    times = [[t for t, _answer in each] for each in seen.values()]
    assert chance_that_times_are_alike(*times) > RARE, [sorted(each)[SAMPLES // 2] for each in times]


def test_the_rank_test_would_see_a_difference() -> None:
    assert chance_that_times_are_alike([1 + n / 100 for n in range(20)], [1.2 + n / 100 for n in range(20)]) < RARE


@pytest.mark.parametrize("act", [log_in_wrongly, ask_for_reset])
def test_a_known_address_costs_the_same_work(cora: User, act: Any, monkeypatch: Any) -> None:
    """What the clock would measure, counted: writes and look-ups by table, and hashes."""
    hashes: list[str] = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *a: hashes.append("hash") or encode(*a))
    seen = []
    for n, email in enumerate([cora.email, "nobody@desk.example"]):
        hashes.clear()
        with CaptureQueriesContext(connection) as asked:
            act(Client(REMOTE_ADDR=f"198.51.100.{n}"), email)
        statements = [" ".join(q["sql"].split()[:1]) for q in asked if "outbox_letter" not in q["sql"]]
        letters = [q for q in asked if "outbox_letter" in q["sql"]]
        seen.append((statements, len(letters), len(hashes)))
    assert seen[0] == seen[1]


def test_a_reset_for_an_unknown_address_writes_no_letter(cast: Any) -> None:
    ask_for_reset(Client(), "nobody@desk.example")
    assert Letter.objects.count() == 0


def test_after_five_wrong_passwords_an_address_rests_and_others_do_not(cast: Any, cora: User) -> None:
    dora = ready(cast.dora)
    for n in range(5):
        log_in_wrongly(Client(REMOTE_ADDR=f"198.51.100.{n}"), cora.email)
    client = Client(REMOTE_ADDR="198.51.100.77")
    page = client.post("/accounts/login/?lang=en", {"login": cora.email, "password": PASSWORD})
    assert not is_in(client)
    assert 'role="alert"' in page.content.decode()
    assert is_in(log_in(dora)[0])


def test_a_forged_proxy_header_is_no_new_address_to_try_from(cora: User) -> None:
    for n in range(12):
        client = Client(REMOTE_ADDR="198.51.100.9", HTTP_X_FORWARDED_FOR=f"203.0.113.{n}")
        log_in_wrongly(client, f"guess{n}@desk.example")
    client = Client(REMOTE_ADDR="198.51.100.9", HTTP_X_FORWARDED_FOR="203.0.113.200")
    client.post("/accounts/login/", {"login": cora.email, "password": PASSWORD})
    assert not is_in(client)
    assert is_in(log_in(cora)[0])


@pytest.mark.parametrize("name", ["HTTP_X_REMOTE_USER", "HTTP_X_FORWARDED_USER", "REMOTE_USER"])
def test_nobody_is_logged_in_by_a_header(cora: User, name: str) -> None:
    assert not is_in(Client(**{name: cora.email}))


# --- Where one goes --------------------------------------------------------------------------------------------------

ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https://evil.example/",
    "https:///evil.example",
    "http://127.0.0.1:8000@evil.example/",
    "http://testserver.evil.example/",
    "\t//evil.example",
    "/\t/evil.example",
    "\n//evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "//evil.example\\@testserver",
    "//evil%E3%80%82example",
    "http:／／evil.example",
    "／／evil.example",
    " //evil.example",
    "\x00//evil.example",
]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_next_never_leads_away(cora: User, url: str) -> None:
    _client, answer = log_in(cora, next=url)
    assert answer.headers["Location"] == "/"
    here = Client()
    here.force_login(cora)
    told = here.post("/i18n/setlang/", {"language": "en", "next": url}).headers["Location"]
    assert urlsplit(urljoin("http://testserver/i18n/setlang/", told)).netloc == "testserver"
    assert here.post("/accounts/logout/", {"next": url}).headers["Location"] == "/accounts/login/"


def test_next_leads_back_to_where_one_was(cora: User) -> None:
    assert log_in(cora, next="/tickets/HD-7/")[1].headers["Location"] == "/tickets/HD-7/"


# --- The admin -------------------------------------------------------------------------------------------------------


def test_the_admin_is_for_administrators_and_has_no_login_of_its_own(cast: Any) -> None:
    paths = ["/admin/", "/admin/login/", "/admin/accounts/user/", "/admin/accounts/customer/"]
    for path in paths:
        assert Client().get(path, follow=True).redirect_chain[-1][0].startswith("/accounts/login/?next=/admin/"), path
        for name in ("cora", "carla", "ana", "lee", "audrey"):
            client = Client()
            client.force_login(getattr(cast, name))
            assert client.get(path, follow=True).status_code == 404, (name, path)
    client = Client()
    client.force_login(cast.ada)
    assert [client.get(p, follow=True).status_code for p in paths] == [200] * 4


def test_the_admin_saves_by_actions_and_deletes_nothing(cast: Any) -> None:
    client = Client()
    client.force_login(cast.ada)
    company = {"name": "Initech", "code": "INI", "language": "en", "zone": "Europe/Berlin"}
    company |= {"support_fee": "-1", "currency": "EUR", "plans-TOTAL_FORMS": "0", "plans-INITIAL_FORMS": "0"}
    assert client.post("/admin/accounts/customer/add/", company).status_code == 200, "a fee is not negative"
    company["support_fee"] = "1200.50"
    assert client.post("/admin/accounts/customer/add/", company).status_code == 302
    made = Entry.objects.get(action="customer.created")
    assert (made.actor, made.subject) == (cast.ada.key, f"customer:{made.customer}")
    url = f"/admin/accounts/user/{cast.cora.pk}"
    person = {
        "name": "Cora Chen",
        "language": "en",
        "zone": "UTC",
        "phone": "",
        "staff_role": "admin",
        "email": "x@x.x",
    }
    assert client.post(f"{url}/change/", person).status_code == 302
    cast.cora.refresh_from_db()
    assert (cast.cora.name, cast.cora.staff_role, cast.cora.email) == ("Cora Chen", None, "cora@desk.example")
    assert Entry.objects.get(action="account.profile_changed").data == {"fields": ["language", "name", "zone"]}
    assert client.post(f"{url}/delete/", {"post": "yes"}).status_code == 403
    gone = client.post("/admin/accounts/user/", {"action": "delete_selected", "_selected_action": [cast.cora.pk]})
    assert User.objects.filter(pk=cast.cora.pk).exists(), gone
    assert [client.get(f"/admin/{p}/").status_code for p in ("mfa/authenticator", "account/emailaddress")] == [404, 404]


WEAK = ["elevenchars", "password12345", "cora@desk.example", "Cora desk.example"]


@pytest.mark.parametrize("password", WEAK)
def test_a_weak_password_is_refused_in_words_and_nothing_changes(cora: User, password: str) -> None:
    client = log_in(cora)[0]
    given = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    page = client.post("/accounts/password/change/", given).content.decode()
    assert 'id="password1_error"' in page
    assert is_in(log_in(cora)[0])
