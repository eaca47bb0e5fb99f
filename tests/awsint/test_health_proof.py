"""Whether customers were really told of an event, what push missed, and who of us hears of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from awsint import health, health_proof
from awsint.models import AffectedCustomer, Hub
from helpdesk.outbox.content import content_of
from helpdesk.outbox.models import Letter
from sla.models import Breach
from tests.awsint.test_health import ACME, GLOBEX, NOW, account, children, letters, said, take
from tests.cast import Cast
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
