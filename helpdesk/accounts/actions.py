"""Everything that is done to people and companies: invite, join, leave, change.

A way in is granted by an invitation only. Its link carries 256 bits of chance, works once and for seven days; the
database keeps its hash. Whoever loses a role, a factor, a password or the account loses all sessions in the same
transaction.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from helpdesk.accounts.doors import Refused as Refused
from helpdesk.accounts.keys import end_keys_of
from helpdesk.accounts.models import CONTRACT, Customer, CustomerRole, Invitation, Membership, StaffRole, User, key_of
from helpdesk.accounts.permissions import Right, may
from helpdesk.accounts.second_factor import authenticators_of
from helpdesk.accounts.sessions import end_sessions
from helpdesk.audit.record import Actor, Happening, record
from helpdesk.outbox.enqueue import Draft, enqueue
from helpdesk.outbox.models import NOT_LEFT, Letter, cancelled

INVITED_FOR = timedelta(days=7)
PROFILE = ["name", "language", "zone", "phone"]
COMPANY = ["name", "code", "language", "zone", "members_see_all", "is_active", "restricted", *CONTRACT]


# --- Coming in -------------------------------------------------------------------------------------------------------


@dataclass
class Invited:
    """The reader of an invitation: nobody yet."""

    email: str
    language: str
    zone: str
    key: str


@transaction.atomic
def invite(
    *,
    email: str,
    name: str,
    language: str,
    zone: str,
    staff_role: str | None = None,
    customer: Customer | None = None,
    customer_role: str | None = None,
    by: User,
    at: datetime,
) -> tuple[Invitation, str]:
    """Invites one person to the staff, or to a customer; returns the invitation and its token, which is shown once.

    An earlier invitation of the same address to the same place is revoked. Raises Refused, PermissionDenied.
    """
    right = Right.INVITE_STAFF if staff_role else Right.INVITE
    _demand(by, right, customer)
    email = email.strip().lower()
    _check_sides(email, staff_role, customer)
    _revoke(Invitation.objects.filter(email=email, customer=customer), by=by, at=at)
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        token_hash=hashed(token),
        email=email,
        name=name,
        language=language,
        zone=zone,
        staff_role=staff_role or None,
        customer=customer,
        customer_role=(customer_role or CustomerRole.MEMBER) if customer else None,
        invited_by=by,
        created_at=at,
        expires_at=at + INVITED_FOR,
    )
    subject = subject_of(invitation)
    data = {"role": staff_role or invitation.customer_role}
    _record(Happening("account.invited", data), by=by, at=at, subject=subject, customer=customer)
    reader = Invited(email, language, zone, subject)
    draft = Draft("account.invitation", reader, {"inviter": by.key, **data}, secret=link(token))
    enqueue([draft], at=at, subject=subject, customer=customer.pk if customer else None)
    return invitation, token


def _check_sides(email: str, staff_role: str | None, customer: Customer | None) -> None:
    person = User.objects.filter(email=email).prefetch_related("memberships").first()
    if customer and not customer.is_active:
        raise Refused("customer", _("This company is deactivated. Activate it first."))
    if person and staff_role:
        raise Refused("email", _("There is a person with this address already. Change their role instead."))
    if person and person.staff_role:
        raise Refused("email", _("This address belongs to somebody of the desk, and they belong to no company."))
    if person and any(m.is_active and m.customer_id == getattr(customer, "pk", None) for m in person.memberships.all()):
        raise Refused("email", _("This person belongs to the company already."))


def hashed(token: str) -> str:
    """How a token is stored. 256 bits of chance need neither salt nor a slow hash."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def link(token: str) -> str:
    """Where an invitation leads: to SITE_URL, whatever a Host header says."""
    return f"{settings.SITE_URL}/invitation/{token}"


def subject_of(invitation: Invitation) -> str:
    """How history names an invitation."""
    return f"invitation:{invitation.pk}"


def open_invitation(token: str, at: datetime) -> Invitation | None:
    """The invitation that a token opens now, if any."""
    still_open = Q(accepted_at=None, revoked_at=None, expires_at__gt=at) & (
        Q(customer=None) | Q(customer__is_active=True)
    )
    found = Invitation.objects.select_related("customer", "invited_by").filter(still_open, token_hash=hashed(token))
    return found.first()


