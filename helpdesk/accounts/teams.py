"""Who looks after a customer: the colleagues that see it where it is restricted, and its named engineer."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.doors import Refused
from helpdesk.accounts.models import Customer, CustomerTeam, User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.record import Happening, record


@transaction.atomic
def join_team(*, person: User, customer: Customer, named: bool, by: User, at: datetime) -> None:
    """Puts a colleague on a customer's team; `named` makes them its engineer. Raises Refused, PermissionDenied."""
    _demand(by)
    person = User.objects.select_for_update().get(pk=person.pk)
    if not person.is_desk:
        raise Refused("customer", _("Only colleagues who work tickets are on a team."))
    known = CustomerTeam.objects.filter(user=person, customer=customer).first()
    if known is None or known.named != named:
        CustomerTeam.objects.update_or_create(user=person, customer=customer, defaults={"named": named})
        data = {"customer": str(customer.pk), "named": named}
        record([Happening("account.team_joined", data)], by=by, at=at, subject=person.key)


@transaction.atomic
def leave_team(*, person: User, customer: Customer, by: User, at: datetime) -> None:
    """Takes a colleague off a customer's team."""
    _demand(by)
    if CustomerTeam.objects.filter(user=person, customer=customer).delete()[0]:
        data = {"customer": str(customer.pk)}
        record([Happening("account.team_left", data)], by=by, at=at, subject=person.key)


def _demand(by: User) -> None:
    if not may(by, Right.TEAMS):
        raise PermissionDenied
