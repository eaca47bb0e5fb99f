"""Attainment is never made to look better, and credits come out to the cent."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla.attainment import Attainment, percent
from sla.credits import credit


@pytest.mark.parametrize(
    ("met", "breached", "printed"),
    [
        (8, 1, "88.88 %"),
        (19_999, 1, "99.99 %"),
        (0, 0, "—"),
        (8, 0, "100.00 %"),
        (0, 3, "0.00 %"),
        (1, 2, "33.33 %"),
        (199_999, 1, "99.99 %"),
    ],
)
def test_two_decimals_rounded_down(met: int, breached: int, printed: str) -> None:
    assert str(Attainment(met, breached)) == printed


def test_an_excused_breach_leaves_the_gross_figure_and_lifts_the_net_one() -> None:
    gross = Attainment(8, 1)
    assert (str(gross), str(gross.excused(1))) == ("88.88 %", "100.00 %")


def test_response_and_resolution_add_up_only_where_somebody_adds_them() -> None:
    assert Attainment(3, 1) + Attainment(5, 0) == Attainment(8, 1)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_a_hundred_percent_is_printed_only_without_a_breach(met: int, breached: int) -> None:
    said = str(Attainment(met, breached))
    assert (said == "100.00 %") == (breached == 0 and met > 0)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.fractions(0, 1))
def test_what_is_printed_is_never_more_than_what_is(share: Fraction) -> None:
    printed = Fraction(percent(share).removesuffix(" %")) / 100
    assert printed <= share < printed + Fraction(1, 10_000)


@pytest.mark.parametrize(
    ("met", "breached", "critical", "fee", "amount"),
    [
        # C1 to C4 of the paper.
        (17, 2, False, "20000.00", "2000.00"),
        (19, 1, False, "20000.00", "0.00"),
        (2, 1, True, "8888.88", "444.44"),
        (0, 0, False, "20000.00", "0.00"),
        # The edges of the table, as exact fractions.
        (9499, 501, False, "100.00", "5.00"),
        (9, 1, False, "100.00", "5.00"),
        (8999, 1001, False, "100.00", "10.00"),
        (4, 1, False, "100.00", "10.00"),
        (7999, 2001, False, "100.00", "20.00"),
        (0, 9, True, "100.00", "20.00"),
        # Fewer than five: only a critical one counts.
        (3, 1, False, "100.00", "0.00"),
        # Half a cent goes up.
        (9, 1, False, "0.10", "0.01"),
    ],
)
def test_a_months_credit(met: int, breached: int, critical: bool, fee: str, amount: str) -> None:
    found = credit(Attainment(met, breached), critical_breached=critical, fee=Decimal(fee))
    assert found.amount == Decimal(amount)


def test_a_fee_below_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        credit(Attainment(1, 9), critical_breached=False, fee=Decimal("-1"))
