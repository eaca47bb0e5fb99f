"""Child processes that are started again when they die, and that die with whoever started them.

Standard library only, so that the one who watches stays small. `python -m helpdesk.supervisor` is what `manage.py up`
turns into: PostgreSQL (where embedded), the mail catcher (where no mail server is named), the web server and the
worker, in this order; stopped in the other order. The kernel kills a child whose parent died (Linux, PR_SET_PDEATHSIG),
and each of our processes passes that on to those it forks, so that kill -9 of a supervisor leaves nothing behind.
"""

import contextlib
import ctypes
import errno
import fcntl
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO
from urllib.parse import urlsplit

from helpdesk import embedded, leftovers

ROOT = Path(__file__).resolve().parent.parent
TICK = 0.2
LEAST_SPACE = 300 * 1024 * 1024


class Refused(Exception):
    """The desk cannot start; the text is the one line to print."""


# --- Children --------------------------------------------------------------------------------------------------------


@dataclass
class Child:
    """A process with a name that is meant to run for ever. It leads its own process group."""

    name: str
    argv: list[str]
    # What the kernel sends when we die; what we send to stop it, and how long we wait before we kill its group.
    orphan_signal: int = signal.SIGKILL
    patience: float = 10
    # Open files it inherits.
    fds: tuple[int, ...] = ()
    # The folder where its group is written down, for whoever comes after us (helpdesk/leftovers.py).
    record: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    started: float = 0
    deaths: int = 0
    again_at: float = 0

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603
            self.argv,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=embedded.die_with_parent(self.orphan_signal),
            pass_fds=self.fds,
            cwd=ROOT,
        )
        self.started, self.again_at = time.monotonic(), 0
        if self.record:
            leftovers.remember(self.record, self.process.pid)

    def tend(self) -> str | None:
        """Starts it again where it died, later each time it dies young; says so in a line."""
        if self.is_alive or self.process is None:
            return None
        now = time.monotonic()
        if not self.again_at:
            self.kill_group()
            self.deaths = 0 if now - self.started > 60 else self.deaths + 1
            self.again_at = now + min(0.2 * 2**self.deaths, 10)
            return f"{self.name} ended with {self.process.returncode}; starting it again"
        if now >= self.again_at:
            self.start()
        return None

    def stop(self) -> None:
        """Asks it to end, waits, then kills whatever is left of its group."""
        if self.process is None:
            return
        if self.is_alive:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(self.patience)
        self.kill_group()
        self.process.wait()
        self.process = None

    def restart(self) -> None:
        """Kills the whole group at once and starts it afresh."""
        self.kill_group()
        if self.process:
            self.process.wait()
        self.start()

    def kill_group(self) -> None:
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        if self.record:
            leftovers.forget(self.record, self.process.pid)


