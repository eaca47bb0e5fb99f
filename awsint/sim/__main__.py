"""`python -m awsint.sim`, which `manage.py aws_sim` turns into: a world with a scenario on a port, until it is stopped.

It needs no Django, so it stays small. With a file to keep it in, the world outlives a restart as AWS does: accounts,
cases and files. What was lent, lies in queues or was half handed over is gone then, and asked for anew.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from awsint.sim import keeping
from awsint.sim.events import Delivery
from awsint.sim.scenarios import SCENARIOS
from awsint.sim.server import Server
from awsint.sim.world import World
from helpdesk.supervisor import Stop, say


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="manage.py aws_sim")
    made.add_argument("--port", type=int, default=4566, help="where it listens (4566)")
    made.add_argument("--fd", type=int, help="a listening socket that it inherits, instead of a port")
    made.add_argument("--scenario", default="lively", choices=sorted(SCENARIOS), help="what it begins with (lively)")
    made.add_argument("--keep", type=Path, help="a file in which it keeps its cases")
    made.add_argument("--latency", type=float, default=0.0, help="milliseconds to AWS and back (0)")
    return made


def main() -> int:
    asked = parser().parse_args()
    world, stop, story = World(), Stop(), SCENARIOS[asked.scenario]
    Delivery(world).install()
    known = asked.keep is not None and keeping.load(world, asked.keep)
    (story.resume if known else story.begin)(world)
    world.latency_s = asked.latency / 1000
    try:
        server = Server(world, port=asked.port, fd=asked.fd).start()
    except (OSError, SystemExit) as error:
        # The server of the library ends the process where a port is taken.
        print(f"Port {asked.port} cannot be used: {error}", file=sys.stderr)  # noqa: T201
        return 2
    if asked.fd is None:
        say(f"AWS is simulated at {server.url} (pid {os.getpid()}), scenario {asked.scenario}")
    _live(world, story.live, asked.keep, stop)
    server.stop()
    return 0


def _live(world: World, live: Callable[[World], None], keep: Path | None, stop: Stop) -> None:
    """Second by second; whatever changed is written down."""
    written = ""
    while True:
        stopped = stop.wait(1)
        if not stopped:
            live(world)
        if keep and (now := keeping.mark(world)) != written:
            keeping.save(world, keep)
            written = now
        if stopped:
            return


if __name__ == "__main__":
    sys.exit(main())
