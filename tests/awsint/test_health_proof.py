"""Whether customers were really told of an event, what push missed, and who of us hears of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from awsint import health, health_proof, watching
from awsint.models import AffectedCustomer, Alarm, Hub
from helpdesk.accounts.models import Membership
from helpdesk.outbox.compose import compose
from helpdesk.outbox.content import content_of
from helpdesk.outbox.models import Letter
from sla.models import Breach
from tests.awsint.test_health import ACME, CODE, GLOBEX, NOW, account, children, letters, said, take
from tests.cast import Cast
from tests.entering import enter, words
from tickets import actions, ladder, sweeping
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def now() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world(cast: Cast, hub: Hub) -> Cast:
    account(cast.acme, ACME, workload=["production"])
    account(cast.globex, GLOBEX, workload=["production"])
    return cast


def went(customer: Any, state: str = "sent", at: datetime = NOW + MINUTE) -> Letter:
    """The opening letter of a customer, as the relay answered of it."""
    letter = Letter.objects.get(kind="ticket.aws_event", customer=customer.pk)
    reason = "refused" if state == "failed" else ""
    Letter.objects.filter(pk=letter.pk).update(state=state, reason=reason, sent_at=at if state == "sent" else None)
    return letter


def told_at(customer: Any) -> datetime | None:
    found: datetime | None = AffectedCustomer.objects.get(customer=customer).told_at
    return found


# --- Proof -----------------------------------------------------------------------------------------------------------


def test_told_is_who_was_told_and_not_whose_ticket_is_open(world: Cast) -> None:
    take(said(ACME, "i-1"), said(GLOBEX, "i-2"))
    assert set(AffectedCustomer.objects.values_list("opened_at", "told_at")) == {(NOW, None)}
    health_proof.sent(went(world.acme))
    assert (told_at(world.acme), told_at(world.globex)) == (NOW + MINUTE, None)
    # What was killed before it was noted is noted by the sweep; what failed proves nothing until it is sent again.
    went(world.globex, "failed")
    health.sweep(NOW + 5 * MINUTE)
    assert told_at(world.globex) is None
    went(world.globex, at=NOW + 9 * MINUTE)
    assert health_proof.note(NOW + 10 * MINUTE) == 1
    assert told_at(world.globex) == NOW + 9 * MINUTE
    # The first that was taken counts, whatever comes after it.
    health_proof.sent(went(world.acme, at=NOW + 20 * MINUTE))
    assert told_at(world.acme) == NOW + MINUTE


def test_the_leads_hear_once_of_a_customer_whom_no_letter_reached(world: Cast) -> None:
    Membership.objects.filter(customer=world.globex).delete()
    take(said(ACME, "i-1"), said(GLOBEX, "i-2"))
    went(world.acme, "failed")
    watching.watch(NOW + 9 * MINUTE)
    assert letters("aws.health_untold") == []
    for minute in (10, 11):
        watching.watch(NOW + minute * MINUTE)
    (letter,) = letters("aws.health_untold")
    assert letter.to_key == world.lee.key
    told = content_of(letter, NOW + 11 * MINUTE)
    assert told is not None
    assert [words.rpartition(": ")[2] for words, _at in told.context["lines"]] == [
        "no letter was taken",
        "the company has nobody to write to",
    ]
    mail = compose(letter, NOW + 11 * MINUTE)
    assert mail is not None
    assert "2 customers were not told" in mail.subject
    # It is over once a letter is taken after all, or the ticket is.
    health_proof.sent(went(world.acme))
    ticket = children()["GLOBEX"]
    actions.resolve(ticket=ticket, version=ticket.version, body="We called.", by=world.ana, at=NOW + 12 * MINUTE)
    watching.watch(NOW + 13 * MINUTE)
    assert not Alarm.objects.filter(kind="aws.health_untold", over_at=None).exists()
    assert content_of(letter, NOW + 13 * MINUTE) is None


# --- What push missed ------------------------------------------------------------------------------------------------


def test_what_push_missed_is_counted_listed_and_told_once_for_each_region(world: Cast, hub: Hub) -> None:
    Hub.objects.filter(pk=hub.pk).update(health_queue_url="https://sqs.us-east-1.amazonaws.com/1/health")
    take(said(ACME, "i-1", key="poll:1"), via="poll")
    take(said(GLOBEX, "db-1", code="AWS_RDS_OPERATIONAL_ISSUE", key="poll:2"), via="poll")
    client = enter(world.ana)
    assert "push had missed" not in words(client.get("/aws/health/"))
    health.sweep(NOW + 15 * MINUTE)
    page = words(client.get("/aws/health/"))
    assert "The poll found 2 events that push had missed" in page
    assert CODE in words(client.get("/aws/health/?state=missed"))
    assert page.count("missed by push") == 2
    for minute in (16, 17):
        watching.watch(NOW + minute * MINUTE)
    (letter,) = letters("aws.health_missed")
    mail = compose(letter, NOW + 17 * MINUTE)
    assert mail is not None
    assert f"us-east-1: {CODE}" in str(mail.body)
    assert "/aws/health/org" in str(mail.body)
    # Push brings a new event of the region: it works again.
    take(said(ACME, "i-1", code="AWS_S3_OPERATIONAL_ISSUE"), at=NOW + 20 * MINUTE)
    watching.watch(NOW + 21 * MINUTE)
    assert not Alarm.objects.filter(kind="aws.health_missed", over_at=None).exists()
    assert content_of(letter, NOW + 21 * MINUTE) is None
    assert "2 events" in words(client.get("/aws/health/"))


# --- The ladder ------------------------------------------------------------------------------------------------------


def test_of_many_parts_the_parent_warns_once(world: Cast) -> None:
    take(said(ACME, "i-1"), said(GLOBEX, "i-2"))
    parent, parts = Ticket.objects.get(parent=None), children()
    for minute in range(1, 10):
        sweeping.sweep(NOW + minute * MINUTE)
    warned = letters("ticket.warning")
    assert {(letter.subject, letter.data["percent"]) for letter in warned} == {(parent.ref, 50)}
    assert len({letter.to_key for letter in warned}) == len(warned) > 0
    assert content_of(warned[0], NOW) is not None
    # It holds as long as any of them is still to be answered.
    actions.reply(ticket=parts["ACME"], body="We are on it.", by=world.ana, at=NOW + 10 * MINUTE)
    assert ladder.clock_still_open(warned[0])
    actions.reply(ticket=parts["GLOBEX"], body="We are on it.", by=world.ana, at=NOW + 10 * MINUTE)
    assert not ladder.clock_still_open(warned[0])


def test_of_many_parts_that_are_broken_the_parent_tells_once(world: Cast) -> None:
    take(said(ACME, "i-1"), said(GLOBEX, "i-2"))
    for minute in (8, 16):
        sweeping.sweep(NOW + minute * MINUTE)
    broken = letters("ticket.breached")
    assert len({letter.to_key for letter in broken}) == len(broken) > 0
    assert Breach.objects.filter(kind="response").count() == 2
