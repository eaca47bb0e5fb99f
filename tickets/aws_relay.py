"""An engineer passes on what AWS said: a person's step, and therefore an answer of ours, at the click (sla.md, rule 5).

The words stand in the timeline already, as AWS's own, so none are written again; whoever had a notice only reads them
from now on. What no person of AWS wrote, its automatic acknowledgement, is no answer by being passed on (R13).
"""

from datetime import datetime

from django.db import transaction

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.record import Happening
from tickets.deed import Deed
from tickets.models import Message, Status, Ticket
from tickets.workflow import Conflict, stuck


@transaction.atomic(savepoint=False)
def relayed(*, message: Message, automatic: bool, by: User, at: datetime) -> Ticket:
    """Tells the customer, quoting AWS, and writes what a public reply writes. Raises Conflict on a closed ticket."""
    deed = Deed.begin(message.ticket, by, at)
    ticket = deed.ticket
    message = Message.objects.select_for_update().get(pk=message.pk)
    theirs = message.kind == Message.Kind.AWS and not message.by_desk and message.ticket_id == ticket.pk
    if ticket.status == Status.CLOSED or not theirs or not may(by, Right.WORK):
        raise Conflict(ticket, stuck(ticket))
    if message.released_at > deed.at:
        message.released_at = deed.at
        message.save(update_fields=["released_at"])
        deed.happen(Happening("ticket.aws_released", {"message": message.pk}))
    _happened(deed, message, counts=not automatic)
    deed.tell("ticket.aws_said", "requester", words=[message.pk], message=message.pk)
    return deed.finish()


def _happened(deed: Deed, message: Message, *, counts: bool) -> None:
    fact = ["reply", "engineer"] if counts else None
    deed.happen(Happening("ticket.aws_relayed", {"message": message.pk}, fact, public=True))
    if not counts:
        return
    deed.happen(Happening("ticket.aws_passed_on", {"message": message.pk}, ["relay"]))
    if deed.ticket.status == Status.NEW:
        deed.move("start")
        deed.take_over()
