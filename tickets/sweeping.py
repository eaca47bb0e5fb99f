"""The sweep: each minute the pulse looks at the clocks that have something to say, and says it.

Due clocks are found by their index, a slice at a time, and each ticket is looked at in a transaction of its own. A
ticket that somebody holds is left to them, or to the next minute: whoever locks it looks at its clocks, so a breach is
written once however many look, and one that was cut off has written nothing. A late sweep says when it should have been
seen, and when it was. The version stays: it counts what people and programs write.
"""

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from helpdesk import refs
from helpdesk.audit.record import SYSTEM
from helpdesk.models import Heartbeat
from sla import ringing
from tickets.deed import Deed
from tickets.models import Ticket

log = logging.getLogger(__name__)
NAME = "sweep"
# After so long the pulse goes on with its other steps; what is left is due yet.
BITE_S = 2.0


@dataclass
class Swept:
    """What a sweep came to. `due` clocks were found, of which `left` were held by somebody.

    It is `unfinished` where there was more to do than fits between two beats: the next beat goes on.
    """

    due: int = 0
    breached: int = 0
    warned: int = 0
    left: int = 0
    failed: int = 0
    ms: int = 0
    unfinished: bool = False


@dataclass(frozen=True)
class Run:
    """The last sweep: when it was, and what it came to."""

    at: datetime
    swept: Swept


def last_run() -> Run | None:
    """The last sweep of any pulse; None before the first, and where its note is another release's. One statement."""
    beat = Heartbeat.objects.filter(name=NAME).first()
    try:
        return Run(beat.at, Swept(**json.loads(beat.note))) if beat else None
    except (ValueError, TypeError):
        return None


def sweep(at: datetime) -> Swept:
    """Looks at every clock that is due by `at`; returns what it came to, and leaves it with the heartbeats."""
    begun, swept = time.monotonic(), Swept()
    looked: set[str] = set()
    for subject in _due(at):
        swept.due += 1
        if subject not in looked:
            looked.add(subject)
            _look(subject, at, swept)
        if time.monotonic() - begun > BITE_S:
            swept.unfinished = True
            break
    swept.ms = round((time.monotonic() - begun) * 1000)
    Heartbeat.beat(NAME, at, json.dumps(asdict(swept)))
    return swept


def _due(at: datetime) -> Iterator[str]:
    """The subjects of the due clocks in their order, read in slices; each place is passed once."""
    place = ringing.FIRST
    while found := ringing.due(at, place):
        yield from (one.subject for one in found)
        place = found[-1]


def _look(subject: str, at: datetime, swept: Swept) -> None:
    try:
        rung = look(subject, at)
    except Exception:
        log.exception("the clocks of %s could not be looked at", subject)
        swept.failed += 1
        return
    if rung is None:
        swept.left += 1
        return
    swept.breached += len(rung.breaches)
    swept.warned += len(rung.warnings)


@transaction.atomic
def look(subject: str, at: datetime) -> ringing.Rung | None:
    """What the clocks of one ticket had to say by `at`; None where somebody holds it, or it is no ticket."""
    number = refs.number(subject)
    ticket = Ticket.objects.select_for_update(skip_locked=True).filter(pk=number).first() if number else None
    if ticket is None:
        return None
    return Deed(ticket, SYSTEM, max(at.replace(microsecond=0), ticket.last_event_at)).look()
