"""What people say of a breach is only ever added: the database itself refuses to change or remove it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from sla.models import (
    Apology,
    Breach,
    BreachCause,
    Clock,
    Excusal,
    ExcusalDeclined,
    ExcusalProposal,
    Kind,
    Verdict,
)

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
EXCUSE: dict[str, Any] = {"reason": "other", "note": "Agreed by phone", "at": AT}


@pytest.fixture
def breach(cast: Any) -> Breach:
    clock = Clock.objects.create(
        subject="HD-1",
        kind=Kind.RESPONSE,
        customer=cast.acme,
        target_s=900,
        started_at=AT,
        due_at=AT,
        breached_at=AT,
        verdict=Verdict.BREACHED,
        priority="critical",
        category="technical",
        source="web",
    )
    return Breach.objects.create(
        clock=clock,
        subject="HD-1",
        customer=cast.acme,
        kind=Kind.RESPONSE,
        priority="critical",
        target_s=900,
        policy=1,
        due_at=AT,
        breached_at=AT,
        detected_at=AT,
    )


@pytest.fixture
def said(cast: Any, breach: Breach) -> None:
    """One row in each table."""
    words = {"words": "Nobody looked", "corrective_action": "A second pair of eyes"}
    BreachCause.objects.create(breach=breach, number=1, cause="late_start", by=cast.ana, at=AT, **words)
    proposal = ExcusalProposal.objects.create(breach=breach, number=1, asked_by=cast.ana, **EXCUSE)
    ExcusalDeclined.objects.create(proposal=proposal, note="No", by=cast.lee, at=AT)
    Excusal.objects.create(breach=breach, asked_by=cast.ana, approver=cast.lee, **EXCUSE)
    Apology.objects.create(breach=breach, message=7, by=cast.ana, at=AT)


@pytest.mark.usefixtures("said")
@pytest.mark.parametrize("model", [BreachCause, ExcusalProposal, ExcusalDeclined, Excusal, Apology])
def test_no_row_is_changed_or_removed(model: Any) -> None:
    table = model._meta.db_table
    for statement in (f"UPDATE {table} SET at = at", f"DELETE FROM {table}"):
        with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    row = model.objects.get()
    for attempt in (row.save, row.delete, model.objects.all().delete, lambda: model.objects.update(at=AT)):
        with pytest.raises(TypeError):
            attempt()


def test_whoever_asks_for_an_excusal_does_not_approve_it(cast: Any, breach: Breach) -> None:
    with pytest.raises(IntegrityError, match="excusal_second_person"), transaction.atomic():
        Excusal.objects.create(breach=breach, asked_by=cast.lee, approver=cast.lee, **EXCUSE)


@pytest.mark.parametrize(
    ("given", "name"),
    [({"reason": "other", "note": ""}, "proposal_said"), ({"reason": "aws_event", "arn": ""}, "proposal_names_event")],
)
def test_what_a_reason_needs_is_there(cast: Any, breach: Breach, given: dict[str, str], name: str) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        ExcusalProposal.objects.create(breach=breach, number=1, asked_by=cast.ana, **(EXCUSE | given))
