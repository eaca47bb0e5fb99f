"""What the tests of the set-up of AWS Health share: an organization that is to be connected, the command, the job."""

import json
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.utils import timezone

from awsint.client import sessions
from awsint.models import Hub
from helpdesk.jobs import work
from helpdesk.jobs.models import Job
from tests.awsint.simulator import Sim

PAYER, SPEAKER, CHINESE = "100000000071", "100000000072", "100000000073"
BUS = "arn:aws:events:us-east-1:123456789012:event-bus/partner-support"
ROLE = "arn:aws:iam::100000000071:role/PartnerSupportSync"
ID = "setup-external-id-0123456789abcdef"
RULES = ["rule:us-east-1", "rule:us-west-2", "rule:eu-west-1"]
HUBS = ["hub", "hub_bus", "bus", "dead_queue", "queue", "queue_policy", "hub_rule"]
KINDS = ["AWS Health Event", "AWS Health Abuse Event"]
PAGE = "/aws/health/setup"


def told(hub: Hub, sim: Sim) -> None:
    """Writes down at the hub what hub.yaml would have put out."""
    hub.bus_arn, at = BUS, hub.partition
    hub.queue_url, hub.dead_queue_url = sim.queue_url("support", at), sim.queue_url("support-dead", at)
    hub.health_queue_url, hub.health_dead_queue_url = sim.queue_url("health", at), sim.queue_url("health-dead", at)
    hub.save()


def ran(command: str, *given: str, rc: int = 0) -> Any:
    # A command is a process of its own: nothing was lent it before.
    sessions.forget()
    told, got = StringIO(), 0
    try:
        call_command(command, *given, stdout=told)
    except SystemExit as end:
        got = int(end.code or 0)
    assert got == rc, told.getvalue()
    return json.loads(told.getvalue()) if "--json" in given else told.getvalue()


def setup(*given: str, rc: int = 0) -> dict[str, str]:
    all_given = (SPEAKER, "--management-role", ROLE, "--region", "eu-west-1", "--json", *given)
    return {one["step"]: one["state"] for one in ran("aws_setup_health", *all_given, rc=rc)}


def worked(kind: str) -> Job:
    """What was asked for last, done by a worker."""
    job = Job.objects.filter(kind=kind).latest("pk")
    while work.step(job.public, timezone.now()):
        pass
    job.refresh_from_db()
    assert job.state == "done", job.last_error
    return job
