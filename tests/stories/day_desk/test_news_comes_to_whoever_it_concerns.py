"""A customer writes on Ana's ticket while she reads another page: every tab of hers tells it, until she has seen it."""

from collections.abc import Callable
from typing import Any

from tests.browser import chromium
from tests.stories.desk import BROWSER_STORY, Desk, wait_for

pytestmark = BROWSER_STORY


def test_the_tab_tells_it(
    desk: Desk, browser: Any, people: dict[str, dict[str, str]], ticket_of: Callable[[str], int]
) -> None:
    number = ticket_of("ana")
    ((requester,),) = desk.sql(
        "SELECT split_part(r.email, '@', 1) FROM tickets_ticket t JOIN accounts_user r ON r.id = t.requester_id "
        "WHERE t.id = %s",
        number,
    )
    ana = chromium.person(browser, desk.url, people["ana"])
    ana.goto("/account/")
    second = ana.context.new_page()
    second.goto("/tickets/create")
    ana.wait_for_timeout(1000)
    # What is due soon may have been told: it is put away.
    if ana.locator("#news button").is_visible():
        ana.click("#news button")
        ana.click("#news-list [data-clear]")
    assert not ana.title().startswith("(")

    customer = chromium.person(browser, desk.url, people[requester])
    customer.goto(f"/tickets/HD-{number}/")
    customer.fill("#body", "It happens again.")
    customer.click("form:has(#body) button.button-primary")
    customer.wait_for_selector(".notice[data-state=good]")
    assert customer.locator("#news").count() == 0

    wait_for("the title of one tab counts it", lambda: ana.title().startswith("(1) "))
    wait_for("that of the other too", lambda: second.title().startswith("(1) "))
    assert f"HD-{number}: The customer replied" in "".join(
        page.locator("#news [role=status]").text_content() or "" for page in (ana, second)
    )
    ana.click("#news button")
    link = ana.locator("#news-list li a")
    assert "The customer replied" in link.inner_text()
    link.click()
    ana.wait_for_url(f"**/tickets/HD-{number}/")
    wait_for("seen in one tab, seen in all", lambda: not second.title().startswith("("))
    assert not ana.locator("#news button").is_visible()
