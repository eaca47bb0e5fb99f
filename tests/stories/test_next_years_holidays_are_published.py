"""An administrator pastes next year's list, looks at what it changes and submits it; another one publishes it."""

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client

from helpdesk.audit.models import Entry
from sla.models import Calendar, CalendarVersion
from tests.cast import Cast
from tests.docs.test_publishing import client_of, text
from tests.sla.test_calendar_ics import event, file

pytestmark = pytest.mark.django_db
LIST = "元旦：1月1日至3日放假，1月4日上班\n2027-02-05..02-11 春节\n2027-02-20 补班 09:00-12:00"


def china() -> Calendar:
    return Calendar.objects.get(code="CN-8x5")


def drafted(cast: Cast) -> CalendarVersion:
    answer = client_of(cast.ada).post(f"/admin/sla/calendar/{china().pk}/draft/")
    assert answer.status_code == 302
    return CalendarVersion.objects.get(calendar=china(), number=2)


def change(version: CalendarVersion) -> str:
    return f"/admin/sla/calendarversion/{version.pk}/change/"


def imports(version: CalendarVersion) -> str:
    return f"/admin/sla/calendarversion/{version.pk}/import/"


def step(person: Any, version: CalendarVersion, verb: str, **said: Any) -> Any:
    return client_of(person).post(f"/admin/sla/calendarversion/{version.pk}/step/{verb}/", said, follow=True)


def form_of(page: Any, **changed: Any) -> dict[str, Any]:
    form = page.context["adminform"].form
    return {f.html_name: "" if f.value() in (None, False) else f.value() for f in form} | changed


def seen(person: Any, version: CalendarVersion) -> str:
    found = re.search(r'name="seen" value="([0-9a-f]+)"', client_of(person).get(change(version)).content.decode())
    assert found
    return found[1]


def test_pasted_looked_at_accepted_submitted_and_published_by_somebody_else(cast: Cast) -> None:
    version, ada = drafted(cast), client_of(cast.ada)
    assert 'value="2027"' in ada.get(imports(version)).content.decode(), "the year that is wanted is proposed"
    page = ada.post(imports(version), {"year": 2027, "text": LIST, "preview": "1"})
    told = text(page)
    for word in ("2027-01-01", "added", "元旦", "Working days a month", "Accept into the draft", "January, 20 working"):
        assert word in told or word in page.content.decode(), word
    version.refresh_from_db()
    assert not any(day.startswith("2027") for day in version.rules["closed"]), "a look changes nothing"
    assert ada.post(imports(version), {"year": 2027, "text": LIST, "accept": "1"}).status_code == 302
    version.refresh_from_db()
    assert [d for d in version.rules["closed"] if d.startswith("2027-01")] == ["2027-01-01", "2027-01-02", "2027-01-03"]
    assert version.rules["workdays"]["2027-02-20"] == [["09:00", "12:00"]]
    assert "2026-10-01" in version.rules["closed"], "the year before stays"
    assert version.known_until == date(2027, 12, 31)
    assert Entry.objects.get(action="calendar.imported").data == {"year": 2027, "added": 12, "changed": 0}
    step(cast.ada, version, "submit")
    assert "Another administrator has to publish it" in text(
        step(cast.ada, version, "publish", seen=seen(cast.abe, version))
    )
    step(cast.abe, version, "publish", seen=seen(cast.abe, version))
    version.refresh_from_db()
    assert (version.state, version.approver, version.author) == ("published", cast.abe, cast.ada)
    with pytest.raises(DatabaseError), transaction.atomic():
        CalendarVersion.objects.filter(pk=version.pk).update(known_until=None)
    lines = [e.action for e in Entry.objects.filter(subject="calendar:CN-8x5:2").order_by("id")]
    assert lines == ["calendar.drafted", "calendar.imported", "calendar.submitted", "calendar.published"]


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"year": "2027", "text": "2027-01-01\nnothing"}, "line 2: There is no date"),
        ({"year": "2027", "text": "2027-01-01\n2027-01-01"}, "line 2: 2027-01-01 is there twice"),
        ({"year": "2027", "text": "2027-01-01\n2027-01-01 workday"}, "is a workday and closed as well"),
        ({"year": "2027", "text": "2027-01-01 workday 12:00-09:00"}, "ends before it starts"),
        ({"year": "2027", "text": "2027-01-01 workday 09:00-12:00 11:00-13:00"}, "overlap"),
        ({"year": "2027", "text": "2026-01-01"}, "does not lie in 2027"),
        ({"year": "1066", "text": "2027-01-01"}, "Write a year from 2000 on"),
        ({"year": "", "text": "2027-01-01"}, "Say which year"),
        ({"year": "2027", "text": ""}, "Paste the list, or choose a file"),
    ],
)
def test_what_is_wrong_is_named_nothing_is_saved_and_what_was_pasted_stays(
    cast: Cast, said: dict[str, str], word: str
) -> None:
    version = drafted(cast)
    before = dict(version.rules)
    page = client_of(cast.ada).post(imports(version), said | {"accept": "1"})
    assert page.status_code == 422
    assert word in text(page)
    assert all(line in page.content.decode() for line in said["text"].splitlines())
    version.refresh_from_db()
    assert version.rules == before