@transaction.atomic
def accept_invitation(
    *, invitation: Invitation, password: str, name: str, language: str, zone: str, at: datetime
) -> User:
    """Makes the person an invitation is for. Raises Refused: the second of two, or an address that is somebody's."""
    _claim(invitation, at)
    try:
        # The constraint decides between two invitations of one address; a savepoint keeps our own transaction whole.
        with transaction.atomic():
            person = User.objects.create_user(
                email=invitation.email,
                at=at,
                password=password,
                name=name,
                language=language,
                zone=zone,
                staff_role=invitation.staff_role,
            )
    except IntegrityError:
        raise Refused(
            "", _("There is an account with this address already. Log in, then open the link again.")
        ) from None
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    _join(person, invitation, at)
    return person


@transaction.atomic
def join(*, invitation: Invitation, by: User, at: datetime) -> User:
    """An existing person accepts an invitation to one more customer. Raises Refused, PermissionDenied."""
    if by.email != invitation.email or invitation.staff_role:
        raise PermissionDenied
    person = User.objects.select_for_update().get(pk=by.pk)
    if person.staff_role:
        raise Refused("", _("Colleagues belong to no company."))
    _claim(invitation, at)
    _join(person, invitation, at)
    return person


def _claim(invitation: Invitation, at: datetime) -> None:
    """The conditional update decides who was first."""
    still_open = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None, expires_at__gt=at)
    if not still_open.update(accepted_at=at):
        raise Refused("", _("This invitation has been used or revoked meanwhile."))
    _blank_letters(invitation)


def _join(person: User, invitation: Invitation, at: datetime) -> None:
    role = invitation.staff_role or invitation.customer_role or ""
    if invitation.customer_id:
        Membership.objects.update_or_create(
            user=person, customer_id=invitation.customer_id, defaults={"role": role, "is_active": True}
        )
    data = {"invitation": invitation.pk, "role": role, "inviter": key_of(invitation.invited_by_id)}
    _record(Happening("account.joined", data), by=person, at=at, subject=person.key, customer=invitation.customer)


@transaction.atomic
def create_person(
    *,
    email: str,
    name: str,
    language: str,
    zone: str,
    staff_role: str | None = None,
    belongs: Iterable[tuple[Customer, str]] = (),
    password: str | None = None,
    by: Actor,
    at: datetime,
) -> User:
    """Makes a person without an invitation: the first administrator, and a demo's people. For commands only."""
    person = User.objects.create_user(
        email=email, at=at, password=password, name=name, language=language, zone=zone, staff_role=staff_role
    )
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    for customer, role in belongs:
        Membership.objects.create(user=person, customer=customer, role=role)
    _record(Happening("account.created", {"role": staff_role}), by=by, at=at, subject=person.key)
    return person


@transaction.atomic
def revoke_invitation(*, invitation: Invitation, by: User, at: datetime) -> None:
    """The link opens nothing any more."""
    _demand(by, Right.INVITE_STAFF if invitation.staff_role else Right.INVITE, invitation.customer)
    _revoke(Invitation.objects.filter(pk=invitation.pk), by=by, at=at)


def _revoke(which: Any, *, by: Actor, at: datetime) -> None:
    for invitation in which.filter(accepted_at=None, revoked_at=None).select_for_update():
        Invitation.objects.filter(pk=invitation.pk).update(revoked_at=at)
        _blank_letters(invitation)
        subject, customer = subject_of(invitation), invitation.customer_id
        record([Happening("account.invitation_revoked")], by=by, at=at, subject=subject, customer=customer)


def _blank_letters(invitation: Invitation) -> None:
    """A letter that has not left yet need not leave; its link is of no use to anybody."""
    waiting = Letter.objects.filter(subject=subject_of(invitation), state__in=NOT_LEFT)
    waiting.update(**cancelled(Letter.Reason.UNTRUE))


# --- One's own -------------------------------------------------------------------------------------------------------


@transaction.atomic
def change_profile(*, person: User, by: User, at: datetime, **given: str) -> User:
    """Changes name, language, zone or phone: one's own, or an administrator's hand. Only what differs is written."""
    if by.pk != person.pk:
        _demand(by, Right.ADMIN)
    if fields := _differing(person, given, PROFILE):
        _write(person, given, fields)
        _record(Happening("account.profile_changed", {"fields": fields}), by=by, at=at, subject=person.key)
    return person


