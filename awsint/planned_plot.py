"""How many customers were told so many days ahead: a bar a day, and a line where the promise begins. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from awsint.planned import KEPT, Lead, in_days

WIDTH, TALL, TOP, BASE = 1000.0, 190.0, 26.0, 160.0
# The last bar has all that were told earlier still.
LONGEST = 21
GAP = 0.25
LEAST = 2.0


@dataclass(frozen=True)
class Bar:
    """Those of one day: kept ones stand on missed ones. `days` is -1 for what was told only once it had begun."""

    days: int
    x: float
    middle: float
    width: float
    kept: int
    kept_y: float
    kept_tall: float
    missed: int
    missed_y: float
    missed_tall: float
    more: bool


@dataclass(frozen=True)
class Plot:
    bars: tuple[Bar, ...]
    line_x: float
    most: int
    width: float = WIDTH
    height: float = TALL
    top: float = TOP
    base: float = BASE
    foot: float = TALL - 8


def plot(leads: Iterable[Lead], days: int) -> Plot | None:
    """None where nobody was told of anything."""
    kept, missed = Counter[int](), Counter[int]()
    for one in leads:
        place = in_days(one.lead)
        if place is not None:
            (kept if one.why == KEPT else missed)[max(-1, min(place, LONGEST))] += 1
    most = max(((kept + missed)[place] for place in kept | missed), default=0)
    if not most:
        return None
    bars = tuple(_bar(place, kept[place], missed[place], most) for place in range(-1, LONGEST + 1))
    return Plot(bars, round(_x(min(days, LONGEST)), 1), most)


def _x(place: int) -> float:
    return (place + 1) * WIDTH / (LONGEST + 2)


def _bar(place: int, kept: int, missed: int, most: int) -> Bar:
    step = WIDTH / (LONGEST + 2)
    width = round(step * (1 - GAP), 1)
    x = round(_x(place) + step * GAP / 2, 1)
    low, high = _tall(missed, most), _tall(kept, most)
    return Bar(
        days=place,
        x=x,
        middle=round(x + width / 2, 1),
        width=width,
        kept=kept,
        kept_y=round(BASE - low - high, 1),
        kept_tall=high,
        missed=missed,
        missed_y=round(BASE - low, 1),
        missed_tall=low,
        more=place == LONGEST,
    )


def _tall(number: int, most: int) -> float:
    return round(max(LEAST, (BASE - TOP) * number / most), 1) if number else 0.0
