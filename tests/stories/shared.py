"""For stories that are told at one running desk and in one browser, one after the other: the folders *_desk.

Starting a desk and a browser takes longer than most of them. None needs a clock, settings or processes of its own, and
none counts on what another wrote. bin/test gives such a folder to one process (tests/conftest.py).
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import chromium


@pytest.fixture(scope="package")
def one_browser() -> Iterator[Any]:
    with chromium.browser() as browser:
        yield browser


@pytest.fixture
def browser(one_browser: Any) -> Iterator[Any]:
    """Where a story opens its own windows: they are closed after it, and nothing was wrong on a page."""
    chromium.complaints.clear()
    yield one_browser
    for context in one_browser.contexts:
        context.close()
    assert chromium.complaints == []