@transaction.atomic
def set_password(*, person: User, password: str, at: datetime, keep_session: str | None = None) -> None:
    """A new password ends every other session; links that would set another one die with the old password."""
    person.set_password(password)
    person.save(update_fields=["password"])
    _lock_out(person, by=person, at=at, keep=keep_session)
    _record(Happening("account.password_changed"), by=person, at=at, subject=person.key)
    enqueue([Draft("account.password_changed", person)], at=at, subject=person.key)


@transaction.atomic
def logged_in(*, person: User, at: datetime) -> None:
    """Writes down that somebody came in, and from where."""
    _record(Happening("account.logged_in"), by=person, at=at, subject=person.key)


@transaction.atomic
def second_factor_changed(*, person: User, action: str, at: datetime, keep_session: str | None) -> None:
    """After a person set up or removed a factor: `action` is added or removed. Ends every other session."""
    _lock_out(person, by=person, at=at, keep=keep_session)
    added, removed = Happening("account.second_factor_added"), Happening("account.second_factor_removed")
    happening = {"added": added, "removed": removed}[action]
    record([happening], by=person, at=at, subject=person.key)
    enqueue([Draft(happening.action, person)], at=at, subject=person.key)


# --- Others' ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def deactivate_person(*, person: User, by: User, at: datetime) -> User:
    """Locks somebody out at once: sessions end, invitations they sent or were sent are revoked."""
    _demand_over(person, by)
    if person.pk == by.pk:
        raise Refused("", _("You cannot deactivate yourself. Ask another administrator."))
    person = User.objects.select_for_update().get(pk=person.pk)
    if person.is_active:
        person.is_active = False
        person.save(update_fields=["is_active"])
        _lock_out(person, by=by, at=at)
        _revoke(Invitation.objects.filter(Q(invited_by=person) | Q(email=person.email)), by=by, at=at)
        _record(Happening("account.deactivated"), by=by, at=at, subject=person.key)
    return person


@transaction.atomic
def activate_person(*, person: User, by: User, at: datetime) -> User:
    """Lets somebody in again, with the password and roles they had."""
    _demand_over(person, by)
    person = User.objects.select_for_update().get(pk=person.pk)
    if not person.is_active:
        person.is_active = True
        person.save(update_fields=["is_active"])
        _record(Happening("account.activated"), by=by, at=at, subject=person.key)
    return person


@transaction.atomic
def set_staff_role(*, person: User, role: str | None, by: User, at: datetime) -> User:
    """Makes somebody staff, gives another role, or takes it. Who becomes staff leaves every company."""
    _demand(by, Right.INVITE_STAFF)
    if person.pk == by.pk:
        raise Refused("staff_role", _("You cannot change your own role. Ask another administrator."))
    if role not in (*StaffRole.values, None):
        raise Refused("staff_role", _("Choose a role."))
    person = User.objects.select_for_update().get(pk=person.pk)
    if person.staff_role != role:
        old, person.staff_role = person.staff_role, role
        if role:
            Membership.objects.filter(user=person).update(is_active=False)
        person.save(update_fields=["staff_role"])
        _lock_out(person, by=by, at=at)
        _record(Happening("account.role_changed", {"old": old, "new": role}), by=by, at=at, subject=person.key)
    return person


@transaction.atomic
def set_customer_role(*, person: User, customer: Customer, role: str | None, by: User, at: datetime) -> User:
    """Makes somebody member or admin at a customer; None ends the membership.

    A company's admin does so with people who were let in before; everybody else is invited. One admin always stays.
    """
    _demand(by, Right.INVITE, customer)
    if role not in (*CustomerRole.values, None):
        raise Refused("role", _("Choose a role."))
    person = User.objects.select_for_update().get(pk=person.pk)
    if person.staff_role:
        raise Refused("role", _("Colleagues belong to no company."))
    now = Membership.objects.filter(user=person, customer=customer).first()
    if now is None and not by.staff_role:
        raise PermissionDenied
    old = now.role if now and now.is_active else None
    if old != role:
        if old == CustomerRole.ADMIN:
            _give_up_admin(person, customer, by, at)
        if role is None:
            _revoke(Invitation.objects.filter(email=person.email, customer=customer), by=by, at=at)
        changed = {"role": role, "is_active": True} if role else {"is_active": False}
        Membership.objects.update_or_create(user=person, customer=customer, defaults=changed)
        _lock_out(person, by=by, at=at)
        data = {"old": old, "new": role, "customer": str(customer.pk)}
        _record(Happening("account.membership_changed", data), by=by, at=at, subject=person.key, customer=customer)
    return person


