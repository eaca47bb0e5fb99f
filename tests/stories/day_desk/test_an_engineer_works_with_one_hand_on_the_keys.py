"""Ana works her queue without the mouse: keys move, open, write, copy and lead on; a field takes them as text."""

from typing import Any

from tests.browser import chromium
from tests.stories.desk import BROWSER_STORY, Desk, wait_for

pytestmark = BROWSER_STORY


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.id"))


def clipboard(page: Any) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_keys_lead_through_the_queue(desk: Desk, browser: Any, people: dict[str, dict[str, str]]) -> None:
    ana = chromium.person(browser, desk.url, people["ana"], permissions=["clipboard-read", "clipboard-write"])
    ref = she_opens_the_second_of_the_queue(ana)
    she_copies_its_number_title_and_link(ana, desk.url, ref)
    keys_are_letters_in_a_field(ana)
    she_is_led_to_what_she_wants_to_change(ana)
    she_reads_which_keys_there_are(ana)
    she_answers_and_is_led_to_the_next(ana, ref)
    she_switches_the_keys_off(ana)


def she_opens_the_second_of_the_queue(ana: Any) -> str:
    ana.goto("/account/")
    ana.keyboard.press("g")
    ana.keyboard.press("q")
    ana.wait_for_url("**/tickets/")
    links = [link.get_attribute("id") for link in ana.locator(".queue .c-title a").all()]
    ana.keyboard.press("j")
    assert focused(ana) == links[0]
    ana.keyboard.press("ArrowDown")
    ana.keyboard.press("j")
    ana.keyboard.press("k")
    assert focused(ana) == links[1]
    # A modifier makes it another key.
    ana.keyboard.press("Control+j")
    assert focused(ana) == links[1]
    ana.keyboard.press("Enter")
    ref = f"HD-{links[1].removeprefix('t')}"
    ana.wait_for_url(f"**/tickets/{ref}/")
    return ref


def she_copies_its_number_title_and_link(ana: Any, url: str, ref: str) -> None:
    title = ana.locator("h1").inner_text()
    for presses, copied in ((1, ref), (2, f"{ref} {title}"), (3, f"{url}/tickets/{ref}/")):
        for _n in range(presses):
            ana.keyboard.press(".")
        wait_for(f"{copied} is copied", lambda text=copied: clipboard(ana) == text)
        assert "Copied: " in ana.locator("output#copied").inner_text()
        ana.wait_for_timeout(700)


def keys_are_letters_in_a_field(ana: Any) -> None:
    ana.keyboard.press("x")
    assert ana.locator("[name=kind][value=note]").is_checked()
    assert focused(ana) == "body"
    ana.keyboard.type("n/?.jr")
    assert ana.locator("#body").input_value() == "n/?.jr"
    ana.keyboard.press("Escape")
    ana.keyboard.press("i")
    assert ana.locator("[name=kind][value=reply]").is_checked()
    assert focused(ana) == "body"
    ana.fill("#body", "")
    ana.keyboard.press("Escape")


def she_is_led_to_what_she_wants_to_change(ana: Any) -> None:
    ana.keyboard.press("p")
    assert focused(ana) == "priority"
    ana.keyboard.press("Escape")
    assert not ana.locator("#priority").is_visible()
    ana.keyboard.press("a")
    wait_for("the choice of people has come", lambda: focused(ana) == "to")
    ana.keyboard.press("Escape")
    ana.keyboard.press("t")
    assert focused(ana) == "add"
    ana.keyboard.press("Escape")
    ana.keyboard.press("s")
    assert ana.evaluate("document.activeElement.name") == "q"
    ana.keyboard.press("Escape")


def she_reads_which_keys_there_are(ana: Any) -> None:
    ana.keyboard.press("?")
    sheet = ana.locator("dialog#shortcuts")
    assert "Reply to the customer" in sheet.inner_text()
    here = ana.url
    ana.keyboard.press("n")
    assert (sheet.is_visible(), ana.url) == (True, here)
    ana.keyboard.press("Escape")
    assert not sheet.is_visible()
    ana.click(".me")
    ana.click("[data-opens-shortcuts]")
    sheet.locator("button").click()
    assert not sheet.is_visible()


def she_answers_and_is_led_to_the_next(ana: Any, ref: str) -> None:
    following = ana.locator("a[rel=next]").get_attribute("href")
    ana.keyboard.press("r")
    ana.keyboard.type("We are looking into it.")
    ana.select_option("[name=after]", "next")
    ana.click("button.button-primary.when-reply")
    ana.wait_for_url(lambda address: ref not in address)
    after_sending = ana.url
    assert f"{ref}: the customer has it in" in ana.locator("main").inner_text()
    assert ana.locator("[name=after]").input_value() == "next"
    ana.keyboard.press("k")
    ana.wait_for_url(lambda address: address != after_sending)
    assert following


def she_switches_the_keys_off(ana: Any) -> None:
    ana.goto("/account/")
    ana.uncheck("[name=shortcuts]")
    ana.click("form:has([name=shortcuts]) button.button-primary")
    ana.wait_for_selector(".notice[data-state=good]")
    ana.keyboard.press("n")
    ana.keyboard.press("?")
    assert ana.url.endswith("/account/")
    assert not ana.locator("dialog#shortcuts").is_visible()
