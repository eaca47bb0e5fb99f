"""R-07: whatever the mail server does, no letter is lost, none leaves twice without need, and the desk goes on.

The server is a real one on loopback; hours pass by travelled time. Killing a pulse is done to a real process, at the
step at which the server, or a lock of the database, keeps it waiting.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpdesk.models import Heartbeat
from helpdesk.outbox import channels, claim, deliver, enqueue
from helpdesk.outbox.models import Letter
from tests.cast import assemble
from tests.outbox.conftest import AT, Pulse, Somebody, states, written
from tests.outbox.server import DROP, HANG, Server
from tests.stories.desk import wait_for
from tickets import actions

ROOT = Path(__file__).resolve().parent.parent.parent


def many(count: int = 30, tickets: int = 10) -> list[Letter]:
    return [written(f"HD-{1001 + n % tickets}", f"reader{n % 4}") for n in range(count)]


def in_order(server: Server) -> bool:
    """Whether the letters of each ticket arrived in the order in which they were written."""
    subjects = dict(Letter.objects.values_list("pk", "subject"))
    arrived: dict[str, list[int]] = {}
    for number in (int(i.strip("<>").partition("@")[0]) for i in server.ids()):
        arrived.setdefault(subjects[number], []).append(number)
    return all(numbers == sorted(numbers) for numbers in arrived.values())


def each_once(server: Server) -> bool:
    wanted = {f"<{pk}@desk.example>": 1 for pk in Letter.objects.values_list("pk", flat=True)}
    return Counter(server.ids()) == wanted


def test_an_hour_without_a_server_loses_nothing_and_costs_nobody_their_attempts(server: Server, pulse: Pulse) -> None:
    server.stop()
    many()
    pulse.until(timedelta(hours=1))
    assert server.mails == []
    assert set(states()) == {"ready"}
    # One letter at a time went to look, about every minute, and mostly at nobody's expense.
    assert max(pulse.claimed[2:]) == 1
    assert 40 < sum(pulse.claimed) < 80
    assert max(Letter.objects.values_list("attempts", flat=True)) <= 5
    assert Heartbeat.objects.get(name="mail server").note.startswith("ConnectionRefusedError")
    many(6, tickets=3)
    server.start()
    # The first look that finds it again sends for all the others.
    pulse.until(timedelta(minutes=2), step=1)
    assert each_once(server)
    assert in_order(server)
    assert set(states()) == {"sent"}
    assert Heartbeat.objects.get(name="mail server").note == ""


@pytest.mark.parametrize("step", ["CONNECT", "MAIL", "RCPT", "DATA"])
def test_a_server_that_says_421_is_left_in_peace_and_comes_back(server: Server, pulse: Pulse, step: str) -> None:
    server.behave = lambda at, what: "421 too busy" if at == step else None
    many(12)
    pulse.until(timedelta(minutes=20), step=10)
    assert server.mails == []
    assert set(states()) == {"ready"}
    server.let_go()
    pulse.until(timedelta(minutes=2), step=2)
    assert each_once(server)
    assert in_order(server)


def test_a_mix_of_fours_and_fives_sends_what_can_be_sent_and_shows_the_rest(server: Server, pulse: Pulse) -> None:
    seen: Counter[str] = Counter()
    letters = many(40)
    greylisted = {f"<{x.pk}@desk.example>" for x in letters if x.to_address == "reader2@acme.example"}

    def moody(step: str, what: str) -> str | None:
        seen[f"{step} {what}"] += 1
        if step == "RCPT" and what == "reader1@acme.example":
            return "550 no such user"
        if step == "DATA" and what in greylisted and seen[f"{step} {what}"] <= 2:
            return "451 greylisted"
        if step == "DATA" and what not in greylisted and seen[f"{step} {what}"] == 1 and hash(what) % 2:
            return "452 not now"
        return None

    server.behave = moody
    pulse.until(timedelta(hours=8), step=30)
    dead = [x for x in letters if x.to_address == "reader1@acme.example"]
    found = {x.pk: x for x in Letter.objects.all()}
    assert {(found[x.pk].state, found[x.pk].reason, found[x.pk].last_error) for x in dead} == {
        ("failed", "refused", "550 no such user")
    }
    rest = [f"<{x.pk}@desk.example>" for x in letters if x not in dead]
    assert sorted(server.ids()) == sorted(rest)
    assert in_order(server)


def test_a_server_that_hangs_is_cut_off_and_stops_nothing_else(
    server: Server, pulse: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "DEADLINE_S", 0.5)
    monkeypatch.setattr(channels, "TIMEOUT_S", 30)
    server.behave = lambda step, what: HANG if step == "ACCEPTED" else None
    many(4, tickets=4)
    began = time.monotonic()
    pulse.post.tick(AT + timedelta(seconds=1))
    assert time.monotonic() - began < 0.5
    wait_for("all hang", lambda: len(pulse.post.sending) == 4)
    time.sleep(0.6)
    began = time.monotonic()
    assert pulse.post.tick(AT + timedelta(seconds=2)) == 0
    assert time.monotonic() - began < 0.5
    pulse.rest()
    assert {(x.state, x.reason) for x in Letter.objects.all()} == {("ready", "server")}
    server.let_go()
    pulse.until(timedelta(minutes=5), step=5)
    # It had taken them before it fell silent: the same Message-ID once more, so that the other side can tell.
    assert set(Counter(server.ids()).values()) == {2}
    assert set(states()) == {"sent"}


def test_a_server_that_drips_is_cut_off_too(server: Server, pulse: Pulse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver, "DEADLINE_S", 0.3)
    server.behave = lambda step, what: HANG if step == "CONNECT" else None
    written()
    pulse.post.tick(AT + timedelta(seconds=1))
    wait_for("it hangs", lambda: pulse.post.sending)
    time.sleep(0.4)
    pulse.post.tick(AT + timedelta(seconds=2))
    pulse.rest()
    assert states() == ["ready"]


@pytest.mark.parametrize(("step", "times"), [("MAIL", 1), ("DATA", 1), ("ACCEPTED", 2)])
def test_a_cut_line_repeats_only_what_may_have_been_taken(server: Server, pulse: Pulse, step: str, times: int) -> None:
    cut: list[str] = []

    def once(at: str, what: str) -> str | None:
        if at == step and not cut:
            cut.append(what)
            return DROP
        return None

    server.behave = once
    letter, later = written(), written()
    pulse.until(timedelta(minutes=3), step=5)
    assert Counter(server.ids()) == {f"<{letter.pk}@desk.example>": times, f"<{later.pk}@desk.example>": 1}
    assert in_order(server)


def test_a_connection_is_kept_and_a_stale_one_is_made_anew_without_an_attempt(
    server: Server, pulse: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse.post, "count", 1)
    for n in range(5):
        written(f"HD-{n}")
    pulse.beat()
    assert server.steps.count("CONNECT") == 1
    server.stop()
    server.start()
    letter = written()
    pulse.beat()
    letter.refresh_from_db()
    assert (letter.state, letter.attempts) == ("sent", 1)


# --- The rest of the desk meanwhile ----------------------------------------------------------------------------------


def test_pages_do_the_same_while_the_server_is_down_and_a_reply_can_be_taken_back(server: Server, pulse: Pulse) -> None:
    cast = assemble()
    ticket = actions.open_ticket(
        customer=cast.acme, title="Down", description="Down", category="technical", impact="production_part",
        urgency="urgent", by=cast.cora, at=timezone.now() - timedelta(minutes=5),
    )  # fmt: skip
    client = Client()
    client.force_login(cast.ana)

    def statements() -> tuple[int, int]:
        # A reply in the second of the one before it ends no round of updates, and writes one row less.
        time.sleep(1.1)
        with CaptureQueriesContext(connection) as page:
            assert client.get(f"/tickets/{ticket.ref}/").status_code == 200
        with CaptureQueriesContext(connection) as reply:
            assert client.post(f"/tickets/{ticket.ref}/reply", {"body": "We look at it"}).status_code == 303
        return len(page), len(reply)

    statements()
    pulse.at = timezone.now() + timedelta(minutes=1)
    pulse.beats(3)
    before = statements()
    server.stop()
    pulse.beats(10)
    assert statements() == before
    held = Letter.objects.filter(state="held")
    assert held.exists()
    taken = held.latest("id").pk
    until = Letter.objects.get(pk=taken).release_at
    assert client.post(f"/tickets/{ticket.ref}/undo").status_code in (302, 303)
    assert Letter.objects.get(pk=taken).reason == "taken_back"
    server.start()
    pulse.at = max(pulse.at, until) + timedelta(minutes=1)
    enqueue.release(pulse.at)
    pulse.until(timedelta(minutes=5), step=5)
    assert f"<{taken}@desk.example>" not in server.ids()
    assert not Letter.objects.exclude(state__in=["sent", "cancelled"]).exists()


# --- kill -9 ---------------------------------------------------------------------------------------------------------

PULSE = """
import django
django.setup()
from helpdesk import pulse
from helpdesk.outbox import deliver
from helpdesk.supervisor import Stop
from tests.outbox.conftest import plain
deliver.compose = plain
pulse.run(Stop())
"""


@pytest.fixture
def process(server: Server, committed: None) -> Iterator[Callable[[], "subprocess.Popen[bytes]"]]:
    """Starts real pulses against the test's database; whatever is left of them ends with the test."""
    started: list[subprocess.Popen[bytes]] = []
    told = connection.settings_dict
    url = f"postgres://{told['USER']}:{told['PASSWORD']}@{told['HOST']}:{told['PORT']}/{told['NAME']}"
    env = os.environ | {"DATABASE_URL": url, "EMAIL_URL": server.url, "DJANGO_SETTINGS_MODULE": "helpdesk.settings"}

    def start() -> "subprocess.Popen[bytes]":
        started.append(subprocess.Popen([sys.executable, "-c", PULSE], cwd=ROOT, env=env))
        return started[-1]

    yield start
    server.let_go()
    for one in started:
        one.kill()
        one.wait()


