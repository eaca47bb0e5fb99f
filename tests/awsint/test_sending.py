"""From the ticket to AWS: what leaves, in which order, what waits, and what becomes of words that AWS does not take."""

from datetime import datetime, timedelta

import pytest
from django.db import transaction

from awsint import case_actions
from awsint.models import Account, Communication, Outgoing, SupportCase
from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry
from helpdesk.outbox.models import Letter
from tests.awsint.conftest import ACME
from tests.awsint.simulator import Sim
from tests.awsint.test_exactly_once import AT, WANTED, Killer, beat, settled, ticket_of, writing
from tests.cast import Cast
from tickets import actions, attaching
from tickets.models import Attachment, Message, Ticket
from tickets.receiving import Incoming
from tickets.workflow import Conflict, Refused

__all__ = ["writing"]


def kept(by: User, name: str, data: bytes, *, at: datetime) -> Attachment:
    """A file that somebody uploaded."""
    incoming = Incoming(name)
    incoming.write(data)
    return attaching.keep(incoming=incoming, by=by, at=at)


def opened(cast: Cast, account: Account, body: str = "It stops.", **given: object) -> Ticket:
    ticket = ticket_of(cast)
    case_actions.open_case(
        ticket=ticket, account=account, subject="Orders stop", body=body, wanted=WANTED, by=cast.ana, at=AT, **given
    )
    ticket.refresh_from_db()
    return ticket


def test_a_case_is_opened_from_a_ticket_and_its_words_come_back_as_ours(writing: Account, cast: Cast, sim: Sim) -> None:
    ticket = opened(cast, writing)
    assert Letter.objects.get(channel="aws_case").state == "ready"
    beat(AT + timedelta(seconds=1))
    (there,) = sim.world.cases[ACME].values()
    assert there.subject.startswith("Orders stop [ref:HD-")
    assert (there.service, there.severity, there.language) == ("aws-lambda", "normal", "en")
    case = SupportCase.objects.get()
    assert (case.case_id, case.display_id, case.status) == (there.number, there.display, "unassigned")
    # Read back at once, and not said a second time.
    echo = Communication.objects.get()
    assert echo.message == Message.objects.get(ticket=ticket, kind="aws")
    assert Ticket.objects.count() == 1
    ticket.refresh_from_db()
    assert ticket.who_acts == "aws"
    facts = list(
        Entry.objects.filter(subject=ticket.ref, fact__isnull=False).order_by("pk").values_list("fact", flat=True)
    )
    assert ["case_needed"] in facts
    assert ["case_opened"] in facts


