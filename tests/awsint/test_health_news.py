"""What AWS says later reaches thousands of customers in a few statements, each of them as if it were the only one."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from awsint import health, health_telling
from awsint.models import AffectedCustomer, HealthEvent, Hub
from helpdesk.accounts.models import Customer, Membership, User
from helpdesk.outbox.models import Letter
from tests.awsint.test_health import ACME, GLOBEX, NOW, account, children, letters, said, take
from tests.cast import BORN, Cast
from tests.entering import enter, words
from tickets import actions, merging
from tickets.models import Message, Ticket

HOUR = timedelta(hours=1)
OTHERS = [f"33333333333{n}" for n in range(3)]


@pytest.fixture
def world(cast: Cast, hub: Hub) -> Cast:
    """Acme and Globex, and three customers of one person each, who read Chinese."""
    account(cast.acme, ACME, workload=["production"])
    account(cast.globex, GLOBEX)
    for number in OTHERS:
        customer = Customer.objects.create(name=number, code=f"C{number}", language="zh-hans", created_at=BORN)
        person = User.objects.create(
            name=number, email=f"{number}@c.example", language="zh-hans", created_at=BORN, password="!"
        )
        Membership.objects.create(user=person, customer=customer, role="admin")
        account(customer, number)
    return cast


def news(*numbers: str, at: Any = NOW + HOUR, **given: Any) -> int:
    text = given.pop("text", "We found the cause.")
    return take(*(said(number, f"i-{number}", at=at, text=text, **given) for number in numbers), at=at).told


ROWS = """
SELECT concat_ws(',', 'entry', subject, at, actor, action, audience, data - 'message', fact) FROM audit_entry
UNION ALL SELECT concat_ws(',', 'clock', subject, kind, cycle, due_at, completed_at, verdict, priority, next_event_at)
    FROM sla_clock
UNION ALL SELECT concat_ws(',', 'letter', subject, kind, to_address, cc, language, zone, customer, state, guard,
    created_at, data - 'message') FROM outbox_letter
UNION ALL SELECT concat_ws(',', 'ticket', id, status, priority, sla_due_at, due_kind, queue_at, wake_at, version,
    last_event_at) FROM tickets_ticket
UNION ALL SELECT concat_ws(',', 'message', ticket_id, kind, author_id, at, said_at, released_at, body, html)
    FROM tickets_message
UNION ALL SELECT concat_ws(',', 'found', ticket_id, words) FROM tickets_searchrow
UNION ALL SELECT concat_ws(',', 'part', id, told, applied, due) FROM awsint_affectedcustomer
ORDER BY 1
"""


def rows() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(ROWS)
        return [row for (row,) in cursor.fetchall()]


@pytest.fixture
def both(world: Cast, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Does something twice, told together and told one by one, and gives the rows of either."""

    def twice(step: Any) -> list[list[str]]:
        found = []
        for most in (1, 10**6):
            with transaction.atomic(), monkeypatch.context() as patch:
                if most == 1:
                    patch.setattr(health_telling, "_tell_together", lambda *_given: (0, set()))
                step()
                found.append(rows())
                transaction.set_rollback(True)
        return found

    return twice


def test_told_together_and_told_one_by_one_are_the_same_rows(world: Cast, both: Any) -> None:
    """One is closed, one resolved, one answered, one reads that its priority went up, one was merged into another."""
    take(*(said(number, state="UNKNOWN") for number in (ACME, GLOBEX, *OTHERS)))
    own = {ticket.customer.code: ticket for ticket in children().values()}
    actions.reply(ticket=own["GLOBEX"], body="We look into it.", by=world.ana, at=NOW + HOUR / 4)
    for code, verb in ((f"C{OTHERS[0]}", "resolve"), (f"C{OTHERS[1]}", "resolve")):
        ticket = Ticket.objects.get(pk=own[code].pk)
        actions.resolve(ticket=ticket, version=ticket.version, body=verb, by=world.ana, at=NOW + HOUR / 4)
    closed = Ticket.objects.get(pk=own[f"C{OTHERS[1]}"].pk)
    actions.close(ticket=closed, version=closed.version, by=closed.requester, at=NOW + HOUR / 3)
    take(said(OTHERS[2], code="AWS_RDS_OPERATIONAL_ISSUE"))
    into = Ticket.objects.filter(customer=own[f"C{OTHERS[2]}"].customer).latest("pk")
    gone = own[f"C{OTHERS[2]}"]
    merging.merge(ticket=gone, version=gone.version, other=into, by=world.ana, at=NOW + HOUR / 2)

    def step() -> None:
        assert news(ACME, GLOBEX, *OTHERS) == 5
        news(ACME, GLOBEX, at=NOW + 2 * HOUR, status="closed", text="It is over.")

    single, together = both(step)
    assert together == single
    assert sum("We found the cause." in row for row in single if row.startswith("message")) == 6
    assert any("ticket.health_raised" in row for row in single)


