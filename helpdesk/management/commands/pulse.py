"""`manage.py pulse`: what must happen within a second or a minute, beside the jobs of django-q2."""

from typing import Any

from django.core.management.base import BaseCommand

from awsint import sending
from helpdesk import pulse
from helpdesk.outbox import deliver
from helpdesk.supervisor import Stop, die_with_parent_from_here_on


class Command(BaseCommand):
    help = "Does what is due each second. Started and watched by `worker`."
    # The worker that starts it has made the checks, with the same settings.
    requires_system_checks: list[str] = []

    def handle(self, **options: Any) -> None:
        die_with_parent_from_here_on()
        try:
            pulse.run(Stop())
        finally:
            deliver.stop()
            sending.stop()
