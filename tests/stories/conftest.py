"""What the stories share: a running desk of each module's own, and the logins of its demo people."""

from collections.abc import Iterator

import pytest

from tests.stories.desk import Desk, running


@pytest.fixture(scope="module")
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """The real product, with the demo that the module's DEMO names: "day" with tickets, "people" only."""
    with running(getattr(request.module, "DEMO", "day")) as one:
        yield one


@pytest.fixture(scope="module")
def people(desk: Desk) -> dict[str, dict[str, str]]:
    """The logins by the name before the @."""
    found = desk.run_file()
    assert found
    return {p["email"].split("@")[0]: p for p in found["people"]}
