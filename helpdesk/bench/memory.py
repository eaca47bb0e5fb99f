"""What a running desk takes: a real `manage.py up` with its own data, asked a little, then every process of its tree.

PSS counts what processes share once, divided among them; the kernel says it (Linux).
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import psutil
from django.conf import settings

from helpdesk.bench import upload

LIMIT_MB = 700
PATIENCE_S = 180
SETTLE_S = 20
REQUESTS = 50
AT_ONCE = 8
MANAGED = ("manage.py worker", "manage.py pulse", "manage.py jobs")


@dataclass(frozen=True)
class Used:
    """(process, PSS in MB) of every process of a desk that has been used, and what a large file takes there."""

    processes: list[tuple[str, float]]
    upload: upload.Taken


def of_a_desk() -> Used | None:
    """Measures a desk of its own; None where the kernel does not say what processes share."""
    if sys.platform != "linux":
        return None
    with _desk() as (process, run):
        browser = _engineer(run)
        _use(browser, run)
        time.sleep(SETTLE_S)
        tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        found = [(_name(p.cmdline()), p.memory_full_info().pss / 2**20) for p in tree]
        web = [p for p in tree if _name(p.cmdline()) == "gunicorn"]
        return Used(found, upload.measure(browser, run["url"], _token(browser, f"{run['url']}/tickets/create"), web))


@contextmanager
def _desk() -> Iterator[tuple["subprocess.Popen[bytes]", dict[str, Any]]]:
    """A desk of its own, with embedded PostgreSQL and the demo, until the end of the block."""
    data = Path(tempfile.mkdtemp(prefix="helpdesk-bench-"))
    data.chmod(0o755)
    aside = ("DATABASE_URL", "SITE_URL", "HOST", "CACHE_URL", "EMAIL_URL", "DEMO")
    # A simulated AWS is no part of a desk.
    own = {"HELPDESK_DATA": str(data), "PORT": str(_port()), "AWS_SIM": "0"}
    env = {k: v for k, v in os.environ.items() if k not in aside} | own
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "up"]
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    try:
        yield process, _opened(process, data / "run.json")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        shutil.rmtree(data, ignore_errors=True)


def _port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _opened(process: "subprocess.Popen[bytes]", sign: Path) -> dict[str, Any]:
    until = time.monotonic() + PATIENCE_S
    while not sign.exists():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError("the desk did not open")
        time.sleep(0.2)
    run: dict[str, Any] = json.loads(sign.read_text())
    return run


def _engineer(run: dict[str, Any]) -> OpenerDirector:
    """The browser of an engineer who has logged in."""
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    engineer = next(p for p in run["people"] if p["role"] == "engineer")
    login = f"{run['url']}/accounts/login/"
    form = {"csrfmiddlewaretoken": _token(browser, login), "login": engineer["email"], "password": engineer["password"]}
    _page(browser, login, urlencode(form).encode())
    return browser


def _token(browser: OpenerDirector, url: str) -> str:
    return _found(r'name="csrfmiddlewaretoken" value="(\w+)"', _page(browser, url))[0]


def _use(browser: OpenerDirector, run: dict[str, Any]) -> None:
    """Reads the queue and tickets, REQUESTS pages in all, as many at once as there are threads."""
    links = _found(r'href="(/tickets/HD-\d+/)"', _page(browser, f"{run['url']}/tickets/"))
    pages = [run["url"] + page for page in islice(cycle(["/tickets/", *links]), REQUESTS)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda page: _page(browser, page), pages))


def _page(browser: OpenerDirector, url: str, form: bytes | None = None) -> str:
    with browser.open(url, form, 30) as answer:
        return str(answer.read().decode())


def _found(pattern: str, page: str) -> list[str]:
    found = re.findall(pattern, page)
    if not found:
        raise RuntimeError(f"the page shows nothing like {pattern}")
    return found


def _name(command: list[str]) -> str:
    """A process as one would call it."""
    line = " ".join(command)
    for mark in ("gunicorn", "helpdesk.supervisor", "helpdesk.mail_server", *MANAGED):
        if mark in line:
            return mark.removeprefix("manage.py ").replace("helpdesk.supervisor", "supervisor (up)")
    return "postgres" if "/postgres -D" in line else re.sub(r" 127\.0\.0\.1\(\d+\)", "", line)[:40]
