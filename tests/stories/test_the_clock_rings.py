"""The clock rings: warnings on time, a breach once and for good, and the right people told of each."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.module_loading import import_string

from helpdesk import pulse as pulses
from helpdesk import site
from helpdesk.models import SiteSettings
from sla.models import Breach, Clock, Warning
from tests.stories.travel import Person, at, clock, history, letters, minutes, pulse, shanghai, warned, words
from tickets import sweeping
from tickets.models import Ticket

pytestmark = [pytest.mark.django_db, pytest.mark.story]
SECOND = timedelta(seconds=1)


@pytest.fixture
def ana(cast: Any) -> Person:
    return Person(cast.ana)


@pytest.fixture
def cora(cast: Any) -> Person:
    return Person(cast.cora)


def answered(cast: Any, priority: str = "critical") -> Ticket:
    """Filed at ten, answered a minute later."""
    ticket = Person(cast.cora).files(cast, at("10:00"), priority)
    return Person(cast.ana).says(ticket, at("10:01"))


# --- W1 to W6 through the desk ---------------------------------------------------------------------------------------


def test_w1_warned_at_half_three_quarters_nine_tenths_and_broken_after_the_due_second(cast: Any) -> None:
    ticket = answered(cast)
    minutes(at("10:02"), at("14:05"))
    assert warned(ticket) == [(50, at("12:00")), (75, at("13:00")), (90, at("13:36"))]
    (breach,) = Breach.objects.filter(subject=ticket.ref, kind="resolution")
    assert (breach.kind, breach.due_at, breach.breached_at) == ("resolution", at("14:00"), at("14:00"))
    assert breach.detected_at == at("14:01"), "at 14:00 itself the clock is open"
    assert (breach.priority, breach.target_s, breach.policy, breach.cause) == ("critical", 4 * 3600, 1, "")
    assert clock(ticket).next_event_at is None


def test_w2_the_first_response_to_the_second(cast: Any, cora: Person) -> None:
    ticket = cora.files(cast, at("10:00"))
    marks = [at("10:07:30"), at("10:11:15"), at("10:13:30")]
    for when in marks:
        pulse(when - SECOND)
        pulse(when)
    assert warned(ticket, "response") == list(zip((50, 75, 90), marks, strict=True))
    pulse(at("10:15:00"))
    assert clock(ticket, "response").verdict == "open"
    pulse(at("10:15:01"))
    assert Breach.objects.get(subject=ticket.ref).breached_at == at("10:15")


def test_w3_the_time_with_the_customer_does_not_count(cast: Any, ana: Person, cora: Person) -> None:
    ticket = answered(cast)
    ana.says(ticket, at("11:00"), "ask")
    assert clock(ticket).next_event_at is None
    minutes(at("11:01"), at("11:59"))
    cora.says(ticket, at("12:00"))
    minutes(at("12:01"), at("15:01"))
    assert warned(ticket) == [(50, at("13:00")), (75, at("14:00")), (90, at("14:36"))]
    assert Breach.objects.get(subject=ticket.ref, kind="resolution").due_at == at("15:00")


def test_w4_a_raised_priority_warns_at_once_and_only_of_the_highest(cast: Any, ana: Person) -> None:
    ticket = answered(cast, "medium")
    ana.does("prioritise", ticket, at("13:40"), priority="critical", reason="The whole shop is down")
    minutes(at("13:41"), at("13:50"))
    assert warned(ticket) == [(90, at("13:40"))]
    told = Warning.objects.filter(clock__subject=ticket.ref, clock__kind="resolution").order_by("percent")
    assert list(told.values_list("percent", "superseded")) == [(50, True), (75, True), (90, False)]
    assert [x.data["percent"] for x in letters(ticket, "ticket.warning", of="resolution")] == [90, 90, 90, 90]


def test_w5_a_worker_that_was_down_says_when_it_was_broken_and_when_it_was_seen(cast: Any) -> None:
    ticket = answered(cast)
    minutes(at("10:02"), at("11:00"))
    pulse(at("15:00"))
    breach = Breach.objects.get(subject=ticket.ref, kind="resolution")
    assert (breach.breached_at, breach.detected_at) == (at("14:00"), at("15:00"))
    assert warned(ticket) == []
    assert not letters(ticket, "ticket.warning", of="resolution")
    told = Warning.objects.filter(clock__subject=ticket.ref, clock__kind="resolution").order_by("percent")
    assert list(told.values_list("percent", "superseded")) == [(50, True), (75, True), (90, True)]
    line, _update = history(ticket, "ticket.breached")
    assert (line.at, line.data["breached"]) == (at("15:00"), at("14:00").isoformat())
    assert Ticket.objects.get(pk=ticket.pk).last_event_at == at("15:00")


def test_w6_a_low_ticket_is_warned_in_days(cast: Any, cora: Person) -> None:
    ticket = cora.files(cast, at("10:00"), "low")
    expected = {"response": [43_200, 64_800, 77_760], "resolution": [129_600, 194_400, 233_280]}
    for when in sorted(s for both in expected.values() for s in both):
        pulse(at("10:00") + timedelta(seconds=when))
    for kind, seconds in expected.items():
        assert [when - at("10:00") for _p, when in warned(ticket, kind)] == [timedelta(seconds=s) for s in seconds]


# --- The night of a breach -------------------------------------------------------------------------------------------


def test_each_rung_of_the_ladder_hears_once(cast: Any) -> None:
    ticket = answered(cast)
    minutes(at("10:02"), at("14:02"))
    heard: dict[int, list[str]] = {}
    for letter in letters(ticket, "ticket.warning", of="resolution"):
        heard.setdefault(letter.data["percent"], []).append(letter.to_key)
    ana, lee, ada, abe = cast.ana.key, cast.lee.key, cast.ada.key, cast.abe.key
    assert heard == {50: [ana], 75: [ana, lee], 90: [ana, lee, ada, abe]}
    broken = letters(ticket, "ticket.breached", of="resolution")
    assert [x.to_key for x in broken] == [ana, lee, ada, abe]
    data = {
        "ref": ticket.ref,
        "kind": "resolution",
        "due": at("14:00").isoformat(),
        "breached": at("14:00").isoformat(),
    }
    assert broken[0].data == data


def test_where_nobody_has_the_ticket_the_leads_hear_from_the_first_warning_on(cast: Any, ana: Person) -> None:
    ticket = answered(cast)
    Person(cast.lee).does("assign", ticket, at("10:05"), to="", reason="Ana is ill")
    minutes(at("10:06"), at("12:00"))
    assert [x.to_key for x in letters(ticket, "ticket.warning", of="resolution")] == [cast.lee.key]


def test_the_page_the_queue_and_the_history_say_so_in_both_languages(cast: Any, ana: Person) -> None:
    ticket = answered(cast)
    minutes(at("10:02"), at("14:02"))
    page = ana.see(f"/tickets/{ticket.ref}/", at("14:10"))
    assert f"Promise broken {shanghai(at('14:00'))}" in words(page)
    assert "<b>Resolution: promise broken</b>" in page
    assert "<b>90 %</b> of the time used" in page
    assert 'data-state="late"' in ana.see("/tickets/", at("14:10"))
    cast.ana.language = "zh-hans"
    cast.ana.save()
    page = ana.see(f"/tickets/{ticket.ref}/", at("14:10"))
    assert "<b>解决承诺已违约</b>" in page
    assert "时间已用 <b>90 %</b>" in page


def test_the_customer_and_outsiders_read_nothing_of_it(cast: Any, cora: Person) -> None:
    ticket = answered(cast)
    minutes(at("10:02"), at("14:02"))
    page = cora.see(f"/tickets/{ticket.ref}/", at("14:10"))
    for word in ("promise broken", "已违约</b>", "时间已用", "of the time used"):
        assert word not in page
    assert {e.audience for e in history(ticket, "ticket.warned", "ticket.breached")} == {"staff"}
    theirs = {cast.cora.email, cast.carla.email, cast.gus.email}
    assert not [x for k in ("warning", "breached") for x in letters(ticket, f"ticket.{k}") if x.to_address in theirs]


def test_a_warning_makes_no_page_old(cast: Any, ana: Person) -> None:
    ticket = answered(cast)
    minutes(at("10:02"), at("14:02"))
    now = Ticket.objects.get(pk=ticket.pk)
    assert now.version == ticket.version
    assert now.last_event_at == at("14:01")
    ana.says(ticket, at("14:30"), "resolve")
    assert clock(ticket).verdict == "breached"
    assert Breach.objects.filter(subject=ticket.ref, kind="resolution").count() == 1


# --- The regular update ----------------------------------------------------------------------------------------------


def test_the_regular_update_warns_breaks_and_begins_anew_with_each_public_word(cast: Any, ana: Person) -> None:
    ticket = answered(cast)
    assert (Ticket.objects.get(pk=ticket.pk).due_kind, ticket.sla_due_at) == ("update", at("11:01"))
    minutes(at("10:02"), at("10:50"))
    assert warned(ticket, "update") == [(50, at("10:31")), (75, at("10:46"))]
    (first, *_more) = letters(ticket, "ticket.warning", of="update")
    ticket = ana.says(ticket, at("10:50"))
    assert ticket.sla_due_at == at("11:50")
    assert not import_string("tickets.ladder.clock_still_open")(first), "the update came"
    minutes(at("10:51"), at("11:52"))
    breach = Breach.objects.get(subject=ticket.ref)
    assert (breach.kind, breach.clock.cycle, breach.breached_at) == ("update", 2, at("11:50"))
    assert len(letters(ticket, "ticket.breached", of="update")) == 4
    page = ana.see(f"/tickets/{ticket.ref}/", at("11:55"))
    assert "<b>Regular update: promise broken</b>" in page
    ana.says(ticket, at("12:00"))
    cycles = Clock.objects.filter(subject=ticket.ref, kind="update").order_by("cycle")
    assert [(c.verdict, c.due_at, c.completed_at) for c in cycles] == [
        ("met", at("11:01"), at("10:50")),
        ("breached", at("11:50"), at("12:00")),
        ("open", at("13:00"), None),
    ]
    minutes(at("12:01"), at("13:02"))
    assert Breach.objects.filter(subject=ticket.ref, kind="update").count() == 2, "once a cycle"


def test_no_update_is_owed_while_the_customer_is_asked_or_it_is_resolved(cast: Any, ana: Person, cora: Person) -> None:
    ticket = answered(cast)
    ticket = ana.says(ticket, at("10:30"), "ask")
    assert (ticket.sla_due_at, ticket.due_kind) == (None, "")
    ticket = cora.says(ticket, at("12:30"))
    assert (ticket.sla_due_at, ticket.due_kind) == (at("13:30"), "update")
    ticket = ana.says(ticket, at("13:00"), "resolve")
    cycles = Clock.objects.filter(subject=ticket.ref, kind="update").order_by("cycle")
    assert [(c.cycle, c.verdict) for c in cycles] == [(1, "met"), (2, "met")]


def test_a_cycle_that_only_time_ended_counts_nowhere(cast: Any, ana: Person, cora: Person) -> None:
    ticket = answered(cast)
    ticket = cora.does("withdraw", ticket, at("10:20"), reason="withdrawn")
    (only,) = Clock.objects.filter(subject=ticket.ref, kind="update")
    assert (only.verdict, only.completed_at, only.next_event_at) == ("n/a", at("10:20"), None)


# --- Among ourselves -------------------------------------------------------------------------------------------------


def test_a_ticket_that_nobody_has_is_a_line_for_the_staff_and_for_nobody_else(cast: Any, cora: Person) -> None:
    cast.ana.is_active = cast.lee.is_active = False
    cast.ana.save()
    cast.lee.save()
    ticket = cora.files(cast, at("10:00"))
    kept = Clock.objects.get(subject=ticket.ref, kind="ola_assign")
    assert (kept.verdict, kept.due_at) == ("open", at("10:05"))
    assert ticket.sla_due_at == at("10:15"), "it is no promise to the customer"
    minutes(at("10:01"), at("10:06"))
    (line,) = history(ticket, "ticket.breached")
    assert (line.data["kind"], line.audience) == ("ola_assign", "staff")
    assert not letters(ticket, "ticket.breached")
    assert not letters(ticket, "ticket.warning")
    assert "assigned" not in words(cora.see(f"/tickets/{ticket.ref}/", at("10:07")))
    assert "Internal: assigned: promise broken" in words(Person(cast.ada).see(f"/tickets/{ticket.ref}/", at("10:07")))


# --- Who comes first -------------------------------------------------------------------------------------------------


def test_a_late_reply_that_comes_before_the_sweep_writes_the_breach_itself(
    cast: Any, ana: Person, cora: Person
) -> None:
    ticket = cora.files(cast, at("10:00"))
    ana.says(ticket, at("10:15:20"))
    breach = Breach.objects.get(subject=ticket.ref)
    assert (breach.breached_at, breach.detected_at) == (at("10:15"), at("10:15:20"))
    pulse(at("10:16"))
    assert len(history(ticket, "ticket.breached")) == 1
    assert len(letters(ticket, "ticket.breached")) == 4
    assert clock(ticket, "response").completed_at == at("10:15:20")


def test_a_priority_raised_past_its_target_is_broken_at_that_moment(cast: Any, ana: Person) -> None:
    ticket = answered(cast, "low")
    ana.does("prioritise", ticket, at("15:00"), priority="critical", reason="It spread")
    breach = Breach.objects.get(subject=ticket.ref, kind="resolution")
    assert (breach.due_at, breach.breached_at, breach.cause) == (at("14:00"), at("15:00"), "priority_raised")
    assert not letters(ticket, "ticket.warning", of="resolution")
    assert "once the priority was raised" in ana.see(f"/tickets/{ticket.ref}/", at("15:01"))


def test_what_was_undone_stays_broken(cast: Any, ana: Person, cora: Person) -> None:
    ticket = cora.files(cast, at("10:00"))
    ana.says(ticket, at("10:16"))
    ana.send(f"/tickets/{ticket.ref}/undo", at("10:16:05"))
    pulse(at("10:17"))
    assert Breach.objects.filter(subject=ticket.ref).count() == 1
    assert clock(ticket, "response").verdict == "breached"
    assert len(history(ticket, "ticket.breached")) == 1


def test_a_merged_ticket_rings_no_more(cast: Any, ana: Person, cora: Person) -> None:
    first, second = cora.files(cast, at("10:00")), cora.files(cast, at("10:05"))
    ana.does("merge", second, at("10:06"), other=first.ref, sure="yes")
    assert Ticket.objects.get(pk=second.pk).merged_into == first
    minutes(at("10:07"), at("10:30"))
    assert not Breach.objects.filter(subject=second.ref).exists()
    assert Breach.objects.filter(subject=first.ref).exists()


# --- It stays written ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["sla_breach", "sla_warning"])
@pytest.mark.parametrize("change", ["UPDATE {} SET target_s = 1", "DELETE FROM {}"])
def test_nobody_changes_what_was_written(cast: Any, table: str, change: str) -> None:
    ticket = answered(cast)
    minutes(at("10:02"), at("14:02"))
    with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change.format(table))
    breach = Breach.objects.get(subject=ticket.ref, kind="resolution")
    breach.target_s = 1
    for attempt in (breach.save, breach.delete, Breach.objects.all().delete, Warning.objects.all().delete):
        with pytest.raises(TypeError, match="never"):
            attempt()
    with pytest.raises(TypeError, match="never"):
        Breach.objects.update(target_s=1)


def test_what_has_nothing_to_say_is_not_looked_at(cast: Any, ana: Person) -> None:
    ticket = answered(cast)
    assert clock(ticket, "response").next_event_at is None
    assert clock(ticket).next_event_at == at("12:00")
    ana.says(ticket, at("11:00"), "resolve")
    assert not Clock.objects.exclude(next_event_at=None).exists()


# --- Who is told late, and who else ----------------------------------------------------------------------------------


def test_a_warning_that_is_not_true_any_more_does_not_leave(cast: Any, ana: Person, settings: Any) -> None:
    ticket = answered(cast)
    minutes(at("10:02"), at("12:01"))
    (letter,) = letters(ticket, "ticket.warning", of="resolution")
    asks = import_string(settings.OUTBOX_GUARDS[letter.guard])
    assert asks(letter)
    ana.says(ticket, at("12:05"), "resolve")
    assert not asks(letter)


def test_the_director_hears_of_a_breach_in_the_language_of_the_house(cast: Any) -> None:
    SiteSettings.objects.update_or_create(pk=1, defaults={"director_mail": "director@desk.example"})
    site.forget()
    ticket = answered(cast)
    minutes(at("10:02"), at("14:02"))
    *_ladder, last = letters(ticket, "ticket.breached")
    assert (last.to_key, last.to_address, last.language) == ("director", "director@desk.example", "zh-hans")
    assert "director@desk.example" not in [x.to_address for x in letters(ticket, "ticket.warning")]


def test_a_director_who_is_one_of_us_hears_once(cast: Any) -> None:
    SiteSettings.objects.update_or_create(pk=1, defaults={"director_mail": cast.ada.email.upper()})
    site.forget()
    ticket = answered(cast)
    minutes(at("10:02"), at("14:02"))
    assert [x.to_address for x in letters(ticket, "ticket.breached", of="resolution")].count(cast.ada.email) == 1
    assert len(letters(ticket, "ticket.breached", of="resolution")) == 4


def test_who_does_without_warnings_hears_of_breaches_all_the_same(cast: Any) -> None:
    cast.lee.no_mail = ["warning"]
    cast.lee.save()
    ticket = answered(cast)
    minutes(at("10:02"), at("14:02"))
    assert cast.lee.key not in [x.to_key for x in letters(ticket, "ticket.warning")]
    assert cast.lee.key in [x.to_key for x in letters(ticket, "ticket.breached")]


def test_an_engineer_who_may_no_longer_see_the_customer_hears_nothing(cast: Any) -> None:
    ticket = answered(cast)
    cast.acme.restricted = True
    cast.acme.save()
    minutes(at("10:02"), at("12:01"))
    assert [x.to_key for x in letters(ticket, "ticket.warning", of="resolution")] == [cast.lee.key]


# --- The console -----------------------------------------------------------------------------------------------------


def test_the_console_shows_the_last_sweep_and_what_was_broken(cast: Any) -> None:
    lee = Person(cast.lee)
    assert "never" in words(lee.see("/console/", at("09:00")))
    ticket = answered(cast)
    minutes(at("10:02"), at("14:02"))
    page = words(lee.see("/console/", at("14:03")))
    assert "Clocks last looked at 22:02" in page
    assert f"{ticket.ref} Acme Resolution Critical 22:00 22:00 22:01" in page
    assert f"{ticket.ref} Resolution 90 % 21:36" in page
    late = lee.see("/console/", at("14:30"))
    assert 'data-state="bad"' in late[late.index("Clocks last looked at") : late.index("It took")]


def test_the_console_costs_the_same_however_much_was_broken(cast: Any, cora: Person) -> None:
    lee = Person(cast.lee)

    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            lee.see("/console/", at("16:00"))
        return len(asked)

    answered(cast)
    pulse(at("14:02"))
    statements()
    few = statements()
    for n in range(4):
        cora.files(cast, at(f"10:0{n + 2}"))
    minutes(at("14:10"), at("14:20"))
    assert Breach.objects.count() > 4
    assert statements() == few


def test_a_heap_is_eaten_a_bite_a_second_and_nothing_else_waits(
    cast: Any, cora: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        cora.files(cast, at(f"10:0{n}"))
    monkeypatch.setattr(sweeping, "BITE_S", 0.0)
    monkeypatch.setattr(pulses, "PULSE", [step for step in pulses.PULSE if step[0] == "clocks"])
    due = {"clocks": 0.0}
    seen = []
    for second in range(5):
        pulses.beat(at("10:30") + second * SECOND, due)
        seen.append(Breach.objects.filter(kind="response").count())
    assert seen == [1, 2, 3, 3, 3]
    assert due["clocks"] > 0, "then it is a minute until the next"
