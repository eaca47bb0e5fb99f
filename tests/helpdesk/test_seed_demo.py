"""The demo is a desk that was really worked at: what it leaves is what the actions would have left, to the second."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from helpdesk.accounts import demo as people
from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry
from helpdesk.outbox.models import Letter
from sla.models import Clock, Verdict
from tickets import demo
from tickets.models import AssignmentDecision, Message, Status, Ticket

pytestmark = pytest.mark.django_db
DAYS = 9


@pytest.fixture(autouse=True)
def quick_hashes(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def seed(folder: Path, **how: Any) -> str:
    said = StringIO()
    call_command("seed_demo", write=str(folder / "demo.json"), stdout=StringIO(), stderr=said, **how)
    return said.getvalue()


def test_nine_days_of_a_desk_are_believable_and_exact(tmp_path: Path) -> None:
    before = timezone.now()
    said = seed(tmp_path, days=DAYS)
    assert "day 0 of 9" in said
    assert f"{Ticket.objects.count()} tickets" in said

    assert Ticket.objects.count() > 25
    assert set(Ticket.objects.values_list("status", flat=True)) == set(Status.values)
    assert Ticket.objects.values("customer").distinct().count() >= 8
    assert Ticket.objects.exclude(assigned_to=None).values("assigned_to").distinct().count() >= 4
    assert {m.requester.language for m in Ticket.objects.select_related("requester")} == {"zh-hans", "en"}
    assert {Verdict.MET, Verdict.BREACHED, Verdict.OPEN} <= set(Clock.objects.values_list("verdict", flat=True))
    assert AssignmentDecision.objects.values("ticket").distinct().count() == Ticket.objects.count()
    assert "{" not in "".join(Ticket.objects.values_list("title", flat=True))
    assert not Message.objects.filter(body__regex=r"\{(db|n|p|host|clock)\}").exists()

    # Nothing is of the future, and each history is in order.
    assert not Entry.objects.filter(at__gt=timezone.now()).exists()
    for ticket in Ticket.objects.all():
        times = list(Entry.objects.filter(subject=ticket.ref).order_by("id").values_list("at", flat=True))
        assert times == sorted(times), ticket.ref
        assert times[-1] <= ticket.last_event_at, ticket.ref

    call_command("sla_drift", stdout=StringIO())
    told = Letter.objects.filter(created_at__lt=before)
    assert set(told.values_list("state", "reason")) == {(Letter.State.SENT, Letter.Reason.DEMO)}


def test_a_day_is_today_without_the_days_before(tmp_path: Path) -> None:
    seed(tmp_path, days=0)
    assert Ticket.objects.count() == 12


def test_the_same_nine_days_each_time() -> None:
    from tickets.demo import life

    at = timezone.now()
    people.seed(at=at)
    one, other = (life._filings(life.World.read(), at, DAYS) for _ in range(2))
    assert one == other


def test_cut_short_nothing_of_it_is_there_and_the_next_start_begins_anew(tmp_path: Path) -> None:
    seed(tmp_path, people=True)
    days: list[int] = []

    def stop(done: int, count: int) -> None:
        days.append(done)
        if len(days) == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.seed(at=timezone.now(), days=DAYS, progress=stop)
    assert not Ticket.objects.exists()
    logins = (tmp_path / "demo.json").read_text()
    seed(tmp_path, days=0)
    assert (Ticket.objects.count(), (tmp_path / "demo.json").read_text()) == (12, logins)


def test_seeded_twice_it_is_there_once(tmp_path: Path) -> None:
    seed(tmp_path, days=0)
    assert seed(tmp_path, days=0) == ""
    assert Ticket.objects.count() == 12


def test_beside_real_tickets_or_people_it_is_refused(cast: Any, tmp_path: Path) -> None:
    with pytest.raises(CommandError) as refused:
        seed(tmp_path, days=0)
    assert refused.value.returncode == 2
    assert not (tmp_path / "demo.json").exists()


def test_beside_tickets_whose_people_are_not_known_here_it_is_refused(tmp_path: Path) -> None:
    seed(tmp_path, days=0)
    (tmp_path / "demo.json").unlink()
    with pytest.raises(CommandError, match="tickets here already") as refused:
        seed(tmp_path, days=0)
    assert refused.value.returncode == 2
    assert User.objects.count() == len(people.PEOPLE)


@pytest.mark.parametrize("days", [-1, 401])
def test_a_number_of_days_that_makes_no_sense_is_named(tmp_path: Path, days: int) -> None:
    with pytest.raises(CommandError, match="--days") as refused:
        seed(tmp_path, days=days)
    assert refused.value.returncode == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_user")
        assert cursor.fetchone()[0] == 0
