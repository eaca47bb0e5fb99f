"""The draft of an apology: what was promised, when, and what happened, in the requester's language and time.

It is made of the breach and not stored: whoever puts it into the composer reads it, mends it and sends it as their own.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.templatetags.desk import promised, said
from sla.models import Breach, BreachCause, Clock, Kind, Priority
from sla.words import read
from tickets.models import Ticket

# The promises of one ticket that were broken, each with whether an apology stands.
BROKEN = """
SELECT b.id, b.kind, EXISTS (SELECT 1 FROM sla_apology a JOIN tickets_message m ON m.id = a.message
    WHERE a.breach_id = b.id AND m.undone_at IS NULL)
FROM sla_breach b WHERE b.subject = %s AND b.kind IN ('response', 'resolution') ORDER BY b.id
"""


@dataclass(frozen=True)
class Broken:
    """A promise of the ticket that was broken, and whether somebody apologised for it."""

    number: int
    kind: str
    apologised: bool

    @property
    def label(self) -> str:
        return str(Kind(self.kind).label)


def broken(ticket: Ticket, known: list[Clock]) -> list[Broken]:
    """One statement where a clock is broken, none where none is."""
    if not any(clock.breached_at for clock in known):
        return []
    with connection.cursor() as cursor:
        cursor.execute(BROKEN, [ticket.ref])
        return [Broken(*row) for row in cursor.fetchall()]


def composing(request: HttpRequest, ticket: Ticket, known: list[Clock], by: User) -> dict[str, Any]:
    """What the composer knows of broken promises: which, for which it apologises, and the draft where it was asked
    for (`?apology=` names the breach)."""
    found = broken(ticket, known)
    asked = [*request.GET.getlist("apology"), *request.POST.getlist("apologies")]
    meant = [one.number for one in found if str(one.number) in asked]
    told = {"broken": {one.kind: one for one in found}, "apologises": meant}
    if meant and request.method == "GET":
        breach = Breach.objects.select_related("clock").get(pk=meant[0])
        return told | {"put_in": text_for(breach, ticket, by=by)}
    return told


def text_for(breach: Breach, ticket: Ticket, *, by: User) -> str:
    """What `by` would say to the ticket's requester about a breach of it. Four statements."""
    reader: User = ticket.requester
    cause = breach.causes.order_by("-number").first()
    priority = read().priorities.get(breach.priority)
    with translation.override(reader.language), timezone.override(reader.tz):
        return "\n\n".join(_paragraphs(breach, ticket, cause, priority, by))


def _paragraphs(
    breach: Breach, ticket: Ticket, cause: BreachCause | None, priority: Priority | None, by: User
) -> list[str]:
    told = {
        "requester": ticket.requester.name,
        "ref": ticket.ref,
        "title": ticket.title,
        "priority": priority.label if priority else breach.priority,
        "target": promised(breach.target_s),
        # With its date: nobody knows on which day it is read.
        "due": said(breach.due_at, None),
        "done": said(breach.clock.completed_at, None) if breach.clock.completed_at else "",
        "engineer": by.name,
    }
    changes = cause.corrective_action if cause else _("[Write what you change so that it does not happen again.]")
    return [
        _("Dear %(requester)s,") % told,
        _promise(breach) % told,
        _happened(breach) % told,
        _("We are sorry. You should have been able to rely on our word."),
        _("What we change: %(changes)s") % {"changes": changes},
        told["engineer"],
    ]


def _promise(breach: Breach) -> str:
    if breach.kind == Kind.RESPONSE:
        return _(
            "for %(ref)s (%(title)s, priority %(priority)s) we promised a first answer within %(target)s, by %(due)s."
        )
    return _("for %(ref)s (%(title)s, priority %(priority)s) we promised a solution within %(target)s, by %(due)s.")


def _happened(breach: Breach) -> str:
    if not breach.clock.completed_at:
        return _("We did not keep this promise, and we are still at work on it.")
    if breach.kind == Kind.RESPONSE:
        return _("We did not keep this promise: an engineer answered %(done)s.")
    return _("We did not keep this promise: it was solved %(done)s.")
