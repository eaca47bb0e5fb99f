"""What AWS says and does about a case, on the ticket it belongs to: who reads it, who hears of it, whose turn it is."""

import html
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpdesk.accounts import house
from helpdesk.accounts.models import HOUSE, Customer, User
from helpdesk.accounts.preferences import prefer
from helpdesk.audit.models import Entry
from helpdesk.audit.record import SYSTEM
from helpdesk.outbox.compose import compose
from helpdesk.outbox.models import Letter
from sla import clocks
from sla.models import Clock
from tickets import actions, aws, drift, following, loads, merging, participants, search, splitting
from tickets.aws import AwsWords, CaseTurn
from tickets.models import Message, Ticket
from tickets.opening import Opening, open_many
from tickets.workflow import Conflict, Refused

pytestmark = pytest.mark.django_db
NIGHT = datetime(2026, 3, 3, 18, 30, tzinfo=UTC)
CASE = "177342918800412"
ARN = "arn:aws:iam::441722908813:user/ops"


def later(minutes: int) -> datetime:
    return NIGHT + timedelta(minutes=minutes)


def file(cast: Any, **more: Any) -> Ticket:
    given = {"title": "Lag", "description": "lag", "category": "technical", "priority": "critical"}
    given |= {"customer": cast.acme, "by": cast.cora, "at": NIGHT - timedelta(hours=1)}
    return actions.open_ticket(**(given | more))


def words(body: str = "Both replicas replay one large transaction.", **more: Any) -> AwsWords:
    given = {"submitted_by": "Amazon Web Services", "at": NIGHT - timedelta(minutes=4), "by_aws": True}
    return AwsWords(body=body, **(given | more))


def turn(ticket: Ticket, new: str, who: str, minute: int = 1, old: str = "opened") -> Ticket:
    return aws.turned(ticket=ticket, display_id=CASE, old=old, new=new, who_acts=who, at=later(minute))


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def facts(ticket: Ticket) -> list[Any]:
    rows = Entry.objects.filter(subject=ticket.ref, fact__isnull=False).order_by("at", "id")
    return list(rows.values_list("fact", flat=True))


def mails(kind: str) -> dict[str, str]:
    """The letters of a kind as they leave: who gets it, copies with them, and what its text says."""
    found = {}
    for letter in Letter.objects.filter(kind=kind).order_by("pk"):
        mail = compose(letter, letter.created_at)
        assert mail is not None
        found[" ".join(sorted(a.partition("@")[0].split("<")[-1] for a in [*mail.to, *mail.cc]))] = str(mail.body)
    return found


def page(person: User, ticket: Ticket) -> str:
    client = Client()
    client.force_login(person)
    answer = client.get(f"/tickets/{ticket.ref}/")
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


# --- Words -----------------------------------------------------------------------------------------------------------


def test_at_night_with_nobody_there_the_customer_reads_what_aws_wrote(cast: Any) -> None:
    ticket = file(cast)
    participants.add(ticket=ticket, person=cast.cody, by=cast.cora, at=NIGHT - timedelta(minutes=50))
    following.follow(ticket=ticket, by=cast.lee, at=NIGHT - timedelta(minutes=50))
    Letter.objects.all().delete()
    (message,) = aws.say(ticket=ticket, words=[words()], at=NIGHT)
    told = mails("ticket.aws_said")
    assert set(told) == {"cody cora", "ana", "lee"}
    assert "Both replicas replay one large transaction." in told["cody cora"]
    assert "AWS 在支持案例中写了新消息" in told["cody cora"]
    assert (message.kind, message.author.name, message.said_by) == ("aws", "AWS", None)
    assert facts(ticket)[-2:] == [["aws_reply"], ["reply", "aws"]]
    response = Clock.objects.get(subject=ticket.ref, kind="response")
    assert response.verdict != "met", "AWS answers for nobody"
    assert response.completed_at is None
    assert Clock.objects.filter(subject=ticket.ref, kind="ola_relay", completed_at=None).count() == 1
    for reader in (cast.cora, cast.ana):
        assert "Both replicas replay" in page(reader, ticket)
        assert [hit for hit, _m in search.find(search.question("replicas"), [], reader, at=later(1)).hits] == [
            ticket.pk
        ]


