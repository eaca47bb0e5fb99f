"""The register of broken promises: who sees which, what is said of them, and what that changes."""

import csv
import html
import io
import re
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from helpdesk.audit.models import Entry
from helpdesk.models import Heartbeat
from helpdesk.outbox.models import Letter
from sla.models import Apology, Breach, BreachCause, Clock, Excusal, ExcusalDeclined, ExcusalProposal
from tests.stories.travel import Person, at, history, minutes, words
from tickets import causes, sweeping
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db
CAUSE = {"cause": "late_start", "words": "Nobody of the night shift saw it", "corrective_action": "The pager calls two"}
EXCUSE = {"reason": "customer_delay", "note": "They sent the logs late", "arn": ""}


@pytest.fixture
def ticket(cast: Any) -> Ticket:
    """Acme's: answered ten minutes late, at 10:25, and Ana's from then on."""
    filed = Person(cast.cora).files(cast, at("10:00"))
    minutes(at("10:00"), at("10:20"))
    return Person(cast.ana).says(filed, at("10:25"))


@pytest.fixture
def breach(ticket: Ticket) -> Breach:
    return Breach.objects.get(subject=ticket.ref)


@pytest.fixture
def here(breach: Breach) -> str:
    return f"/sla/breaches/{breach.pk}"


def get(person: Any, address: str, when: str = "11:00", day: int = 0) -> Any:
    client = Client(raise_request_exception=False)
    with time_machine.travel(at(when, day), tick=False):
        if person:
            client.force_login(person)
        return client.get(address)


def post(person: Any, address: str, when: str = "11:00", day: int = 0, **form: Any) -> Any:
    client = Client(raise_request_exception=False)
    with time_machine.travel(at(when, day), tick=False):
        if person:
            client.force_login(person)
        return client.post(address, form)


def body(answer: Any) -> str:
    """What was answered, also where it was sent as it was read."""
    return (answer.getvalue() if answer.streaming else answer.content).decode()


def text(answer: Any) -> str:
    return words(html.unescape(answer.content.decode()))


# --- Who sees which --------------------------------------------------------------------------------------------------


def test_staff_and_the_companys_administrators_see_it_and_nobody_else(cast: Any, here: str) -> None:
    for person in (cast.ana, cast.lee, cast.ada, cast.audrey, cast.carla, cast.dora):
        assert get(person, here).status_code == 200, person
        assert get(person, "/sla/breaches").status_code == 200, person
    for person in (cast.gus, cast.cora, cast.cody):
        assert get(person, here).status_code == 404, person
        assert get(person, "/sla/breaches").status_code == 404, person
    assert get(None, here).status_code == 302


def test_another_companys_administrator_sees_an_empty_register(cast: Any, here: str) -> None:
    cast.gus.memberships.update(role="admin")
    assert "Every promise was kept" in text(get(cast.gus, "/sla/breaches"))
    assert get(cast.gus, here).status_code == 404


@pytest.mark.parametrize("verb", ["explain", "propose", "approve", "decline"])
def test_only_the_desk_says_anything(cast: Any, here: str, verb: str) -> None:
    for person in (cast.carla, cast.gus, cast.cora, cast.audrey):
        assert post(person, f"{here}/{verb}", **CAUSE, **EXCUSE).status_code == 404
    assert post(None, f"{here}/{verb}", **CAUSE).status_code in (302, 403)
    assert not BreachCause.objects.exists()
    assert not ExcusalProposal.objects.exists()


def test_an_engineer_outside_the_team_of_a_restricted_customer_meets_none(cast: Any, here: str) -> None:
    cast.acme.restricted = True
    cast.acme.save()
    assert get(cast.ana, here).status_code == 404
    assert "Every promise was kept" in text(get(cast.ana, "/sla/breaches"))
    assert get(cast.lee, here).status_code == 200