def _give_up_admin(person: User, customer: Customer, by: User, at: datetime) -> None:
    # Two who take it from one another at the same instant: the second waits here and finds the other gone.
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if not admins_of(customer).exclude(user=person).exists():
        raise Refused("role", _("The company needs an administrator: make somebody else one first."))
    _revoke(Invitation.objects.filter(invited_by=person, customer=customer), by=by, at=at)


def admins_of(customer: Customer) -> QuerySet[Membership]:
    """The people who look after a company now."""
    active = Membership.objects.filter(customer=customer, role=CustomerRole.ADMIN, is_active=True)
    return active.filter(user__is_active=True, user__is_service=False)


@transaction.atomic
def reset_second_factor(*, person: User, by: User, at: datetime) -> User:
    """Takes every factor from somebody who lost theirs; they log in with the password and set up a new one."""
    _demand(by, Right.ADMIN)
    person = User.objects.select_for_update().get(pk=person.pk)
    if authenticators_of(person).delete()[0]:
        _lock_out(person, by=by, at=at)
        _record(Happening("account.second_factor_reset"), by=by, at=at, subject=person.key)
        enqueue([Draft("account.second_factor_removed", person)], at=at, subject=person.key)
    return person


# --- Companies -------------------------------------------------------------------------------------------------------


@transaction.atomic
def create_customer(*, name: str, code: str, by: User, at: datetime, **given: Any) -> Customer:
    """A new company, with language, zone and CONTRACT. IntegrityError where the code is taken."""
    _demand(by, Right.ADMIN)
    customer = Customer.objects.create(name=name, code=code, created_at=at, **given)
    _record(Happening("customer.created"), by=by, at=at, subject=f"customer:{customer.pk}", customer=customer)
    return customer


@transaction.atomic
def change_customer(*, customer: Customer, by: User, at: datetime, **given: Any) -> Customer:
    """Changes name, code, language, zone, whether it is active, restricted. Only what differs is written."""
    _demand(by, Right.ADMIN)
    if fields := _differing(customer, given, COMPANY):
        _write(customer, given, fields)
        happening = Happening("customer.changed", {"fields": fields})
        _record(happening, by=by, at=at, subject=f"customer:{customer.pk}", customer=customer)
    return customer


@transaction.atomic
def share_tickets(*, customer: Customer, with_all: bool, by: User, at: datetime) -> Customer:
    """Whether a company's members see all of its tickets; its administrators decide, or those of the desk."""
    _demand(by, Right.SHARE, customer)
    if fields := _differing(customer, {"members_see_all": with_all}, COMPANY):
        _write(customer, {"members_see_all": with_all}, fields)
        happening = Happening("customer.changed", {"fields": fields})
        _record(happening, by=by, at=at, subject=f"customer:{customer.pk}", customer=customer)
    return customer


# --- What the verbs share --------------------------------------------------------------------------------------------


def _demand(by: User, right: Right, customer: Customer | None = None) -> None:
    """The action's own lock: doors ask before, so that a stranger meets a 404."""
    if not may(by, right, customer.pk if customer else None):
        raise PermissionDenied


def _demand_over(person: User, by: User) -> None:
    """Colleagues are an administrator's matter, customers' people also a lead's."""
    _demand(by, Right.INVITE_STAFF if person.staff_role else Right.INVITE)
    if not by.staff_role:
        raise PermissionDenied


def _differing(thing: User | Customer, given: dict[str, Any], allowed: Iterable[str]) -> list[str]:
    """The names of what would really change. Anything that is not allowed is a mistake of the door."""
    if unknown := set(given) - set(allowed):
        raise TypeError(f"cannot be changed here: {sorted(unknown)}")
    return sorted(name for name, value in given.items() if getattr(thing, name) != value)


def _write(thing: User | Customer, given: dict[str, Any], fields: list[str]) -> None:
    for name in fields:
        setattr(thing, name, given[name])
    thing.save(update_fields=fields)


def _lock_out(person: User, *, by: Actor, at: datetime, keep: str | None = None) -> None:
    """Whatever a person came in with before is worth nothing now: sessions but the one kept, and keys."""
    end_sessions(person, keep=keep)
    end_keys_of(person, by=by, at=at)


def _record(happening: Happening, *, by: Actor, at: datetime, subject: str, customer: Customer | None = None) -> None:
    record([happening], by=by, at=at, subject=subject, customer=customer.pk if customer else None)
