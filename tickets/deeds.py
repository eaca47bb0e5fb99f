"""Actions of the desk itself on many tickets, each kind of row written at once, as opening.py writes new ones.

A slice of tickets is one transaction in the lock order of one (deed.py): Ticket, history, Clock, Load, outbox. Tickets
that somebody holds at this moment, that were merged or that know a later instant are left out: whoever calls does them
one by one.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from helpdesk.audit.record import SYSTEM, About, record, record_all
from helpdesk.kept import insert, update_all
from sla import clocks
from sla.ringing import Rung
from tickets import ladder, loads, notify, search, stays
from tickets.deed import KEPT, Deed, keep_due, report
from tickets.models import Message, Ticket


def begin_all(tickets: Iterable[int], at: datetime) -> dict[int, Deed]:
    """Locks those of these tickets that nobody holds, as they stand now, and fixes one instant. One statement."""
    at = at.replace(microsecond=0)
    rows = Ticket.objects.select_for_update(of=["self"], skip_locked=True).filter(pk__in=list(tickets))
    free = rows.filter(merged_into=None, last_event_at__lte=at).select_related("priority", "requester")
    return {ticket.pk: Deed(ticket, SYSTEM, at) for ticket in free.order_by("pk")}


def say_all(messages: Sequence[Message]) -> None:
    """Writes messages and makes them findable. Two statements."""
    insert(messages)
    search.index(messages)


def finish_all(deeds: Sequence[Deed], *, at: datetime) -> None:
    """Writes what happened on each: history, clocks, columns and letters, as Deed.finish does for one. Some seven
    statements, and those of each ticket whose load changes or whose promise rings."""
    deeds = [deed for deed in deeds if deed.happenings]
    if not deeds:
        return
    at = at.replace(microsecond=0)
    record_all([About(deed.happenings, deed.ticket.ref, deed.ticket.customer_id) for deed in deeds], by=SYSTEM, at=at)
    rung = _reckon([deed for deed in deeds if any(h.fact for h in deed.happenings)], at)
    for deed in deeds:
        deed.ticket.last_event_at = at
    update_all([deed.ticket for deed in deeds], [*KEPT, *sorted({name for deed in deeds for name in deed.changed})])
    for deed in deeds:
        loads.keep(deed.weighed(), at=at, decided=deed.decided)
    notify.tell_all([(deed.ticket, deed.news) for deed in deeds], by=SYSTEM, at=at)
    for deed, told in rung:
        ladder.tell(deed.ticket, told, at=at)


def _reckon(deeds: Sequence[Deed], at: datetime) -> list[tuple[Deed, Rung]]:
    """Reckons the clocks again and the columns that follow them; what they say stands in history too."""
    if not deeds:
        return []
    timed = [clocks.Timed(deed.ticket.ref, deed.ticket.terms, report(deed.ticket)) for deed in deeds]
    rung = []
    for deed, told in zip(deeds, clocks.recompute_all(timed, at=at), strict=True):
        ticket = deed.ticket
        keep_due(ticket, told.clocks)
        stays.keep(ticket, told.since)
        said = ladder.happenings(told.rung)
        record(said, by=SYSTEM, at=at, subject=ticket.ref, customer=ticket.customer_id)
        rung.append((deed, told.rung))
    return rung
