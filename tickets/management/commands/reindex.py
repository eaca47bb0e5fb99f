"""`manage.py reindex`: the search index brought up to date, while the desk runs. Stop it and start it as you like."""

import importlib.metadata
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tickets import reindex, search


class Command(BaseCommand):
    help = "Writes the words of messages anew where they were cut in an older way, with progress."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="write every message anew, not only the old ones")

    def handle(self, *, all: bool, **options: Any) -> None:
        if all:
            reindex.everything_again()
        count = reindex.adopt()
        dictionary = importlib.metadata.version("rjieba")
        self.stdout.write(f"Search index edition {search.EDITION}, dictionary rjieba {dictionary}.")
        if not count:
            self.stdout.write("Every message is of this edition.")
            return
        done, begun = 0, time.monotonic()
        for written in reindex.slices():
            done += written
            self.draw(done, max(count, done), time.monotonic() - begun)
        self.stdout.write(f"\n{done:,} messages written anew in {time.monotonic() - begun:.0f} s.")

    def draw(self, done: int, count: int, seconds: float) -> None:
        filled = 30 * done // count
        rate = done / max(seconds, 0.001)
        end = "\r" if sys.stdout.isatty() else "\n"
        self.stdout.write(
            f"[{'#' * filled}{'.' * (30 - filled)}] {100 * done // count:3} %  {done:,} of {count:,} messages  "
            f"{rate:,.0f}/s  {(count - done) / max(rate, 1):.0f} s left   ",
            ending=end,
        )
        self.stdout.flush()
