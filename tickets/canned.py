"""Canned replies: texts the desk says often, one's own and those everybody shares, in both languages.

Colleagues read all shared ones and write their own; a shared one is written by leads and admins. What is put into a
composer is in the requester's language where the reply has it, with its blanks filled in (blanks.py). It is only put
there: a person reads it and sends it. No customer meets a canned reply.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.record import Happening, record
from helpdesk.templatetags.desk import said
from sla.models import Priority
from tickets.blanks import BLANKS, filled, unknown
from tickets.models import Canned, Ticket
from tickets.workflow import Refused

BODIES = ("body_zh", "body_en")


def readable_by(user: User) -> "QuerySet[Canned]":
    """The canned replies of a person: their own and the shared ones; nobody but the desk has any."""
    if not user.is_desk:
        return Canned.objects.none()
    return Canned.objects.filter(Q(owner=user) | Q(owner=None)).order_by("name", "pk")


def matching(found: "QuerySet[Canned]", words: str) -> "QuerySet[Canned]":
    """Those of them that hold every word, in the name or either text."""
    for word in words.split()[:10]:
        found = found.filter(Q(name__icontains=word) | Q(body_zh__icontains=word) | Q(body_en__icontains=word))
    return found


def may_write(user: User, canned: Canned) -> bool:
    """Whether somebody may change or delete this one."""
    return may(user, Right.CANNED) if canned.is_shared else canned.owner_id == user.pk and user.is_desk


# --- Writing ---------------------------------------------------------------------------------------------------------


@transaction.atomic(savepoint=False)
def write(*, name: str, body_zh: str, body_en: str, shared: bool, by: User, at: datetime) -> Canned:
    """A new canned reply, one's own or a shared one. Raises Refused."""
    _may_be(by, shared, body_zh, body_en)
    made = Canned(name=name, body_zh=body_zh, body_en=body_en, owner=None if shared else by, changed_at=at)
    made.save(force_insert=True)
    _tell(Happening("canned.written", {"shared": shared}), made, by, at)
    return made


@transaction.atomic(savepoint=False)
def change(
    *, canned: Canned, version: int, name: str, body_zh: str, body_en: str, shared: bool, by: User, at: datetime
) -> Canned:
    """Changes a canned reply. One's own can be shared; a shared one becomes the own of whoever unshares it."""
    found = _locked(canned, version, by)
    _may_be(by, shared or found.is_shared, body_zh, body_en)
    found.name, found.body_zh, found.body_en = name, body_zh, body_en
    found.owner = None if shared else by
    found.version, found.changed_at = found.version + 1, at
    found.save()
    _tell(Happening("canned.changed", {"shared": shared}), found, by, at)
    return found


@transaction.atomic(savepoint=False)
def remove(*, canned: Canned, version: int, by: User, at: datetime) -> None:
    """Deletes a canned reply; what was sent with it stays as it was sent."""
    found = _locked(canned, version, by)
    _tell(Happening("canned.removed", {"shared": found.is_shared}), found, by, at)
    found.delete()


def _locked(canned: Canned, version: int, by: User) -> Canned:
    found = Canned.objects.select_for_update().filter(pk=canned.pk).first()
    if found is None or not may_write(by, found):
        raise Refused("", _("This canned reply is no longer there, or is no longer yours to change."))
    if found.version != version:
        raise Refused("", _("A colleague has changed this canned reply meanwhile. Your text is kept below."))
    return found


def _may_be(by: User, shared: bool, *bodies: str) -> None:
    if not by.is_desk or (shared and not may(by, Right.CANNED)):
        raise Refused("shared", _("Shared canned replies are written by leads."))
    if not any(bodies):
        raise Refused("body_zh", _("Write the text in one language at least."))
    for field, body in zip(BODIES, bodies, strict=True):
        if missing := unknown(body):
            raise Refused(field, no_such(missing))


def no_such(missing: list[str]) -> str:
    """That these blanks stand for nothing, and what does."""
    comma = _(", ")
    named = comma.join(f"{{{name}}}" for name in missing)
    known = comma.join(f"{{{name}}}" for name in BLANKS)
    return _("There is no %(missing)s. What can be filled in: %(known)s.") % {"missing": named, "known": known}


def _tell(happening: Happening, canned: Canned, by: User, at: datetime) -> None:
    record([happening], by=by, at=at, subject=f"canned:{canned.pk}")


# --- Filling in ------------------------------------------------------------------------------------------------------


def text_for(canned: Canned, ticket: Ticket, *, by: User, at: datetime) -> str:
    """What `by` would say with it to the ticket's requester, in the requester's language, words and time."""
    reader = ticket.requester
    with translation.override(reader.language), timezone.override(reader.tz):
        return filled(canned.in_language(reader.language), values(ticket, by, at))


def values(ticket: Ticket, by: User, at: datetime) -> dict[str, str]:
    """What each blank stands for on this ticket, in the language and zone that are on."""
    return {
        "customer": ticket.customer.name,
        "requester": ticket.requester.name,
        "ref": ticket.ref,
        "title": ticket.title,
        "priority": Priority.objects.get(code=ticket.priority_id).label,
        "due": said(ticket.sla_due_at, at, "on") if ticket.sla_due_at else "—",
        "engineer": by.name,
    }
