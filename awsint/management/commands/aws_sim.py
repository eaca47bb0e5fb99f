"""`manage.py aws_sim`: the simulator of AWS on a port of this machine. Turns into awsint.sim, which needs no Django."""

import importlib.util
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = (
        "Simulates AWS Support, Organizations, STS, SQS and EventBridge on 127.0.0.1, with a scenario that lives. "
        "Point boto3 at it with AWS_ENDPOINT_URL. With --keep what happened there outlives a restart. `up` starts one."
    )
    # The database may not run yet, and is not needed.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=4566, help="where it listens (4566)")
        parser.add_argument("--scenario", default="lively", help="what it begins with: quiet or lively")
        parser.add_argument("--keep", help="a file in which it keeps its cases")
        parser.add_argument("--latency", type=float, default=0.0, help="milliseconds to AWS and back (0)")

    def handle(self, *, port: int, scenario: str, keep: str | None, latency: float, **options: Any) -> None:
        if importlib.util.find_spec("moto") is None:
            raise CommandError("The simulator needs the extra `demo`: pip install .[demo]", returncode=2)
        words = ["--port", str(port), "--scenario", scenario, "--latency", str(latency)]
        words += ["--keep", os.path.abspath(keep)] if keep else []
        os.chdir(settings.BASE_DIR)
        os.execv(sys.executable, [sys.executable, "-m", "awsint.sim", *words])  # noqa: S606
