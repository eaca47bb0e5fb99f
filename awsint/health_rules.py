"""How pressing an AWS Health event is for one customer, by ordered rows (oncall.md, 5.3; decisions.md, AWS). Pure.

The first row that fits decides; rows that change a decision then all apply: BILLING sends it to the billing queue, VIP
raises it by one. The priority of an incident is the highest that any of its messages ever had, so neither a late copy
nor a poll lowers one.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from awsint.health_payload import Told

# Events that tell of abuse by the kind of their message, whatever their code.
ABUSE = "ABUSE"


@dataclass(frozen=True)
class Rule:
    """A row, without its row. `effect` is "priority", "store", "billing" or "raise"."""

    code: str
    effect: str
    priority: str = ""
    categories: Sequence[str] = ()
    statuses: Sequence[str] = ()
    scope: str = ""
    code_words: Sequence[str] = ()
    services: Sequence[str] = ()
    regions: Sequence[str] = ()
    actionabilities: Sequence[str] = ()
    personas: Sequence[str] = ()
    production: bool = False
    registered: bool | None = None
    vip: bool = False
    starts_within_h: int | None = None


@dataclass(frozen=True)
class Standing:
    """What we know of the customer: whether the affected account is tagged production, whether they registered for
    what a public event is about, whether they are a VIP."""

    production: bool = False
    registered: bool = False
    vip: bool = False


@dataclass(frozen=True)
class Decision:
    """What follows: a priority, empty where the event is only stored; the row that decided; what raised it."""

    priority: str = ""
    rule: str = ""
    raised: str = ""
    billing: bool = False
    facts: dict[str, Any] = field(default_factory=dict, compare=False)


def decide(rules: Sequence[Rule], told: Told, standing: Standing, at: datetime, *, ladder: Sequence[str]) -> Decision:
    """What the rows say of one message at an instant. `ladder` lists the priorities, the most pressing first."""
    changing = [rule for rule in rules if rule.effect in ("billing", "raise") and fits(rule, told, standing, at)]
    billing = any(rule.effect == "billing" for rule in changing)
    first = next(
        (rule for rule in rules if rule.effect in ("priority", "store") and fits(rule, told, standing, at)), None
    )
    if first is None or first.effect == "store":
        return Decision("", first.code if first else "", "", billing, facts_of(told, standing, at))
    raised = next((rule.code for rule in changing if rule.effect == "raise"), "")
    priority = _above(first.priority, ladder) if raised else first.priority
    return Decision(priority, first.code, raised, billing, facts_of(told, standing, at))


def fits(rule: Rule, told: Told, standing: Standing, at: datetime) -> bool:
    """Whether every condition of a row holds."""
    return all(
        (
            not rule.categories or told.category in rule.categories,
            not rule.statuses or told.status in rule.statuses,
            not rule.scope or told.scope == rule.scope,
            not rule.code_words or _says(told, rule.code_words),
            not rule.services or told.service in rule.services,
            not rule.regions or told.region in rule.regions,
            not rule.actionabilities or told.actionability in rule.actionabilities,
            not rule.personas or not set(rule.personas).isdisjoint(told.personas),
            not rule.production or (standing.production and bool(told.entities)),
            rule.registered is None or rule.registered == standing.registered,
            not rule.vip or standing.vip,
            rule.starts_within_h is None or _starts_within(told, rule.starts_within_h, at),
        )
    )


def _says(told: Told, words: Iterable[str]) -> bool:
    code = told.code.upper()
    return any(word.upper() in code or (word.upper() == ABUSE and told.abuse) for word in words)


def _starts_within(told: Told, hours: int, at: datetime) -> bool:
    """One that has begun starts within any time; one without a start within none."""
    return told.starts_at is not None and told.starts_at <= at + timedelta(hours=hours)


def _above(priority: str, ladder: Sequence[str]) -> str:
    place = ladder.index(priority) if priority in ladder else 0
    return ladder[max(0, place - 1)] if ladder else priority


def facts_of(told: Told, standing: Standing, at: datetime) -> dict[str, Any]:
    """What the rows looked at, to be shown beside the decision: codes and numbers alone."""
    facts: dict[str, Any] = {
        "category": told.category,
        "status": told.status,
        "scope": told.scope,
        "production": standing.production,
        "registered": standing.registered,
        "entities": len(told.entities),
    }
    if told.actionability:
        facts["actionability"] = told.actionability
    if told.starts_at:
        facts["starts_in_h"] = round((told.starts_at - at).total_seconds() / 3600)
    return facts


def higher(one: Decision, other: Decision, ladder: Sequence[str]) -> Decision:
    """The more pressing of two; billing where any says so. Of equals the first in the order of their codes, so that
    the order in which messages came says nothing."""
    chosen = min(
        (one, other),
        key=lambda each: (
            place_of(each.priority, ladder),
            each.rule,
            each.raised,
            json.dumps(each.facts, sort_keys=True),
        ),
    )
    billing = one.billing or other.billing
    return Decision(chosen.priority, chosen.rule, chosen.raised, billing, chosen.facts)


def place_of(priority: str, ladder: Sequence[str]) -> int:
    """0 for the most pressing; what has no priority comes last."""
    return ladder.index(priority) if priority in ladder else len(ladder)


def priority_of(
    rules: Sequence[Rule], messages: Iterable[Told], standing: Standing, at: datetime, *, ladder: Sequence[str]
) -> Decision:
    """priority(set, at): the highest that any message has, whatever their order and however often each came."""
    found = Decision()
    for told in messages:
        found = higher(found, decide(rules, told, standing, at, ladder=ladder), ladder)
    return found