def test_the_auditor_reads_numbers_and_no_name(cast: Any, breach: Breach, here: str) -> None:
    post(cast.ana, f"{here}/explain", **(CAUSE | {"words": "Ana of the desk forgot Acme and Cora"}))
    for address in ("/sla/breaches", here, "/sla/breaches.csv"):
        page = html.unescape(body(get(cast.audrey, address)))
        assert breach.subject in page
        assert re.search(r"CUST-000\d", page)
        said = re.sub(r'<a class="person".*?</a>', "", page, flags=re.DOTALL)
        for name in ("Acme", "Ana", "Cora", "数据库连接超时"):
            assert name not in said, (address, name)


def test_a_customer_reads_what_changes_and_no_internal_word(cast: Any, here: str) -> None:
    post(cast.ana, f"{here}/explain", **CAUSE)
    post(cast.ana, f"{here}/propose", **EXCUSE)
    for address in (here, "/sla/breaches.csv"):
        page = body(get(cast.carla, address))
        assert "The pager calls two" in page
        assert "night shift" not in page
        assert "sent the logs late" not in page


# --- The list --------------------------------------------------------------------------------------------------------


def test_a_line_says_the_promise_and_by_how_much_it_was_missed(cast: Any, ticket: Ticket) -> None:
    page = text(get(cast.lee, "/sla/breaches"))
    assert f"{ticket.ref} 数据库连接超时 Acme First response, 15 minutes Critical, version 1" in page
    assert "10 min" in page, "due 10:15, answered 10:25"
    assert "Attainment, gross 0.00 %" in page


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", True),
        ("q={ref}", True),
        ("q=acme", True),
        ("q=globex", False),
        ("q=HD-999999", False),
        ("kind=response", True),
        ("kind=resolution", False),
        ("priority=critical", True),
        ("priority=low", False),
        ("month=2026-03", True),
        ("month=2026-02", False),
        ("state=no_cause", True),
        ("state=overdue", False),
        ("state=excused", False),
        ("state=counts", True),
        ("state=no_apology", True),
        ("tab=updates", False),
        ("month=nonsense&state=x&kind=x&customer=x&after=x", True),
    ],
)
def test_filters(cast: Any, ticket: Ticket, asked: str, found: bool) -> None:
    page = get(cast.lee, f"/sla/breaches?{asked.format(ref=ticket.ref)}").content.decode()
    assert (f'">{ticket.ref}</a>' in page) == found


