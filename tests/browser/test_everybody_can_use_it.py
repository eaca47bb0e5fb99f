"""Every page, for whoever sees little, has a small screen or uses no mouse: names, headings, contrast, width."""

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import chromium, walk
from tests.stories.desk import Desk

pytestmark = [
    pytest.mark.story,
    pytest.mark.browser,
    pytest.mark.skipif(chromium.PROGRAM is None, reason="NO CHROMIUM: install the package chromium"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
AUDIT = (Path(__file__).parent / "audit.js").read_text()
# What a newcomer with good eyes does not see first: a desk, light, and a phone, dark.
LOOKS = {
    "a desk, light": ({"width": 1280, "height": 900}, "light"),
    "a phone, dark": ({"width": 390, "height": 844}, "dark"),
}


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with tempfile.TemporaryDirectory(prefix="helpdesk-audit-") as folder:
        os.chmod(folder, 0o755)
        desk = Desk.start(Path(folder) / "data")
        try:
            yield desk
        finally:
            desk.stop()


@pytest.mark.parametrize("role", ["customer", "engineer", "admin"])
def test_each_page_is_fit_to_use(desk: Desk, role: str) -> None:
    """Each page is loaded once and looked at twice: nothing but its styles asks for the width and the colours."""
    told = desk.run_file()
    assert told
    chromium.complaints.clear()
    faults, seen = Counter[str](), []
    with chromium.browser() as browser:
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
    assert chromium.complaints == []
