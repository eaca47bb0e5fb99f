"""A ticket's history as a file tells it, computed by the desk's own functions (sla.md, `sla_replay`). Pure.

Times are local in the case's zone; an ambiguous one is the first, one that does not exist the change of the clocks. The
policy is the checklist's. Nothing here knows a database.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sla import alarms, defaults, hours
from sla.clock import MODES, ClockState, Reckoning, Target, compute
from sla.facts import AMONG_US, Fact
from sla.worktime import AROUND_THE_CLOCK, Calendar

TARGETS = {
    code: Target(minutes * 60, long * 3600, update * 60) for code, minutes, long, update, *_more in defaults.TARGETS
}
AUTHORS = ("engineer", "bot", "aws", "customer")
SOURCES = ("web", "email", "api", "phone", "aws_support", "aws_health")


class Malformed(ValueError):
    """What a case says that cannot be."""


@cache
def shipped() -> Mapping[str, Calendar]:
    """The calendars that ship as data, by name."""
    found = json.loads(Path(__file__).with_name("calendars.json").read_text(encoding="utf-8"))
    return {"24x7": AROUND_THE_CLOCK} | {name: hours.read(rules) for name, rules in found.items()}


def answer(case: Any) -> dict[str, Any]:
    """What a case amounts to, in the words of the file's `expect`. Raises Malformed."""
    zone, calendar = _zone(case), _calendar(case)
    facts = list(_facts(_field(case, "events", list), zone))
    now = _instant(_field(case, "now", str), zone, "now")
    if not facts or min(facts)[0] > now:
        raise Malformed("nothing was created by now")
    reckoning = compute(facts, TARGETS, calendar, now)
    return _told(reckoning, zone) | {
        "update_due": _local(reckoning.update_due, zone),
        "warnings": [[kind, percent, _local(at, zone)] for kind, percent, at in warnings(facts, calendar, now)],
    }


def _told(reckoning: Reckoning, zone: ZoneInfo) -> dict[str, Any]:
    response, resolution = reckoning.response, reckoning.resolution
    return {
        "first_response_due": _local(response.due_at, zone),
        "first_response_at": _local(reckoning.first_response_at, zone),
        "response": response.verdict,
        "response_breached_at": _local(response.breached_at, zone),
        "resolution_due": _local(resolution.due_at, zone),
        "resolved_at": _local(reckoning.resolved_at, zone),
        "resolution": resolution.verdict,
        "resolution_breached_at": _local(resolution.breached_at, zone),
        "paused_s": resolution.paused_s,
        "reopen_gap_s": resolution.reopen_gap_s,
        "running_s": resolution.running_s,
        "remaining_s": resolution.remaining_s,
        "cause": resolution.cause or response.cause,
        "status": reckoning.status,
    }


def warnings(facts: list[Fact], calendar: Calendar, now: datetime) -> Iterator[tuple[str, int, datetime]]:
    """The warnings that a punctual sweep would have sent by `now`: clock, percent, instant (rule 12, R8)."""
    told: dict[tuple[str, int], set[int]] = {}
    coming: datetime | None = min(facts)[0]
    while coming and coming <= now:
        at = coming
        reckoning = compute(facts, TARGETS, calendar, at)
        events = [fact[0] for fact in facts if fact[0] > at]
        for clock in (reckoning.response, reckoning.resolution):
            yield from _owed(clock, told, at)
            if then := alarms.next_event_at(clock, at):
                events.append(then)
        coming = min(events, default=None)


def _owed(
    clock: ClockState, told: dict[tuple[str, int], set[int]], at: datetime
) -> Iterator[tuple[str, int, datetime]]:
    known = told.setdefault((clock.kind, clock.target_s), set())
    owed = alarms.owed(clock, known, at)
    known.update(mark.percent for mark in owed.superseded)
    if owed.warning:
        known.add(owed.warning.percent)
        yield clock.kind, owed.warning.percent, at


def _local(at: datetime | None, zone: ZoneInfo) -> str | None:
    return at.astimezone(zone).isoformat() if at else None


# --- Reading a case --------------------------------------------------------------------------------------------------


def _field(case: Any, name: str, kind: type) -> Any:
    if not isinstance(case, dict):
        raise Malformed("a case is an object")
    if name not in case:
        raise Malformed(f"{name} is missing")
    if not isinstance(case[name], kind):
        raise Malformed(f"{name} is no {'text' if kind is str else 'list' if kind is list else 'object'}")
    return case[name]


def _zone(case: Any) -> ZoneInfo:
    name = _field(case, "tz", str)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise Malformed(f"tz {name!r} is not a time zone") from error


def _calendar(case: Any) -> Calendar:
    name = _field(case, "calendar", str) if "calendar" in case else "24x7"
    own = _field(case, "calendars", dict) if "calendars" in case else {}
    if name not in own:
        if name not in shipped():
            raise Malformed(f"calendar {name!r} is not known")
        return shipped()[name]
    try:
        return hours.read(_field(own, name, dict))
    except hours.BadCalendar as error:
        raise Malformed(f"calendar {name!r}: {error}") from error


def _instant(text: Any, zone: ZoneInfo, where: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise Malformed(f"{where}: {text!r} is not a time such as 2026-03-02 10:00:00") from error
    found = found.replace(microsecond=0)
    return found.astimezone(UTC) if found.tzinfo else hours.local_instant(found, zone)


def _facts(events: list[Any], zone: ZoneInfo) -> Iterator[Fact]:
    created = 0
    for place, event in enumerate(events):
        where = f"event {place}"
        if not isinstance(event, list) or len(event) < 2:
            raise Malformed(f"{where} is no list of a time, a kind and more")
        at, *fact = event
        _check(fact, where, len(events))
        created += fact[0] == "created"
        yield _instant(at, zone, where), place, fact
    if created != 1:
        raise Malformed(f"one event creates the ticket, not {created}")


def _check(fact: list[Any], where: str, count: int) -> None:
    match fact:
        case ["created", priority] | ["priority", priority]:
            known = priority in TARGETS
        case ["created", priority, source]:
            known = priority in TARGETS and source in SOURCES
        case ["reply", by] | ["reply", by, "internal"]:
            known = by in AUTHORS
        case ["status", to]:
            known = to in MODES
        case ["undo" | "strike", number]:
            known = isinstance(number, int) and 0 <= number < count
        case _:
            known = fact == ["withdrawn"] or (len(fact) == 1 and fact[0] in AMONG_US)
    if not known:
        raise Malformed(f"{where} is not understood: {json.dumps(fact, ensure_ascii=False)}")
