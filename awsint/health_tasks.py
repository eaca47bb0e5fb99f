"""The door of django-q2 to AWS Health: each may run twice or late."""

from django.utils import timezone

from awsint import health, health_poll
from helpdesk import tasks


def read() -> int:
    """Each minute: feeds that are new are enrolled, those that are due are read; returns how many were."""
    health_poll.enrol(timezone.now())
    heart = health_poll.bite(timezone.now, tasks.beat)
    return heart.read if heart else 0


def sweep() -> int:
    """Each minute: what is due and was left undone; what push missed. Returns how many customers heard."""
    return health.sweep(timezone.now())


def raise_due() -> int:
    """Every quarter of an hour: what comes nearer is decided again; returns how many events were."""
    return health_poll.raise_due(timezone.now())
