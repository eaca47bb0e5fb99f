"""A month is frozen once: what it said stays, what changed later stands beside it, and what it is worth is claimed."""

import io
import zipfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pypdfium2
import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from helpdesk.accounts.models import Customer
from helpdesk.jobs import work
from helpdesk.jobs.models import Job
from helpdesk.outbox.compose import compose
from helpdesk.outbox.models import Letter
from sla import months
from sla.attainment import Attainment
from sla.credits import credit
from sla.models import Breach, CreditRow, Excusal, MonthFile, MonthReport, Settlement
from sla.models.register import Reason
from sla.months import Month
from tests.stories.travel import Person, at, clock, words
from tickets import freeze_tasks, freezing, month_tables, sweeping
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
MARCH = Month.read("2026-03")
# The third of April, three in the morning in Shanghai.
DUE = datetime(2026, 4, 2, 19, 0, tzinfo=UTC)
LATER = DUE + timedelta(minutes=2)


def solved(cast: Any, day: int, *, late: bool = False, priority: str = "critical") -> Ticket:
    """Filed at ten of a day of March, answered at once, solved in time or an hour too late."""
    ticket = Person(cast.cora).files(cast, at("10:00", day), priority)
    Person(cast.ana).says(ticket, at("10:01", day))
    return Person(cast.ana).says(ticket, at("15:00" if late else "11:00", day), "resolve")


def a1(cast: Any) -> list[Ticket]:
    """The example of the rule: of resolutions 8 kept, 1 broken, 1 paused, 1 withdrawn, 1 that belongs to April."""
    found = [solved(cast, day) for day in range(8)] + [solved(cast, 8, late=True)]
    paused = Person(cast.cora).files(cast, at("10:00", 9))
    Person(cast.ana).says(paused, at("10:05", 9), "ask")
    gone = Person(cast.cora).files(cast, at("10:00", 10))
    Person(cast.cora).does("withdraw", gone, at("10:02", 10), reason="withdrawn")
    april = solved(cast, 29, priority="low")
    assert clock(april).due_at == at("10:00", 32)
    return [*found, paused, gone, april]


def freeze(when: datetime = LATER) -> None:
    """The hour strikes: the schedule's line asks, a worker works."""
    with time_machine.travel(when, tick=False):
        freeze_tasks.freeze_months()
    for job in Job.objects.filter(kind=freezing.JOB, state__in=work.UNDER_WAY):
        while work.step(job.public, when):
            pass


def report_of(customer: Customer, month: Month = MARCH) -> MonthReport:
    return MonthReport.objects.get(customer=customer, month=month.first)


def page(person: Any, customer: Customer, when: datetime = LATER, month: Month = MARCH) -> str:
    return Person(person).see(f"/sla/months/{customer.pk}/{month}", when)


# --- The month, frozen -----------------------------------------------------------------------------------------------


def test_a1_a_month_counts_what_was_due_in_it_and_lists_what_was_not(cast: Any) -> None:
    a1(cast)
    freeze()
    data = report_of(cast.acme).data
    assert data["kinds"]["resolution"] == [8, 1, 1]
    assert data["excluded"] == {"paused": 1, "n/a": 2, "drill": 0, "open": 0}, "the withdrawn one had two clocks"
    assert (data["from"], data["until"], data["zone"]) == (
        "2026-02-28T16:00:00Z",
        "2026-03-31T16:00:00Z",
        "Asia/Shanghai",
    )
    said = words(page(cast.ana, cast.acme))
    assert "88.88 %" in said
    assert "Paused: waits for the customer 1" in said


def test_nothing_is_frozen_before_the_third_at_three_and_a_missed_month_is_caught_up(cast: Any) -> None:
    solved(cast, 0)
    freeze(DUE - timedelta(seconds=1))
    assert not MonthReport.objects.filter(month=MARCH.first).exists()
    freeze(DUE)
    assert report_of(cast.acme).frozen_at == DUE
    # The worker was away for all of May.
    freeze(datetime(2026, 7, 9, tzinfo=UTC))
    found = MonthReport.objects.filter(customer=cast.acme, month__gte=MARCH.first).order_by("no")
    assert [f"{row.month:%Y-%m}" for row in found] == ["2026-03", "2026-04", "2026-05", "2026-06"]
    assert [row.prev for row in found][1:] == [row.sha256 for row in found][:-1]


