"""The desk's own colour, as text may wear it: readable on every surface, by day and by night. Pure.

Contrast is WCAG's: (lighter + 0.05) / (darker + 0.05) of the relative luminances. A colour is given for light paper;
what the dark look needs is made of it.
"""

import re
from collections.abc import Iterator

HEX = re.compile(r"#[0-9a-f]{6}")
READABLE = 4.5
# The surfaces of static/css/tokens.css that text in the accent stands on.
LIGHT, LIGHT_WELL = "#ffffff", "#f0eeea"
DARK, DARK_WELL = "#1b1b1a", "#272725"
WHITE, BLACK = "#ffffff", "#000000"


def contrast(one: str, other: str) -> float:
    """Between 1 and 21, of two colours as #rrggbb."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (p / 255 for p in _parts(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _parts(colour: str) -> list[int]:
    return [int(colour[n : n + 2], 16) for n in (1, 3, 5)]


def mixed(one: str, other: str, share: float) -> str:
    """`one` with a `share` (0 to 1) of `other` in it."""
    pairs = zip(_parts(one), _parts(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def tokens(colour: str) -> dict[str, tuple[str, str]]:
    """{token: (by day, by night)} for the names of tokens.css that the accent has."""
    day = next(c for c in _towards(colour, BLACK) if _reads(c, LIGHT_WELL, mixed(c, LIGHT, 0.9)))
    night = next(c for c in _towards(colour, WHITE) if _reads(c, DARK_WELL, mixed(c, DARK, 0.85)))
    return {
        "accent": (day, night),
        "accent-strong": (mixed(day, BLACK, 0.25), mixed(night, WHITE, 0.35)),
        "accent-soft": (mixed(day, LIGHT, 0.9), mixed(night, DARK, 0.85)),
        "on-accent": (WHITE, next(c for c in _towards(mixed(colour, BLACK, 0.5), BLACK) if _reads(c, night))),
    }


def _towards(colour: str, end: str) -> Iterator[str]:
    return (mixed(colour, end, step / 20) for step in range(21))


def _reads(colour: str, *surfaces: str) -> bool:
    return all(contrast(colour, surface) >= READABLE for surface in surfaces)
