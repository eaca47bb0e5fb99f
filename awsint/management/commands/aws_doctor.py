"""`manage.py aws_doctor`: checks what the reading of AWS hangs on, and says how it is mended."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from awsint import doctor, doctor_words
from awsint.management.commands.aws_setup_health import LANGUAGES
from awsint.setup import REGION


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
            told = [_told(one, names) for names in [doctor_words.names(found)] for one in found]
            if options["json"]:
                self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2))
            else:
                self.stdout.write("\n".join(map(_line, told)))
        if not all(one.ok for one in found):
            raise SystemExit(1)


def _told(found: doctor.Finding, names: dict[str, str]) -> dict[str, Any]:
    refused = f"{found.code}: {found.text}" if found.code else ""
    said = doctor_words.said(found)
    return {
        "about": names.get(found.about, found.about),
        "what": doctor_words.what(found.what),
        "state": found.state,
        "ok": found.ok,
        "text": f"{said} ({refused})" if said and refused else said or refused,
        "mend": doctor_words.mend(found),
    }


def _line(told: dict[str, Any]) -> str:
    mark = {doctor.GOOD: _("ok"), doctor.SOON: _("look"), doctor.BAD: _("WRONG")}[told["state"]]
    return f"[{mark}] {told['about']} · {told['what']}: {told['text']}" + (
        f"\n    → {told['mend']}" if told["mend"] else ""
    )