def test_freezing_again_changes_nothing(cast: Any) -> None:
    solved(cast, 0)
    freeze()
    before = list(MonthReport.objects.order_by("pk").values())
    freeze(LATER + timedelta(hours=1))
    call_command("sla_freeze", month="2026-03")
    assert list(MonthReport.objects.order_by("pk").values()) == before


def test_the_digest_is_of_what_it_says(cast: Any) -> None:
    a1(cast)
    freeze()
    for row in MonthReport.objects.all():
        assert row.sha256 == months.digest(row.data, row.prev)
        assert row.credit.sha256 == row.sha256


@pytest.mark.parametrize("table", ["sla_monthreport", "sla_creditrow", "sla_settlement", "sla_monthfile"])
@pytest.mark.parametrize("verb", ["UPDATE {0} SET id = id", "DELETE FROM {0}"])
def test_the_database_refuses_to_change_what_was_frozen(cast: Any, table: str, verb: str) -> None:
    solved(cast, 8, late=True)
    Customer.objects.filter(pk=cast.acme.pk).update(support_fee=100)
    [solved(cast, day, late=True) for day in (9, 10)]
    freeze()
    row = CreditRow.objects.get(customer=cast.acme)
    Settlement.objects.create(credit=row, invoice="R-1", by=cast.ada, at=LATER)
    MonthFile.objects.create(report=row.report, language="en", key="0" * 32, sha256="0" * 64, size=1, made_at=LATER)
    with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(verb.format(table))
    with pytest.raises(TypeError):
        MonthReport.objects.update(no=7)


def test_a4_an_excused_breach_leaves_the_net_figure_and_not_the_gross(cast: Any) -> None:
    tickets = [solved(cast, day) for day in range(8)] + [solved(cast, 8, late=True)]
    breach = Breach.objects.get(subject=tickets[-1].ref, kind="resolution")
    Excusal.objects.create(
        breach=breach,
        reason=Reason.FORCE_MAJEURE,
        note="",
        arn="",
        asked_by=cast.ana,
        approver=cast.lee,
        at=at("10:00", 20),
    )
    freeze()
    assert report_of(cast.acme).data["kinds"]["resolution"] == [8, 1, 0]
    said = words(page(cast.ana, cast.acme))
    assert "88.88 % 100.00 %" in said


def test_a5_what_changes_later_is_listed_and_the_frozen_month_stays(cast: Any) -> None:
    tickets = [solved(cast, day) for day in range(3)]
    # Solved on the last day, with three hours left; it comes back when the month is frozen.
    ticket = solved(cast, 29)
    freeze()
    before = report_of(cast.acme)
    again = at("12:00", 32)
    Person(cast.cora).says(ticket, again, body="It is back")
    sweeping.sweep(again + timedelta(hours=4))
    assert clock(ticket).verdict == "breached"
    after = report_of(cast.acme)
    assert (after.data, after.sha256) == (before.data, before.sha256)
    said = words(page(cast.ana, cast.acme, again + timedelta(hours=5)))
    assert "1 clock says something else by now" in said
    assert f"{ticket.ref} Resolution kept, due" in said
    assert "in another month: broken, due 2026-04-03 23:00:00" in said
    freeze(datetime(2026, 5, 2, 19, 0, tzinfo=UTC))
    april = report_of(cast.acme, MARCH.after).data
    assert april["kinds"]["resolution"] == [0, 1, 1], "April counts it"
    assert all(f"{t.ref} Resolution" not in said.split("Restatements")[1].split("How promises")[0] for t in tickets)


# --- Credits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("met", "broken", "fee", "critical", "percent", "amount"),
    [
        (17, 2, "20000.00", False, 10, "2000.00"),
        (19, 1, "20000.00", False, 0, "0.00"),
        (2, 1, "8888.88", True, 5, "444.44"),
        (0, 0, "20000.00", False, 0, "0.00"),
    ],
)
def test_c1_to_c4_stand_on_the_page_as_reckoned(
    cast: Any, met: int, broken: int, fee: str, critical: bool, percent: int, amount: str
) -> None:
    made = credit(Attainment(met, broken), critical_breached=critical, fee=Decimal(fee))
    assert (made.percent, made.amount) == (percent, Decimal(amount))
    said = words(Person(cast.carla).see("/sla/credits", LATER))
    assert f"{met}/{met + broken}" in said
    assert f"{Decimal(amount):,.2f}" in said


