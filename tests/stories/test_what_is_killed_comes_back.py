"""kill -9 at each of the desk's processes: it is mended and nothing is lost.

Fifteen seconds are promised. The times are printed; only the guard is asserted, so that a busy machine tells no lie.
"""

import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.stories.desk import GUARD, ROOT, Desk, argv, environment, wait_for

pytestmark = [pytest.mark.story]
DEMO = "day"
BEATS = ("worker", "pulse", "qcluster")
WHOLE = {"up": 1, "postgres": 1, "gunicorn": 3, "worker": 1, "jobs": 6, "pulse": 1, "mail": 1}
# Enqueues what it reads: a task that writes one row of that name.
HAND = """
import sys, django
django.setup()
from django.db import connection
from django.utils import timezone
from django_q.tasks import async_task
for line in sys.stdin:
    async_task("helpdesk.models.Heartbeat.beat", line.strip(), timezone.now(), "enqueued by a test")
    connection.close()
    print("done", flush=True)
"""


@pytest.fixture(scope="module")
def enqueue(desk: Desk) -> Iterator[Callable[[str], None]]:
    env = environment(desk.data, desk.port, DJANGO_SETTINGS_MODULE="helpdesk.settings")
    with subprocess.Popen(
        [sys.executable, "-c", HAND], cwd=ROOT, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as hand:
        assert hand.stdin
        assert hand.stdout

        def put(name: str) -> None:
            print(name, file=hand.stdin, flush=True)
            assert hand.stdout
            assert hand.stdout.readline() == "done\n"

        yield put
        hand.stdin.close()


# --- Who is killed ---------------------------------------------------------------------------------------------------


def web_worker(desk: Desk) -> psutil.Process:
    return desk.find("gunicorn", leaf=True)


def web_master(desk: Desk) -> psutil.Process:
    return desk.find("gunicorn")


def cluster(desk: Desk) -> psutil.Process:
    return desk.find("manage.py", "jobs")


def guard(desk: Desk) -> psutil.Process:
    """Forked by the cluster's main process, parent of its workers, pusher and monitor."""
    return cluster(desk).children()[0]


def idle_worker(desk: Desk) -> psutil.Process:
    """A process that waits for tasks and may hold the queue's lock: what freezes django-q2 for good."""
    return members(desk)[0]


def monitor(desk: Desk) -> psutil.Process:
    return members(desk)[2]


def members(desk: Desk) -> list[psutil.Process]:
    """Two workers, the monitor, the pusher: in the order in which they are forked."""
    return sorted(guard(desk).children(), key=lambda p: p.create_time())


def pulse(desk: Desk) -> psutil.Process:
    return desk.find("manage.py", "pulse")


def catcher(desk: Desk) -> psutil.Process:
    return desk.find("helpdesk.mail_server")


def worker(desk: Desk) -> psutil.Process:
    return desk.find("manage.py", "worker")


def postgres(desk: Desk) -> psutil.Process:
    return desk.find("bin/postgres")


# --- The stories -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "victim", [web_worker, web_master, cluster, guard, idle_worker, monitor, pulse, catcher, worker, postgres]
)
def test_it_comes_back_and_nothing_is_lost(
    desk: Desk, enqueue: Callable[[str], None], victim: Callable[[Desk], psutil.Process]
) -> None:
    name = victim.__name__
    desk.expect("everything lives", lambda: whole(desk) and desk.beats_after(time.time() - 8, *BEATS))
    before, family = written(desk), desk.family()
    killed = victim(desk)
    enqueue(f"before {name}")
    if victim is postgres:
        # A task that runs just then fails and says so; one that is done must stay done.
        wait_for("the task is done", lambda: is_done(desk, f"before {name}"))
    started = time.time()
    killed.kill()
    wait_for("the killed process is gone", lambda: not lives(killed))
    desk.expect(f"{name} is mended", lambda: is_mended(desk, started, f"before {name}"))
    print(f"{name}: mended after {time.time() - started:.1f} s")
    assert written(desk) == before
    assert desk.sql("SELECT count(*) FROM helpdesk_heartbeat WHERE name = %s", f"before {name}") == [(1,)]
    # Where a parent died its children died with it: nobody lives on under another parent.
    ours = {p.pid for p in desk.family()}
    assert [p for p in family if lives(p) and p.pid not in ours] == []


