"""A real Chromium, where one is installed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

PROGRAM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
# Nothing but the desk may be asked for: a browser that phones home finds no network here.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=PROGRAM, args=QUIET)
        try:
            yield running
        finally:
            running.close()


def person(chromium: Browser, url: str, login: dict[str, str] | None = None, **more: Any) -> Page:
    """A browser window of somebody's own, logged in at the desk; errors on the page fail the test."""
    page = chromium.new_context(base_url=url, **more).new_page()
    page.on("console", lambda said: _complain(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: _complain(str(error)))
    if login:
        page.goto("/accounts/login/")
        page.fill("[name=login]", login["email"])
        page.fill("[name=password]", login["password"])
        page.click("form:has([name=password]) button.button-primary")
        page.wait_for_url(lambda address: "/accounts/login" not in address)
    return page


complaints: list[str] = []


def _complain(text: str) -> None:
    # A 404 or 409 that a story asks for is not a fault of the page.
    if "status of 4" not in text:
        complaints.append(text)
