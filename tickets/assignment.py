"""To whom a ticket goes: eligibility, language tier, score, order. Pure, in whole numbers, the same for all who ask.

Algorithm assign/1, as oncall.md specifies it. Nobody is ever picked who cannot take the ticket:
where nobody is eligible the winner is None and each exclusion has its reason.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from operator import itemgetter
from typing import Any, NamedTuple

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

    @cached_property
    def urgent(self) -> bool:
        return self.rank <= 2

    @cached_property
    def points(self) -> int:
        return points_of(self.rank)


class Engineer(NamedTuple):
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


def told_of(engineers: Sequence[Engineer]) -> tuple[list[str], list[Any]]:
    """What was known of them, as it is kept: the columns in which anybody differs from an Engineer's own defaults, and
    a row each. There may be hundreds, and most are alike in most."""
    defaults = Engineer._field_defaults
    columns = (
        [
            name
            for name, values in zip(Engineer._fields, zip(*engineers, strict=True), strict=True)
            if name not in defaults or values.count(defaults[name]) < len(values)
        ]
        if engineers
        else ["key"]
    )
    places = [Engineer._fields.index(name) for name in columns]
    rows = list(map(itemgetter(*places), engineers)) if len(places) > 1 else [[e.key] for e in engineers]
    return columns, rows


def known_of(columns: Sequence[str], row: Sequence[Any]) -> Engineer:
    """An engineer as he was kept."""
    return Engineer(**dict(zip(columns, row, strict=True)))


class Parts(NamedTuple):
    """What somebody's total is made of."""

    skill: int
    load: int
    shift: int
    affinity: int


class Candidate(NamedTuple):
    """How one engineer fared: either `excluded` says why not, or tier, parts and total say how well."""

    key: str
    excluded: str = ""
    tier: int = 0
    parts: Parts | None = None
    total: int = 0
    engineer: Engineer | None = None

    def as_json(self) -> dict[str, Any]:
        if self.excluded:
            return {"user": self.key, "excluded": self.excluded}
        parts = self.parts._asdict() if self.parts else None
        return {"user": self.key, "tier": self.tier, "parts": parts, "total": self.total}

    def as_row(self) -> tuple[Any, ...]:
        """The same under the head COLUMNS, as it is kept."""
        if self.parts is None:
            return self.key, self.excluded
        return self.key, "", self.tier, *self.parts, self.total


COLUMNS = ("user", "excluded", "tier", *Parts._fields, "total")


def of_row(row: Sequence[Any], columns: Sequence[str] = COLUMNS) -> Candidate:
    """A candidate as it was kept; who the engineer was is not in it."""
    told = dict(zip(columns, row, strict=False))
    if told["excluded"]:
        return Candidate(told["user"], excluded=told["excluded"])
    parts = Parts(*(told[name] for name in Parts._fields))
    return Candidate(told["user"], tier=told["tier"], parts=parts, total=told["total"])


@dataclass(frozen=True)
class Decision:
    """Everybody who was looked at, in the order given, and the two best."""

    candidates: tuple[Candidate, ...]
    winner: Candidate | None
    runner_up: Candidate | None

    @property
    def told(self) -> list[Candidate]:
        """Whom a sentence speaks of: the winner and the runner-up, or everybody where nobody can take it."""
        return [c for c in (self.winner, self.runner_up) if c] or list(self.candidates)


def points_of(rank: int) -> int:
    """What a ticket of this rank weighs in its assignee's load."""
    return POINTS.get(rank, 1)


def decide(wanted: Wanted, engineers: Sequence[Engineer]) -> Decision:
    """Who takes the ticket. Of two alike the one named first in `engineers` does."""
    candidates = tuple(_judge(wanted, e) for e in engineers)
    able = [(n, c) for n, c in enumerate(candidates) if not c.excluded]
    # Few are as good as the second best: only of these it matters who is freer.
    rough = sorted((c.tier, -c.total) for _n, c in able)[:2]
    close = [(n, c) for n, c in able if (c.tier, -c.total) <= rough[-1]]
    best = [c for _n, c in sorted(close, key=lambda found: _order(*found))]
    return Decision(candidates, best[0] if best else None, best[1] if len(best) > 1 else None)


def _judge(wanted: Wanted, e: Engineer) -> Candidate:
    if why := _excluded(wanted, e):
        return Candidate(e.key, excluded=why)
    tier = 0 if wanted.language in e.languages else 1 if "en" in e.languages else 2
    parts = Parts(
        SKILL_POINTS * min(e.skill, MOST_SKILL) if wanted.service else 0,
        max(0, LOAD_SCORE * (e.capacity - e.load) // e.capacity),
        (SHIFT_URGENT if wanted.urgent else SHIFT_CALM)[e.shift],
        NAMED if e.named else HANDLED if e.handled_90d else 0,
    )
    return Candidate(e.key, "", tier, parts, sum(parts), e)


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
    return (c.tier, -c.total, Fraction(e.load, e.capacity), -e.idle_s, place)


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

NOBODY = {"zh": ("没有可以分配的工程师", "：", "、", "。"), "en": ("Nobody can take it", ": ", ", ", ".")}
# Of more people than these only the number is told.
MOST_NAMED = 12


def sentence(
    language: str, wanted: Wanted, told: Sequence[Candidate], names: Mapping[str, str], service: str = ""
) -> str:
    """Why the winner, in one sentence of `language` (zh or en).

    `told` are whom it speaks of (Decision.told), `names` theirs by key and `service` what the wanted one is called.
    """
    if not told or told[0].excluded:
        return _nobody(language, told, names)
    first, e = told[0], told[0].engineer
    assert e is not None
    affinity = AFFINITY[language].get(first.parts.affinity if first.parts else 0, "")
    skill = e.skill if wanted.service else 0
    who, shift, service = names[first.key], SHIFTS[language][e.shift], service or wanted.service or "—"
    if language == "zh":
        head = f"{who}：{service} 技能 {skill}/3、当前负载 {e.load}/{e.capacity}、{shift}"
        head += f"、{affinity}" if affinity else ""
        tail = "".join(f"；次选 {names[c.key]} {c.total}" for c in told[1:])
        return f"{head}，总分 {first.total}{tail}。"
    head = f"{who}: {service} skill {skill}/3, load {e.load}/{e.capacity}, {shift}"
    head += f", {affinity}" if affinity else ""
    tail = "".join(f"; next best {names[c.key]} {c.total}" for c in told[1:])
    return f"{head}, total {first.total}{tail}."


def _nobody(language: str, told: Sequence[Candidate], names: Mapping[str, str]) -> str:
    if len(told) > MOST_NAMED:
        counts = Counter(c.excluded for c in told)
        parts = [f"{_why(language, why)} {count}" for why, count in counts.items()]
    elif language == "zh":
        parts = [f"{names[c.key]}{_why(language, c.excluded)}" for c in told]
    else:
        parts = [f"{names[c.key]} {c.excluded}" for c in told]
    head, colon, comma, end = NOBODY[language]
    return f"{head}{colon}{comma.join(parts)}{end}" if parts else f"{head}{end}"


def _why(language: str, reason: str) -> str:
    return REASONS_ZH[reason] if language == "zh" else reason