def test_words_of_aws_are_plain_text_whatever_they_hold(cast: Any) -> None:
    ticket = file(cast)
    body = "\x00Hello <script>alert(1)</script>\r\n\r\n[click](javascript:x) **b** \ud800 https://evil.example"
    (message,) = aws.say(ticket=ticket, words=[words(body)], at=NIGHT)
    assert "&lt;script&gt;" in message.html
    assert "<a" not in message.html
    assert "<strong>" not in message.html
    assert "<script>alert" not in Client().get("/").content.decode()
    letter = Letter.objects.get(kind="ticket.aws_said", to_key=cast.cora.key)
    mail = compose(letter, later(1))
    assert mail is not None
    assert "<script>" not in str(mail.alternatives[0][0])


def test_who_wrote_in_the_console_is_for_the_desk_alone(cast: Any) -> None:
    ticket = file(cast)
    aws.say(ticket=ticket, words=[words("It is back", by_aws=False, submitted_by=ARN)], at=NIGHT)
    assert facts(ticket)[-1] == ["assigned"], "no word of AWS"
    assert ARN in page(cast.ana, ticket)
    assert ARN not in page(cast.cora, ticket)
    told = mails("ticket.aws_said")
    assert ARN in told["ana"]
    assert ARN not in told["cora"]


def test_an_acknowledgement_is_told_and_never_counts(cast: Any) -> None:
    ticket = file(cast)
    aws.say(ticket=ticket, words=[words("We have your case.", automatic=True)], at=NIGHT)
    assert set(mails("ticket.aws_said")) == {"cora", "ana"}
    assert facts(ticket)[-1] == ["assigned"]


def test_several_words_and_a_new_status_are_one_letter(cast: Any) -> None:
    ticket = file(cast)
    moved = CaseTurn(CASE, "work-in-progress", "pending-customer-action", "us")
    aws.say(ticket=ticket, words=[words("First of three"), words("Second"), words("Third")], turn=moved, at=NIGHT)
    told = mails("ticket.aws_said")
    assert set(told) == {"cora", "ana"}
    assert mails("ticket.aws_status") == {}
    assert all(said in told["ana"] for said in ("First of three", "Second", "Third", CASE))
    assert told["ana"].index("First of three") < told["ana"].index("Third")
    assert told["ana"].count("Second") == 1
    assert (fresh(ticket).who_acts, fresh(ticket).case_turn) == ("us", "us")


def test_what_was_said_before_we_came_is_told_to_nobody(cast: Any) -> None:
    ticket = file(cast)
    before = Letter.objects.count()
    aws.say(ticket=ticket, words=[words()], quiet=True, at=NIGHT)
    turn_quiet = CaseTurn(CASE, "", "work-in-progress", "aws")
    aws.say(ticket=ticket, words=[], turn=turn_quiet, quiet=True, at=NIGHT)
    assert Letter.objects.count() == before
    assert facts(ticket)[-1] == ["assigned"]
    assert fresh(ticket).who_acts == "aws"


def test_who_does_without_gets_no_letter(cast: Any) -> None:
    ticket = file(cast)
    prefer(person=cast.cora, no_mail=["aws"])
    aws.say(ticket=ticket, words=[words()], at=NIGHT)
    assert set(mails("ticket.aws_said")) == {"ana"}


# --- Held for a human ------------------------------------------------------------------------------------------------