def test_an_icalendar_file_becomes_lines_and_a_file_that_is_none_is_told(cast: Cast) -> None:
    version, ada = drafted(cast), client_of(cast.ada)
    content = file(event("春节（休）", "20270205", "DTEND;VALUE=DATE:20270208"), event("春节（班）", "20270220"))
    page = ada.post(imports(version), {"year": 2027, "calendar_file": SimpleUploadedFile("cn.ics", content)})
    assert page.status_code == 200
    assert "2027-02-05..02-07 春节" in page.content.decode()
    assert "2027-02-20 workday 春节" in page.content.decode()
    page = ada.post(imports(version), {"year": 2027, "calendar_file": SimpleUploadedFile("x.ics", b"\x00\xff")})
    assert (page.status_code, "This file is no iCalendar" in text(page)) == (422, True)
    page = ada.post(imports(version), {"year": 2027, "calendar_file": SimpleUploadedFile("x.ics", content * 4000)})
    assert (page.status_code, "larger than a calendar of a year" in text(page)) == (422, True)


def test_a_draft_is_typed_and_a_mistake_is_named_at_its_field(cast: Cast) -> None:
    version, ada = drafted(cast), client_of(cast.ada)
    page = ada.get(change(version))
    assert page.status_code == 200
    assert "2026-02-15..02-23 春节" in page.content.decode()
    typed = form_of(page, day_5="09:00-12:00, 22:00-24:00", zone="Asia/Hong_Kong")
    assert ada.post(change(version), typed).status_code == 302
    version.refresh_from_db()
    assert version.rules["week"]["5"] == [["09:00", "12:00"], ["22:00", "24:00"]]
    assert version.zone == "Asia/Hong_Kong"
    for changed, word in [
        ({"day_0": "12:00-09:00"}, "ends before it starts"),
        ({"day_0": "09:00-12:00, 11:00-13:00"}, "overlap"),
        ({"zone": "Mars/Base"}, "Choose a zone"),
        ({"exceptions": "2027-01-01", "known_until": "2026-12-31"}, "It has a day after this"),
        ({"known_until": ""}, "Say until when its holidays are published"),
        ({"exceptions": "1 January"}, "line 1: There is no date"),
        ({f"day_{n}": "" for n in range(7)} | {"exceptions": "", "known_until": ""}, "never open"),
    ]:
        answer = ada.post(change(version), typed | changed)
        assert (answer.status_code, word in text(answer)) == (200, True), (changed, text(answer)[:2000])
    version.refresh_from_db()
    assert version.zone == "Asia/Hong_Kong"


