"""That a case and a ticket are about the same, said by a person: several cases on a ticket, several tickets of a case.

What AWS says next stands on the ticket that was linked last (speaking.ticket_of). Only a ticket of the customer whose
account it is may be linked: a case is read by whoever may read its ticket. A link that is taken back takes nothing that
was said off the timeline.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from awsint import speaking
from awsint.models import CaseLink, Outgoing, SupportCase
from helpdesk.accounts.models import User
from helpdesk.audit.record import Happening
from helpdesk.outbox.models import Letter
from tickets import aws_out
from tickets.deed import Deed
from tickets.models import Ticket
from tickets.workflow import Refused

UNDER_WAY = [Letter.State.HELD, Letter.State.READY, Letter.State.SENDING, Letter.State.UNKNOWN]


@transaction.atomic
def link(*, case: SupportCase, ticket: Ticket, by: User, at: datetime) -> CaseLink:
    """Raises Refused, and Conflict on a ticket that is closed or merged."""
    if ticket.customer_id != case.account.customer_id:
        raise Refused("ticket", _("This ticket belongs to another customer than the account of the case."))
    deed = aws_out.begin(ticket=ticket, by=by, at=at)
    given = {"linked_at": deed.at}
    made, is_new = CaseLink.objects.get_or_create(case=case, ticket=deed.ticket, defaults=given)
    if not is_new:
        raise Refused("ticket", _("The case and this ticket are linked already."))
    # AWS speaks on the ticket from now on: it is no past of accounts any more.
    SupportCase.objects.filter(pk=case.pk, archived=True).update(archived=False)
    _happened(deed, "ticket.case_linked", case)
    return made


@transaction.atomic
def unlink(*, case: SupportCase, ticket: Ticket, by: User, at: datetime) -> None:
    """Raises Refused where the case would hang in the air while AWS works on it, and Conflict on a merged ticket."""
    deed = aws_out.begin(ticket=ticket, by=by, at=at, closed=True)
    links = list(CaseLink.objects.select_for_update().filter(case=case).order_by("pk"))
    mine = [one for one in links if one.ticket_id == deed.ticket.pk]
    if not mine:
        raise Refused("ticket", _("The case and this ticket are not linked any more."))
    if case.is_open and len(links) == 1:
        raise Refused("ticket", _("The case is open at AWS and this is its only ticket. Link it to another one first."))
    if Outgoing.objects.filter(case=case, ticket=deed.ticket, letter__state__in=UNDER_WAY).exists():
        raise Refused("ticket", _("Something is on its way to AWS from this ticket. Wait until it has arrived."))
    mine[0].delete()
    _happened(deed, "ticket.case_unlinked", case)


def _happened(deed: Deed, action: str, case: SupportCase) -> None:
    deed.ticket.case_turn = deed.changed["case_turn"] = speaking.who_acts(deed.ticket) or None
    deed.happen(Happening(action, {"case": str(case)}))
    deed.finish()
