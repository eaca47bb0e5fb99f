"""Who hears that a promise is in danger, or was broken (sla.md, rule 13), and the lines of history that say so.

Half of the time used: whoever has the ticket, or the leads where nobody has it. Three quarters: the leads too. Nine
tenths: the administrators as well. Broken: the director of operations besides, at the address in the site's settings.
Each hears of an event once; history of it is for the staff alone. Of a promise among ourselves history alone tells.

Thousands of tickets can be part of one event at AWS. Who works them works their parent, so the first of them that has
something to tell does so under the parent's number, and of the others the register and their history tell.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from helpdesk import site
from helpdesk.accounts.models import StaffRole, key_of
from helpdesk.audit.record import Happening
from helpdesk.outbox.enqueue import Draft, Reader, enqueue
from helpdesk.outbox.models import Letter
from sla.models import INTERNAL, Breach, Kind, Warning
from sla.ringing import Rung
from tickets import notify
from tickets.models import Ticket

LEADS_FROM, MANAGERS_FROM = 75, 90
# The lock under which parts of one parent tell, beside the parent's number.
PARTS = 0x5041


@dataclass(frozen=True)
class Rank:
    """Somebody of the ladder. `no_mail` is what they do without; `assigned` says that the ticket is theirs."""

    key: str
    email: str
    language: str
    zone: str
    role: str
    no_mail: tuple[str, ...]
    assigned: bool


@dataclass(frozen=True)
class Director:
    """The director of operations: an address, and nobody who logs in."""

    email: str
    language: str
    zone: str
    key: str = "director"


def happenings(rung: Rung) -> list[Happening]:
    """The lines of history, breaches first."""
    return [_broken(b) for b in rung.breaches] + [_warned(w) for w in rung.warnings]


def _broken(breach: Breach) -> Happening:
    data = _numbers(breach) | {"priority": breach.priority, "target_s": breach.target_s, "cause": breach.cause}
    return Happening("ticket.breached", data)


def _warned(warning: Warning) -> Happening:
    return Happening("ticket.warned", _numbers(warning) | {"target_s": warning.target_s})


def _numbers(event: Breach | Warning) -> dict[str, Any]:
    """What history and letters say of an event alike."""
    clock = event.clock
    # Which of the regular updates: the others come and go meanwhile.
    cycle = {"cycle": clock.cycle} if clock.kind == Kind.UPDATE else {}
    if isinstance(event, Breach):
        return {
            "kind": event.kind,
            "due": event.due_at.isoformat(),
            "breached": event.breached_at.isoformat(),
        } | cycle
    due = clock.due_at
    return {"kind": clock.kind, "percent": event.percent, "due": due.isoformat() if due else None} | cycle


def tell(ticket: Ticket, rung: Rung, *, at: datetime) -> list[Letter]:
    """Writes the letters. No statement where there is nothing to tell, else two."""
    events: list[Breach | Warning] = [*(b for b in rung.breaches if b.kind not in INTERNAL), *rung.warnings]
    if events and ticket.is_part:
        ticket, events = _of_parent(ticket, events)
    if not events:
        return []
    people = _ladder(ticket)
    drafts = [draft for event in events for draft in _letters(ticket, event, people)]
    return enqueue(drafts, at=at, subject=ticket.ref, customer=ticket.customer_id) if drafts else []


def _of_parent(part: Ticket, events: list[Breach | Warning]) -> tuple[Ticket, list[Breach | Warning]]:
    """The parent, and what of this its people have not heard by another part. Two statements."""
    parent = part.parent
    assert parent is not None
    # Nothing is locked after this: of two parts at the same instant one waits here, and finds it told.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [PARTS, parent.pk % 2**31])
    said = Letter.objects.filter(subject=parent.ref, kind__in=[_kind(event) for event in events])
    heard = {_rung(letter.data) for letter in said.only("data")}
    return parent, [event for event in events if _rung(_numbers(event)) not in heard]


def _rung(said: dict[str, Any]) -> tuple[Any, ...]:
    """Which promise, and how far: of a parent's parts they are told once. A breach has no percent."""
    return said["kind"], said.get("cycle"), said.get("percent", 100)


