"""Every page, for whoever sees little, has a small screen or uses no mouse: names, headings, contrast, width."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.browser import chromium, walk
from tests.stories.desk import BROWSER_STORY, Desk

pytestmark = BROWSER_STORY
AUDIT = (Path(__file__).parent / "audit.js").read_text()
# What a newcomer with good eyes does not see first: a desk, light, and a phone, dark.
LOOKS = {
    "a desk, light": ({"width": 1280, "height": 900}, "light"),
    "a phone, dark": ({"width": 390, "height": 844}, "dark"),
}


@pytest.mark.parametrize("role", ["customer", "engineer", "admin"])
def test_each_page_is_fit_to_use(desk: Desk, browser: Any, role: str) -> None:
    """Each page is loaded once and looked at twice: nothing but its styles asks for the width and the colours."""
    told = desk.run_file()
    assert told
    faults, seen = Counter[str](), []
    login = next(p for p in told["people"] if p["role"] == role)
    # Without motion: a colour is looked at once it is what it shall be.
    page = chromium.person(browser, desk.url, login, reduced_motion="reduce")
    for path in walk.pages(page, desk.url, lambda path: page.goto(desk.url + path, wait_until="load")):
        seen.append(path)
        # Django's own pages look as Django made them.
        if path.startswith("/admin/"):
            continue
        for look, (size, colours) in LOOKS.items():
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=colours)
            faults.update(f"{path}, {look}: {fault}" for fault in page.evaluate(AUDIT))
    assert sorted(faults) == []
    assert len(seen) >= 8
