"""Many at one ticket, with real commits: what was answered stands exactly once, what was refused left nothing.

R-09 and the invariants U1 to U6 of the security checklist, asked of the database after each race.
"""

import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.template import Template
from django.test import Client
from django.utils import timezone

from helpdesk.accounts import keys
from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry
from helpdesk.outbox.models import Letter
from sla import clocks
from sla.models import Clock
from tests.accounts.many import at_once
from tests.cast import BORN, Cast, assemble
from tickets import actions, views
from tickets.models import Message, Ticket
from tickets.workflow import TABLE

CLIENTS, WRITES = 50, 20
EDGES = {(source, verb.target) for verb in TABLE.values() for source in verb.sources}
STATUS_ACTIONS = {verb.action for verb in TABLE.values()}


@pytest.fixture
def cast(committed: None, monkeypatch: pytest.MonkeyPatch) -> Cast:
    # Django's test client keeps a copy of the context of each part of each page: half of the time here.
    monkeypatch.setattr(Template, "_render", lambda self, context: self.nodelist.render(context))
    return assemble()


def opened(cast: Cast) -> Ticket:
    return actions.open_ticket(
        customer=cast.acme,
        title="All at once",
        description="Fifty of us are looking at it.",
        category="technical",
        impact="production_part",
        urgency="urgent",
        by=cast.cora,
        at=timezone.now() - timedelta(minutes=5),
    )


def crowd(count: int) -> list[User]:
    """Engineers enough for everybody to have a browser of their own."""
    return [
        User.objects.create_user(email=f"e{n}@desk.example", name=f"Engineer {n}", staff_role="engineer", at=BORN)
        for n in range(count)
    ]


