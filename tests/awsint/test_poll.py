"""What happens at AWS is on the desk after the next reading, once, whoever reads."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from awsint import case_files, cases, filing, leases, tags
from awsint.models import (
    Account,
    CaseFile,
    CaseLink,
    Change,
    Communication,
    CommunicationVersion,
    Outgoing,
    Poll,
    Setting,
    SupportCase,
)
from awsint.shapes import AwsError
from helpdesk.accounts.models import Membership
from helpdesk.outbox.models import Letter
from tests.awsint.conftest import ACME
from tests.awsint.simulator import Sim
from tests.cast import Cast
from tickets import actions, attaching
from tickets.access import public
from tickets.models import Attachment, Message, Ticket

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 99
CORA = "Ops (Ops) <cora@desk.example>"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the SDK's waiting between attempts nor the poll's own two calls a second are tested here."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_a: 0.0)
    monkeypatch.setattr("awsint.client.buckets.take", lambda *_a: None)


@pytest.fixture
def read(acme: Account, sim: Sim) -> "Reader":
    """Reads Acme's account; the first reading, of an empty account, is over."""
    sim.world.set_clock(NOON)
    reader = Reader(acme)
    reader()
    return reader


class Reader:
    def __init__(self, account: Account) -> None:
        self.account, self.at = account, NOON

    def __call__(self, minutes: int = 10) -> cases.Synced:
        """One reading, so many minutes after the last."""
        self.at += timedelta(minutes=minutes)
        Poll.objects.filter(pk=self.account.pk).update(next_at=self.at)
        (lease,) = leases.claim(1, self.at)
        synced = cases.sync(lease, at=self.at, calls=cases.Calls(), until=1e12)
        assert leases.done(lease, self.at, whole=synced.whole, finished=synced.finished)
        return synced


def said(ticket: Ticket) -> list[str]:
    return list(Message.objects.filter(ticket=ticket).order_by("id").values_list("body", flat=True))


def test_a_case_opened_in_the_console_becomes_a_ticket_of_the_customer(read: Reader, sim: Sim, cast: Cast) -> None:
    case = sim.open(ACME, "ALB 返回 503", "全部目标不健康。", severityCode="urgent", submittedBy=CORA)
    sim.answer(case, "We are looking into it.", at=NOON + timedelta(minutes=1))
    read()
    ticket = Ticket.objects.get()
    assert (ticket.customer, ticket.requester, ticket.title) == (cast.acme, cast.cora, "ALB 返回 503")
    assert (ticket.priority_id, ticket.source, ticket.created_at) == ("critical", "aws_support", read.at)
    assert said(ticket) == ["全部目标不健康。", "We are looking into it."]
    row = SupportCase.objects.get()
    assert (row.created_at, row.detected_at, row.said_at) == (NOON, read.at, NOON + timedelta(minutes=1))
    assert list(Change.objects.values_list("what", "ticket").order_by("id")) == [
        ("case", ticket.ref),
        ("communication", ticket.ref),
        ("communication", ticket.ref),
    ]
    assert all(word.message_id for word in Communication.objects.all())


def test_where_nothing_changed_nothing_is_written_and_no_more_is_asked(read: Reader, sim: Sim) -> None:
    def quiet() -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            assert read().changed == 0
        return [query["sql"] for query in asked.captured_queries]

    sim.answer(sim.open(ACME, "one", "body"), "Hello")
    read()
    few = quiet()
    for n in range(8):
        sim.open(ACME, f"case {n}", "body")
    read()
    many = quiet()
    assert len(many) == len(few)
    # The lease is taken and given back; the first is the test's own.
    assert [sql.split()[1] for sql in many if not sql.startswith("SELECT")] == [
        *['"awsint_poll"', "awsint_poll", '"awsint_poll"']
    ]
    assert sum(sql.startswith("SELECT") for sql in many) <= 4


def test_whatever_aws_says_is_told_the_customer_once(read: Reader, sim: Sim, cast: Cast) -> None:
    case = sim.open(ACME, "lag", "Replica lag.", submittedBy=CORA)
    read()
    ticket = Ticket.objects.get()
    Letter.objects.all().delete()
    for minute in range(9):
        sim.answer(case, f"word {minute}", at=NOON + timedelta(minutes=minute + 1))
    sim.status(case, "pending-customer-action")
    read()
    assert said(ticket)[1:] == [f"word {minute}" for minute in range(9)]
    read()
    assert len(said(ticket)) == 10
    changes = Change.objects.filter(at=NOON + timedelta(minutes=30)).order_by("id")
    assert [(c.what, c.old, c.new) for c in changes][-1] == ("status", "unassigned", "pending-customer-action")
    assert {c.via for c in changes} == {"poll"}
    # One letter with all of it, and one to the engineer.
    letter = Letter.objects.get(to_key=cast.cora.key)
    assert (letter.kind, len(letter.data["words"])) == ("ticket.aws_said", 9)
    assert {c.told for c in changes} == {2}


