"""How well promises were kept, as a fraction that is never made to look better (sla.md, "Attainment"). Pure.

attainment = met / (met + breached). It is compared as an exact fraction and printed with two decimals, rounded down:
19,999 of 20,000 are 99.99 %, and nothing decided is a dash and not a hundred.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Self

NOTHING = "—"


@dataclass(frozen=True, slots=True)
class Attainment:
    """How many decided clocks were met and how many breached."""

    met: int = 0
    breached: int = 0

    def __add__(self, other: Self) -> "Attainment":
        return Attainment(self.met + other.met, self.breached + other.breached)

    @property
    def decided(self) -> int:
        return self.met + self.breached

    @property
    def share(self) -> Fraction | None:
        """Between 0 and 1; None where nothing was decided."""
        return Fraction(self.met, self.decided) if self.decided else None

    def excused(self, clocks: int) -> "Attainment":
        """The net figure: so many of the breaches do not count."""
        return Attainment(self.met, max(0, self.breached - clocks))

    def __str__(self) -> str:
        return percent(self.share)


def percent(share: Fraction | None) -> str:
    """ "88.88 %": two decimals, rounded down; a dash for nothing."""
    if share is None:
        return NOTHING
    hundredths = share.numerator * 10_000 // share.denominator
    return f"{hundredths // 100}.{hundredths % 100:02} %"
