"""One desk with a day's tickets. Each story that writes has a ticket to itself: that of another engineer."""

from collections.abc import Callable, Iterator

import pytest

from tests.stories.desk import Desk, running
from tests.stories.shared import browser, one_browser

__all__ = ["browser", "desk", "one_browser", "ticket_of"]


@pytest.fixture(scope="package")
def desk() -> Iterator[Desk]:
    with running("day") as one:
        yield one


@pytest.fixture
def ticket_of(desk: Desk) -> Callable[[str], int]:
    """The first ticket that this engineer works on."""

    def find(name: str) -> int:
        rows = desk.sql(
            "SELECT t.id FROM tickets_ticket t JOIN accounts_user a ON a.id = t.assigned_to_id "
            "WHERE t.status = 'in_progress' AND a.email LIKE %s ORDER BY t.id LIMIT 1",
            f"{name}@%",
        )
        return int(rows[0][0])

    return find
