"""A real SMTP server on loopback that can be told to misbehave, and writes down every mail it accepted.

It runs on a thread of its own with aiosmtpd. `behave` is asked at each step, by name ("CONNECT", "MAIL", "RCPT",
"DATA", "ACCEPTED"), and answers None (as it should be), a line to answer with ("421 later"), DROP (the line is cut), or
HANG (nothing more is said until `let_go`).
"""

import asyncio
import email
import socket
import threading
import time
from collections.abc import Callable
from email.message import Message
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

DROP, HANG = "drop", "hang"
Behave = Callable[[str, str], str | None]


class Server:
    """Started with `start`, stopped and started again on the same port as often as a test likes."""

    def __init__(self) -> None:
        self.mails: list[tuple[float, Message]] = []
        self.steps: list[str] = []
        self.behave: Behave = lambda step, what: None
        self.port = 0
        self.held = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.ended: asyncio.Event | None = None
        self.thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def ids(self) -> list[str]:
        return [str(mail["Message-ID"]) for _at, mail in self.mails]

    def start(self) -> "Server":
        self.held.clear()
        door = socket.create_server(("127.0.0.1", self.port))
        self.port = door.getsockname()[1]
        ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run(door, ready)), daemon=True)
        self.thread.start()
        assert ready.wait(10)
        return self

    def stop(self) -> None:
        self.held.set()
        if self.loop and self.ended and self.thread:
            self.loop.call_soon_threadsafe(self.ended.set)
            self.thread.join(10)
            self.loop = self.ended = self.thread = None

    def let_go(self) -> None:
        self.held.set()
        self.behave = lambda step, what: None

    async def _run(self, door: socket.socket, ready: threading.Event) -> None:
        self.loop, self.ended = asyncio.get_running_loop(), asyncio.Event()
        made: list[_Protocol] = []

        def protocol() -> _Protocol:
            made.append(_Protocol(self))
            return made[-1]

        server = await asyncio.get_running_loop().create_server(protocol, sock=door)
        ready.set()
        await self.ended.wait()
        server.close()
        for one in made:
            if one.transport:
                one.transport.abort()
        await asyncio.sleep(0.05)

    async def asked(self, protocol: SMTP, step: str, what: str) -> str | None:
        """What to answer at a step; None for what is usual."""
        self.steps.append(f"{step} {what}".strip())
        word = self.behave(step, what)
        if word == DROP:
            assert protocol.transport
            protocol.transport.abort()
            return "421 gone"
        if word == HANG:
            while not self.held.is_set():
                await asyncio.sleep(0.02)
            return None
        return word


class _Protocol(SMTP):
    def __init__(self, server: Server) -> None:
        super().__init__(_Handler(server), loop=asyncio.get_running_loop(), hostname="mail.example")
        self.owner = server

    async def _handle_client(self) -> None:
        if word := await self.owner.asked(self, "CONNECT", ""):
            await self.push(word)
            assert self.transport
            self.transport.close()
            return
        await super()._handle_client()


class _Handler:
    def __init__(self, server: Server) -> None:
        self.server = server

    async def handle_MAIL(self, smtp: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if word := await self.server.asked(smtp, "MAIL", address):
            return word
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, smtp: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if word := await self.server.asked(smtp, "RCPT", address):
            return word
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, smtp: SMTP, session: Session, envelope: Envelope) -> str:
        mail = email.message_from_bytes(bytes(envelope.content or b""))
        if word := await self.server.asked(smtp, "DATA", str(mail["Message-ID"])):
            return word
        self.server.mails.append((time.monotonic(), mail))
        return await self.server.asked(smtp, "ACCEPTED", str(mail["Message-ID"])) or "250 taken"
