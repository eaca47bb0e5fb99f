"""What the schedule asks of months."""

from django.utils import timezone

from tickets import freezing


def freeze_months() -> int:
    """Asks for the reports of months that are over and not frozen yet; returns for how many months."""
    return len(freezing.begin_due(timezone.now()))
