"""A calendar knows until when its holidays are published: who is told, once, and where a due time may still move."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from helpdesk.outbox.compose import compose
from helpdesk.outbox.models import Letter
from sla import calendar_sound, clocks
from sla.calendar_ends import endings, is_beyond, tell, unpublished
from sla.models import Calendar, CalendarVersion, Clock, PolicyVersion, Target
from tests.cast import Cast
from tests.docs.test_publishing import client_of, text
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
CALENDARS = "/sla-config/calendars"


def on(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T04:00:00+00:00")


def china() -> CalendarVersion:
    return CalendarVersion.objects.get(calendar__code="CN-8x5", number=1)


def extended() -> CalendarVersion:
    """The next list, published already."""
    old = china()
    return CalendarVersion.objects.create(
        calendar=old.calendar, number=2, state="published", zone=old.zone, rules=old.rules,
        known_until=date(2027, 12, 31), effective_at=on("2026-11-01"), published_at=on("2026-11-01"),
    )  # fmt: skip


def test_administrators_are_told_at_sixty_thirty_and_seven_days_once_each(cast: Cast) -> None:
    told = {day: tell(on(day)) for day in ("2026-11-01", "2026-11-02", "2026-11-03", "2026-12-01", "2026-12-24")}
    assert told == {"2026-11-01": 2, "2026-11-02": 0, "2026-11-03": 0, "2026-12-01": 2, "2026-12-24": 2}
    assert tell(on("2026-12-25")) == tell(on("2027-01-05")) == 0
    letters = Letter.objects.filter(kind="calendar.ends")
    assert {letter.to_key for letter in letters} == {cast.ada.key, cast.abe.key}
    mail = compose(letters[0], on("2026-11-01"))
    assert mail
    assert "2026-12-31" in mail.subject
    assert "/admin/sla/calendar/" in mail.body


def test_a_worker_that_was_away_tells_the_nearest_mark_only(cast: Cast) -> None:
    assert tell(on("2026-12-28")) == 2
    assert {letter.data["mark"] for letter in Letter.objects.filter(kind="calendar.ends")} == {7}
    assert tell(on("2026-12-29")) == 0


def test_nobody_is_told_before_or_where_the_next_list_is_published(cast: Cast) -> None:
    assert tell(on("2026-10-31")) == 0
    letter = [tell(on("2026-11-05")), Letter.objects.filter(kind="calendar.ends")[0]][1]
    extended()
    assert endings(on("2026-12-30")) == []
    assert tell(on("2026-12-30")) == 0
    assert compose(letter, on("2026-12-30")) is None, "what is no longer true is not sent"


def test_the_console_and_the_admin_warn(cast: Cast, monkeypatch: Any) -> None:
    monkeypatch.setattr(timezone, "now", lambda: on("2026-11-25"))
    assert "China office hours: holidays known until 2026-12-31" in text(client_of(cast.lee).get("/console/"))
    assert "known until 2026-12-31 only" in text(client_of(cast.ada).get("/admin/sla/calendar/"))
    monkeypatch.setattr(timezone, "now", lambda: on("2026-09-01"))
    assert "holidays known until" not in text(client_of(cast.lee).get("/console/"))


def test_a_due_time_beyond_it_says_so_on_the_tickets_of_that_calendar(cast: Cast) -> None:
    filed = {"title": "T", "description": "D", "category": "technical", "impact": "question", "urgency": "wait"}
    answer = client_of(cast.gus).post("/tickets/create", filed | {"customer": str(cast.globex.pk), "once": "a"})
    assert answer.status_code == 303
    ticket = Ticket.objects.get()
    version = china()
    Ticket.objects.filter(pk=ticket.pk).update(calendar=version)
    words = "holidays not yet published"
    for person in (cast.gus, cast.ana):
        assert words not in text(client_of(person).get(f"/tickets/{ticket.ref}/"))
    Clock.objects.filter(subject=ticket.ref, kind="resolution").update(due_at=on("2027-01-05"))
    for person in (cast.gus, cast.ana):
        assert text(client_of(person).get(f"/tickets/{ticket.ref}/")).count(words) == 1
    around = CalendarVersion.objects.get(calendar__code="24x7")
    Ticket.objects.filter(pk=ticket.pk).update(calendar=around)
    assert words not in text(client_of(cast.ana).get(f"/tickets/{ticket.ref}/"))


def test_the_last_known_day_itself_is_known(cast: Cast, django_assert_num_queries: Any) -> None:
    version = china().pk
    clocks.calendar_of(version)
    end = datetime(2026, 12, 31, 16, tzinfo=UTC)  # midnight in Shanghai
    with django_assert_num_queries(0):
        assert not is_beyond(version, end)
        assert is_beyond(version, end + timedelta(seconds=1))
        assert not is_beyond(version, None)
        decided = Clock(kind="response", due_at=end + timedelta(days=9), completed_at=end)
        assert unpublished(version, [decided]) == set()


# --- The page --------------------------------------------------------------------------------------------------------


def test_the_staff_see_every_calendar_with_its_year(cast: Cast) -> None:
    page = text(client_of(cast.ana).get(f"{CALENDARS}?year=2026"))
    for word in ("24×7", "China office hours", "US Eastern office hours", "UK nights", "Asia/Shanghai", "2026-12-31"):
        assert word in page
    for word in ("Mon–Fri 09:00–12:00, 13:00–18:00", "2026-02-15 – 02-23", "Spring Festival", "keeps no holidays"):
        assert word in page
    assert "Its holidays of this year are not published yet" in text(client_of(cast.ana).get(f"{CALENDARS}?year=2027"))
    assert "Calendars 2026" in text(client_of(cast.ana).get(f"{CALENDARS}?year=2026"))
    assert client_of(cast.ana).get(f"{CALENDARS}?year=x").status_code == 200


def test_an_administrator_of_a_company_sees_the_calendar_of_its_promises_alone(cast: Cast) -> None:
    page = text(client_of(cast.carla).get(CALENDARS))
    assert "24×7" in page
    assert "China office hours" not in page
    assert CALENDARS in client_of(cast.carla).get("/sla-config").content.decode()
    for person in (cast.cora, cast.gus):
        assert client_of(person).get(CALENDARS).status_code == 404
        assert CALENDARS not in client_of(person).get("/sla-config").content.decode()
    assert "login" in Client().get(CALENDARS).headers["Location"]


def test_an_auditor_sees_what_was_decided_and_not_who(cast: Cast) -> None:
    version = extended()
    assert CalendarVersion.objects.filter(pk=version.pk).exists()
    assert "Approver" in text(client_of(cast.ana).get(CALENDARS))
    assert "Approver" not in text(client_of(cast.audrey).get(CALENDARS))


def test_it_costs_the_same_however_many_versions_there_are(cast: Cast, django_assert_num_queries: Any) -> None:
    ana = client_of(cast.ana)
    ana.get(CALENDARS)
    for count in (0, 1):
        if count:
            extended()
            made = Calendar.objects.create(code="DE", label_zh="德国", label_en="Germany")
            old = china()
            CalendarVersion.objects.create(
                calendar=made, number=1, state="published", zone="Europe/Berlin", rules=old.rules,
                known_until=old.known_until, effective_at=on("2026-01-01"), published_at=on("2026-01-01"),
            )  # fmt: skip
        with django_assert_num_queries(3):
            assert ana.get(CALENDARS).status_code == 200


def test_appendix_c_of_the_policy_is_made_of_the_same_rows(cast: Cast) -> None:
    page = text(Client().get("/docs/SLA-POLICY?lang=en")).split("Appendix C")[-1]
    for word in ("China office hours", "2026-02-15–02-23 Spring Festival", "2026-02-14 Spring Festival worked instead"):
        assert word in page
    assert "春节" in text(Client().get("/docs/SLA-POLICY?lang=zh"))


# --- The linter ------------------------------------------------------------------------------------------------------


def doubts(rules: dict[str, Any], *words: str, known: str = "2027-12-31", minutes: int = 15) -> list[str]:
    calendar = Calendar(code="X", label_zh="工作时间", label_en="Office")
    version = CalendarVersion(
        calendar=calendar, number=1, zone="Asia/Shanghai", rules=rules, known_until=date.fromisoformat(known)
    )
    target = Target(response_time_minutes=minutes, description_zh="", description_en="")
    return calendar_sound.doubts(version, [target], words, on("2026-11-25"))


WEEK = {"kind": "hours", "week": {"0": [["09:00", "12:00"]]}}


def test_the_linter_says_what_a_promise_rests_on() -> None:
    assert doubts(WEEK, "office hours") == []
    assert "24×7 is claimed" in doubts(WEEK, "24×7")[0]
    assert "24×7 is claimed" in doubts(WEEK, "全天候支持")[0]
    assert doubts({"kind": "24x7"}, "24×7") == []
    assert "known until 2027-02-01 only" in doubts(WEEK, known="2027-02-01")[0]
    assert doubts(WEEK, known="2027-02-24") == []
    assert "overlap" in doubts({"kind": "hours", "week": {"0": [["09:00", "12:00"], ["11:00", "13:00"]]}})[0]
    assert "never open" in doubts({"kind": "hours", "week": {}})[0]
    once = {"kind": "hours", "week": {}, "workdays": {"2026-12-01": [["09:00", "10:00"]]}, "closed": []}
    assert doubts(once, minutes=60) == []
    assert "never becomes due" in doubts(once, minutes=61)[0]


def test_whoever_publishes_a_calendar_is_told_that_its_next_list_is_missing(cast: Cast, monkeypatch: Any) -> None:
    monkeypatch.setattr(timezone, "now", lambda: on("2026-11-25"))
    client_of(cast.ada).post(f"/admin/sla/calendar/{china().calendar_id}/draft/")
    page = f"/admin/sla/calendarversion/{CalendarVersion.objects.get(number=2).pk}/change/"
    for person in (cast.ada, cast.abe):
        assert "are known until 2026-12-31 only" in text(client_of(person).get(page))
    client_of(cast.ada).post(page.replace("change", "import"), {"year": 2027, "text": "2027-01-01", "accept": "1"})
    assert "only: import the next year" not in text(client_of(cast.abe).get(page))


def test_the_page_that_publishes_shows_them(cast: Cast) -> None:
    client_of(cast.ada).post("/sla-config/draft")
    assert "24×7 is claimed" not in text(client_of(cast.ada).get("/sla-config/publish"))
    Calendar.objects.filter(is_default=True).update(is_default=False)
    Calendar.objects.filter(code="CN-8x5").update(is_default=True)
    page = text(client_of(cast.ada).get("/sla-config/publish"))
    assert "24×7 is claimed, but the calendar “China office hours” has office hours" in page
    assert PolicyVersion.objects.filter(number=2).exists()
