"""The PostgreSQL that comes with the desk: what it survives, and what it says where it cannot start."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from helpdesk.embedded import Server, Unavailable, running, url
from tests.stories.desk import ROOT, environment, free_port

FAST = {"fsync": "off", "shared_buffers": "16MB"}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Data that was set up once; not in pytest's own folder, which PostgreSQL's user cannot reach where we are root."""
    with tempfile.TemporaryDirectory(prefix="helpdesk-pg-") as made:
        os.chmod(made, 0o755)
        with running(Path(made), **FAST) as server:
            ask(server, "CREATE TABLE kept (n int)")
            ask(server, "INSERT INTO kept VALUES (42)")
        yield Path(made)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 20 MB."""
    with tempfile.TemporaryDirectory(prefix="helpdesk-disk-") as made:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=20m,mode=755", "tmpfs", made], capture_output=True
        )
        if mounted.returncode:
            pytest.skip("NOT TESTED: a full disk needs the right to mount one")
        try:
            yield Path(made)
        finally:
            subprocess.run(["umount", "-l", made], check=True)


def ask(server: Server, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(server.url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def kept(server: Server) -> list[tuple[Any, ...]]:
    return ask(server, "SELECT n FROM kept")


def test_a_second_start_goes_on_with_the_same_data_and_address(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELPDESK_DATA", str(folder))
    with running(folder, **FAST) as server:
        first = server.url
        assert kept(server) == [(42,)]
    assert not (folder / "pg" / "postmaster.pid").exists()
    with running(folder, **FAST) as server:
        assert server.url == first == url()
        assert kept(server) == [(42,)]


def test_nobody_comes_in_without_the_password(folder: Path) -> None:
    assert (folder / "pg.json").stat().st_mode & 0o777 == 0o600
    assert (folder / "socket").stat().st_mode & 0o777 == 0o700
    with running(folder, **FAST) as server:
        guessed = server.url.replace(str(server._known()["password"]), "helpdesk")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(guessed)


def test_the_locale_of_whoever_starts_it_does_not_reach_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_XX.NONSENSE")
    with tempfile.TemporaryDirectory(prefix="helpdesk-pg-") as made:
        os.chmod(made, 0o755)
        with running(Path(made), **FAST) as server:
            assert ask(server, "SELECT 'É' ILIKE 'é', '打印机' ~ '^[[:alpha:]]+$'") == [(True, True)]


def test_a_stale_pid_file_with_the_number_of_a_stranger_fools_nobody(folder: Path) -> None:
    with running(folder, **FAST):
        words = (folder / "pg" / "postmaster.pid").read_text().split("\n", 1)[1]
    with subprocess.Popen(["sleep", "60"]) as stranger:
        try:
            (folder / "pg" / "postmaster.pid").write_text(f"{stranger.pid}\n{words}")
            with running(folder, **FAST) as server:
                assert kept(server) == [(42,)]
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_server_that_outlived_its_supervisor_makes_room(folder: Path) -> None:
    with running(folder, **FAST) as old, running(folder, **FAST) as new:
        assert kept(new) == [(42,)]
        assert not old.is_alive


def test_a_port_taken_between_two_starts_is_changed(folder: Path) -> None:
    with running(folder, **FAST) as server:
        before = server.url
        port = int(server._known()["port"])
    with socket.create_server(("127.0.0.1", port)), running(folder, **FAST) as server:
        assert server.url != before
        assert kept(server) == [(42,)]


def test_a_killed_server_starts_again_though_its_children_linger(folder: Path) -> None:
    with running(folder, **FAST) as server, psycopg.connect(server.url, autocommit=True) as open_still:
        open_still.execute("INSERT INTO kept VALUES (43)")
        assert server.process
        server.process.kill()
        server.process.wait()
        server.start()
        assert kept(server) == [(42,), (43,)]
        ask(server, "DELETE FROM kept WHERE n = 43")


def test_data_without_its_password_is_said_in_one_line(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="helpdesk-pg-") as made:
        (Path(made) / "pg").mkdir()
        (Path(made) / "pg" / "PG_VERSION").write_text("18\n")
        os.chmod(made, 0o755)
        with pytest.raises(Unavailable, match=r"pg\.json, which holds its password, is lost or damaged$"):
            Server(Path(made)).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only as root PostgreSQL runs as somebody else")
def test_as_root_data_that_nobody_can_reach_lies_under_var_lib() -> None:
    with tempfile.TemporaryDirectory(prefix="helpdesk-pg-") as made:
        server = Server(Path(made), **FAST)
        try:
            server.start()
            assert server.home.parent.parent == Path("/var/lib")
            assert server.notes == [
                f"PostgreSQL runs as nobody, who cannot reach {made}: its data lies in {server.home.parent}"
            ]
            assert ask(server, "SELECT 1") == [(1,)]
        finally:
            server.stop()
            shutil.rmtree(server.home.parent)


def test_a_full_disk_is_said_in_one_line_and_leaves_nothing_half_made(small_disk: Path) -> None:
    with pytest.raises(Unavailable, match=r"^initdb failed: .*No space left on device$") as refused:
        Server(small_disk).start()
    assert "\n" not in str(refused.value)
    assert not (small_disk / "pg").exists()


@pytest.mark.parametrize("free", [20, 0])
def test_up_on_a_full_disk_says_how_much_is_missing(small_disk: Path, free: int) -> None:
    if not free:
        fill(small_disk)
    env = environment(small_disk, free_port())
    done = subprocess.run([sys.executable, "manage.py", "up"], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == f"The disk is full: {free} MB are free at {small_disk}, 300 MB are needed.\n"


def fill(disk: Path) -> None:
    with contextlib.suppress(OSError), (disk / "ballast").open("wb", buffering=0) as ballast:
        while ballast.write(bytes(4096)):
            pass
