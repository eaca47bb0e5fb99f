"""One desk with people and no tickets but those that the stories file."""

from collections.abc import Iterator

import pytest

from tests.stories.desk import Desk, running
from tests.stories.shared import browser, one_browser

__all__ = ["browser", "desk", "one_browser"]


@pytest.fixture(scope="package")
def desk() -> Iterator[Desk]:
    with running("people") as one:
        yield one