def test_a_customer_who_wants_a_notice_only_reads_nothing_before_an_engineer_has(
    read: Reader, sim: Sim, cast: Cast
) -> None:
    Setting.objects.create(customer=cast.acme, notice_only=True)
    case = sim.open(ACME, "lag", "Replica lag.", submittedBy=CORA)
    sim.answer(case, "The secret reason.", at=NOON + timedelta(minutes=1))
    by_aws = sim.open(ACME, "Proactive case", "AWS found something.", submittedBy="Amazon Web Services")
    by_aws.words[0].by = "Amazon Web Services"
    read()
    for ticket in Ticket.objects.all():
        shown = public(Message.objects.filter(ticket=ticket), read.at)
        assert not {"The secret reason.", "AWS found something."} & set(shown.values_list("body", flat=True))
    assert Communication.objects.filter(by_aws=True, message__released_at__gt=read.at).count() == 2
    assert not any("secret" in str(letter.data) for letter in Letter.objects.all())


def test_a_case_that_is_opened_again_opens_its_ticket_again_or_one_that_follows(
    read: Reader, sim: Sim, cast: Cast
) -> None:
    case = sim.open(ACME, "lag", "Replica lag.", submittedBy=CORA)
    read()
    ticket = Ticket.objects.get()
    for closed in (False, True):
        ticket = actions.resolve(ticket=ticket, version=ticket.version, body="Done.", by=cast.ana, at=read.at)
        if closed:
            ticket = actions.close(ticket=ticket, version=ticket.version, by=cast.cora, at=read.at)
        sim.status(case, "resolved")
        read()
        sim.answer(case, "Not at all.", by=CORA)
        read()
        ticket = Ticket.objects.get(pk=ticket.pk)
        assert ticket.status == ("closed" if closed else "in_progress")
    follows = Ticket.objects.get(follows=ticket)
    assert "Not at all." in said(follows)
    assert list(CaseLink.objects.order_by("pk").values_list("ticket", flat=True)) == [ticket.pk, follows.pk]
    assert Change.objects.filter(what="status", new="reopened", ticket=follows.ref).count() == 1


def test_what_aws_says_is_text_and_never_markup(read: Reader, sim: Sim) -> None:
    """A-02: whoever can write on a case can write nothing that a browser runs or follows."""
    evil = "<script>alert(1)</script> [here](javascript:alert(1)) <img src=x onerror=alert(1)> **b**"
    sim.answer(sim.open(ACME, f"{evil}\x00\n", evil), evil)
    read()
    for message in Message.objects.all():
        assert "<script" not in message.html
        assert "<img" not in message.html
        assert "<a " not in message.html
        assert "&lt;script&gt;" in message.html
    assert "\n" not in Ticket.objects.get().title


def test_late_words_with_an_older_time_are_found_when_all_is_looked_through(read: Reader, sim: Sim) -> None:
    case = sim.open(ACME, "lag", "Replica lag.")
    for minute in range(7):
        sim.answer(case, f"word {minute}", at=NOON + timedelta(minutes=minute + 10))
    read()
    sim.answer(case, "迟到的回复", at=NOON + timedelta(minutes=11, seconds=1))
    assert read().changed == 0
    assert read(6 * 60).changed == 1
    late = Communication.objects.get(body="迟到的回复")
    assert late.message_id
    assert SupportCase.objects.get().said_at == NOON + timedelta(minutes=16)
    # Among the newest five it is seen at once.
    sim.answer(case, "also late", at=NOON + timedelta(minutes=14, seconds=1))
    assert read().changed == 1


def test_words_that_aws_changes_are_changed_here_and_what_they_were_is_kept(read: Reader, sim: Sim) -> None:
    case = sim.open(ACME, "keys", "Our key is AKIAIOSFODNN7EXAMPLE.")
    read()
    case.words[0].body = "Our key is [REDACTED]."
    assert read().changed == 1
    assert said(Ticket.objects.get()) == ["Our key is [REDACTED]."]
    assert "AKIA" not in Message.objects.get().html
    version = CommunicationVersion.objects.get()
    assert (version.body, version.number) == ("Our key is AKIAIOSFODNN7EXAMPLE.", 1)
    assert Change.objects.filter(what="redaction").count() == 1
    assert read().changed == 0


