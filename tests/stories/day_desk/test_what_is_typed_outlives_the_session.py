"""Lee types and never saves by hand: reload, a second window, a session that ends and a late click lose nothing."""

from collections.abc import Callable
from typing import Any

from tests.browser import chromium
from tests.stories.desk import BROWSER_STORY, Desk, wait_for

pytestmark = BROWSER_STORY


def stored(desk: Desk, number: int) -> list[Any]:
    return [body for (body,) in desk.sql("SELECT body FROM tickets_draft WHERE ticket_id = %s ORDER BY id", number)]


def line(page: Any) -> str:
    return str(page.locator("[data-draft]").inner_text())


def log_in(page: Any, login: dict[str, str]) -> None:
    page.fill("[name=login]", login["email"])
    page.fill("[name=password]", login["password"])
    page.click("form:has([name=password]) button.button-primary")
    page.wait_for_url(lambda address: "/accounts/login" not in address)


def end_sessions(desk: Desk) -> None:
    desk.sql("DELETE FROM django_session RETURNING 1")


def test_nothing_typed_is_lost(
    desk: Desk, browser: Any, people: dict[str, dict[str, str]], ticket_of: Callable[[str], int]
) -> None:
    lee, number = people["lee"], ticket_of("limin")
    one = chromium.person(browser, desk.url, lee)
    one.goto(f"/tickets/HD-{number}/")
    one.locator("#body").press_sequentially("First words")
    wait_for("the draft is saved while one types", lambda: stored(desk, number) == ["First words"])
    wait_for("and the page says so", lambda: "Draft of" in line(one))
    one.reload()
    assert one.locator("#body").input_value() == "First words"

    # A second window goes on; the first is told and loses nothing.
    two = chromium.person(browser, desk.url, lee)
    two.goto(f"/tickets/HD-{number}/")
    two.fill("#body", "First words, and the second window's")
    two.locator("#body").blur()
    wait_for("the newer words are saved", lambda: stored(desk, number)[0].endswith("window's"))
    one.fill("#body", "First words, mine")
    one.locator("#body").blur()
    wait_for("the older window is told", lambda: "another window saved its draft" in line(one))
    assert stored(desk, number)[0].endswith("window's")
    one.click("button[name=both]")
    one.wait_for_selector(".notice[data-state=good]")
    assert one.locator("#body").input_value() == "First words, and the second window's\n\nFirst words, mine"

    # The session ends while one types: the words stay, and are saved once one has logged in elsewhere.
    end_sessions(desk)
    one.fill("#body", "Typed without a session")
    one.locator("#body").blur()
    wait_for("the page says it", lambda: "You were logged out" in line(one))
    other = one.context.new_page()
    other.goto("/accounts/login/")
    log_in(other, lee)
    one.fill("#body", "Typed without a session, and on")
    one.locator("#body").blur()
    wait_for("saved after login", lambda: stored(desk, number) == ["Typed without a session, and on"])
    wait_for("and the page is whole again", lambda: "logged out" not in line(one))

    # Sent too late, as a note: after login it stands in the ticket again, still a note.
    end_sessions(desk)
    one.locator(".composer label:has([value=note])").click()
    one.fill("#body", "For colleagues alone")
    one.click("button.when-note.button-primary")
    one.wait_for_selector("[data-kept-word]:visible")
    one.click("main a.button-primary")
    log_in(one, lee)
    wait_for("the text is back", lambda: "For colleagues alone" in one.locator("#body").input_value())
    assert one.locator(".composer [value=note]").is_checked()
    wait_for("and saved", lambda: "For colleagues alone" in stored(desk, number)[0])
    one.click("button.when-note.button-primary")
    one.wait_for_selector(".notice[data-state=good]")
    wait_for("what is sent is no draft", lambda: stored(desk, number) == [])
    one.wait_for_timeout(4000)
    assert stored(desk, number) == [], "nor does it become one again"
