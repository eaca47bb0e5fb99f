"""Li Min ticks rows with Shift, keeps them through a refresh, tags them together; and again without any script."""

from typing import Any

from tests.browser import chromium
from tests.stories.desk import BROWSER_STORY, Desk

pytestmark = BROWSER_STORY


def entered(browser: Any, desk: Desk, login: dict[str, str], **more: Any) -> Any:
    page = chromium.person(browser, desk.url, login, **more)
    page.goto("/tickets/")
    return page


def ticked(page: Any) -> int:
    return int(page.locator('input[name="pick"]:checked').count())


def bar(page: Any) -> Any:
    return page.locator("#bulk")


def test_rows_are_ticked_with_the_mouse_and_tagged_together(
    desk: Desk, browser: Any, people: dict[str, dict[str, str]]
) -> None:
    page = entered(browser, desk, people["ana"])
    boxes = page.locator('input[name="pick"]')
    assert not bar(page).is_visible()
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    assert (ticked(page), "4" in bar(page).inner_text()) == (4, True)
    # The list refreshes itself under her hands.
    with page.expect_response(lambda answer: "/tickets/" in answer.url):
        page.evaluate("htmx.trigger(document.querySelector('[data-live]'), 'refresh')")
    page.wait_for_function("document.querySelectorAll('input[name=pick]:checked').length === 4")
    boxes.nth(2).click()
    page.locator("[data-pick-all]").click()
    assert ticked(page) == boxes.count()
    bar(page).locator('button[type="reset"]').click()
    assert (ticked(page), bar(page).is_visible()) == (0, False)
    boxes.nth(0).click()
    boxes.nth(1).click()
    bar(page).locator('button[value="tag"]').click()
    page.fill("#add", "tidied")
    page.click("form button.button-primary")
    page.wait_for_load_state()
    assert page.locator(".verdict[data-state=good]").count() == 2


def test_it_all_works_without_a_script(desk: Desk, browser: Any, people: dict[str, dict[str, str]]) -> None:
    page = entered(browser, desk, people["ana"], java_script_enabled=False)
    assert not page.locator("[data-pick-all]").is_visible()
    page.locator('input[name="pick"]').nth(0).check()
    bar(page).locator('button[value="tag"]').click()
    page.fill("#add", "by hand")
    page.click("form button.button-primary")
    assert page.locator(".verdict[data-state=good]").count() == 1
