"""Why somebody has a ticket, for its page: the last decision in a sentence, and everybody who was looked at.

A decision names people by key; names are put in here, so that whoever is erased is named nowhere.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from helpdesk.accounts.models import User, key_of
from tickets.assignment import Engineer, Parts, known_of
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


@dataclass(frozen=True)
class Decision:
    """Whose the ticket became when, by the rule or by somebody's hand; `sentence` names people by key."""

    at: datetime
    sentence: str
    reason_id: int | None
    winner_id: int | None
    winner: str | None
    runner_up_id: int | None
    runner_up: str | None
    manual_by_id: int | None
    manual_by: str | None


@dataclass(frozen=True)
class Fared:
    """How one engineer fared: the parts of the score and what was behind them, or why they could not take it."""

    name: str
    excluded: Any = ""
    tier: int = 0
    parts: Parts | None = None
    total: int = 0
    inputs: Engineer | None = None
    chosen: bool = False


def why_me(ticket: Ticket, last: dict[str, Any] | None, *, in_full: bool) -> dict[str, Any]:
    """The page's context: `decision`, its sentence as `why_sentence` and, `in_full`, everybody as `why_table`.

    `last` is the last decision as `circle.read` finds it. No statement but where more people are named than the two
    best, and one in full.
    """
    asked = _asked(ticket) if in_full else None
    if asked is not None:
        decision: Decision | None = _decision(asked)
    else:
        decision = Decision(**last | {"at": datetime.fromisoformat(last["at"])}) if last and not in_full else None
    if decision is None:
        return {"decision": None}
    names = _names(decision, asked)
    return {
        "decision": decision,
        "why_sentence": KEY.sub(lambda m: names.get(int(m[1]), _("erased person")), decision.sentence),
        "why_table": _table(asked, names) if asked is not None else None,
    }


def _asked(ticket: Ticket) -> AssignmentDecision | None:
    """The rule's own last decision: what was done by hand since has no table."""
    return ticket.decisions.filter(manual_by=None).select_related("winner", "runner_up").order_by("-id").first()


def _decision(row: AssignmentDecision) -> Decision:
    chinese = (get_language() or "").startswith("zh")
    winner, runner_up = (person.name if person else None for person in (row.winner, row.runner_up))
    return Decision(
        row.at,
        row.sentence_zh if chinese else row.sentence_en,
        row.reason_id,
        row.winner_id,
        winner,
        row.runner_up_id,
        runner_up,
        None,
        None,
    )


def _names(decision: Decision, asked: AssignmentDecision | None) -> dict[int, str]:
    two = ((decision.winner_id, decision.winner), (decision.runner_up_id, decision.runner_up))
    known = {pk: name for pk, name in two if pk and name}
    wanted = {int(number) for number in KEY.findall(decision.sentence)}
    if asked is not None:
        wanted |= {int(c.key.removeprefix("user:")) for c in asked.fared}
    missing = wanted - set(known)
    return known | (dict(User.objects.filter(pk__in=missing).values_list("pk", "name")) if missing else {})


def _table(last: AssignmentDecision, names: dict[int, str]) -> list[Fared]:
    """The best first, those who could not take it last, each in the order they were asked."""
    columns = last.inputs.get("columns", [])
    known = (known_of(columns, row) for row in last.inputs.get("engineers", []))
    inputs = {engineer.key: engineer for engineer in known}
    named = {key_of(number): name for number, name in names.items()}
    rows = [
        Fared(
            name=named.get(c.key, _("erased person")),
            excluded=EXCLUDED.get(c.excluded, ""),
            tier=c.tier,
            parts=c.parts,
            total=c.total,
            inputs=inputs.get(c.key),
            chosen=c.key == (key_of(last.winner_id) if last.winner_id else ""),
        )
        for c in last.fared
    ]
    return sorted(rows, key=lambda r: (bool(r.excluded), not r.chosen, r.tier, -r.total))
