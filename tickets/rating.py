"""How it went, in the customer's word: one of three answers and a comment, once a ticket, changeable for seven days.

Asked when a ticket was closed with a solution; the requester answers, or the company's administrator.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.audit.record import Happening
from tickets.deed import Deed
from tickets.models import CloseReason, Satisfaction, Score, Status, Ticket
from tickets.workflow import Conflict, Refused, speaks_for, stuck

CHANGEABLE = timedelta(days=7)


@transaction.atomic(savepoint=False)
def rate(*, ticket: Ticket, score: str, comment: str, by: User, at: datetime) -> Satisfaction:
    """Answers, or answers anew; the assignee is told. Raises Conflict and Refused."""
    deed = Deed.begin(ticket, by, at)
    ticket = deed.ticket
    if by.is_desk or not asked_of(ticket, by):
        raise Conflict(ticket, stuck(ticket))
    if score not in Score.values:
        raise Refused("score", _("Choose one of the answers."))
    known = Satisfaction.objects.filter(ticket=ticket).first()
    if known and not changeable(known.at, deed.at):
        raise Refused("score", _("This was answered more than 7 days ago and stays as it is."))
    if known and (known.score, known.comment) == (score, comment):
        return known
    made, _new = Satisfaction.objects.update_or_create(
        ticket=ticket,
        defaults={"score": score, "comment": comment, "by": by},
        create_defaults={"score": score, "comment": comment, "by": by, "at": deed.at},
    )
    deed.happen(Happening("ticket.rated", {"score": score, "old": known.score if known else None}))
    deed.tell("ticket.rated", "assignee", score=score)
    deed.finish()
    return made


def asked_of(ticket: Ticket, person: User) -> bool:
    """Whether this person is asked how it went."""
    solved = ticket.status == Status.CLOSED and ticket.close_reason in ("", CloseReason.CONFIRMED, CloseReason.LAPSED)
    return solved and not person.is_desk and speaks_for(ticket, person)


def changeable(since: datetime, at: datetime) -> bool:
    return at <= since + CHANGEABLE
