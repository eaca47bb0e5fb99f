"""Who gets a ticket at the desk, why, what it adds to their load, and what a person may change about it."""

import html
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpdesk.accounts.models import Customer, CustomerTeam, User
from helpdesk.audit.models import Entry
from helpdesk.outbox.models import Letter
from oncall.duty import Colleague, duty
from oncall.models import Engineer, Leave, Skill
from tests.cast import BORN, assemble
from tickets import actions, assigning, loads, merging, splitting
from tickets.assignment import known_of
from tickets.models import AssignmentDecision, Load, Ticket
from tickets.workflow import Refused

pytestmark = pytest.mark.django_db


def now() -> datetime:
    return timezone.now().replace(microsecond=0)


def engineer(name: str, *, skill: int = 0, load: int = 0, capacity: int = 20, languages: str = "zh en") -> User:
    """Somebody who works tickets, with so many points in hand already."""
    user = User.objects.create_user(email=f"{name}@desk.example", name=name, language="en", at=BORN)
    User.objects.filter(pk=user.pk).update(staff_role="engineer")
    Engineer.objects.create(user=user, capacity=capacity, languages=languages.split())
    Skill.objects.create(user=user, family="database", level=skill)
    Load.objects.create(user=user, points=load)
    return User.objects.get(pk=user.pk)


def away(user: User, *, since: timedelta = timedelta(days=1), until: timedelta = timedelta(days=1)) -> None:
    Leave.objects.create(user=user, starts_at=now() - since, ends_at=now() + until, made_by=user)


def opened(cast: Any, priority: str = "medium", **more: Any) -> Ticket:
    given = {
        "customer": cast.acme,
        "title": "数据库连接超时",
        "description": "从 09:58 开始",
        "category": "technical",
        "service": "database",
        "priority": priority,
        "by": cast.cora,
        "at": now(),
    }
    return actions.open_ticket(**(given | more))


def load_of(user: User) -> int:
    return sum(Load.objects.filter(user=user).values_list("points", flat=True))


def decision(ticket: Ticket) -> AssignmentDecision:
    found = ticket.decisions.order_by("id").last()
    assert found
    return found


def page(person: User, address: str) -> str:
    client = Client()
    client.force_login(person)
    answer = client.get(address)
    assert answer.status_code == 200, address
    return html.unescape(answer.content.decode())


def totals(ticket: Ticket) -> dict[str, int]:
    names = dict(User.objects.values_list("pk", "name"))
    rows = decision(ticket).fared
    return {names[int(c.key.removeprefix("user:"))]: c.total for c in rows if not c.excluded}


def excluded(ticket: Ticket) -> dict[str, str]:
    names = dict(User.objects.values_list("pk", "name"))
    rows = decision(ticket).fared
    return {names[int(c.key.removeprefix("user:"))]: c.excluded for c in rows if c.excluded}


