"""What the stories share: a running desk of each module's own, and the logins of its demo people."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.desk import Desk


@pytest.fixture(scope="module")
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """The real product, with the demo that the module's DEMO names: "day" with tickets, "people" only."""
    # Not pytest's own folder: that one is closed to PostgreSQL's user where we are root.
    with tempfile.TemporaryDirectory(prefix="helpdesk-story-") as folder:
        os.chmod(folder, 0o755)
        desk = Desk.start(Path(folder) / "data", DEMO=getattr(request.module, "DEMO", "day"))
        try:
            yield desk
        finally:
            desk.stop()


@pytest.fixture(scope="module")
def people(desk: Desk) -> dict[str, dict[str, str]]:
    """The logins by the name before the @."""
    found = desk.run_file()
    assert found
    return {p["email"].split("@")[0]: p for p in found["people"]}
