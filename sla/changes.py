"""What differs between two versions of the policy, old and new side by side, in the reader's language."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from sla.definitions import definitions_of
from sla.models import Definition, MatrixCell, PolicyVersion, Target

FIELDS = ["response_time_minutes", "resolution_time_hours", "update_minutes", "description_zh", "description_en"]


@dataclass(frozen=True)
class Change:
    """One thing that differs. `old` and `new` are seconds where `seconds` is true, else words."""

    about: str
    what: str
    old: str | int
    new: str | int
    seconds: bool = False


def targets_of(policy: PolicyVersion) -> list[Target]:
    """The rows of a version, the most urgent first. One statement."""
    return list(policy.targets.select_related("priority", "plan").order_by("plan_id", "priority__rank"))


def cells_of(policy: PolicyVersion) -> list[MatrixCell]:
    """The matrix of a version, row by row. One statement."""
    found = policy.matrix.select_related("impact", "urgency", "priority")
    return list(found.order_by("impact__rank", "urgency__rank"))


def changes(old: PolicyVersion, new: PolicyVersion) -> list[Change]:
    """Everything in which `new` is not `old`. Six statements."""
    return [
        *_of_targets(targets_of(old), targets_of(new)),
        *_of_cells(cells_of(old), cells_of(new)),
        *_of_definitions(definitions_of(old), definitions_of(new)),
    ]


def _of_definitions(old: list[Definition], new: list[Definition]) -> Iterable[Change]:
    before = {(row.category, row.priority_id): row for row in old}
    for row in new:
        was = before.get((row.category, row.priority_id))
        for field, label in (
            ("description_zh", _("Definition in Chinese")),
            ("description_en", _("Definition in English")),
        ):
            one, other = getattr(was, field, "—"), getattr(row, field)
            if one != other:
                yield Change(f"{row.priority.label} ({row.category})", label, one, other)


def _of_targets(old: list[Target], new: list[Target]) -> Iterable[Change]:
    before = {(row.plan_id, row.priority_id): row for row in old}
    for row in new:
        was = before.get((row.plan_id, row.priority_id))
        for field, label, factor in spoken():
            one, other = getattr(was, field, ""), getattr(row, field)
            if one != other:
                seconds = factor > 0 and was is not None
                told = (one * factor, other * factor) if seconds else (one, other)
                yield Change(_about(row), label, *told, seconds=seconds)
    named = {(row.plan_id, row.priority_id) for row in new}
    for row in old:
        if (row.plan_id, row.priority_id) not in named:
            yield Change(_about(row), _("Priority"), row.priority.label, "—")


def _about(row: Target) -> str:
    return row.priority.label if row.plan.is_default else f"{row.plan.label}: {row.priority.label}"


def spoken() -> list[tuple[str, str, int]]:
    """The fields of a target with their words and the seconds in one of their units (0: it is a text)."""
    return [
        ("response_time_minutes", _("First response"), 60),
        ("resolution_time_hours", _("Resolution"), 3600),
        ("update_minutes", _("Update"), 60),
        ("description_zh", _("Definition in Chinese"), 0),
        ("description_en", _("Definition in English"), 0),
    ]


def _of_cells(old: list[MatrixCell], new: list[MatrixCell]) -> Iterable[Change]:
    before = {(cell.impact_id, cell.urgency_id): cell.priority.label for cell in old}
    for cell in new:
        was = before.get((cell.impact_id, cell.urgency_id), "—")
        if was != cell.priority.label:
            yield Change(f"{cell.impact.label} × {cell.urgency.label}", _("Priority"), was, cell.priority.label)


def digest_words(policy: PolicyVersion) -> str:
    """What a version says, as one text: whoever approves it names the digest of what they have read."""
    rows = [[row.plan.code, row.priority.code, *(getattr(row, f) for f in FIELDS)] for row in targets_of(policy)]
    cells = [[c.impact.code, c.urgency.code, c.priority.code] for c in cells_of(policy)]
    own = [[d.category, d.priority.code, d.description_zh, d.description_en] for d in definitions_of(policy)]
    return repr((policy.number, rows, cells, own))
