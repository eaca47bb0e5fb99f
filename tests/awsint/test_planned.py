"""Planned changes: the month and the list, a company's calendar behind a link, and whether they were told in time."""

import html
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from icalendar import Calendar

from awsint import planned, planned_plot, playbooks
from awsint.health_rule_actions import TEXTS, write_playbook
from awsint.models import (
    AffectedAccount,
    AffectedCustomer,
    HealthEvent,
    HealthFeed,
    HealthMessage,
    Hub,
    Playbook,
    Setting,
)
from awsint.planned import AWS_LATE, KEPT, LATE, UNTOLD, Lead, Told, judge
from helpdesk.accounts.models import CustomerTeam, User
from tests.awsint.test_health import ACME, DEV, GLOBEX, NOW, account, children, said, take
from tests.cast import Cast
from tests.entering import enter, words

CODE = "AWS_RDS_HARDWARE_MAINTENANCE_SCHEDULED"
STARTS = NOW + timedelta(days=10)


@pytest.fixture
def now(db: None) -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world(cast: Cast, hub: Hub, now: Any) -> Cast:
    account(cast.acme, ACME, name="orders", workload=["production"])
    account(cast.acme, DEV, name="dev")
    account(cast.globex, GLOBEX, name="checkout")
    return cast


def change(number: str = ACME, *resources: str, at: datetime = NOW, starts: datetime = STARTS, **given: Any) -> Any:
    given = {"code": CODE, "category": "scheduledChange", "status": "upcoming", "state": "PENDING"} | given
    return said(number, *resources, at=at, starts=starts, **given)


def letters_leave() -> None:
    """The relay takes each letter at once (health_proof.py writes it so)."""
    AffectedCustomer.objects.filter(told_at=None).update(told_at=F("opened_at"))


def announced() -> HealthEvent:
    """A change that concerns both customers, told ten days ahead."""
    take(change(ACME, "acme-db"), change(DEV, "dev-db"), change(GLOBEX, "globex-db"))
    letters_leave()
    return HealthEvent.objects.get(code=CODE)


def lines(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


def link_of(person: User, customer: Any, act: str = "make") -> str:
    """Makes a link as this person does, and gives back its path."""
    answer = enter(person).post(f"/planned/{customer.pk}/feed", {"act": act, "sure": "1"})
    assert answer.status_code == 201, answer.status_code
    found = re.search(r"/planned/[\w-]+\.ics", answer.content.decode())
    assert found
    return found[0]


def fetched(path: str) -> Any:
    answer = Client().get(path)
    assert answer.status_code == 200
    return Calendar.from_ical(answer.content)


# --- Pure ------------------------------------------------------------------------------------------------------------

D = timedelta(days=1)
T = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "at", "why", "lead"),
    [
        # AWS ten days ahead, we at once.
        (Told(7, T, T + 10 * D, T, T + 10 * D, T + 10 * D), 0, KEPT, 10),
        # To the second of the seventh day it is kept, a second later it is not.
        (Told(7, T, T + 10 * D, T + 3 * D, T + 10 * D, T + 10 * D), 4, KEPT, 7),
        (Told(7, T, T + 10 * D, T + 3 * D + D / 86400, T + 10 * D, T + 10 * D), 4, LATE, 6),
        # AWS five days ahead: not attainable, however quick we were.
        (Told(7, T, T + 5 * D, T, T + 5 * D, T + 5 * D), 1, AWS_LATE, 5),
        # AWS put it off before we told: kept, though AWS was late at first.
        (Told(7, T, T + 5 * D, T + 2 * D, T + 20 * D, T + 20 * D), 3, KEPT, 18),
        # What AWS moves after we told changes no verdict.
        (Told(7, T, T + 10 * D, T, T + 10 * D, T + 2 * D), 3, KEPT, 10),
        # Another number of days is agreed.
        (Told(14, T, T + 10 * D, T, T + 10 * D, T + 10 * D), 1, AWS_LATE, 10),
        # Nobody was told: open while it can still be kept, then ours.
        (Told(7, T, T + 10 * D, None, None, T + 10 * D), 2, None, None),
        (Told(7, T, T + 10 * D, None, None, T + 10 * D), 4, UNTOLD, None),
        (Told(7, T, T + 5 * D, None, None, T + 5 * D), 4, None, None),
        (Told(7, T, T + 5 * D, None, None, T + 5 * D), 6, AWS_LATE, None),
        # AWS took it back before anybody was told.
        (Told(7, T, T + 10 * D, None, None, T + 10 * D, over_at=T + 4 * D), 20, None, None),
        # It had begun when AWS told of it, or names no beginning.
        (Told(7, T, T, T, T, T), 1, None, None),
        (Told(7, T, None, T, None, None), 1, None, None),
    ],
)
def test_when_a_customer_was_told_in_time(told: Told, at: int, why: str | None, lead: int | None) -> None:
    found = judge(told, T + at * D)
    assert (found and found.why) == why
    assert (found and planned.in_days(found.lead)) == lead


