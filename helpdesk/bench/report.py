"""The bench in words: a table with verdicts, and what is kept of a run to compare the next one with."""

import json
from pathlib import Path
from typing import Any

from helpdesk.bench.client import Taken
from helpdesk.bench.pages import Page

# How much slower than with 100,000 tickets a page may be with a million.
MOST_RATIO = 1.3
BASE = "100000"


def table(rows: list[list[str]]) -> str:
    """Columns as wide as they must be; the first is words, the rest numbers."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.ljust(w) if n == 0 or n == len(widths) - 1 else cell.rjust(w) for n, (cell, w) in pairs(row, widths)
        )
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in [lines[0], "-" * len(lines[0]), *lines[1:]])


def pairs(row: list[str], widths: list[int]) -> list[tuple[int, tuple[str, int]]]:
    return list(enumerate(zip(row, widths, strict=True)))


def head() -> list[str]:
    return ["what", "p50 ms", "p95 ms", "with 8, /s", "kB", "statements", "target", "verdict"]


def row(page: Page, taken: Taken, statements: int, other: int) -> list[str]:
    """A line of the table. `other` is the count with another number of rows, 0 where there is none."""
    counted = f"{statements}" if other in (0, statements) else f"{statements} or {other}"
    target = page.target
    return [
        page.name,
        f"{taken.p50_ms:.1f}",
        f"{taken.p95_ms:.1f}",
        f"{taken.per_s:.0f}",
        f"{taken.bytes / 1000:.1f}",
        counted,
        f"<= {target.ms:.0f} ms, >= {target.per_s:.0f}/s, ~{target.statements}" if target else "",
        verdict(page, taken, statements, other),
    ]


def verdict(page: Page, taken: Taken, statements: int, other: int) -> str:
    """ "ok", or what missed the target."""
    if taken.wrong:
        return f"WRONG ANSWERS {taken.wrong}"
    if page.target is None:
        return ""
    missed = [
        word
        for word, bad in (
            ("slow", taken.p50_ms > page.target.ms),
            ("few a second", taken.per_s < page.target.per_s),
            ("statements", statements > page.target.statements),
            ("statements grow with rows", other not in (0, statements)),
        )
        if bad
    ]
    return "MISSED: " + ", ".join(missed) if missed else "ok"


def kept(path: Path, count: int, results: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Stores the results of this run beside those of other sizes; returns all."""
    try:
        known: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        known = {}
    known[str(count)] = results
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(known, indent=1))
    return known


def ratios(known: dict[str, Any], count: int) -> str:
    """This run against the one with 100,000 tickets; empty where there is none, or this is it."""
    base, now = known.get(BASE), known[str(count)]
    if not base or str(count) == BASE:
        return ""
    rows = [["what", f"p50 at {int(BASE):,}", f"p50 at {count:,}", "ratio", "statements", "verdict"]]
    for name, values in now.items():
        if name in base and base[name]["p50_ms"]:
            ratio = values["p50_ms"] / base[name]["p50_ms"]
            before, after = base[name].get("statements", 0), values.get("statements", 0)
            same = f"{after:.0f}" if before == after else f"{before:.0f}, now {after:.0f}"
            good = ratio <= MOST_RATIO and before == after
            rows.append(
                [
                    name,
                    f"{base[name]['p50_ms']:.2f}",
                    f"{values['p50_ms']:.2f}",
                    f"{ratio:.2f}",
                    same if after else "",
                    "ok" if good else "MISSED",
                ]
            )
    return table(rows)