def test_nobody_else_edits_a_draft_and_strangers_find_nothing(cast: Cast) -> None:
    version = drafted(cast)
    typed = form_of(client_of(cast.ada).get(change(version)))
    assert client_of(cast.abe).post(change(version), typed).status_code == 403
    assert client_of(cast.abe).get(imports(version)).status_code == 404
    step(cast.abe, version, "submit")
    version.refresh_from_db()
    assert version.state == "draft"
    for person in (cast.lee, cast.ana, cast.gus, cast.carla, cast.audrey):
        for url in (change(version), imports(version), f"/admin/sla/calendar/{china().pk}/change/"):
            assert client_of(person).get(url, follow=True).status_code == 404
        assert step(person, version, "submit").status_code == 404
    assert "login" in Client().get(imports(version)).headers["Location"]
    first = CalendarVersion.objects.get(calendar=china(), number=1)
    shown = client_of(cast.ada).get(change(first))
    assert shown.status_code == 200
    assert "Monday 09:00-12:00, 13:00-18:00" in text(shown)
    assert 'name="_save"' not in shown.content.decode()
    assert step(cast.ada, first, "steal").status_code == 404


def test_one_draft_is_open_and_it_is_given_back_or_discarded(cast: Cast) -> None:
    version = drafted(cast)
    again = client_of(cast.abe).post(f"/admin/sla/calendar/{china().pk}/draft/", follow=True)
    assert "There is an open draft already" in text(again)
    step(cast.ada, version, "submit")
    step(cast.abe, version, "give_back")
    version.refresh_from_db()
    assert version.state == "draft"
    step(cast.ada, version, "discard")
    assert CalendarVersion.objects.filter(calendar=china()).count() == 1


def test_whoever_publishes_names_what_they_have_read_and_no_past(cast: Cast) -> None:
    version = drafted(cast)
    step(cast.ada, version, "submit")
    read = seen(cast.abe, version)
    assert "This is past" in text(step(cast.abe, version, "publish", seen=read, effective_at="2020-01-01T00:00"))
    assert "Write day and time" in text(step(cast.abe, version, "publish", seen=read, effective_at="soon"))
    step(cast.abe, version, "give_back")
    client_of(cast.ada).post(imports(version), {"year": 2027, "text": "2027-01-01", "accept": "1"})
    step(cast.ada, version, "submit")
    assert "has changed meanwhile" in text(step(cast.abe, version, "publish", seen=read))
    version.refresh_from_db()
    assert version.state == "submitted"
    soon = {"seen": seen(cast.abe, version), "effective_at": "2040-01-01T00:00"}
    step(cast.abe, version, "publish", **soon)
    version.refresh_from_db()
    assert version.effective_at == datetime(2039, 12, 31, 16, tzinfo=UTC), "in the approver's zone"


def test_a_calendar_is_made_and_named_by_administrators(cast: Cast) -> None:
    ada = client_of(cast.ada)
    said = {"code": "DE-8x5", "label_zh": "德国工作时间", "label_en": "Germany office hours"}
    assert ada.post("/admin/sla/calendar/add/", said).status_code == 302
    made = Calendar.objects.get(code="DE-8x5")
    assert "already exists" in text(ada.post("/admin/sla/calendar/add/", said))
    assert ada.post(f"/admin/sla/calendar/{made.pk}/change/", said | {"label_en": "Germany"}).status_code == 302
    assert [e.action for e in Entry.objects.filter(subject="calendar:DE-8x5").order_by("id")] == [
        "calendar.created",
        "calendar.renamed",
    ]
    ada.post(f"/admin/sla/calendar/{made.pk}/draft/")
    version = CalendarVersion.objects.get(calendar=made)
    assert (version.number, version.zone) == (1, "Asia/Shanghai")
    assert ada.post(change(version), form_of(ada.get(change(version)), around="on")).status_code == 302
    version.refresh_from_db()
    assert version.rules == {"kind": "24x7"}