def test_a_credit_is_reckoned_with_the_freeze_and_needs_no_claim(cast: Any) -> None:
    Customer.objects.filter(pk=cast.acme.pk).update(support_fee=Decimal("8888.88"))
    # One critical ticket: answered in time, solved too late. Two clocks are few, and a critical promise was broken.
    ticket = solved(cast, 3, late=True)
    freeze()
    row = CreditRow.objects.get(customer=cast.acme)
    assert (row.percent, row.amount, row.met, row.decided) == (5, Decimal("444.44"), 1, 2)
    assert (row.fee, row.currency, row.critical_breached) == (Decimal("8888.88"), "CNY", True)
    nothing = CreditRow.objects.get(customer=cast.globex)
    assert (nothing.percent, nothing.amount, nothing.decided) == (0, 0, 0)
    said = Person(cast.carla).see("/sla/credits", LATER)
    assert "444.44" in said
    assert "Globex" not in said
    assert f'href="/sla/months/{cast.acme.pk}/2026-03#clocks"' in said
    assert ticket.ref in page(cast.carla, cast.acme)


def test_an_administrator_marks_a_credit_as_deducted_once(cast: Any) -> None:
    Customer.objects.filter(pk=cast.acme.pk).update(support_fee=1000)
    solved(cast, 3, late=True)
    freeze()
    row = CreditRow.objects.get(customer=cast.acme)
    address = f"/sla/credits/{row.pk}/settle"
    client = Client()
    for person, status in ((cast.lee, 404), (cast.carla, 404), (cast.audrey, 404), (cast.ada, 422)):
        client.force_login(person)
        assert client.post(address, {"invoice": ""}).status_code == status
    assert "Write the number of the invoice." in client.post(address, {"invoice": " "}).content.decode()
    Person(cast.ada).send(address, LATER, invoice="INV-2026-041")
    assert Settlement.objects.get(credit=row).by == cast.ada
    assert client.post(address, {"invoice": "INV-2"}).status_code == 422
    assert "INV-2026-041" in Person(cast.carla).see("/sla/credits", LATER)


# --- Who -------------------------------------------------------------------------------------------------------------


def test_members_outsiders_and_strangers_find_nothing(cast: Any) -> None:
    solved(cast, 3)
    freeze()
    mine = f"/sla/months/{cast.acme.pk}/2026-03"
    for address in ("/sla/months", mine, f"{mine}/xlsx", f"{mine}/pdf", "/sla/credits"):
        for person in (cast.cora, cast.cody, cast.gus):
            client = Client()
            client.force_login(person)
            assert client.get(address).status_code == 404, (address, person)
        assert Client().get(address).status_code == 302
    client = Client()
    client.force_login(cast.carla)
    assert client.get(f"/sla/months/{cast.globex.pk}/2026-03").status_code == 404
    for month in ("2026-13", "march", "9999-01", "2026-1"):
        assert client.get(f"/sla/months/{cast.acme.pk}/{month}").status_code == 404


def test_an_auditor_reads_numbers_and_no_names(cast: Any) -> None:
    Customer.objects.filter(pk=cast.acme.pk).update(contract_number="SUP-ACME-7")
    solved(cast, 3)
    freeze()
    for address in ("/sla/months", f"/sla/months/{cast.acme.pk}/2026-03", "/sla/credits"):
        said = Person(cast.audrey).see(address, LATER)
        assert "CUST-000" in said
        assert not [name for name in ("Acme", "Globex", "SUP-ACME-7", "Cora", 'href="/tickets/HD') if name in said]
    client = Client()
    client.force_login(cast.audrey)
    assert client.get(f"/sla/months/{cast.acme.pk}/2026-03/pdf").status_code == 404
    assert "Acme" not in "".join(sheet_texts(client.get(f"/sla/months/{cast.acme.pk}/2026-03/xlsx").content))


