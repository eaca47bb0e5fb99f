"""A month as tables, in the words of its reader: one form for the page, the PDF and the book.

What a report keeps are codes and whole numbers (sla/months.py, month_work.py); here they get their words. Times are
those of the customer's zone, which every form of the report names.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from helpdesk.templatetags.desk import spoken
from sla import report
from sla.attainment import NOTHING, Attainment
from sla.models import PROMISED, Kind, Priority, Verdict
from sla.models.register import Reason
from sla.months import Listed, Restated
from tickets.models import Category
from tickets.month_work import Worked


@dataclass(frozen=True, slots=True)
class Cell:
    """What a place in a table says; `ref` where it names a ticket, `at` where it is an instant, `bad` where a promise
    was broken."""

    text: str
    ref: str = ""
    at: datetime | None = None
    number: int | None = None
    bad: bool = False


@dataclass(frozen=True)
class Table:
    """One table: what it is about, a line under it, the words over its columns, and how many stand at the right."""

    key: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    # From this column on numbers, which stand at the right.
    numbers_from: int = 99
    note: str = ""
    # (label, met, missed) for a plot above the table.
    bars: Sequence[tuple[str, int, int]] = field(default_factory=list)
    # What it says where it has no row.
    empty: str = ""

    @property
    def head(self) -> list[tuple[str, bool]]:
        return [(word, place >= self.numbers_from) for place, word in enumerate(self.columns)]

    @property
    def lines(self) -> list[list[tuple[str, bool, Cell]]]:
        """Each row's cells with the word over them and whether they stand at the right."""
        return [[(*head, cell) for head, cell in zip(self.head, row, strict=True)] for row in self.rows]

    @property
    def plot(self) -> list[dict[str, Any]]:
        """The bars with their widths in percent of the longest."""
        most = max([1, *(met + missed for _label, met, missed in self.bars)])
        return [
            {
                "label": label,
                "met": met,
                "missed": missed,
                "met_width": f"{60 * met / most:.2f}%",
                "missed_width": f"{60 * missed / most:.2f}%",
                "missed_at": f"{30 + 60 * met / most:.2f}%",
                "count_at": f"{31 + 60 * (met + missed) / most:.2f}%",
                "y": 24 * place,
                "text_y": 24 * place + 15,
            }
            for place, (label, met, missed) in enumerate(self.bars)
        ]

    @property
    def plot_height(self) -> int:
        return 24 * len(self.bars) + 4


def first(table: Table, most: int) -> Table:
    """The table with its first rows only."""
    return replace(table, rows=table.rows[:most])


@dataclass(frozen=True)
class Speaker:
    """Whose words: labels of priorities by code, and the zone of the report."""

    priorities: Mapping[str, Priority]
    zone: ZoneInfo

    def priority(self, code: str) -> Cell:
        found = self.priorities.get(code)
        return Cell(found.label if found else code)

    def time(self, text: str) -> Cell:
        at = datetime.fromisoformat(text) if text else None
        return Cell(f"{at.astimezone(self.zone):%Y-%m-%d %H:%M:%S}" if at else NOTHING, at=at)


def number(value: int) -> Cell:
    return Cell(str(value), number=value)


def span(seconds: int | None) -> Cell:
    return Cell(NOTHING if seconds is None else spoken(seconds, short=True), number=seconds)


def money(amount: str | Decimal, currency: str) -> str:
    """ "CNY 2,000.00": the currency by its code, in every language."""
    return f"{currency} {Decimal(amount):,.2f}"


def kept(pair: Sequence[int]) -> tuple[Attainment, Attainment]:
    """Gross and net of what a report keeps of some clocks."""
    met, gross, net = pair
    return Attainment(met, gross), Attainment(met, net)


# --- The tables ------------------------------------------------------------------------------------------------------


def attainment(data: Mapping[str, Any], say: Speaker) -> Table:
    """By promise and priority, then each promise as a whole."""
    order = list(say.priorities)
    lines = sorted(data["rows"], key=lambda r: (r[0] != Kind.RESPONSE, order.index(r[1]) if r[1] in order else 99))
    rows = [[Cell(kind_word(k)), say.priority(p), *_kept_cells(pair)] for k, p, *pair in lines]
    rows += [[Cell(kind_word(k)), Cell(_("all")), *_kept_cells(data["kinds"][k])] for k in PROMISED]
    return Table(
        "attainment",
        _("How promises were kept"),
        [_("Promise"), _("Priority"), _("Kept"), _("Breaches"), _("Excused"), _("Gross"), _("Net")],
        rows,
        2,
        _("Kept ÷ (kept + broken), rounded down. Gross counts every breach, net those that were not excused."),
        [(f"{kind_word(k)} · {say.priority(p).text}", pair[0], pair[1]) for k, p, *pair in lines],
    )


def _kept_cells(pair: Sequence[int]) -> list[Cell]:
    gross, net = kept(pair)
    excused = gross.breached - net.breached
    broken = Cell(str(gross.breached), number=gross.breached, bad=gross.breached > 0)
    return [number(gross.met), broken, number(excused), Cell(str(gross)), Cell(str(net))]


def excluded(data: Mapping[str, Any]) -> Table:
    rows = [[Cell(reason_word(r)), number(data["excluded"].get(r, 0))] for r in report.REASONS]
    note = _("A clock belongs to the month of its due time; one that has none, to the month in which it lost it.")
    return Table("excluded", _("What does not count"), [_("Reason"), _("Clocks")], rows, 1, note)