def die_with_parent_from_here_on() -> None:
    """From now on every process forked by this one is killed when its parent dies; so are theirs."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        os.register_at_fork(before=_remember_self, after_in_child=lambda: _tie(libc))
    else:
        os.register_at_fork(before=_remember_self, after_in_child=_watch_parent)
        threading.Thread(target=_leave_with, args=(os.getppid(),), daemon=True).start()


_forking = [0]


def _remember_self() -> None:
    _forking[0] = os.getpid()


def _tie(libc: ctypes.CDLL) -> None:
    libc.prctl(embedded.PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    # The parent may have died between fork and prctl.
    if os.getppid() != _forking[0]:
        os._exit(1)


def _watch_parent() -> None:
    threading.Thread(target=_leave_with, args=(_forking[0],), daemon=True).start()


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)


class Stop:
    """Set by SIGINT, SIGTERM and SIGHUP. The second one is not needed: stopping has its own patience."""

    def __init__(self) -> None:
        self.event = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Whoever started us with nohup wants us to outlive the terminal. A script's & ignores SIGINT too, unasked.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self.ask)

    def ask(self, number: int, frame: FrameType | None) -> None:
        self.event.set()

    def wait(self, seconds: float) -> bool:
        return self.event.wait(seconds)


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


# --- One box ---------------------------------------------------------------------------------------------------------


def up() -> None:
    """Runs the whole desk on this machine until it is told to stop. Raises Refused."""
    stop = Stop()
    host, port = os.environ.get("HOST", "127.0.0.1"), _port()
    data = embedded.data_dir()
    _check_space(data)
    with _lock(data), _listen(host, port) as listener:
        # A desk that was killed could not take its sign down.
        (data / "run.json").unlink(missing_ok=True)
        # Asked before the database leaves its mark there.
        aws = _simulate_aws(data)
        server = None if os.environ.get("DATABASE_URL") else _database(data)
        post = _catch_mail()
        try:
            if _prepare(data, stop):
                children = _children(listener.fileno(), post, aws, data)
                _run(f"http://{_for_url(host)}:{port}", data, server, children, stop)
        finally:
            if server:
                server.stop()
            for door in (post, aws):
                if door:
                    door.close()


def _run(address: str, data: Path, server: embedded.Server | None, children: list[Child], stop: Stop) -> None:
    try:
        for child in children:
            child.start()
        _announce(address, data, server, children, stop)
        while not stop.wait(TICK):
            _tend(server, children)
    finally:
        say("Stopping.")
        (data / "run.json").unlink(missing_ok=True)
        for child in reversed(children):
            child.stop()


def _port() -> int:
    text = os.environ.get("PORT", "8000")
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Refused(f"PORT is {text!r}: it must be a number from 1 to 65535.")
    return int(text)


def _check_space(data: Path) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(data).free
    except OSError as error:
        raise Refused(f"The data folder {data} cannot be used: {error.strerror}.") from error
    if free < LEAST_SPACE:
        raise Refused(f"The disk is full: {free // 2**20} MB are free at {data}, {LEAST_SPACE // 2**20} MB are needed.")


def _lock(data: Path) -> IO[str]:
    file = (data / "up.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise Refused(f"A desk is running already with the data in {data}. Stop it first.") from error
    return file


def _listen(host: str, port: int) -> socket.socket:
    """The door itself. It stays open here while web servers come and go: nobody is turned away, they only wait."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise Refused(f"Port {port} is in use. Choose another: PORT={port % 65535 + 1} make run") from error
        raise Refused(f"Port {port} of {host} cannot be used: {error.strerror}.") from error
    return listener


def _database(data: Path) -> embedded.Server:
    server = embedded.Server(data)
    first = not (data / "pg.json").exists()
    say("Setting up the database." if first else "Starting the database.")
    try:
        server.start()
    except embedded.Unavailable as error:
        raise Refused(f"The database cannot start: {error}") from error
    for note in server.notes:
        say(note)
    return server


def _prepare(data: Path, stop: Stop) -> bool:
    """Tables, texts, static files, demo; False where it was told to stop meanwhile."""
    task = Child("prepare", [sys.executable, str(ROOT / "manage.py"), "prepare"])
    task.start()
    while task.is_alive:
        if stop.wait(0.05):
            task.stop()
            return False
    if task.process and task.process.returncode:
        _check_space(data)
        raise Refused("The desk could not be prepared; the lines above say why.")
    return True


def _catch_mail() -> socket.socket | None:
    """The door at which this desk's own mail is caught, told to all children; None where EMAIL_URL says another way.

    It stays open here: while the catcher is started again letters wait at it.
    """
    local = urlsplit(os.environ.get("SITE_URL") or "http://").scheme == "http"
    if os.environ.get("EMAIL_URL") or not local or importlib.util.find_spec("aiosmtpd") is None:
        return None
    door = socket.create_server(("127.0.0.1", 0), backlog=64)
    os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{door.getsockname()[1]}"
    return door