def test_a_long_text_goes_in_its_order_and_stops_where_the_first_is_lost(
    writing: Account, cast: Cast, sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "\n\n".join(f"paragraph {n} " + "x" * 900 for n in range(20))
    killer = Killer(monkeypatch)
    killer.point = "before"
    opened(cast, writing, body)
    beat(AT)
    beat(AT + timedelta(seconds=1))
    assert sim.world.cases[ACME] == {}
    settled(AT + timedelta(minutes=6))
    (there,) = sim.world.cases[ACME].values()
    assert [word.body[:5] for word in there.words] == ["(1/3)", "(2/3)", "(3/3)"]
    assert all(len(word.body) <= 8000 for word in there.words)
    said = "".join(word.body for word in there.words)
    assert all(f"paragraph {n} " in said for n in range(20))


def test_files_go_along_small_ones_in_a_set_and_large_ones_by_link(writing: Account, cast: Cast, sim: Sim) -> None:
    small = kept(cast.ana, "日志.txt", b"log " * 1000, at=AT)
    ticket = opened(cast, writing, files=[small.pk])
    beat(AT)
    (there,) = sim.world.cases[ACME].values()
    assert [sim.world.files[n].name for n in there.words[0].files] == ["日志.txt"]
    large = kept(cast.ana, "dump.bin", b"\x00\x01" * 3 * 1024 * 1024, at=AT)
    case = SupportCase.objects.get()
    case_actions.answer(ticket=ticket, case=case, body="A dump.", files=[large.pk], by=cast.ana, at=AT)
    beat(AT + timedelta(seconds=2))
    (file,) = there.words[1].files
    assert len(sim.world.files[file].data) == large.size


def test_the_eleventh_case_of_an_hour_waits_and_says_so(
    writing: Account, cast: Cast, sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("awsint.sim.support.AN_HOUR", 1)
    opened(cast, writing)
    beat(AT)
    opened(cast, writing)
    beat(AT + timedelta(seconds=2))
    waits = Letter.objects.get(channel="aws_case", state="ready")
    assert (waits.reason, waits.attempts) == ("quota", 0)
    assert waits.next_try_at
    assert waits.next_try_at > AT + timedelta(minutes=9)
    monkeypatch.setattr("awsint.sim.support.AN_HOUR", 10)
    beat(AT + timedelta(minutes=11))
    assert len(sim.world.cases[ACME]) == 2


def test_what_aws_refuses_stays_on_the_ticket_and_its_writer_hears_why(writing: Account, cast: Cast, sim: Sim) -> None:
    sim.account(ACME, plan="developer")
    ticket = ticket_of(cast)
    case_actions.open_case(
        ticket=ticket,
        account=writing,
        subject="Down",
        body="All of it.",
        wanted=case_actions.Wanted("aws-lambda", "other", "urgent", "en"),
        by=cast.ana,
        at=AT,
    )
    beat(AT)
    out = Outgoing.objects.get()
    assert (out.letter.state, out.letter.reason, out.code) == ("failed", "refused", "InvalidParameterValueException")
    assert Message.objects.get(ticket=ticket, kind="aws").body == "All of it."
    told = Letter.objects.get(kind="ticket.case_refused")
    assert (told.to_key, told.data["code"]) == (cast.ana.key, "InvalidParameterValueException")
    assert Entry.objects.filter(subject=ticket.ref, action="ticket.case_refused", audience="staff").exists()


def test_a_note_never_leaves_and_a_reply_does_when_somebody_says_so(writing: Account, cast: Cast, sim: Sim) -> None:
    ticket = opened(cast, writing)
    beat(AT)
    case = SupportCase.objects.get()
    actions.note(ticket=ticket, body="CANARY the customer has not paid", by=cast.ana, at=AT)
    words = Message.objects.get(ticket=ticket, kind="note")
    with pytest.raises(Refused), transaction.atomic():
        case_actions.answer(ticket=ticket, case=case, message=words, by=cast.ana, at=AT)
    held = actions.reply(ticket=ticket, body="Taken back soon", by=cast.ana, at=AT, undoable=True)
    with pytest.raises(Refused), transaction.atomic():
        case_actions.answer(ticket=ticket, case=case, message=held, by=cast.ana, at=AT)
    actions.reply(ticket=ticket, body="It began at ten.", by=cast.cora, at=AT)
    theirs = Message.objects.filter(ticket=ticket, kind="reply").latest("pk")
    case_actions.answer(ticket=ticket, case=case, message=theirs, by=cast.ana, at=AT)
    beat(AT + timedelta(seconds=2))
    assert "It began at ten." in sim.world.bodies[-1][2]
    assert not any("CANARY" in body for _account, _operation, body in sim.world.bodies)
    # Whatever came into the outbox some other way does not leave either.
    Message.objects.filter(pk=theirs.pk).update(kind="note", by_desk=True)
    case_actions.answer(ticket=ticket, case=case, body="Thanks", by=cast.ana, at=AT)
    Outgoing.objects.filter(letter__state="ready").update(message=theirs)
    before = len(sim.world.bodies)
    beat(AT + timedelta(seconds=4))
    assert len(sim.world.bodies) == before
    assert Letter.objects.filter(channel="aws_case").latest("pk").state == "failed"


def test_an_answer_on_a_resolved_case_reads_its_new_status(writing: Account, cast: Cast, sim: Sim) -> None:
    ticket = opened(cast, writing)
    beat(AT)
    case = SupportCase.objects.get()
    case_actions.resolve_case(ticket=ticket, case=case, by=cast.ana, at=AT)
    beat(AT + timedelta(seconds=2))
    case.refresh_from_db()
    assert (case.status, case.is_open) == ("resolved", False)
    ticket.refresh_from_db()
    assert ticket.status != "resolved"
    with pytest.raises(Refused), transaction.atomic():
        case_actions.resolve_case(ticket=ticket, case=case, by=cast.ana, at=AT)
    case_actions.answer(ticket=ticket, case=case, body="It happens again.", by=cast.ana, at=AT)
    beat(AT + timedelta(seconds=4))
    case.refresh_from_db()
    assert (case.status, case.is_open) == ("reopened", True)


def test_copies_at_aws_are_adopted_and_flagged(
    writing: Account, cast: Cast, sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    killer = Killer(monkeypatch)
    killer.point = "after"
    ticket = opened(cast, writing)
    beat(AT)
    (there,) = sim.world.cases[ACME].values()
    # Somebody copied it in AWS's own page.
    copy = sim.open(ACME, there.subject, "a copy")
    settled(AT + timedelta(minutes=6))
    out = Outgoing.objects.get()
    assert (out.case and out.case.case_id, out.doubles) == (there.number, [copy.number])
    assert Entry.objects.filter(subject=ticket.ref, action="ticket.case_doubled").exists()


@pytest.mark.parametrize("what", ["reads only", "no plan", "another's", "severity", "empty", "closed"])
def test_what_can_be_known_is_said_before_anything_is_written(
    writing: Account, cast: Cast, sim: Sim, what: str
) -> None:
    ticket, body, wanted = ticket_of(cast), "It stops.", WANTED
    match what:
        case "reads only":
            writing.may_write = False
        case "no plan":
            writing.poll.state = "NO_PLAN"
        case "another's":
            writing.customer = cast.globex
        case "severity":
            writing.severities = ["low"]
        case "empty":
            body = " \n"
        case "closed":
            actions.withdraw(ticket=ticket, version=1, reason="spam", by=cast.ana, at=AT)
    with pytest.raises((Refused, Conflict)), transaction.atomic():
        case_actions.open_case(
            ticket=ticket, account=writing, subject="x", body=body, wanted=wanted, by=cast.ana, at=AT
        )


def test_an_outsider_has_no_way_to_aws(writing: Account, cast: Cast, sim: Sim) -> None:
    ticket = ticket_of(cast)
    for person in (cast.gus, cast.cora, cast.audrey):
        with pytest.raises(Conflict), transaction.atomic():
            case_actions.open_case(
                ticket=ticket, account=writing, subject="x", body="y", wanted=WANTED, by=person, at=AT
            )
    assert not Outgoing.objects.exists()
