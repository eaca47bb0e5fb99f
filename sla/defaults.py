"""The checklist's defaults as rows: plan, priorities, matrix, version 1 of policy and calendar.

Called by the first migration, and by the tests after they emptied the tables: so it takes `apps`, the historical or
the real registry, and names no model itself.
"""

from datetime import UTC, datetime
from typing import Any

EFFECTIVE = datetime(2020, 1, 1, tzinfo=UTC)

# code, rank, zh, en
PRIORITIES = [
    ("critical", 1, "紧急", "Critical"),
    ("high", 2, "高", "High"),
    ("medium", 3, "中", "Medium"),
    ("low", 4, "低", "Low"),
]
# priority, minutes to the first response, hours to the resolution, minutes between updates, zh, en
TARGETS = [
    ("critical", 15, 4, 60, "生产环境完全中断，业务严重受影响", "Production is down and business is severely affected"),
    ("high", 60, 8, 240, "生产环境部分功能受影响", "Part of production is affected"),
    ("medium", 240, 24, 1440, "非关键功能问题或性能下降", "A non-critical function fails or performance is degraded"),
    (
        "low",
        1440,
        72,
        4320,
        "一般性咨询、功能请求或轻微问题",
        "A general question, a feature request or a minor problem",
    ),
]
IMPACTS = [
    (
        "production_down",
        "生产环境完全中断",
        "Production is down",
        "业务无法进行，所有用户受影响",
        "Business has stopped and every user is affected",
    ),
    (
        "production_part",
        "生产环境部分功能受影响",
        "Production is partly affected",
        "部分用户或部分功能不可用，业务仍在进行",
        "Some users or functions are affected; business goes on",
    ),
    (
        "non_critical",
        "非关键功能问题或性能下降",
        "Non-critical function or performance",
        "业务不受影响，但使用变慢或不便",
        "Business is not affected, but something is slow or awkward",
    ),
    (
        "question",
        "咨询、功能请求或轻微问题",
        "Question, request or minor problem",
        "想了解做法，或希望我们协助配置",
        "You want advice, or help with a setting",
    ),
]
URGENCIES = [
    ("urgent", "没有变通办法", "No workaround", "现在就需要处理", "It needs attention now"),
    (
        "workaround",
        "有变通办法",
        "There is a workaround",
        "可以暂时绕开，但不能长久",
        "It can be bypassed, but not for long",
    ),
    ("wait", "可以等", "It can wait", "按计划处理即可", "Handle it as planned"),
]
# Rows follow IMPACTS, columns URGENCIES (oncall.md 5.1).
MATRIX = [
    ("critical", "high", "medium"),
    ("high", "medium", "medium"),
    ("medium", "medium", "low"),
    ("low", "low", "low"),
]


def seed(apps: Any) -> None:
    """Writes the defaults; does nothing where they stand already."""

    def model(name: str) -> Any:
        return apps.get_model("sla", name)

    if model("Plan").objects.exists():
        return
    plan = model("Plan").objects.create(code="standard", label_zh="标准", label_en="Standard", is_default=True)
    policy = model("PolicyVersion").objects.create(
        number=1, state="draft", effective_at=EFFECTIVE, published_at=EFFECTIVE
    )
    priorities = {
        code: model("Priority").objects.create(code=code, rank=rank, label_zh=zh, label_en=en)
        for code, rank, zh, en in PRIORITIES
    }
    for code, response, resolution, update, zh, en in TARGETS:
        model("Target").objects.create(
            policy=policy,
            plan=plan,
            priority=priorities[code],
            response_time_minutes=response,
            resolution_time_hours=resolution,
            update_minutes=update,
            description_zh=zh,
            description_en=en,
        )
    impacts, urgencies = _answers(model("Impact"), IMPACTS), _answers(model("Urgency"), URGENCIES)
    for impact, row in zip(impacts, MATRIX, strict=True):
        for urgency, code in zip(urgencies, row, strict=True):
            model("MatrixCell").objects.create(policy=policy, impact=impact, urgency=urgency, priority=priorities[code])
    model("PolicyVersion").objects.filter(pk=policy.pk).update(state="published")
    calendar = model("Calendar").objects.create(code="24x7", label_zh="7×24 小时", label_en="24×7", is_default=True)
    model("CalendarVersion").objects.create(
        calendar=calendar,
        number=1,
        state="published",
        zone="UTC",
        rules={"kind": "24x7"},
        effective_at=EFFECTIVE,
        published_at=EFFECTIVE,
    )


def _answers(model: Any, rows: list[tuple[str, str, str, str, str]]) -> list[Any]:
    return [
        model.objects.create(code=code, rank=rank, label_zh=zh, label_en=en, hint_zh=hint_zh, hint_en=hint_en)
        for rank, (code, zh, en, hint_zh, hint_en) in enumerate(rows, 1)
    ]
