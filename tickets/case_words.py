"""What a case at AWS is called in words, whose words stand in it, and which one the desk must come back to."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from helpdesk.audit.models import Entry
from tickets.models import Message, Ticket

# AWS's codes for the status of a case, as we say them; an unknown one is shown as it is.
CASE_STATUS: dict[str, Any] = {
    "unassigned": _l("waiting for an engineer of AWS"),
    "opened": _l("open at AWS"),
    "work-in-progress": _l("AWS is working on it"),
    "pending-customer-action": _l("AWS waits for an answer"),
    "customer-action-completed": _l("answered, AWS goes on"),
    "reopened": _l("open again at AWS"),
    "resolved": _l("resolved at AWS"),
}


def voice_of(message: Message, author: str, *, desk: bool) -> str:
    """Who says a message: of what was said at AWS, AWS, or whoever wrote there, whose identity the desk alone reads."""
    if message.said_at is None or message.said_by is None:
        return author
    return message.said_by if desk else _("the AWS console")


def resolved_cases(ticket: Ticket, history: Iterable[Entry]) -> list[str]:
    """The cases that AWS holds for resolved and nobody has said a public word about since. No statement."""
    if not ticket.is_open:
        return []
    found: dict[str, bool] = {}
    for entry in history:
        if entry.action == "ticket.aws_status":
            found[entry.data["case"]] = entry.data["case_new"] == "resolved"
        elif entry.fact == ["reply", "engineer"]:
            found = {}
    return [case for case, resolved in found.items() if resolved]
