"""`manage.py sync_schedule`: writes the recurring jobs of helpdesk/schedule.py into the queue's tables."""

from typing import Any

from django.core.management.base import BaseCommand

from helpdesk.schedule import sync


class Command(BaseCommand):
    help = "Brings the recurring jobs up to what helpdesk/schedule.py says."

    def handle(self, **options: Any) -> None:
        sync()
