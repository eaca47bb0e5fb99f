"""One embedded PostgreSQL and one data folder for the whole run, made before Django reads its settings.

The controller starts it and tells the workers by the environment; each worker has its own database on it. Durability is
off: a test database need not survive the machine. DATABASE_URL in the environment is used instead where it is set.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

_running: list[Any] = []
_made: list[Path] = []


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    data = Path(tempfile.mkdtemp(prefix="helpdesk-tests-"))
    data.chmod(0o755)
    (data / "static").mkdir()
    os.environ["HELPDESK_DATA"] = str(data)
    _made.append(data)
    if not os.environ.get("DATABASE_URL"):
        _start(data)


def _start(data: Path) -> None:
    from helpdesk.embedded import Server

    server = Server(data, fsync="off", full_page_writes="off", synchronous_commit="off", max_connections="150")
    server.start()
    _running.append(server)
    os.environ["DATABASE_URL"] = server.url
    os.environ["HELPDESK_TESTS_OWN_SERVER"] = "1"


def pytest_unconfigure() -> None:
    for server in _running:
        server.stop()
        os.environ.pop("DATABASE_URL", None)
        os.environ.pop("HELPDESK_TESTS_OWN_SERVER", None)
    for data in _made:
        shutil.rmtree(data, ignore_errors=True)
    _running.clear()
    _made.clear()