def test_notice_only_the_customer_reads_it_once_an_engineer_lets_them(cast: Any) -> None:
    ticket = file(cast)
    (message,) = aws.say(ticket=ticket, words=[words("Please send SECRET-CANARY", held=True)], at=NIGHT)
    told = mails("ticket.aws_said")
    assert "SECRET-CANARY" in told["ana"]
    assert "SECRET-CANARY" not in told["cora"]
    assert "SECRET-CANARY" not in page(cast.cora, ticket)
    assert "工程师" in page(cast.cora, ticket)
    assert search.find(search.question("canary"), [], cast.cora, at=later(1)).hits == []
    assert "Let the customer read it" in page(cast.ana, ticket)
    assert facts(ticket)[-1] == ["aws_reply"], "the customer was shown nothing"
    Letter.objects.all().delete()
    for stranger, status in ((cast.gus, 404), (cast.cora, 404), (cast.audrey, 404), (cast.ana, 303)):
        client = Client()
        client.force_login(stranger)
        answer = client.post(f"/tickets/{ticket.ref}/release", {"message": message.pk, "once": "o"})
        assert answer.status_code == status, stranger
    assert set(mails("ticket.aws_said")) == {"cora"}
    assert "SECRET-CANARY" in mails("ticket.aws_said")["cora"]
    assert "SECRET-CANARY" in page(cast.cora, ticket)
    assert facts(ticket)[-2:] == [["relay"], ["reply", "aws"]]
    assert Clock.objects.get(subject=ticket.ref, kind="ola_relay").completed_at is not None
    with pytest.raises(Conflict):
        aws.reviewed(message=message, by=cast.ana, at=timezone.now())


def test_only_held_words_of_this_ticket_can_be_let_go(cast: Any) -> None:
    one, other = file(cast), file(cast)
    (held,) = aws.say(ticket=other, words=[words(held=True)], at=NIGHT)
    client = Client()
    client.force_login(cast.ana)
    assert client.post(f"/tickets/{one.ref}/release", {"message": held.pk, "once": "o"}).status_code == 404
    opening = one.messages.get()
    assert client.post(f"/tickets/{one.ref}/release", {"message": opening.pk, "once": "p"}).status_code == 409
    given = {"title": "x", "category": "technical", "impact": "production_down", "urgency": "urgent"}
    with pytest.raises(Refused):
        splitting.split(ticket=other, message=held, version=other.version, **given, by=cast.ana, at=later(3))


# --- Status ----------------------------------------------------------------------------------------------------------


def test_whose_turn_it_is_shows_on_queue_and_ticket_and_to_the_customer(cast: Any) -> None:
    ticket = file(cast)
    file(cast, title="Another")
    client = Client()
    client.force_login(cast.ana)
    assert fresh(ticket).who_acts == "us"
    turn(ticket, "work-in-progress", "aws")
    assert fresh(ticket).who_acts == fresh(ticket).turn == "aws"
    view = html.unescape(client.get("/tickets/?view=aws").content.decode())
    assert f'id="t{ticket.pk}"' in view
    assert "Another" not in view
    assert 'data-turn="aws"' in view
    assert 'data-turn="aws"' in page(cast.ana, ticket)
    assert "AWS 正在处理" in page(cast.cora, ticket)
    assert "AWS is working on it" in page(cast.carla, ticket)
    turn(ticket, "pending-customer-action", "us", 2, "work-in-progress")
    assert fresh(ticket).who_acts == "us"
    assert f'id="t{ticket.pk}"' not in client.get("/tickets/?view=aws").content.decode()
    # A ticket that waits for its customer waits for nobody else.
    turn(ticket, "work-in-progress", "aws", 3, "pending-customer-action")
    actions.reply(ticket=ticket, body="Which one?", then="ask", by=cast.ana, at=later(4))
    assert fresh(ticket).who_acts == fresh(ticket).turn == "customer"
    actions.reply(ticket=ticket, body="That one", by=cast.cora, at=later(5))
    assert fresh(ticket).who_acts == fresh(ticket).turn == "aws"


def test_the_status_moves_no_ticket_and_is_told_in_the_customers_language(cast: Any) -> None:
    ticket = file(cast)
    turn(ticket, "resolved", "us")
    assert (fresh(ticket).status, fresh(ticket).version) == (ticket.status, ticket.version)
    told = mails("ticket.aws_status")
    assert set(told) == {"cora", "ana"}
    assert "AWS 认为" in told["cora"]
    assert "Confirm with the customer" in told["ana"]
    assert f"AWS resolved case {CASE}" in page(cast.ana, ticket)
    actions.reply(ticket=ticket, body="Is it solved?", by=cast.ana, at=later(3))
    assert f"AWS resolved case {CASE}" not in page(cast.ana, ticket)


