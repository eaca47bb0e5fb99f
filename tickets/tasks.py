"""The recurring and nudged work of the desk, called by django-q2. Each may run twice or late."""

from uuid import UUID

from django.utils import timezone

from tickets import attaching, causes, drift, previewing


def draw(file: str) -> bool:
    """The preview of one file, as soon as it was uploaded."""
    return previewing.draw(UUID(file), timezone.now())


def draw_due() -> int:
    """Previews that were forgotten, or did not work the first time; returns how many were tried."""
    return previewing.draw_due(timezone.now())


def forget_files() -> int:
    """Files that were never sent, and those that belong to nobody; returns how many went."""
    at = timezone.now()
    return attaching.forget_unsent(at) + attaching.forget_strays(at)


def compare_clocks() -> bool:
    """Begins to reckon all clocks again, unless that is under way."""
    return drift.begin(timezone.now()) is not None


def remind_of_causes() -> int:
    """The causes of broken promises that are owed; returns of how many somebody was told."""
    return causes.remind(timezone.now())
