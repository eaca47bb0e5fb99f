"""`manage.py aws_sim`: the simulator of AWS on a port of this machine, with a scenario that lives."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from helpdesk.supervisor import Stop


class Command(BaseCommand):
    help = (
        "Simulates AWS Support, STS, SQS, EventBridge and Organizations on 127.0.0.1. Point boto3 at it with "
        "AWS_ENDPOINT_URL. With --keep what happened there outlives a restart."
    )
    # The database may not run yet, and is not needed.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=4566, help="where it listens (4566)")
        parser.add_argument("--fd", type=int, help="a listening socket that it inherits, instead of a port")
        parser.add_argument("--scenario", default="lively", help="what it begins with: quiet or lively")
        parser.add_argument("--keep", type=Path, help="a file in which it keeps its cases")
        parser.add_argument("--latency", type=float, default=0.0, help="milliseconds to AWS and back (0)")

    def handle(
        self, *, port: int, fd: int | None, scenario: str, keep: Path | None, latency: float, **options: Any
    ) -> None:
        try:
            from awsint.sim.server import Server
        except ImportError as error:
            raise CommandError("The simulator needs the extra `demo`: pip install .[demo]", returncode=2) from error
        from awsint.sim import keeping
        from awsint.sim.events import Delivery
        from awsint.sim.scenarios import SCENARIOS

        if scenario not in SCENARIOS:
            raise CommandError(f"No scenario {scenario!r}: choose of {', '.join(SCENARIOS)}.", returncode=2)
        try:
            server = Server(port=port, fd=fd).start()
        except (OSError, SystemExit) as error:
            raise CommandError(f"Port {port} cannot be used: {error}", returncode=2) from error
        world, stop, story = server.world, Stop(), SCENARIOS[scenario]
        Delivery(world).install()
        if keep is None or not keeping.load(world, keep):
            story.begin(world)
        world.latency_s = latency / 1000
        self.stdout.write(f"AWS is simulated at {server.url} (pid {os.getpid()}), scenario {scenario}")
        self.stdout.flush()
        known = -1
        while not stop.wait(1):
            story.live(world)
            known = self._kept(world, keep, known)
        server.stop()
        self._kept(world, keep, -1)

    def _kept(self, world: Any, keep: Path | None, known: int) -> int:
        """Writes the world down where something was said since; returns by what to tell next time."""
        from awsint.sim import keeping

        with world.lock:
            now = sum(len(c.words) * 100 + len(c.status) for cases in world.cases.values() for c in cases.values())
        if keep and now != known:
            keeping.save(world, keep)
        return now
