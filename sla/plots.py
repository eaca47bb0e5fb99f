"""Where the bars and lines of a plot stand: numbers for an SVG, from figures (looks.md, "Plots"). Pure.

What was met is an outline, what was missed is solid, stands at the foot of its bar and has its count below; where
nothing was decided there is nothing. Lanes of one picture share their days and each has its own height. Every plot
stands above its table, so a plot says nothing that is not said in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from sla.attainment import Attainment

WIDTH, LEFT, TOP, TALL, APART, FOOT = 1000.0, 64.0, 28.0, 100.0, 154.0, 24.0
# A bar takes so much of its place; no bar is wider than this.
SHARE, WIDEST = 0.8, 64.0
# The smallest bar that can still be seen.
LEAST = 2.0
# More labels than this run into each other.
MOST_LABELS = 8
# Round numbers for the top of a scale.
STEPS = (1, 2, 5)
# Where the scale of a share may begin: as high as it can, so that what is lost is seen.
FLOORS = [Fraction(part, 100) for part in (99, 95, 90, 80, 50, 0)]


@dataclass(frozen=True)
class Bar:
    """One bar: what was met stands on what was missed. Heights are 0 where there is none."""

    x: float
    width: float
    met_y: float
    met_height: float
    missed_y: float
    missed_height: float
    missed: int
    label: str

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True)
class Point:
    """One value of a line; `fell` where something was missed."""

    x: float
    y: float
    fell: bool
    label: str


@dataclass(frozen=True)
class Lane:
    """One row of a picture: its name, the lines its scale stands between, and what is drawn."""

    name: str
    top: float
    base: float
    most: str
    least: str
    bars: tuple[Bar, ...] = ()
    points: tuple[Point, ...] = ()
    # Each stretch without a gap, as the `points` of a polyline.
    lines: tuple[str, ...] = ()

    @property
    def under(self) -> float:
        """Where counts stand."""
        return self.base + 13

    @property
    def name_y(self) -> float:
        """Above its lane: a name may be longer than the room beside it."""
        return self.top - 12

    @property
    def most_y(self) -> float:
        return self.top + 4


@dataclass(frozen=True)
class Mark:
    """A word under the picture."""

    x: float
    text: str


@dataclass(frozen=True)
class Plot:
    height: float
    lanes: tuple[Lane, ...]
    marks: tuple[Mark, ...]
    width: float = WIDTH
    left: float = LEFT

    @property
    def foot(self) -> float:
        """Where the words under the picture stand."""
        return self.height - 4


Named = tuple[str, Sequence[Attainment]]


def bars(lanes: Sequence[Named], labels: Sequence[str]) -> Plot:
    """How much was decided in each stretch of time, and how much of it was missed."""
    drawn = tuple(_bar_lane(n, name, values, labels) for n, (name, values) in enumerate(lanes))
    return _plot(drawn, labels)


def trend(lanes: Sequence[Named], labels: Sequence[str]) -> Plot:
    """The share that was met in each stretch of time; the line breaks where nothing was decided."""
    drawn = tuple(_trend_lane(n, name, values, labels) for n, (name, values) in enumerate(lanes))
    return _plot(drawn, labels)


def _plot(lanes: tuple[Lane, ...], labels: Sequence[str]) -> Plot:
    last = lanes[-1].base if lanes else TOP
    return Plot(height=last + 18 + FOOT, lanes=lanes, marks=_marks(labels))


def _marks(labels: Sequence[str]) -> tuple[Mark, ...]:
    every = -(-len(labels) // MOST_LABELS) or 1
    return tuple(Mark(_middle(place, len(labels)), text) for place, text in enumerate(labels) if place % every == 0)


def _middle(place: int, count: int) -> float:
    return round(LEFT + (WIDTH - LEFT) * (place + 0.5) / count, 1)


def _bar_lane(number: int, name: str, values: Sequence[Attainment], labels: Sequence[str]) -> Lane:
    top = TOP + number * APART
    base = top + TALL
    most = round_up(max((value.decided for value in values), default=0))
    drawn = [
        _bar(_middle(place, len(values)), len(values), value, label, base, most)
        for place, (value, label) in enumerate(zip(values, labels, strict=True))
        if value.decided
    ]
    return Lane(name, top, base, f"{most:,}", "0", bars=tuple(drawn))


def _bar(middle: float, count: int, value: Attainment, label: str, base: float, most: int) -> Bar:
    width = min(WIDEST, (WIDTH - LEFT) / count * SHARE)
    missed = max(LEAST, TALL * value.breached / most) if value.breached else 0.0
    # A gap of one unit parts the two, where both are there.
    gap = 1.0 if value.met and value.breached else 0.0
    met = max(0.0, TALL * value.decided / most - missed - gap) if value.met else 0.0
    return Bar(
        x=round(middle - width / 2, 1),
        width=round(width, 1),
        met_y=round(base - missed - gap - met, 1),
        met_height=round(met, 1),
        missed_y=round(base - missed, 1),
        missed_height=round(missed, 1),
        missed=value.breached,
        label=f"{label}: {value.met} / {value.decided}",
    )


def round_up(most: int) -> int:
    """The next round number, at least 1: 1, 2, 5, 10, 20, 50 ..."""
    power = 1
    while True:
        for step in STEPS:
            if step * power >= max(1, most):
                return step * power
        power *= 10


def _trend_lane(number: int, name: str, values: Sequence[Attainment], labels: Sequence[str]) -> Lane:
    top = TOP + number * APART
    base = top + TALL
    floor = floor_of([value.share for value in values if value.share is not None])
    points: list[Point] = []
    stretches: list[list[str]] = [[]]
    for place, (value, label) in enumerate(zip(values, labels, strict=True)):
        if value.share is None:
            stretches.append([])
            continue
        y = round(base - TALL * float((value.share - floor) / (1 - floor)), 1)
        point = Point(_middle(place, len(values)), y, value.breached > 0, f"{label}: {value}")
        points.append(point)
        stretches[-1].append(f"{point.x},{point.y}")
    lines = tuple(" ".join(stretch) for stretch in stretches if len(stretch) > 1)
    return Lane(name, top, base, "100 %", f"{int(floor * 100)} %", points=tuple(points), lines=lines)


def floor_of(shares: Sequence[Fraction]) -> Fraction:
    """The highest of FLOORS that lies under every share."""
    least = min(shares, default=Fraction(1))
    return next(floor for floor in FLOORS if least >= floor)


# --- One line of a table ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tile:
    """One day of a strip, in per cent of its width."""

    x: str
    width: str
    kind: str


def strip(values: Sequence[Attainment]) -> list[Tile]:
    """A day is an outline where all was met, solid where something was missed, a dash where nothing was decided."""
    count = len(values) or 1
    width = f"{100 / count * 0.78:.2f}%"
    return [Tile(f"{100 * place / count:.2f}%", width, _kind(value)) for place, value in enumerate(values)]


def _kind(value: Attainment) -> str:
    if not value.decided:
        return "none"
    return "missed" if value.breached else "met"
