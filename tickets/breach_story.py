"""What happened on the clock of one breach, in order: filed, warned, broken, done, explained, excused, apologised.

Made from the ticket's history; an auditor reads the same without a name, a customer what is public.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from helpdesk.accounts.masking import person_names
from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry
from sla import words
from sla.models import Breach
from tickets.access import public
from tickets.models import Ticket
from tickets.timeline import CODES, Line, worded
from tickets.workflow import STEPS

# What moves a clock or speaks of a breach; the words of messages are no part of it.
TOLD = [
    *STEPS,
    *("ticket.opened", "ticket.replied", "ticket.reply_undone", "ticket.prioritised", "ticket.assigned"),
    *("ticket.warned", "ticket.breached", "ticket.breach_explained", "ticket.excusal_proposed"),
    *("ticket.breach_excused", "ticket.excusal_declined", "ticket.apologised", "ticket.pause_struck"),
]


def story(breach: Breach, ticket: Ticket, viewer: User, at: datetime) -> list[Line]:
    """Four statements."""
    found = Entry.objects.filter(subject=breach.subject, action__in=TOLD, at__lte=at).order_by("at", "id")
    if not viewer.staff_role:
        found = found.filter(audience="public")
    said = ticket.messages.filter(undone_at=None)
    # What a reply brought with it shows when the reply does, and never where that was taken back.
    read = {None, *(said if viewer.staff_role else public(said, at)).values_list("pk", flat=True)}
    mine = [e for e in found if _is_of(e, breach) and e.data.get("said") in read and _stands(e, read)]
    names = {f"user:{number}": name for number, name in person_names(viewer, _numbers(mine)).items()}
    labels = words.read().labels | CODES
    return [_line(entry, names, labels) for entry in mine]


def _is_of(entry: Entry, breach: Breach) -> bool:
    """A warning, a cause, an excusal of the ticket's other clock is not of this one."""
    return bool(entry.data.get("kind", breach.kind) == breach.kind)


def _stands(entry: Entry, read: set[Any]) -> bool:
    return entry.action != "ticket.replied" or entry.data.get("message") in read


def _numbers(entries: Iterable[Entry]) -> set[int]:
    keys = {k for e in entries for k in (e.actor, e.data.get("to"), e.data.get("old")) if isinstance(k, str)}
    return {int(k.removeprefix("user:")) for k in keys if k.startswith("user:")}


def _line(entry: Entry, names: dict[str, str], labels: dict[str, Any]) -> Line:
    return Line(entry.at, entry.action, names.get(entry.actor, _("the desk")), worded(entry.data, names, labels))