def _kind(event: Breach | Warning) -> str:
    return "ticket.breached" if isinstance(event, Breach) else "ticket.warning"


def _letters(ticket: Ticket, event: Breach | Warning, people: list[Rank]) -> list[Draft]:
    broken, kind = isinstance(event, Breach), _kind(event)
    guard = "" if broken else "clock_still_open"
    ranks = _of(people, 100 if isinstance(event, Breach) else event.percent)
    hearers: list[Reader] = [rank for rank in ranks if notify.wants(rank.no_mail, kind)]
    if broken:
        known = {h.email.lower() for h in hearers}
        hearers += [d for d in _director() if d.email.lower() not in known]
    part = event.clock.subject
    data = {"ref": ticket.ref} | _numbers(event) | ({"of": part} if part != ticket.ref else {})
    return [Draft(kind, hearer, data, guard=guard) for hearer in hearers]


def _of(people: list[Rank], percent: int) -> list[Rank]:
    """Those who hear at so many percent, whoever has the ticket first."""
    assignee = [p for p in people if p.assigned]
    managers = [p for p in people if p.role == StaffRole.ADMIN]
    leads = [p for p in people if p.role == StaffRole.LEAD] or managers
    heard = [*assignee]
    if percent >= LEADS_FROM or not assignee:
        heard += leads
    if percent >= MANAGERS_FROM:
        heard += managers
    return list(dict.fromkeys(heard))


# An engineer who may no longer see a restricted customer hears nothing of it: the leads do.
LADDER = """
SELECT u.id, u.email, u.language, u.zone, u.staff_role, u.no_mail,
    coalesce(u.id = %(assignee)s, false) FROM accounts_user u
WHERE u.is_active AND (u.staff_role IN ('lead', 'admin') OR u.staff_role = 'engineer' AND u.id = %(assignee)s
    AND NOT EXISTS (SELECT 1 FROM accounts_customer c WHERE c.id = %(customer)s AND c.restricted AND NOT EXISTS (
        SELECT 1 FROM accounts_customerteam t WHERE t.customer_id = c.id AND t.user_id = u.id)))
ORDER BY 7 DESC, u.id
"""


def _ladder(ticket: Ticket) -> list[Rank]:
    with connection.cursor() as cursor:
        cursor.execute(LADDER, {"assignee": ticket.assigned_to_id, "customer": ticket.customer_id})
        rows = cursor.fetchall()
    return [
        Rank(key_of(number), email, language, zone, role, tuple(no_mail), own)
        for number, email, language, zone, role, no_mail, own in rows
    ]


def _director() -> list[Director]:
    """The director, where the site's settings name an address."""
    ours = site.current()
    address = ours.director_mail.strip()
    return [Director(address, ours.default_language, ours.default_zone)] if address else []


STILL_OPEN = """
SELECT EXISTS (SELECT 1 FROM sla_clock k WHERE k.kind = %(kind)s AND k.cycle = %(cycle)s AND k.completed_at IS NULL
    AND k.verdict IN ('open', 'paused') AND {})
"""
OF_TICKET = STILL_OPEN.format("k.subject = %(subject)s")
OF_PARTS = STILL_OPEN.format(
    "k.subject IN (SELECT 'HD-' || p.id FROM tickets_ticket p WHERE p.parent_id = substr(%(subject)s, 4)::bigint)"
)


def clock_still_open(letter: Letter) -> bool:
    """Whether the promise that a letter warns of is still to be kept, by the ticket or by any of its parts. One
    statement."""
    said = letter.data
    given = {"subject": letter.subject, "kind": said["kind"], "cycle": said.get("cycle", 1)}
    with connection.cursor() as cursor:
        cursor.execute(OF_PARTS if "of" in said else OF_TICKET, given)
        return bool(cursor.fetchone()[0])
