"""Asks the API all that its own description allows, and much that it does not: no trace, no undeclared answer."""

from collections import Counter
from typing import Any

import pytest
import schemathesis
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from helpdesk.accounts import keys
from tickets import actions
from tickets.models import Ticket

OPERATIONS = [
    "GET /api/sla",
    "GET /api/sla/report",
    "GET /api/tickets",
    "GET /api/tickets/{ref}",
    "POST /api/tickets",
    "POST /api/tickets/{ref}/replies",
]
MODES = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
EXAMPLES = settings(
    max_examples=40, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture
def token(live_server: Any, cast: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("tickets.api.A_MINUTE", 1_000_000)
    actions.open_ticket(
        customer=cast.acme,
        title="Disk full",
        description="On db-1",
        category="technical",
        priority="high",
        by=cast.cora,
        at=timezone.now(),
    )
    wish = {"name": "contract", "customer": cast.acme, "may_write": True, "days": 1}
    return keys.create_key(**wish, by=cast.lee, at=timezone.now())[1]


def described(url: str) -> dict[str, Any]:
    schema = schemathesis.openapi.from_url(f"{url}/api/openapi.json")
    return {found.ok().label: found.ok() for found in schema.get_all_operations()}


def test_every_operation_is_asked(live_server: Any) -> None:
    assert sorted(described(live_server.url)) == sorted(OPERATIONS)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("label", OPERATIONS)
def test_the_api_keeps_its_word(live_server: Any, token: str, label: str, mode: Any) -> None:
    operation = described(live_server.url)[label]

    answers = Counter[int]()

    @EXAMPLES
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        if mode == MODES[0] and "ref" in case.path_parameters:
            case.path_parameters["ref"] = Ticket.objects.latest("pk").ref
        # Which company and whose address are good, no description can say; a question more than we know is no harm.
        aside = [positive_data_acceptance, *([negative_data_rejection] if label.startswith("GET") else [])]
        answer = case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, excluded_checks=aside)
        answers[answer.status_code] += 1

    ask()
    assert mode != MODES[0] or answers[200] + answers[201] > 5, answers