# --- Mail, paper, book -----------------------------------------------------------------------------------------------


def test_the_companys_administrators_get_it_once_in_the_customers_language_with_the_paper(cast: Any) -> None:
    cast.dora.no_mail = ["months"]
    cast.dora.save()
    a1(cast)
    freeze()
    freeze(LATER + timedelta(hours=3))
    (letter,) = Letter.objects.filter(kind="sla.month")
    assert (letter.to_key, letter.language) == (cast.carla.key, "zh-hans")
    mail = compose(letter, LATER)
    assert mail
    ((name, made, kind),) = mail.attachments
    assert (name, kind) == ("SLA-ACME-2026-03.pdf", "application/pdf")
    assert "2026年3月" in mail.subject
    assert f"/sla/months/{cast.acme.pk}/2026-03" in mail.body
    assert compose(letter, LATER + timedelta(days=1)).attachments[0][1] == made, "the same paper"  # type: ignore[union-attr]
    cast.carla.memberships.update(is_active=False)
    from helpdesk.outbox.content import NobodyLeft

    with pytest.raises(NobodyLeft):
        compose(letter, LATER)


@pytest.mark.parametrize(
    ("language", "expected"), [("zh-hans", ["首次响应", "2026年3月"]), ("en", ["First response", "March 2026"])]
)
def test_the_paper_says_it_in_both_languages(cast: Any, language: str, expected: list[str]) -> None:
    # What somebody typed is data: it neither becomes markup nor ends the page.
    Customer.objects.filter(pk=cast.acme.pk).update(name='#panic("x") *Acme* <b> $')
    tickets = a1(cast)
    freeze()
    cast.carla.language = language
    cast.carla.save()
    client = Client()
    with time_machine.travel(LATER, tick=False):
        client.force_login(cast.carla)
        answer = client.get(f"/sla/months/{cast.acme.pk}/2026-03/pdf")
    assert answer["Content-Type"] == "application/pdf"
    paper = pypdfium2.PdfDocument(answer.content)
    text = "".join(p.get_textpage().get_text_range() for p in paper)
    flat = "".join(text.split())
    report = report_of(cast.acme)
    for word in [*expected, "88.88%", report.sha256, tickets[0].ref, '#panic("x")*Acme*<b>$']:
        assert "".join(word.split()) in flat, word
    row = MonthFile.objects.get(report=report)
    assert (row.language, row.size) == (language, len(answer.content))


def sheet_texts(book: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(book)) as opened:
        tree = ElementTree.fromstring(opened.read("xl/sharedStrings.xml"))
    return [node.text or "" for node in tree.iter() if node.tag.endswith("}t")]


def test_the_book_has_four_sheets_and_no_formula(cast: Any) -> None:
    Customer.objects.filter(pk=cast.acme.pk).update(name='=HYPERLINK("http://x","y")', contract_number="@SUM(A1)")
    tickets = a1(cast)
    freeze()
    client = Client()
    client.force_login(cast.ana)
    with time_machine.travel(LATER, tick=False):
        made = client.get(f"/sla/months/{cast.acme.pk}/2026-03/xlsx").content
    with zipfile.ZipFile(io.BytesIO(made)) as opened:
        names = [n for n in opened.namelist() if n.startswith("xl/worksheets/sheet")]
        assert len(names) == 4
        assert not [n for n in names if b"<f>" in opened.read(n)]
    texts = sheet_texts(made)
    assert {"Clocks behind these numbers", "Tickets", tickets[0].ref, "88.88 %", "@SUM(A1)"} <= set(texts)


# --- Tickets and time ------------------------------------------------------------------------------------------------


def test_tickets_and_time_by_category(cast: Any) -> None:
    solved(cast, 0)
    solved(cast, 1, late=True)
    Person(cast.cora).files(cast, at("10:00", 5))
    again = solved(cast, 6)
    Person(cast.cora).says(again, at("12:00", 6), body="Still")
    Person(cast.ana).says(again, at("12:30", 6), "resolve")
    sweeping.sweep(at("10:00", 8))
    freeze()
    name, opened, done, still, reopened, *spans = report_of(cast.acme).data["work"][0]
    assert (name, opened, done, still, reopened) == ("technical", 4, 3, 1, 1)
    assert spans == [60, 60, 5400, 5 * 3600]


