"""Merging a ticket into another of the same company, and taking that back within 7 days.

The source is withdrawn as merged. What was said on it moves to the survivor and remembers where it comes from; its
number leads there from then on, and nothing more can be written on it. Its clocks end with it, the survivor's are its
own. Taking it back moves home what came from there, and the clocks run as if they had never been stopped.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from helpdesk import refs
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.models import Entry
from helpdesk.audit.record import Happening
from tickets import drafting, following, search
from tickets.models import CloseReason, Message, Status, Ticket
from tickets.relations import begin_both, can_be_undone
from tickets.workflow import Conflict, Refused, check_version, stuck


@transaction.atomic(savepoint=False)
def merge(*, ticket: Ticket, version: int, other: Ticket, by: User, at: datetime) -> Ticket:
    """Merges `ticket` into `other` and returns that one. Raises Conflict and Refused, as `obstacle` says."""
    if ticket.pk == other.pk:
        raise Refused("other", obstacle(ticket, other))
    source, survivor = begin_both(ticket, other, by, at)
    check_version(source.ticket, version)
    if not may(by, Right.WORK):
        raise Conflict(source.ticket, stuck(source.ticket))
    if why := obstacle(source.ticket, survivor.ticket):
        raise Refused("other", why)
    if source.ticket.messages.filter(undone_at=None, released_at__gt=at).exists():
        raise Refused("other", _("A reply there can still be taken back: merge it in a few seconds."))
    moved = _carry_over(source.ticket, survivor.ticket)
    drafting.move(ticket=source.ticket, to=survivor.ticket)
    following.bring_along(source.ticket, survivor.ticket)
    source.move("withdraw", close_reason=CloseReason.MERGED, merged_into=survivor.ticket, merged_at=source.at)
    source.happen(Happening("ticket.merged", {"ref": survivor.ticket.ref, "messages": moved}, public=True))
    source.tell("ticket.merged", "requester", "assignee", into=survivor.ticket.ref)
    survivor.happen(Happening("ticket.absorbed", {"ref": source.ticket.ref, "messages": moved}, public=True))
    source.finish()
    return survivor.finish()


def obstacle(source: Ticket, survivor: Ticket) -> str:
    """Why the one cannot be merged into the other, in the reader's language; empty where it can."""
    names = {"source": source.ref, "survivor": survivor.ref}
    if source.pk == survivor.pk:
        return _("A ticket cannot be merged into itself.")
    if source.customer_id != survivor.customer_id:
        return _("The two belong to different companies: what one wrote would be shown to the other.")
    for one in (source, survivor):
        if one.merged_into_id:
            return _("%(ref)s was merged already, into %(into)s: choose that one.") % {
                "ref": one.ref,
                "into": refs.ref(one.merged_into_id),
            }
    if survivor.status == Status.CLOSED:
        return _("%(survivor)s is closed, and closed is final: merge it the other way round.") % names
    if not source.is_open:
        return _("%(source)s is not open any more: there is nothing left to merge.") % names
    return ""


def _carry_over(source: Ticket, survivor: Ticket) -> int:
    """Moves what was said; what came from an earlier merge remembers its first home. Returns how many."""
    said = list(Message.objects.filter(ticket=source))
    Message.objects.filter(ticket=source).update(ticket=survivor, origin=Coalesce("origin", Value(source.pk)))
    _move_words(said, survivor)
    return len(said)


def _move_words(said: list[Message], to: Ticket) -> None:
    for message in said:
        message.ticket = to
    search.index(m for m in said if not m.undone_at)


# --- Taking it back --------------------------------------------------------------------------------------------------


@transaction.atomic(savepoint=False)
def unmerge(*, ticket: Ticket, version: int, other: Ticket, by: User, at: datetime) -> Ticket:
    """Takes back that `other` was merged into `ticket`, within 7 days; returns `other`, as it was before.

    What was said since stays with the survivor. Raises Conflict and Refused.
    """
    survivor, source = begin_both(ticket, other, by, at)
    check_version(survivor.ticket, version)
    if not may(by, Right.WORK) or survivor.ticket.merged_into_id:
        raise Conflict(survivor.ticket, stuck(survivor.ticket))
    if source.ticket.merged_into_id != survivor.ticket.pk:
        raise Refused("other", _("%(ref)s is not merged into this ticket.") % {"ref": source.ticket.ref})
    if not can_be_undone(source.ticket, source.at):
        raise Refused(
            "other", _("This was merged more than 7 days ago and stays so. Split off what belongs elsewhere.")
        )
    entry = Entry.objects.filter(subject=source.ticket.ref, action="ticket.withdrawn").latest("id")
    source.undo(entry, "ticket.unmerged", merged_into=None, merged_at=None)
    moved = _carry_home(source.ticket, survivor.ticket)
    source.tell("ticket.unmerged", "requester", "assignee", out_of=survivor.ticket.ref)
    survivor.happen(Happening("ticket.released", {"ref": source.ticket.ref, "messages": moved}, public=True))
    survivor.finish()
    return source.finish()


def _carry_home(source: Ticket, survivor: Ticket) -> int:
    """Moves back what came from the source, and with it from what had been merged into the source before."""
    homes, found = {source.pk}, {source.pk}
    while found:
        found = set(Ticket.objects.filter(merged_into__in=found).values_list("pk", flat=True)) - homes
        homes |= found
    there = Q(ticket=survivor, origin__in=homes)
    said = list(Message.objects.filter(there))
    Message.objects.filter(there).update(
        ticket=source, origin=Case(When(origin=source.pk, then=None), default=F("origin"))
    )
    _move_words(said, source)
    return len(said)
