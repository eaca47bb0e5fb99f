"""`manage.py up`: the whole desk on one box. Turns into helpdesk.supervisor, which needs no Django and stays small."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Starts database, web and workers on this machine and keeps them running."
    # The database may not run yet.
    requires_system_checks: list[str] = []

    def handle(self, **options: Any) -> None:
        os.chdir(settings.BASE_DIR)
        os.execv(sys.executable, [sys.executable, "-m", "helpdesk.supervisor"])  # noqa: S606
