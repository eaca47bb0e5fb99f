"""`manage.py consume_health`: the same consumer for AWS Health's queues alone, on a machine of their own, say."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from awsint.consuming import Consumer
from helpdesk.supervisor import Stop, die_with_parent_from_here_on


class Command(BaseCommand):
    help = "Receives from AWS Health's queues of all hubs, and from no other. Several may run beside `worker`'s."

    def handle(self, **options: Any) -> None:
        die_with_parent_from_here_on()
        Consumer(timezone.now, ["health"]).run(Stop())
