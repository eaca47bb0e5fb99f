"""The calendars that ship with the desk beside the one that never closes: version 1 of each, published.

Called by a migration, and by the tests after they emptied the tables: so it takes `apps` and names no model itself.
The hours are those of calendars.json, which the replay command answers by as well.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

from sla.defaults import EFFECTIVE

SHIPPED = Path(__file__).with_name("calendars.json")
# code, zh, en, the last day whose holidays are published; None where no holidays are kept.
CALENDARS = [
    ("CN-8x5", "中国工作时间", "China office hours", date(2026, 12, 31)),
    ("US-8x5", "美国东部工作时间", "US Eastern office hours", None),
    ("UK-night", "英国夜间", "UK nights", None),
]
# What the notice of the State Council of 4 November 2025 calls them.
NAMES_2026 = [
    ("元旦", 1, (1, 2, 3, 4)),
    ("春节", 2, (14, *range(15, 24), 28)),
    ("清明节", 4, (4, 5, 6)),
    ("劳动节", 5, (1, 2, 3, 4, 5, 9)),
    ("端午节", 6, (19, 20, 21)),
    ("国庆节", 9, (20,)),
    ("中秋节", 9, (25, 26, 27)),
    ("国庆节", 10, (*range(1, 8), 10)),
]


def seed(apps: Any) -> None:
    """Writes those that do not stand there yet."""
    calendars, versions = apps.get_model("sla", "Calendar"), apps.get_model("sla", "CalendarVersion")
    shipped = json.loads(SHIPPED.read_text())
    for code, zh, en, known_until in CALENDARS:
        if calendars.objects.filter(code=code).exists():
            continue
        rules = {"kind": "hours"} | {name: part for name, part in shipped[code].items() if name != "zone"}
        if code == "CN-8x5":
            rules["names"] = {str(date(2026, month, day)): name for name, month, days in NAMES_2026 for day in days}
        versions.objects.create(
            calendar=calendars.objects.create(code=code, label_zh=zh, label_en=en),
            number=1,
            state="published",
            zone=shipped[code]["zone"],
            rules=rules,
            known_until=known_until,
            effective_at=EFFECTIVE,
            published_at=EFFECTIVE,
        )
