"""How soon the desk shows what AWS pushes, and the customer reads it: the simulator and the consumer are processes of
their own, and letters leave as the pulse sends them, to a mail server on this machine that keeps nothing.

From the moment at which something is said at AWS to the moment at which its words stand on a ticket, the consumer's
own queue, a read of the case and the ticket's transaction in between; then from AWS's time to the mail. And the other
way: from an engineer's click to AWS's yes, as the pulse's threads bring it there.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from statistics import quantiles
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from helpdesk.bench import aws, post
from helpdesk.outbox import deliver
from helpdesk.outbox.models import Letter

ACCOUNTS, ANSWERS, EVERY_S, LATENCY_MS = 40, 160, 0.2, 150
MOST_S, GUARD_S = 3.0, 120
WORDS, MOST_SENT_S = 60, 5.0
LEFT = ["awsint_outgoing", "awsint_inboxmessage", "awsint_queuestate"]
LAGS = """
SELECT extract(epoch FROM l.sent_at - c.created_at) FROM outbox_letter l
JOIN awsint_communication c ON c.message_id = (l.data->>'message')::bigint
WHERE l.kind = 'ticket.aws_said' AND l.sent_at IS NOT NULL
"""


def told() -> Iterator[str]:
    """The measurement in two lines, the first with its verdict."""
    with world() as url, post.sink() as port, post.told(f"smtp://127.0.0.1:{port}"):
        try:
            _load(url, timezone.now())
            with consumer(url):
                yield _seen("new cases", _push(url, [("open", place) for place in range(ACCOUNTS)]))
                cases = _cases()
                yield _seen("answers", _push(url, [("answer", cases[n % len(cases)]) for n in range(ANSWERS)]))
            yield _relayed()
            with reaching(url):
                yield _brought(_send())
        finally:
            _forget()


def _seen(what: str, lags: list[float]) -> str:
    half, most = _half_and_most(lags)
    verdict = "ok" if most < MOST_S else "MISSED"
    return (
        f"{len(lags)} {what}, one each {EVERY_S:.1f} s, {LATENCY_MS} ms to AWS: on the desk after p50 {half:.2f} s, "
        f"p95 {most:.2f} s (< {MOST_S:.0f} s: {verdict})"
    )


def _relayed() -> str:
    with connection.cursor() as cursor:
        cursor.execute(LAGS)
        lags = [float(lag) for (lag,) in cursor.fetchall()]
    if len(lags) < 2:
        return "No letter left."
    half, most = _half_and_most(lags)
    return f"{len(lags)} letters with AWS's answers: from AWS's time to the mail p50 {half:.1f} s, p95 {most:.1f} s"


def _brought(lags: list[float]) -> str:
    half, most = _half_and_most(lags)
    verdict = "ok" if most < MOST_SENT_S else "MISSED"
    return (
        f"{len(lags)} words to AWS, one each {EVERY_S:.1f} s: at AWS after p50 {half:.2f} s, p95 {most:.2f} s "
        f"(< {MOST_SENT_S:.0f} s: {verdict})"
    )


def _half_and_most(lags: list[float]) -> tuple[float, float]:
    cut = quantiles(lags, n=20, method="inclusive")
    return cut[9], cut[18]


# --- The world -------------------------------------------------------------------------------------------------------


@contextmanager
def world(latency_ms: int = LATENCY_MS) -> Iterator[str]:
    command = [sys.executable, "-m", "awsint.sim", "--port", "0", "--scenario", "quiet", "--latency", str(latency_ms)]
    with subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        try:
            yield next(word for word in other.stdout.readline().split() if word.startswith("http"))
        finally:
            other.terminate()


def _way(url: str) -> dict[str, str]:
    """How a process finds the simulator, and who it is there."""
    return {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "AKIAHUB", "AWS_SECRET_ACCESS_KEY": "none"}


@contextmanager
def reaching(url: str) -> Iterator[None]:
    """This very process finds it, for a while."""
    from awsint.client import sessions

    before = {name: os.environ.get(name) for name in _way(url)}
    os.environ.update(_way(url))
    sessions.forget()
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        sessions.forget()


@contextmanager
def consumer(url: str) -> Iterator[None]:
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "consume_support"]
    with subprocess.Popen(command, cwd=settings.BASE_DIR, env=os.environ | _way(url)) as other:
        try:
            _wait_for_it()
            yield
        finally:
            other.terminate()


def _wait_for_it() -> None:
    """Until it has heard its queue: how long it takes to start is not what is asked."""
    from awsint.models import QueueState

    until = time.monotonic() + GUARD_S
    while not QueueState.objects.filter(heard_at__isnull=False).exists() and time.monotonic() < until:
        time.sleep(0.1)


def _load(url: str, at: datetime) -> None:
    from awsint.models import Account, Hub, Poll
    from awsint.sim.events import queue_url
    from helpdesk.accounts.models import Customer

    _forget()
    Letter.objects.all().delete()
    hub = {"account_number": aws.HUB, "region": "us-east-1", "principal_arn": f"arn:aws:iam::{aws.HUB}:role/hub"}
    Hub.objects.create(partition="aws", queue_url=queue_url("aws", "support"), created_at=at, **hub)
    customers = list(Customer.objects.active().values_list("pk", flat=True)[:ACCOUNTS])
    for place in range(ACCOUNTS):
        role = steer(url, "account", {"number": _number(place), "external_id": f"external-id-of-{place:020}"})
        row = Account.objects.create(
            customer_id=customers[place % len(customers)], number=_number(place), name=f"bench {place}",
            role_arn=role, external_id=f"external-id-of-{place:020}", proved_at=at, created_at=at, may_write=True,
        )  # fmt: skip
        Poll.objects.create(account=row, next_at=at, first_at=at, whole_at=at, state="OK")


def _number(place: int) -> str:
    return f"{200_000_000_000 + place}"


def _cases() -> list[tuple[str, str]]:
    from awsint.models import SupportCase

    return list(SupportCase.objects.order_by("pk").values_list("account__number", "case_id"))


def _forget() -> None:
    with connection.cursor() as cursor:
        for table in LEFT:
            cursor.execute(f"DELETE FROM {table}")
    aws.forget()


def steer(url: str, what: str, given: dict[str, Any]) -> Any:
    body = json.dumps(given).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{url}/_sim/{what}", body), timeout=30) as answer:
        return json.loads(answer.read())


# --- The measurement -------------------------------------------------------------------------------------------------


def _push(url: str, jobs: list[tuple[str, Any]]) -> list[float]:
    """Says things at AWS one after another and looks for each on the desk; seconds from one to the other."""
    mail, waiting, lags, number = deliver.Post(), dict[str, float](), list[float](), 0
    next_job = next_tick = time.monotonic()
    until = next_job + GUARD_S + EVERY_S * len(jobs)
    try:
        while (number < len(jobs) or waiting or _on_their_way()) and time.monotonic() < until:
            if number < len(jobs) and time.monotonic() >= next_job:
                next_job += EVERY_S
                body = f"Something happened, number {number} of {jobs[0][0]}."
                waiting[body] = time.monotonic()
                _say(url, *jobs[number], body)
                number += 1
            for body in _on_the_desk(list(waiting)):
                lags.append(time.monotonic() - waiting.pop(body))
            if time.monotonic() >= next_tick:
                next_tick += 1
                mail.tick(timezone.now())
            time.sleep(0.01)
    finally:
        mail.stop(10)
    return lags + [float(GUARD_S)] * len(waiting)


def _send() -> list[float]:
    """Writes on cases one after another, as engineers do; seconds from each click to AWS's yes."""
    from awsint import case_actions, sending
    from awsint.models import SupportCase
    from helpdesk.accounts.models import User

    by = User.objects.staff().order_by("pk")[0]
    cases = list(SupportCase.objects.select_related("account__poll").filter(links__isnull=False)[:WORDS])
    post_to_aws, number, next_tick = sending.Post(), 0, time.monotonic()
    next_word = next_tick
    until = next_tick + GUARD_S + EVERY_S * WORDS
    under_way = Letter.objects.filter(channel=sending.CHANNEL).exclude(state="sent")
    try:
        while (number < WORDS or under_way.exists()) and time.monotonic() < until:
            if number < WORDS and time.monotonic() >= next_word:
                case = cases[number % len(cases)]
                body, ticket = f"Word {number} to AWS.", case.links.get().ticket
                case_actions.answer(ticket=ticket, case=case, body=body, by=by, at=timezone.now())
                next_word, number = next_word + EVERY_S, number + 1
            if time.monotonic() >= next_tick:
                next_tick += 1
                post_to_aws.tick(timezone.now())
            time.sleep(0.01)
    finally:
        post_to_aws.stop(10)
    sent = Letter.objects.filter(channel=sending.CHANNEL, state="sent")
    lags = [(one.sent_at - one.created_at).total_seconds() for one in sent if one.sent_at]
    return lags + [float(GUARD_S)] * (number - len(lags))


def _say(url: str, what: str, where: Any, body: str) -> None:
    if what == "open":
        steer(url, "open", {"account": _number(where), "subject": body, "body": body})
    else:
        steer(url, "answer", {"account": where[0], "case": where[1], "body": body})


def _on_the_desk(bodies: list[str]) -> list[str]:
    from awsint.models import Communication

    found = Communication.objects.filter(body__in=bodies, message__isnull=False) if bodies else []
    return [word.body for word in found]


def _on_their_way() -> bool:
    return Letter.objects.filter(state__in=["ready", "sending"]).exists()