def let_leases_run_out() -> None:
    """A minute passes for what was claimed by somebody who is gone."""
    Letter.objects.filter(state="sending").update(lease_until=AT)


def ends_well(server: Server, process: Callable[[], Any]) -> None:
    let_leases_run_out()
    process()
    wait_for("all letters are sent", lambda: set(states()) == {"sent"})
    assert set(server.ids()) == {f"<{pk}@desk.example>" for pk in Letter.objects.values_list("pk", flat=True)}
    assert list(dict.fromkeys(server.ids())) == sorted(set(server.ids()), key=lambda i: int(i[1:].partition("@")[0]))


@pytest.mark.parametrize("step", ["CONNECT", "MAIL", "RCPT", "DATA", "ACCEPTED"])
def test_a_pulse_that_is_killed_while_it_sends(
    server: Server, process: Callable[[], "subprocess.Popen[bytes]"], step: str
) -> None:
    server.behave = lambda at, what: HANG if at == step else None
    first, second = written(), written()
    victim = process()
    wait_for("it is at the step", lambda: any(s.startswith(step) for s in server.steps))
    assert states() == ["sending", "ready"]
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    server.let_go()
    ends_well(server, process)
    # Once where the server had not taken it; with the same Message-ID once more where it had.
    taken = 2 if step == "ACCEPTED" else 1
    assert Counter(server.ids()) == {f"<{first.pk}@desk.example>": taken, f"<{second.pk}@desk.example>": 1}


