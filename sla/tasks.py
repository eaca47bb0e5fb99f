"""What is done about calendars and plans once a day, called by the schedule. It may run twice or late."""

from django.utils import timezone

from sla import calendar_ends, plan_ends


def warn_of_calendars() -> int:
    """Tells the administrators which holidays are known for 60, 30 or 7 days more; returns how many letters went."""
    return calendar_ends.tell(timezone.now())


def warn_of_plans() -> int:
    """Tells leads and administrators whose plan ends in 60, 30 or 7 days; returns how many letters went."""
    return plan_ends.tell(timezone.now())
