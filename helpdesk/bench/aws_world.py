"""The other side of the bench of AWS, a process of its own: the simulator with many accounts and cases.

    python -m helpdesk.bench.aws_world ACCOUNTS CASES LATENCY_S FILE

writes what it made to FILE, a case a line, prints its address, and serves until its standard input ends.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from awsint.sim import support
from awsint.sim.server import Server
from awsint.sim.world import Account, Case

BEGAN = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
BODY = "All targets of the load balancer are unhealthy since the deployment. " * 30
ANSWERS = 4


def number_of(place: int) -> str:
    return f"{100_000_000_000 + place}"


def external_id_of(place: int) -> str:
    return f"external-id-of-account-{place:08}"


def main(accounts: int, cases: int, latency_s: float, file: Path) -> None:
    server = Server()
    world = server.world
    world.set_clock(BEGAN)
    with file.open("w") as out:
        for place in range(accounts):
            account = world.account(number_of(place), external_id=external_id_of(place))
            for n in range(cases):
                case = _case(server, account, n)
                out.write(json.dumps({"account": place, **_told(case)}) + "\n")
    world.set_clock(None)
    world.latency_s = latency_s
    server.start()
    print(server.url, flush=True)
    sys.stdin.read()
    server.stop()


def _case(server: Server, account: Account, n: int) -> Case:
    given = {"subject": f"ALB answers 503 ({n})", "communicationBody": BODY, "severityCode": "normal"}
    case = support.new_case(server.world, account, given)
    for answer in range(ANSWERS):
        at = BEGAN + timedelta(minutes=answer + 1)
        support.say(server.world, account, case, f"{answer}: {BODY}", at=at)
    return case


def _told(case: Case) -> dict[str, Any]:
    words = [{"body": word.body, "by": word.by, "at": word.at.isoformat()} for word in case.words]
    return {
        "case": case.number,
        "display": case.display,
        "subject": case.subject,
        "status": case.status,
        "service": case.service,
        "category": case.category,
        "severity": case.severity,
        "language": case.language,
        "by": case.by,
        "at": case.at.isoformat(),
        "words": words,
    }


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4]))
