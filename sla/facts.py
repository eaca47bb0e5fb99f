"""Which facts of a history hold (readings R1 and R12): an undo takes back what one action wrote.

A fact is what audit.Entry.fact holds, an sla_replay event without its time, with its instant and its number.

`["strike", n]` strikes out the pause that the status fact of entry n began: whoever reviews a pause writes it as the
fact of their own history entry, through a Deed: `Happening("ticket.pause_struck", {...}, ["strike", n])`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

TAKEN_ALONG = ("status", "withdrawn")
# What only the internal clocks hear.
AMONG_US = ("assigned", "aws_reply", "relay", "case_needed", "case_opened")
Fact = tuple[datetime, int, Sequence[Any]]


def undone_by(heard: Sequence[Fact]) -> dict[int, list[int]]:
    """The places of the undo facts that hold, each with the places of the facts it takes back.

    An undo names the entry of a reply or a withdrawal. Taken back with it is what the same action wrote: the status and
    withdrawal facts that follow at the same instant, up to the next fact of another kind, which begins another action.
    An undo can itself be undone, hence from the last to the first.
    """
    place_of = {id_: place for place, (_, id_, _) in enumerate(heard)}
    gone: set[int] = set()
    undone: dict[int, list[int]] = {}
    for place in reversed(range(len(heard))):
        fact = heard[place][2]
        named = place_of.get(fact[1], place) if fact[0] == "undo" else place
        if place not in gone and named < place:
            undone[place] = _written_together(heard, named)
            gone.update(undone[place])
    return undone


def _written_together(heard: Sequence[Fact], first: int) -> list[int]:
    at, found = heard[first][0], [first]
    for place in range(first + 1, len(heard)):
        kind = heard[place][2][0]
        if heard[place][0] != at or kind not in (*TAKEN_ALONG, *AMONG_US):
            break
        # Whoever took the ticket over keeps it.
        if kind in TAKEN_ALONG:
            found.append(place)
    return found


def without(heard: Sequence[Fact], undone: Mapping[int, list[int]]) -> list[Fact]:
    gone = {place for places in undone.values() for place in places}
    return [fact for place, fact in enumerate(heard) if place not in gone]
