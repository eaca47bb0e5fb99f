"""A month as one book for a spreadsheet: summary, clocks, tickets, credit. Text is written as text, whatever it begins
with, and times and spans in forms that can be reckoned with."""

import io
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _

from sla import words
from sla.months import Listed
from tickets import month_tables
from tickets.month_page import Fact, Shown, facts, speaker, title

WIDTH = 18


def book(shown: Shown, customer: Any, name: str) -> bytes:
    """The XLSX of a month."""
    data = shown.data
    say = speaker(data, words.read().priorities)
    told = facts(customer, data, shown.report)
    summary = [month_tables.attainment(data, say), month_tables.excluded(data), month_tables.work(data)]
    if shown.restated:
        summary.append(month_tables.restatements(shown.restated, say))
    listed = [Listed(*row) for row in data["clocks"]]
    held = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(held, options) as made:
        # The file of a frozen month is the same file tomorrow.
        if shown.report:
            made.set_properties({"created": shown.report.frozen_at.replace(tzinfo=None)})
        page = _Page(made, _("Summary"))
        page.line(title(name, data["month"]), bold=True)
        page.line(state_words(shown))
        for fact in told:
            page.fact(fact)
        for table in summary:
            page.table(table)
        clocks = _Page(made, _("Clocks"))
        clocks.table(month_tables.clocks(listed, say))
        clocks.table(month_tables.left_out(data))
        _Page(made, _("Tickets")).table(month_tables.tickets(data, say))
        credit = _Page(made, _("Credit"))
        for label, cell in month_tables.credit_lines(data):
            credit.fact(Fact(label, cell))
    return held.getvalue()


def state_words(shown: Shown) -> str:
    if shown.report is None:
        return _("Preliminary: this month is not frozen yet.")
    told = {"no": shown.report.no, "sha": shown.report.sha256}
    return _("Report number %(no)s, sha256 %(sha)s") % told


class _Page:
    """One sheet, written from top to bottom."""

    def __init__(self, made: Any, name: str) -> None:
        self.sheet = made.add_worksheet(name[:31])
        self.bold = made.add_format({"bold": True})
        self.head = made.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.sheet.set_column(0, 12, WIDTH)
        self.row = 0

    def line(self, text: str, *, bold: bool = False) -> None:
        self.sheet.write_string(self.row, 0, text, self.bold if bold else None)
        self.row += 1

    def fact(self, fact: Fact) -> None:
        for place, text in enumerate((fact.label, fact.text, fact.small)):
            self.sheet.write_string(self.row, place, text)
        self.row += 1

    def table(self, table: month_tables.Table) -> None:
        self.row += 1 if self.row else 0
        self.line(table.title, bold=True)
        for place, word in enumerate(table.columns):
            self.sheet.write_string(self.row, place, word, self.head)
        for row in table.rows:
            self.row += 1
            for place, cell in enumerate(row):
                if cell.number is not None and cell.text == str(cell.number):
                    self.sheet.write_number(self.row, place, cell.number)
                else:
                    self.sheet.write_string(self.row, place, cell.text)
        self.row += 1
