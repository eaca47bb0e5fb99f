"""What a draft of the policy has to say of every plan and priority that is sold, where its model said nothing.

A plan that is new begins with the figures of the default plan, a priority that is new with those of the level that had
its rank, and so do the cells of the matrix and the definitions. Its author changes them before anybody approves.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from django.utils.translation import gettext as _

from sla.definitions import definitions_of
from sla.models import Definition, MatrixCell, Plan, PlanAssignment, PolicyVersion, Priority, State, Target

T = TypeVar("T")
FIGURES = ("response_time_minutes", "resolution_time_hours", "update_minutes")
WORDS = ("description_zh", "description_en")


def sold(policy: PolicyVersion) -> list[Plan]:
    """The plans a version has to name: those that are not retired, and those that somebody has still. One statement.

    Until when somebody has it, the version's first instant tells.
    """
    kept = PlanAssignment.objects.exclude(until_at__lte=policy.effective_at).values("plan")
    return list((Plan.objects.filter(retired=False) | Plan.objects.filter(pk__in=kept)).distinct())


def levels() -> list[Priority]:
    """The priorities the next version names, the most urgent first. One statement."""
    return list(Priority.objects.filter(retired=False))


def missing(policy: PolicyVersion, targets: Iterable[Target]) -> str:
    """What keeps a version from being submitted: a plan without a target for a priority, named, or a priority that is
    retired; empty where nothing does. Three statements."""
    rows, known = list(targets), levels()
    named = {(row.plan_id, row.priority_id) for row in rows}
    for plan in sold(policy):
        for level in known:
            if (plan.pk, level.pk) not in named:
                text = _(
                    "The plan “%(plan)s” has no target for the priority “%(priority)s”: a draft given back gets one."
                )
                return text % {"plan": plan.label, "priority": level.label}
    cells = MatrixCell.objects.filter(policy=policy).select_related("priority")
    for level in [*(row.priority for row in rows), *(cell.priority for cell in cells)]:
        if level.retired:
            text = _("The priority “%(priority)s” is retired: discard this draft and begin it anew without it.")
            return text % {"priority": level.label}
    return ""


def complete_open() -> None:
    """Gives the open draft, if there is one, the targets of what is new since it began."""
    if policy := PolicyVersion.objects.select_for_update().filter(state=State.DRAFT).first():
        complete(policy)


def complete(policy: PolicyVersion) -> None:
    """Writes into a draft what it lacks of the plans that are sold and the priorities that are not retired."""
    rows = list(policy.targets.select_related("priority", "plan"))
    known, plans = levels(), sold(policy)
    models: dict[int, dict[int, Target]] = {}
    for row in rows:
        models.setdefault(row.plan_id, {})[row.priority.rank] = row
    default = next(models[row.plan_id] for row in rows if row.plan.is_default)
    named = {(row.plan_id, row.priority_id) for row in rows}
    Target.objects.bulk_create(
        _like(of_rank(models.get(plan.pk, default), level.rank), policy, plan, level)
        for plan in plans
        for level in known
        if (plan.pk, level.pk) not in named
    )


def swap(policy: PolicyVersion) -> None:
    """Takes retired priorities out of a draft: what hung on one hangs on the level of its rank now."""
    known = {level.rank: level for level in levels()}
    policy.targets.filter(priority__retired=True).delete()
    for cell in policy.matrix.filter(priority__retired=True).select_related("priority"):
        MatrixCell.objects.filter(pk=cell.pk).update(priority=of_rank(known, cell.priority.rank))
    _swap_definitions(policy, list(known.values()))


def _swap_definitions(policy: PolicyVersion, known: Sequence[Priority]) -> None:
    """Where a category has words of its own, it has some for each level."""
    rows = definitions_of(policy)
    for category in {row.category for row in rows}:
        own = {row.priority.rank: row for row in rows if row.category == category}
        named = {row.priority_id for row in rows if row.category == category}
        Definition.objects.bulk_create(
            Definition(
                policy=policy,
                category=category,
                priority=level,
                **{name: getattr(of_rank(own, level.rank), name) for name in WORDS},
            )
            for level in known
            if level.pk not in named
        )
    policy.definitions.filter(priority__retired=True).delete()


def of_rank(by_rank: Mapping[int, T], rank: int) -> T:
    """What has this rank, else the nearest, of two the more urgent one."""
    return by_rank[min(by_rank, key=lambda one: (abs(one - rank), one))]


def _like(model: Target, policy: PolicyVersion, plan: Plan, level: Priority) -> Target:
    said = {name: getattr(model, name) for name in (*FIGURES, *WORDS)}
    return Target(policy=policy, plan=plan, priority=level, **said)