def test_the_past_of_an_account_comes_along_in_silence(acme: Account, sim: Sim, cast: Cast) -> None:
    sim.world.set_clock(NOON)
    number = sim.file(ACME, "架构图.png", PNG)
    old = sim.open(ACME, "solved long ago", "How do we do it?")
    sim.answer(old, "Like this.", files=[number])
    sim.status(old, "resolved")
    running = sim.open(ACME, "running", "It is slow.")
    sim.answer(running, "We look into it.")
    Reader(acme)()
    (ticket,) = Ticket.objects.all()
    assert said(ticket) == ["It is slow.", "We look into it."]
    assert set(Change.objects.filter(case__subject="running").values_list("told", flat=True)) <= {0, 1}
    row = SupportCase.objects.get(subject="solved long ago")
    assert (row.archived, row.is_open, row.said.count(), row.links.count()) == (True, False, 2, 0)
    assert case_files.fetch_due(lambda: NOON + timedelta(minutes=20)) == 1
    kept = CaseFile.objects.get().attachment
    assert kept
    assert (kept.name, kept.type, kept.size, kept.archived) == ("架构图.png", "png", len(PNG), True)
    assert attaching.forget_unsent(NOON + timedelta(days=400)) == 0
    # It comes to life again: now it has a ticket, with all that was said, and its file.
    sim.answer(old, "It does not work any more.", by=CORA)
    reader = Reader(acme)
    reader(30)
    again = CaseLink.objects.get(case=row).ticket
    assert said(again) == ["How do we do it?", "Like this.", "It does not work any more."]
    kept.refresh_from_db()
    assert kept.message is not None
    assert (kept.message.body, kept.archived) == ("Like this.", False)


def test_cases_that_are_no_longer_listed_are_asked_for_and_one_lost_number_hides_no_other(
    read: Reader, sim: Sim
) -> None:
    three = [sim.open(ACME, f"case {n}", "body") for n in range(3)]
    read()
    sim.answer(three[0], "Solved.")
    sim.status(three[0], "resolved")
    del sim.world.cases[ACME][three[1].number]
    read()
    assert list(SupportCase.objects.order_by("id").values_list("status", "is_open")) == [
        ("resolved", False),
        ("unassigned", False),
        ("unassigned", True),
    ]
    assert Communication.objects.filter(body="Solved.").exists()
    gone = Change.objects.get(what="gone")
    assert gone.case.subject == "case 1"
    assert read().changed == 0


def test_a_page_that_is_lost_loses_nothing(read: Reader, sim: Sim) -> None:
    for n in range(51):
        sim.open(ACME, f"case {n}", "body")
    sim.fault("dropped-page", account=ACME, operation="DescribeCases", times=5)
    with pytest.raises(AwsError):
        read()
    assert 0 < SupportCase.objects.count() <= 51
    read()
    assert Ticket.objects.count() == SupportCase.objects.count() == 51


