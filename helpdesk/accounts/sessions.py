"""Ending the sessions of a person: at a new password, a changed role or factor, at deactivation."""

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

from helpdesk.accounts.models import User


def end_sessions(person: User, *, keep: str | None = None) -> int:
    """Ends all of a person's sessions but the one with key `keep`; returns how many. Three statements."""
    known = UserSession.objects.filter(user=person).exclude(session_key=keep or "")
    keys = list(known.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    known.delete()
    return len(keys)
