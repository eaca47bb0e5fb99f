"""The review of pauses: a clock that waits for the customer must wait for an answer (sla.md, rule 10).

Flagged is a pause in which the customer had already spoken, one that no public question of ours began, and one longer
than a week. The desk itself lets the first two come about nowhere: they arrive with an import or through a program. A
lead who does not have the ticket may strike a pause out, with a reason: it counts as running time from then on, the
clock is reckoned again in the same transaction, and who, why and when stay in the history.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection, models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from helpdesk import refs
from helpdesk.accounts.masking import customer_names, masks, person_names
from helpdesk.accounts.models import StaffRole, User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.models import Entry
from helpdesk.audit.record import Happening
from sla import clocks
from sla.clock import Reckoning
from tickets.deed import Deed
from tickets.models import Message, Ticket
from tickets.workflow import Refused

ROWS = 25
# The desk itself ends a wait of seven days; whatever goes on beyond the next sweeps was somebody's doing.
LONG = timedelta(days=7, hours=1)
VIEWS = ("flagged", "struck", "all")
# After every entry that is written: what a strike would do is asked as if it were the last word.
LAST = 2**62


class Flag(models.TextChoices):
    ANSWERED = "answered", _l("The customer had already answered")
    NO_QUESTION = "no_question", _l("No public question began it")
    LONG = "long", _l("Longer than 7 days")


class Why(models.TextChoices):
    """Why a pause is struck out."""

    ANSWERED = "answered", _l("The customer had already answered")
    NO_QUESTION = "no_question", _l("There was no question")
    NOT_NEEDED = "not_needed", _l("The answer was not needed")
    TOO_LONG = "too_long", _l("We could have gone on")
    OTHER = "other", _l("Another reason")


# The pauses in their order, newest first. `ended` is the next step of the status; of messages only those count that
# were said on this ticket and not taken back. A pause that was taken back with its reply, or merged away, is none.
PAUSES = """
WITH pause AS (
    SELECT e.id, e.at, e.actor, t.id AS ticket, t.customer_id, t.title, t.assigned_to_id,
        (SELECT n.at FROM audit_entry n WHERE n.subject = e.subject AND (n.at, n.id) > (e.at, e.id)
            AND n.fact->>0 IN ('status', 'withdrawn') ORDER BY n.at, n.id LIMIT 1) AS ended,
        (SELECT max(m.at) FROM tickets_message m WHERE m.ticket_id = t.id AND m.undone_at IS NULL
            AND m.kind NOT IN ('note', 'aws') AND NOT m.by_desk AND m.at <= e.at AND m.origin_id IS NULL) AS theirs,
        (SELECT max(m.at) FROM tickets_message m WHERE m.ticket_id = t.id AND m.undone_at IS NULL AND m.kind = 'reply'
            AND m.by_desk AND m.at <= e.at AND m.origin_id IS NULL) AS ours,
        s.id AS strike, s.at AS struck_at, s.actor AS struck_by, s.data AS struck
    FROM audit_entry e
    JOIN tickets_ticket t ON t.id = substr(e.subject, 4)::bigint AND t.merged_into_id IS NULL
    LEFT JOIN audit_entry s ON s.subject = e.subject AND s.action = 'ticket.pause_struck'
        AND (s.data->>'pause')::bigint = e.id
    WHERE e.action = 'ticket.asked' AND (%(one)s::bigint IS NULL OR e.id = %(one)s)
        AND (%(at)s::timestamptz IS NULL OR (e.at, e.id) < (%(at)s, %(id)s))
        AND NOT EXISTS (SELECT 1 FROM tickets_message u
            WHERE u.id = (e.data->>'said')::bigint AND u.undone_at IS NOT NULL)
), judged AS (
    SELECT pause.*, (SELECT min(m.at) FROM tickets_message m WHERE m.ticket_id = ticket AND m.undone_at IS NULL
            AND m.kind <> 'aws' AND NOT m.by_desk AND m.origin_id IS NULL
            AND m.at > pause.at AND m.at < coalesce(ended, %(now)s)) AS answered,
        ours IS NULL OR ours < theirs AS unasked,
        coalesce(ended, %(now)s) - pause.at > %(long)s AS is_long
    FROM pause
)
SELECT id, at, actor, ticket, customer_id, title, assigned_to_id, ended, strike, struck_at, struck_by, struck, answered,
    unasked, is_long
FROM judged
WHERE %(view)s = 'all' OR (%(view)s = 'struck' AND strike IS NOT NULL)
    OR (%(view)s = 'flagged' AND strike IS NULL AND (answered IS NOT NULL OR unasked OR is_long))
