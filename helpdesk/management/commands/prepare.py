"""`manage.py prepare`: everything a start needs before the web server: tables, texts, static files, jobs, a demo."""

import hashlib
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.utils import DatabaseError
from django.utils import timezone

from helpdesk import translations
from helpdesk.accounts import demo as people
from helpdesk.accounts.models import User
from helpdesk.schedule import sync
from tickets.models import Ticket

# What the environment's DEMO names: what is said and how it is made.
DEMOS: dict[str, tuple[str, dict[str, Any]]] = {
    "full": ("Writing the demo: people and 90 days of a desk, once, in about a minute.", {}),
    "day": ("Writing the demo: people and a day's tickets.", {"days": 0}),
    "people": ("Writing the demo's people.", {"people": True}),
}


class Command(BaseCommand):
    help = "Brings database, translations, static files and jobs up to date; quick where nothing changed."

    def handle(self, **options: Any) -> None:
        try:
            self._tables()
        except DatabaseError as error:
            raise CommandError(f"The database refuses: {str(error).splitlines()[0]}") from error
        translations.compile_all()
        self._static_files()
        sync()
        if settings.SITE_IS_LOCAL and settings.DEMO in DEMOS and self._wants_demo():
            said, how = DEMOS[settings.DEMO]
            self.stdout.write(said)
            call_command("seed_demo", write=str(settings.DATA_DIR / "demo.json"), stdout=StringIO(), **how)
        if settings.AWS_IS_SIMULATED and settings.DEMO in DEMOS and people.complete():
            # Only here: it knows the simulator.
            from awsint import demo as aws

            aws.seed(at=timezone.now())

    def _wants_demo(self) -> bool:
        """An empty desk; or one where the demo's people are and what should follow them was cut short."""
        cut_short = settings.DEMO != "people" and people.complete() and not people.strangers()
        return not User.objects.exists() or (cut_short and not Ticket.objects.exists())

    def _tables(self) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        if settings.CACHES["default"]["BACKEND"].endswith("TableCache"):
            call_command("createcachetable", verbosity=0)
        connection.close()

    def _static_files(self) -> None:
        stamp = Path(settings.STATIC_ROOT) / ".stamp"
        wanted = _fingerprint()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        self.stdout.write("Collecting static files.")
        call_command("collectstatic", verbosity=0, interactive=False, clear=True)
        stamp.write_text(wanted)


def _fingerprint() -> str:
    """Changes with any static file's name, size or time."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            digest.update(f"{name} {storage.size(name)} {storage.get_modified_time(name)}".encode())
    return digest.hexdigest()
