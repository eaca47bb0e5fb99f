"""What is missing on a newcomer's machine is said in one line, with the way out, and nothing half made stays."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stories.desk import ROOT

pytestmark = pytest.mark.story
TOOLS = [
    "bash",
    "env",
    "dirname",
    "basename",
    "cksum",
    "cut",
    "df",
    "awk",
    "rm",
    "touch",
    "grep",
    "tail",
    "head",
    "cat",
]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder with the script and the locks, and a PATH with nothing on it but common tools."""
    for name in ("bin/venv", "requirements.lock"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "path").mkdir()
    for tool in TOOLS:
        (tmp_path / "path" / tool).symlink_to(shutil.which(tool) or f"/usr/bin/{tool}")
    return tmp_path


def put(machine: Path, name: str, script: str) -> None:
    program = machine / "path" / name
    program.unlink(missing_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def said(machine: Path, **more: str) -> list[str]:
    """What bin/venv says on stderr before it gives up with 2."""
    done = subprocess.run(
        [str(machine / "bin/venv"), "requirements.lock"],
        env={"PATH": str(machine / "path"), "HOME": str(machine), **more},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert not list((machine / ".venv").glob(".requirements-*"))
    return done.stderr.splitlines()


def test_an_old_python(machine: Path) -> None:
    put(machine, "python3", 'case "$2" in *platform*) echo 3.10.12;; *) exit 1;; esac')
    assert said(machine) == [
        "Python 3.11 or newer is needed; found: 3.10.12. Install it, or name it: PYTHON=/path/to/python3.11 make run"
    ]


def test_no_python_at_all(machine: Path) -> None:
    assert said(machine)[0].startswith("Python 3.11 or newer is needed; found: none.")


def test_no_venv_module(machine: Path) -> None:
    put(machine, "python3", f'case "$2" in *ensurepip*) exit 1;; esac\nexec {sys.executable} "$@"')
    assert said(machine) == ["Python's venv module is missing. On Debian and Ubuntu: apt install python3-venv"]


def test_a_full_disk(machine: Path) -> None:
    put(machine, "python3", f'exec {sys.executable} "$@"')
    put(machine, "df", "echo head; echo /dev/x 100 90 10 90% /")
    assert said(machine) == ["The disk is full: 10 MB are free here, 1200 MB are needed for the first installation."]


def test_no_network_at_the_first_installation(machine: Path) -> None:
    put(machine, "python3", f'exec {sys.executable} "$@"')
    dead = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_NO_CACHE_DIR": "1", "PIP_RETRIES": "0"}
    config = {"PIP_CONFIG_FILE": os.devnull, "PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": ""}
    assert said(machine, **dead, **config) == [
        "The packages could not be fetched: no network, or the package index does not answer. "
        "Details: .venv/install.log"
    ]
