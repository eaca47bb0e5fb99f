"""What people say of a broken promise: why, what changes, whether it counts, and that we are sorry (sla.md, "Breach
records are immutable").

Anybody of the desk writes down a cause, within CAUSE_DAYS, and may ask that a breach be excused. Whether it is says a
lead or an administrator who neither asked for it nor has the ticket, nor had it when the promise was broken. The breach
itself is never touched: each word is a row of its own, and a line of the ticket's history.
"""

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk import refs
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.record import Happening
from sla.models import Apology, Breach, BreachCause, Excusal, ExcusalDeclined, ExcusalProposal
from sla.models.register import Reason
from tickets.deed import Deed
from tickets.models import Message, Ticket
from tickets.workflow import Refused


@transaction.atomic(savepoint=False)
def explain(*, breach: Breach, cause: str, words: str, corrective_action: str, by: User, at: datetime) -> BreachCause:
    """Writes down why a promise was broken and what changes; the newest word counts. Raises PermissionDenied."""
    deed = _begin(breach, Right.WORK, by, at)
    last = breach.causes.order_by("-number").first()
    if last and (last.cause, last.words, last.corrective_action) == (cause, words, corrective_action):
        return last
    made = BreachCause.objects.create(
        breach=breach,
        number=last.number + 1 if last else 1,
        cause=cause,
        words=words,
        corrective_action=corrective_action,
        by=by,
        at=deed.at,
    )
    deed.happen(Happening("ticket.breach_explained", {"kind": breach.kind, "breach": breach.pk, "why": cause}))
    deed.finish()
    return made


@transaction.atomic(savepoint=False)
def propose(*, breach: Breach, reason: str, note: str, arn: str, by: User, at: datetime) -> ExcusalProposal:
    """Asks that a breach shall not count. Raises Refused where it is excused, or asked for, already."""
    deed = _begin(breach, Right.WORK, by, at)
    if _excused(breach):
        raise Refused("", _("This breach is excused already."))
    if waiting(breach):
        raise Refused("", _("Somebody asked for this already: it waits for approval."))
    if reason == Reason.OTHER and not note.strip():
        raise Refused("note", _("Write down what the reason is."))
    if reason == Reason.AWS_EVENT and not arn.strip():
        raise Refused("arn", _("Name the AWS event by its ARN."))
    made = ExcusalProposal.objects.create(
        breach=breach,
        number=breach.proposals.count() + 1,
        reason=reason,
        note=note.strip(),
        arn=arn.strip(),
        asked_by=by,
        at=deed.at,
    )
    deed.happen(Happening("ticket.excusal_proposed", _told(breach, made)))
    deed.finish()
    return made


@transaction.atomic(savepoint=False)
def approve(*, breach: Breach, proposal: int, by: User, at: datetime) -> Excusal:
    """Excuses a breach as it was proposed: from now on it is missing from net figures. Raises Refused."""
    deed = _begin(breach, Right.REVIEW, by, at)
    asked = _decided_by(deed, breach, proposal)
    made = Excusal.objects.create(
        breach=breach,
        reason=asked.reason,
        note=asked.note,
        arn=asked.arn,
        asked_by_id=asked.asked_by_id,
        approver=by,
        at=deed.at,
    )
    deed.happen(Happening("ticket.breach_excused", _told(breach, asked), public=True))
    deed.finish()
    return made


@transaction.atomic(savepoint=False)
def decline(*, breach: Breach, proposal: int, note: str, by: User, at: datetime) -> ExcusalDeclined:
    """The breach counts after all; the reason is for whoever asked. Raises Refused."""
    deed = _begin(breach, Right.REVIEW, by, at)
    asked = _decided_by(deed, breach, proposal)
    if not note.strip():
        raise Refused("note", _("Write down why: whoever asked reads it."))
    made = ExcusalDeclined.objects.create(proposal=asked, note=note.strip(), by=by, at=deed.at)
    deed.happen(Happening("ticket.excusal_declined", _told(breach, asked)))
    deed.finish()
    return made


def mark_apologies(deed: Deed, numbers: Sequence[int], message: Message) -> None:
    """A reply that is under way is the apology for breaches of its ticket; those of other tickets are ignored."""
    if not deed.by.is_desk:
        return
    for breach in Breach.objects.filter(pk__in=numbers, subject=deed.ticket.ref).order_by("pk"):
        Apology.objects.create(breach=breach, message=message.pk, by=deed.person, at=deed.at)
        deed.happen(Happening("ticket.apologised", {"kind": breach.kind, "breach": breach.pk, "message": message.pk}))


# --- Who may, and what stands ----------------------------------------------------------------------------------------


def waiting(breach: Breach) -> ExcusalProposal | None:
    """The proposal that nobody has decided yet. One statement; none where the breach is excused already."""
    return None if _excused(breach) else breach.proposals.filter(declined=None).order_by("-number").first()


def why_not(breach: Breach, proposal: ExcusalProposal, ticket: Ticket, by: User) -> str:
    """Why this person may not decide about a proposal; empty where they may."""
    if not may(by, Right.REVIEW):
        return _("A lead or an administrator decides.")
    if proposal.asked_by_id == by.pk:
        return _("You asked for it: somebody else has to decide.")
    if ticket.assigned_to_id == by.pk or breach.clock.engineer == by.key:
        return _("The ticket is or was yours: somebody else has to decide.")
    return ""


def _begin(breach: Breach, right: Right, by: User, at: datetime) -> Deed:
    """Locks the breach's ticket, merged or not: that a promise was broken stays to be explained."""
    if not may(by, right):
        raise PermissionDenied
    ticket = Ticket.objects.select_for_update().get(pk=refs.number(breach.subject))
    return Deed(ticket, by, max(at.replace(microsecond=0), ticket.last_event_at))


def _decided_by(deed: Deed, breach: Breach, number: int) -> ExcusalProposal:
    asked = waiting(breach)
    if asked is None or asked.pk != number:
        raise Refused("", _("Somebody else decided meanwhile."))
    if refusal := why_not(breach, asked, deed.ticket, deed.person):
        raise Refused("", refusal)
    return asked


def _excused(breach: Breach) -> bool:
    return Excusal.objects.filter(breach=breach).exists()


def _told(breach: Breach, asked: ExcusalProposal) -> dict[str, object]:
    return {"kind": breach.kind, "breach": breach.pk, "excuse": asked.reason}
