"""What we say to AWS arrives once, whatever happens on the way: no case twice, no answer twice, nothing lost.

Each run opens a case or answers on one, and meets a fault: AWS takes it and answers 500, or hangs; refuses for the
moment; we are killed before the call, after it, or before it is written down. `make soak` does a thousand.
"""

import os
import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from botocore.config import Config

from awsint import case_actions, sending, settling
from awsint.case_actions import Wanted
from awsint.models import Account, CaseLink, Outgoing, SupportCase
from awsint.sim.world import Case
from helpdesk.outbox import claim
from helpdesk.outbox.models import Letter
from tests.awsint.conftest import ACME
from tests.awsint.simulator import Sim
from tests.cast import Cast
from tickets import actions
from tickets.models import Ticket

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
RUNS = int(os.environ.get("RUNS", "32"))
WANTED = Wanted("aws-lambda", "other", "normal", "en")
UNDER_WAY = [Letter.State.READY, Letter.State.SENDING, Letter.State.UNKNOWN]
# What may happen to a call; the last three are kill -9.
FAULTS = ["none", "commit-then-500", "commit-then-hang", "throttle", "error", "before", "after", "unwritten"]


class Killed(BaseException):
    """As kill -9 looks to whoever comes after us: nothing of it was written down."""


@pytest.fixture
def writing(acme: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account that we may write to; nobody waits between attempts, and a call that hangs is given up quickly."""
    quick = Config(retries={"total_max_attempts": 1}, read_timeout=0.2)
    monkeypatch.setattr(import_module("awsint.client.support"), "WRITES", quick)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_a: 0.0)
    monkeypatch.setattr("awsint.client.calling.buckets.take", lambda *_a: None)
    monkeypatch.setattr("awsint.sim.support.AN_HOUR", 10**9)
    acme.may_write = True
    acme.save(update_fields=["may_write"])
    return acme


def ticket_of(cast: Cast, title: str = "Orders stop") -> Ticket:
    return actions.open_ticket(
        customer=cast.acme,
        title=title,
        description="Nothing goes out.",
        category="technical",
        priority="high",
        by=cast.cora,
        at=AT,
    )


def beat(at: datetime) -> None:
    """One second of the pulse, without its threads."""
    sending.lose(at)
    letters = claim.claim(50, by="test", at=at, channel=sending.CHANNEL, lease=sending.LEASE)
    letters += sending.to_look_for(50, at=at)
    for letter in letters:
        try:
            sending.work(sending.Job(letter, at, time.monotonic()))
        except Killed:
            continue


def settled(at: datetime) -> datetime:
    """Lets the pulse beat until nothing is on its way any more; returns when."""
    for _minute in range(90):
        beat(at)
        if not Letter.objects.filter(channel=sending.CHANNEL, state__in=UNDER_WAY).exists():
            return at
        at += timedelta(seconds=61)
    raise AssertionError("something never settles")


class Killer:
    """Kills the sender at one point of its next call."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.point = ""
        self.call, self.arrived = settling.call, settling.arrived
        monkeypatch.setattr(settling, "call", self._call)
        monkeypatch.setattr(settling, "arrived", self._arrived)

    def _at(self, point: str) -> None:
        if self.point == point:
            self.point = ""
            raise Killed

    def _call(self, api: Any, out: Outgoing) -> str:
        self._at("before")
        number = self.call(api, out)
        self._at("after")
        return number

    def _arrived(self, api: Any, out: Outgoing, number: str, *, at: datetime) -> bool:
        self._at("unwritten")
        return self.arrived(api, out, number, at=at)


def test_a_thousand_runs_with_faults_at_every_point(
    writing: Account,
    cast: Cast,
    sim: Sim,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chance, killer, hits = random.Random(7), Killer(monkeypatch), Counter[str]()
    ticket, at = ticket_of(cast), AT
    opened: list[SupportCase] = []
    answers = 0
    for run in range(RUNS):
        fault = FAULTS[run % len(FAULTS)] if run < 2 * len(FAULTS) else chance.choice(FAULTS)
        opens = run < len(FAULTS) or chance.random() < 0.4
        hits[f"{'case' if opens else 'answer'}, {fault}"] += 1
        if fault in ("before", "after", "unwritten"):
            killer.point = fault
        elif fault != "none":
            sim.fault(fault, account=ACME, operation="CreateCase" if opens else "AddCommunicationToCase", seconds=0.4)
        if opens:
            case_actions.open_case(
                ticket=ticket,
                account=writing,
                subject=f"run {run}",
                body="It stops.",
                wanted=WANTED,
                by=cast.ana,
                at=at,
            )
        else:
            answers += 1
            case_actions.answer(ticket=ticket, case=chance.choice(opened), body=f"run {run}", by=cast.ana, at=at)
        at = settled(at) + timedelta(seconds=1)
        opened = list(SupportCase.objects.all())
        ticket.refresh_from_db()
    there: list[Case] = list(sim.world.cases[ACME].values())
    words = [word.body for case in there for word in case.words]
    with capsys.disabled():
        print(f"\n{RUNS} runs: {len(there)} cases, {answers} answers, faults met: {dict(sorted(hits.items()))}")
    assert len(there) == len({case.subject for case in there}) == RUNS - answers
    assert len(words) == len(set(words)) == RUNS
    assert set(Letter.objects.filter(channel=sending.CHANNEL).values_list("state", flat=True)) == {"sent"}
    assert {case.case_id for case in opened} == {case.number for case in there}
    assert CaseLink.objects.filter(ticket=ticket).count() == len(there)
    assert not Outgoing.objects.exclude(doubles=[]).exists()
