"""Ana and Lee have one ticket open: each sees the other look and type; what one sends the other is shown in place."""

from collections.abc import Callable
from typing import Any

from tests.browser import chromium
from tests.stories.desk import BROWSER_STORY, Desk, wait_for

pytestmark = BROWSER_STORY


def seen(page: Any, what: str) -> bool:
    return what in page.locator("#present").inner_text()


def test_two_on_one_ticket(
    desk: Desk, browser: Any, people: dict[str, dict[str, str]], ticket_of: Callable[[str], int]
) -> None:
    number = ticket_of("zhaochen")
    ana = chromium.person(browser, desk.url, people["ana"])
    lee = chromium.person(browser, desk.url, people["lee"])
    ana.goto(f"/tickets/HD-{number}/")
    lee.goto(f"/tickets/HD-{number}/")
    name = lee.locator("#me-menu .menu-head b").first.text_content()
    wait_for("Ana sees Lee", lambda: seen(ana, f"{name} is here"))
    assert ana.locator("#present .face[data-presence=viewing]").count() == 1

    lee.locator("#body").press_sequentially("We found it.")
    wait_for("Ana sees Lee type", lambda: seen(ana, f"{name} is typing"))
    assert ana.locator("#present .face[data-presence=typing]").count() == 1

    ana.fill("#body", "What I was about to say")
    lee.click("button.button-primary.when-reply")
    lee.wait_for_selector(".bar[data-until]")
    wait_for("Ana hears of the answer", lambda: f"{name} replied at " in ana.locator("#moved").inner_text())
    ana.click("#moved a.button")
    ana.wait_for_selector("#timeline >> text=We found it.")
    assert ana.locator("#body").input_value() == "What I was about to say"
    wait_for("the notice goes", lambda: ana.locator("#moved .notice").count() == 0)

    lee.goto("/account/")
    wait_for("Lee is gone", lambda: ana.locator("#present .face").count() == 0)