def test_aws_reopens_what_we_hold_for_resolved(cast: Any) -> None:
    ticket = file(cast)
    actions.resolve(ticket=ticket, version=ticket.version, body="Solved", by=cast.ana, at=NIGHT)
    same = turn(ticket, "reopened", "aws", 2, "resolved")
    assert (same.pk, fresh(ticket).status, fresh(ticket).who_acts) == (ticket.pk, "in_progress", "aws")
    assert set(mails("ticket.aws_status")) == {"cora", "ana"}
    assert not Letter.objects.filter(kind="ticket.reopened").exists()
    assert drift.compare(later(9)).drifts == []


def test_what_aws_reopens_after_the_ticket_was_closed_is_a_ticket_of_its_own(cast: Any) -> None:
    ticket = file(cast)
    actions.resolve(ticket=ticket, version=ticket.version, body="Solved", by=cast.ana, at=NIGHT)
    actions.close(ticket=ticket, version=fresh(ticket).version, by=cast.cora, at=later(1))
    new = turn(ticket, "reopened", "aws", 2, "resolved")
    assert new.pk != ticket.pk
    assert fresh(ticket).status == "closed"
    assert (new.follows_id, new.requester, new.source, fresh(new).who_acts) == (
        ticket.pk,
        cast.cora,
        "aws_support",
        "aws",
    )
    assert Letter.objects.filter(kind="ticket.received", subject=new.ref).exists()
    # Words go on being written down where they were said.
    aws.say(ticket=ticket, words=[words("Thank you for your time")], at=later(3))
    assert facts(ticket)[-1] == ["status", "closed"]


def test_what_aws_says_of_a_merged_ticket_stands_where_it_went(cast: Any) -> None:
    one, other = file(cast), file(cast)
    merging.merge(ticket=one, version=one.version, other=other, by=cast.ana, at=NIGHT)
    (message,) = aws.say(ticket=one, words=[words()], at=later(1))
    assert message.ticket_id == other.pk


def test_a_word_of_aws_is_no_answer_and_no_question(cast: Any) -> None:
    ticket = file(cast)
    actions.reply(ticket=ticket, body="Which one?", by=cast.ana, at=NIGHT)
    aws.say(ticket=ticket, words=[words()], at=later(1))
    asked = actions.ask(ticket=ticket, version=fresh(ticket).version, by=cast.ana, at=later(2))
    assert asked.status == "waiting_customer"
    aws.say(ticket=ticket, words=[words("More")], at=later(3))
    assert fresh(ticket).status == "waiting_customer"


def test_a_fact_for_the_promises_among_ourselves_has_a_door(cast: Any) -> None:
    ticket = file(cast)
    aws.heard(ticket=ticket, action="ticket.case_needed", fact="case_needed", by=cast.ana, at=NIGHT)
    assert Clock.objects.get(subject=ticket.ref, kind="ola_case").completed_at is None
    aws.heard(ticket=ticket, action="ticket.case_opened", fact="case_opened", data={"case": CASE}, at=later(1))
    assert Clock.objects.get(subject=ticket.ref, kind="ola_case").completed_at == later(1)
    with pytest.raises(ValueError, match="status"):
        aws.heard(ticket=ticket, action="ticket.x", fact="status", at=later(2))


# --- Many at once ----------------------------------------------------------------------------------------------------


def opening(cast: Any, **more: Any) -> Opening:
    given = {"customer": cast.acme, "requester": cast.cora, "title": "RDS event", "description": "In cn-north-1"}
    given |= {"priority": "high", "source": "aws_health", "author": house.aws(NIGHT), "said_at": NIGHT}
    return Opening(**(given | more))