@pytest.fixture
def rostered(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Shifts by name, as a roster will say them; whoever is not named is on shift."""
    shifts: dict[str, str] = {}

    def as_rostered(at: datetime, service: str = "", *roles: Any) -> list[Colleague]:
        return [c._replace(shift=shifts.get(c.name, c.shift)) for c in duty(at, service, *roles)]

    monkeypatch.setattr(assigning, "duty", as_rostered)
    return shifts


# --- The examples of the specification, through the desk -------------------------------------------------------------


@pytest.fixture
def alone(cast: Any) -> Any:
    """The cast without Ana among the engineers."""
    User.objects.filter(pk=cast.ana.pk).update(staff_role="lead")
    return cast


def test_as_1_a_critical_goes_to_who_knows_it_and_is_free(alone: Any, rostered: dict[str, str]) -> None:
    engineer("Ann", skill=2, load=4)
    engineer("Bo", skill=3, load=4)
    engineer("Chen", skill=3)
    rostered |= {"Ann": "primary", "Bo": "secondary"}
    ticket = opened(alone, "critical")
    assert totals(ticket) == {"Ann": 70, "Bo": 77, "Chen": 78}
    assert ticket.assigned_to is not None
    assert ticket.assigned_to.name == "Chen"
    assert load_of(ticket.assigned_to) == 8


def test_as_2_of_two_alike_the_freer_one(alone: Any, rostered: dict[str, str]) -> None:
    engineer("Ann", skill=2, load=4)
    bo = engineer("Bo", skill=3, load=4)
    engineer("Chen", skill=3, load=10)
    rostered |= {"Ann": "primary", "Bo": "secondary"}
    ticket = opened(alone, "medium")
    assert (totals(ticket), ticket.assigned_to) == ({"Ann": 56, "Bo": 77, "Chen": 77}, bo)


def test_as_3_the_named_engineer_and_who_cannot(alone: Any, rostered: dict[str, str]) -> None:
    engineer("Ann", load=18)
    bo, chen = engineer("Bo", skill=2, load=6), engineer("Chen")
    CustomerTeam.objects.create(customer=alone.acme, user=bo, named=True)
    away(chen)
    rostered |= {"Ann": "primary"}
    ticket = opened(alone, "high")
    assert (totals(ticket), excluded(ticket)) == ({"Bo": 65}, {"Ann": "capacity", "Chen": "leave"})
    assert ticket.assigned_to == bo


def test_as_4_a_critical_goes_to_the_on_call_however_full(alone: Any, rostered: dict[str, str]) -> None:
    ann = engineer("Ann", load=20)
    engineer("Bo", skill=3)
    rostered |= {"Ann": "primary", "Bo": "off"}
    ticket = opened(alone, "critical")
    assert (ticket.assigned_to, totals(ticket), excluded(ticket)) == (ann, {"Ann": 20}, {"Bo": "off shift"})


# --- Who is asked ----------------------------------------------------------------------------------------------------


def test_who_has_no_settings_speaks_their_own_language_and_has_room_for_twenty(cast: Any) -> None:
    (ana,) = duty(now())
    assert (ana.user, ana.shift, ana.capacity, ana.languages, ana.skill) == (cast.ana.pk, "on", 20, ("en",), 0)
    assert opened(cast).assigned_to == cast.ana


def test_language_comes_first(cast: Any) -> None:
    zh = engineer("Zh", load=16, languages="zh")
    engineer("Best", skill=3, languages="en")
    assert opened(cast).assigned_to == zh
    assert opened(cast, customer=cast.globex, by=cast.gus).assigned_to == User.objects.get(name="Best")


def test_leave_begins_and_ends_to_the_second(cast: Any) -> None:
    other = engineer("Other", languages="de")
    begins, ends = now() - timedelta(hours=1), now() + timedelta(hours=1)
    Leave.objects.create(user=cast.ana, starts_at=begins, ends_at=ends, made_by=cast.ana)
    at = {begins - timedelta(seconds=1): cast.ana, begins: other, ends - timedelta(seconds=1): other, ends: cast.ana}
    for moment, who in at.items():
        ticket = opened(cast, "low", customer=cast.globex, by=cast.gus, at=moment)
        assert ticket.assigned_to == who, moment


def test_full_is_full_and_what_waits_weighs_nothing(cast: Any) -> None:
    first, second = opened(cast, "critical"), opened(cast, "critical")
    assert (first.assigned_to, second.assigned_to, load_of(cast.ana)) == (cast.ana, cast.ana, 16)
    third = opened(cast, "critical")
    assert (third.assigned_to, excluded(third)) == (None, {"Ana": "capacity"})
    actions.reply(ticket=first, body="Which?", by=cast.ana, at=now(), then="ask")
    assert load_of(cast.ana) == 8
    assert opened(cast, "critical").assigned_to == cast.ana
    actions.reply(ticket=first, body="This one", by=cast.cora, at=now())
    assert load_of(cast.ana) == 24


def test_every_step_of_a_ticket_moves_the_load(cast: Any) -> None:
    ticket, seen = opened(cast, "high"), []

    def did(changed: Any = None) -> Ticket:
        seen.append((load_of(cast.ana), load_of(cast.lee)))
        return Ticket.objects.get(pk=ticket.pk)

    now_ = did()
    now_ = did(actions.start(ticket=now_, version=1, by=cast.ana, at=now()))
    given: dict[str, Any] = {"by": cast.lee, "at": now()}
    now_ = did(actions.prioritise(ticket=now_, version=2, priority="critical", reason="All of it", **given))
    now_ = did(actions.assign(ticket=now_, version=3, to=cast.lee, reason="Night shift", **given))
    now_ = did(actions.assign(ticket=now_, version=4, to=None, reason="Nobody for now", **given))
    now_ = did(actions.assign(ticket=now_, version=5, to=cast.lee, reason="", **given))
    now_ = did(actions.resolve(ticket=now_, version=6, body="Done", **given))
    now_ = did(actions.reopen(ticket=now_, version=7, body="Not yet", by=cast.cora, at=now()))
    did(actions.withdraw(ticket=now_, version=8, reason="duplicate", **given))
    assert seen == [(4, 0), (4, 0), (8, 0), (0, 8), (0, 0), (0, 8), (0, 0), (0, 8), (0, 0)]
    assert loads.reconcile() == "no drift"


def test_merging_parting_and_splitting_move_the_load_too(cast: Any) -> None:
    one, two = opened(cast, "high"), opened(cast, "medium")
    given: dict[str, Any] = {"by": cast.ana, "at": now()}
    merged = merging.merge(ticket=one, version=1, other=two, **given)
    assert load_of(cast.ana) == 2
    merging.unmerge(ticket=merged, version=merged.version, other=one, **given)
    assert load_of(cast.ana) == 6
    actions.reply(ticket=two, body="And another thing", by=cast.cora, at=now())
    said = two.messages.get(body="And another thing")
    version = Ticket.objects.get(pk=two.pk).version
    words = {"title": "Another", "category": "technical", "impact": "question", "urgency": "wait"}
    splitting.split(ticket=two, version=version, message=said, **words, **given)
    assert (load_of(cast.ana), loads.reconcile()) == (7, "no drift")


def test_drift_is_mended_and_told(cast: Any, caplog: pytest.LogCaptureFixture) -> None:
    opened(cast, "critical")
    Load.objects.filter(user=cast.ana).update(points=3)
    Load.objects.create(user=cast.lee, points=5)
    told = f"{cast.ana.key} had 3 points and has 8; {cast.lee.key} had 5 points and has 0"
    assert loads.reconcile() == told
    assert (load_of(cast.ana), load_of(cast.lee)) == (8, 0)
    assert "had 3 points and has 8" in caplog.text
    assert loads.reconcile() == "no drift"


def test_who_worked_for_the_customer_before_comes_first_of_two_alike(cast: Any) -> None:
    other = engineer("Other", languages="en")
    first = opened(cast, "low")
    assert first.assigned_to == cast.ana
    actions.reply(ticket=first, body="Hello", by=other, at=now() - timedelta(days=89))
    assert totals(opened(cast, "low")) == {"Ana": 43, "Other": 51}
    later = now() + timedelta(days=2)
    assert totals(opened(cast, "low", at=later))["Other"] < 51


def test_the_longest_without_a_ticket_is_next(cast: Any) -> None:
    other = engineer("Other", languages="en")
    given = [opened(cast, "low", at=now() + timedelta(minutes=n)).assigned_to for n in range(4)]
    assert given == [cast.ana, other, cast.ana, other]


def test_a_call_is_assigned_by_the_same_rule(cast: Any) -> None:
    ticket = opened(cast, requester=cast.cora, by=cast.ana, source="phone")
    assert ticket.assigned_to == cast.ana
    assert list(Letter.objects.filter(subject=ticket.ref).values_list("kind", flat=True)) == ["ticket.received"]
    other = engineer("Other")
    ticket = opened(cast, requester=cast.cora, by=cast.ana, source="phone")
    assert ticket.assigned_to == other
    assert Letter.objects.get(subject=ticket.ref, kind="ticket.assigned").to_address == other.email


def test_through_the_page_with_a_service(cast: Any) -> None:
    best = engineer("Best", skill=3, languages="en")
    client = Client()
    client.force_login(cast.gus)
    assert "Databases: RDS, Aurora" in html.unescape(client.get("/tickets/create").content.decode())
    form = {"title": "Slow", "description": "Since nine", "category": "technical", "impact": "question"}
    form |= {"urgency": "wait", "customer": str(cast.globex.pk)}
    wrong = client.post("/tickets/create", form | {"service": "mainframe", "once": "a"})
    assert wrong.status_code == 422
    assert "Choose one of the services." in wrong.content.decode()
    assert client.post("/tickets/create", form | {"service": "database", "once": "b"}).status_code == 303
    ticket = Ticket.objects.get()
    assert (ticket.service, ticket.assigned_to) == ("database", best)
    ours = Client()
    ours.force_login(cast.ana)
    assert ours.post(f"/tickets/{ticket.ref}/classify", {"version": "1", "service": "x"}).status_code == 422
    assert ours.post(f"/tickets/{ticket.ref}/classify", {"version": "9", "service": "network"}).status_code == 409
    assert ours.post(f"/tickets/{ticket.ref}/classify", {"version": "1", "service": "network"}).status_code == 303
    told = page(cast.ana, f"/tickets/{ticket.ref}/")
    assert "set the service to <b>Network and delivery</b>" in told
    assert "set the service" not in page(cast.gus, f"/tickets/{ticket.ref}/")


# --- Nobody can ------------------------------------------------------------------------------------------------------


def test_nobody_eligible_stays_unassigned_and_the_leads_are_told(cast: Any) -> None:
    away(cast.ana)
    ticket = opened(cast, "critical")
    assert ticket.assigned_to is None
    kept = decision(ticket)
    assert (kept.winner, kept.runner_up, excluded(ticket)) == (None, None, {"Ana": "leave"})
    told = Letter.objects.filter(subject=ticket.ref, kind="ticket.assignment_failed")
    assert [letter.to_address for letter in told] == [cast.lee.email]
    entry = Entry.objects.get(subject=ticket.ref, action="ticket.assignment_failed")
    assert (entry.actor, entry.audience) == ("system", "staff")
    assert "Nobody can take it: Ana leave." in page(cast.lee, f"/tickets/{ticket.ref}/")
    assert "Nobody could take it" not in page(cast.cora, f"/tickets/{ticket.ref}/")
    User.objects.filter(pk=cast.lee.pk).update(is_active=False)
    ticket = opened(cast, "critical")
    told = Letter.objects.filter(subject=ticket.ref, kind="ticket.assignment_failed").order_by("id")
    assert [letter.to_address for letter in told] == [cast.ada.email, cast.abe.email]
    # Whoever takes it up has it.
    actions.reply(ticket=ticket, body="Hello", by=cast.ada, at=now())
    assert Ticket.objects.get(pk=ticket.pk).assigned_to == cast.ada


def test_there_may_be_nobody_at_all(cast: Any) -> None:
    User.objects.filter(pk=cast.ana.pk).update(staff_role="lead")
    ticket = opened(cast)
    assert (ticket.assigned_to, decision(ticket).fared) == (None, [])
    assert "There was nobody to ask." in page(cast.lee, f"/tickets/{ticket.ref}/?whyme")


# --- Why me ----------------------------------------------------------------------------------------------------------


def test_the_page_says_why_in_both_languages(cast: Any) -> None:
    best = engineer("Best", skill=3, load=4)
    engineer("Full", load=19)
    ticket = opened(cast)
    assert ticket.assigned_to == best
    address = f"/tickets/{ticket.ref}/"
    told = page(cast.ana, address)
    assert "Best: Databases skill 3/3, load 4/20, on shift, total 85; next best Ana 45." in told
    assert "Assigned automatically to <b>Best</b>" in told
    assert "Full" not in told
    table = page(cast.ana, f"{address}?whyme")
    rows = re.findall(r"<tr[^>]*><th scope=\"row\">(.*?)</tr>", table, re.S)
    plain = [" ".join(re.sub("<[^>]+>", " ", row).split()) for row in rows]
    assert plain == ["Best 45 20 20 0 85", "Ana in English 0 25 20 0 45", "Full no room (19/20)"]
    User.objects.filter(pk=cast.ana.pk).update(language="zh-hans")
    told = page(cast.ana, address)
    assert "为什么是我" in told
    assert "Best：数据库 技能 3/3、当前负载 4/20、当班，总分 85；次选 Ana 45。" in told
    for theirs in (page(cast.cora, address), page(cast.cora, f"{address}?whyme")):
        assert "总分" not in theirs
        assert "Full" not in theirs


def test_a_decision_keeps_keys_and_no_names_and_stays_as_it_is(cast: Any) -> None:
    ticket = opened(cast)
    kept = decision(ticket)
    assert (kept.algorithm, kept.winner) == ("assign/1", cast.ana)
    assert "Ana" not in f"{kept.inputs}{kept.candidates}{kept.sentence_zh}{kept.sentence_en}"
    known = known_of(kept.inputs["columns"], kept.inputs["engineers"][0])
    assert (known.key, known.load, known.capacity, known.shift) == (cast.ana.key, 0, 20, "on")
    assert kept.inputs["ticket"]["response_due_in_s"] == 4 * 3600
    for sql in ("UPDATE tickets_assignmentdecision SET winner_id = NULL", "DELETE FROM tickets_assignmentdecision"):
        with (
            pytest.raises(Exception, match="only ever added"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)


# --- By hand ---------------------------------------------------------------------------------------------------------


def test_giving_a_ticket_away_needs_a_reason_and_taking_an_unassigned_one_does_not(cast: Any) -> None:
    ticket = opened(cast)
    client = Client()
    client.force_login(cast.lee)
    address = f"/tickets/{ticket.ref}/"
    for to in (str(cast.lee.pk), ""):
        answer = client.post(f"{address}assign", {"version": "1", "to": to, "reason": " "})
        assert answer.status_code == 422
        assert "Write down why: colleagues read it." in html.unescape(answer.content.decode())
    assert Ticket.objects.get(pk=ticket.pk).assigned_to == cast.ana
    given = {"version": "1", "to": "", "reason": "She is ill"}
    assert client.post(f"{address}assign", given).status_code == 303
    kept = decision(ticket)
    assert (kept.algorithm, kept.winner, kept.manual_by) == ("manual", None, cast.lee)
    assert kept.reason is not None
    assert (kept.reason.kind, kept.reason.body) == ("note", "She is ill")
    assert client.post(f"{address}assign", {"version": "2", "to": str(cast.lee.pk)}).status_code == 303
    kept = decision(ticket)
    assert (kept.winner, kept.manual_by, kept.reason) == (cast.lee, cast.lee, None)
    assert "Lee took it, " in page(cast.ana, address)
    with pytest.raises(Refused):
        actions.assign(ticket=ticket, version=3, to=cast.ana, reason="", by=cast.ana, at=now())


def test_the_form_says_who_has_how_much_and_who_is_away(cast: Any) -> None:
    ticket = opened(cast, "critical")
    away(engineer("Away", load=3))
    engineer("Full", load=20)
    form = page(cast.lee, f"/tickets/{ticket.ref}/?assign")
    for words in ("Ana (8/20)", "Away (3/20) · on leave", "Full (20/20) · no room", "Lee (0/20)"):
        assert words in form
    gone = User.objects.get(name="Away")
    actions.assign(ticket=ticket, version=1, to=gone, reason="She asked for it", by=cast.lee, at=now())
    assert load_of(gone) == 11


# --- Restricted customers --------------------------------------------------------------------------------------------


def test_a_restricted_customers_ticket_goes_to_its_team_only(cast: Any) -> None:
    Customer.objects.filter(pk=cast.acme.pk).update(restricted=True)
    cast.acme.refresh_from_db()
    ticket = opened(cast)
    assert (ticket.assigned_to, excluded(ticket)) == (None, {"Ana": "may not see customer"})
    with pytest.raises(Refused, match="cannot take"), transaction.atomic():
        actions.assign(ticket=ticket, version=1, to=cast.ana, reason="x", by=cast.lee, at=now())
    assert "Ana (" not in page(cast.lee, f"/tickets/{ticket.ref}/?assign")
    CustomerTeam.objects.create(customer=cast.acme, user=cast.ana)
    assert opened(cast).assigned_to == cast.ana


# --- What it costs ---------------------------------------------------------------------------------------------------


def test_filing_asks_the_same_of_one_engineer_and_of_forty(cast: Any) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            opened(cast, "low")
        return len(asked)

    statements()
    few = statements()
    for n in range(40):
        engineer(f"E{n}")
    assert statements() == few
    # Terms, number, message and its words, duty, lock, loads under it, ticket, history, clocks, decision, letters.
    assert few == 12


@pytest.mark.django_db(transaction=True)
def test_fifty_filed_at_once_are_spread_as_if_one_after_another(committed: None) -> None:
    cast = assemble()
    for n in range(4):
        engineer(f"E{n}", languages="zh", capacity=20)
    User.objects.filter(pk=cast.ana.pk).update(is_active=False)

    def file(n: int) -> None:
        try:
            opened(cast, "low", title=f"T{n}")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as crowd:
        list(crowd.map(file, range(50)))
    assert sorted(Load.objects.values_list("points", flat=True)) == [12, 12, 13, 13]
    assert (Ticket.objects.filter(assigned_to=None).count(), loads.reconcile()) == (0, "no drift")
