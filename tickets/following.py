"""Who follows a ticket: colleagues who hear what its assignee hears, because they want to or were called in a note.

It is a bookmark of one's own: neither the history nor the ticket's version knows of it.
"""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, may
from tickets.models import Follow, Ticket


@transaction.atomic(savepoint=False)
def follow(*, ticket: Ticket, by: User, at: datetime) -> None:
    """Hears of the ticket from now on. A second time it does nothing."""
    if not may(by, Right.NOTE):
        raise PermissionDenied
    Follow.objects.get_or_create(ticket=ticket, user=by, defaults={"at": at})


@transaction.atomic(savepoint=False)
def unfollow(*, ticket: Ticket, by: User, at: datetime) -> None:
    """Hears no more of it, unless it is assigned to them."""
    Follow.objects.filter(ticket=ticket, user=by).delete()


def bring_along(source: Ticket, survivor: Ticket) -> None:
    """Who followed a ticket that is merged follows the one it goes into. Two statements."""
    there = Follow.objects.filter(ticket=source)
    Follow.objects.bulk_create(
        (Follow(ticket=survivor, user_id=f.user_id, at=f.at) for f in there), ignore_conflicts=True
    )
