"""How somebody is found at login: by their one address, in one look-up."""

from allauth.account.auth_backends import AuthenticationBackend
from django.db.models import QuerySet

from helpdesk.accounts.models import User
from helpdesk.kept import kept


class Backend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's own looks in two tables for a stranger and in one for a friend, which the clock could tell."""

    def _authenticate_by_email(self, email: str, password: str) -> User | None:
        person: User | None = self._check_password(User.objects.filter(email=email.lower()).first(), password)
        return person

    def get_user(self, user_id: int) -> User | None:
        """Who is logged in: every page asks."""
        found = _numbered(user_id)
        return found[0] if found and self.user_can_authenticate(found[0]) else None


@kept
def _numbered(number: int) -> QuerySet[User]:
    return User.objects.filter(pk=number)
