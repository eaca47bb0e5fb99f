"""Processes of an earlier run that nobody looks after any more, and how to end them without hitting a stranger.

The kernel ends children with their parent (helpdesk/supervisor.py); this is the second belt, for where it does not. A
supervisor writes down each process group it starts: its number, when its leader was born, and who it is itself. The
next one kills a group whose supervisor is gone, and only members born no earlier than the leader: numbers are recycled,
births are not. Names are never asked.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

PROC = Path("/proc")
PREFIX = "group-"


@dataclass(frozen=True)
class Group:
    """One process group as it was started. Births are as `born` gives them; `boot` tells runs of the machine apart."""

    boot: str
    supervisor: int
    supervisor_born: str
    leader: int
    leader_born: str


def remember(folder: Path, leader: int) -> None:
    """Writes down the group that `leader` leads, one file a group."""
    group = Group(_boot(), os.getpid(), born(os.getpid()), leader, born(leader))
    _file(folder, leader).write_text(json.dumps(asdict(group)))


def forget(folder: Path, leader: int) -> None:
    """The group has ended."""
    _file(folder, leader).unlink(missing_ok=True)


def kill(folder: Path) -> list[int]:
    """Kills the groups whose supervisor is gone; returns their numbers. Files of living supervisors stay."""
    killed = []
    for file in sorted(folder.glob(f"{PREFIX}*.json")):
        try:
            group = Group(**json.loads(file.read_text()))
        except (OSError, ValueError, TypeError):
            file.unlink(missing_ok=True)
            continue
        if group.boot == _boot() and born(group.supervisor) == group.supervisor_born:
            continue
        if group.boot == _boot() and _is_still(group):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group.leader, signal.SIGKILL)
                killed.append(group.leader)
        file.unlink(missing_ok=True)
    return killed


def born(pid: int) -> str:
    """When a process was born, exact enough to tell it from a later one of its number; empty where there is none."""
    if sys.platform == "linux":
        return _stat(pid).get("born", "")
    done = subprocess.run(["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True)  # noqa: S603
    return done.stdout.strip()


def _file(folder: Path, leader: int) -> Path:
    return folder / f"{PREFIX}{leader}.json"


def _is_still(group: Group) -> bool:
    """Whether what bears the group's number now is the group that was written down."""
    leader = born(group.leader)
    if leader:
        return leader == group.leader_born
    if sys.platform != "linux":
        return False
    # The leader is gone. A number is not given anew while a group bears it, so members not younger than a later
    # namesake could be are ours.
    members = [stat for p in PROC.iterdir() if p.name.isdecimal() and (stat := _stat(int(p.name)))]
    return any(m["group"] == str(group.leader) and int(m["born"]) >= int(group.leader_born) for m in members)


def _stat(pid: int) -> dict[str, str]:
    try:
        # The name stands in brackets and may hold anything, brackets too.
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return {}
    # Dead and not yet collected is dead.
    return {} if fields[0] == "Z" else {"group": fields[2], "born": fields[19]}


def _boot() -> str:
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
