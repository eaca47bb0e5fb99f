"""The worked examples of the SLA paper, lived through on the real desk: its people act, its sweep looks on time.

What is stored afterwards, and what history says was warned of, is what `manage.py sla_replay` says of the same file.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from helpdesk.accounts.doors import Refused
from sla import clocks, replay
from sla.models import Calendar, CalendarVersion, Clock
from tests.stories.travel import history
from tickets import actions, aws, drift, sweeping
from tickets.aws import AwsWords
from tickets.models import Ticket
from tickets.workflow import Conflict

pytestmark = [pytest.mark.django_db, pytest.mark.story]
FILE = Path(__file__).parent.parent / "sla" / "examples.json"
EXAMPLES: dict[str, dict[str, Any]] = {case["id"]: case for case in json.loads(FILE.read_text())}


class NoDoor(Exception):
    """What the desk's people cannot do."""


# Through compute only: nobody waits for a customer whom nothing was asked.
REFUSED = {"SLA-16": Conflict}


class Desk:
    """The people of the desk at one ticket, at the instants of a case."""

    def __init__(self, cast: Any, case: dict[str, Any]) -> None:
        self.cast = cast
        self.zone = ZoneInfo(case["tz"])
        self.now = self.instant(case["now"])
        self.ticket = Ticket()
        for local, *fact in case["events"]:
            when = self.instant(local)
            self.look_until(when)
            with transaction.atomic():
                self.act(fact, when)
        self.look_until(self.now + timedelta(seconds=1))

    def instant(self, local: str) -> datetime:
        return replay._instant(local, self.zone, "the case")

    def look_until(self, when: datetime) -> None:
        """The sweep, in the very second in which each clock has something to say before `when`."""
        while coming := next(self.coming(when), None):
            sweeping.look(self.ticket.ref, coming)

    def coming(self, when: datetime) -> Iterator[datetime]:
        if self.ticket.pk:
            due = Clock.objects.filter(subject=self.ticket.ref, next_event_at__lt=when).order_by("next_event_at")
            yield from due.values_list("next_event_at", flat=True)

    def act(self, fact: list[Any], when: datetime) -> None:
        ana, cora, lee = self.cast.ana, self.cast.cora, self.cast.lee
        match fact:
            case ["created", priority]:
                self.ticket = actions.open_ticket(
                    customer=self.cast.acme,
                    title="数据库连接超时",
                    description="从 09:58 开始",
                    category="technical",
                    priority=priority,
                    by=cora,
                    at=when,
                )
            case ["reply", "engineer"]:
                actions.reply(ticket=self.ticket, body="On it", by=ana, at=when)
            case ["reply", "aws"]:
                said = AwsWords(body="We see it", submitted_by="Amazon Web Services", at=when, by_aws=True)
                aws.say(ticket=self.ticket, words=[said], at=when)
            case ["reply", "engineer", "internal"]:
                actions.note(ticket=self.ticket, body="Looking", by=ana, at=when)
            case ["priority", code]:
                self.does(actions.prioritise, when, priority=code, reason="As they told us", by=lee)
            case ["status", "waiting_customer"]:
                self.does(actions.ask, when, by=ana)
            case ["status", "resolved"]:
                self.does(actions.resolve, when, body="Solved", by=ana)
            case ["status", "in_progress"] if self.fresh().status == "resolved":
                self.does(actions.reopen, when, body="It is back", by=cora)
            case ["status", "in_progress"] if self.fresh().status == "waiting_customer":
                self.does(actions.resume, when, by=ana)
            case _:
                raise NoDoor(fact)

    def does(self, act: Callable[..., Any], when: datetime, **how: Any) -> None:
        act(ticket=self.ticket, version=self.fresh().version, at=when, **how)

    def fresh(self) -> Ticket:
        return Ticket.objects.get(pk=self.ticket.pk)

    def answer(self) -> dict[str, Any]:
        """What is stored, in the words of the file's `expect`."""
        ticket = self.fresh()
        stored = {c.kind: c for c in clocks.of_subjects([ticket.ref])[ticket.ref]}
        response, resolution, update = stored["response"], stored["resolution"], stored.get("update")
        # Seconds of a clock that runs on are stored as of its last change.
        running = clocks.reckon(ticket.ref, terms=ticket.terms, at=self.now).resolution
        return {
            "first_response_due": self.local(response.due_at),
            "first_response_at": self.local(response.completed_at),
            "response": response.verdict,
            "response_breached_at": self.local(response.breached_at),
            "resolution_due": self.local(resolution.due_at),
            "resolved_at": self.local(resolution.completed_at),
            "resolution": resolution.verdict,
            "resolution_breached_at": self.local(resolution.breached_at),
            "paused_s": running.paused_s,
            "reopen_gap_s": running.reopen_gap_s,
            "running_s": running.running_s,
            "remaining_s": resolution.remaining_s,
            "cause": resolution.cause or response.cause or None,
            "status": ticket.status,
            "update_due": self.local(update.due_at) if update else None,
            "warnings": [
                [e.data["kind"], e.data["percent"], self.local(e.at)]
                for e in history(ticket, "ticket.warned")
                if e.data["kind"] != "update"
            ],
        }

    def local(self, when: datetime | None) -> str | None:
        return when.astimezone(self.zone).isoformat() if when else None


def work_by(name: str) -> None:
    """From then on tickets are promised in these hours."""
    if name == "24x7":
        return
    shipped = json.loads((Path(replay.__file__).parent / "calendars.json").read_text())[name]
    CalendarVersion.objects.create(
        calendar=Calendar.objects.get(is_default=True),
        number=2,
        state="published",
        effective_at=datetime.fromisoformat("2020-01-01T00:00:00+00:00"),
        zone=shipped["zone"],
        rules={"kind": "hours"} | {key: value for key, value in shipped.items() if key != "zone"},
    )


@pytest.mark.parametrize("name", sorted(EXAMPLES.keys() - REFUSED.keys()))
def test_an_example_comes_out_on_the_desk_as_in_the_paper(cast: Any, name: str) -> None:
    case = EXAMPLES[name]
    work_by(case["calendar"])
    desk = Desk(cast, case)
    found, replayed = desk.answer(), replay.answer(case)
    assert {key: found[key] for key in case["expect"]} == case["expect"]
    # With the first answer the desk starts the ticket, of which the file says nothing.
    assert found | {"status": ""} == replayed | {"status": ""}
    assert drift.compare(desk.now).drifts == []


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_an_example_that_the_desk_refuses_runs_through_compute_only(cast: Any, name: str) -> None:
    case = EXAMPLES[name]
    with pytest.raises((REFUSED[name], Refused)):
        Desk(cast, case)
    found = replay.answer(case)
    assert {key: found[key] for key in case["expect"]} == case["expect"]