def test_figures_are_over_all_and_over_what_was_attainable() -> None:
    sums = planned.Sums({KEPT: 97, LATE: 2, AWS_LATE: 50})
    assert (sums.attained, sums.share) == ("97.97 %", "65.10 %")
    assert planned.Sums({}).attained == "—"
    leads = [Lead(KEPT, 40 * D, 40 * D), Lead(KEPT, 7 * D, 8 * D), Lead(LATE, 3 * D, 9 * D), Lead(UNTOLD, None, 9 * D)]
    plot = planned_plot.plot(leads, 7)
    assert plot
    bars = {bar.days: (bar.kept, bar.missed) for bar in plot.bars if bar.kept or bar.missed}
    assert bars == {21: (1, 0), 7: (1, 0), 3: (0, 1)}
    assert plot.bars[7].x < plot.line_x < plot.bars[8].x
    assert planned_plot.plot([], 7) is None


def test_a_month_has_whole_weeks_and_folds_a_full_day() -> None:
    marks = [planned.Mark(datetime(2026, 6, 30, 17, tzinfo=UTC), "in Shanghai it is July")]
    marks += [planned.Mark(datetime(2026, 6, 15, 1, n, tzinfo=UTC), str(n)) for n in range(6)]
    month = planned.month(date(2026, 6, 1), marks, "Asia/Shanghai", date(2026, 6, 5))
    assert (len(month.weeks), month.total, month.before, month.after) == (5, 6, "2026-05", "2026-07")
    full = month.weeks[2][0]
    assert ([one.title for one in full.shown], len(full.folded)) == (["0", "1", "2"], 3)
    assert [day.day for week in month.weeks for day in week if day.today] == [date(2026, 6, 5)]
    assert planned.month_asked("2026-13", date(2026, 6, 5)) == date(2026, 6, 1)
    assert planned.span(date(2026, 6, 1), "Asia/Shanghai")[0] == datetime(2026, 5, 31, 16, tzinfo=UTC)


# --- The desk --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_desk_sees_who_has_what_before_them(world: Cast) -> None:
    event = announced()
    client = enter(world.ana)
    seen = words(client.get("/aws/health/planned"))
    for word in ("June 2026", "2 customers", "Acme", "Globex", "orders", "to come", children()["ACME"].ref, "2 of 2"):
        assert word in seen, word
    assert "RDS us-east-1" in seen
    assert f"/aws/health/{event.pk}/" in client.get("/aws/health/planned").content.decode()
    only = words(client.get(f"/aws/health/planned?customer={world.globex.pk}"))
    assert "checkout" in only
    assert "orders" not in only
    assert "Nothing is planned to begin in this month" in words(client.get("/aws/health/planned?month=2026-08"))
    assert "No change was planned so far" in words(client.get("/aws/health/planned?when=past"))
    with time_machine.travel(STARTS + timedelta(days=1), tick=False):
        assert "orders" in words(enter(world.ana).get("/aws/health/planned?when=past"))
        assert "Nothing is planned" in words(enter(world.ana).get("/aws/health/planned"))


@pytest.mark.django_db
def test_what_is_hidden_from_somebody_is_not_planned_for_them(world: Cast) -> None:
    announced()
    world.acme.restricted = True
    world.acme.save()
    CustomerTeam.objects.filter(customer=world.acme).delete()
    seen = words(enter(world.ana).get("/aws/health/planned"))
    assert "1 customer" in seen
    assert "Acme" not in seen
    assert "orders" not in seen
    assert "Acme" not in lines(enter(world.ana).get("/aws/health/planned.csv"))
    assert "Acme" in words(enter(world.lee).get("/aws/health/planned"))
    auditor = enter(world.audrey)
    masked = words(auditor.get("/aws/health/planned")) + lines(auditor.get("/aws/health/planned.csv"))
    assert "CUST-0001" in masked
    for secret in ("Acme", "Globex", "orders", "checkout", ACME):
        assert secret not in masked, secret


