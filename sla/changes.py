"""What differs between two versions of the policy, old and new side by side, in the reader's language."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from sla.definitions import definitions_of
from sla.models import Definition, MatrixCell, PolicyVersion, Target
from sla.sound import label

FIELDS = ["response_time_minutes", "resolution_time_hours", "update_minutes", "description_zh", "description_en"]


@dataclass(frozen=True)
class Change:
    """One thing that differs. `old` and `new` are seconds where `seconds` is true, else words."""

    about: str
    what: str
    old: str | int
    new: str | int
    seconds: bool = False

    @property
    def old_seconds(self) -> bool:
        """Where there was nothing before, a dash stands in place of seconds."""
        return self.seconds and not isinstance(self.old, str)


def targets_of(policy: PolicyVersion) -> list[Target]:
    """The rows of a version, the most urgent first. One statement."""
    return list(policy.targets.select_related("priority", "plan").order_by("plan_id", "priority__rank"))


def cells_of(policy: PolicyVersion) -> list[MatrixCell]:
    """The matrix of a version, row by row. One statement."""
    found = policy.matrix.select_related("impact", "urgency", "priority")
    return list(found.order_by("impact__rank", "urgency__rank"))


@dataclass
class Said:
    """All that one version says."""

    targets: list[Target] = field(default_factory=list)
    cells: list[MatrixCell] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)


def said_by(policies: Iterable[PolicyVersion]) -> dict[int, Said]:
    """What each of some versions says, by its id. Three statements however many."""
    found = {policy.pk: Said() for policy in policies}
    of = {"policy__in": list(found)}
    for row in Target.objects.filter(**of).select_related("priority", "plan").order_by("plan_id", "priority__rank"):
        found[row.policy_id].targets.append(row)
    cells = MatrixCell.objects.filter(**of).select_related("impact", "urgency", "priority")
    for cell in cells.order_by("impact__rank", "urgency__rank"):
        found[cell.policy_id].cells.append(cell)
    own = Definition.objects.filter(**of).select_related("priority").order_by("category", "priority__rank")
    for words in own:
        found[words.policy_id].definitions.append(words)
    return found


def changes(old: PolicyVersion, new: PolicyVersion) -> list[Change]:
    """Everything in which `new` is not `old`. Three statements."""
    said = said_by([old, new])
    return differences(said[old.pk], said[new.pk])


def differences(old: Said, new: Said) -> list[Change]:
    """The same of what was read already. No statement."""
    return [
        *_of_targets(old.targets, new.targets),
        *_of_cells(old.cells, new.cells),
        *_of_definitions(old.definitions, new.definitions),
    ]


def _of_definitions(old: list[Definition], new: list[Definition]) -> Iterable[Change]:
    before = {(row.category, row.priority_id): row for row in old}
    for row in new:
        was = before.get((row.category, row.priority_id))
        for name in ("description_zh", "description_en"):
            one, other = getattr(was, name, "—"), getattr(row, name)
            if one != other:
                yield Change(f"{row.priority.label} ({row.category})", label(name), one, other)


def _of_targets(old: list[Target], new: list[Target]) -> Iterable[Change]:
    before = {(row.plan_id, row.priority_id): row for row in old}
    for row in new:
        was = before.pop((row.plan_id, row.priority_id), None)
        for name, what, factor in spoken():
            one, other = getattr(was, name, "—"), getattr(row, name)
            if one != other:
                yield _told(_about(row), what, one, other, factor)
    for row in before.values():
        yield Change(_about(row), _("Priority"), row.priority.label, "—")


def _about(row: Target) -> str:
    """Which promise: its priority, and its plan unless that is the default one."""
    return row.priority.label if row.plan.is_default else f"{row.plan.label}: {row.priority.label}"


def _told(about: str, what: str, old: Any, new: Any, factor: int) -> Change:
    if not factor:
        return Change(about, what, old, new)
    return Change(about, what, old * factor if isinstance(old, int) else old, new * factor, seconds=True)


def spoken() -> list[tuple[str, str, int]]:
    """The fields of a target with their words and the seconds in one of their units (0: it is a text)."""
    factors = (60, 3600, 60, 0, 0)
    return [(name, label(name), factor) for name, factor in zip(FIELDS, factors, strict=True)]


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
