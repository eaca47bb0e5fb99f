"""What is wrong with a version's targets, if anything, and what whoever publishes it should know. Pure.

The admin's form asks `faults` for one plan; the actions that submit and publish, and their page, ask `findings` for all
of a version. A finding that blocks stops the version; a caution is shown, and whoever publishes says that they saw it.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

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


# --- A whole version -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """What is to be said of one figure: of which plan and priority it is, and of what, in the reader's language."""

    plan: str
    priority: str
    field: str
    text: str
    blocks: bool = True

    def __str__(self) -> str:
        where = _(", ").join(filter(None, (self.plan, self.priority, self.field)))
        return _("%(where)s: %(text)s") % {"where": where, "text": self.text}


def findings(targets: Sequence[Any], cells: Iterable[Any] = (), definitions: Iterable[Any] = ()) -> list[Finding]:
    """Everything to be said of the rows of a version, what blocks first. They know their plan and priority."""
    plans = {row.plan_id: row.plan for row in targets}
    wanted = {row.priority_id: row.priority for row in [*targets, *cells]}
    found: list[Finding] = []
    for plan_id, plan in plans.items():
        rows = [row for row in targets if row.plan_id == plan_id]
        by_rank = {row.priority.rank: row.priority.label for row in rows}
        ranked = [(row.priority.rank, row) for row in rows]
        for blocks, told in ((True, faults(ranked)), (False, cautions(ranked))):
            found += [Finding(plan.label, by_rank[rank], label(field), text, blocks) for rank, field, text in told]
        there = {row.priority_id for row in rows}
        missing = [priority for key, priority in wanted.items() if key not in there]
        text = _("The plan promises nothing for this priority.")
        found += [Finding(plan.label, one.label, "", text) for one in sorted(missing, key=lambda one: one.rank)]
    found += _of_words(definitions)
    return sorted(found, key=lambda one: not one.blocks)


def cautions(rows: Iterable[tuple[int, Promised]]) -> list[Fault]:
    """(rank, field, what one should know): nothing of it is impossible."""
    text = _("Longer than the resolution: a ticket in time is never told of.")
    return [(rank, "update_minutes", text) for rank, row in rows if row.update_minutes > row.resolution_time_hours * 60]


def _of_words(definitions: Iterable[Any]) -> Iterable[Finding]:
    """Of the definitions that a category has of its own."""
    for row in definitions:
        for field in ("description_zh", "description_en"):
            if not getattr(row, field).strip():
                text = _("Write it in both languages: customers read either.")
                yield Finding(row.category, row.priority.label, label(field), text)


def label(field: str) -> str:
    """What people call a column of the targets."""
    return {
        "response_time_minutes": _("First response"),
        "resolution_time_hours": _("Resolution"),
        "update_minutes": _("Update"),
        "description_zh": _("Definition in Chinese"),
        "description_en": _("Definition in English"),
    }[field]
