"""A file of 25 MB sent to a running desk: how long it takes, and what the web processes hold meanwhile.

Their memory must stay flat, however large the file and however many are sent: no more than a few blocks of each.
"""

import threading
import time
from dataclasses import dataclass
from urllib.parse import urlencode
from urllib.request import OpenerDirector, Request

import psutil

SIZE = 25 * 1024 * 1024
WARM = 6
TIMES = 3
AT_ONCE = 2
FLAT_MB = 8


@dataclass(frozen=True)
class Taken:
    """Seconds for one file, and the PSS of all web processes in MB: before, at its highest while two arrive, after."""

    seconds: float
    before: float
    peak: float
    after: float

    @property
    def is_flat(self) -> bool:
        return self.peak - self.before <= FLAT_MB


def measure(browser: OpenerDirector, url: str, token: str, web: list[psutil.Process]) -> Taken:
    """Sends it to warm up all processes, then a few times alone, then two at once while the memory is watched."""
    for _ in range(WARM):
        _send(browser, url, token)
    seconds = sorted(_send(browser, url, token) for _ in range(TIMES))[TIMES // 2]
    before = peak = _pss(web)
    both = [threading.Thread(target=_send, args=(browser, url, token)) for _ in range(AT_ONCE)]
    for one in both:
        one.start()
    while any(one.is_alive() for one in both):
        peak = max(peak, _pss(web))
        time.sleep(0.02)
    return Taken(seconds, before, peak, _pss(web))


def _send(browser: OpenerDirector, url: str, token: str) -> float:
    address = f"{url}/tickets/files?{urlencode({'name': 'core.bin'})}"
    headers = {"X-CSRFToken": token, "Content-Type": "application/octet-stream"}
    body = bytes(range(256)) * (SIZE // 256)
    started = time.perf_counter()
    with browser.open(Request(address, body, headers), None, 120) as answer:
        answer.read()
    return time.perf_counter() - started


def _pss(processes: list[psutil.Process]) -> float:
    return float(sum(p.memory_full_info().pss for p in processes) / 2**20)
