"""A mail server on loopback that catches what leaves, for a desk on one's own machine: nothing gets further.

`manage.py mail_server` turns into it, and `up` starts it where EMAIL_URL is absent. It is a process of its own so that
every letter goes the real way, by SMTP, from the first day; without Django and database it takes a few megabytes. Each
mail is a file in `.data/mail`, written beside its place and renamed, so under its own name it is always whole. Names
follow the time, and the oldest go.
"""

import argparse
import asyncio
import itertools
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from helpdesk import embedded

KEPT = 2_000
LARGEST = 40 * 2**20


class Catcher:
    """aiosmtpd's handler. Without a folder mails are counted and forgotten, for measuring."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.numbers = itertools.count()
        if folder:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # What a kill left half written.
            for half in folder.glob("*.part"):
                half.unlink(missing_ok=True)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        number = next(self.numbers)
        if self.folder:
            try:
                self._keep(self.folder, number, envelope)
            except OSError as error:
                return f"452 cannot be kept: {error.strerror}"
            if number % 100 == 99:
                forget(self.folder)
        return "250 caught"

    def _keep(self, folder: Path, number: int, envelope: Any) -> None:
        name = f"{time.time_ns():020d}-{os.getpid():07d}-{number:06d}"
        # As the last server on the way would note it.
        head = f"Return-Path: <{envelope.mail_from}>\r\n" + "".join(
            f"Delivered-To: {reader}\r\n" for reader in envelope.rcpt_tos
        )
        half = folder / f"{name}.part"
        half.touch(mode=0o600)
        half.write_bytes(head.encode() + envelope.content)
        half.rename(folder / f"{name}.eml")


def forget(folder: Path) -> None:
    """Removes all but the newest."""
    for old in sorted(folder.glob("*.eml"))[:-KEPT]:
        old.unlink(missing_ok=True)


async def serve(door: socket.socket, folder: Path | None, greeting: str) -> None:
    """Catches until it is told to stop; says so when it has begun."""
    from aiosmtpd.smtp import SMTP

    loop, catcher, ended = asyncio.get_running_loop(), Catcher(folder), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)

    def protocol() -> Any:
        return SMTP(catcher, hostname="localhost", loop=loop, data_size_limit=LARGEST, enable_SMTPUTF8=True)

    async with await loop.create_server(protocol, sock=door):
        if greeting:
            print(greeting, flush=True)  # noqa: T201
        await ended.wait()


def main(words: list[str] | None = None) -> int:
    asked = argparse.ArgumentParser(prog="manage.py mail_server", description="Catches what leaves, on loopback.")
    asked.add_argument("--host", default="127.0.0.1")
    asked.add_argument("--port", type=int, default=2525)
    asked.add_argument("--fd", type=int, help="an open door to serve at, instead of a port")
    asked.add_argument("--discard", action="store_true", help="keep nothing")
    told = asked.parse_args(words)
    try:
        door = socket.socket(fileno=told.fd) if told.fd else socket.create_server((told.host, told.port))
    except (OSError, OverflowError) as error:
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
        print(f"Port {told.port} cannot be used: {why}.", file=sys.stderr)  # noqa: T201
        return 2
    folder = None if told.discard else embedded.data_dir() / "mail"
    asyncio.run(serve(door, folder, "" if told.fd else f"Catching mail at smtp://{told.host}:{door.getsockname()[1]}"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
