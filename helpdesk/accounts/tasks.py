"""Nightly housekeeping, called by the schedule. Each may run twice or late."""

from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.utils import timezone

from helpdesk.accounts import doors
from helpdesk.cache import TableCache


def forget_once() -> int:
    """Keys of writes that nobody repeats any more; returns how many went."""
    return doors.forget_once(timezone.now())


def clear_sessions() -> int:
    """Sessions that ran out; returns how many went."""
    return Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]


def cull_cache() -> int:
    """Values that ran out, where the cache is a table; returns how many went."""
    cache = caches["default"]
    return cache.cull(timezone.now()) if isinstance(cache, TableCache) else 0
