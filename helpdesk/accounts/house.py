"""Who belongs to nobody outside: the house customer, whose tickets are our own, and the voice that AWS speaks with.

Both are rows that come about when they are first needed. The house stands in no list of customers, report, credit or
month (Customer.objects leaves it out), has no people, and its tickets are the desk's alone. AWS is a service user: no
login, no letters, in no list of people.
"""

from datetime import datetime

from django.db.models import QuerySet

from helpdesk.accounts.models import HOUSE, Customer, Language, User
from helpdesk.kept import kept

# No form takes these for a code and an address.
CODE, VOICE = "(house)", "service:aws"


def house(at: datetime) -> Customer:
    """The customer of tickets that stand for something of several customers. One statement, more the first time."""
    # What it is called is read by the desk alone, and alike in both languages.
    given = {"name": "AWS", "code": CODE, "language": Language.ENGLISH, "created_at": at}
    return Customer._base_manager.get_or_create(pk=HOUSE, defaults=given)[0]


def aws(at: datetime) -> User:
    """The author of what AWS says. One statement, more the first time."""
    if known := _voice(VOICE):
        return known[0]
    # Of two that come first the second finds the row of the other.
    password = User()
    password.set_unusable_password()
    given = {"name": "AWS", "is_service": True, "password": password.password, "created_at": at}
    return User.objects.get_or_create(email=VOICE, defaults=given)[0]


@kept
def _voice(email: str) -> QuerySet[User]:
    return User.objects.filter(email=email)
