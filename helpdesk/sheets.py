"""Tables for spreadsheets: CSV and XLSX of the same rows, a row at a time.

What people typed stays text: a cell that begins like a formula is one only where we wrote it, and we write none.
Numbers stay numbers. CSV is sent as its rows are read and carries a byte order mark, so that Excel reads its Chinese. A
book is written with its rows on disk, and only what is left when it is packed is held.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter
from django.http import HttpResponse, StreamingHttpResponse

Cell = str | int | None
CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# A spreadsheet takes these for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
# What a sheet holds, its head included.
MOST_ROWS = 1_048_576
WIDEST = 60


@dataclass
class Sheet:
    """One table: the name on its tab, the words over its columns, and its rows, which are asked for once."""

    name: str
    head: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def exact(share: Fraction | None, whole: int) -> str:
    """ "8⁄9": met of decided with the slash of fractions, which no spreadsheet takes for a day of September."""
    return "" if share is None else f"{int(share * whole)}⁄{whole}"


def instant(at: datetime | None, zone: str) -> str:
    """An instant as a cell has it: to the second, with its offset."""
    return at.astimezone(ZoneInfo(zone)).isoformat(" ", "seconds") if at else ""


def as_csv(sheets: Iterable[Sheet], filename: str) -> StreamingHttpResponse:
    """The tables one after another, parted by an empty line."""
    answer = StreamingHttpResponse(_lines(sheets), content_type=CSV_TYPE)
    answer.headers["Content-Disposition"] = f'attachment; filename="{filename}.csv"'
    return answer


def _lines(sheets: Iterable[Sheet]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield "\ufeff"
    for number, sheet in enumerate(sheets):
        if number:
            writer.writerow([])
        writer.writerow([guarded(word) for word in sheet.head])
        for row in sheet.rows:
            writer.writerow([guarded(cell) for cell in row])
            if buffer.tell() > 32_000:
                yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def guarded(cell: Cell) -> Cell:
    """Text that a spreadsheet would reckon with gets an apostrophe in front, as one types it there oneself."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def as_xlsx(sheets: Iterable[Sheet], filename: str) -> HttpResponse:
    """One book with a sheet a table."""
    answer = HttpResponse(book(sheets), content_type=XLSX_TYPE)
    answer.headers["Content-Disposition"] = f'attachment; filename="{filename}.xlsx"'
    return answer


def book(sheets: Iterable[Sheet]) -> bytes:
    """A book as it is saved. Text is written as text, whatever it begins with."""
    packed = io.BytesIO()
    told = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(packed, told) as made:
        bold = made.add_format({"bold": True, "bottom": 1})
        for sheet in sheets:
            _write(made.add_worksheet(sheet.name[:31]), sheet, bold)
    return packed.getvalue()


def _write(page: Any, sheet: Sheet, bold: Any) -> None:
    page.freeze_panes(1, 0)
    for place, word in enumerate(sheet.head):
        page.set_column(place, place, min(WIDEST, max(12, 2 * len(word))))
        page.write_string(0, place, word, bold)
    for number, row in enumerate(sheet.rows, start=1):
        if number >= MOST_ROWS:
            break
        for place, cell in enumerate(row):
            if isinstance(cell, str):
                page.write_string(number, place, cell)
            elif cell is not None:
                page.write_number(number, place, cell)
