"""`manage.py assign_replay FILE|-`: who would get these tickets, from the same function as the desk."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from helpdesk import cases
from tickets.assignment import CAPACITY, MOST_SKILL, Candidate, Decision, Engineer, Wanted, decide, sentence

RANKS = {"critical": 1, "high": 2, "medium": 3, "low": 4}
SHIFTS = ("primary", "secondary", "on", "next", "off")


class Malformed(Exception):
    """What a case says that cannot be."""


class Command(BaseCommand):
    help = "Prints who would get each ticket of a JSON list of cases, and why. Exit 2 names the case that is malformed."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="a JSON file, or - for standard input")

    def handle(self, *, file: str, **more: Any) -> None:
        given = cases.read(file)
        answers = []
        for number, case in enumerate(given):
            name = case.get("id", number + 1) if isinstance(case, dict) else number + 1
            try:
                answers.append({"id": name, **_answer(case)})
            except Malformed as why:
                raise CommandError(f"{file}: case {name}: {why}", returncode=2) from why
        self.stdout.write(json.dumps(answers, ensure_ascii=False, indent=1))


def _answer(case: Any) -> dict[str, Any]:
    ticket, rows = _given(case, "ticket", dict), _given(case, "engineers", list)
    wanted = _wanted(ticket)
    names = [_given(row, "name", str) for row in rows]
    if len(set(names)) != len(names):
        raise Malformed("two engineers have one name")
    engineers = [_engineer(row, wanted) for row in rows]
    return _told(wanted, engineers, decide(wanted, engineers))


def _told(wanted: Wanted, engineers: list[Engineer], decision: Decision) -> dict[str, Any]:
    names = {e.key: e.key for e in engineers}
    words = {f"sentence_{lang}": sentence(lang, wanted, decision.told, names) for lang in ("zh", "en")}
    return {
        "winner": decision.winner.key if decision.winner else None,
        "runner_up": decision.runner_up.key if decision.runner_up else None,
        "totals": {c.key: c.total for c in decision.candidates if not c.excluded},
        "excluded": {c.key: c.excluded for c in decision.candidates if c.excluded},
        "candidates": [_named(c) for c in decision.candidates],
        **words,
    }


def _named(candidate: Candidate) -> dict[str, Any]:
    told = candidate.as_json()
    return {"name": told.pop("user"), **told}


def _wanted(ticket: dict[str, Any]) -> Wanted:
    priority = _given(ticket, "priority", str)
    if priority not in RANKS:
        raise Malformed(f"unknown priority {priority!r}")
    service = ticket.get("service")
    if service is not None and not isinstance(service, str):
        raise Malformed("service is no text")
    due = _given(ticket, "response_due_in_s", int)
    return Wanted(RANKS[priority], _given(ticket, "language", str), service, due)


def _engineer(row: dict[str, Any], wanted: Wanted) -> Engineer:
    name = row["name"]
    shift = _given(row, "shift", str, name)
    if shift not in SHIFTS:
        raise Malformed(f"{name}: unknown shift {shift!r}")
    languages, skills = _given(row, "languages", list, name), _given(row, "skills", dict, name)
    skill = skills.get(wanted.service, 0) if wanted.service else 0
    if not _is_int(skill) or not 0 <= skill <= MOST_SKILL:
        raise Malformed(f"{name}: a skill is a whole number from 0 to 3")
    capacity = _given(row, "capacity", int, name, CAPACITY)
    if capacity < 1:
        raise Malformed(f"{name}: a capacity is at least 1")
    later = row.get("next_shift_in_s")
    if later is not None and not _is_int(later):
        raise Malformed(f"{name}: next_shift_in_s is no whole number")
    return Engineer(
        key=name,
        shift=shift,
        next_shift_in_s=later,
        languages=tuple(map(str, languages)),
        skill=skill,
        load=_given(row, "load", int, name, 0),
        capacity=capacity,
        named=_given(row, "named", bool, name, False),
        handled_90d=_given(row, "handled_90d", bool, name, False),
        idle_s=_given(row, "idle_minutes", int, name, 0) * 60,
        active=_given(row, "active", bool, name, True),
        leave=_given(row, "leave", bool, name, False),
        may_see=_given(row, "may_see", bool, name, True),
    )


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _given(row: Any, name: str, kind: type, whose: str = "", otherwise: Any = None) -> Any:
    """A value of the case, of the kind it must be; `otherwise` stands for one that is left out."""
    place = f"{whose}: " if whose else ""
    if not isinstance(row, dict):
        raise Malformed(f"{place}an object is needed where {name} should stand")
    if name not in row and otherwise is not None:
        return otherwise
    if name not in row:
        raise Malformed(f"{place}{name} is missing")
    value = row[name]
    if not isinstance(value, kind) or (kind is int and not _is_int(value)):
        raise Malformed(f"{place}{name} is no {kind.__name__}")
    return value