def test_percentiles_are_values_that_occurred() -> None:
    from tickets.month_work import rank

    assert [rank([], 50), rank([7], 90), rank([1, 2], 50), rank([1, 2, 3], 50), rank(list(range(1, 11)), 90)] == [
        *(None, 7, 1, 2, 9)
    ]


# --- The desk's own ways ---------------------------------------------------------------------------------------------


def test_a_month_that_runs_is_preliminary(cast: Any) -> None:
    solved(cast, 3)
    said = words(page(cast.ana, cast.acme, at("12:00", 5)))
    assert "preliminary" in said
    assert "The month is running" in said
    client = Client()
    client.force_login(cast.ana)
    with time_machine.travel(at("12:00", 5), tick=False):
        assert client.get(f"/sla/months/{cast.acme.pk}/2026-03/pdf").status_code == 404
        assert client.get(f"/sla/months/{cast.acme.pk}/2026-04").status_code == 404


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"month": "2026-3"}, "write a month like 2026-10"),
        ({"month": "2026-03", "customer": "NOBODY"}, "no customer of this code"),
        ({"month": "2026-04"}, "not over yet"),
    ],
)
def test_the_command_names_what_is_wrong_and_ends_with_2(cast: Any, given: dict[str, str], says: str) -> None:
    with time_machine.travel(LATER, tick=False), pytest.raises(CommandError, match=says) as told:
        call_command("sla_freeze", **given)
    assert told.value.returncode == 2
    assert not MonthReport.objects.exists()


def test_lists_find_by_name_and_contract_and_say_what_to_do_where_nothing_is(cast: Any) -> None:
    Customer.objects.filter(pk=cast.acme.pk).update(contract_number="SUP-7")
    solved(cast, 3)
    freeze()
    said = words(Person(cast.ana).see("/sla/months?q=sup-7", LATER))
    assert "Acme" in said
    assert "Globex" not in said
    assert "100.00 %" in said
    assert "No customer matches" in words(Person(cast.ana).see("/sla/months?q=nobody", LATER))
    assert "No credit matches" in words(Person(cast.ana).see("/sla/credits?month=2020-01", LATER))


def test_many_customers_cost_no_more_statements(cast: Any) -> None:
    def count(address: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            Person(cast.ana).see(address, LATER)
        return len(seen)

    solved(cast, 3)
    freeze()
    mine = f"/sla/months/{cast.acme.pk}/2026-03"
    before = [count("/sla/months"), count("/sla/credits"), count(mine)]
    born = datetime(2026, 1, 5, tzinfo=UTC)
    for n in range(60):
        Customer.objects.create(name=f"Firm {n:02}", code=f"F{n}", created_at=born)
    for day in range(10, 14):
        solved(cast, day)
    freeze(LATER + timedelta(hours=1))
    assert [count("/sla/months"), count("/sla/credits"), count(mine)] == before
    first = Person(cast.ana).see("/sla/months", LATER)
    assert "Firm 47" in first
    assert "Firm 59" not in first


def test_a_slice_takes_the_same_statements_for_many_customers(cast: Any) -> None:
    born = datetime(2026, 1, 5, tzinfo=UTC)
    some = [Customer.objects.create(name=f"Firm {n:02}", code=f"F{n}", created_at=born) for n in range(20)]

    def count(customers: list[Customer]) -> int:
        with CaptureQueriesContext(connection) as seen:
            freezing.freeze(customers, MARCH, LATER)
        return len(seen)

    assert count(some[:2]) == count(some[2:])


def test_months_begin_in_the_customers_zone() -> None:
    shanghai, berlin = (MARCH.window(zone) for zone in ("Asia/Shanghai", "Europe/Berlin"))
    assert (berlin.start - shanghai.start) == timedelta(hours=7)
    # Summer time begins within it.
    assert berlin.until.astimezone(UTC) - berlin.start.astimezone(UTC) == timedelta(days=31, hours=-1)
    assert MARCH.frozen_from("Asia/Shanghai") == DUE
    assert month_tables.money("2000.00", "CNY") == "CNY 2,000.00"