def test_a_pulse_that_is_killed_before_its_claim_is_committed(
    server: Server, process: Callable[[], "subprocess.Popen[bytes]"]
) -> None:
    written()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE outbox_letter IN SHARE ROW EXCLUSIVE MODE")
        victim = process()
        wait_for("it waits for the lock", lambda: waits_for_a_lock())
        victim.send_signal(signal.SIGKILL)
        victim.wait()
    assert states() == ["ready"]
    ends_well(server, process)
    assert len(server.mails) == 1


def test_a_pulse_that_is_killed_between_the_servers_yes_and_its_own_commit(
    server: Server, process: Callable[[], "subprocess.Popen[bytes]"]
) -> None:
    """At least once: here it is twice, with the same Message-ID."""
    letter, gate = written(), threading.Event()

    def wait(step: str, what: str) -> str | None:
        gate.set()
        return HANG if step == "ACCEPTED" and len(server.mails) == 1 else None

    server.behave = wait
    victim = process()
    wait_for("the server has it", lambda: server.mails)
    with transaction.atomic():
        Letter.objects.select_for_update().get(pk=letter.pk)
        server.let_go()
        wait_for("it wants to write that it was sent", lambda: waits_for_a_lock())
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        # The server of the database may still do what it was told: here it dies with its client.
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_terminate_backend(pid) FROM ({WAITING}) AS waiting")
    ends_well(server, process)
    assert server.ids() == [f"<{letter.pk}@desk.example>"] * 2