def of_the_house(cast: Any) -> Ticket:
    ours = opening(cast, customer=house.house(NIGHT), requester=house.aws(NIGHT), receipt="")
    return open_many([ours], by=SYSTEM, at=NIGHT)[0]


def test_an_event_is_one_ticket_of_the_house_and_one_a_customer(cast: Any) -> None:
    parent = of_the_house(cast)
    before = loads.Load.objects.get(user=cast.ana).points
    assert parent.assigned_to_id == cast.ana.pk
    Letter.objects.all().delete()
    specs = [opening(cast, parent=parent), opening(cast, customer=cast.globex, requester=cast.gus, parent=parent)]
    one, two = open_many(specs, by=SYSTEM, at=NIGHT)
    assert [t.assigned_to_id for t in (one, two)] == [cast.ana.pk] * 2
    kinds = {t.ref: set(Clock.objects.filter(subject=t.ref).values_list("kind", flat=True)) for t in (parent, one, two)}
    assert kinds == {
        parent.ref: {"ola_assign"},
        one.ref: {"response", "resolution"},
        two.ref: {"response", "resolution"},
    }
    assert {(letter.kind, letter.to_key) for letter in Letter.objects.all()} == {
        ("ticket.received", cast.cora.key),
        ("ticket.received", cast.gus.key),
    }
    assert loads.Load.objects.get(user=cast.ana).points == before, "the work is the parent's"
    assert loads.reconcile() == "no drift"
    actions.reply(ticket=parent, body="We look into it", by=cast.ana, at=later(1))
    assert set(Clock.objects.filter(subject=parent.ref).values_list("kind", flat=True)) == {"ola_assign"}
    assert drift.compare(later(5)).drifts == []
    assert fresh(parent).sla_due_at is None


def test_the_house_is_hidden_from_everybody_outside_and_from_every_list(cast: Any) -> None:
    parent = of_the_house(cast)
    assert not Customer.objects.filter(pk=HOUSE).exists()
    assert house.house(later(1)).pk == parent.customer_id == HOUSE
    for person in (cast.cora, cast.carla, cast.gus, cast.dora, cast.audrey):
        assert not Ticket.objects.visible_to(person).filter(pk=parent.pk).exists()
        client = Client()
        client.force_login(person)
        assert client.get(f"/tickets/{parent.ref}/").status_code == 404
    assert "RDS event" in page(cast.ana, parent)
    child = open_many([opening(cast, parent=parent)], by=SYSTEM, at=NIGHT)[0]
    assert parent.ref not in page(cast.cora, child)
    client = Client()
    client.force_login(cast.ada)
    for address in ("/tickets/?filter", "/admin/accounts/customer/", "/tickets/create", "/sla/months"):
        assert "(house)" not in client.get(address).content.decode()


def test_a_title_of_aws_is_one_line(cast: Any) -> None:
    (ticket,) = open_many([opening(cast, title="  Two\nlines\x00 ", source="aws_support")], by=SYSTEM, at=NIGHT)
    assert ticket.title == "Two lines�"
    assert ticket.messages.get().html == "<p>In cn-north-1</p>"


def test_a_hundred_take_the_statements_of_a_few(cast: Any) -> None:
    parent = of_the_house(cast)

    def statements(count: int) -> int:
        specs = [opening(cast, parent=parent)] * count
        with CaptureQueriesContext(connection) as asked:
            open_many(specs, by=SYSTEM, at=NIGHT)
        return len(asked)

    statements(1)
    assert statements(100) <= 9
    assert statements(100) == statements(3)
    assert Message.objects.filter(ticket__parent=parent).count() == 204
    assert clocks.of_subjects([Ticket.objects.latest("pk").ref])


def test_nothing_of_many_stands_where_one_is_refused(cast: Any) -> None:
    before = Ticket.objects.count()
    with pytest.raises(Refused), transaction.atomic():
        open_many([opening(cast), opening(cast, priority="nonsense")], by=SYSTEM, at=NIGHT)
    assert Ticket.objects.count() == before
