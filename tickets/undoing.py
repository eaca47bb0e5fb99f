"""Taking back a public word before the customer has it.

For UNDO seconds a reply of the desk stands in the history, moves status and clocks, and is seen by colleagues; its
letters are held, and no customer reads it on any page. Whoever wrote it may take it back until then. The row decides:
who finds it released is too late. What its action did to the status goes back as well, unless the ticket took another
step since; who started an unassigned ticket with it keeps the ticket. The words become the
writer's draft, and its files wait beside it.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry
from helpdesk.audit.record import Happening
from helpdesk.outbox.enqueue import take_back
from tickets import attaching, drafting, search
from tickets.deed import Deed, held_for
from tickets.models import Message, Ticket
from tickets.workflow import STEPS, Conflict, stepped_since, stuck, undo


@transaction.atomic(savepoint=False)
def undo_reply(*, ticket: Ticket, by: User, at: datetime) -> Message:
    """Takes back the newest public word of `by` that is not released at `at`, and all that came with it.

    Raises Conflict where there is none, or no longer.
    """
    deed = Deed.begin(ticket, by, at)
    mine = deed.ticket.messages.filter(author=by, undone_at=None, released_at__gt=at)
    word = mine.order_by("id").last()
    if word is None or not take_back(held_for(word), ticket.ref):
        raise Conflict(deed.ticket, _("It is too late to take it back: the customer has it."))
    word.undone_at = deed.at
    word.save(update_fields=["undone_at"])
    search.forget([word])
    attaching.unbind(word, at)
    history = Entry.objects.filter(subject=ticket.ref)
    said = history.get(action="ticket.replied", data__message=word.pk)
    steps = list(history.filter(action__in=STEPS, data__said=word.pk).order_by("id"))
    # To the clocks, steps of one second are one action: what somebody else did in it would go as well.
    if history.filter(action__in=STEPS, at=said.at, pk__gt=said.pk).exclude(pk__in=[s.pk for s in steps]).exists():
        raise Conflict(deed.ticket, stuck(deed.ticket))
    back = {} if not steps or stepped_since(ticket, steps[-1]) else undo(deed.ticket, steps)
    deed.happen(Happening("ticket.reply_undone", {"message": word.pk, **back}, ["undo", said.pk]))
    deed.finish()
    drafting.keep(ticket=ticket, user=by, kind=Message.Kind.REPLY, body=word.body, at=at)
    return word
