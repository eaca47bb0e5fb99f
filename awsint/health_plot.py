"""Where the events of a page stand in time: one bar each, from AWS's beginning to its end, for an SVG. Pure.

The picture always begins thirty days ago, so that a bar means the same length on every page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WIDTH, LEFT, TOP, ROW, BAR = 1000.0, 250.0, 10.0, 18.0, 10.0
LEAST = 4.0
BACK = timedelta(days=30)
AHEAD = timedelta(days=1)
MARKS = 6
LONGEST_LABEL = 34


@dataclass(frozen=True)
class Span:
    """One event: when it begins and ends, and how it stands ("open", "upcoming", "closed")."""

    label: str
    begin: datetime
    end: datetime | None
    kind: str


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    text_y: float
    label: str
    whole: str
    kind: str
    height: float = BAR


@dataclass(frozen=True)
class Timeline:
    """`marks` are places with the instants they stand for; `now_x` is today."""

    height: float
    bars: tuple[Bar, ...]
    marks: tuple[tuple[float, datetime], ...]
    now_x: float
    left: float = LEFT
    width: float = WIDTH
    top: float = TOP

    @property
    def base(self) -> float:
        return self.height - 22

    @property
    def foot(self) -> float:
        return self.height - 6


def timeline(spans: Sequence[Span], now: datetime) -> Timeline | None:
    """The spans in their order, but those that were over before the picture begins; None where nothing is left."""
    begin = now - BACK
    spans = [span for span in spans if _until(span, now) >= begin]
    if not spans:
        return None
    end = max([now, *[span.begin for span in spans], *[span.end for span in spans if span.end]]) + AHEAD
    end = min(end, now + 30 * AHEAD)

    def place(at: datetime) -> float:
        part = (min(max(at, begin), end) - begin) / (end - begin)
        return round(LEFT + (WIDTH - LEFT) * part, 1)

    bars = tuple(_bar(number, span, place, now) for number, span in enumerate(spans))
    step = (end - begin) / MARKS
    marks = tuple((place(begin + step * (n + 0.5)), begin + step * (n + 0.5)) for n in range(MARKS))
    return Timeline(TOP + ROW * len(spans) + 28, bars, marks, place(now))


def _bar(number: int, span: Span, place: Callable[[datetime], float], now: datetime) -> Bar:
    x, y = place(span.begin), TOP + ROW * number
    width = max(LEAST, round(place(_until(span, now)) - x, 1))
    x = min(x, WIDTH - width)
    short = span.label if len(span.label) <= LONGEST_LABEL else span.label[: LONGEST_LABEL - 1] + "…"
    return Bar(x, y, width, y + BAR - 1, short, span.label, span.kind)


def _until(span: Span, now: datetime) -> datetime:
    return span.end or (max(now, span.begin) if span.kind != "closed" else span.begin)
