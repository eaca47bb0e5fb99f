"""Who may open the pages of AWS: the desk and auditors read, those with Right.AWS manage, to everybody else there are
none. An account is reached only through what its reader may see."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404

from awsint.models import Account, Organization
from helpdesk.accounts.doors import PersonRequest
from helpdesk.accounts.models import StaffRole, User
from helpdesk.accounts.permissions import Right, may

View = Callable[..., HttpResponseBase]


def may_read(user: User) -> bool:
    return user.is_desk or (user.is_active and user.staff_role == StaffRole.AUDITOR)


def may_manage(user: User) -> bool:
    return may(user, Right.AWS)


def _only(allowed: Callable[[User], bool]) -> Callable[[View], View]:
    def guard(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: PersonRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not allowed(request.user):
                raise Http404
            return view(request, *args, **kwargs)

        return guarded

    return guard


# The desk, and auditors by number.
readers_only = _only(may_read)
# Those who work with customers: no auditors.
desk_only = _only(lambda user: user.is_desk)
# Leads and administrators.
managers_only = _only(may_manage)


def access_account(user: User, pk: int) -> Account:
    """The account with its customer, reading and last test, where this person may see it. Raises Http404."""
    found = Account.objects.visible_to(user).select_related("customer", "poll", "test", "organization", "contact")
    account: Account = get_object_or_404(found, pk=pk)
    return account


def access_organization(pk: int) -> Organization:
    """The organization; for managers, who see every customer. Raises Http404."""
    return get_object_or_404(Organization.objects.select_related("customer", "listing"), pk=pk)
