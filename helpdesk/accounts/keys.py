"""Keys for programs: made, shown once, checked at each request, ended.

A key reads `hd_<prefix>_<secret>`. The secret has 256 bits and only its sha256 is stored: no salt is needed for what
nobody can guess. A company's key acts as a service user of that company alone; a person's own acts as that person.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from helpdesk.accounts.doors import Refused
from helpdesk.accounts.models import ApiKey, Customer, CustomerRole, Membership, User, key_of
from helpdesk.accounts.permissions import Right, customers_of, may
from helpdesk.audit.record import Actor, Happening, record

LONGEST = timedelta(days=730)
# When it was used last is told to the hour: a write at each request would cost more than it says.
USED_STEP = timedelta(hours=1)


def companies_for_keys(by: User) -> QuerySet[Customer]:
    """The companies whose keys this person looks after, by name."""
    found = Customer.objects.active().order_by("name")
    if by.staff_role:
        return found if may(by, Right.KEYS) else found.none()
    mine = [c for c, role in customers_of(by).items() if role == CustomerRole.ADMIN]
    return found.filter(pk__in=mine)


def keys_for(by: User) -> QuerySet[ApiKey]:
    """The keys this person may see and end: their own and those of the companies they look after."""
    ours = Q(customer__in=companies_for_keys(by))
    return ApiKey.objects.filter(Q(user=by) | ours).select_related("user", "customer", "created_by").order_by("-pk")


@transaction.atomic
def create_key(
    *, name: str, customer: Customer | None, may_write: bool, days: int, by: User, at: datetime
) -> tuple[ApiKey, str]:
    """A new key and its text, which is never to be had again. Raises Refused.

    With `customer` it is that company's and acts as a service user; without one it is the person's own.
    """
    at = at.replace(microsecond=0)
    if not timedelta(days=1) <= timedelta(days=days) <= LONGEST:
        raise Refused("days", _("A key lasts at least a day and at most two years."))
    if customer is not None and not companies_for_keys(by).filter(pk=customer.pk).exists():
        raise Refused("customer", _("Choose one of your companies."))
    prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        prefix=prefix,
        secret_hash=_hashed(secret),
        name=name,
        user=_service_user(prefix, name, customer, at) if customer else by,
        customer=customer,
        may_write=may_write,
        created_by=by,
        created_at=at,
        expires_at=at + timedelta(days=days),
    )
    data = {"key": key.pk, "scopes": key.scopes, "days": days}
    record([Happening("account.key_created", data)], by=by, at=at, subject=key.user.key, customer=key.customer_id)
    return key, f"hd_{prefix}_{secret}"


def _service_user(prefix: str, name: str, customer: Customer, at: datetime) -> User:
    # No login form takes this for an address, and there is no password.
    person = User.objects.create_user(email=f"api:{prefix}", at=at, name=name, is_service=True)
    Membership.objects.create(user=person, customer=customer, role=CustomerRole.ADMIN)
    return person


@transaction.atomic
def revoke_key(*, key: ApiKey, by: User, at: datetime) -> ApiKey:
    """Ends a key at once. A second time it does nothing."""
    key = ApiKey.objects.select_for_update().get(pk=key.pk)
    if key.user_id != by.pk and not keys_for(by).filter(pk=key.pk).exists():
        raise Refused("", _("You may not end this key."))
    if key.revoked_at is None:
        _end(key, by=by, at=at)
    return key


def end_keys_of(person: User, *, by: Actor, at: datetime) -> None:
    """Ends every key that acts as this person: at a new password, another role, at deactivation."""
    for key in ApiKey.objects.select_for_update().filter(user=person, revoked_at=None):
        _end(key, by=by, at=at)


def _end(key: ApiKey, *, by: Actor, at: datetime) -> None:
    key.revoked_at = at.replace(microsecond=0)
    key.save(update_fields=["revoked_at"])
    happening = Happening("account.key_revoked", {"key": key.pk})
    record([happening], by=by, at=at, subject=key_of(key.user_id), customer=key.customer_id)


def key_of_token(token: str, at: datetime) -> ApiKey | None:
    """The key this text opens with, its person with it; None where it is wrong, ended or its person is gone.

    One statement, and a second one in the first use of an hour.
    """
    parts = token.split("_", 2)
    if len(parts) != 3 or parts[0] != "hd" or not parts[1].isalnum() or len(token) > 200:
        return None
    key = ApiKey.objects.select_related("user").filter(prefix=parts[1]).first()
    # Compared in any case, so that a wrong prefix takes as long as a wrong secret.
    matches = constant_time_compare(key.secret_hash if key else "", _hashed(parts[2]))
    if key is None or not matches or not key.works_at(at) or not key.user.is_active:
        return None
    if key.last_used_at is None or key.last_used_at <= at - USED_STEP:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=at.replace(microsecond=0))
    return key


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
