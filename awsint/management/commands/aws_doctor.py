"""`manage.py aws_doctor`: checks what the reading of AWS hangs on, and says how it is mended."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from awsint import doctor
from awsint.management.commands.aws_setup_health import LANGUAGES, REGION


class Command(BaseCommand):
    help = (
        "Checks hubs, queues, roles, organizations and polls, live. Exits with 1 where one is not well, with 2 for bad "
        "input."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--language", choices=LANGUAGES, default="en")
        parser.add_argument("--region", action="append", default=[], help="a region in use, to look for its rule")
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        for region in options["region"]:
            if not REGION.fullmatch(region):
                raise CommandError(f"{region} is no region.", returncode=2)
        with translation.override(options["language"]):
            found = list(doctor.look(timezone.now(), tuple(options["region"])))
            if options["json"]:
                self.stdout.write(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=2))
            else:
                self.stdout.write("\n".join(map(_line, found)))
        if not all(one.ok for one in found):
            raise SystemExit(1)


def _line(found: doctor.Finding) -> str:
    mark = _("ok") if found.ok else _("WRONG")
    return f"[{mark}] {found.about} · {found.what}: {found.text}" + (f"\n    → {found.mend}" if found.mend else "")
