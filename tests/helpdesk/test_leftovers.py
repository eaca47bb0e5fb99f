"""What an earlier run left behind is ended, and nobody else."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk import leftovers

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
GONE = {"supervisor_born": "0"}


@pytest.fixture
def group() -> Iterator[subprocess.Popen[bytes]]:
    """A leader with one child, in a process group of their own."""
    with subprocess.Popen(
        ["sh", "-c", "sleep 60 & echo ready; wait"], start_new_session=True, stdout=subprocess.PIPE
    ) as leader:
        assert leader.stdout
        assert leader.stdout.readline() == b"ready\n"
        yield leader
        leader.kill()
        if members(leader.pid):
            os.killpg(leader.pid, 9)


def members(group: int) -> list[int]:
    pids = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdecimal()]
    return [pid for pid in pids if leftovers._stat(pid).get("group") == str(group)]


def written(folder: Path, leader: int, **changed: str) -> Path:
    """What a supervisor wrote down of the group, changed to what somebody later finds."""
    leftovers.remember(folder, leader)
    (file,) = folder.glob("*.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | changed))
    return file


def test_a_group_whose_supervisor_is_gone_is_ended(tmp_path: Path, group: subprocess.Popen[bytes]) -> None:
    file = written(tmp_path, group.pid, **GONE)
    assert leftovers.kill(tmp_path) == [group.pid]
    assert group.wait(10) == -9
    assert not file.exists()


def test_so_are_its_members_where_the_leader_died_first(tmp_path: Path, group: subprocess.Popen[bytes]) -> None:
    written(tmp_path, group.pid, **GONE)
    group.kill()
    group.wait()
    assert len(members(group.pid)) == 1
    assert leftovers.kill(tmp_path) == [group.pid]


def test_a_group_that_is_looked_after_stays(tmp_path: Path, group: subprocess.Popen[bytes]) -> None:
    file = written(tmp_path, group.pid)
    assert leftovers.kill(tmp_path) == []
    assert group.poll() is None
    assert file.exists()


@pytest.mark.parametrize("changed", [{"leader_born": "1"}, {"boot": "another"}])
def test_a_stranger_with_a_recycled_number_stays(
    tmp_path: Path, group: subprocess.Popen[bytes], changed: dict[str, str]
) -> None:
    file = written(tmp_path, group.pid, **GONE, **changed)
    assert leftovers.kill(tmp_path) == []
    assert group.poll() is None
    assert not file.exists()


def test_a_file_that_cannot_be_read_goes(tmp_path: Path) -> None:
    (tmp_path / "group-1.json").write_text("{")
    assert leftovers.kill(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
