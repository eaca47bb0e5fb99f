"""What is wrong with a set of targets, if anything. Pure: the admin's form and the action that submits ask here."""

import itertools
from collections.abc import Iterable
from typing import Protocol

from django.utils.translation import gettext as _

# A year: beyond it nobody promises anything, and instants still fit.
MOST_MINUTES, MOST_HOURS = 525_600, 8_760


class Promised(Protocol):
    """A row of targets; `rank` 1 is the most urgent."""

    response_time_minutes: int
    resolution_time_hours: int
    update_minutes: int
    description_zh: str
    description_en: str


Fault = tuple[int, str, str]


def faults(rows: Iterable[tuple[int, Promised]]) -> list[Fault]:
    """(rank, field, what is wrong), for rows with their ranks. Raises nothing."""
    known = sorted(rows, key=lambda each: each[0])
    found = [fault for rank, row in known for fault in _alone(rank, row)]
    for (_above, higher), (rank, lower) in itertools.pairwise(known):
        found += [(rank, field, text) for field, text in _beside(higher, lower)]
    return found


def _alone(rank: int, row: Promised) -> Iterable[Fault]:
    for field, most in (
        ("response_time_minutes", MOST_MINUTES),
        ("resolution_time_hours", MOST_HOURS),
        ("update_minutes", MOST_MINUTES),
    ):
        if not 1 <= getattr(row, field) <= most:
            yield rank, field, _("Write a number from 1 to %(most)s.") % {"most": most}
    if row.resolution_time_hours * 60 < row.response_time_minutes:
        text = _("Shorter than the first response: nothing is solved before it is answered.")
        yield rank, "resolution_time_hours", text
    for field in ("description_zh", "description_en"):
        if not getattr(row, field).strip():
            yield rank, field, _("Write it in both languages: customers read either.")


def _beside(higher: Promised, lower: Promised) -> Iterable[tuple[str, str]]:
    for field in ("response_time_minutes", "resolution_time_hours", "update_minutes"):
        if getattr(lower, field) < getattr(higher, field):
            yield field, _("Faster than the priority above it: the more urgent one comes first.")
