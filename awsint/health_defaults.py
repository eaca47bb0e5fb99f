"""The rows that come with the desk: the rules of oncall.md 5.3 and the playbooks of health_playbooks.json.

Called by the migration, and by tests after they emptied the tables: so it takes `apps`, and names no model itself.
"""

import json
from pathlib import Path
from typing import Any

WEEK_H, DAY_H = 7 * 24, 24
NOTES = {
    "H1": ("滥用通知，或访问凭证已泄露", "An abuse report, or credentials are exposed"),
    "H10": ("公共事件，且没有客户登记使用", "Public, and no customer is registered for it"),
    "H2": ("生产账户中的资源正受影响", "Resources in a production account are affected now"),
    "H3": ("客户账户正受影响", "A customer's account is affected now"),
    "H4": ("公共事件，客户登记使用该服务和区域", "Public, and the customer is registered for service and region"),
    "H5": ("AWS 正在调查", "AWS is investigating"),
    "H6": ("计划变更将在 24 小时内开始", "A scheduled change begins within 24 hours"),
    "H7a": ("计划变更将在 7 天内开始", "A scheduled change begins within 7 days"),
    "H7b": ("需要操作，且 14 天内开始", "Action is required, and it begins within 14 days"),
    "H8": ("通知，且需要操作", "A notification that requires action"),
    "H9": ("其余一切", "Everything else"),
    "BILLING": ("面向账务人员的事件进入账务队列", "What is meant for billing people goes to the billing queue"),
    "VIP": ("VIP 客户提高一级", "For a VIP one level more pressing"),
}
CHANGE = ["scheduledChange"]
# What is over is not coming: the end of a change makes nothing pressing.
COMING = ["open", "upcoming"]
RULES: list[dict[str, Any]] = [
    {"code": "H1", "code_words": ["ABUSE", "RISK_CREDENTIALS_EXPOSED"], "priority": "critical"},
    {"code": "H10", "scope": "PUBLIC", "registered": False, "effect": "store"},
    {
        "code": "H2",
        "categories": ["issue"],
        "statuses": ["open"],
        "scope": "ACCOUNT_SPECIFIC",
        "production": True,
        "priority": "critical",
    },
    {"code": "H3", "categories": ["issue"], "statuses": ["open"], "scope": "ACCOUNT_SPECIFIC", "priority": "high"},
    {
        "code": "H4",
        "categories": ["issue"],
        "statuses": ["open"],
        "scope": "PUBLIC",
        "registered": True,
        "priority": "high",
    },
    {"code": "H5", "categories": ["investigation"], "statuses": ["open"], "priority": "high"},
    {"code": "H6", "categories": CHANGE, "statuses": COMING, "starts_within_h": DAY_H, "priority": "high"},
    {"code": "H7a", "categories": CHANGE, "statuses": COMING, "starts_within_h": WEEK_H, "priority": "medium"},
    {
        "code": "H7b",
        "statuses": COMING,
        "actionabilities": ["ACTION_REQUIRED"],
        "starts_within_h": 2 * WEEK_H,
        "priority": "medium",
    },
    {
        "code": "H8",
        "categories": ["accountNotification"],
        "actionabilities": ["ACTION_REQUIRED"],
        "priority": "medium",
    },
    {"code": "H9", "priority": "low"},
    {"code": "BILLING", "personas": ["BILLING"], "effect": "billing"},
    {"code": "VIP", "vip": True, "effect": "raise"},
]


def rows() -> list[dict[str, Any]]:
    """The rules as rows, in their order."""
    return [
        {
            "position": 10 * number,
            "effect": "priority",
            "note_zh": NOTES[one["code"]][0],
            "note_en": NOTES[one["code"]][1],
        }
        | {("priority_id" if name == "priority" else name): value for name, value in one.items()}
        for number, one in enumerate(RULES, 1)
    ]


def playbooks() -> list[dict[str, str]]:
    """The playbooks: code or family, and in both languages its title, what it means and what to do."""
    text = (Path(__file__).parent / "health_playbooks.json").read_text(encoding="utf-8")
    found: list[dict[str, str]] = json.loads(text)
    return found


def seed(apps: Any) -> None:
    """Writes what is not there yet."""
    rule, playbook = apps.get_model("awsint", "HealthRule"), apps.get_model("awsint", "Playbook")
    if not rule.objects.exists():
        rule.objects.bulk_create(rule(**row) for row in rows())
    known = set(playbook.objects.values_list("code", flat=True))
    playbook.objects.bulk_create(playbook(**row) for row in playbooks() if row["code"] not in known)
