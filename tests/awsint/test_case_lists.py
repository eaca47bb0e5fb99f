"""All cases there ever were: found, listed, compared with AWS, linked with tickets, shown to those who may see them."""

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from awsint import archive, case_list, case_report, cases
from awsint.models import Account, CaseFile, CaseLink, Communication, CommunicationVersion, SupportCase, Via
from helpdesk.accounts.models import CustomerTeam, User
from helpdesk.audit.models import Entry
from helpdesk.storage import store
from tests.awsint.simulator import Sim
from tests.cast import Cast
from tests.entering import enter
from tickets import actions
from tickets.models import Attachment, Ticket

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def at_noon() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def said(answer: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def connected(customer: Any, number: int = 1) -> Account:
    digits = f"{number:012}"
    return Account.objects.create(
        customer=customer, number=digits, name=f"account {number}", external_id=f"x{number}", created_at=NOON,
        role_arn=f"arn:aws:iam::{digits}:role/PartnerSupportSync", proved_at=NOON - timedelta(days=1),
    )  # fmt: skip


def case_of(account: Account, number: int = 1, ticket: Ticket | None = None, **more: Any) -> SupportCase:
    told = {"subject": "ALB answers 503", "status": "work-in-progress", "created_at": NOON, "status_at": NOON} | more
    case = SupportCase.objects.create(
        account=account, case_id=f"case-{account.number}-{number}", display_id=f"17000{number:05}", detected_at=NOON,
        severity="high", **told,
    )  # fmt: skip
    archive.index(case)
    if ticket:
        CaseLink.objects.create(case=case, ticket=ticket, linked_at=NOON)
    return case


def word(case: SupportCase, at: datetime, **more: Any) -> Communication:
    told = {"via": "poll", "by_aws": True, "body": "<b>Please</b> look at subnet-1.", "created_at": at} | more
    return Communication.objects.create(
        case=case, created_text=f"{at.isoformat()}{Communication.objects.count()}", submitted_by="Amazon Web Services",
        detected_at=at, **told,
    )  # fmt: skip


def filed(cast: Cast, customer: Any = None, by: Any = None) -> Ticket:
    return actions.open_ticket(
        customer=customer or cast.acme, title="ALB", description="503", category="technical", priority="medium",
        by=by or cast.cora, at=NOON,
    )  # fmt: skip


def numbers(answer: Any) -> list[str]:
    return re.findall(r'<span class="mono">(17\d{8,})</span>', answer.content.decode())


# --- Which -----------------------------------------------------------------------------------------------------------


def test_each_filter_lists_what_is_in_need_of_somebody(cast: Cast) -> None:
    account, ticket = connected(cast.acme), filed(cast)
    fresh = case_of(account, 1, ticket)
    word(fresh, NOON - HOUR, by_aws=False)
    stale = case_of(account, 2, created_at=NOON - 30 * HOUR)
    word(stale, NOON - 26 * HOUR, by_aws=False)
    word(stale, NOON - HOUR)
    asked = case_of(account, 3, status="pending-customer-action", status_at=NOON - 80 * HOUR, said_at=NOON - 80 * HOUR)
    lately = case_of(account, 4, status="pending-customer-action", said_at=NOON - HOUR)
    done = case_of(account, 5, ticket, status="resolved", is_open=False)
    old = case_of(connected(cast.globex, 2), 6, status="resolved", is_open=False, archived=True, created_at=NOON - HOUR)
    ana = enter(cast.ana)
    wanted = {
        "": [done, lately, asked, fresh, old, stale],
        "?kind=open": [lately, asked, fresh, stale],
        "?kind=us": [lately, asked],
        "?kind=aws": [fresh, stale],
        "?kind=stale": [stale],
        "?kind=stale&hours=48": [],
        "?kind=ending": [asked],
        "?kind=resolved": [done],
        "?kind=archived": [old],
        f"?customer={cast.globex.pk}": [old],
        f"?account={account.pk}&kind=resolved": [done],
        "?severity=low": [],
    }
    for query, found in wanted.items():
        assert numbers(ana.get(f"/aws/cases/{query}")) == [case.display_id for case in found], query
    page = ana.get("/aws/cases/?kind=open")
    assert f"/aws/tickets/{ticket.ref}/cases/{fresh.pk}/answer?nudge" in page.content.decode()
    assert "AWS ends it" in said(page)
    assert "No case matches" in said(ana.get("/aws/cases/?severity=low"))
    lines = b"".join(ana.get("/aws/cases.csv?kind=ending").streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 2
    assert asked.display_id in lines[1]


def test_an_empty_desk_says_what_to_do(cast: Cast) -> None:
    assert "The first reading of a connected account brings its cases" in said(enter(cast.ana).get("/aws/cases/"))


# --- Found -----------------------------------------------------------------------------------------------------------


def test_a_case_is_found_by_its_number_its_id_its_ticket_and_words_in_both_languages(cast: Cast) -> None:
    account, ticket = connected(cast.acme), filed(cast)
    english = case_of(account, 1, ticket, subject="RDS failover takes ten minutes in cn-north-1")
    chinese = case_of(account, 2, subject="数据库超时：生产环境无法连接")
    ana = enter(cast.ana)
    for typed, found in {
        "1700000001": english,
        "17000 00002": chinese,
        "case-000000000001-2": chinese,
        ticket.ref: english,
        "failover": english,
        "rds MINUTES": english,
        "cn-north-1": english,
        "数据库超时": chinese,
        "生产": chinese,
        "无法连接 -failover": chinese,
    }.items():
        assert numbers(ana.get("/aws/cases/", {"q": typed})) == [found.display_id], typed
    assert numbers(ana.get("/aws/cases/", {"q": "170000"})) == [chinese.display_id, english.display_id]
    for typed in ("nothing", "'", "\\", "%", "&|!", "1700000009", "HD-999999"):
        assert numbers(ana.get("/aws/cases/", {"q": typed})) == [], typed


MANY = """
INSERT INTO awsint_supportcase (account_id, case_id, display_id, subject, status, service, category, severity, language,
    submitted_by, cc, created_text, created_at, detected_at, status_at, is_open, archived, said_by_aws, words)
SELECT %(account)s, 'case-' || n, (1700000000 + n)::text, 'x', 'resolved', 's', 'c', 'low', 'en', '', '{}', '', at, at,
    at, false, true, true, ('common:1 rare' || n %% 5000 || ':2 数据:3 据' || n %% 3000 || ':4')::tsvector
FROM (SELECT n, %(at)s::timestamptz - n * interval '1 minute' AS at FROM generate_series(1, %(count)s) n) x
"""


def test_the_archive_is_searched_through_its_indexes(cast: Cast) -> None:
    many(connected(cast.acme), 20_000)
    for typed, index in {
        "rare77": "words_of_cases",
        "170000123": "cases_by_number",
        "1700001234": "cases_by_number",
        "case-1234": "cases_by_case_id",
        "common": "cases_newest",
        "": "cases_newest",
    }.items():
        told = plans(cast.ana, typed)
        assert index in told, (typed, told)
        # What every row has need not be looked up: a thousand are met at once, the newest in the list's order.
        assert ("Seq Scan on awsint_supportcase" in told) == (typed == "common"), (typed, told)


def many(account: Account, count: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(MANY, {"account": account.pk, "at": NOON, "count": count})
        cursor.execute("ANALYZE awsint_supportcase")


def plans(user: User, typed: str) -> str:
    """How each statement about cases is done that a search for this asks."""
    with CaptureQueriesContext(connection) as caught:
        case_list.page(user, case_list.Asked(q=typed), NOON)
    asked = [one["sql"] for one in caught if 'FROM "awsint_supportcase"' in one["sql"]]
    with connection.cursor() as cursor:
        told = []
        for sql in asked:
            cursor.execute("EXPLAIN " + sql)
            told += [row[0] for row in cursor.fetchall()]
    return "\n".join(told)


def test_the_words_of_a_case_follow_its_subject(acme: Account, sim: Sim, cast: Cast) -> None:
    sim.open(acme.number, "Lambda 冷启动很慢", "Five seconds.")
    cases.sync_account(acme, Via.POLL, NOON)
    case = SupportCase.objects.get()
    assert numbers(enter(cast.ana).get("/aws/cases/", {"q": "冷启动"})) == [case.display_id]


# --- One of them -----------------------------------------------------------------------------------------------------


def test_a_case_shows_all_its_words_what_aws_changed_and_its_files(cast: Cast, settings: Any) -> None:
    case = case_of(connected(cast.acme), 1)
    one = word(case, NOON, body="The key was [removed].")
    CommunicationVersion.objects.create(
        communication=one, number=1, body="The key was hunter2.", sha256="1" * 64, replaced_at=NOON
    )
    CaseFile.objects.create(communication=one, aws_id="a1", name="setup.exe", state="refused", reason="program")
    page = said(enter(cast.ana).get(f"/aws/cases/{case.pk}/"))
    for text in (
        "The key was [removed].",
        "The key was hunter2.",
        "setup.exe",
        "It is a program",
        "nobody has seen it",
    ):
        assert text in page, text
    hidden = said(enter(cast.audrey).get(f"/aws/cases/{case.pk}/"))
    for text in ("removed", "hunter2", "setup.exe", "ALB", case.case_id, "account 1", "Acme"):
        assert text not in hidden, text


def test_a_file_is_downloaded_by_those_who_may_see_its_case_and_by_nobody_else(cast: Cast) -> None:
    case, other = case_of(connected(cast.acme), 1), case_of(connected(cast.globex, 2), 2)
    text = b"lines of a log"
    kept = Attachment.objects.create(
        stored=uuid4(), uploader=cast.ana, name="alb.log", type="text", size=len(text), sha256="a" * 64,
        created_at=NOON, archived=True,
    )  # fmt: skip
    part = store().spool / kept.key
    part.write_bytes(text)
    store().put(kept.key, part)
    file = CaseFile.objects.create(
        communication=word(case, NOON), aws_id="a1", name="alb.log", state="kept", attachment=kept
    )
    door = f"/aws/cases/{case.pk}/files/{file.pk}"
    answer = enter(cast.ana).get(door)
    assert b"".join(answer.streaming_content) == text  # type: ignore[attr-defined]
    assert answer["Content-Disposition"].startswith('attachment; filename="alb.log"')
    page = said(enter(cast.ana).get(f"/aws/cases/{case.pk}/"))
    assert f"SHA-256 {'a' * 64}" in page
    assert enter(cast.ana).get(f"/aws/cases/{other.pk}/files/{file.pk}").status_code == 404
    for person in (cast.cora, cast.carla, cast.gus, cast.audrey):
        assert enter(person).get(door).status_code == 404
    assert Client().get(door).status_code == 302


def test_a_case_has_several_tickets_and_a_ticket_several_cases(cast: Cast) -> None:
    account = connected(cast.acme)
    first, second = filed(cast), filed(cast)
    case, other = case_of(account, 1, first), case_of(account, 2, first, status="pending-customer-action")
    foreign = filed(cast, cast.globex, cast.gus)
    ana, door = enter(cast.ana), f"/aws/cases/{case.pk}/link"
    assert ana.post(door, {"ticket": second.ref.lower()}).status_code == 303
    assert set(case.links.values_list("ticket", flat=True)) == {first.pk, second.pk}
    assert Entry.objects.get(subject=second.ref, action="ticket.case_linked").data == {"case": case.display_id}
    second.refresh_from_db()
    assert second.case_turn == "aws"
    for typed, why in {second.ref: "linked already", foreign.ref: "another customer", "HD-999999": "no such"}.items():
        answer = ana.post(door, {"ticket": typed})
        assert (answer.status_code, why in said(answer)) == (422, True), typed
    assert ana.post(f"/aws/cases/{other.pk}/tickets/{second.ref}/unlink").status_code == 404
    away = f"/aws/cases/{case.pk}/tickets/{first.ref}/unlink"
    assert f"off {first.ref}?" in said(ana.get(away))
    assert first.pk in case.links.values_list("ticket", flat=True), "a look does nothing"
    assert ana.post(away).status_code == 303
    assert list(case.links.values_list("ticket", flat=True)) == [second.pk]
    assert Entry.objects.filter(subject=first.ref, action="ticket.case_unlinked").exists()
    assert "its only ticket" in said(ana.post(f"/aws/cases/{case.pk}/tickets/{second.ref}/unlink"))
    assert "linked case" in said(ana.get(f"/tickets/{second.ref}/"))


# --- Beside AWS ------------------------------------------------------------------------------------------------------


def test_aws_beside_us_differs_by_a_number(acme: Account, sim: Sim, cast: Cast) -> None:
    there = sim.open(acme.number, "ALB", "It answers 503.")
    sim.answer(there, "Since when?")
    cases.sync_account(acme, Via.POLL, NOON)
    case = SupportCase.objects.get()
    ana, door = enter(cast.ana), f"/aws/cases/{case.pk}/compare"
    page = said(ana.get(door))
    assert "Difference 0" in page
    sim.answer(there, "Please tell us.")
    Communication.objects.filter(case=case, by_aws=True).update(body="Sinse when?", sha256="0" * 64)
    page = said(ana.get(door))
    assert "Difference 2" in page
    assert "missing here" in page
    assert "another text" in page
    masked = said(enter(cast.audrey).get(door))
    assert "Difference 2" in masked
    assert "Please tell us." not in masked
    assert "ALB" not in masked
    sim.account(acme.number, plan="none")
    assert "AWS did not answer, so nothing was compared" in said(ana.get(door))
    for person in (cast.cora, cast.carla):
        assert enter(person).get(door).status_code == 404


# --- How long --------------------------------------------------------------------------------------------------------


def test_the_report_measures_aws_and_us_and_no_automatic_answer(cast: Cast) -> None:
    account, other = connected(cast.acme), connected(cast.globex, 2)
    for number, minutes in enumerate((10, 20, 60), start=1):
        ticket = filed(cast)
        case = case_of(account, number, ticket, service="amazon-rds")
        word(case, NOON + timedelta(minutes=1), automatic=True)
        word(case, NOON + timedelta(minutes=minutes))
        word(case, NOON + 5 * HOUR)
        actions.reply(ticket=ticket, body="Hello", by=cast.ana, at=NOON + timedelta(minutes=5 * number))
    case_of(other, 4, status="resolved", is_open=False, status_at=NOON + 2 * HOUR)
    case_of(account, 5, created_at=NOON - timedelta(days=200))
    wish = case_report.Asked.read({}, "Asia/Shanghai", NOON)
    with CaptureQueriesContext(connection) as caught:
        by = {one.code: one for one in case_report.tables(cast.lee, wish)}
    assert len(caught) == 4, "one a table"
    acme, globex = by["customer"].rows
    assert (acme.name, acme.count, acme.aws_first, acme.our_first) == (
        "Acme", 3, case_report.Span(3, 20 * 60.0, 52 * 60.0), case_report.Span(3, 10 * 60.0, 14 * 60.0)
    )  # fmt: skip
    assert (globex.aws_first.half, globex.aws_close.half) == (None, 7200.0)
    assert [by["customer"].total.count, by["service"].total.count] == [4, 4]  # type: ignore[union-attr]
    assert [row.name for row in by["service"].rows] == ["amazon-rds", "—"]
    page = enter(cast.lee).get("/aws/cases/report")
    assert "half within 20 min, nine of ten within 52 min" in said(page)
    assert page.content.decode().count("<svg class=") >= 8
    assert "No case was opened" in said(enter(cast.lee).get("/aws/cases/report?from=2001-01-01&to=2001-02-01"))
    hidden = said(enter(cast.audrey).get("/aws/cases/report"))
    assert "CUST-" in hidden
    assert "Acme" not in hidden
    rows = b"".join(enter(cast.lee).get("/aws/cases/report.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert "Acme,3,3,1200,3120,3,600,840" in rows
    cast.acme.restricted = True
    cast.acme.save()
    assert "Acme" not in said(enter(cast.ana).get("/aws/cases/report"))
    assert enter(cast.ana).get("/aws/cases/report?from=x&to=99999-01-01").status_code == 200


# --- Who may ---------------------------------------------------------------------------------------------------------


def test_an_engineer_meets_no_case_of_a_customer_they_may_not_see(cast: Cast) -> None:
    case = case_of(connected(cast.acme), 1)
    cast.acme.restricted = True
    cast.acme.save()
    ana = enter(cast.ana)
    assert numbers(ana.get("/aws/cases/")) == []
    for door in ("", "compare", "files/1"):
        assert ana.get(f"/aws/cases/{case.pk}/{door}").status_code == 404
    assert ana.post(f"/aws/cases/{case.pk}/link", {"ticket": "HD-1"}).status_code == 404
    assert numbers(enter(cast.lee).get("/aws/cases/")) == [case.display_id]
    CustomerTeam.objects.create(user=cast.ana, customer=cast.acme)
    assert numbers(enter(cast.ana).get("/aws/cases/")) == [case.display_id]


def test_an_auditor_reads_numbers_and_finds_no_door(cast: Cast) -> None:
    case = case_of(connected(cast.acme), 1, filed(cast))
    audrey = enter(cast.audrey)
    page = said(audrey.get("/aws/cases/?q=ALB"))
    assert "CUST-" in page
    for text in ("Acme", "account 1", "ALB answers", "Nudge"):
        assert text not in page, text
    rows = b"".join(audrey.get("/aws/cases.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert "Acme" not in rows
    assert audrey.post(f"/aws/cases/{case.pk}/link", {"ticket": "HD-1"}).status_code == 404
    assert audrey.get(f"/aws/cases/{case.pk}/files/1").status_code == 404


def test_the_pages_cost_the_same_however_many_there_are(cast: Cast) -> None:
    account, ticket = connected(cast.acme), filed(cast)
    first = case_of(account, 1, ticket)
    word(first, NOON)
    lee = enter(cast.lee)
    doors = ("/aws/cases/", "/aws/cases/?kind=stale", "/aws/cases/?q=ALB", f"/aws/cases/{first.pk}/")
    few = [counted(lee, door) for door in doors]
    for number in range(2, 60):
        case_of(account, number, ticket)
        word(first, NOON + number * HOUR)
    assert [counted(lee, door) for door in doors] == few
    page = lee.get("/aws/cases/")
    further = html.unescape(re.search(r'rel="next" href="([^"]+)"', page.content.decode())[1])  # type: ignore[index]
    both = numbers(page) + numbers(lee.get(f"/aws/cases/{further}"))
    assert both == [f"17000{number:05}" for number in range(59, 0, -1)]


def counted(client: Client, page: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert client.get(page).status_code == 200
    return len(caught)