def test_pages_go_on_where_they_ended_and_cost_the_same(cast: Any, breach: Breach) -> None:
    with CaptureQueriesContext(
        connection,
    ) as few:
        get(cast.lee, "/sla/breaches")
    for n in range(30):
        clock = Clock.objects.get(pk=breach.clock_id)
        clock.pk, clock.subject = None, f"HD-9{n:03}"
        clock.save()
        later = breach.breached_at - timedelta(minutes=n + 1)
        Breach.objects.create(
            **{f: getattr(breach, f) for f in ("customer", "kind", "priority", "target_s", "policy", "detected_at")},
            clock=clock,
            subject=clock.subject,
            due_at=later,
            breached_at=later,
        )
    with CaptureQueriesContext(connection) as many:
        first = get(cast.lee, "/sla/breaches").content.decode()
    assert len(many) == len(few)
    (after,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = get(cast.lee, "/sla/breaches" + html.unescape(after)).content.decode()
    shown = [re.findall(r">(HD-\d+)</a>", page) for page in (first, second)]
    assert [len(refs) for refs in shown] == [25, 6]
    assert len({*shown[0], *shown[1]}) == 31
    (before,) = re.findall(r'rel="prev" href="([^"]+)"', second)
    back = get(cast.lee, "/sla/breaches" + html.unescape(before)).content.decode()
    assert re.findall(r">(HD-\d+)</a>", back) == shown[0]


def test_a_cause_is_owed_for_five_days_then_overdue_on_top(cast: Any, ticket: Ticket, here: str) -> None:
    assert "overdue" not in text(get(cast.lee, "/sla/breaches", day=1)).replace("Cause overdue", "")
    assert "1 cause is due within two days" in text(get(cast.lee, "/sla/breaches", day=4))
    page = text(get(cast.lee, "/sla/breaches", day=6))
    assert "1 cause is overdue" in page
    assert "Causes owed longest" in page
    post(cast.ana, f"{here}/explain", day=6, **CAUSE)
    page = text(get(cast.lee, "/sla/breaches", day=6))
    assert "Causes owed longest" not in page
    assert "Started too late" in page


def test_the_files_hold_what_the_list_shows(cast: Any, ticket: Ticket, here: str) -> None:
    post(cast.ana, f"{here}/explain", **(CAUSE | {"corrective_action": "=HYPERLINK(1)"}))
    answer = get(cast.lee, "/sla/breaches.csv")
    head, line = csv.reader(io.StringIO(body(answer).removeprefix("\ufeff")))
    assert len(head) == len(line)
    assert line[:6] == [ticket.ref, "Acme", "First response", "Critical", "1", "900"]
    assert line[6] == "2026-03-02 18:15:00+08:00", "in the reader's zone, which the heading names"
    assert "'=HYPERLINK(1)" in line
    book = zipfile.ZipFile(io.BytesIO(get(cast.lee, "/sla/breaches.xlsx").content))
    sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert ticket.ref in sheet
    assert "<f>" not in sheet, "what somebody typed calculates nothing"
    assert get(cast.lee, "/sla/breaches.pdf").status_code == 404


# --- Cause -----------------------------------------------------------------------------------------------------------


def test_a_cause_may_be_written_again_and_the_newest_counts(cast: Any, ticket: Ticket, here: str) -> None:
    post(cast.ana, f"{here}/explain", **CAUSE)
    post(cast.lee, f"{here}/explain", **(CAUSE | {"cause": "handover"}))
    post(cast.lee, f"{here}/explain", **(CAUSE | {"cause": "handover"}))
    assert list(BreachCause.objects.values_list("number", "cause")) == [(1, "late_start"), (2, "handover")]
    assert "Lost in a handover" in text(get(cast.ana, here))
    assert [e.data["why"] for e in history(ticket, "ticket.breach_explained")] == ["late_start", "handover"]
    assert {e.audience for e in history(ticket, "ticket.breach_explained")} == {"staff"}


def test_what_was_typed_stays_where_something_is_missing(cast: Any, here: str) -> None:
    answer = post(cast.ana, f"{here}/explain", cause="", words="Only half of it", corrective_action=" ")
    assert answer.status_code == 422
    page = text(answer)
    assert "Choose the kind of cause." in page
    assert "Write what changes" in page
    assert "Only half of it" in answer.content.decode()
    assert not BreachCause.objects.exists()


# --- Excusal ---------------------------------------------------------------------------------------------------------


def test_one_asks_and_another_excuses(cast: Any, ticket: Ticket, here: str) -> None:
    post(cast.ana, f"{here}/propose", **EXCUSE)
    proposal = ExcusalProposal.objects.get().pk
    assert "Until somebody approves, it counts" in text(get(cast.lee, here))
    assert post(cast.ana, f"{here}/approve", proposal=proposal).status_code == 403, "an engineer decides nothing"
    assert post(cast.lee, f"{here}/approve", proposal=proposal).status_code == 303
    excusal = Excusal.objects.get()
    assert (excusal.asked_by, excusal.approver, excusal.reason) == (cast.ana, cast.lee, "customer_delay")
    page = text(get(cast.lee, "/sla/breaches"))
    assert "Attainment, gross 0.00 %" in page
    assert "Net, without the excused —" in page
    assert "Excused: Delay of the customer" in text(get(cast.carla, here))
    (entry,) = history(ticket, "ticket.breach_excused")
    assert entry.audience == "public"


def test_nobody_approves_what_they_asked_for(cast: Any, here: str) -> None:
    post(cast.lee, f"{here}/propose", **EXCUSE)
    answer = post(cast.lee, f"{here}/approve", proposal=ExcusalProposal.objects.get().pk)
    assert answer.status_code == 422
    assert "You asked for it" in text(answer)
    assert not Excusal.objects.exists()


def test_nobody_approves_for_their_own_ticket(cast: Any, ticket: Ticket, here: str) -> None:
    Person(cast.lee).does("assign", ticket, at("10:40"), to=cast.lee.pk, reason="Mine now")
    post(cast.ana, f"{here}/propose", **EXCUSE)
    answer = post(cast.lee, f"{here}/approve", proposal=ExcusalProposal.objects.get().pk)
    assert answer.status_code == 422
    assert "The ticket is or was yours" in text(answer)


def test_what_was_declined_counts_and_may_be_asked_again(cast: Any, here: str) -> None:
    post(cast.ana, f"{here}/propose", **EXCUSE)
    first = ExcusalProposal.objects.get().pk
    assert post(cast.lee, f"{here}/decline", proposal=first, note="").status_code == 422
    post(cast.lee, f"{here}/decline", proposal=first, note="The logs came in time")
    assert ExcusalDeclined.objects.get().by == cast.lee
    assert "It counts, in gross and net figures" in text(get(cast.ana, here))
    post(cast.ana, f"{here}/propose", **EXCUSE)
    assert ExcusalProposal.objects.count() == 2
    answer = post(cast.ada, f"{here}/approve", proposal=first)
    assert (answer.status_code, Excusal.objects.count()) == (422, 0), "it is not the proposal they read"


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"reason": "aws_event"}, "Name the AWS event by its ARN."),
        ({"reason": "other", "note": ""}, "Write down what the reason is."),
        ({"reason": "weather"}, "Choose one of the reasons."),
    ],
)
def test_a_reason_needs_what_proves_it(cast: Any, here: str, given: dict[str, str], word: str) -> None:
    answer = post(cast.ana, f"{here}/propose", **(EXCUSE | given))
    assert answer.status_code == 422
    assert word in text(answer)
    assert not ExcusalProposal.objects.exists()


