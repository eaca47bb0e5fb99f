"""What leads and administrators do with AWS accounts: connect, change, stop reading, give a new ExternalId.

An account is one row in the whole desk, whoever's it is: a number that is connected already is refused, and the refusal
says whose it is to administrators alone (A-01). Its role is in the account itself, because ARN and number are compared,
and its ExternalId is made by us and never typed, so nobody can name another's. Until a test has proved that the role
asks for this very ExternalId (testing.py) nothing is read.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from awsint.models import Account, Organization, Partition, Poll, Setting, SupportModel
from helpdesk.accounts.doors import Refused
from helpdesk.accounts.models import Customer, Membership, User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.record import Happening, record

# The hub may assume roles of this name alone (deploy/aws/hub.yaml).
ROLE = "PartnerSupportSync"
ARN = re.compile(r"arn:(aws|aws-cn|aws-us-gov):iam::([0-9]{12}):role/[A-Za-z0-9+=,.@_/-]{1,140}")
# What may be changed afterwards: neither whose it is nor which.
CHANGEABLE = ("name", "role_arn", "may_write", "support_model", "model_from", "model_until", "workload", "contact")


@dataclass(frozen=True)
class Wanted:
    """An account to connect. `role_arn` empty is the role of our template; `line` is where it stood in a file."""

    customer: Customer
    number: str
    name: str
    partition: str = Partition.AWS
    role_arn: str = ""
    may_write: bool = False
    support_model: str = SupportModel.KEPT
    model_from: date | None = None
    model_until: date | None = None
    workload: tuple[str, ...] = ()
    contact: User | None = None
    organization: Organization | None = None
    line: int = 0


def subject_of(thing: Account | Organization) -> str:
    """How history names an account of AWS."""
    number = thing.number if isinstance(thing, Account) else thing.account_number
    return f"aws:{thing.partition}:{number}"


def fresh_external_id() -> str:
    """256 bits in the letters that STS takes."""
    return secrets.token_urlsafe(32)


def usual_role(partition: str, number: str) -> str:
    return f"arn:{partition}:iam::{number}:role/{ROLE}"


# --- Connect ---------------------------------------------------------------------------------------------------------


def add_account(*, wanted: Wanted, by: User, at: datetime) -> tuple[Account, str]:
    """One account and its ExternalId, which is shown once. Raises Refused, PermissionDenied."""
    return add_accounts(wanted=[wanted], by=by, at=at)[0]


@transaction.atomic
def add_accounts(*, wanted: Sequence[Wanted], by: User, at: datetime) -> list[tuple[Account, str]]:
    """All of them or none, each with its ExternalId. Raises Refused with the first that cannot be, PermissionDenied."""
    demand(by)
    at = at.replace(microsecond=0)
    for one, faults in zip(wanted, faults_of(wanted, by), strict=True):
        for field, words in faults:
            raise Refused(field, words if len(wanted) == 1 else f"{one.number}: {words}")
    made = [_row(one, at) for one in wanted]
    try:
        with transaction.atomic():
            Account.objects.bulk_create(made)
    except IntegrityError as error:
        # Somebody else was faster.
        raise Refused("number", taken(None, by)) from error
    for account in made:
        _tell(account, Happening("aws.account_added", {"write": account.may_write}), by, at)
    return [(account, account.external_id) for account in made]


def _row(one: Wanted, at: datetime) -> Account:
    said = {name: getattr(one, name) for name in CHANGEABLE}
    said |= {"role_arn": one.role_arn or usual_role(one.partition, one.number), "workload": list(one.workload)}
    return Account(
        customer=one.customer,
        organization=one.organization,
        number=one.number,
        partition=one.partition,
        external_id=fresh_external_id(),
        external_id_shown_at=at,
        created_at=at,
        **said,
    )


def faults_of(wanted: Sequence[Wanted], by: User) -> list[list[tuple[str, str]]]:
    """What is wrong with each, as (field, words). One statement."""
    numbers = {one.number for one in wanted}
    known = Account.objects.filter(number__in=numbers).select_related("customer")
    there = {(account.partition, account.number): account for account in known}
    seen: set[tuple[str, str]] = set()
    found = []
    for one in wanted:
        key = (one.partition, one.number)
        faults = soundness(one.partition, one.number, one.role_arn, one.model_from, one.model_until)
        if key in there:
            faults.append(("number", taken(there[key], by)))
        elif key in seen:
            faults.append(("number", _("This number stands here twice.")))
        seen.add(key)
        found.append(faults)
    return found


def taken(account: Account | None, by: User) -> str:
    """That a number is connected already; whose it is, administrators of the desk read."""
    if account and may(by, Right.ADMIN):
        return _("This account is connected already, for %(customer)s.") % {"customer": account.customer.name}
    return _("This account is connected already.")


def soundness(
    partition: str, number: str, role_arn: str, start: date | None = None, end: date | None = None
) -> list[tuple[str, str]]:
    """What does not fit together in one account, as (field, words)."""
    found = []
    arn = ARN.fullmatch(role_arn) if role_arn else None
    if role_arn and arn is None:
        example = usual_role(partition, number)
        found.append(("role_arn", _("This is no ARN of a role. It reads like %(example)s.") % {"example": example}))
    elif arn and arn.groups() != (partition, number):
        found.append(("role_arn", _("This role is in another account or partition.")))
    if start and end and end < start:
        found.append(("model_until", _("It ends before it begins.")))
    return found


# --- Change ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def change_account(*, account: Account, by: User, at: datetime, **given: Any) -> Account:
    """Writes what differs, of CHANGEABLE. Another role has to be proved anew. Raises Refused, PermissionDenied."""
    found = _locked(account, by)
    if not given.get("role_arn"):
        given["role_arn"] = usual_role(found.partition, found.number)
    given["workload"] = list(given["workload"])
    for field, words in soundness(
        found.partition, found.number, given["role_arn"], given["model_from"], given["model_until"]
    ):
        raise Refused(field, words)
    _demand_contact(found, given["contact"])
    fields = [name for name in CHANGEABLE if name in given and given[name] != getattr(found, name)]
    for name in fields:
        setattr(found, name, given[name])
    if "role_arn" in fields:
        found.proved_at = None
    if fields:
        found.save(update_fields=[*fields, "proved_at"])
        _tell(found, Happening("aws.account_changed", {"fields": fields}), by, at)
    return found


def _demand_contact(account: Account, contact: User | None) -> None:
    if contact and not Membership.objects.filter(user=contact, customer=account.customer, is_active=True).exists():
        raise Refused("contact", _("Choose somebody of the company."))


@transaction.atomic
def deactivate_account(*, account: Account, by: User, at: datetime) -> Account:
    """Is read no more; what was read stays. A second time does nothing."""
    return _switch(_locked(account, by), False, Happening("aws.account_deactivated"), by, at)


@transaction.atomic
def activate_account(*, account: Account, by: User, at: datetime) -> Account:
    """Is read again, where it is still proved."""
    return _switch(_locked(account, by), True, Happening("aws.account_activated"), by, at)


def _switch(account: Account, is_active: bool, happening: Happening, by: User, at: datetime) -> Account:
    if account.is_active != is_active:
        account.is_active = is_active
        account.save(update_fields=["is_active"])
        if is_active:
            Poll.objects.filter(account=account).update(next_at=at)
        _tell(account, happening, by, at)
    return account


# --- ExternalId ------------------------------------------------------------------------------------------------------


@transaction.atomic
def rotate_external_id(*, account: Account, by: User, at: datetime) -> tuple[Account, str]:
    """A new ExternalId, shown once. The old one keeps us in until a test has proved the new one (testing.py); where
    nothing was proved yet there is no old one to keep."""
    found = _locked(account, by)
    fresh = fresh_external_id()
    found.external_id_shown_at = at.replace(microsecond=0)
    if found.proved_at:
        found.next_external_id = fresh
    else:
        found.external_id = fresh
    found.save(update_fields=["external_id", "next_external_id", "external_id_shown_at"])
    _tell(found, Happening("aws.external_id_rotated"), by, at)
    return found, fresh


@transaction.atomic
def note_test(
    *,
    account: Account,
    proved: bool,
    open_to_all: bool,
    uses_next: bool,
    severities: Sequence[str],
    failed: Sequence[str],
    by: User,
    at: datetime,
) -> Account:
    """What a test found (testing.py).

    A proof lets the readings begin and the next ExternalId take its place. A role that is open to all takes an older
    proof away; any other failure leaves it, because the readings say how the account stands.
    """
    found = _locked(account, by)
    at = at.replace(microsecond=0)
    if proved:
        found.proved_at = at
        Poll.objects.update_or_create(account=found, create_defaults={"next_at": at}, defaults={"next_at": at})
        if uses_next and found.next_external_id:
            found.external_id, found.next_external_id = found.next_external_id, None
    elif open_to_all:
        found.proved_at = None
    if severities:
        found.severities, found.severities_at = list(severities), at
    found.save(update_fields=["proved_at", "external_id", "next_external_id", "severities", "severities_at"])
    _tell(found, Happening("aws.account_tested", {"proved": proved, "failed": list(failed)}), by, at)
    return found


# --- How the customer hears ------------------------------------------------------------------------------------------


@transaction.atomic
def set_notice_only(*, customer: Customer, notice_only: bool, by: User, at: datetime) -> Setting:
    """Whether the customer reads what AWS says at once, or is told and reads it once an engineer has."""
    demand(by)
    setting = Setting.objects.select_for_update().filter(customer=customer).first() or Setting(customer=customer)
    if setting.notice_only != notice_only or setting._state.adding:
        setting.notice_only = notice_only
        setting.save()
        happening = Happening("aws.notice_changed", {"notice_only": notice_only})
        record([happening], by=by, at=at, subject=f"customer:{customer.pk}", customer=customer.pk)
    return setting


# --- What the verbs share --------------------------------------------------------------------------------------------


def demand(by: User) -> None:
    """The action's own lock: doors ask before, so that a stranger meets a 404."""
    if not may(by, Right.AWS):
        raise PermissionDenied


def _locked(account: Account, by: User) -> Account:
    demand(by)
    found: Account = Account.objects.select_for_update(of=("self",)).select_related("customer").get(pk=account.pk)
    return found


def _tell(account: Account, happening: Happening, by: User, at: datetime) -> None:
    record([happening], by=by, at=at, subject=subject_of(account), customer=account.customer_id)
