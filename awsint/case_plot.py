"""Where the bars of a report's plot stand (looks.md, "Plots"): from within which half happened to within which nine of
ten did, on a scale that goes by powers, because minutes and weeks stand side by side. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from awsint.case_report import Row, Span

WIDTH, LEFT, RIGHT, TOP, EACH, TALL = 1000.0, 190.0, 30.0, 26.0, 34.0, 11.0
LEAST_S, MOST_S = 60.0, 90 * 86400.0
# Seconds that have a line of their own.
TICKS = (60, 600, 3600, 6 * 3600, 86400, 7 * 86400, 30 * 86400)
NARROWEST = 3.0
MOST_LINES = 12


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    ours: bool
    half: float
    most: float


@dataclass(frozen=True)
class Lane:
    name: str
    y: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Tick:
    x: float
    seconds: int


@dataclass(frozen=True)
class Plot:
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    height: float
    width: float = WIDTH
    left: float = LEFT
    top: float = TOP
    tall: float = TALL

    @property
    def foot(self) -> float:
        return self.height - 6


def plot(rows: Sequence[Row], what: str) -> Plot | None:
    """`what` is "first" or "close"; None where nothing happened."""
    told = [row for row in rows if _spans(row, what)[0].count or _spans(row, what)[1].count][:MOST_LINES]
    if not told:
        return None
    lanes = tuple(_lane(place, row, what) for place, row in enumerate(told))
    ticks = tuple(Tick(_x(one), one) for one in TICKS)
    return Plot(lanes, ticks, TOP + len(lanes) * EACH + 24)


def _spans(row: Row, what: str) -> tuple[Span, Span]:
    return (row.aws_first, row.our_first) if what == "first" else (row.aws_close, row.our_close)


def _lane(place: int, row: Row, what: str) -> Lane:
    y = TOP + place * EACH
    bars = [
        _bar(span, y + 3 + ours * (TALL + 2), ours=bool(ours))
        for ours, span in enumerate(_spans(row, what))
        if span.count
    ]
    return Lane(row.name, y, tuple(bars))


def _bar(span: Span, y: float, *, ours: bool) -> Bar:
    half, most = span.half or 0.0, span.most or 0.0
    begin, end = _x(half), _x(most)
    return Bar(begin, round(y, 1), max(NARROWEST, round(end - begin, 1)), ours, half, most)


def _x(seconds: float) -> float:
    share = math.log(min(max(seconds, LEAST_S), MOST_S) / LEAST_S) / math.log(MOST_S / LEAST_S)
    return round(LEFT + (WIDTH - LEFT - RIGHT) * share, 1)
