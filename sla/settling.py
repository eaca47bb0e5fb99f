"""That a credit was deducted from an invoice is said once, by an administrator, and stays said."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.doors import Refused as Refused
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.record import Happening, record
from sla.models import CreditRow, Settlement


@transaction.atomic
def settle(*, credit: CreditRow, invoice: str, by: User, at: datetime) -> Settlement:
    """Writes down on which invoice a credit was deducted. Raises Refused, PermissionDenied."""
    if not may(by, Right.ADMIN):
        raise PermissionDenied
    if not credit.amount:
        raise Refused("", _("There is nothing to deduct: the credit is 0."))
    try:
        with transaction.atomic():
            made = Settlement.objects.create(credit=credit, invoice=invoice, by=by, at=at)
    except IntegrityError:
        raise Refused("", _("Somebody else has marked this credit as deducted meanwhile.")) from None
    happening = Happening("credit.settled", {"month": f"{credit.month:%Y-%m}"})
    record([happening], by=by, at=at, subject=f"customer:{credit.customer_id}", customer=credit.customer_id)
    return made
