"""`manage.py mail_server`: catches what leaves, on loopback. Turns into helpdesk.mail_server, which needs no Django."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Catches mail on loopback into .data/mail, for a desk on one's own machine. `up` starts one by itself."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="another one only inside a private network (compose)")
        parser.add_argument("--port", type=int, default=2525)
        parser.add_argument("--discard", action="store_true", help="keep nothing")

    def handle(self, *, host: str, port: int, discard: bool, **options: Any) -> None:
        words = ["--host", host, "--port", str(port), *(["--discard"] if discard else [])]
        os.chdir(settings.BASE_DIR)
        os.execv(sys.executable, [sys.executable, "-m", "helpdesk.mail_server", *words])  # noqa: S606