@pytest.mark.django_db
def test_as_many_statements_for_one_change_as_for_a_page_of_them(world: Cast) -> None:
    announced()
    desk, own = enter(world.ana), enter(world.carla)
    path = link_of(world.carla, world.acme)
    fetched(path)
    few = [_statements(desk, "/aws/health/planned"), _statements(own, "/planned/"), _statements(Client(), path)]
    assert few == [12, 12, 8]
    _sixty_more(world)
    many = [_statements(desk, "/aws/health/planned"), _statements(own, "/planned/"), _statements(Client(), path)]
    assert many == few
    for client, url in ((desk, "/aws/health/planned"), (own, "/planned/")):
        further = html.unescape(re.findall(r'rel="next" href="([^"]+)#list"', client.get(url).content.decode())[0])
        assert "Nothing is planned" not in words(client.get(url + further))


def _sixty_more(world: Cast) -> None:
    first = HealthEvent.objects.get(code=CODE)
    own = AffectedAccount.objects.get(event=first, number=ACME)
    same = {name: getattr(first, name) for name in ("scope", "service", "code", "category", "region", "status", "via")}
    events = HealthEvent.objects.bulk_create(
        HealthEvent(arn=f"{first.arn}-{n}", starts_at=STARTS + timedelta(hours=n), seen_at=NOW, **same)
        for n in range(60)
    )
    AffectedCustomer.objects.bulk_create(
        AffectedCustomer(event=event, customer=world.acme, priority_id="low", told_at=NOW) for event in events
    )
    AffectedAccount.objects.bulk_create(
        AffectedAccount(event=event, number=ACME, account=own.account, status="upcoming") for event in events
    )


