"""The door of django-q2: what recurs, or takes long, with AWS."""

from django.utils import timezone

from awsint import calls


def keep_calls() -> None:
    """Each night: the call log's days."""
    calls.keep(timezone.now())
