"""A customer writes on Ana's ticket while she reads another page: every tab of hers tells it, until she has seen it."""

from tests.browser import chromium
from tests.stories.desk import BROWSER_STORY, Desk, wait_for

pytestmark = BROWSER_STORY


def test_the_tab_tells_it(desk: Desk) -> None:
    chromium.complaints.clear()
    told = desk.run_file()
    assert told
    number, requester, engineer = desk.sql(
        "SELECT t.id, r.email, a.email FROM tickets_ticket t JOIN accounts_user r ON r.id = t.requester_id "
        "JOIN accounts_user a ON a.id = t.assigned_to_id WHERE t.status = 'in_progress' AND a.language = 'en' "
        "ORDER BY t.id LIMIT 1"
    )[0]
    logins = {p["email"]: p for p in told["people"]}
    with chromium.browser() as browser:
        ana = chromium.person(browser, desk.url, logins[engineer])
        ana.goto("/account/")
        second = ana.context.new_page()
        second.goto("/tickets/create")
        ana.wait_for_timeout(1000)
        # What is due soon may have been told: it is put away.
        if ana.locator("#news button").is_visible():
            ana.click("#news button")
            ana.click("#news-list [data-clear]")
        assert not ana.title().startswith("(")

        customer = chromium.person(browser, desk.url, logins[requester])
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
    assert chromium.complaints == []
