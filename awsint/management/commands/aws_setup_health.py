"""`manage.py aws_setup_health`: connects AWS Health of an organization, step by step, or says what it would do."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation

from awsint import setup
from awsint.models import Organization
from awsint.setup_steps import Done
from helpdesk.accounts.doors import Refused
from helpdesk.audit.record import SYSTEM

LANGUAGES = ["zh-hans", "en"]


class Command(BaseCommand):
    help = (
        "Connects AWS Health of an organization: organization view, trusted access, delegated administrator, the hub's "
        "bus and queues, rules. Does only what is missing. Exits with 1 where a step is not as it should be, with 2 "
        "for bad input."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organization", help="its id (o-...), or the number of the account that speaks for it")
        parser.add_argument("--region", action="append", default=[], help="a region in use, beside those always needed")
        parser.add_argument("--management-role", default="", help="ARN of a role that may switch, for this run alone")
        parser.add_argument("--hub-role", default="", help="ARN of a role that may make the hub's bus and queues")
        parser.add_argument("--dry-run", action="store_true", help="look and change nothing")
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--language", choices=LANGUAGES, default="en")

    def handle(self, **options: Any) -> None:
        wanted = self._plan(options)
        with translation.override(options["language"]):
            done = list(setup.run(wanted, dry=options["dry_run"], by=SYSTEM, at=timezone.now()))
            self.stdout.write(_as_json(done) if options["json"] else "\n".join(map(_line, done)))
        if not all(one.good or (options["dry_run"] and one.to_do) for one in done):
            raise SystemExit(1)

    def _plan(self, options: dict[str, Any]) -> setup.Plan:
        organization = _found(options["organization"])
        roles, regions = setup.Roles(options["management_role"], options["hub_role"]), options["region"]
        try:
            hub = setup.hub_of(organization)
            setup.demand_sound(organization, hub, roles, regions)
            return setup.plan(organization, hub, roles, regions=regions)
        except Refused as refused:
            raise CommandError(str(refused), returncode=2) from refused


def _found(named: str) -> Organization:
    field = "account_number" if named.isdecimal() else "organization_id"
    found = list(Organization.objects.filter(is_active=True, **{field: named})[:2]) if named else []
    if len(found) != 1:
        raise CommandError(f"There is no single organization {named!r}.", returncode=2)
    return found[0]


def _line(done: Done) -> str:
    why = f" ({done.code}: {done.text})" if done.code else ""
    about = f" ({done.about})" if done.about else ""
    return f"{done.name}{about}: {done.word}{why}" + (f"\n    {done.mend}" if done.mend else "")


def _as_json(done: list[Done]) -> str:
    return json.dumps([asdict(one) | {"mend": one.mend} for one in done], ensure_ascii=False, indent=2)
