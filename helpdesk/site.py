"""Whose desk this is, for every page and letter: one row, kept in the process for five seconds.

So a page costs no statement for it. What an administrator saves is true at once in the process that saved it, and a
few seconds later everywhere.
"""

import time

from django.db import DatabaseError, InterfaceError

from helpdesk.models import SiteSettings

KEPT_S = 5.0


class _Kept:
    """What this process knows, and until when it needs not ask again (monotonic seconds)."""

    row: SiteSettings | None = None
    until: float = 0.0


def current() -> SiteSettings:
    """The site's settings, its defaults where nobody set any. No statement within five seconds of the last one.

    While the database is away, what was known last: a page that says so has a name and a colour too.
    """
    if _Kept.row is None or time.monotonic() >= _Kept.until:
        _Kept.until = time.monotonic() + KEPT_S
        try:
            _Kept.row = SiteSettings.objects.defer("logo").first() or SiteSettings()
        except (DatabaseError, InterfaceError):
            _Kept.row = _Kept.row or SiteSettings()
    return _Kept.row


def forget() -> None:
    """The next reader asks the database."""
    _Kept.row = None


def hold(row: SiteSettings) -> None:
    """Keeps these settings until somebody saves others: for tests, whose statements are counted."""
    _Kept.row, _Kept.until = row, float("inf")
