"""The desk itself as an actor: no row, no login, no right but the steps that the workflow table gives it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.models import Entry
from helpdesk.audit.record import SYSTEM
from tests.tickets.test_actions import file, fresh, minutes
from tickets import actions
from tickets.deed import Deed
from tickets.models import Ticket
from tickets.workflow import TABLE, Conflict

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 9, 2, 0, tzinfo=UTC)


def step(ticket: Ticket, verb: str, at: datetime, **columns: Any) -> Ticket:
    with transaction.atomic():
        deed = Deed.begin(ticket, SYSTEM, at)
        deed.move(verb, **columns)
        return deed.finish()


def test_it_resolves_what_waits_and_closes_what_is_resolved(cast: Any) -> None:
    ticket = file(cast)
    actions.reply(ticket=ticket, body="Which?", by=cast.ana, at=minutes(5), then="ask")
    seen = fresh(ticket).version
    step(ticket, "resolve", NOW)
    closed = step(ticket, "close", NOW + timedelta(days=7), close_reason="lapsed")
    assert (closed.status, closed.close_reason) == ("closed", "lapsed")
    # What people look at is not made old by a timer.
    assert closed.version == seen
    told = Entry.objects.filter(subject=ticket.ref, actor="system", action__in=["ticket.resolved", "ticket.closed"])
    assert set(told.values_list("actor_role", flat=True)) == {"system"}
    client = Client()
    client.force_login(cast.ana)
    page = client.get(f"/tickets/{ticket.ref}/").content.decode()
    assert "the desk closed it: <b>not reopened within 7 days</b>" in page
    client.force_login(cast.cora)
    assert "7 天内没有人重新打开" in client.get(f"/tickets/{ticket.ref}/").content.decode()


@pytest.mark.parametrize("verb", sorted(TABLE))
def test_it_takes_no_other_step(cast: Any, verb: str) -> None:
    ticket = file(cast)
    with pytest.raises(Conflict):
        step(ticket, verb, minutes(5))
    assert fresh(ticket).status == "new"


def test_it_has_no_rights_and_says_nothing(cast: Any) -> None:
    assert not [right for right in Right if may(SYSTEM, right)]
    deed = Deed.begin(file(cast), SYSTEM, minutes(5))
    with pytest.raises(TypeError):
        deed.say("reply", "Beep")
