"""What differs by category: the answers about the impact that belong to one, and what a priority means there.

Both hang on a version of the policy, for they are promises: the matrix says which answers there are, `Definition` holds
the words. A category without words of its own has those of the targets.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from django.core.exceptions import PermissionDenied
from django.db import transaction

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.record import Happening, record
from sla.models import Definition, Impact, MatrixCell, PolicyVersion, Target

FIELDS = ("description_zh", "description_en")
WORDS = ("label_zh", "label_en", "hint_zh", "hint_en")


# A version's matrix never changes once published, nor does an answer change its category.
@lru_cache(maxsize=64)
def categories_of(policy: int) -> Mapping[str, str]:
    """{impact code: its category, empty for all that have none of their own} of a policy version."""
    cells = MatrixCell.objects.filter(policy=policy)
    return dict(cells.values_list("impact__code", "impact__category"))


def fits(policy: int, impact: str, category: str) -> bool:
    """Whether an answer about the impact may be given on a ticket of a category; no answer always may."""
    known = categories_of(policy)
    own = category if category in known.values() else ""
    return known.get(impact, own) == own


def answers_of(policy: int, category: str) -> list[str]:
    """The codes of the answers that may be given on a ticket of a category."""
    return [code for code in categories_of(policy) if fits(policy, code, category)]


def definitions_of(policy: PolicyVersion) -> list[Definition]:
    """The rows of a version, by category, the most urgent first. One statement."""
    found = policy.definitions.select_related("priority")
    return list(found.order_by("category", "priority__rank"))


def meanings(targets: Sequence[Target], own: Sequence[Definition]) -> list[tuple[Target, str]]:
    """Each target with what its priority means for a category, in the reader's language."""
    said = {row.priority_id: row.description for row in own}
    return [(row, said.get(row.priority_id, row.description)) for row in targets]


def write_definitions(policy: PolicyVersion, said: Mapping[int, Mapping[str, str]]) -> int:
    """Writes into a draft the words that differ, by the row's id, in the caller's transaction; returns of how many."""
    changed = 0
    for row in definitions_of(policy):
        words = said.get(row.pk, {})
        if differing := {f: words[f] for f in FIELDS if f in words and words[f] != getattr(row, f)}:
            changed += Definition.objects.filter(pk=row.pk).update(**differing)
    return changed


@transaction.atomic
def change_impact(*, impact: Impact, by: User, at: datetime, **said: str) -> Impact:
    """The words of an answer, in both languages; which answers there are, a version of the policy says.

    Raises PermissionDenied.
    """
    if not may(by, Right.ADMIN):
        raise PermissionDenied
    found = Impact.objects.select_for_update().get(pk=impact.pk)
    if differing := [name for name in WORDS if name in said and said[name] != getattr(found, name)]:
        for name in differing:
            setattr(found, name, said[name])
        found.save(update_fields=differing)
        record([Happening("impact.changed", {"fields": differing})], by=by, at=at, subject=f"impact:{found.code}")
    return found