def test_when_the_supervisor_is_killed_nothing_is_left_and_the_next_start_works(desk: Desk) -> None:
    before, family, started = written(desk), desk.family(), time.time()
    desk.process.kill()
    desk.process.wait()
    wait_for("nothing is left running", lambda: not any(lives(p) for p in family))
    print(f"up: nothing left after {time.time() - started:.1f} s")
    desk.process = Desk.start(desk.data, desk.port, DEMO=DEMO).process
    print(f"up: open again after {time.time() - started:.1f} s")
    desk.expect("everything lives", lambda: is_mended(desk, started, "before pulse"))
    assert written(desk) == before


def test_a_second_desk_on_the_same_data_is_refused_in_one_line(desk: Desk) -> None:
    done = try_up(desk.data, desk.port + 1)
    assert done.stderr.splitlines() == [f"A desk is running already with the data in {desk.data}. Stop it first."]
    assert (done.returncode, done.stdout) == (2, "")


def test_a_port_in_use_is_named_in_one_line(desk: Desk) -> None:
    with tempfile.TemporaryDirectory() as folder:
        done = try_up(Path(folder), desk.port)
    assert done.stderr.splitlines() == [f"Port {desk.port} is in use. Choose another: PORT={desk.port + 1} make run"]
    assert (done.returncode, done.stdout) == (2, "")


def test_ctrl_c_stops_everything(desk: Desk) -> None:
    family, started = desk.family(), time.time()
    desk.process.send_signal(signal.SIGINT)
    assert desk.process.wait(GUARD) == 0
    print(f"up: stopped after {time.time() - started:.1f} s")
    assert [p for p in family if lives(p)] == []
    assert not (desk.data / "run.json").exists()
    assert not (desk.data / "pg" / "postmaster.pid").exists()
    assert list(desk.data.glob("group-*.json")) == []


# --- What is asked ---------------------------------------------------------------------------------------------------


def is_mended(desk: Desk, since: float, task: str) -> bool:
    """All processes stand, each has said so since, the site answers, and the task was not forgotten."""
    return (
        whole(desk)
        and desk.beats_after(since, *BEATS)
        and desk.answers("/readyz")
        and desk.answers("/accounts/login/")
        and is_done(desk, task)
    )


def whole(desk: Desk) -> bool:
    return Counter(role for p in desk.family() if (role := role_of(argv(p)))) == WHOLE


def role_of(words: list[str]) -> str | None:
    """PostgreSQL's own children, who name themselves, and passing programs have none."""
    if words and words[0].endswith("bin/postgres"):
        return "postgres"
    if "helpdesk.supervisor" in words:
        return "up"
    if "helpdesk.mail_server" in words:
        return "mail"
    found = [name for name in ("gunicorn", "worker", "jobs", "pulse") if name in words]
    return found[0] if found else None


def is_done(desk: Desk, task: str) -> bool:
    try:
        return bool(desk.sql("SELECT 1 FROM helpdesk_heartbeat WHERE name = %s", task))
    except psycopg.Error:
        return False


def written(desk: Desk) -> list[tuple[object, ...]]:
    """What people wrote: the demo's tickets, messages and their history."""
    tickets, messages = (f"(SELECT count(*) FROM {t})" for t in ("tickets_ticket", "tickets_message"))
    # The desk itself may warn of a promise meanwhile.
    entries = "(SELECT count(*) FROM audit_entry WHERE actor_role <> 'system')"
    found = desk.sql(f"SELECT {tickets}, {messages}, {entries}")
    assert all(found[0])
    return found


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def try_up(data: Path, port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env=environment(data, port),
        capture_output=True,
        text=True,
        timeout=GUARD,
    )
