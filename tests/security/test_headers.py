"""The header rules behind https, judged as an outside scanner would, and a database that goes away mid-request."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from helpdesk.accounts.session_store import SessionStore

ROOT = Path(__file__).resolve().parent.parent.parent
ASK = """
import django
from django.conf import settings
settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
django.setup()
from django.test import Client
client = Client(headers={"host": "desk.example"})
for path in ("/accounts/login/", "/healthz", "/tickets/", "/nowhere", "/static/nothing.css"):
    answer = client.get(path, secure=True)
    print("PAGE", path, answer.status_code)
    for name, value in answer.headers.items():
        print(f"{name.lower()}: {value}")
    for cookie in answer.cookies.values():
        print("set-cookie:", cookie.OutputString())
plain = client.get("/accounts/login/")
print("PLAIN", plain.status_code, plain.headers.get("Location"))
"""


def pages_behind_https() -> tuple[dict[str, list[str]], str]:
    env = os.environ | {
        "SITE_URL": "https://desk.example",
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.",
        "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
    }
    done = subprocess.run([sys.executable, "-c", ASK], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    pages: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        if line.startswith("PAGE"):
            pages[line.split()[1]] = here = []
        elif line.startswith("PLAIN"):
            plain = line
        else:
            here.append(line)
    return pages, plain


def test_every_page_behind_https_would_score_in_full() -> None:
    pages, plain = pages_behind_https()
    assert plain == "PLAIN 301 https://desk.example/accounts/login/"
    for path, lines in pages.items():
        headers = dict(line.split(": ", 1) for line in lines if not line.startswith("set-cookie"))
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert "frame-ancestors 'none'" in policy, path
        assert "form-action 'self'" in policy, path
        assert "base-uri 'none'" in policy, path
        assert headers["strict-transport-security"] == "max-age=63072000; includeSubDomains; preload", path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path
        assert headers["referrer-policy"] == "same-origin", path
        assert "access-control-allow-origin" not in headers, path
        for cookie in (line for line in lines if line.startswith("set-cookie")):
            assert cookie.startswith("set-cookie: __Host-"), cookie
            assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/")), cookie
    assert any("__Host-csrf" in line for line in pages["/accounts/login/"])


@pytest.mark.django_db
@pytest.mark.parametrize("where", ["session", "view"])
def test_while_the_database_is_away_a_page_says_so(cast: Any, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def gone(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("the connection is closed")

    client = Client(raise_request_exception=False)
    client.force_login(cast.ana)
    if where == "session":
        monkeypatch.setattr(SessionStore, "_get_session_from_db", gone)
    else:
        monkeypatch.setattr("tickets.queue.counts", gone)
    monkeypatch.setattr("helpdesk.middleware.connection.close", lambda: None)
    answer = client.get("/tickets/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "数据库" in answer.content.decode()
