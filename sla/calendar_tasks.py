"""What is done about calendars once a day, called by the schedule. It may run twice or late."""

from django.utils import timezone

from sla.calendar_ends import tell


def warn() -> int:
    """Tells the administrators which holidays are known for 60, 30 or 7 days more; returns how many letters went."""
    return tell(timezone.now())
