"""The partner's own words for priority, impact and urgency, read at once.

They are few and may be edited at any time, so that no process keeps them: a page reads them in one statement and finds
in it whatever it names.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from helpdesk.kept import fetched
from sla.models import Impact, Priority, Urgency

# As text, because every ticket page asks it and the ORM would build the union anew each time.
ALL = """
SELECT 'priority', id, code, rank, label_zh, label_en FROM sla_priority
UNION ALL SELECT 'impact', id, code, rank, label_zh, label_en FROM sla_impact
UNION ALL SELECT 'urgency', id, code, rank, label_zh, label_en FROM sla_urgency
ORDER BY 1, 4
"""

ANSWERS = """
SELECT 'impact', id, code, rank, label_zh, label_en, hint_zh, hint_en, category FROM sla_impact
UNION ALL SELECT 'urgency', id, code, rank, label_zh, label_en, hint_zh, hint_en, '' FROM sla_urgency
ORDER BY 1, 4
"""


@dataclass(frozen=True)
class Words:
    """By code: `priorities`, the most urgent first, and the labels of `impacts`, of `urgencies` and of all three."""

    priorities: dict[str, Priority]
    impacts: dict[str, str]
    urgencies: dict[str, str]
    labels: dict[str, str]


def read() -> Words:
    """One statement."""
    rows = fetched(ALL)
    found = [
        (kind, Priority(id=pk, code=code, rank=rank, label_zh=zh, label_en=en)) for kind, pk, code, rank, zh, en in rows
    ]
    return Words(
        priorities={row.code: row for kind, row in found if kind == "priority"},
        impacts={row.code: row.label for kind, row in found if kind == "impact"},
        urgencies={row.code: row.label for kind, row in found if kind == "urgency"},
        labels={row.code: row.label for _kind, row in found},
    )


def answers() -> tuple[list[Impact], list[Urgency]]:
    """What may be answered to "how large is the impact?" and "how urgent is it?", in order. One statement."""
    rows = fetched(ANSWERS)
    columns = ["id", "code", "rank", "label_zh", "label_en", "hint_zh", "hint_en"]
    told = [(kind, dict(zip(columns, row, strict=True)), category) for kind, *row, category in rows]
    return (
        [Impact(**row, category=category) for kind, row, category in told if kind == "impact"],
        [Urgency(**row) for kind, row, _category in told if kind == "urgency"],
    )


def asked(impacts: Iterable[Impact], category: str) -> list[Impact]:
    """The answers about the impact that a category is asked with: its own, where it has any."""
    known = list(impacts)
    own = [impact for impact in known if impact.category == category]
    return own or [impact for impact in known if not impact.category]
