"""What the demo's people attach: a chart as a picture and a stretch of a log, made here from nothing."""

import struct
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta

from helpdesk.accounts.models import User
from tickets import attaching
from tickets.models import Attachment
from tickets.receiving import Incoming

WIDTH, HEIGHT = 720, 360
WHITE, GRID, LINE = (255, 255, 255), (226, 226, 222), (31, 78, 140)


def attach(names: tuple[str, ...], *, by: User, at: datetime) -> list[Attachment]:
    """Sends the files of these names, as if `by` had at `at`."""
    return [_send(name, MADE[name](at), by, at + timedelta(microseconds=n)) for n, name in enumerate(names)]


def _send(name: str, content: bytes, by: User, at: datetime) -> Attachment:
    incoming = Incoming(name)
    try:
        incoming.write(content)
        return attaching.keep(incoming=incoming, by=by, at=at)
    finally:
        incoming.close()


def _rising(at: datetime) -> bytes:
    """A line that is flat for half the time and then climbs, on a grid."""
    return _png(_chart())


def _falling(at: datetime) -> bytes:
    return _png(_chart()[::-1])


def _chart() -> list[bytearray]:
    rows = [bytearray(bytes(GRID if y % 60 == 59 else WHITE) * WIDTH) for y in range(HEIGHT)]
    heights = [20 + max(0, x - WIDTH // 2) * 280 // (WIDTH // 2) + (x * 7919) % 9 for x in range(WIDTH)]
    for x, (now, before) in enumerate(zip(heights, [heights[0], *heights], strict=False)):
        for y in range(min(now, before) - 1, max(now, before) + 2):
            rows[HEIGHT - 1 - y][3 * x : 3 * x + 3] = bytes(LINE)
    return rows


def _png(rows: list[bytearray]) -> bytes:
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    lines = zlib.compress(b"".join(b"\x00" + bytes(row) for row in rows))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", lines) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _slow_log(at: datetime) -> bytes:
    """A slow log of the hour before."""
    lines = []
    for minute in range(60):
        then = at - timedelta(minutes=60 - minute)
        lag = max(2, (minute - 20) * 23)
        stamp = f"{then:%Y-%m-%dT%H:%M:%SZ}"
        lines.append(f"{stamp} replica=orders-prod-r1 Seconds_Behind_Master={lag} Relay_Log_Space={lag * 81920}")
        if minute > 20:
            lines.append(f"{stamp} # Query_time: {lag / 10:.3f} on orders, 4200000 rows examined")
    return "\n".join(lines).encode()


MADE: dict[str, Callable[[datetime], bytes]] = {
    "ReplicaLag.png": _rising,
    "FreeStorageSpace.png": _falling,
    "slow-orders-prod-r1.log": _slow_log,
}