ORDER BY at DESC, id DESC LIMIT %(most)s
"""


@dataclass
class Pause:
    """One stay with the customer, and what is odd about it."""

    number: int
    at: datetime
    actor: str
    ticket: int
    customer_id: Any
    title: str
    assigned_to: int | None
    ended: datetime | None
    strike: int | None
    struck_at: datetime | None
    struck_by: str | None
    struck: Any
    answered: datetime | None
    unasked: bool
    is_long: bool
    # What this reader may call them.
    customer: str = ""
    by: str = ""
    struck_name: str = ""

    @property
    def ref(self) -> str:
        return refs.ref(self.ticket)

    @property
    def flags(self) -> list[str]:
        found = {Flag.ANSWERED: self.answered, Flag.NO_QUESTION: self.unasked, Flag.LONG: self.is_long}
        return [str(flag.label) for flag, is_so in found.items() if is_so]

    @property
    def reason(self) -> str:
        return str(Why(self.struck["struck"]).label) if self.struck else ""


@dataclass
class Page:
    rows: list[Pause]
    after: str = ""


def may_see(user: User) -> bool:
    """Leads and administrators; an auditor without names."""
    return bool(user.is_active and user.staff_role in (StaffRole.LEAD, StaffRole.ADMIN, StaffRole.AUDITOR))


def page(user: User, view: str, after: str, at: datetime) -> Page:
    """The pauses of a view from a place on. Three statements."""
    place = _place(after)
    found = _read(view=view, at=place[0] if place else None, id=place[1] if place else None, now=at, most=ROWS + 1)
    rows = _named(found[:ROWS], user)
    last = rows[-1] if len(found) > ROWS else None
    return Page(rows, f"{last.at.isoformat()},{last.number}" if last else "")


def one(user: User, number: int, at: datetime) -> Pause | None:
    """A pause by the number of its entry. Three statements."""
    found = _read(view="all", one=number, now=at, most=1)
    return _named(found, user)[0] if found else None


def _read(**given: Any) -> list[Pause]:
    with connection.cursor() as cursor:
        cursor.execute(PAUSES, {"one": None, "at": None, "id": None, "long": LONG} | given)
        rows = [list(row) for row in cursor.fetchall()]
    for row in rows:
        # The driver hands JSON on as text.
        row[11] = _json(row[11])
    return [Pause(*row) for row in rows]


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _place(text: str) -> tuple[datetime, int] | None:
    at, _comma, number = text.rpartition(",")
    if not (number.isdecimal() and number.isascii() and len(number) < 19):
        return None
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (moment, int(number)) if moment.tzinfo else None


def _named(rows: list[Pause], user: User) -> list[Pause]:
    keys = {key for row in rows for key in (row.actor, row.struck_by) if key and key.startswith("user:")}
    people = person_names(user, {int(key.removeprefix("user:")) for key in keys})
    customers = customer_names(user, [row.customer_id for row in rows])
    for row in rows:
        row.customer = customers.get(row.customer_id, "")
        row.by, row.struck_name = (_name(key, people) for key in (row.actor, row.struck_by))
        row.title = "" if masks(user) else row.title
    return rows


def _name(key: str | None, people: dict[int, str]) -> str:
    if not key or not key.startswith("user:"):
        return _("the desk")
    return people.get(int(key.removeprefix("user:")), _("erased person"))


# --- Striking one out ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Effect:
    """The resolution clock as it stands, and as it would stand without the pause."""

    before: Reckoning
    after: Reckoning

    @property
    def changes(self) -> bool:
        now, then = self.before.resolution, self.after.resolution
        return (now.due_at, now.verdict, now.remaining_s) != (then.due_at, then.verdict, then.remaining_s)


def effect(ticket: Ticket, number: int, at: datetime) -> Effect:
    """What striking a pause out now would do. One statement, nothing is written."""
    at = max(at.replace(microsecond=0), ticket.last_event_at)
    entries = Entry.objects.filter(subject=ticket.ref, fact__isnull=False).order_by("at", "id")
    facts = list(entries.values_list("at", "id", "fact"))
    terms = ticket.terms
    struck = [*facts, (at, LAST, ["strike", number])]
    return Effect(clocks.reckon_facts(facts, terms=terms, at=at), clocks.reckon_facts(struck, terms=terms, at=at))


@transaction.atomic(savepoint=False)
def strike(*, ticket: Ticket, pause: int, reason: str, words: str, by: User, at: datetime) -> Message:
    """Strikes a pause out: its time counts from now on. Raises PermissionDenied, Refused, Conflict.

    A breach that comes of it is written as any other; a recorded one stays.
    """
    if not may(by, Right.REVIEW):
        raise PermissionDenied
    deed = Deed.begin(ticket, by, at)
    if refusal := why_not(deed.ticket, by):
        raise Refused("", refusal)
    entries = Entry.objects.filter(subject=deed.ticket.ref)
    if not entries.filter(pk=pause, action="ticket.asked").exists():
        raise Refused("", _("This is no pause of the ticket."))
    if entries.filter(action="ticket.pause_struck", data__pause=pause).exists():
        raise Refused("", _("This pause is struck out already."))
    note = deed.say(Message.Kind.NOTE, words, silent=True)
    data = {"pause": pause, "struck": reason, "message": note.pk}
    deed.happen(Happening("ticket.pause_struck", data, ["strike", pause]))
    deed.finish()
    return note


def why_not(ticket: Ticket, by: User) -> str:
    """Why this person may not strike out a pause of a ticket; empty where they may."""
    if not may(by, Right.REVIEW):
        return _("A lead or an administrator decides.")
    if ticket.assigned_to_id == by.pk:
        return _("The ticket is yours: somebody else has to decide.")
    return ""
