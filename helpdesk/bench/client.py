"""The other side of the wire: asks over persistent connections and takes the time. A process of its own, no Django.

Reads a list of jobs as JSON from standard input and writes what it measured to standard output, a line per job. Milli-
seconds are wall time from the first byte sent to the last byte read.
"""

import http.client
import itertools
import json
import secrets
import statistics
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlencode

ROUNDS = 3
WARM_UP = 50
ALONE = 300
ALONE_S = 12.0
CROWD = 8
CROWD_REQUESTS = 500
CROWD_S = 5.0
ARRIVAL_S = 0.03


@dataclass
class Job:
    """Requests of one kind: the paths in turn; with `form` they are POSTs, each with a fresh `once`."""

    name: str
    cookie: str
    paths: list[str]
    form: dict[str, str] | None
    expect: int


@dataclass
class Taken:
    """What one job took: medians over the rounds; `wrong` counts answers with another status, by status."""

    name: str
    p50_ms: float = 0
    p95_ms: float = 0
    per_s: float = 0
    rounds_ms: list[float] = field(default_factory=list)
    rounds_per_s: list[float] = field(default_factory=list)
    bytes: int = 0
    wrong: dict[str, int] = field(default_factory=dict)


class Visitor:
    """One connection that goes through a job's paths."""

    def __init__(self, port: int, job: Job, turns: "itertools.count[int]", taken: Taken) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.job, self.turns, self.taken = job, turns, taken
        self.headers = {"Cookie": job.cookie, "User-Agent": "helpdesk-bench"}
        if job.form is not None:
            self.headers["Content-Type"] = "application/x-www-form-urlencoded"

    def ask(self) -> float:
        """One request; how many milliseconds it took."""
        path = self.job.paths[next(self.turns) % len(self.job.paths)]
        body = None
        if self.job.form is not None:
            body = urlencode(self.job.form | {"once": secrets.token_urlsafe(16)}).encode()
        begun = time.perf_counter()
        self.connection.request("GET" if body is None else "POST", path, body, self.headers)
        answer = self.connection.getresponse()
        self.taken.bytes = len(answer.read())
        ended = time.perf_counter()
        if answer.status != self.job.expect:
            key = str(answer.status)
            self.taken.wrong[key] = self.taken.wrong.get(key, 0) + 1
        return (ended - begun) * 1000

    def close(self) -> None:
        self.connection.close()


def measure(port: int, job: Job) -> Taken:
    """A client alone, then a crowd, three rounds each."""
    taken, turns = Taken(job.name), itertools.count()
    tails = []
    _crowd(port, job, turns, taken, WARM_UP * 2)
    for _ in range(ROUNDS):
        times = _alone(port, job, turns, taken)
        taken.rounds_ms.append(statistics.median(times))
        tails.append(statistics.quantiles(times, n=20)[-1])
    for _ in range(ROUNDS):
        taken.rounds_per_s.append(_crowd(port, job, turns, taken, CROWD_REQUESTS))
    taken.p50_ms, taken.p95_ms = statistics.median(taken.rounds_ms), statistics.median(tails)
    taken.per_s = statistics.median(taken.rounds_per_s)
    return taken


def _alone(port: int, job: Job, turns: "itertools.count[int]", taken: Taken) -> list[float]:
    visitor = Visitor(port, job, turns, taken)
    for _ in range(WARM_UP):
        visitor.ask()
    until = time.monotonic() + ALONE_S
    times = [visitor.ask() for _ in itertools.takewhile(lambda _: time.monotonic() < until, range(ALONE))]
    visitor.close()
    return times


def _crowd(port: int, job: Job, turns: "itertools.count[int]", taken: Taken, requests: int) -> float:
    """Requests per second of eight at once, counted from when all are there."""
    left = iter(range(requests))
    done = []
    begun = time.perf_counter() + CROWD * ARRIVAL_S
    until = begun + CROWD_S

    def visit(number: int) -> None:
        visitor = Visitor(port, job, turns, taken)
        # They arrive one after another and ask at once: a web process keeps the connections it took, and an idle one
        # would take all that come in the same millisecond.
        time.sleep(number * ARRIVAL_S)
        while time.perf_counter() < begun:
            visitor.ask()
        for _ in left:
            done.append(visitor.ask())
            if time.perf_counter() > until:
                break
        visitor.close()

    crowd = [threading.Thread(target=visit, args=(number,)) for number in range(CROWD)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    return len(done) / (time.perf_counter() - begun)


def main() -> None:
    plan: dict[str, Any] = json.load(sys.stdin)
    for job in plan["jobs"]:
        print(json.dumps(asdict(measure(plan["port"], Job(**job)))), flush=True)


if __name__ == "__main__":
    main()
