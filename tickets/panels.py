"""What higher storeys show on a ticket's page: settings.TICKET_PANELS names their functions.

Each is (ticket, viewer) -> (template, what it shows) or None. The desk renders them and knows nothing more; their forms
lead to doors of their own.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from helpdesk.accounts.models import User
from tickets.models import Ticket


@dataclass(frozen=True)
class Panel:
    template: str
    told: dict[str, Any]


def panels(ticket: Ticket, viewer: User) -> dict[str, Any]:
    """Those that have something to show, in the order of the setting; and where a message can be sent on from here."""
    found = [Panel(*one) for one in (import_string(name)(ticket, viewer) for name in settings.TICKET_PANELS) if one]
    return {"panels": found, "send_to": next((one.told["send_to"] for one in found if one.told.get("send_to")), "")}
