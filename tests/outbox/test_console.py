"""The outbox in the console: where each letter stands, what can be done, and the mails caught on one's own machine."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from helpdesk.audit.models import Entry
from helpdesk.models import Heartbeat
from helpdesk.outbox.models import Letter, health
from tests.entering import enter
from tests.outbox.conftest import AT, written

pytestmark = pytest.mark.django_db
LINK = "http://127.0.0.1:8000/invitation/abcdefgh/"


def dead(**more: Any) -> Letter:
    letter = written(**more)
    Letter.objects.filter(pk=letter.pk).update(
        state="failed", reason="refused", last_error="550 no such user", attempts=1
    )
    return letter


def test_the_list_says_where_each_stands_and_finds_by_state_address_and_ticket(cast: Any) -> None:
    one, other = dead(name="cora"), written("HD-2002", "gus", secret=LINK)
    page = enter(cast.lee).get("/console/outbox/").content.decode()
    assert "1 letter was not delivered" in page
    assert "550 no such user" in page
    assert "[link]" in page
    assert LINK not in page
    for query, found in (("state=failed", one), ("q=gus@", other), ("q=hd-2002", other)):
        page = enter(cast.lee).get(f"/console/outbox/?{query}").content.decode()
        assert re.findall(r"/console/outbox/(\d+)/", page) == [str(found.pk)]


def test_the_list_takes_the_same_statements_however_long_it_is(cast: Any, django_assert_num_queries: Any) -> None:
    client = enter(cast.lee)
    client.get("/console/outbox/")
    for count in (2, 60):
        for n in range(count):
            dead(name=f"r{n}", subject=f"HD-{n}")
        with django_assert_num_queries(6):
            page = client.get("/console/outbox/").content.decode()
    assert page.count("550 no such user") == 50
    older = re.findall(r'href="(\?[^"]*before=\d+)"', page)
    assert client.get(f"/console/outbox/{older[0]}").content.decode().count("550 no such user") == 12


def test_a_dead_letter_is_sent_again_or_put_away_and_history_says_by_whom(cast: Any) -> None:
    client, one, other = enter(cast.lee), dead(secret=LINK), dead(secret=LINK)
    assert "Send it again" in client.get(f"/console/outbox/{one.pk}/").content.decode()
    assert client.get(f"/console/outbox/{one.pk}/retry").status_code == 405
    assert client.post(f"/console/outbox/{one.pk}/retry").status_code == 303
    assert "Lee sent it again" in client.get(f"/console/outbox/{one.pk}/").content.decode()
    one.refresh_from_db()
    assert (one.state, one.attempts, one.reason) == ("ready", 0, "")
    assert one.secret
    assert one.next_try_at <= timezone.now()
    client.post(f"/console/outbox/{other.pk}/cancel")
    other.refresh_from_db()
    assert (other.state, other.reason, other.secret) == ("cancelled", "by_hand", "")
    written_down = Entry.objects.filter(action__startswith="letter.").order_by("id")
    assert [(e.action, e.subject, e.audience) for e in written_down] == [
        ("letter.retried", f"letter:{one.pk}", "staff"),
        ("letter.cancelled", f"letter:{other.pk}", "staff"),
    ]


@pytest.mark.parametrize("state", ["sent", "sending", "cancelled", "held"])
def test_what_cannot_be_done_any_more_is_refused_with_a_word(cast: Any, state: str) -> None:
    letter = written()
    Letter.objects.filter(pk=letter.pk).update(state=state, lease_until=AT)
    for verb in ("retry", "cancel"):
        answer = enter(cast.lee).post(f"/console/outbox/{letter.pk}/{verb}")
        assert answer.status_code == 409
        assert "it stands as shown here" in answer.content.decode()
    letter.refresh_from_db()
    assert letter.state == state
    assert not Entry.objects.filter(action__startswith="letter.").exists()


@pytest.mark.parametrize("who", ["gus", "cora", "ana", "audrey"])
def test_nobody_else_meets_any_of_it(cast: Any, who: str) -> None:
    letter, client = dead(), enter(getattr(cast, who))
    for path in ("", f"{letter.pk}/", "caught/", "caught/x/", "caught/x/html", "caught/x/source"):
        assert client.get(f"/console/outbox/{path}").status_code == 404
    for verb in ("retry", "cancel"):
        assert client.post(f"/console/outbox/{letter.pk}/{verb}").status_code == 404
    letter.refresh_from_db()
    assert letter.state == "failed"


def test_trouble_is_said_on_the_console_and_in_readyz_and_sends_nobody_away(cast: Any) -> None:
    for name in ("worker", "pulse", "qcluster"):
        Heartbeat.beat(name, timezone.now())
    client = enter(cast.lee)
    assert client.get("/readyz").json() == {"ready": True, "missing": [], "degraded": []}
    written(at=timezone.now() - timedelta(minutes=11))
    assert client.get("/readyz").json()["degraded"] == ["letters"]
    dead()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["degraded"]) == (200, ["letters"])
    assert health().dead == 1
    Heartbeat.beat("mail server", timezone.now(), "ConnectionRefusedError")
    assert "It said: ConnectionRefusedError" in client.get("/console/outbox/").content.decode()
    assert "?state=failed" in client.get("/console/").content.decode()


# --- Caught mails ----------------------------------------------------------------------------------------------------


@pytest.fixture
def mail(settings: Any, tmp_path: Path) -> str:
    settings.MAIL_CAUGHT = tmp_path
    name = "01772416800000000000-0000001-000001"
    one = EmailMultiAlternatives("您的工单 HD-1001", f"Come in: {LINK}", "support@desk.example", ["cora@acme.example"])
    one.attach_alternative(
        f'<p style="color:red">Come in: <a href="{LINK}">here</a><script>x</script></p>', "text/html"
    )
    (tmp_path / f"{name}.eml").write_bytes(b"Return-Path: <support@desk.example>\r\n" + one.message().as_bytes())
    (tmp_path / "half.part").write_bytes(b"x")
    return name


def test_a_caught_mail_is_shown_with_its_html_in_a_frame_that_may_do_nothing(cast: Any, mail: str) -> None:
    client = enter(cast.ada)
    assert "您的工单 HD-1001" in client.get("/console/outbox/caught/").content.decode()
    page = client.get(f"/console/outbox/caught/{mail}/")
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    assert f'<iframe class="mail-frame" sandbox src="/console/outbox/caught/{mail}/html"' in page.content.decode()
    assert LINK in page.content.decode()
    html = client.get(f"/console/outbox/caught/{mail}/html")
    policy = html.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "allow-" not in policy
    source = client.get(f"/console/outbox/caught/{mail}/source")
    assert source.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_lead_sees_no_link_that_would_log_in_as_somebody(cast: Any, mail: str) -> None:
    client = enter(cast.lee)
    for path in ("", "html"):
        shown = client.get(f"/console/outbox/caught/{mail}/{path}").content.decode()
        assert "invitation/abcdefgh" not in shown
        assert "[link]" in shown
    assert client.get(f"/console/outbox/caught/{mail}/source").status_code == 404


def test_names_lead_nowhere_else_and_elsewhere_nothing_is_shown(cast: Any, mail: str, settings: Any) -> None:
    client = enter(cast.ada)
    for name in ("..", "half", "%2e%2e%2fsecret_key", "01772416800000000000-0000001-000009"):
        assert client.get(f"/console/outbox/caught/{name}/").status_code == 404
    settings.SITE_IS_LOCAL = False
    assert client.get("/console/outbox/caught/").status_code == 404
    assert client.get(f"/console/outbox/caught/{mail}/").status_code == 404
