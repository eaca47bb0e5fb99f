"""What an engineer makes of something AWS said: passed on as it is, in words of their own, or as a note among us.

AWS's words are untrusted: quoted in words of ours they stand in a fence, so that nothing in them is markup. Whatever is
made of them, somebody has taken note of them (seen.py).
"""

from datetime import datetime

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from awsint import seen
from awsint.models import Communication
from helpdesk.accounts.models import User
from tickets import actions, aws, aws_relay
from tickets.models import Message, Ticket
from tickets.workflow import Refused

FENCE = "```"


@transaction.atomic
def as_it_is(*, ticket: Ticket, said: Communication, by: User, at: datetime) -> Ticket:
    """AWS's own words, by a person's click. Raises Refused, Conflict."""
    if said.message is None or said.message.ticket_id != ticket.pk or said.message.kind != Message.Kind.AWS:
        raise Refused("body", _("These words do not stand in this ticket as AWS's. Pass them on in words of your own."))
    going_on = aws_relay.relayed(message=said.message, automatic=said.automatic, by=by, at=at)
    _noted(said, by, at)
    return going_on


@transaction.atomic
def edited(*, ticket: Ticket, said: Communication, body: str, by: User, at: datetime) -> Message:
    """A public reply of ours about it; words that the customer had a notice of stay held. Raises Conflict."""
    message = actions.reply(ticket=ticket, body=body, by=by, at=at, undoable=True)
    data = {"message": said.message_id or message.pk}
    aws.heard(ticket=ticket, action="ticket.aws_passed_on", fact="relay", data=data, by=by, at=at)
    _noted(said, by, at)
    return message


@transaction.atomic
def internal(*, ticket: Ticket, said: Communication, body: str, by: User, at: datetime) -> Message:
    """A note: the customer hears nothing, and it is no answer. Raises Conflict."""
    message = actions.note(ticket=ticket, body=body, by=by, at=at)
    _noted(said, by, at)
    return message


def _noted(said: Communication, by: User, at: datetime) -> None:
    seen.mark([said.pk], how=seen.How.RELAY, by=by, at=at)


def quoted(said: Communication, language: str) -> str:
    """The beginning of words of one's own: who wrote it, in the reader's language, and the original, unchanged."""
    with translation.override(language):
        begin = _("AWS writes:")
    fence = FENCE
    while fence in said.body:
        fence += "`"
    return f"\n\n{begin}\n\n{fence}text\n{said.body.strip()}\n{fence}\n"


def differs(said: Communication, ticket: Ticket) -> bool:
    """Whether the customer reads another language than AWS writes on this case."""
    spoken: str = said.case.language
    return bool(spoken) and not ticket.requester.language.startswith(spoken)