def test_news_to_more_customers_take_no_more_statements(world: Cast) -> None:
    many = (ACME, GLOBEX, *OTHERS)
    few: dict[str, Any] = {"code": "AWS_RDS_OPERATIONAL_ISSUE"}
    take(*(said(number, **few) for number in many[:2]))
    take(*(said(number) for number in many))
    soon = NOW + HOUR / 12
    with CaptureQueriesContext(connection) as two:
        assert news(*many[:2], at=soon, **few) == 2
    with CaptureQueriesContext(connection) as five:
        assert news(*many, at=soon) == 5
    assert len(five) == len(two)


def test_each_reads_their_own_in_their_language_once(world: Cast) -> None:
    take(*(said(number, f"i-{number}") for number in (ACME, *OTHERS)))
    news(ACME, *OTHERS)
    told = letters("ticket.aws_event_news")
    own = [
        letter for letter in told if letter.customer in {part.customer_id for part in AffectedCustomer.objects.all()}
    ]
    assert sorted(letter.language for letter in own) == ["en", "zh-hans", "zh-hans", "zh-hans"]
    for letter in own:
        body = Message.objects.get(pk=letter.data["message"]).body
        assert ("AWS 更新了" in body) == (letter.language == "zh-hans")
    health.sweep(NOW + 2 * HOUR)
    assert len(letters("ticket.aws_event_news")) == len(told)


def test_what_comes_before_they_are_told_together_is_told_with_it(world: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process keeps further words between finding whom to tell and telling them."""
    take(said(ACME), said(GLOBEX))
    together, came = health_telling._tell_together, iter([said(ACME, at=NOW + 2 * HOUR, text="It is mended.")])

    def tell(*given: Any) -> Any:
        health.take(came, via="push", tell=False, at=NOW)
        return together(*given)

    monkeypatch.setattr(health_telling, "_tell_together", tell)
    assert news(ACME, GLOBEX) == 2
    ticket = AffectedCustomer.objects.get(customer=world.acme).ticket
    assert "It is mended." in Message.objects.filter(ticket=ticket).latest("pk").body
    assert Letter.objects.filter(customer=world.acme.pk, kind="ticket.aws_event_news").count() == 1


def test_where_telling_together_fails_each_is_told(world: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    take(said(ACME), said(GLOBEX))

    def broken(*_given: Any, **_more: Any) -> None:
        raise ValueError("one of them cannot be written")

    monkeypatch.setattr(health_telling, "follow_all", broken)
    assert news(ACME, GLOBEX) == 2
    assert not AffectedCustomer.objects.filter(due=True).exists()
    assert HealthEvent.objects.get().changes.latest("pk").told == 2


def test_accounts_that_push_brings_one_by_one_are_one_note_on_our_ticket(world: Cast) -> None:
    second = timedelta(seconds=1)
    for place, number in enumerate((ACME, GLOBEX, *OTHERS[:2])):
        take(said(number, f"i-{place}", at=NOW + place * second), at=NOW + place * second)
    parent = Ticket.objects.get(parent=None)
    health.sweep(NOW + 30 * second)
    assert parent.messages.count() == 1
    health.sweep(NOW + 61 * second)
    note = parent.messages.latest("pk").body
    assert "3 further accounts are affected: 4 now." in note
    assert "3 further resources are affected: 4 now." in note
    # What came later is the next minute's; what AWS says anew waits for nobody and tells of it as well.
    take(said(OTHERS[2], "i-9", at=NOW + 70 * second), at=NOW + 70 * second)
    assert parent.messages.count() == 2
    news(ACME, at=NOW + 80 * second)
    told = parent.messages.latest("pk").body
    assert "> We found the cause." in told
    assert "1 further account is affected: 5 now." in told
    health.sweep(NOW + 200 * second)
    assert parent.messages.count() == 3
    # The page says it by the minute too.
    happened = words(enter(world.lee).get(f"/aws/health/{HealthEvent.objects.get().pk}/"))
    assert [happened.count(f"further accounts {n}") for n in (4, 1)] == [1, 1]
