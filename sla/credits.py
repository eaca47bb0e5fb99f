"""What a month of broken promises is worth to a customer (sla.md, "Credits"). Pure, in whole cents by way of Decimal.

By net attainment of response and resolution clocks together, a share of that month's support fee by the steps of
terms.py, which the policy prints. Of fewer than five decided clocks an attainment says little: then only a critical one
that was breached brings a credit. Compared as exact fractions, rounded half up to 0.01.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from sla import terms
from sla.attainment import Attainment

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Credit:
    """`percent` of the month's fee, and the amount that makes."""

    percent: int
    amount: Decimal


def credit(attained: Attainment, *, critical_breached: bool, fee: Decimal) -> Credit:
    """The credit of one customer's month. `attained` is net; raises ValueError for a negative fee."""
    if fee < 0:
        raise ValueError("a fee is not negative")
    percent = _percent(attained, critical_breached)
    return Credit(percent, (fee * percent / 100).quantize(CENT, ROUND_HALF_UP))


def _percent(attained: Attainment, critical_breached: bool) -> int:
    share = attained.share
    if share is None or attained.decided < terms.FEWEST_CLOCKS:
        return terms.FEW_CREDIT if critical_breached else 0
    found = next(percent for least, percent in terms.CREDITS if share >= Fraction(least, 100))
    return min(found, terms.CREDIT_CAP)
