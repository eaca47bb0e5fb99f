"""Where allauth tells us that somebody changed their own second factor: other sessions end, this one asks again.

allauth offers signals only for this; what is done is an action like any other.
"""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from helpdesk.accounts import actions
from helpdesk.accounts.models import User
from helpdesk.accounts.second_factor import IN_SESSION


@receiver(authenticator_added)
def added(request: HttpRequest, user: User, authenticator: Authenticator, **rest: Any) -> None:
    _changed(request, user, authenticator, "added")


@receiver(authenticator_removed)
def removed(request: HttpRequest, user: User, authenticator: Authenticator, **rest: Any) -> None:
    _changed(request, user, authenticator, "removed")


def _changed(request: HttpRequest, user: User, authenticator: Authenticator, action: str) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        return
    request.session.pop(IN_SESSION, None)
    keep = request.session.session_key
    actions.second_factor_changed(person=user, action=action, at=timezone.now(), keep_session=keep)
