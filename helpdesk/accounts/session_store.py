"""Sessions as Django keeps them in the database, read by a statement that is built once: every page reads one."""

from datetime import datetime

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from helpdesk.kept import kept


class SessionStore(DatabaseStore):
    def _get_session_from_db(self) -> Session | None:
        found = _running(str(self.session_key), timezone.now())
        if not found:
            self._session_key = None
        return found[0] if found else None


@kept
def _running(key: str, at: datetime) -> QuerySet[Session]:
    return Session.objects.filter(session_key=key, expire_date__gt=at)
