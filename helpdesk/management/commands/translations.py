"""`manage.py translations`: compile the catalogues; --update them from the sources; --check that nothing is missing."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from helpdesk import translations


class Command(BaseCommand):
    help = "Compile the translations, bring them up to date (--update) or check that they are complete (--check)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--update", action="store_true")
        parser.add_argument("--check", action="store_true")

    def handle(self, *, update: bool, check: bool, **options: Any) -> None:
        if update:
            self.stdout.write(f"{translations.update()} messages")
        if check:
            found = translations.problems()
            for line in found:
                self.stderr.write(line)
            if found:
                self.stderr.write(f"{len(found)} translations are missing or wrong")
                sys.exit(1)
        translations.compile_all()
