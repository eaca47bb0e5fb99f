"""/sla/report through its doors: what is counted, who sees whose, what bad input meets, and that files say the same."""

import csv
import io
import re
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from docs.figures import Sheet, value
from helpdesk.accounts import keys
from helpdesk.accounts.models import Customer
from sla.models import Breach, Clock, Excusal, PolicyVersion
from tests.cast import Cast
from tickets import actions
from tickets.models import Ticket
from tickets.sweeping import sweep

pytestmark = pytest.mark.django_db
REPORT = "/sla/report"
MARCH = {"from": "2026-03-01", "to": "2026-04-01", "zone": "UTC"}
APRIL = {"from": "2026-04-01", "to": "2026-05-01", "zone": "UTC"}


def at(day: int, hour: int = 9, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def client_of(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def filed(cast: Cast, when: datetime, by: Any = None, **more: Any) -> Ticket:
    person = by or cast.cora
    customer = more.pop("customer", cast.acme)
    given = {"category": "technical", "priority": "high", **more}
    return actions.open_ticket(customer=customer, title="Disk", description="Full", by=person, at=when, **given)


def version(ticket: Ticket) -> int:
    return Ticket.objects.get(pk=ticket.pk).version


def resolved(cast: Cast, ticket: Ticket, when: datetime) -> Ticket:
    return actions.resolve(ticket=ticket, version=version(ticket), body="Done.", by=cast.ana, at=when)


def asked(cast: Cast, ticket: Ticket, when: datetime) -> None:
    actions.reply(ticket=ticket, body="Which disk?", then="ask", by=cast.ana, at=when)


def withdrawn(cast: Cast, ticket: Ticket, when: datetime) -> None:
    actions.withdraw(ticket=ticket, version=version(ticket), reason="withdrawn", by=cast.cora, at=when)


def kept(cast: Cast, when: datetime, **more: Any) -> Ticket:
    """Filed and resolved within its promises."""
    return resolved(cast, filed(cast, when, **more), when + timedelta(minutes=30))


def broken(cast: Cast, when: datetime, **more: Any) -> Ticket:
    """Answered in time, resolved an hour too late."""
    ticket = filed(cast, when, **more)
    actions.reply(ticket=ticket, body="Looking.", by=cast.ana, at=when + timedelta(minutes=10))
    sweep(when + timedelta(hours=8, seconds=1))
    return resolved(cast, ticket, when + timedelta(hours=9))


def excuse(cast: Cast, ticket: Ticket, when: datetime) -> None:
    breach = Breach.objects.get(subject=ticket.ref, kind="resolution")
    Excusal.objects.create(breach=breach, reason="force_majeure", asked_by=cast.ana, approver=cast.lee, at=when)


def march(cast: Cast) -> list[Ticket]:
    """A1: 8 met, 1 breached (it comes first), 1 paused, 1 withdrawn, 1 resolved in March but due in April."""
    late = broken(cast, at(9))
    rest = [kept(cast, at(day)) for day in range(1, 9)]
    waits = filed(cast, at(10))
    asked(cast, waits, at(10, 10))
    gone = filed(cast, at(11))
    withdrawn(cast, gone, at(11, 10))
    ahead = kept(cast, at(31, 9), priority="low")
    return [late, *rest, waits, gone, ahead]


# --- The worked examples of sla.md -----------------------------------------------------------------------------------


def figures(page: str, row: str = "All") -> list[str]:
    """The cells of a row of the table of parts."""
    found = re.search(rf'<th scope="row">{row}</th>(.*?)</tr>', page, re.DOTALL)
    assert found, "no such row"
    return [
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", cell)).strip()
        for cell in re.findall(r"<td.*?</td>", found[1], re.DOTALL)
    ]


@time_machine.travel(at(5, month=4), tick=False)
def test_a1_march_is_eight_ninths_and_lists_what_it_leaves_out(cast: Cast) -> None:
    march(cast)
    page = client_of(cast.ana).get(REPORT, MARCH).content.decode()
    assert figures(page)[4:] == ["88.88 %", "88.88 %", "8 / 9", "1"], "resolution: gross, net, met of decided, breached"
    left = re.findall(r'<th scope="row">(Paused|Not applicable|Still open|Drills)</th>(.*?)</tr>', page, re.DOTALL)
    counts = {name: re.findall(r">(\d+)<", cells) for name, cells in left}
    assert counts["Paused"] == ["0", "1"]
    assert counts["Not applicable"][1] == "1"
    assert "Still open" not in counts
    april = client_of(cast.ana).get(REPORT, APRIL).content.decode()
    assert figures(april)[4:] == ["100.00 %", "100.00 %", "1 / 1", "0"], "the last belongs to April"


def test_a2_is_rounded_down(cast: Cast) -> None:
    from sla.attainment import Attainment

    assert str(Attainment(19_999, 1)) == "99.99 %"


@time_machine.travel(at(5, month=4), tick=False)
def test_a3_nothing_due_is_no_figure_and_the_page_says_what_to_do(cast: Cast) -> None:
    page = text(client_of(cast.ana).get(REPORT, MARCH))
    assert "Nothing was due in this window" in page
    assert "Show the last 90 days" in page
    assert "100" not in page


@time_machine.travel(at(5, month=4), tick=False)
def test_a4_an_excused_breach_counts_gross_and_not_net(cast: Cast) -> None:
    late, *_rest = march(cast)
    excuse(cast, late, at(12))
    page = client_of(cast.ana).get(REPORT, MARCH).content.decode()
    assert figures(page)[4:] == ["88.88 %", "100.00 %", "8 / 9", "1 1 excused"]
    listed = client_of(cast.ana).get(f"{REPORT}/clocks", MARCH | {"show": "excused", "kind": "resolution"})
    assert late.ref in text(listed)
    assert "excused" in text(listed)


def test_a5_what_is_reopened_and_breaches_in_april_counts_in_april(cast: Cast) -> None:
    with time_machine.travel(at(31, 23), tick=False):
        ticket = filed(cast, at(31, 9), priority="low")
        resolved(cast, ticket, at(31, 10))
        actions.reopen(ticket=ticket, version=version(ticket), body="Not yet.", by=cast.cora, at=at(31, 11))
        sweep(at(4, 9, 1, month=4))
    with time_machine.travel(at(5, month=4), tick=False):
        page = client_of(cast.ana).get(REPORT, APRIL).content.decode()
        assert figures(page)[4:] == ["0.00 %", "0.00 %", "0 / 1", "1"]


# --- Numbers and the clocks behind them ------------------------------------------------------------------------------


@time_machine.travel(at(5, month=4), tick=False)
def test_every_number_leads_to_its_clocks(cast: Cast) -> None:
    march(cast)
    kept(cast, at(3), customer=cast.globex, by=cast.gus, category="billing", priority="critical")
    client = client_of(cast.ana)
    for by in ("priority", "customer", "category", "engineer", "source"):
        page = client.get(REPORT, MARCH | {"by": by}).content.decode()
        links = re.findall(r'href="(/sla/report/clocks\?[^"]+)">\s*(\d+)(?: / (\d+))?', page)
        assert len(links) > 6
        for link, first, decided in links:
            rows = client.get(link.replace("&amp;", "&")).content.decode()
            assert rows.count('<tr><th scope="row">') == int(decided or first), (by, link)


@time_machine.travel(at(5, month=4), tick=False)
def test_the_list_is_searched_sorted_and_paged(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    late, *_rest = march(cast)
    latest = filed(cast, at(12))
    sweep(at(12, 18))
    client = client_of(cast.ana)
    page = text(client.get(f"{REPORT}/clocks", MARCH | {"q": late.ref.lower(), "kind": "resolution"}))
    assert page.count(late.ref) == 1
    assert "1 h" in page
    assert "No clock of this ticket" in text(client.get(f"{REPORT}/clocks", MARCH | {"q": "HD-9"}))
    assert "No clock of this ticket" in text(client.get(f"{REPORT}/clocks", MARCH | {"q": "no number"}))
    worst = text(client.get(f"{REPORT}/clocks", MARCH | {"sort": "late"}))
    assert worst.index(latest.ref) < worst.index(late.ref)
    assert "still not done" in worst
    for sort in ("due", "late"):
        whole = refs_of(client.get(f"{REPORT}/clocks", MARCH | {"sort": sort}))
        with monkeypatch.context() as patched:
            patched.setattr("tickets.report_clocks.page_of.__defaults__", (2,))
            seen, link = [], f"{REPORT}/clocks?" + "&".join(f"{k}={v}" for k, v in (MARCH | {"sort": sort}).items())
            while link:
                answer = client.get(link)
                seen += refs_of(answer)
                found = re.search(r'href="(\?[^"]*after=[^"]*)"', answer.content.decode())
                link = f"{REPORT}/clocks" + found[1].replace("&amp;", "&") if found else ""
        assert seen == whole, sort
    for after in ("x", "2026-03-01", "2026-03-01,1", ",", "9" * 40 + ",5,2026-03-01T00:00:00+00:00", "1,²"):
        assert client.get(f"{REPORT}/clocks", MARCH | {"after": after}).status_code == 200


def refs_of(answer: Any) -> list[str]:
    return re.findall(r'href="/tickets/(HD-\d+)/"', answer.content.decode())


@time_machine.travel(at(5, month=4), tick=False)
def test_filters_stand_as_chips_and_narrow_every_figure(cast: Cast) -> None:
    march(cast)
    kept(cast, at(3), customer=cast.globex, by=cast.gus, category="billing", priority="critical")
    client = client_of(cast.ana)
    page = client.get(REPORT, MARCH | {"category": "billing", "customer": str(cast.globex.pk)})
    assert figures(page.content.decode())[4:] == ["100.00 %", "100.00 %", "1 / 1", "0"]
    assert "Billing question" in text(page)
    assert "Remove this filter" in page.content.decode()
    unknown = client.get(REPORT, MARCH | {"category": "nonsense", "customer": "x", "engineer": "root", "by": "moon"})
    assert figures(unknown.content.decode())[6] == "9 / 10", "what means nothing is as if it were not there"


@time_machine.travel(at(5, month=4), tick=False)
def test_statements_do_not_grow_with_the_rows(cast: Cast) -> None:
    client, counts = client_of(cast.ana), []
    kept(cast, at(1))
    for more in (0, 6):
        for day in range(more):
            kept(cast, at(2 + day), customer=cast.globex, by=cast.gus)
            broken(cast, at(12 + day))
        for where in (REPORT, f"{REPORT}/clocks"):
            with CaptureQueriesContext(connection) as said:
                client.get(where, MARCH | {"by": "customer"})
            counts.append(len(said))
    assert counts[:2] == counts[2:]
    assert counts[0] <= 9
    assert counts[1] <= 6


# --- The window ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"from": "tomorrow"}, "Write a day like 2026-03-01."),
        ({"from": "2026-02-30"}, "Write a day like 2026-03-01."),
        ({"from": "2026-04-01", "to": "2026-03-01"}, "The window ends before it begins."),
        ({"from": "2026-04-01", "to": "2026-04-01"}, "The window ends before it begins."),
        ({"to": "2026-04-01"}, "Write the first day too."),
        ({"from": "2020-01-01", "to": "2026-04-01"}, "three years at most"),
        ({"from": "0001-01-01", "to": "2026-04-01"}, "between 2000 and 2100"),
        ({"from": "2026-03-01", "to": "9999-12-31"}, "between 2000 and 2100"),
        ({"zone": "Mars/Olympus"}, "not a time zone we know"),
    ],
)
def test_a_window_that_cannot_be_is_told_at_its_field_and_what_was_typed_stays(
    cast: Cast, given: dict[str, str], word: str
) -> None:
    for where in (REPORT, f"{REPORT}/clocks", f"{REPORT}.csv", f"{REPORT}/clocks.xlsx"):
        answer = client_of(cast.ana).get(where, given)
        assert answer.status_code == 422
        assert word in text(answer)
        for typed in given.values():
            assert typed in answer.content.decode(), "what was typed stays"


@time_machine.travel(datetime(2026, 11, 25, 17, 30, tzinfo=UTC), tick=False)
@pytest.mark.parametrize(
    ("span", "zone", "first", "last"),
    [
        ("7", "UTC", "2026-11-19", "2026-11-26"),
        ("30", "Asia/Shanghai", "2026-10-28", "2026-11-27"),
        ("90", "UTC", "2026-08-28", "2026-11-26"),
        ("month", "UTC", "2026-11-01", "2026-11-26"),
        ("last-month", "UTC", "2026-10-01", "2026-11-01"),
        ("quarter", "UTC", "2026-10-01", "2026-11-26"),
    ],
)
def test_a_span_is_days_of_its_zone(cast: Cast, span: str, zone: str, first: str, last: str) -> None:
    page = text(client_of(cast.ana).get(REPORT, {"span": span, "zone": zone}))
    assert f"from {first} 00:00 up to {last} 00:00" in page
    assert f"Zone: {zone}" in page


# --- Who -------------------------------------------------------------------------------------------------------------


@time_machine.travel(at(5, month=4), tick=False)
def test_everybody_reads_their_own(cast: Cast) -> None:
    march(cast)
    kept(cast, at(3), customer=cast.globex, by=cast.gus)
    everywhere = [f"{REPORT}{end}" for end in ("", ".csv", ".xlsx", "/clocks", "/clocks.csv", "/clocks.xlsx")]
    for where in everywhere:
        assert Client().get(where).headers["Location"].startswith("/accounts/login/")
        for person in (cast.cora, cast.cody, cast.gus):
            assert client_of(person).get(where, MARCH).status_code == 404
    for person in (cast.carla, cast.dora):
        client = client_of(person)
        page = client.get(REPORT, MARCH | {"by": "customer"})
        assert figures(page.content.decode())[6] == "8 / 9", "theirs alone"
        for answer in (page, client.get(f"{REPORT}/clocks", MARCH | {"by": "engineer", "engineer": cast.ana.key})):
            for word in ("Globex", "Ana", "Internal", ">Engineer<"):
                assert word not in answer.content.decode().partition("<main")[2], word
        stolen = client.get(REPORT, MARCH | {"customer": str(cast.globex.pk)})
        assert "Nothing was due" in text(stolen)
        assert person == cast.dora or "Globex" not in stolen.content.decode(), (
            "Dora is a member there and knows the name"
        )


@time_machine.travel(at(5, month=4), tick=False)
def test_a_restricted_customer_is_hidden_from_an_engineer_who_is_not_on_its_team(cast: Cast) -> None:
    march(cast)
    cast.acme.restricted = True
    cast.acme.save()
    assert "Nothing was due" in text(client_of(cast.ana).get(REPORT, MARCH))
    assert figures(client_of(cast.lee).get(REPORT, MARCH).content.decode())[6] == "8 / 9"


@time_machine.travel(at(5, month=4), tick=False)
def test_an_auditor_reads_figures_and_nobodys_name(cast: Cast) -> None:
    tickets = march(cast)
    kept(cast, at(3), customer=cast.globex, by=cast.gus)
    Customer.objects.filter(pk=cast.globex.pk).update(created_at=at(1))
    client = client_of(cast.audrey)
    said = [client.get(REPORT, MARCH | {"by": by}) for by in ("customer", "engineer")]
    said += [client.get(f"{REPORT}/clocks", MARCH)]
    said += [client.get(f"{REPORT}.csv", MARCH | {"by": "customer"}), client.get(f"{REPORT}/clocks.csv", MARCH)]
    whole = "".join(body(one) for one in said)
    for word in ("Acme", "Globex", "Ana", "Cora", "ana@", tickets[0].ref, "/tickets/HD"):
        assert word not in whole, word
    for word in ("CUST-0001", "CUST-0002", f"USER-{cast.ana.pk:04}"):
        assert word in whole, word
    chip = client.get(REPORT, MARCH | {"customer": str(cast.globex.pk)})
    assert "CUST-0002" in text(chip), "a filter changes no number"
    asked = client.get(f"{REPORT}/clocks", MARCH | {"q": tickets[0].ref})
    assert "No clock" not in text(asked), "nor is a ticket found by its number"


@time_machine.travel(at(20), tick=False)
def test_the_last_thirty_days_stand_on_the_page_of_promises(cast: Cast) -> None:
    march(cast)
    for person in (cast.ana, cast.carla, cast.audrey):
        page = client_of(person).get("/sla-config")
        assert "88.88 %" in text(page), person
        assert page.content.decode().count('class="missed"') >= 2, "the bar, and the tile of its day"
    for person in (cast.cora, cast.gus):
        assert "Attainment of the last 30 days" not in text(client_of(person).get("/sla-config"))
    sheet = Sheet(PolicyVersion.objects.get(), datetime.now(UTC))
    assert str(value("attainment_30d", sheet)) == "first response 100.00 %, resolution 88.88 %"


# --- Files -----------------------------------------------------------------------------------------------------------


def body(answer: Any) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode()


NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def book(answer: Any) -> dict[str, list[list[tuple[str, Any]]]]:
    """Each sheet's cells as (type, value): "text" as it stands there, a number as one, "f" where it would reckon."""
    parts = zipfile.ZipFile(io.BytesIO(answer.content))
    names = [
        s.attrib["name"] for s in ElementTree.fromstring(parts.read("xl/workbook.xml")).iterfind("m:sheets/m:sheet", NS)
    ]
    found = {}
    for number, name in enumerate(names, start=1):
        root = ElementTree.fromstring(parts.read(f"xl/worksheets/sheet{number}.xml"))
        found[name] = [[_cell(cell) for cell in row] for row in root.iterfind("m:sheetData/m:row", NS)]
    return found


def _cell(cell: Any) -> tuple[str, Any]:
    if cell.find("m:f", NS) is not None:
        return "f", None
    if cell.attrib.get("t") == "inlineStr":
        return "text", "".join(part.text or "" for part in cell.iterfind(".//m:t", NS))
    return "number", float(cell.findtext("m:v", "nan", NS))


@time_machine.travel(at(5, month=4), tick=False)
def test_files_have_the_rows_of_the_page_in_the_readers_language(cast: Cast) -> None:
    late, *_rest = march(cast)
    excuse(cast, late, at(12))
    client = client_of(cast.ana)
    rows = list(csv.reader(io.StringIO(body(client.get(f"{REPORT}.csv", MARCH)).removeprefix("\ufeff"))))
    total = next(row for row in rows if row[:2] == ["All", "Resolution"])
    assert total == ["All", "Resolution", "88.88 %", "100.00 %", "8", "1", "1", "9", "8⁄9", "8⁄8"]
    assert ["Paused", "Resolution", "1"] in rows
    assert ["Zone", "UTC"] in rows
    sheets = book(client.get(f"{REPORT}.xlsx", MARCH))
    assert list(sheets) == ["Attainment", "Over time", "Not counted", "Told apart", "Reckoning"]
    words, numbers = sheets["Attainment"][-1][:4], sheets["Attainment"][-1][4:8]
    assert words == [("text", "All"), ("text", "Resolution"), ("text", "88.88 %"), ("text", "100.00 %")]
    assert numbers == [("number", 8), ("number", 1), ("number", 1), ("number", 9)]
    listed = list(csv.reader(io.StringIO(body(client.get(f"{REPORT}/clocks.csv", MARCH | {"kind": "resolution"})))))
    one = next(row for row in listed if row and row[0] == late.ref)
    assert one[2:4] == ["breached", "2026-03-09 17:00:00+00:00"]
    assert one[7] == "3600"
    assert sum(row[0].startswith("HD-") for row in listed if row) == 9
    clocks = book(client.get(f"{REPORT}/clocks.xlsx", MARCH | {"kind": "resolution"}))
    assert len(clocks["All that count"]) == 10
    cast.ana.language = "zh-hans"
    cast.ana.save()
    chinese = body(client_of(cast.ana).get(f"{REPORT}/clocks.csv", MARCH))
    assert "首次响应" in chinese
    assert "First response" not in chinese


@time_machine.travel(at(5, month=4), tick=False)
@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_name_that_looks_like_a_formula_stays_text(cast: Cast, name: str) -> None:
    cast.acme.name = name
    cast.acme.save()
    kept(cast, at(3))
    client = client_of(cast.lee)
    for where in (f"{REPORT}.csv", f"{REPORT}/clocks.csv"):
        rows = csv.reader(io.StringIO(body(client.get(where, MARCH | {"by": "customer"}))))
        cells = [cell for row in rows for cell in row if cell.removeprefix("'") == name]
        assert cells
        assert all(cell == f"'{name}" for cell in cells)
    for where in (f"{REPORT}.xlsx", f"{REPORT}/clocks.xlsx"):
        first, *_more = book(client.get(where, MARCH | {"by": "customer"})).values()
        kinds = {kind for row in first for kind, value in row if isinstance(value, str) and name.strip() in value}
        assert kinds == {"text"}
        assert "f" not in {kind for row in first for kind, _value in row}


def test_a_clock_says_since_when_it_is_set_aside(cast: Cast) -> None:
    """It is written by whoever pauses or ends it, kept by whoever looks later, and gone when it runs again."""
    with time_machine.travel(at(20), tick=False):
        ticket = filed(cast, at(10))
        asked(cast, ticket, at(10, 10))
        clock = Clock.objects.get(subject=ticket.ref, kind="resolution")
        assert clock.set_aside_at == at(10, 10)
        actions.reply(ticket=ticket, body="Still waiting.", by=cast.ana, at=at(11, 10))
        clock.refresh_from_db()
        assert clock.set_aside_at == at(10, 10)
        actions.reply(ticket=ticket, body="This one.", by=cast.cora, at=at(12, 10))
        clock.refresh_from_db()
        assert clock.set_aside_at is None
        withdrawn(cast, ticket, at(12, 11))
        clock.refresh_from_db()
        assert (clock.verdict, clock.set_aside_at) == ("n/a", at(12, 11))


# --- The API ---------------------------------------------------------------------------------------------------------


def key(by: Any, customer: Any = None) -> dict[str, str]:
    wish = {"name": "report", "customer": customer, "may_write": False, "days": 1}
    return {"Authorization": "Bearer " + keys.create_key(**wish, by=by, at=datetime.now(UTC))[1]}


@time_machine.travel(at(5, month=4), tick=False)
def test_a_program_reads_the_rows_of_the_page(cast: Cast) -> None:
    late, *_rest = march(cast)
    excuse(cast, late, at(12))
    kept(cast, at(3), customer=cast.globex, by=cast.gus)
    told = Client().get("/api/sla/report", MARCH, headers=key(cast.lee, cast.acme)).json()
    assert told["total"]["resolution"] == {"met": 8, "breached": 1, "excused": 1, "gross": "88.88", "net": "100.00"}
    assert [row["key"] for row in told["rows"]] == ["high"]
    assert {"reason": "paused", "response": 0, "resolution": 1} in told["not_counted"]
    assert (told["start"], told["until"], told["zone"]) == ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", "UTC")
    everybody = Client().get("/api/sla/report", MARCH | {"by": "engineer"}, headers=key(cast.lee)).json()
    assert everybody["total"]["resolution"]["met"] == 9
    assert [row["label"] for row in everybody["rows"]] == ["Ana"]
    hidden = Client().get("/api/sla/report", MARCH | {"by": "engineer"}, headers=key(cast.carla)).json()
    assert hidden["by"] == "priority", "a company hears nothing of engineers"
    foreign = Client().get("/api/sla/report", MARCH | {"customer": str(cast.globex.pk)}, headers=key(cast.carla)).json()
    assert foreign["rows"] == []
    assert foreign["total"]["response"]["gross"] is None


def test_a_program_is_told_where_its_question_is_wrong(cast: Cast) -> None:
    asked = [
        ({"from": "2026-04-01", "to": "2026-03-01"}, "to"),
        ({"to": "2026-03-01"}, "from"),
        ({"zone": "x"}, "zone"),
    ]
    for given, field in [*asked, ({"from": "soon"}, "from"), ({"by": "moon"}, "by")]:
        answer = Client().get("/api/sla/report", given, headers=key(cast.ana))
        assert answer.status_code == 422
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    for headers, status in ((key(cast.cora), 404), ({}, 401), ({"Authorization": "Bearer hd_x_y"}, 401)):
        answer = Client().get("/api/sla/report", headers=headers)
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