def work(data: Mapping[str, Any]) -> Table:
    labels = dict(Category.choices)
    rows = []
    for name, opened, solved, still, reopened, *spans in data["work"]:
        counts = [number(n) for n in (opened, solved, still, reopened)]
        rows.append([Cell(str(labels[name]) if name in labels else _("all")), *counts, *(span(s) for s in spans)])
    columns = [_("Category"), _("Opened"), _("Solved"), _("Open at the end"), _("Reopened")]
    columns += [_("First response, median"), _("First response, 90 %"), _("Resolution, median"), _("Resolution, 90 %")]
    note = _("In working time. Half of the values are not above the median, nine in ten not above the last.")
    return Table("work", _("Tickets and time"), columns, rows, 1, note)


def clocks(listed: Iterable[Listed], say: Speaker) -> Table:
    """Every clock that counts, those broken first."""
    ordered = sorted(listed, key=lambda x: (x.verdict == Verdict.MET, x.due, x.ref, x.kind))
    rows = [
        [
            *(Cell(x.ref, ref=x.ref), Cell(kind_word(x.kind)), say.priority(x.priority), say.time(x.due)),
            *(verdict_cell(x), say.time(x.completed), Cell(excused_word(x))),
        ]
        for x in ordered
    ]
    columns = [*(_("Ticket"), _("Promise"), _("Priority"), _("Due")), _("Verdict"), _("Done"), _("Excused")]
    return Table("clocks", _("Clocks behind these numbers"), columns, rows, empty=_("No clock was due in this month."))


def left_out(data: Mapping[str, Any]) -> Table:
    rows = [[Cell(r, ref=r), Cell(kind_word(k)), Cell(reason_word(why))] for r, k, _cycle, why in data["left_out"]]
    return Table("left_out", _("Clocks left out"), [_("Ticket"), _("Promise"), _("Reason")], rows)


def tickets(data: Mapping[str, Any], say: Speaker) -> Table:
    labels = dict(Category.choices)
    rows = []
    for x in (Worked(*row) for row in data["tickets"]):
        label = Cell(str(labels.get(x.category, x.category)))
        times = [say.time(x.opened), span(x.response_s), say.time(x.solved), span(x.resolution_s)]
        rows.append([Cell(x.ref, ref=x.ref), label, say.priority(x.priority), *times, number(x.reopened)])
    columns = [_("Ticket"), _("Category"), _("Priority"), _("Opened"), _("First response"), _("Solved")]
    return Table("tickets", _("Tickets"), [*columns, _("Resolution"), _("Reopened")], rows)


def restatements(found: Iterable[Restated], say: Speaker) -> Table:
    """What the same reckoning says now where it said something else then."""
    rows = []
    for one in found:
        known = one.then or one.now
        assert known
        rows.append(
            [
                Cell(known.ref, ref=known.ref),
                Cell(kind_word(known.kind)),
                Cell(_told(one.then, say)),
                Cell(_now(one, say)),
            ]
        )
    columns = [_("Ticket"), _("Promise"), _("When frozen"), _("Now")]
    note = _("The frozen report stays as it is; a clock that is due in another month counts there.")
    return Table("restatements", _("Restatements"), columns, rows, note=note)


def _told(one: Listed | None, say: Speaker) -> str:
    if one is None:
        return _("not in the month")
    said = _("%(verdict)s, due %(due)s") % {"verdict": verdict_word(one.verdict), "due": say.time(one.due).text}
    return f"{said} ({excused_word(one)})" if one.excused else said


def _now(one: Restated, say: Speaker) -> str:
    if one.now or not one.verdict:
        return _told(one.now, say)
    if not one.due:
        return verdict_word(one.verdict)
    told = {"verdict": verdict_word(one.verdict), "due": say.time(one.due).text}
    return _("in another month: %(verdict)s, due %(due)s") % told


# --- Words -----------------------------------------------------------------------------------------------------------


def kind_word(code: str) -> str:
    return str(Kind(code).label)


def verdict_word(code: str) -> str:
    kept_or_broken: dict[str, Callable[[], str]] = {"met": lambda: _("kept"), "breached": lambda: _("broken")}
    return kept_or_broken[code]() if code in kept_or_broken else str(Verdict(code).label)


def verdict_cell(one: Listed) -> Cell:
    return Cell(verdict_word(one.verdict), bad=one.verdict == Verdict.BREACHED)


def excused_word(one: Listed) -> str:
    return str(Reason(one.excused).label) if one.excused in Reason.values else one.excused


def reason_word(code: str) -> str:
    return {
        report.PAUSED: _("Paused: waits for the customer"),
        report.NOT_APPLICABLE: _("Not applicable: withdrawn, duplicate or merged"),
        report.DRILL: _("Drill"),
        report.OPEN: _("Still open"),
    }[code]


def credit_lines(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How the credit comes about, line by line."""
    made = data["credit"]
    _gross, net = kept(data["all"])
    return [
        (_("Clocks decided, net"), str(net.decided)),
        (_("Kept"), str(net.met)),
        (_("Attainment, net"), str(net)),
        (_("Critical promise broken"), _("yes") if made["critical"] else _("no")),
        (_("Support fee"), money(made["fee"], made["currency"])),
        (_("Share"), f"{made['percent']} %"),
        (_("Credit"), money(made["amount"], made["currency"])),
    ]
