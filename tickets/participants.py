"""Who of the customer's side reads a ticket beside its requester: colleagues, and outsiders by their address.

A colleague belongs to the ticket's company and is let in at once by the requester, the company's administrator or the
desk; somebody of another company never is. An outside address may be proposed by whoever sees the ticket; nothing is
sent there before the requester or the desk has let it in (security.md, M-04), and then only what is said later.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Max, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from helpdesk.accounts.models import Customer, CustomerRole, User
from helpdesk.accounts.permissions import Right, customers_of, may
from helpdesk.audit.record import Happening
from tickets import notify
from tickets.deed import Deed
from tickets.marks import taken_part_in
from tickets.models import Message, Participant, SearchRow, Ticket
from tickets.workflow import Conflict, Refused, stuck

# More than these are a mailing list.
MOST = 20


@transaction.atomic(savepoint=False)
def add(*, ticket: Ticket, person: User, by: User, at: datetime) -> Participant:
    """Lets a colleague of the requester in: they see the ticket from now on, all that was said to the customer."""
    deed = Deed.begin(ticket, by, at)
    if not may_add(deed.ticket, by):
        raise Conflict(deed.ticket, stuck(deed.ticket))
    return _let_in(deed, person)


def _let_in(deed: Deed, person: User) -> Participant:
    ticket = deed.ticket
    if not person.is_active or person.is_service or ticket.customer_id not in customers_of(person):
        raise Refused("person", _("This person does not belong to the company."))
    if person.pk == ticket.requester_id:
        raise Refused("person", _("This person asked for it and reads it anyway."))
    _check_room(ticket, "person")
    made, new = Participant.objects.get_or_create(
        ticket=ticket, user=person, defaults={"added_by": deed.person, "confirmed_by": deed.person, "at": deed.at}
    )
    if new:
        _let_find(ticket, person.pk)
        deed.happen(Happening("ticket.participant_added", {"to": person.key}, public=True))
        deed.news.append(notify.News("ticket.shared", (), to=person))
        deed.finish()
    return made


@transaction.atomic(savepoint=False)
def invite(*, ticket: Ticket, email: str, name: str, by: User, at: datetime) -> Participant:
    """Proposes somebody by address; the requester and the desk let them in with the same step.

    Whoever turns out to be a colleague is let in as one. Raises Refused.
    """
    deed = Deed.begin(ticket, by, at)
    ticket, email = deed.ticket, email.strip().lower()
    if not may(by, Right.REPLY, ticket.customer_id):
        raise Conflict(ticket, stuck(ticket))
    person = User.objects.filter(email=email, is_active=True).first()
    if person and person.staff_role:
        raise Refused("email", _("This address is the desk's own, which reads the ticket anyway."))
    if person and ticket.customer_id in customers_of(person):
        if not may_add(ticket, by):
            raise Refused("email", _("This is a colleague: the requester or your administrator can let them in."))
        return _let_in(deed, person)
    _check_room(ticket, "email")
    certain = may_confirm(ticket, by)
    # The language of a stranger is not known: the company's is the best guess.
    language = Customer.objects.values_list("language", flat=True).get(pk=ticket.customer_id)
    given = {"name": name, "language": language, "added_by": by, "at": deed.at}
    made, new = Participant.objects.get_or_create(ticket=ticket, user=None, email=email, defaults=given)
    if certain and made.confirmed_by_id is None:
        _confirm(deed, made)
    elif new:
        deed.happen(Happening("ticket.participant_proposed", {"participant": made.pk}, public=True))
        deed.tell("ticket.participant_proposed", "requester", "assignee", participant=made.pk)
    deed.finish()
    return made


@transaction.atomic(savepoint=False)
def confirm(*, ticket: Ticket, number: int, by: User, at: datetime) -> Participant | None:
    """Lets a proposed outsider in: from now on what is said to the customer is sent there too."""
    deed = Deed.begin(ticket, by, at)
    if not may_confirm(deed.ticket, by):
        raise Conflict(deed.ticket, stuck(deed.ticket))
    found = _of(deed.ticket).filter(pk=number).first()
    if found and found.confirmed_by_id is None:
        _confirm(deed, found)
    deed.finish()
    return found


def _confirm(deed: Deed, outsider: Participant) -> None:
    outsider.confirmed_by = deed.person
    outsider.since = Message.objects.filter(ticket=deed.ticket).aggregate(last=Max("pk"))["last"] or 0
    outsider.save(update_fields=["confirmed_by", "since"])
    deed.happen(Happening("ticket.participant_added", {"participant": outsider.pk}, public=True))


@transaction.atomic(savepoint=False)
def remove(*, ticket: Ticket, number: int, by: User, at: datetime) -> None:
    """Ends it at once: a colleague sees the ticket no more, an outsider gets no letter. Done twice, it is done once."""
    deed = Deed.begin(ticket, by, at)
    found = _of(deed.ticket).filter(pk=number).first()
    if found is None:
        return
    if not may_remove(deed.ticket, found.user_id, found.added_by_id, by):
        raise Conflict(deed.ticket, stuck(deed.ticket))
    data = {"to": f"user:{found.user_id}"} if found.user_id else {"participant": found.pk}
    if found.user_id:
        _hide_from(deed.ticket, found.user_id)
    found.delete()
    deed.happen(Happening("ticket.participant_removed", data, public=True))
    deed.finish()


# --- Who may ---------------------------------------------------------------------------------------------------------


def may_add(ticket: Ticket, by: User) -> bool:
    """Let a colleague in: the requester, the company's administrator, the desk."""
    return may_confirm(ticket, by) or customers_of(by).get(ticket.customer_id) == CustomerRole.ADMIN