# --- Apology ---------------------------------------------------------------------------------------------------------


def test_the_draft_says_what_was_promised_in_the_customers_language(cast: Any, ticket: Ticket, breach: Breach) -> None:
    page = html.unescape(get(cast.ana, f"/tickets/{ticket.ref}/?apology={breach.pk}").content.decode())
    (draft,) = re.findall(r'<textarea id="body"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert ticket.ref in draft
    assert "Cora" in draft
    assert "15 分钟" in draft
    assert "18:15" in draft, "in the customer's zone"
    assert f'name="apologies" value="{breach.pk}" checked' in page


def test_the_reply_sent_from_it_is_marked_and_one_taken_back_is_not(cast: Any, ticket: Ticket, here: str) -> None:
    number = Breach.objects.get().pk
    Person(cast.ana).does("reply", ticket, at("11:00"), body="We are sorry", apologies=[number])
    assert Apology.objects.get().message == Message.objects.latest("id").pk
    assert "Sent 19:00" in text(get(cast.ana, here, "11:10"))
    assert "Read it on the ticket" in text(get(cast.ana, here, "11:10"))
    Person(cast.ana).does("reply", ticket, at("11:20"), body="Sorry again", apologies=[number])
    Person(cast.ana).does("undo", ticket, at("11:20", 0) + timedelta(seconds=5))
    assert "Sent 19:00" in text(get(cast.ana, here, "11:30")), "the first still stands"
    page = get(cast.ana, f"/tickets/{ticket.ref}/").content.decode()
    assert 'name="apologies"' not in page, "who apologised is not asked again"


def test_a_taken_back_apology_was_none(cast: Any, ticket: Ticket, here: str) -> None:
    Person(cast.ana).does("reply", ticket, at("11:00"), body="We are sorry", apologies=[Breach.objects.get().pk])
    Person(cast.ana).does("undo", ticket, at("11:00:05"))
    assert "Not sent yet, promised within one working day: by" in text(get(cast.ana, here, "11:10"))
    assert "Not sent yet, promised by" in text(get(cast.ana, here, "12:00", day=1))


def test_a_breach_of_another_ticket_is_not_apologised_for(cast: Any, ticket: Ticket) -> None:
    other = Person(cast.cora).files(cast, at("12:00"))
    Person(cast.ana).does("reply", other, at("12:01"), body="Sorry", apologies=[Breach.objects.get().pk, "x"])
    assert not Apology.objects.exists()
    Person(cast.cora).does("reply", ticket, at("12:05"), body="Hello", apologies=[Breach.objects.get().pk])
    assert not Apology.objects.exists()


def test_the_story_tells_this_clock_and_not_the_other(cast: Any, here: str) -> None:
    page = text(get(cast.lee, here))
    assert "First response: promise broken" in page
    assert "wrote a public reply" in page
    assert "Resolution:" not in page


# --- Reminders -------------------------------------------------------------------------------------------------------


def told(when: Any) -> list[tuple[str, int]]:
    """Runs the hourly reminder; what history says of them so far."""
    causes.remind(when)
    return [
        (e.data["kind"], e.data["day"]) for e in Entry.objects.filter(action="ticket.cause_reminded").order_by("id")
    ]


def test_the_leads_hear_of_it_on_the_third_day_and_on_the_fifth_once_each(cast: Any, ticket: Ticket) -> None:
    seen = Breach.objects.get().detected_at
    assert told(seen + timedelta(days=3) - timedelta(seconds=1)) == []
    assert told(seen + timedelta(days=3)) == [("response", 3)]
    assert told(seen + timedelta(days=3, hours=1)) == [("response", 3)]
    assert told(seen + timedelta(days=5)) == [("response", 3), ("response", 5)]
    assert told(seen + timedelta(days=6)) == [("response", 3), ("response", 5)]
    assert [x.to_key for x in Letter.objects.filter(kind="ticket.cause_owed")] == [cast.lee.key] * 2


def test_who_was_late_to_look_tells_once(cast: Any, ticket: Ticket) -> None:
    seen = Breach.objects.get().detected_at
    assert told(seen + timedelta(days=6)) == [("response", 5)]
    assert told(seen + timedelta(days=15)) == [("response", 5)]


def test_of_what_is_explained_nobody_hears(cast: Any, ticket: Ticket, here: str) -> None:
    seen = Breach.objects.get().detected_at
    told(seen + timedelta(days=3))
    (letter,) = Letter.objects.filter(kind="ticket.cause_owed")
    assert causes.cause_still_owed(letter)
    post(cast.ana, f"{here}/explain", day=4, **CAUSE)
    assert not causes.cause_still_owed(letter), "a letter that waits is not sent any more"
    assert told(seen + timedelta(days=5)) == [("response", 3)]


def test_the_ticket_leads_to_the_draft_and_to_the_register(cast: Any, ticket: Ticket, breach: Breach) -> None:
    page = html.unescape(get(cast.ana, f"/tickets/{ticket.ref}/").content.decode())
    assert f'href="?apology={breach.pk}#body"' in page
    assert f'href="/sla/breaches/{breach.pk}"' in page


def test_the_console_stands_where_the_sweeps_note_is_another_releases(cast: Any) -> None:
    client = Client()
    client.force_login(cast.ada)
    for note in ("words", '{"due": 1, "unheard_of": 2}', "[]"):
        Heartbeat.beat(sweeping.NAME, datetime.now(UTC), note)
        assert client.get("/console/").status_code == 200, note
