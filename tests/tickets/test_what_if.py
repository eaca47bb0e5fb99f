"""What if: an administrator asks what a draft would have meant last quarter, and learns it without touching a clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from helpdesk.jobs import tasks, work
from helpdesk.jobs.models import Job
from sla import actions
from sla.models import Breach, Clock, PolicyVersion
from tests.cast import Cast
from tests.tickets.test_sla_report import asked, at, client_of, filed, kept, resolved, text, withdrawn
from tickets import actions as tickets
from tickets import what_if
from tickets.sweeping import sweep

pytestmark = pytest.mark.django_db
PAGE = "/sla-config/what-if"
# The quarter after the one of the tickets.
NOW = datetime(2026, 4, 20, 9, tzinfo=UTC)


def drafted(cast: Cast, **changed: int) -> PolicyVersion:
    """A draft in which a high ticket is promised something else."""
    policy = actions.draft(by=cast.ada, at=NOW)
    row = policy.targets.get(priority__code="high", plan__is_default=True)
    return actions.change(policy=policy, targets={row.pk: changed}, cells={}, by=cast.ada, at=NOW)


def quarter(cast: Cast) -> None:
    """Of high tickets: three answered after half an hour and resolved, one broken, one withdrawn after three hours."""
    for day in (3, 4, 5):
        kept(cast, at(day))
    late = filed(cast, at(9))
    tickets.reply(ticket=late, body="Looking.", by=cast.ana, at=at(9, 9, 10))
    sweep(at(9, 17, 1))
    resolved(cast, late, at(9, 18))
    withdrawn(cast, filed(cast, at(11)), at(11, 9, 45))


def tried(person: Any, span: str = "quarter", *, work_on: bool = True) -> Any:
    with time_machine.travel(NOW, tick=False):
        client = client_of(person)
        answer = client.post(PAGE, {"span": span})
        if work_on and answer.status_code == 303:
            tasks.run(str(Job.objects.latest("id").public))
        return client.get(PAGE) if answer.status_code == 303 else answer


def stored() -> list[Any]:
    return list(Clock.objects.order_by("id").values())


def test_a_shorter_promise_would_have_been_broken_so_much_more(cast: Cast) -> None:
    quarter(cast)
    drafted(cast, response_time_minutes=20)
    before, breaches = stored(), Breach.objects.count()
    page = text(tried(cast.ada))
    # Three answered after thirty minutes, and the withdrawn one had waited longer than twenty.
    assert "4 more breaches" in page
    assert Job.objects.get().result["rows"] == {"high/response": [4, 0, 1, 4], "high/resolution": [3, 1, 3, 1]}
    assert "100.00 % 1 4 20.00 %" in page, "as it was, and with the draft"
    assert "not applicable breached" in page
    assert stored() == before, "no clock is touched"
    assert Breach.objects.count() == breaches


def test_a_longer_promise_would_have_been_kept(cast: Cast) -> None:
    quarter(cast)
    drafted(cast, resolution_time_hours=10)
    page = text(tried(cast.ada))
    assert "1 breach fewer" in page
    assert "75.00 % 4 0 100.00 %" in page


def test_what_changes_nothing_says_so(cast: Cast) -> None:
    quarter(cast)
    drafted(cast, update_minutes=239)
    page = text(tried(cast.ada))
    assert "As many breaches as there were" in page
    assert "Clocks that would have ended otherwise" not in page


def test_figures_as_they_were_are_those_of_the_report(cast: Cast) -> None:
    quarter(cast)
    drafted(cast, response_time_minutes=20)
    tried(cast.ada)
    with time_machine.travel(NOW, tick=False):
        report = text(client_of(cast.ada).get("/sla/report?from=2026-01-01&to=2026-04-01"))
    assert "4 clocks, 1 breached" in report
    assert "4 clocks, 0 breached" in report


def test_a_job_that_is_killed_and_tried_again_says_the_same(cast: Cast, monkeypatch: Any) -> None:
    quarter(cast)
    drafted(cast, response_time_minutes=20)
    tried(cast.ada)
    whole = Job.objects.get().result
    monkeypatch.setattr(what_if, "BATCH", 2)
    tried(cast.abe, "90", work_on=False)
    broken = Job.objects.latest("id")
    Job.objects.filter(pk=broken.pk).update(args=Job.objects.earliest("id").args)
    work.step(broken.public, NOW)
    broken.refresh_from_db()
    assert (broken.state, broken.done, broken.count) == ("running", 2, 10)
    # Its worker dies; days later another one takes over, and the draft is not what it was.
    policy = PolicyVersion.objects.get(number=2)
    row = policy.targets.get(priority__code="high", plan__is_default=True)
    actions.change(policy=policy, targets={row.pk: {"response_time_minutes": 50}}, cells={}, by=cast.ada, at=NOW)
    while work.step(broken.public, NOW + timedelta(days=9)):
        pass
    broken.refresh_from_db()
    assert (broken.state, broken.result) == ("done", whole)
    with time_machine.travel(NOW, tick=False):
        assert "The draft was changed since" in client_of(cast.ada).get(PAGE).content.decode()


def test_while_it_is_reckoned_the_page_says_how_far_and_a_second_click_begins_no_second(cast: Cast) -> None:
    quarter(cast)
    drafted(cast, response_time_minutes=20)
    page = tried(cast.ada, work_on=False).content.decode()
    assert "<progress" in page
    tried(cast.abe, work_on=False)
    assert Job.objects.count() == 1
    tasks.run(str(Job.objects.get().public))
    assert "4 more breaches" in text(client_of(cast.abe).get(PAGE))


def test_the_list_is_told_in_pages_with_links(cast: Cast, monkeypatch: Any) -> None:
    quarter(cast)
    asked(cast, filed(cast, at(12)), at(12, 9, 50))
    drafted(cast, response_time_minutes=20)
    tried(cast.ada)
    monkeypatch.setattr("docs.what_if_views.ROWS", 2)
    client = client_of(cast.ada)
    first, second = client.get(PAGE).content.decode(), client.get(f"{PAGE}?from=4").content.decode()
    assert "1 to 2 of 5" in first
    assert "5 to 5 of 5" in second
    assert first.count("/tickets/HD-") == 2
    for odd in ("-1", "x", "99", "²", "9" * 40):
        assert "1 to 2 of 5" in client.get(PAGE, {"from": odd}).content.decode()


def test_the_page_costs_the_same_however_much_is_told(cast: Cast, django_assert_max_num_queries: Any) -> None:
    quarter(cast)
    drafted(cast, response_time_minutes=20)
    tried(cast.ada)
    client = client_of(cast.ada)
    with django_assert_max_num_queries(12):
        client.get(PAGE)


def test_a_wrong_window_is_told_at_its_field(cast: Cast) -> None:
    drafted(cast, response_time_minutes=20)
    for span in ("", "year", "7; drop"):
        answer = tried(cast.ada, span)
        assert answer.status_code == 422
        assert "Choose a window." in answer.content.decode()
    assert not Job.objects.exists()


@pytest.mark.parametrize(("language", "word"), [("en", "There is no draft to try"), ("zh-hans", "没有可以试算的草稿")])
def test_without_a_draft_the_page_says_what_to_do(cast: Cast, language: str, word: str) -> None:
    cast.ada.language = language
    cast.ada.save()
    assert word in client_of(cast.ada).get(PAGE).content.decode()
    client_of(cast.ada).post(PAGE, {"span": "30"})
    assert not Job.objects.exists()


def test_it_is_for_administrators_alone(cast: Cast) -> None:
    drafted(cast, response_time_minutes=20)
    tried(cast.ada)
    job = Job.objects.get()
    for person in (cast.ana, cast.lee, cast.audrey, cast.cora, cast.carla, cast.gus):
        assert client_of(person).get(PAGE).status_code == 404
        assert client_of(person).post(PAGE, {"span": "30"}).status_code == 404
        assert client_of(person).get(f"/jobs/{job.public}/").status_code == 404
    assert Client().get(PAGE).status_code == 302
    assert client_of(cast.abe).get(f"/jobs/{job.public}/").status_code == 200


@pytest.mark.parametrize(
    ("span", "now", "start", "until"),
    [
        ("quarter", "2026-04-20", "2026-01-01", "2026-04-01"),
        ("quarter", "2026-01-02", "2025-10-01", "2026-01-01"),
        ("quarter", "2026-12-31", "2026-07-01", "2026-10-01"),
        ("30", "2026-03-01", "2026-01-31", None),
        ("90", "2026-04-01", "2026-01-02", None),
    ],
)
def test_the_windows(span: str, now: str, start: str, until: str | None) -> None:
    moment = datetime.fromisoformat(now).replace(hour=5, tzinfo=UTC)
    window = what_if.window_of(span, moment, "Asia/Shanghai")
    assert window.start.strftime("%Y-%m-%d %H:%M %z") == f"{start} 00:00 +0800"
    assert window.until == moment if until is None else window.until.strftime("%Y-%m-%d") == until
