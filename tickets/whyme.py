"""Why somebody has a ticket, for its page: the last decision in a sentence, and everybody who was looked at.

A decision names people by key; names are put in here, so that whoever is erased is named nowhere.
"""

import re
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from helpdesk.accounts.models import User, key_of
from tickets.models import AssignmentDecision, Ticket

KEY = re.compile(r"\{user:(\d+)\}")
EXCLUDED = {
    "inactive": _l("deactivated"),
    "leave": _l("on leave"),
    "off shift": _l("off shift"),
    "next shift too late": _l("next shift too late"),
    "capacity": _l("no room"),
    "may not see customer": _l("not on the customer's team"),
}
BRIEF = ["at", "manual_by__name", "winner__name", "runner_up__name", "winner_id", "runner_up_id", "reason_id"]


@dataclass(frozen=True)
class Fared:
    """How one engineer fared: the parts of the score and what was behind them, or why they could not take it."""

    name: str
    excluded: Any = ""
    tier: int = 0
    parts: dict[str, int] | None = None
    total: int = 0
    inputs: dict[str, Any] | None = None
    chosen: bool = False


def why_me(ticket: Ticket, *, in_full: bool) -> dict[str, Any]:
    """The page's context: `decision`, its sentence as `why_sentence` and, `in_full`, everybody as `why_table`.

    One statement, and another where more people are named than the two best.
    """
    text = "sentence_zh" if (get_language() or "").startswith("zh") else "sentence_en"
    found = ticket.decisions.order_by("-id").select_related("manual_by", "winner", "runner_up")
    if in_full:
        # The rule's own: what was done by hand since has no table.
        found = found.filter(manual_by=None)
    last: AssignmentDecision | None = found.only(*BRIEF, text, *(["inputs", "candidates"] if in_full else [])).first()
    if last is None:
        return {"decision": None}
    sentence: str = getattr(last, text)
    names = _names(last, sentence, in_full)
    return {
        "decision": last,
        "why_sentence": KEY.sub(lambda m: names.get(int(m[1]), _("erased person")), sentence),
        "why_table": _table(last, names) if in_full else None,
    }


def _names(last: AssignmentDecision, sentence: str, in_full: bool) -> dict[int, str]:
    known = {u.pk: u.name for u in (last.winner, last.runner_up) if u}
    wanted = {int(number) for number in KEY.findall(sentence)}
    if in_full:
        wanted |= {int(c["user"].removeprefix("user:")) for c in last.candidates}
    missing = wanted - set(known)
    return known | (dict(User.objects.filter(pk__in=missing).values_list("pk", "name")) if missing else {})


def _table(last: AssignmentDecision, names: dict[int, str]) -> list[Fared]:
    """The best first, those who could not take it last, each in the order they were asked."""
    columns = last.inputs.get("columns", [])
    inputs = {row[0]: dict(zip(columns, row, strict=True)) for row in last.inputs.get("engineers", [])}
    named = {key_of(number): name for number, name in names.items()}
    rows = [
        Fared(
            name=named.get(c["user"], _("erased person")),
            excluded=EXCLUDED.get(c.get("excluded", ""), ""),
            tier=c.get("tier", 0),
            parts=c.get("parts"),
            total=c.get("total", 0),
            inputs=inputs.get(c["user"]),
            chosen=c["user"] == (key_of(last.winner_id) if last.winner_id else ""),
        )
        for c in last.candidates
    ]
    return sorted(rows, key=lambda r: (bool(r.excluded), not r.chosen, r.tier, -r.total))