def may_confirm(ticket: Ticket, by: User) -> bool:
    """Let an outsider in: the requester and the desk."""
    return may(by, Right.REPLY, ticket.customer_id) and (by.is_desk or by.pk == ticket.requester_id)


def may_remove(ticket: Ticket, user: int | None, added_by: int, by: User) -> bool:
    """Those who may let in, whoever proposed it, and everybody themselves."""
    return may_add(ticket, by) or by.pk == (user or added_by)


def colleagues(ticket: Ticket) -> QuerySet[User]:
    """Whom somebody may be chosen from: the company's people who do not take part yet, by name."""
    theirs = User.objects.people().filter(is_active=True, memberships__customer=ticket.customer_id)
    theirs = theirs.filter(memberships__is_active=True).exclude(pk=ticket.requester_id)
    return theirs.exclude(pk__in=_of(ticket).exclude(user=None).values("user")).order_by("name", "pk")


def _of(ticket: Ticket) -> QuerySet[Participant]:
    return Participant.objects.filter(ticket=ticket)


def _check_room(ticket: Ticket, field: str) -> None:
    if _of(ticket).count() >= MOST:
        raise Refused(field, _("A ticket takes at most %(most)s more readers: remove one first.") % {"most": MOST})


# --- What a participant finds ----------------------------------------------------------------------------------------


def _let_find(ticket: Ticket, person: int) -> None:
    """Lets a participant find what was said to the customer, in the transaction that lets them in. One statement."""
    mark = f"'{taken_part_in(person)}'"
    _mark(ticket, RawSQL("ts_delete(words, %s) || %s::tsvector", [taken_part_in(person), mark]))


def _hide_from(ticket: Ticket, person: int) -> None:
    """Takes it from somebody who no longer takes part. One statement."""
    _mark(ticket, RawSQL("ts_delete(words, %s)", [taken_part_in(person)]))


def _mark(ticket: Ticket, words: RawSQL) -> None:
    said = Message.objects.filter(ticket=ticket).exclude(kind=Message.Kind.NOTE).values("pk")
    SearchRow.objects.filter(message__in=said).update(words=words)
