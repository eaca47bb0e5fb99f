"""What holds tickets together: links between kin, a parent with its children.

A link says that two tickets have to do with each other. A parent is one level high: who has a parent has no children.
So no circle can come about, also where two people act at once, for all it takes stands on the two rows that are locked.
The desk links across companies; of a ticket's kin everybody sees what `visible_to` lets them see.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.utils.translation import gettext as _

from helpdesk import refs
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.record import Happening
from tickets.deed import Deed
from tickets.models import Link, Ticket
from tickets.workflow import Conflict, Refused, check_version, stuck

MOST_SHOWN = 100
# So long a merge can be taken back.
UNDO_WINDOW = timedelta(days=7)
# What the other ticket is to this one, and what this one is to the other.
SIDES = {"related": "related", "parent": "child", "child": "parent"}


@transaction.atomic(savepoint=False)
def link(*, ticket: Ticket, version: int, other: Ticket, kind: str, by: User, at: datetime) -> Ticket:
    """Makes `other` the ticket's kin: "related", its "parent" or its "child". What is so already changes nothing.

    Raises Conflict and Refused.
    """
    deed, theirs = begin_both(ticket, other, by, at)
    _may_link(deed, theirs, version)
    if kind == "related":
        _low, made = Link.objects.get_or_create(**_ends(deed.ticket, theirs.ticket))
        if made:
            _tell(deed, theirs, "ticket.linked", kind)
    else:
        child, parent = (deed, theirs) if kind == "parent" else (theirs, deed)
        if child.ticket.parent_id != parent.ticket.pk:
            _may_be_child(child.ticket, parent.ticket)
            child.ticket.parent = child.changed["parent"] = parent.ticket
            _tell(deed, theirs, "ticket.linked", kind)
    theirs.finish()
    return deed.finish()


def _may_be_child(child: Ticket, parent: Ticket) -> None:
    names = {"child": child.ref, "parent": parent.ref}
    if child.parent_id:
        names["parent"] = refs.ref(child.parent_id)
        raise Refused("other", _("%(child)s has a parent already, %(parent)s: remove that first.") % names)
    if parent.parent_id:
        names["grandparent"] = refs.ref(parent.parent_id)
        raise Refused("other", _("%(parent)s is a child itself, of %(grandparent)s: choose that one.") % names)
    if Ticket.objects.filter(parent=child).exists():
        raise Refused("other", _("%(child)s has children of its own and cannot become a child.") % names)


@transaction.atomic(savepoint=False)
def unlink(*, ticket: Ticket, version: int, other: Ticket, by: User, at: datetime) -> Ticket:
    """Takes apart whatever holds the two together; where nothing does, nothing changes. Raises Conflict and Refused."""
    deed, theirs = begin_both(ticket, other, by, at)
    _may_link(deed, theirs, version)
    for kind, child, parent in (("parent", deed, theirs), ("child", theirs, deed)):
        if child.ticket.parent_id == parent.ticket.pk:
            child.ticket.parent = child.changed["parent"] = None
            _tell(deed, theirs, "ticket.unlinked", kind)
    if Link.objects.filter(**_ends(deed.ticket, theirs.ticket)).delete()[0]:
        _tell(deed, theirs, "ticket.unlinked", "related")
    theirs.finish()
    return deed.finish()


def _may_link(deed: Deed, theirs: Deed, version: int) -> None:
    check_version(deed.ticket, version)
    if deed.ticket.merged_into_id or not may(deed.by, Right.WORK):
        raise Conflict(deed.ticket, stuck(deed.ticket))
    if theirs.ticket.merged_into_id:
        raise Refused("other", stuck(theirs.ticket))


def _ends(one: Ticket, other: Ticket) -> dict[str, Any]:
    low, high = sorted([one, other], key=lambda t: t.pk)
    return {"low": low, "high": high}


def _tell(deed: Deed, theirs: Deed, action: str, kind: str) -> None:
    """A line in the history of both, each from its own side."""
    deed.happen(Happening(action, {"ref": theirs.ticket.ref, "as": kind}))
    theirs.happen(Happening(action, {"ref": deed.ticket.ref, "as": SIDES[kind]}))


def begin_both(ticket: Ticket, other: Ticket, by: User, at: datetime) -> tuple[Deed, Deed]:
    """Locks two tickets, in the order of their numbers, and fixes one instant for both. Raises Refused.

    Whether one of them was merged is left to the caller.
    """
    if ticket.pk == other.pk:
        raise Refused("other", _("That is this ticket itself: write the number of another one."))
    both = Ticket.objects.select_for_update().filter(pk__in=[ticket.pk, other.pk]).order_by("pk")
    locked = {t.pk: t for t in both}
    at = max(at.replace(microsecond=0), *(t.last_event_at for t in locked.values()))
    return Deed(locked[ticket.pk], by, at), Deed(locked[other.pk], by, at)


# --- Reading ---------------------------------------------------------------------------------------------------------


@dataclass
class Kin:
    """Whom a ticket belongs to, as far as its reader may see them; `more` where not all are shown."""

    parent: Ticket | None = None
    children: list[Ticket] = field(default_factory=list)
    related: list[Ticket] = field(default_factory=list)
    merged: list[Ticket] = field(default_factory=list)
    more: bool = False


def kin_of(ticket: Ticket, near: list[int], viewer: User, at: datetime) -> Kin:
    """Of the tickets `near` this one (`circle.read` finds them) those the viewer may see, the newest first; of those
    merged into it whether that `can_be_undone`. One statement, none where there are none."""
    if not near:
        return Kin()
    parent_first = Case(When(pk=ticket.parent_id or 0, then=Value(0)), default=Value(1))
    rows = list(
        Ticket.objects.visible_to(viewer)
        .filter(pk__in=near)
        .only("title", "status", "case_turn", "parent_id", "merged_into_id", "merged_at")
        .order_by(parent_first, F("pk").desc())[: MOST_SHOWN + 1]
    )
    kin = Kin(more=len(rows) > MOST_SHOWN)
    for row in rows[:MOST_SHOWN]:
        if row.merged_into_id == ticket.pk:
            row.can_be_undone = can_be_undone(row, at)
            kin.merged.append(row)
        elif row.pk == ticket.parent_id:
            kin.parent = row
        else:
            (kin.children if row.parent_id == ticket.pk else kin.related).append(row)
    return kin


def can_be_undone(merged: Ticket, at: datetime) -> bool:
    """Whether a merge is young enough to be taken back."""
    return merged.merged_at is not None and at <= merged.merged_at + UNDO_WINDOW
