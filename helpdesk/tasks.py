"""Tasks of the floor, called by django-q2."""

from django.utils import timezone

from helpdesk.models import Heartbeat


def beat() -> None:
    """The cluster's sign of life."""
    Heartbeat.beat("qcluster", timezone.now())
