"""Something ends in so many days: who is told 60, 30 and 7 days before, once each. What ends, its own module knows."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Protocol

from django.db import models, transaction

from helpdesk.accounts.models import User
from helpdesk.outbox.enqueue import Draft, enqueue
from helpdesk.outbox.models import Letter

MARKS = (60, 30, 7)


class Ending(Protocol):
    """What ends: the row it stands in, the days left, and a subject that names this very end."""

    @property
    def row(self) -> models.Model: ...
    @property
    def days(self) -> int: ...
    @property
    def subject(self) -> str: ...


@transaction.atomic
def remind(kind: str, endings: Iterable[Ending], roles: Collection[str], at: datetime) -> int:
    """One letter a person of these roles, ending and mark, however often it is asked; returns how many were written.

    Of marks that passed while no worker ran only the nearest is told. Every ending has at most the first mark's days.
    """
    written = 0
    for one in endings:
        # Two workers may ask at once: the second waits here, and then finds the letters of the first.
        type(one.row)._default_manager.select_for_update().get(pk=one.row.pk)
        mark = min(mark for mark in MARKS if one.days <= mark)
        if Letter.objects.filter(subject=one.subject, kind=kind, data__mark__lte=mark).exists():
            continue
        people = User.objects.filter(is_active=True, staff_role__in=roles).order_by("pk")
        written += len(enqueue([Draft(kind, p, data={"mark": mark}) for p in people], at=at, subject=one.subject))
    return written


def reader(letter: Letter, roles: Collection[str]) -> User | None:
    """Whom a letter of these is for, if they still are somebody who is told."""
    number = int(letter.to_key.partition(":")[2] or 0)
    return User.objects.filter(pk=number, is_active=True, staff_role__in=roles).first()
