"""The simulator's own door: what a demo, a drill or a test does to the world from outside, as JSON."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from awsint.sim import health, support
from awsint.sim.wire import ApiError
from awsint.sim.world import Account, Case, World


def steer(world: World, what: str, given: dict[str, Any]) -> Any:
    """Does `what`; returns what is to be known of it. Raises ApiError, KeyError, TypeError, ValueError."""
    return VERBS[what](world, **given)


def _case(world: World, account: str, case: str) -> tuple[Account, Case]:
    found = world.cases[account].get(case)
    if found is None:
        raise ApiError("CaseIdNotFound")
    return world.accounts[account], found


def _account(world: World, number: str, **given: Any) -> str:
    return world.account(number, **given).role_arn


def _open(world: World, account: str, subject: str, body: str, **given: Any) -> str:
    told = given | {"subject": subject, "communicationBody": body}
    return support.new_case(world, world.accounts[account], told).number


def _answer(world: World, account: str, case: str, body: str, by: str = support.AWS, at: str = "") -> str:
    whose, found = _case(world, account, case)
    word = support.say(world, whose, found, body, by=by, at=datetime.fromisoformat(at) if at else None)
    return support.text_of(word.at)


def _status(world: World, account: str, case: str, status: str) -> str:
    whose, found = _case(world, account, case)
    support.set_status(world, whose, found, status)
    return status


def _fault(world: World, kind: str, **given: Any) -> bool:
    world.fault(kind, **given)
    return True


def _latency(world: World, seconds: float) -> float:
    world.latency_s = seconds
    return seconds


def _clock(world: World, at: str | None = None, advance: float = 0, skew: float = 0) -> str:
    """Stops the clock at `at`, lets it run (nothing given), moves it on or puts it wrong, in seconds."""
    if advance:
        world.advance(seconds=advance)
    else:
        world.set_clock(datetime.fromisoformat(at) if at else None)
    world.skew = timedelta(seconds=skew)
    return world.now().isoformat()


def _setting(world: World, **given: Any) -> dict[str, Any]:
    for name, value in given.items():
        if name not in SETTINGS:
            raise KeyError(name)
        setattr(world, name, value)
    return {name: getattr(world, name) for name in SETTINGS}


def _organization(world: World, management: str, members: list[str]) -> str:
    return world.organization(management, *members).number


def _vanish(world: World, case: str) -> str:
    world.vanish(case)
    return case


def _cases(world: World, account: str) -> list[dict[str, str]]:
    return [
        {"case": one.number, "display": one.display, "subject": one.subject, "status": one.status}
        for one in world.cases[account].values()
    ]


def _bodies(world: World) -> list[tuple[str, str, str]]:
    return world.bodies


def _reset(world: World) -> bool:
    world.reset()
    return True


# What is believed of AWS, and whether it blanks secrets.
SETTINGS = ("answer_reopens", "new_status", "redacts")


def _health(world: World, code: str, **given: Any) -> str:
    """An event of AWS Health begins; returns its ARN."""
    return health.happen(world, code, **given).arn


def _health_change(world: World, arn: str, resources: dict[str, str] | None = None, **given: Any) -> str:
    health.change(world, health.of(world).events[arn], resources, **given)
    return arn


def _health_switch(world: World, account: str, on: bool = True) -> bool:
    """Switches the organization view on or off."""
    (health.of(world).switched_off.discard if on else health.of(world).switched_off.add)(account)
    return on


def _health_messages(world: World, messages: list[dict[str, Any]]) -> int:
    """Delivers messages of AWS Health as they are; returns how many. No event stands behind them."""
    for message in messages:
        health.of(world).told(message)
    return len(messages)


VERBS: dict[str, Callable[..., Any]] = {
    "account": _account,
    "open": _open,
    "answer": _answer,
    "status": _status,
    "fault": _fault,
    "latency": _latency,
    "clock": _clock,
    "setting": _setting,
    "organization": _organization,
    "vanish": _vanish,
    "cases": _cases,
    "bodies": _bodies,
    "reset": _reset,
    "health": _health,
    "health-change": _health_change,
    "health-switch": _health_switch,
    "health-messages": _health_messages,
}