def test_a_case_that_cannot_be_brought_in_stops_no_other(
    read: Reader, sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    for service in ("general-info", "aws-lambda", "service-eks"):
        sim.open(ACME, f"about {service}", "body", serviceCode=service)
    real = filing.category_of

    def broken(service: str, category: str) -> str:
        if service == "aws-lambda":
            raise ValueError("no such thing")
        return real(service, category)

    monkeypatch.setattr("awsint.filing.category_of", broken)
    with pytest.raises(AwsError, match="no such thing"):
        read()
    assert Ticket.objects.count() == SupportCase.objects.count() == 2
    monkeypatch.setattr("awsint.filing.category_of", real)
    assert read().changed
    assert Ticket.objects.count() == 3


@pytest.mark.parametrize(
    ("address", "leaves", "who"),
    [
        ("CODY@desk.example", "", "cody"),
        # Neither somebody else's person nor a colleague of ours.
        ("gus@desk.example", "", "carla"),
        ("ana@desk.example", "", "carla"),
        ("stranger@acme.example", "contact", "cora"),
        ("", "admins", "cora"),
        ("", "everybody", "Acme"),
    ],
)
def test_the_ticket_is_the_persons_who_wrote_or_the_companys(
    read: Reader, sim: Sim, cast: Cast, address: str, leaves: str, who: str
) -> None:
    if leaves == "contact":
        Account.objects.update(contact=cast.cora)
    if leaves in ("admins", "everybody"):
        Membership.objects.filter(customer=cast.acme, role="admin").update(is_active=False)
    if leaves == "everybody":
        Membership.objects.filter(customer=cast.acme).update(is_active=False)
    sim.open(ACME, "whose?", "body", submittedBy=f"Ops (Ops) <{address}>" if address else "root")
    read()
    assert Ticket.objects.get().requester.name.lower() == who.lower()


def test_what_we_sent_ourselves_comes_back_and_is_not_said_twice(read: Reader, sim: Sim, cast: Cast) -> None:
    case = sim.open(ACME, "lag", "Replica lag.")
    read()
    ticket = Ticket.objects.get()
    reply = actions.reply(ticket=ticket, body="We sent the logs.", by=cast.ana, at=read.at)
    sent = outgoing(ticket, reply, SupportCase.objects.get(), cast)
    body = f"We sent the logs.\n\n{tags.of_answer(ticket.pk, sent.letter_id, 1)}"
    sim.answer(case, body, by="PartnerSupportSync (Role) <ops@desk.example>")
    # The same tag, typed by somebody in the console, and one that was never given.
    sim.answer(case, f"Give us root.\n{tags.of_answer(ticket.pk, sent.letter_id, 1)}", by=CORA)
    sim.answer(case, f"Nor this.\n{tags.of_answer(ticket.pk, 999_999, 1)}", by=CORA)
    sim.answer(case, f"> quoted\n{tags.of_answer(ticket.pk, sent.letter_id, 1)}")
    read()
    ours = Communication.objects.get(ref__gt="")
    assert (ours.body, ours.message) == (body, reply)
    assert [words.split("\n")[0] for words in said(ticket)] == [
        *("Replica lag.", "We sent the logs.", "Give us root.", "Nor this.", "> quoted")
    ]


def test_a_case_that_we_opened_ourselves_stays_with_its_ticket(read: Reader, sim: Sim, cast: Cast) -> None:
    sim.open(ACME, "other", "body")
    read()
    ticket = Ticket.objects.get()
    sent = outgoing(ticket, None, None, cast)
    tag = tags.of_case(ticket.pk, sent.letter_id)
    sim.open(ACME, f"ALB 503 {tag}", f"All targets are unhealthy.\n{tag}")
    read()
    assert Ticket.objects.get() == ticket
    assert CaseLink.objects.filter(ticket=ticket).count() == 2
    assert said(ticket) == ["body"]


def outgoing(ticket: Ticket, message: Message | None, case: SupportCase | None, cast: Cast) -> Outgoing:
    letter = Letter.objects.create(kind="aws.case", to_key="aws", to_address="", created_at=NOON, state="sent")
    sent: Outgoing = Outgoing.objects.create(
        letter=letter, verb="reply" if case else "create", account=Account.objects.get(), case=case, ticket=ticket,
        message=message, by=cast.ana, created_at=NOON,
    )  # fmt: skip
    sent.tag = tags.of_answer(ticket.pk, letter.pk, 1) if case else tags.of_case(ticket.pk, letter.pk)
    sent.save()
    return sent


# --- Files -----------------------------------------------------------------------------------------------------------


def test_files_are_kept_by_content_and_refused_with_a_reason(
    read: Reader, sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = sim.open(ACME, "lag", "Replica lag.")
    read()
    given = {
        "副本延迟.png": PNG,
        "../../etc/日志.txt": "慢查询\n".encode() * 9,
        "tool.png": b"\x7fELF" + b"0" * 99,
        "": b"",
    }
    given["big.bin"] = b"\x00" * 3000
    sim.answer(case, "See these.", files=[sim.file(ACME, name or "empty", data) for name, data in given.items()])
    lost = sim.file(ACME, "lost.txt", b"words")
    sim.answer(case, "And this.", files=[lost])
    read()
    del sim.world.files[lost]
    monkeypatch.setattr(case_files, "BIGGEST", 2000)
    assert case_files.fetch_due(lambda: read.at) == 6
    state = dict(CaseFile.objects.values_list("name", "reason"))
    assert state == {
        "副本延迟.png": "",
        "../../etc/日志.txt": "",
        "tool.png": "program",
        "empty": "empty",
        "big.bin": "too_big",
        "lost.txt": "gone",
    }
    assert {code for code in state.values() if code} <= case_files.REASONS.keys()
    kept = list(Attachment.objects.order_by("name").values_list("name", "type", "message__body"))
    assert kept == [("副本延迟.png", "png", "See these."), ("日志.txt", "text", "See these.")]
    assert Change.objects.filter(what="file").count() == 2


def test_a_file_that_cannot_be_fetched_is_tried_again_ever_later(read: Reader, sim: Sim) -> None:
    case = sim.open(ACME, "lag", "Replica lag.")
    sim.answer(case, "See this.", files=[sim.file(ACME, "日志.txt", b"words")])
    read()
    sim.fault("error", account=ACME, operation="GetAttachmentDownloadLink", times=10)
    assert case_files.fetch_due(lambda: read.at) == 1
    file = CaseFile.objects.get()
    assert (file.state, file.tries, file.next_try_at) == ("wanted", 1, read.at + timedelta(minutes=1))
    assert case_files.fetch_due(lambda: read.at) == 0
    assert case_files.fetch_due(lambda: read.at + timedelta(minutes=1)) == 1
    file.refresh_from_db()
    assert (file.tries, file.next_try_at) == (2, read.at + timedelta(minutes=3))
    assert case_files.fetch_due(lambda: read.at + timedelta(minutes=3)) == 1
    assert CaseFile.objects.get().state == "kept"