def test_a_pulse_that_is_killed_after_its_commit_sends_nothing_again(
    server: Server, process: Callable[[], "subprocess.Popen[bytes]"]
) -> None:
    written()
    victim = process()
    wait_for("it is sent", lambda: states() == ["sent"])
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    ends_well(server, process)
    time.sleep(1.5)
    assert len(server.mails) == 1


def test_a_pulse_that_is_asked_to_stop_gives_back_what_it_has_not_begun(server: Server, pulse: Pulse) -> None:
    server.behave = lambda step, what: HANG if step == "CONNECT" else None
    many(10)
    pulse.post.tick(AT + timedelta(seconds=1))
    wait_for("some hang", lambda: len(pulse.post.sending) == 4)
    pulse.post.stop(0.1)
    server.let_go()
    pulse.rest()
    found = {(x.state, x.attempts) for x in Letter.objects.all()}
    assert found == {("sent", 1), ("ready", 0)}


# Asked of the locks themselves: what sessions do is remembered for the length of a transaction. Of this database
# alone: other tests wait for locks of theirs on the same server. Who waits for a row holds its table's lock here.
WAITING = (
    "SELECT DISTINCT pid FROM pg_locks AS wanted WHERE NOT granted AND EXISTS (SELECT FROM pg_locks AS held "
    "WHERE held.pid = wanted.pid AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({WAITING}) AS waiting")
        return bool(cursor.fetchone()[0])


def test_writing_down_that_it_was_sent_outlives_a_moment_without_a_database(
    server: Server, pulse: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-03 for letters: the database goes away in the worst moment, and the letter still leaves once."""
    real, failed = claim.settle, []

    def shaky(letter: Letter, **what: Any) -> bool:
        if what.get("state") == "sent" and not failed:
            failed.append(letter)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return real(letter, **what)

    monkeypatch.setattr(claim, "settle", shaky)
    letter = enqueue.enqueue([enqueue.Draft("ticket.replied", Somebody("cora"))], at=AT, subject="HD-1")[0]
    pulse.beat()
    assert failed
    letter.refresh_from_db()
    assert (letter.state, len(server.mails)) == ("sent", 1)


def test_a_table_that_somebody_locks_delays_letters_and_loses_none(server: Server, pulse: Pulse) -> None:
    """R-04 for letters: a lock is waited for five seconds, said, and what waited drains afterwards."""
    many(6, tickets=6)
    told = connection.settings_dict
    other = psycopg.connect(
        host=told["HOST"], port=told["PORT"], user=told["USER"], password=told["PASSWORD"], dbname=told["NAME"]
    )
    with other, other.cursor() as cursor:
        cursor.execute("LOCK TABLE outbox_letter IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        with pytest.raises(OperationalError, match="lock timeout"):
            pulse.post.tick(AT + timedelta(seconds=1))
        assert time.monotonic() - began < 8
    connection.close()
    pulse.beats(2)
    assert each_once(server)
