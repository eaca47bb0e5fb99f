"""Recurring work on the history's surroundings; the history itself is kept for good."""

from datetime import timedelta

from django.utils import timezone

from helpdesk.audit.models import Origin

KEPT = timedelta(days=180)


def forget_origins() -> int:
    """Removes addresses and browsers older than 180 days; returns how many rows went."""
    return Origin.objects.filter(at__lt=timezone.now() - KEPT).delete()[0]
