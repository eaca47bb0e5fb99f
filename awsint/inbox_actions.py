"""What leads and administrators do with the inbox: have a message done again, fetch the dead ones back.

Both only say so in the database: whoever receives does it within seconds, because nothing leaves inside a request.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from awsint.account_actions import demand
from awsint.inbox_list import TO_REPLAY
from awsint.models import Hub, InboxMessage, QueueState
from awsint.sources import ADDRESSES
from helpdesk.accounts.doors import Refused
from helpdesk.accounts.models import User
from helpdesk.audit.record import Happening, record


@transaction.atomic
def replay(*, message: InboxMessage, by: User, at: datetime) -> InboxMessage:
    """A parked or refused message is done again, with all tries before it. Raises Refused, PermissionDenied."""
    demand(by)
    found = InboxMessage.objects.select_for_update().get(pk=message.pk)
    if found.state not in TO_REPLAY:
        raise Refused("", _("This message waits or is done already."))
    happening = Happening("aws.message_replayed", {"state": found.state, "reason": found.reason})
    found.state, found.reason, found.tries, found.next_try_at, found.done_at = InboxMessage.State.NEW, "", 0, at, None
    found.save(update_fields=["state", "reason", "tries", "next_try_at", "done_at"])
    record([happening], by=by, at=at, subject=f"aws:message:{found.pk}")
    return found


@transaction.atomic
def fetch_dead(*, hub: Hub, queue: str, by: User, at: datetime) -> QueueState:
    """The dead messages of a queue are wanted back. A second wish changes nothing. Raises Refused, PermissionDenied."""
    demand(by)
    if queue not in ADDRESSES or not getattr(hub, ADDRESSES[queue][1]):
        raise Refused("", _("This queue has no dead queue."))
    state = QueueState.objects.select_for_update().get_or_create(hub=hub, queue=queue)[0]
    if state.wanted_back_at is None:
        state.wanted_back_at = at
        state.save(update_fields=["wanted_back_at"])
        record([Happening("aws.dead_fetched", {"queue": queue})], by=by, at=at, subject=f"aws:hub:{hub.partition}")
    return state
