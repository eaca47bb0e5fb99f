"""The real product as a child process: started with `manage.py up` on its own data and a free port."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from tests.browser import chromium

# What a story needs that is told in a browser.
BROWSER_STORY = [
    pytest.mark.story,
    pytest.mark.browser,
    pytest.mark.skipif(chromium.PROGRAM is None, reason="NO CHROMIUM: install the package chromium"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
ROOT = Path(__file__).resolve().parent.parent.parent
GUARD = 60


def wait_for(what: str, ask: Callable[[], Any], seconds: float = GUARD) -> Any:
    """Asks until the answer is true and returns it; fails with `what` after the guard."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answer := ask():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds} s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Desk:
    """One running desk."""

    data: Path
    port: int
    process: subprocess.Popen[str]

    @classmethod
    def start(cls, data: Path, port: int | None = None, **env: str) -> "Desk":
        """Starts one and waits until it is open; a day's demo unless DEMO says another.

        Where there is no data yet it begins with a copy of what a first start makes, which is made once a run.
        """
        env = {"DEMO": "day"} | env
        if not data.exists() and set(env) <= {"DEMO", "AWS_SIM"} and env["DEMO"] in COPIED:
            subprocess.run(["cp", "-a", str(first_start(env["DEMO"])), str(data)], check=True)
        return cls.open(data, port or free_port(), **env)

    @classmethod
    def open(cls, data: Path, port: int, **env: str) -> "Desk":
        # What a killed desk left there is not this one's word.
        (data / "run.json").unlink(missing_ok=True)
        data.mkdir(parents=True, exist_ok=True)
        with (data / "up.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=ROOT,
                env=environment(data, port, **env),
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                # What a script's & hands down: the desk must hear Ctrl-C all the same.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
            )
        desk = cls(data, port, process)
        try:
            wait_for("the desk opens", desk.run_file, 300 if env.get("DEMO") == "full" else 120)
        except AssertionError as error:
            desk.stop()
            raise AssertionError(f"{error}\n{(data / 'up.log').read_text()}") from None
        return desk

    def run_file(self) -> dict[str, Any] | None:
        if self.process.poll() is not None:
            raise AssertionError(f"up ended with {self.process.returncode}\n{(self.data / 'up.log').read_text()}")
        try:
            found: dict[str, Any] = json.loads((self.data / "run.json").read_text())
        except (OSError, ValueError):
            return None
        return found

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self, path: str = "/healthz") -> bool:
        try:
            with urllib.request.urlopen(self.url + path, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def family(self) -> list[psutil.Process]:
        """The supervisor and all its descendants."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def find(self, *words: str, leaf: bool = False) -> psutil.Process:
        """A process of the family by its command line; the deepest or the highest of those that match."""
        found = [p for p in self.family() if all(any(w in part for part in argv(p)) for w in words)]
        found.sort(key=lambda p: len(p.parents()))
        if not found:
            raise AssertionError(f"no process {words}")
        return found[-1] if leaf else found[0]

    def sql(self, text: str, *params: Any) -> list[tuple[Any, ...]]:
        known = json.loads((self.data / "pg.json").read_text())
        with psycopg.connect(
            host="127.0.0.1",
            port=known["port"],
            user="helpdesk",
            password=known["password"],
            dbname="helpdesk",
            connect_timeout=3,
        ) as connection:
            cursor = connection.execute(text, params)
            return cursor.fetchall() if cursor.description else []

    def beats_after(self, at: float, *names: str) -> bool:
        """Whether each of these processes said that it lives after the instant `at` (epoch seconds)."""
        try:
            beats = dict(self.sql("SELECT name, extract(epoch FROM at)::float8 FROM helpdesk_heartbeat"))
        except psycopg.Error:
            return False
        return all(beats.get(name, 0) > at for name in names)

    def expect(self, what: str, ask: Callable[[], Any], seconds: float = 60) -> Any:
        """wait_for, and where it fails the state of the desk beside it."""
        try:
            return wait_for(what, ask, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.state()}") from None

    def state(self) -> str:
        """Processes, heartbeats and the last lines of the log, for whoever must find out."""
        lines = [" ".join([str(p.pid), *argv(p)])[:160] for p in self.family()]
        try:
            lines += [str(row) for row in self.sql("SELECT name, at, note FROM helpdesk_heartbeat ORDER BY at")]
        except psycopg.Error as error:
            lines.append(str(error))
        return "\n".join([*lines, (self.data / "up.log").read_text()[-3000:]])

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                for one in self.family():
                    one.kill()
                self.process.wait(10)


@contextmanager
def running(demo: str) -> Iterator[Desk]:
    """A desk of its own, with this demo, until the end."""
    # Not pytest's own folder: that one is closed to PostgreSQL's user where we are root.
    with tempfile.TemporaryDirectory(prefix="helpdesk-story-") as folder:
        os.chmod(folder, 0o755)
        desk = Desk.start(Path(folder) / "data", DEMO=demo)
        try:
            yield desk
        finally:
            desk.stop()


# Demos that every desk of the stories begins with; the ninety days are made for pictures only.
COPIED = ("day", "people")


@cache
def first_start(demo: str) -> Path:
    """The data of a desk that was started once and stopped: database, tables, texts, people and tickets.

    Made by whichever process of the run comes first (tests/conftest.py names the folder); the others wait for it.
    """
    made = Path(os.environ["HELPDESK_FIRST_STARTS"]) / demo
    with made.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            new = made.with_suffix(".new")
            if demo == "day":
                # Tables and people are the same: a start that was cut short after them goes on with the tickets.
                subprocess.run(["cp", "-a", str(first_start("people")), str(new)], check=True)
            desk = Desk.open(new, free_port(), DEMO=demo)
            desk.stop()
            (desk.data / "up.log").unlink()
            desk.data.rename(made)
    return made


def argv(process: psutil.Process) -> list[str]:
    """Its command line; empty where it has ended meanwhile."""
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def environment(data: Path, port: int, **more: str) -> dict[str, str]:
    """The environment of a newcomer: nothing of ours but the port and where the data lies."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")}
    return kept | {"HELPDESK_DATA": str(data), "PORT": str(port), "PYTHONUNBUFFERED": "1", **more}