def browser(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def whole(ticket: Ticket) -> Ticket:
    """The invariants: history leads to the state, clocks do not drift, letters are once, notes go to nobody outside."""
    now = Ticket.objects.get(pk=ticket.pk)
    entries = list(Entry.objects.filter(subject=ticket.ref).order_by("at", "id"))
    # U3: each step is a legal edge and begins where the one before it ended.
    at = "new"
    for step in (e for e in entries if e.action in STATUS_ACTIONS):
        assert (step.data["old"], step.data["new"]) in EDGES, step.data
        assert step.data["old"] == at, [e.action for e in entries]
        at = step.data["new"]
    assert now.status == at
    assert [e.id for e in entries] == sorted(e.id for e in entries), "history is in the order of its ids"
    # U2 and U4: the opening stands, and every line is the customer's own.
    assert Message.objects.filter(ticket=ticket, kind="opening").count() == 1
    assert {e.customer for e in entries} == {ticket.customer_id}
    # The stored clocks are what the history says.
    reckoned = clocks.reckon(ticket.ref, terms=now.terms, at=now.last_event_at)
    for state in (reckoned.response, reckoned.resolution):
        stored = Clock.objects.get(subject=ticket.ref, kind=state.kind)
        assert (stored.verdict, stored.due_at, stored.completed_at) == (state.verdict, state.due_at, state.completed_at)
    # U5 and U6.
    letters = Letter.objects.filter(subject=ticket.ref)
    told = Counter((x.kind, x.to_address, json.dumps(x.data, sort_keys=True), x.created_at) for x in letters)
    notes = set(Message.objects.filter(ticket=ticket, kind="note").values_list("pk", flat=True))
    customers = set(User.objects.filter(staff_role=None).values_list("email", flat=True))
    assert not [x for x in letters if x.data.get("message") in notes and x.to_address in customers]
    by_message = Counter((x.data["message"], x.to_address) for x in letters if "message" in x.data)
    assert [pair for pair, times in by_message.items() if times > 1] == [], told
    return now


@pytest.fixture
def one_refusal_in_ten_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page that says a refusal only reads, and costs ten times the write: the others say their status alone."""
    page: Callable[..., HttpResponse] = views.ticket_page
    refusals = count()

    def brief(request: Any, ticket: Ticket, trouble: Any = None) -> HttpResponse:
        if trouble and next(refusals) % 10:
            return HttpResponse(status=trouble.status)
        return page(request, ticket, trouble)

    monkeypatch.setattr(views, "ticket_page", brief)


@pytest.mark.usefixtures("one_refusal_in_ten_in_full")
@pytest.mark.django_db(transaction=True)
def test_fifty_people_write_on_one_ticket_a_thousand_times(cast: Cast) -> None:
    """R-09: the version counts the accepted writes, every accepted word stands once, a refusal is said as one."""
    ticket = opened(cast)
    people = [*crowd(CLIENTS - 5), cast.ana, cast.lee, cast.cora, cast.carla, cast.dora]

    def work(n: int) -> list[tuple[str, int, str]]:
        person, client, chance = people[n], browser(people[n]), random.Random(n)
        others = [p.pk for p in people if p.is_desk]
        return [_write(client, ticket, person, others, chance, f"{n}-{turn}") for turn in range(WRITES)]

    ledger = [answer for answers in at_once(CLIENTS, work) for answer in answers]
    assert len(ledger) == CLIENTS * WRITES
    statuses = Counter(status for _verb, status, _word in ledger)
    assert set(statuses) <= {303, 409, 422}, statuses
    accepted = [(verb, word) for verb, status, word in ledger if status == 303]
    assert len(accepted) > WRITES, statuses

    now = whole(ticket)
    assert now.version == 1 + len(accepted)
    # U1: acknowledged words exactly once, refused ones not at all.
    bodies = Counter(Message.objects.filter(ticket=ticket).values_list("body", flat=True))
    spoken = {verb for verb, _status, _word in ledger} - {"start", "ask", "resume"}
    assert {word: bodies[word] for verb, word in accepted if verb in spoken} == dict.fromkeys(
        (word for verb, word in accepted if verb in spoken), 1
    )
    assert not {word for _verb, status, word in ledger if status != 303} & set(bodies)


def _write(
    client: Client, ticket: Ticket, person: User, desk: list[int], chance: random.Random, word: str
) -> tuple[str, int, str]:
    """One write as a page would send it: with the version, and the last message, that the page showed."""
    seen = Ticket.objects.get(pk=ticket.pk)
    last = Message.objects.filter(ticket=ticket).exclude(kind="note").order_by("-pk").values_list("pk", flat=True)[0]
    steps = ["start", "ask", "resume", "resolve", "reopen", "assign", "prioritise"]
    verb = chance.choice(["reply", "reply", "reply", "note", "note", "note", *steps] if person.is_desk else ["reply"])
    form = {
        "once": uuid4().hex,
        "version": seen.version,
        "last_seen_message": last,
        "body": word,
        # Whoever has it already would be given nothing, and nothing would be counted.
        "to": chance.choice([pk for pk in desk if pk != seen.assigned_to_id]),
        "reason": word,
        "priority": chance.choice(["critical", "high"]),
    }
    answer = client.post(f"/tickets/{ticket.ref}/{verb}", form)
    return verb, answer.status_code, word


@pytest.mark.django_db(transaction=True)
def test_fifty_engineers_claim_one_ticket_and_one_has_it(cast: Cast) -> None:
    ticket = opened(cast)
    people = crowd(50)
    version = Ticket.objects.get(pk=ticket.pk).version

    def claim(n: int) -> int:
        form = {"once": uuid4().hex, "version": version, "to": people[n].pk, "reason": "I take it"}
        return int(browser(people[n]).post(f"/tickets/{ticket.ref}/assign", form).status_code)

    answers = at_once(50, claim)
    assert Counter(answers) == {303: 1, 409: 49}
    now = whole(ticket)
    assert now.assigned_to == people[answers.index(303)]
    assert now.version == version + 1


@pytest.mark.django_db(transaction=True)
def test_fifty_requests_of_one_key_file_one_ticket(cast: Cast) -> None:
    _key, token = keys.create_key(
        name="Import", customer=cast.acme, may_write=True, days=1, by=cast.lee, at=timezone.now()
    )
    body = json.dumps({"title": "Once only", "description": "However often it is sent", "priority": "high"})
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "the-same"}

    def post(n: int) -> tuple[int, str]:
        answer = Client().post("/api/tickets", body, content_type="application/json", headers=headers)
        return answer.status_code, answer.json().get("ref", "")

    answers = set(at_once(50, post))
    ticket = Ticket.objects.get()
    assert answers == {(201, ticket.ref)}
    whole(ticket)


@pytest.mark.django_db(transaction=True)
def test_of_fifty_that_match_one_version_one_is_taken(cast: Cast) -> None:
    """If-Match is asked under the lock: the version answered by one is gone for the others."""
    ticket = opened(cast)
    _key, token = keys.create_key(
        name="Sync", customer=cast.acme, may_write=True, days=1, by=cast.lee, at=timezone.now()
    )
    headers = {"Authorization": f"Bearer {token}", "If-Match": f'"{Ticket.objects.get(pk=ticket.pk).version}"'}

    def post(n: int) -> int:
        body = json.dumps({"body": f"Answer {n}"})
        path = f"/api/tickets/{ticket.ref}/replies"
        return int(Client().post(path, body, content_type="application/json", headers=headers).status_code)

    assert Counter(at_once(50, post)) == {201: 1, 412: 49}
    assert Message.objects.filter(ticket=ticket).count() == 2
    whole(ticket)
