"""A report and its clocks as files: the rows of the page, with the rule of reckoning on a sheet of its own."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from helpdesk.sheets import Cell, Sheet, exact, instant
from sla.models import Clock, Kind
from sla.report import Row, Window
from tickets.report_clocks import SHOWS, Look, every
from tickets.report_rows import Left, Line, Names, Report, Told
from tickets.reporting import PARTS, Scope


def of_report(told: Report) -> list[Sheet]:
    """The report's tables: by what it is parted, over time, what does not count, how it is reckoned."""
    sheets = [
        Sheet(_("Attainment"), _figure_head(str(PARTS[told.by])), _lines([*told.lines, told.total])),
        Sheet(_("Over time"), _figure_head(_("From"), _("Until")), _over_time(told)),
        Sheet(_("Not counted"), [_("Why"), _("Clock"), _("Count")], _not_counted(told.left)),
        Sheet(_("Told apart"), _figure_head(), _apart([*told.updates, *told.inside])),
    ]
    return [*sheets, rule_sheet(told.window, told.as_of)]


def _figure_head(*first: str) -> list[str]:
    return [
        *first,
        *(_("Clock"), _("Gross"), _("Net"), _("Met"), _("Breached"), _("Excused"), _("Decided")),
        *(_("Gross, exact"), _("Net, exact")),
    ]


def _figures(kind: str, row: Row) -> list[Cell]:
    gross, net = row.gross, row.net
    return [
        *(str(Kind(kind).label), str(gross), str(net)),
        *(gross.met, gross.breached, row.excused, gross.decided),
        *(exact(gross.share, gross.decided), exact(net.share, net.decided)),
    ]


def _lines(lines: Iterable[Line]) -> Iterator[list[Cell]]:
    for line in lines:
        for kind, row in line.cells:
            yield [line.label, *_figures(kind, row)]


def _over_time(told: Report) -> Iterator[list[Cell]]:
    for part in told.parts:
        for kind, row in part.cells:
            yield [str(part.stretch.first), str(part.stretch.last), *_figures(kind, row)]


def _not_counted(left: Iterable[Left]) -> Iterator[list[Cell]]:
    for one in left:
        for kind, count in one.cells:
            yield [one.label, str(Kind(kind).label), count]


def _apart(told: Iterable[Told]) -> Iterator[list[Cell]]:
    for one in told:
        yield _figures(one.kind, one.row)


def rule_sheet(window: Window, at: datetime) -> Sheet:
    """The window, its zone, and how the figures come about."""
    rows: list[list[Cell]] = [
        [_("From"), instant(window.start, window.zone)],
        [_("Up to, without"), instant(window.until, window.zone)],
        [_("Zone"), window.zone],
        [_("As of"), instant(at, window.zone)],
    ]
    rows += [[word, text] for word, text in rule()]
    return Sheet(_("Reckoning"), [_("What"), _("How")], rows)


def rule() -> list[tuple[str, str]]:
    """How the figures come about, in the reader's words."""
    formula = _("Attainment = met ÷ (met + breached), two decimals, rounded down. With nothing decided it is —.")
    apart = _("Paused and not applicable clocks stand where they became so; drills and open ones where they are due.")
    return [
        (_("Formula"), formula),
        (_("Window"), _("A clock belongs to the window that contains its due time.")),
        (_("Gross and net"), _("Gross counts every breach. Net leaves out those that a second person has excused.")),
        (_("Not counted"), apart),
    ]


# --- The clocks ------------------------------------------------------------------------------------------------------


# So many clocks fit into a book that somebody waits for; CSV is sent as it is read and has them all.
MOST_IN_A_BOOK = 100_000


@dataclass(frozen=True)
class Listing:
    """The clocks of a list, and for whom; `most` where a file cannot hold any number."""

    rows: QuerySet[Clock]
    look: Look
    window: Window
    names: Names
    scope: Scope
    at: datetime
    most: int | None = None


def of_clocks(listing: Listing) -> list[Sheet]:
    """Every clock of a list, asked for a slice at a time while the file is written."""
    head = [
        *(_("Ticket"), _("Clock"), _("Verdict"), _("Due"), _("Set aside"), _("Started"), _("Done")),
        *(_("Late by, seconds"), _("Target, seconds"), _("Excused"), _("Priority"), _("Customer"), _("Category")),
        *([_("Engineer")] if listing.scope.inside else []),
        _("Source"),
    ]
    listed = Sheet(str(SHOWS[listing.look.show]), head, islice(_clocks(listing, get_language()), listing.most))
    notes = rule_sheet(listing.window, listing.at)
    if listing.most:
        notes.rows = [*notes.rows, [_("Rows"), _("At most %(most)s; the CSV has all.") % {"most": f"{listing.most:,}"}]]
    return [listed, notes]


def _clocks(listing: Listing, language: str | None) -> Iterator[list[Cell]]:
    # A streamed file is written after the request has left its language.
    with override(language):
        for taken in every(listing.rows, listing.look, listing.at):
            listing.names.learn("customer", {clock.customer_id for clock in taken})
            if listing.scope.inside:
                listing.names.learn("engineer", {clock.engineer for clock in taken})
            yield from (_clock(clock, listing) for clock in taken)


def _clock(clock: Any, listing: Listing) -> list[Cell]:
    names, zone = listing.names, listing.window.zone
    late = int(clock.late.total_seconds()) if clock.breached_at and clock.late else None
    return [
        "" if listing.scope.masked else clock.subject,
        str(clock.get_kind_display()),
        str(clock.get_verdict_display()),
        *(instant(at, zone) for at in (clock.due_at, clock.set_aside_at, clock.started_at, clock.completed_at)),
        *(late, clock.target_s, instant(clock.excused_at, zone)),
        names.of("priority", clock.priority),
        names.of("customer", clock.customer_id),
        names.of("category", clock.category),
        *([names.of("engineer", clock.engineer)] if listing.scope.inside else []),
        names.of("source", clock.source),
    ]
