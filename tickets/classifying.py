"""What a ticket is about, said or mended by the desk after it was filed."""

from datetime import datetime

from django.db import transaction

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.record import Happening
from tickets.deed import Deed
from tickets.models import Status, Ticket
from tickets.workflow import Conflict, check_version, stuck


@transaction.atomic(savepoint=False)
def classify(*, ticket: Ticket, version: int, service: str, by: User, at: datetime) -> Ticket:
    """Says which family of AWS services a ticket is about, or none. Who has it, keeps it."""
    deed = Deed.begin(ticket, by, at)
    check_version(deed.ticket, version)
    if deed.ticket.status == Status.CLOSED or not may(by, Right.WORK):
        raise Conflict(deed.ticket, stuck(deed.ticket))
    old = deed.ticket.service
    if old != service:
        deed.ticket.service = deed.changed["service"] = service
        deed.happen(Happening("ticket.classified", {"old_service": old, "service": service}))
    return deed.finish()