def _statements(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


@pytest.mark.django_db
def test_who_was_told_late_and_by_whom(world: Cast) -> None:
    announced()
    # AWS told of these three days ahead, and of that ten days ahead, but it reached us on the fifth.
    take(change(GLOBEX, "x", starts=NOW + timedelta(days=3), code="AWS_RDS_MAINTENANCE_SCHEDULED"))
    late = "AWS_EC2_PERSISTENT_INSTANCE_RETIREMENT_SCHEDULED"
    take(change(GLOBEX, "y", code=late, at=NOW - timedelta(days=5), starts=NOW + timedelta(days=5)))
    letters_leave()
    client = enter(world.lee)
    seen = words(client.get("/aws/health/planned"))
    for word in ("66.66 %", "2 of 3 where AWS itself told in time", "50.00 %", "AWS told late", "we told late"):
        assert word in seen, word
    rows = lines(client.get(f"/aws/health/planned.csv?customer={world.globex.pk}"))
    assert rows.count("Globex") == 3
    assert "120,yes,we told late" in rows
    # What AWS moves after they were told changes nothing.
    take(change(ACME, "acme-db", at=_min(1), starts=NOW + timedelta(days=2), key="moved"), at=_min(1))
    assert "66.66 %" in words(client.get("/aws/health/planned"))
    # Acme is promised eleven days from now on: AWS left only ten.
    days = f"/aws/health/planned/{world.acme.pk}/days"
    wrong = client.post(days, {"days": "0"})
    assert wrong.status_code == 422
    assert "A number of days from 1 to 60" in words(wrong)
    assert client.post(days, {"days": "11"}).status_code == 303
    assert Setting.objects.get(customer=world.acme).lead_days == 11
    assert "1 of 2 where AWS itself told in time" in words(client.get("/aws/health/planned"))
    assert enter(world.ana).post(days, {"days": "3"}).status_code == 404
    assert enter(world.carla).post(days, {"days": "3"}).status_code == 404
    # One that could not be told, because the company has nobody, is ours once it cannot be told in time any more.
    AffectedCustomer.objects.filter(customer=world.acme).update(told_at=None)
    Setting.objects.filter(customer=world.acme).update(lead_days=7)
    with time_machine.travel(NOW + timedelta(days=4), tick=False):
        assert "we did not tell" in words(enter(world.lee).get("/aws/health/planned"))


# --- A company's people ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_company_sees_its_own_changes_and_nobody_elses(world: Cast) -> None:
    announced()
    ref = children()["ACME"].ref
    admin = enter(world.carla).get("/planned/")
    for word in ("orders (111111111111)", "dev (111111111112)", ref, "In your own calendar"):
        assert word in words(admin), word
    assert f"/tickets/{ref}/" in admin.content.decode()
    for secret in ("checkout", GLOBEX, children()["GLOBEX"].ref):
        assert secret not in words(admin), secret
    # Cody may know that it is planned, but the ticket is Carla's; and the link is no member's business.
    member = enter(world.cody).get("/planned/")
    assert "orders" in words(member)
    assert f"/tickets/{ref}/" not in member.content.decode()
    assert "In your own calendar" not in words(member)
    assert "计划变更" in words(enter(world.cora).get("/planned/"))
    assert "orders" not in words(enter(world.gus).get("/planned/"))
    both = words(enter(world.dora).get("/planned/"))
    assert "orders" in both
    assert "checkout" in both
    assert enter(world.ana).get("/planned/").headers["Location"] == "/aws/health/planned"
    assert "/accounts/login" in Client().get("/planned/").headers["Location"]
    # What the desk holds back is not told here either.
    AffectedCustomer.objects.filter(customer=world.acme).update(priority=None)
    assert "orders" not in words(enter(world.carla).get("/planned/"))


# --- The calendar ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_calendar_has_the_companys_changes_in_its_language(world: Cast) -> None:
    event = announced()
    ends = f"{STARTS + timedelta(hours=2):%a, %d %b %Y %H:%M:%S} GMT"
    take(change(ACME, at=NOW + timedelta(minutes=1), endTime=ends, key="ends"))
    path = link_of(world.carla, world.acme)
    answer = Client().get(path)
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert not answer.cookies
    (one,) = Calendar.from_ical(answer.content).walk("VEVENT")
    assert one["UID"] == f"aws-health-{event.pk}-{world.acme.pk}"
    assert (one.decoded("DTSTART"), one.decoded("DTEND")) == (STARTS, STARTS + timedelta(hours=2))
    assert b"DTSTART:20260615T100000Z" in answer.content
    assert one["STATUS"] == "CONFIRMED"
    assert "受影响的资源：2" in one["DESCRIPTION"]
    assert "orders (111111111111)" in one["DESCRIPTION"]
    assert one["URL"].endswith(f"/tickets/{children()['ACME'].ref}/")
    for secret in ("checkout", "Globex", GLOBEX):
        assert secret not in answer.content.decode(), secret
    (english,) = fetched(link_of(world.lee, world.globex)).walk("VEVENT")
    assert "What to do" in english["DESCRIPTION"]
    assert "orders" not in english["DESCRIPTION"]
    # The same facts are the same bytes, and are not sent twice.
    again = Client().get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.django_db
def test_sequence_grows_with_each_change_and_with_nothing_else(world: Cast) -> None:
    announced()
    path = link_of(world.carla, world.acme)

    def standing() -> tuple[int, str, datetime]:
        (one,) = fetched(path).walk("VEVENT")
        return int(one["SEQUENCE"]), str(one["STATUS"]), one.decoded("DTSTART")

    moved = STARTS + timedelta(days=1)
    steps: list[tuple[str, Any, int, datetime, str]] = [
        ("a copy", change(ACME, "acme-db"), 0, STARTS, "CONFIRMED"),
        ("new words", change(ACME, at=_min(1), text="Again.", key="1"), 0, STARTS, "CONFIRMED"),
        ("another's time", change(GLOBEX, at=_min(2), starts=moved, key="2"), 0, STARTS, "CONFIRMED"),
        ("put off", change(ACME, at=_min(3), starts=moved, key="3"), 1, moved, "CONFIRMED"),
        ("and back", change(ACME, at=_min(4), starts=STARTS, key="4"), 1, STARTS, "CONFIRMED"),
        ("one more resource", change(ACME, "acme-db-2", at=_min(4), key="5"), 1, STARTS, "CONFIRMED"),
        ("one account over", change(ACME, at=_min(6), status="closed", key="6"), 1, STARTS, "CONFIRMED"),
        ("the other too", change(DEV, at=_min(7), status="closed", key="7"), 1, STARTS, "CANCELLED"),
    ]
    before = standing()[0]
    for what, message, more, starts, status in steps:
        with time_machine.travel(NOW + timedelta(minutes=8), tick=False):
            take(message, at=NOW + timedelta(minutes=8) if what == "one more resource" else NOW)
        found = standing()
        assert found == (before + more, status, starts), what
        before = found[0]
    # Late and out of order: it never falls.
    take(change(ACME, at=_min(2), starts=moved, key="late"))
    assert standing()[0] >= before
    assert HealthMessage.objects.count() == 11


@pytest.mark.django_db
def test_sequence_grows_with_the_words_of_a_playbook_and_never_falls(world: Cast) -> None:
    announced()
    path = link_of(world.carla, world.acme)
    row = playbooks.of_codes([CODE])[CODE]
    own = row.code
    texts = {name: getattr(row, name) for name in TEXTS}

    def standing() -> int:
        (one,) = fetched(path).walk("VEVENT")
        return int(one["SEQUENCE"])

    def write(book: Playbook | None, code: str, **new: str) -> int:
        write_playbook(playbook=book, code=code, by=world.ada, at=NOW + timedelta(hours=1), **texts | new)
        return standing()

    first = standing()
    assert write(row, own) == first, "nothing was changed"
    changed = write(row, own, do_en="Restart it by Friday.", do_zh="请在周五前重启。")
    assert changed > first
    (one,) = fetched(path).walk("VEVENT")
    assert "周五" in str(one["DESCRIPTION"])
    assert one.decoded("LAST-MODIFIED") == NOW + timedelta(hours=1)
    family = write(None, "AWS_*")
    assert family == changed, "the more particular one speaks of it still"
    assert write(row, "AWS_ELSEWHERE") > changed, "now the family does"


def _min(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


@pytest.mark.django_db
def test_closed_after_it_began_is_not_cancelled(world: Cast) -> None:
    announced()
    path = link_of(world.carla, world.acme)
    for number in (ACME, DEV):
        take(change(number, at=STARTS + timedelta(hours=1), status="closed", key=f"{number}-over"))
    assert [one["STATUS"] for one in fetched(path).walk("VEVENT")] == ["CONFIRMED"]


@pytest.mark.django_db
def test_a_link_is_a_key(world: Cast) -> None:
    announced()
    door = f"/planned/{world.acme.pk}/feed"
    for stranger in (world.cody, world.gus, world.ana, world.audrey):
        assert enter(stranger).post(door, {"act": "make"}).status_code == 404, stranger
    assert "/accounts/login" in Client().post(door, {"act": "make"}).headers["Location"]
    first = link_of(world.carla, world.acme)
    token = first.removeprefix("/planned/").removesuffix(".ics")
    assert len(token) >= 43
    assert HealthFeed.objects.get().token_hash != token
    client = enter(world.carla)
    page = client.get("/planned/").content.decode()
    assert token not in page
    assert "Replace the link" in page
    # A second one is not made beside it; replacing asks, and the old one is over.
    assert client.post(door, {"act": "make"}).status_code == 303
    assert "Replace the calendar link of Acme?" in words(client.post(door, {"act": "replace"}))
    assert Client().get(first).status_code == 200
    second = link_of(world.dora, world.acme, "replace")
    gone, unknown = Client().get(first), Client().get("/planned/" + "x" * 43 + ".ics")
    assert (gone.status_code, unknown.status_code) == (404, 404)
    assert {*gone.headers} == {*unknown.headers}
    assert "End the calendar link of Acme?" in words(client.post(door, {"act": "end"}))
    assert Client().get(second).status_code == 200
    assert client.post(door, {"act": "end", "sure": "1"}).status_code == 303
    assert Client().get(second).status_code == 404
    # Ours look after it too; a company that is no longer active has none.
    third = link_of(world.lee, world.acme)
    assert Client().get(third).status_code == 200
    world.acme.is_active = False
    world.acme.save()
    assert Client().get(third).status_code == 404


@pytest.mark.django_db
def test_who_fetches_without_pause_waits(world: Cast, caplog: pytest.LogCaptureFixture) -> None:
    path = link_of(world.carla, world.acme)
    codes = [Client().get(path).status_code for _n in range(61)]
    assert codes == [200] * 60 + [429]
    assert path not in caplog.text
