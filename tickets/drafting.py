"""What somebody has written and not sent: one draft a person and ticket, a reply or a note.

A draft is kept while one types, so it survives a login, another browser and everything colleagues do meanwhile. It is
no write on the ticket: no lock of it, no version, no history. `at` is the instant of the last save and the draft's
version: whoever saves names the one their page stood on, so an older text never replaces a newer one (`Newer`), and a
window left open does not bring back what was sent or discarded in another. Colleagues of the desk see each other's
drafts, a customer's person sees only their own; whoever may not see the ticket meets none.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q

from helpdesk.accounts.models import User
from helpdesk.kept import done
from tickets import attaching
from tickets.models import Draft, Message, Ticket

if TYPE_CHECKING:
    from django.db.models import QuerySet

SHOWN = 20
TICK = timedelta(microseconds=1)
# So long a save may be on its way when the words in it are sent.
UNDER_WAY = timedelta(minutes=1)


class Newer(Exception):
    """Another window saved, sent or discarded meanwhile. `draft` is what stands now, None where there is none."""

    def __init__(self, draft: Draft | None) -> None:
        super().__init__("the draft changed meanwhile")
        self.draft = draft


# --- Verbs -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def save(*, ticket: Ticket, user: User, kind: str, body: str, seen: datetime | None, at: datetime) -> Draft | None:
    """Saves what a page holds; no words discard the draft. `seen` is the `at` of the draft the page stood on.

    Raises Newer; saving the same words twice is none.
    """
    kind = _kind_for(user, kind)
    there = Draft.objects.select_for_update().filter(ticket=ticket, user=user).first()
    if there is None and seen is None:
        if not body or _just_said(ticket, user, body, at):
            return None
        there, new = _put(ticket, user, kind, body, at)
        if new:
            return there
    if there and (there.kind, there.body) == (kind, body):
        return there
    if there is None or there.at != seen:
        raise Newer(there)
    if not body:
        there.delete()
        return None
    return _write(there, kind, body, at)


def _just_said(ticket: Ticket, user: User, body: str, at: datetime) -> bool:
    """Whether a first save arrives behind the reply that was sent with its words."""
    said = Message.objects.filter(ticket=ticket, author=user, undone_at=None, at__gte=at - UNDER_WAY)
    return said.filter(body__contains=body).exists()


@transaction.atomic(savepoint=False)
def keep(*, ticket: Ticket, user: User, kind: str, body: str, at: datetime) -> Draft:
    """Puts words back that were on their way: in front of what the person has begun meanwhile."""
    kind = _kind_for(user, kind)
    draft, new = _put(ticket, user, kind, body, at)
    return draft if new else _write(draft, _joined_kind(kind, draft.kind), joined(body, draft.body), at)


@transaction.atomic(savepoint=False)
def keep_both(*, ticket: Ticket, user: User, kind: str, body: str, at: datetime) -> Draft:
    """Keeps the draft of another window and, behind it, the words of this one."""
    kind = _kind_for(user, kind)
    draft, new = _put(ticket, user, kind, body, at)
    return draft if new else _write(draft, _joined_kind(kind, draft.kind), joined(draft.body, body), at)


def clear(*, ticket: Ticket, user: User, sent: str = "", seen: datetime | None = None) -> int:
    """Ends a draft whose words were sent: one not newer than the page they came from, or one that stands in `sent`.

    What another window saved since stays. In the transaction of the reply; one statement. Returns how many ended.
    """
    return done(CLEAR, [ticket.pk, user.pk, seen, sent, sent])


# As text, because every reply asks it and the ORM would build it anew each time.
CLEAR = """DELETE FROM tickets_draft WHERE ticket_id = %s AND user_id = %s
AND (at <= %s::timestamptz OR %s::text <> '' AND strpos(%s::text, body) > 0)"""


@transaction.atomic(savepoint=False)
def move(*, ticket: Ticket, to: Ticket) -> None:
    """Takes the drafts of a ticket to the one it is merged into; who had begun there too finds both texts in one."""
    there = {d.user_id: d for d in Draft.objects.select_for_update().filter(ticket=to)}
    for draft in Draft.objects.select_for_update().filter(ticket=ticket).order_by("pk"):
        if other := there.get(draft.user_id):
            draft.delete()
            kind = _joined_kind(other.kind, draft.kind)
            _write(other, kind, joined(other.body, draft.body), max(other.at, draft.at))
        else:
            Draft.objects.filter(pk=draft.pk).update(ticket=to)
    attaching.move(ticket, to)


def _put(ticket: Ticket, user: User, kind: str, body: str, at: datetime) -> tuple[Draft, bool]:
    given = {"kind": kind, "body": body, "at": at}
    return Draft.objects.select_for_update().get_or_create(ticket=ticket, user=user, defaults=given)


def _write(draft: Draft, kind: str, body: str, at: datetime) -> Draft:
    draft.kind, draft.body, draft.at = kind, body, max(at, draft.at + TICK)
    draft.save(update_fields=["kind", "body", "at"])
    return draft


def _kind_for(user: User, kind: str) -> str:
    return str(Message.Kind.NOTE if kind == Message.Kind.NOTE and user.is_desk else Message.Kind.REPLY)


def _joined_kind(*kinds: str) -> str:
    """Words meant for colleagues stay with them, whatever they are joined with."""
    return str(Message.Kind.NOTE if Message.Kind.NOTE in kinds else Message.Kind.REPLY)


def joined(first: str, second: str) -> str:
    """Both texts in one, neither of them twice."""
    if second in first:
        return first
    return second if first in second else f"{first}\n\n{second}"


# --- Reads -----------------------------------------------------------------------------------------------------------


def of(ticket: Ticket, viewer: User) -> list[Draft]:
    """The drafts on a ticket that `viewer` may see, newest first, with their writers and files. One statement."""
    found: QuerySet[Draft] = Draft.objects.filter(ticket=ticket)
    mine = Q(user=viewer)
    found = found.filter(mine | Q(user__staff_role__isnull=False) if viewer.is_desk else mine)
    found = found.annotate(files=attaching.of_drafts())
    return list(found.select_related("user").only("ticket", "kind", "body", "at", "user__name").order_by("-at")[:SHOWN])


def standing(
    ticket: Ticket, viewer: User, composed: dict[str, Any], *, there: bool, wanted: str, stamp: str | None
) -> dict[str, Any]:
    """What the composer holds: the words of a verb that went wrong, else the person's own draft.

    `there` says whether there is a draft at all, `wanted` is the number of a colleague whose draft is to stand there
    too, `stamp` the draft a verb's page stood on.
    """
    drafts = of(ticket, viewer) if there else []
    mine = next((d for d in drafts if d.user_id == viewer.pk), None)
    others = [d for d in drafts if d.user_id != viewer.pk]
    told = {"draft": mine, "drafts_of_others": others, "waiting": getattr(mine, "files", [])}
    if "typed" not in composed:
        return told | composed | _loaded(mine, next((d for d in others if str(d.user_id) == wanted), None))
    if mine and mine.stamp != stamp and mine.body not in composed["typed"]:
        return told | composed | {"newer": Newer(mine), "seen": stamp or ""}
    return told | composed | {"unsaved": mine is None or mine.body != composed["typed"]}


def _loaded(mine: Draft | None, other: Draft | None) -> dict[str, Any]:
    texts = [d for d in (mine, other) if d]
    if not texts:
        return {}
    typed = joined(texts[0].body, texts[-1].body)
    return {"typed": typed, "as_note": _joined_kind(*(d.kind for d in texts)) == Message.Kind.NOTE, "loaded": other}