# What says that there is an AWS already, or who we are there.
AWS_IS_KNOWN = (
    "AWS_ENDPOINT_URL",
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


def _simulate_aws(data: Path) -> socket.socket | None:
    """The door of a simulated AWS, told to all children; None where there may be a real one, or nothing to show.

    It comes with the whole demo on one's own machine; AWS_SIM=1 wants it with less, AWS_SIM=0 never.
    """
    local = urlsplit(os.environ.get("SITE_URL") or "http://").scheme == "http"
    known = any(os.environ.get(name) for name in AWS_IS_KNOWN) or _keeps_in_aws()
    if not local or known or not _wants_aws(data) or importlib.util.find_spec("moto") is None:
        return None
    door = socket.create_server(("127.0.0.1", 0), backlog=128)
    os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{door.getsockname()[1]}"
    # Nobody's: they open nothing but the simulator.
    os.environ["AWS_ACCESS_KEY_ID"] = os.environ["AWS_SECRET_ACCESS_KEY"] = "simulated"  # noqa: S105
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    return door


def _keeps_in_aws() -> bool:
    """Whether files or mail go to AWS: those must not end in a simulator."""
    schemes = (urlsplit(os.environ.get(name, "")).scheme for name in ("STORAGE_URL", "EMAIL_URL"))
    return any(scheme.startswith(("s3", "ses")) for scheme in schemes)


def _wants_aws(data: Path) -> bool:
    """Whoever asks for it; else the whole demo, and what becomes one: a desk with people of its own has a real AWS."""
    asked = os.environ.get("AWS_SIM")
    fresh = not (data / "pg.json").exists() and not os.environ.get("DATABASE_URL")
    is_demo = (data / "demo.json").exists() or fresh
    return asked == "1" or (asked != "0" and is_demo and os.environ.get("DEMO", "full") == "full")


def _children(listener: int, post: socket.socket | None, aws: socket.socket | None, data: Path) -> list[Child]:
    web = [sys.executable, "-m", "gunicorn", "-c", "python:helpdesk.gunicorn_conf", "-b", f"fd://{listener}"]
    children = [
        Child("The web server", [*web, "helpdesk.wsgi"], fds=(listener,)),
        Child("The worker", [sys.executable, str(ROOT / "manage.py"), "worker"], patience=25),
    ]
    if post:
        catcher = [sys.executable, "-m", "helpdesk.mail_server", "--fd", str(post.fileno())]
        children.insert(0, Child("The mail catcher", catcher, fds=(post.fileno(),)))
    if aws:
        kept = ["--fd", str(aws.fileno()), "--keep", str(data / "aws_sim.json")]
        simulator = [sys.executable, "-m", "awsint.sim", *kept]
        children.insert(0, Child("The AWS simulator", simulator, fds=(aws.fileno(),)))
    return children


def _for_url(host: str) -> str:
    # "Every address" is none to go to.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{host}]" if ":" in host else host


def _announce(address: str, data: Path, server: embedded.Server | None, children: list[Child], stop: Stop) -> None:
    """Waits until the site answers, then tells people and programs where it is and how to log in."""
    while not _answers(f"{address}/healthz"):
        if stop.wait(TICK):
            return
        _tend(server, children)
    url = os.environ.get("SITE_URL") or address
    people = _people(data)
    fresh = data / f"run.json.{os.getpid()}"
    fresh.touch(mode=0o600)
    told = {"url": url, "simulated_aws": bool(os.environ.get("AWS_ENDPOINT_URL")), "people": people}
    fresh.write_text(json.dumps(told, ensure_ascii=False, indent=1))
    fresh.replace(data / "run.json")
    say(f"The desk is open at {url}")
    for person in people:
        say(f"  {person['role']:<9} {person['email']:<30} {person['password']}")
    say("Ctrl-C stops it.")


def _people(data: Path) -> list[dict[str, str]]:
    try:
        people: list[dict[str, str]] = json.loads((data / "demo.json").read_text())
    except (OSError, ValueError):
        return []
    return people


def _answers(url: str) -> bool:
    # Asked by the name people use: a desk behind https knows no other.
    name = urlsplit(os.environ.get("SITE_URL", url)).netloc
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Host": name}), timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False


def _tend(server: embedded.Server | None, children: list[Child]) -> None:
    if server and not server.is_alive:
        say("The database ended; starting it again")
        before = server.url
        try:
            server.start()
        except embedded.Unavailable as error:
            say(f"The database cannot start yet: {error}")
        if server.url != before:
            # Somebody took its port meanwhile: the others know only the old one.
            for child in children:
                child.restart()
    for child in children:
        if line := child.tend():
            say(line)


def main() -> int:
    try:
        up()
    except Refused as refused:
        print(refused, file=sys.stderr)  # noqa: T201
        return 2
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        print(f"The disk is full: {error.filename or embedded.data_dir()} cannot be written.", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
