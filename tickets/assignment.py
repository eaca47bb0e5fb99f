"""To whom a ticket goes: eligibility, language tier, score, order. Pure, in whole numbers, the same for all who ask.

Algorithm assign/1, as oncall.md specifies it. Nobody is ever picked who cannot take the ticket:
where nobody is eligible the winner is None and each exclusion has its reason.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

ALGORITHM = "assign/1"
# What a ticket weighs, by the rank of its priority; a fourth and further ranks weigh as little as the fourth.
POINTS = {1: 8, 2: 4, 3: 2}
CAPACITY = 20
SKILL_POINTS = 15
MOST_SKILL = 3
LOAD_SCORE = 25
NAMED, HANDLED = 10, 6
# Urgent tickets go to who is on call first, the others to the shift, so that the on-call stays free.
SHIFT_URGENT = {"primary": 20, "secondary": 12, "on": 8}
SHIFT_CALM = {"on": 20, "secondary": 12, "primary": 6, "next": 0}
# A next shift must begin so long before the answer is due.
MARGIN_S = 1800


@dataclass(frozen=True)
class Wanted:
    """What the ticket asks for. `rank` is the priority's, 1 the most urgent; `language` a code such as zh or en."""

    rank: int
    language: str
    service: str | None
    response_due_in_s: int

    @property
    def urgent(self) -> bool:
        return self.rank <= 2

    @property
    def points(self) -> int:
        return points_of(self.rank)


@dataclass(frozen=True)
class Engineer:
    """One who might take it. `shift` is primary, secondary, on, next or off; `skill` 0 to 3 in the ticket's service."""

    key: str
    shift: str = "on"
    next_shift_in_s: int | None = None
    languages: tuple[str, ...] = ()
    skill: int = 0
    load: int = 0
    capacity: int = CAPACITY
    named: bool = False
    handled_90d: bool = False
    idle_s: int = 0
    active: bool = True
    leave: bool = False
    may_see: bool = True


@dataclass(frozen=True)
class Candidate:
    """How one engineer fared: either `excluded` says why not, or tier, parts and total say how well."""

    key: str
    excluded: str = ""
    tier: int = 0
    parts: dict[str, int] | None = None
    engineer: Engineer | None = None

    @property
    def total(self) -> int:
        return sum((self.parts or {}).values())

    def as_json(self) -> dict[str, Any]:
        if self.excluded:
            return {"key": self.key, "excluded": self.excluded}
        return {"key": self.key, "tier": self.tier, "parts": self.parts, "total": self.total}


@dataclass(frozen=True)
class Decision:
    """Everybody who was looked at, in the order given, and the two best."""

    candidates: tuple[Candidate, ...]
    winner: Candidate | None
    runner_up: Candidate | None


def points_of(rank: int) -> int:
    """What a ticket of this rank weighs in its assignee's load."""
    return POINTS.get(rank, 1)


def decide(wanted: Wanted, engineers: Sequence[Engineer]) -> Decision:
    """Who takes the ticket. Of two alike the one named first in `engineers` does."""
    candidates = tuple(_judge(wanted, e) for e in engineers)
    able = [(n, c) for n, c in enumerate(candidates) if not c.excluded]
    best = [c for _n, c in sorted(able, key=lambda found: _order(*found))]
    return Decision(candidates, best[0] if best else None, best[1] if len(best) > 1 else None)


