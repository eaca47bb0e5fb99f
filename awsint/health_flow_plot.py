"""Where the boxes and arrows of the flow of AWS Health stand in its picture: three columns, from top to bottom, narrow
enough for a phone. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

WIDTH, BOX, TALL, ROW, TOP = 420, 128, 38, 78, 8
COLUMNS = {"left": 68, "mid": 210, "right": 352, "between": 139}
# Each stage: column and row.
PLACES = {
    "aws": ("mid", 0), "rule": ("left", 1), "poll": ("right", 1), "bus": ("left", 2), "queue": ("left", 3),
    "inbox": ("left", 4), "aside": ("mid", 4), "take": ("mid", 5), "decide": ("mid", 6), "suppressed": ("left", 7),
    "parents": ("mid", 7), "stored": ("right", 7), "children": ("mid", 8), "notices": ("left", 9), "news": ("mid", 9),
    "finished": ("right", 9), "letters": ("between", 10), "accepted": ("left", 11), "failed": ("mid", 11),
    "turned_down": ("right", 11), "delivered": ("left", 12), "bounced": ("mid", 12), "unsaid": ("right", 12),
}  # fmt: skip
# Each way: its number's name, from where, to where, and how it arrives ("down" from above, "side" level).
WAYS = {
    "rule": ("aws", "rule", "down"),
    "polls": ("aws", "poll", "down"),
    "bus": ("rule", "bus", "down"),
    "queue": ("bus", "queue", "down"),
    "received": ("queue", "inbox", "down"),
    "aside": ("inbox", "aside", "side"),
    "taken": ("inbox", "take", "side"),
    "polled": ("poll", "take", "side"),
    "events": ("take", "decide", "down"),
    "suppressed": ("decide", "suppressed", "down"),
    "parents": ("decide", "parents", "down"),
    "stored": ("decide", "stored", "down"),
    "children": ("parents", "children", "down"),
    "notices": ("children", "notices", "down"),
    "news": ("children", "news", "down"),
    "finished": ("children", "finished", "down"),
    "letters_of_notices": ("notices", "letters", "down"),
    "letters_of_news": ("news", "letters", "down"),
    "accepted": ("letters", "accepted", "down"),
    "failed": ("letters", "failed", "down"),
    "turned_down": ("letters", "turned_down", "down"),
    "delivered": ("accepted", "delivered", "down"),
    "bounced": ("accepted", "bounced", "down"),
    "unsaid": ("accepted", "unsaid", "down"),
}
# What a person should look at where it is not nothing.
HOT = ("aside", "failed", "turned_down", "bounced")
HEAD = 5


@dataclass(frozen=True)
class Node:
    x: int
    y: int
    text_x: int
    text_y: int
    label: str
    kind: str
    width: int = BOX
    height: int = TALL


@dataclass(frozen=True)
class Arrow:
    """`path` of an SVG, and the number beside its end; none where two ways meet."""

    path: str
    text: str
    text_x: int
    text_y: int
    anchor: str


@dataclass(frozen=True)
class Picture:
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]
    width: int = WIDTH
    height: int = TOP + 12 * ROW + TALL + 8


def drawn(labels: Mapping[str, str], numbers: Mapping[str, str]) -> Picture:
    nodes = tuple(_node(name, labels[name], numbers.get(name, "")) for name in PLACES)
    return Picture(nodes, tuple(_arrow(name, numbers[name]) for name in WAYS))


def _centre(name: str) -> tuple[int, int]:
    column, row = PLACES[name]
    return COLUMNS[column], TOP + row * ROW + TALL // 2


def _node(name: str, label: str, number: str) -> Node:
    x, y = _centre(name)
    hot = name in HOT and number not in ("", "0")
    return Node(x - BOX // 2, y - TALL // 2, x, y + 4, label, "hot" if hot else "plain")


def _arrow(name: str, number: str) -> Arrow:
    source, target, how = WAYS[name]
    (x1, y1), (x2, y2) = _centre(source), _centre(target)
    if how == "side":
        return _level(x1, y1, x2, y2, number)
    begin, end = y1 + TALL // 2, y2 - TALL // 2 - HEAD
    turn = y1 + ROW // 2 - 4
    path = f"M{x1} {begin}V{end}" if x1 == x2 else f"M{x1} {begin}V{turn}H{x2}V{end}"
    if name.startswith("letters_of"):
        # Their numbers stand on the ways before.
        return Arrow(path, "", 0, 0, "start")
    return Arrow(path, number, x2 + 7, end - 3, "start")


def _level(x1: int, y1: int, x2: int, y2: int, number: str) -> Arrow:
    """Down to the target's height, where it is not there already, and into its side."""
    right = x2 > x1
    edge = x2 + (-BOX // 2 - HEAD if right else BOX // 2 + HEAD)
    if y1 == y2:
        begin = x1 + BOX // 2
        return Arrow(f"M{begin} {y1}H{edge}", number, (begin + edge) // 2, y1 - 22, "middle")
    path = f"M{x1} {y1 + TALL // 2}V{y2}H{edge}"
    return Arrow(path, number, x1 + (7 if right else -7), y2 - 8, "start" if right else "end")
