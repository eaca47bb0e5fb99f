"""Where attached files lie: a folder, or a bucket (helpdesk/bucket.py). STORAGE_URL says which.

A file is written beside its place under a name nobody asks for, forced to the disk, and then renamed: under its own
name a file is always whole. A key is made of hexadecimal digits alone, never of anything a person typed.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from django.core.files.storage import FileSystemStorage, storages

BLOCK = 64 * 1024
# Names that are no keys: what is on its way in.
ON_ITS_WAY = "incoming"
# What must stay free beside the files: the database may lie on the same disk.
LEAST_ROOM = 100 * 1024 * 1024


class Away(Exception):
    """The storage does not answer; nothing was stored or read."""


class Store(Protocol):
    """What the desk asks of either place. Raises Away, and OSError where a disk is full."""

    spool: Path

    def put(self, key: str, part: Path) -> None:
        """Moves the file `part`, which lies in `spool`, to its place."""

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` on, in blocks. Raises FileNotFoundError before the first."""

    def delete(self, key: str) -> None: ...

    def listed(self) -> Iterator[tuple[str, datetime]]:
        """Every key with the instant of its last change."""

    def room(self) -> int | None:
        """Bytes that still fit; None where nobody counts them."""


def store() -> Store:
    """The one in use."""
    return storages["attachments"]  # type: ignore[return-value]


def is_full() -> bool:
    """Whether no further file is taken. A bucket has no end."""
    room = store().room()
    return room is not None and room < LEAST_ROOM


class DiskStore(FileSystemStorage):
    """A folder with 256 others in it."""

    @property
    def root(self) -> Path:
        return Path(self.location)

    @property
    def spool(self) -> Path:
        folder = self.root / ON_ITS_WAY
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def put(self, key: str, part: Path) -> None:
        place = self._place(key)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(place)
        _keep_folder(place.parent)

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        return _blocks(self._place(key), start, length)

    def delete(self, key: str) -> None:
        self._place(key).unlink(missing_ok=True)

    def listed(self) -> Iterator[tuple[str, datetime]]:
        for folder in self.root.glob("[0-9a-f][0-9a-f]"):
            for place in folder.iterdir():
                # Whoever removes it meanwhile was quicker.
                with contextlib.suppress(FileNotFoundError):
                    yield place.name, datetime.fromtimestamp(place.stat().st_mtime, UTC)

    def room(self) -> int | None:
        return shutil.disk_usage(self.spool).free

    def _place(self, key: str) -> Path:
        return self.root / key[:2] / key


def _blocks(place: Path, start: int, length: int | None) -> Iterator[bytes]:
    # Whether it is there is told at once; it is opened when somebody reads, so that nothing is left open unread.
    place.stat()

    def walk() -> Iterator[bytes]:
        left = length
        with place.open("rb") as opened:
            opened.seek(start)
            while block := opened.read(BLOCK if left is None else min(BLOCK, left)):
                left = None if left is None else left - len(block)
                yield block

    return walk()


def _keep_folder(folder: Path) -> None:
    """The new name outlives a power cut too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def forget_parts(folder: Path, older_than_s: float) -> int:
    """Removes what was on its way and never arrived; returns how many."""
    gone = 0
    for part in folder.glob("*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - part.stat().st_mtime > older_than_s:
                # What a worker was drawing when it was killed is a folder.
                shutil.rmtree(part) if part.is_dir() else part.unlink()
                gone += 1
    return gone
