"""`manage.py consume_support`: receives what AWS pushes into our hubs' queues, and works it off."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from awsint.consuming import Consumer
from helpdesk.supervisor import Stop, die_with_parent_from_here_on


class Command(BaseCommand):
    help = (
        "Receives from the queues of all hubs, AWS Support's and AWS Health's. Started and watched by `worker`, where "
        "a hub has a queue."
    )

    def handle(self, **options: Any) -> None:
        die_with_parent_from_here_on()
        Consumer(timezone.now).run(Stop())
