"""Where bars, lines and tiles stand: tables and properties of a pure rule."""

from fractions import Fraction
from typing import Any

import pytest
from django.template.loader import render_to_string
from hypothesis import given
from hypothesis import strategies as st

from sla import plots
from sla.attainment import Attainment

COUNTS = st.lists(st.builds(Attainment, st.integers(0, 5000), st.integers(0, 300)), min_size=1, max_size=120)


def labels(values: list[Attainment]) -> list[str]:
    return [str(place) for place in range(len(values))]


@pytest.mark.parametrize(
    ("most", "top"), [(0, 1), (1, 1), (2, 2), (3, 5), (6, 10), (16, 20), (21, 50), (51, 100), (999, 1000)]
)
def test_a_scale_ends_at_a_round_number(most: int, top: int) -> None:
    assert plots.round_up(most) == top


@given(COUNTS)
def test_bars_stay_in_their_lane_and_do_not_touch(values: list[Attainment]) -> None:
    lane = plots.bars([("response", values)], labels(values)).lanes[0]
    assert len(lane.bars) == sum(value.decided > 0 for value in values)
    for bar in lane.bars:
        assert lane.top - 2 * plots.LEAST <= bar.met_y <= lane.base
        assert bar.missed_height == pytest.approx(lane.base - bar.missed_y, abs=0.11)
        assert (bar.missed_height > 0) == (bar.missed > 0), "the smallest miss is seen"
        assert bar.x >= plots.LEFT
        assert bar.x + bar.width <= plots.WIDTH + 0.1
    for one, after in zip(lane.bars, lane.bars[1:], strict=False):
        assert one.x + one.width <= after.x + 0.1


@given(COUNTS)
def test_a_line_breaks_where_nothing_was_decided(values: list[Attainment]) -> None:
    lane = plots.trend([("response", values)], labels(values)).lanes[0]
    assert len(lane.points) == sum(value.decided > 0 for value in values)
    for point in lane.points:
        assert lane.top <= point.y <= lane.base
    drawn = sum(len(line.split()) for line in lane.lines)
    assert drawn <= len(lane.points)
    assert [p.fell for p in lane.points] == [v.breached > 0 for v in values if v.decided]


@pytest.mark.parametrize(
    ("least", "floor"), [("1", 99), ("99/100", 99), ("98/100", 95), ("8/9", 80), ("1/2", 50), ("1/3", 0)]
)
def test_the_scale_of_a_share_begins_as_high_as_it_can(least: str, floor: int) -> None:
    assert plots.floor_of([Fraction(1), Fraction(least)]) == Fraction(floor, 100)


def test_a_strip_has_a_tile_a_day() -> None:
    tiles = plots.strip([Attainment(3), Attainment(), Attainment(2, 1)])
    assert [tile.kind for tile in tiles] == ["met", "none", "missed"]
    assert [tile.x for tile in tiles] == ["0.00%", "33.33%", "66.67%"]


@pytest.mark.parametrize(("part", "draw"), [("_bars", plots.bars), ("_trend", plots.trend)])
def test_a_picture_says_its_misses_in_words_and_carries_no_style(part: str, draw: Any) -> None:
    plot = draw([("Response", [Attainment(8, 1), Attainment()])], ["2 Mar", "9 Mar"])
    page = render_to_string(f"parts/{part}.html", {"plot": plot, "title": "8 of 9 <met>", "id": "p"})
    assert "8 of 9 &lt;met&gt;" in page
    assert 'class="missed"' in page
    assert "style=" not in page
    assert "2 Mar" in page
