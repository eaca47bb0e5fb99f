"""A worker's turn at a long job, called by django-q2."""

from uuid import UUID

from django.utils import timezone

from helpdesk import tasks
from helpdesk.jobs import work


def run(public: str) -> None:
    """Works at one job for a while; each slice also says that the cluster lives."""
    work.turn(UUID(public), timezone.now, tasks.beat)
