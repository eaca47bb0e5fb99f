"""Whether somebody has a second factor, asked of the database once per session.

The answer stands in the session. Whoever takes a factor away ends the person's sessions or clears the answer: the
person's own removal by allauth's hook here, an administrator's by actions.reset_second_factor.
"""

from allauth.mfa.models import Authenticator
from django.db.models import QuerySet

from helpdesk.accounts.doors import PersonRequest
from helpdesk.accounts.models import User

IN_SESSION = "second_factor"


def has_second_factor(request: PersonRequest) -> bool:
    """Recovery codes alone are none: they belong to a factor that was lost."""
    if request.session.get(IN_SESSION) == request.user.pk:
        return True
    if not factors_of(request.user).exists():
        return False
    request.session[IN_SESSION] = request.user.pk
    return True


def factors_of(user: User) -> QuerySet:
    """What counts as a factor: an authenticator app, a key or passkey."""
    return factors().filter(user=user)


def factors() -> QuerySet:
    """Everybody's."""
    found: QuerySet = Authenticator.objects.filter(type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN])
    return found


def authenticators_of(user: User) -> QuerySet:
    """Factors and recovery codes."""
    found: QuerySet = Authenticator.objects.filter(user=user)
    return found
