"""`manage.py sla_replay FILE|-`: what the clocks say of histories in a file, from the same function as the desk."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from helpdesk import cases
from sla import replay


class Command(BaseCommand):
    help = (
        "Prints due times, verdicts and warnings for a JSON list of cases. With --verify compares them with what each "
        "case expects, prints every difference and exits 1. Exit 2 names the case that is malformed."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="a JSON file, or - for standard input")
        parser.add_argument("--verify", action="store_true", help="compare with `expect` instead of printing")

    def handle(self, *, file: str, verify: bool, **more: Any) -> None:
        given = cases.read(file)
        answers = [_answer(file, place, case) for place, case in enumerate(given)]
        if verify:
            self.verify(given, answers)
        else:
            self.stdout.write(json.dumps(answers, ensure_ascii=False, indent=1))

    def verify(self, given: list[Any], answers: list[dict[str, Any]]) -> None:
        """Only the keys that a case expects are compared."""
        wrong = 0
        for case, found in zip(given, answers, strict=True):
            for name, expected in case.get("expect", {}).items():
                if found.get(name) != expected or name not in found:
                    wrong += 1
                    self.stdout.write(f"{found['id']}: {name} is {found.get(name)!r}, expected {expected!r}")
        self.stdout.write(f"{len(given)} cases, {wrong} differences")
        if wrong:
            raise CommandError("The cases do not come out as expected.", returncode=1)


def _answer(file: str, place: int, case: Any) -> dict[str, Any]:
    name = case.get("id", place) if isinstance(case, dict) else place
    try:
        if "expect" in (case if isinstance(case, dict) else {}) and not isinstance(case["expect"], dict):
            raise replay.Malformed("expect is no object")
        return {"id": name} | replay.answer(case)
    except replay.Malformed as why:
        raise CommandError(f"{file}: case {name} (number {place}): {why}", returncode=2) from why
