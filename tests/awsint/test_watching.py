"""Nothing is missed: what nobody has seen, what was not read, what came and how late, and who is told of it."""

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from awsint import calls, seen, watching
from awsint.models import (
    Account,
    Alarm,
    CallLog,
    CaseLink,
    Change,
    Communication,
    Hub,
    InboxMessage,
    Poll,
    QueueState,
    Round,
    SupportCase,
)
from helpdesk.accounts.models import CustomerTeam
from helpdesk.audit.models import Entry
from helpdesk.outbox.compose import write
from helpdesk.outbox.content import content_of
from helpdesk.outbox.models import Letter
from tests.cast import Cast
from tests.entering import enter
from tickets import actions
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def at_noon() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def said(answer: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def connected(customer: Any, number: int = 1, **more: Any) -> Account:
    digits = f"{number:012}"
    account = Account.objects.create(
        customer=customer, number=digits, name=f"account {number}", external_id=f"x{number}", created_at=NOON,
        role_arn=f"arn:aws:iam::{digits}:role/PartnerSupportSync", proved_at=NOON - timedelta(days=1),
    )  # fmt: skip
    told = {"next_at": NOON + 9 * MINUTE, "read_at": NOON - MINUTE, "state": "OK"} | more
    Poll.objects.create(account=account, **told)
    return account


def case_of(account: Account, ticket: Ticket | None = None, number: int = 1) -> SupportCase:
    case = SupportCase.objects.create(
        account=account, case_id=f"case-{number}", display_id=f"17000{number:04}", subject="ALB answers 503",
        status="work-in-progress", created_at=NOON, detected_at=NOON, status_at=NOON,
    )  # fmt: skip
    if ticket:
        CaseLink.objects.create(case=case, ticket=ticket, linked_at=NOON)
    return case


def words(case: SupportCase, at: datetime = NOON, **more: Any) -> Communication:
    told = {"via": "poll", "by_aws": True, "body": "<b>Please</b> look at subnet-1.", "created_at": at} | more
    return Communication.objects.create(
        case=case, created_text=f"{at.isoformat()}{Communication.objects.count()}", submitted_by="Amazon Web Services",
        detected_at=at, **told,
    )  # fmt: skip


def filed(cast: Cast, priority: str = "medium") -> Ticket:
    return actions.open_ticket(
        customer=cast.acme, requester=cast.cora, title="ALB", description="503", category="technical",
        priority=priority, by=cast.cora, at=NOON,
    )  # fmt: skip


# --- Unseen ----------------------------------------------------------------------------------------------------------


def test_what_aws_said_stands_there_until_somebody_says_they_saw_it(cast: Cast) -> None:
    ticket = filed(cast)
    case = case_of(connected(cast.acme), ticket)
    word = words(case)
    words(case, automatic=True)
    words(case, by_aws=False)
    ana = enter(cast.ana)
    page = ana.get("/aws/unseen")
    assert "1 message unseen" in said(page)
    assert "<b>Please</b> look at subnet-1." in said(page), "as AWS wrote it, and no markup"
    assert ticket.ref in said(page)
    assert "1 message unseen" in said(ana.get("/aws/unseen")), "a look is no note"
    ana.post(f"/aws/unseen/{word.pk}/seen")
    word.refresh_from_db()
    assert (word.seen_at, word.seen_by, word.seen_how) == (NOON, cast.ana, "button")
    assert Entry.objects.get(action="aws.seen").actor == cast.ana.key
    assert "Everything AWS said was seen" in said(ana.get("/aws/unseen"))


def test_a_public_answer_on_the_ticket_counts_as_seen_unless_it_is_taken_back(cast: Cast) -> None:
    ticket = filed(cast)
    case = case_of(connected(cast.acme), ticket)
    word = words(case)
    actions.reply(ticket=ticket, body="And?", by=cast.cora, at=NOON + MINUTE)
    actions.note(ticket=ticket, body="Hm", by=cast.ana, at=NOON + MINUTE)
    actions.reply(ticket=ticket, body="AWS says: the subnet.", by=cast.ana, at=NOON + 2 * MINUTE, undoable=True)
    assert not seen.settle(NOON + 2 * MINUTE + timedelta(seconds=5)), "it can still be taken back"
    assert seen.settle(NOON + 3 * MINUTE) == 1
    word.refresh_from_db()
    assert (word.seen_at, word.seen_by, word.seen_how) == (NOON + 2 * MINUTE, cast.ana, "reply")
    later = words(case, NOON + 4 * MINUTE)
    assert not seen.settle(NOON + 5 * MINUTE), "an answer before it is none to it"
    seen.mark([later.pk], how=seen.How.RELAY, by=cast.lee, at=NOON + 6 * MINUTE)
    later.refresh_from_db()
    assert (later.seen_by, later.seen_how) == (cast.lee, "relay")


def test_the_unseen_are_told_to_leads_after_an_hour_or_four_and_once(cast: Cast) -> None:
    critical, medium = filed(cast, "critical"), filed(cast)
    account = connected(cast.acme)
    words(case_of(account, critical, 1))
    words(case_of(account, medium, 2))
    words(case_of(account, None, 3), via="first")
    Letter.objects.all().delete()
    Poll.objects.update(read_at=NOON + timedelta(days=1), next_at=NOON + timedelta(days=1))
    assert watching.watch(NOON + 60 * MINUTE) == 0
    assert watching.watch(NOON + 61 * MINUTE) == 1
    assert watching.watch(NOON + 62 * MINUTE) == 0, "once"
    letter = Letter.objects.get()
    assert (letter.kind, letter.to_address) == ("aws.unseen", cast.lee.email)
    content = content_of(letter, NOON + 61 * MINUTE)
    assert content
    mail = write(letter, content, NOON)
    assert "1 message of AWS was seen by nobody" in mail.subject
    assert critical.ref in mail.body
    assert medium.ref not in mail.body
    assert watching.watch(NOON + 241 * MINUTE) == 1
    Communication.objects.update(seen_at=NOON, seen_by=cast.ana, seen_how="button")
    assert content_of(letter, NOON) is None, "seen meanwhile: nothing leaves"
    watching.watch(NOON + 242 * MINUTE)
    assert not Alarm.objects.filter(over_at=None).exists()


# --- Unread, silent, stuck -------------------------------------------------------------------------------------------


def test_an_account_unread_for_twenty_minutes_is_red_and_told_once_an_episode(cast: Cast) -> None:
    account = connected(cast.acme)
    connected(cast.globex, 2, read_at=NOON + timedelta(days=1))
    Round.objects.create(kind="support", started_at=NOON + 18 * MINUTE, ended_at=NOON + 18 * MINUTE, due=2, read=1)
    lee = enter(cast.lee)
    assert watching.watch(NOON + 19 * MINUTE) == 0
    for minute in (20, 21, 22):
        watching.watch(NOON + minute * MINUTE)
    letter = Letter.objects.get(kind="aws.accounts_late")
    content = content_of(letter, NOON + 21 * MINUTE)
    assert content
    assert content.context["count"] == 1
    with time_machine.travel(NOON + 22 * MINUTE, tick=False):
        page = said(lee.get("/aws/jobs"))
    assert "1 account was not read for 20 minutes" in page
    assert "account 1" in page
    Poll.objects.filter(pk=account.pk).update(read_at=NOON + 23 * MINUTE)
    Round.objects.update(started_at=NOON + 50 * MINUTE)
    watching.watch(NOON + 24 * MINUTE)
    watching.watch(NOON + 50 * MINUTE)
    assert Letter.objects.filter(kind="aws.accounts_late").count() == 2, "another episode"


def test_a_silent_poll_is_told_by_another_process_and_not_account_by_account(cast: Cast) -> None:
    for number in range(1, 6):
        connected(cast.acme, number, next_at=NOON - MINUTE)
    Round.objects.create(kind="support", started_at=NOON - 2 * MINUTE, ended_at=NOON - 2 * MINUTE)
    assert watching.watch(NOON) == 0
    for minute in range(9, 40, 5):
        watching.watch(NOON + minute * MINUTE)
    assert list(Letter.objects.values_list("kind", "data")) == [("aws.job_silent", {"keys": ["support"]})]
    with time_machine.travel(NOON + 40 * MINUTE, tick=False):
        assert "still silent" in said(enter(cast.lee).get("/aws/jobs"))


def hub(**more: Any) -> Hub:
    told = {"queue_url": "https://sqs.example/q", "dead_queue_url": "https://sqs.example/dead"} | more
    return Hub.objects.create(
        partition="aws", account_number="123456789012", region="us-east-1", principal_arn="arn:aws:iam::1:role/hub",
        created_at=NOON, **told,
    )  # fmt: skip


def pushed(found: Hub, number: int = 1, **more: Any) -> InboxMessage:
    told = {"state": "parked", "reason": "not_json", "body": "<i>{</i>", "received_at": NOON} | more
    return InboxMessage.objects.create(hub=found, queue="support", key=f"k{number}", **told)


def test_what_is_parked_or_dead_is_told_and_a_silent_queue_too(cast: Cast) -> None:
    found = hub()
    pushed(found)
    QueueState.objects.create(hub=found, queue="support", heard_at=NOON, dead=3, depth=0)
    assert watching.watch(NOON) == 1
    letter = Letter.objects.get()
    content = content_of(letter, NOON)
    assert content
    told = write(letter, content, NOON).body
    assert "AWS: 3 in the dead queue" in told
    assert "It is no event" in told
    watching.watch(NOON + 11 * MINUTE)
    assert Letter.objects.filter(kind="aws.job_silent", data={"keys": ["push"]}).count() == 1


# --- Inbox -----------------------------------------------------------------------------------------------------------


def test_a_parked_message_is_shown_as_it_came_and_done_again_by_a_lead(cast: Cast) -> None:
    found = hub()
    message = pushed(found, tries=5)
    QueueState.objects.create(hub=found, queue="support", heard_at=NOON, dead=3, depth=0)
    ana, lee = enter(cast.ana), enter(cast.lee)
    assert "<i>{</i>" in said(lee.get("/aws/inbox?state=parked"))
    assert "k1" not in said(ana.get("/aws/inbox"))
    assert "Nothing was pushed yet" in said(ana.get("/aws/inbox")), "it names no account of theirs"
    assert ana.post(f"/aws/inbox/{message.pk}/replay").status_code == 404
    lee.post(f"/aws/inbox/{message.pk}/replay")
    message.refresh_from_db()
    assert (message.state, message.tries, message.next_try_at) == ("new", 0, NOON)
    lee.post(f"/aws/inbox/{message.pk}/replay")
    assert Entry.objects.filter(action="aws.message_replayed").count() == 1
    assert "Fetch back from the dead queue" in said(lee.get("/aws/inbox"))
    lee.post(f"/aws/inbox/{found.pk}/support/fetch")
    assert QueueState.objects.get().wanted_back_at == NOON
    assert "being fetched back" in said(lee.get("/aws/inbox"))


# --- Sync and calls --------------------------------------------------------------------------------------------------


def test_sync_says_what_came_how_and_how_late_as_page_and_file(cast: Cast) -> None:
    account = connected(cast.acme)
    case = case_of(account)
    told = {"account": account, "case": case, "what": "communication"}
    Change.objects.create(at=NOON, aws_at=NOON - 3 * MINUTE, via="poll", told=2, ticket="HD-7", **told)
    Change.objects.create(at=NOON, aws_at=NOON - timedelta(seconds=2), via="push", told=1, **told)
    Change.objects.create(at=NOON, account=account, case=case, what="status", old="opened", new="resolved", via="poll")
    ana = enter(cast.ana)
    page = said(ana.get("/aws/sync"))
    assert "3 min" in page
    assert "opened → resolved" in page
    assert "resolved" not in said(ana.get("/aws/sync?via=push"))
    assert "HD-7" in said(ana.get("/aws/sync?q=hd-7"))
    lines = b"".join(ana.get("/aws/sync.csv?via=poll")).decode().splitlines()
    assert len(lines) == 3
    assert ",180," in lines[2]


def call(at: datetime, account: str = "000000000001", **more: Any) -> CallLog:
    told = {"service": "support", "operation": "DescribeCases", "result": "ok", "ms": 120} | more
    return CallLog(at=at, account_number=account, partition="aws", **told)


def test_calls_are_listed_by_day_and_counted_by_hour(cast: Cast) -> None:
    connected(cast.acme)
    CallLog.objects.bulk_create(
        [
            call(NOON - 5 * MINUTE),
            call(NOON - 4 * MINUTE, result="ThrottlingException"),
            call(NOON - timedelta(days=3), operation="DescribeCommunications"),
        ]
    )
    calls.count_lately(NOON)
    ana = enter(cast.ana)
    page = said(ana.get("/aws/calls"))
    assert "2 calls" in page
    assert "1 failed" in page
    assert "DescribeCommunications" not in page
    assert "DescribeCommunications" in said(ana.get("/aws/calls?day=2026-03-01"))
    failed = said(ana.get("/aws/calls?result=failed"))
    assert failed.count("DescribeCases") == 1


# --- Who sees what, and what it costs --------------------------------------------------------------------------------

PAGES = ("/aws/unseen", "/aws/sync", "/aws/jobs", "/aws/calls", "/aws/inbox")


def filled(customer: Any, number: int, ticket: Ticket | None) -> Account:
    """An account with a line on every page."""
    account = connected(customer, number, read_at=NOON - 30 * MINUTE)
    case = case_of(account, ticket, number)
    word = words(case, body="canary-text")
    Change.objects.create(
        at=NOON, aws_at=NOON, account=account, case=case, communication=word, what="communication", via="push"
    )
    CallLog.objects.bulk_create([call(NOON - MINUTE, account.number)])
    pushed(Hub.objects.get(), number, account_number=account.number, body="canary-body")
    Round.objects.create(kind="support", started_at=NOON - number * MINUTE, ended_at=NOON, due=1, read=1)
    return account


def test_an_engineer_meets_no_account_they_may_not_see_and_an_auditor_no_name(cast: Cast) -> None:
    hub()
    filled(cast.acme, 1, filed(cast))
    filled(cast.globex, 2, None)
    cast.globex.restricted = True
    cast.globex.save()
    ana, audrey = enter(cast.ana), enter(cast.audrey)
    for page in PAGES:
        told = said(ana.get(page))
        assert "0000 0000 0001" in told, page
        assert "0000 0000 0002" not in told, page
        told = said(audrey.get(page))
        assert "···· ···· 0002" in told, page
        for word in ("Acme", "Globex", "account 1", "canary", "0000 0000"):
            assert word not in told, (page, word)
    other = Communication.objects.get(case__account__number__endswith="2")
    assert ana.post(f"/aws/unseen/{other.pk}/seen").status_code == 404
    lines = b"".join(audrey.get("/aws/sync.csv")).decode()
    assert "Acme" not in lines
    assert "CUST-0001" in lines
    CustomerTeam.objects.create(customer=cast.globex, user=cast.ana)
    assert "0000 0000 0002" in said(ana.get("/aws/calls"))


def test_the_pages_cost_the_same_whatever_they_show(cast: Cast) -> None:
    hub()
    ticket = filed(cast)
    filled(cast.acme, 1, ticket)
    lee = enter(cast.lee)
    few = [counted(lee, page) for page in PAGES]
    for number in range(2, 61):
        filled(cast.acme if number % 2 else cast.globex, number, ticket)
    many = [counted(lee, page) for page in PAGES]
    # One more counts the accounts that are red, where they are more than a page.
    assert (few, many) == ([6, 5, 7, 5, 6], [6, 5, 8, 5, 6])
    first = lee.get("/aws/sync")
    second = lee.get("/aws/sync" + html.unescape(re.search(r'rel="next" href="([^"]+)"', first.content.decode())[1]))  # type: ignore[index]
    numbers = [set(re.findall(r"170\d{6}", said(answer))) for answer in (first, second)]
    assert [len(found) for found in numbers] == [50, 10]
    for page in ("/aws/unseen", "/aws/calls", "/aws/inbox"):
        first = lee.get(page)
        link = html.unescape(re.search(r'rel="next" href="([^"]+)"', first.content.decode())[1])  # type: ignore[index]
        assert lee.get(page + link).status_code == 200
        assert 'rel="next"' not in lee.get(page + link).content.decode(), page


def counted(client: Client, page: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert client.get(page).status_code == 200
    return len(caught)