def _judge(wanted: Wanted, e: Engineer) -> Candidate:
    if why := _excluded(wanted, e):
        return Candidate(e.key, excluded=why)
    tier = 0 if wanted.language in e.languages else 1 if "en" in e.languages else 2
    parts = {
        "skill": SKILL_POINTS * min(e.skill, MOST_SKILL) if wanted.service else 0,
        "load": max(0, LOAD_SCORE * (e.capacity - e.load) // e.capacity),
        "shift": (SHIFT_URGENT if wanted.urgent else SHIFT_CALM)[e.shift],
        "affinity": NAMED if e.named else HANDLED if e.handled_90d else 0,
    }
    return Candidate(e.key, tier=tier, parts=parts, engineer=e)


def _excluded(wanted: Wanted, e: Engineer) -> str:
    """Why this engineer cannot take it, in the specification's words and order; empty where they can."""
    if not e.active:
        return "inactive"
    if e.leave:
        return "leave"
    if e.shift == "off" or (e.shift == "next" and wanted.urgent):
        return "off shift"
    if e.shift == "next" and (e.next_shift_in_s is None or e.next_shift_in_s > wanted.response_due_in_s - MARGIN_S):
        return "next shift too late"
    # A critical goes to the on-call primary however much they have.
    if e.load + wanted.points > e.capacity and not (wanted.rank == 1 and e.shift == "primary"):
        return "capacity"
    return "" if e.may_see else "may not see customer"


def _order(place: int, c: Candidate) -> tuple[Any, ...]:
    e = c.engineer
    assert e is not None
    return (c.tier, -c.total, e.load / e.capacity, -e.idle_s, place)


# --- In words --------------------------------------------------------------------------------------------------------

SHIFTS = {
    "zh": {"primary": "主值班", "secondary": "副值班", "on": "当班", "next": "下一班"},
    "en": {"primary": "on call, primary", "secondary": "on call, secondary", "on": "on shift", "next": "next shift"},
}
AFFINITY = {
    "zh": {NAMED: "该客户的指定工程师", HANDLED: "90 天内处理过该客户的工单"},
    "en": {NAMED: "named engineer of this customer", HANDLED: "handled this customer within 90 days"},
}
REASONS_ZH = {
    "inactive": "已停用",
    "leave": "休假",
    "off shift": "不在班",
    "next shift too late": "下一班来不及",
    "capacity": "负载已满",
    "may not see customer": "无权查看该客户",
}


def sentence(
    language: str, wanted: Wanted, told: Iterable[dict[str, Any]], names: dict[str, str], engineers: dict[str, Any]
) -> str:
    """Why the winner, in one sentence of `language` (zh or en).

    `told` are candidates as_json, the winner and the runner-up first where there are any; `engineers` gives load,
    capacity, skill and shift by key, as they were.
    """
    told = list(told)
    best = [c for c in told if not c.get("excluded")]
    if not best:
        return _nobody(language, told, names)
    first, rest = best[0], best[1:2]
    e = engineers[first["key"]]
    affinity = AFFINITY[language].get(first["parts"]["affinity"], "")
    service, skill = wanted.service or "—", e["skill"] if wanted.service else 0
    who, shift, total = names[first["key"]], SHIFTS[language][e["shift"]], first["total"]
    if language == "zh":
        head = f"{who}：{service} 技能 {skill}/3、当前负载 {e['load']}/{e['capacity']}、{shift}"
        head += f"、{affinity}" if affinity else ""
        tail = f"；次选 {names[rest[0]['key']]} {rest[0]['total']}。" if rest else "。"
        return f"{head}，总分 {total}{tail}"
    head = f"{who}: {service} skill {skill}/3, load {e['load']}/{e['capacity']}, {shift}"
    head += f", {affinity}" if affinity else ""
    tail = f"; next best {names[rest[0]['key']]} {rest[0]['total']}." if rest else "."
    return f"{head}, total {total}{tail}"


def _nobody(language: str, told: list[dict[str, Any]], names: dict[str, str]) -> str:
    if language == "zh":
        why = "、".join(f"{names[c['key']]}{REASONS_ZH[c['excluded']]}" for c in told)
        return f"没有可以分配的工程师：{why}。" if why else "没有可以分配的工程师。"
    why = ", ".join(f"{names[c['key']]} {c['excluded']}" for c in told)
    return f"Nobody can take it: {why}." if why else "Nobody can take it."
