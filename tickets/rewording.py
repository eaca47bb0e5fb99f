"""Words of somebody else that were changed where they come from: the timeline shows the newest, the history says so."""

from datetime import datetime

from django.db import transaction

from helpdesk import richtext
from helpdesk.accounts.permissions import Doer
from helpdesk.audit.record import Happening
from helpdesk.text import clean_block, showable
from tickets import search
from tickets.deed import Deed
from tickets.models import Message


@transaction.atomic(savepoint=False)
def reword(*, message: Message, body: str, by: Doer, at: datetime) -> Message:
    """Gives a message its new wording; what it said before is kept by whoever knows where it comes from."""
    deed = Deed.begin(message.ticket, by, at)
    # What comes from elsewhere is no Markdown.
    message.body = clean_block(showable(body))
    message.html = richtext.as_typed(message.body)
    message.save(update_fields=["body", "html"])
    search.index([message])
    deed.happen(Happening("ticket.aws_reworded", {"message": message.pk}, public=True))
    deed.finish()
    return message
