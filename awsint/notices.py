"""Who is told that AWS cannot be read: the leads, once for each trouble of an account, and once for a hub's.

An account that is refused or has no plan is told of at once, any other trouble when two readings in a row have failed.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from awsint.models import Hub, Poll, State
from awsint.shapes import AwsError
from helpdesk.accounts.models import User
from helpdesk.outbox.enqueue import Draft, enqueue

UNREAD, HUB_DOWN = "aws.account_unread", "aws.hub_down"
# Nobody waits for a second look at these.
CERTAIN = (State.ACCESS_DENIED, State.NO_PLAN)


def leads() -> list[User]:
    """The leads, or the administrators where there is no lead. One statement."""
    found = list(User.objects.filter(is_active=True, staff_role__in=["lead", "admin"]).order_by("pk"))
    return [user for user in found if user.staff_role == "lead"] or found


@transaction.atomic
def unread(account: int, at: datetime) -> int:
    """Tells the leads that an account cannot be read, unless they know; returns how many letters were written."""
    wanted = Poll.objects.filter(Q(state__in=CERTAIN) | Q(failures__gte=2), pk=account, told_at=None)
    # Whoever comes second waits here, and then finds it told.
    if not wanted.exclude(state__in=[State.OK, State.NEW]).update(told_at=at):
        return 0
    return _tell(UNREAD, f"aws:account:{account}", {"account": account}, at)


def hubs_down() -> set[str]:
    """The partitions in which our own identity did not work when it was tried last."""
    return set(Hub.objects.filter(down_since__isnull=False).values_list("partition", flat=True))


@transaction.atomic
def hub_down(partition: str, error: AwsError, at: datetime) -> int:
    """Notes that nothing of a partition can be read, and tells the leads once; returns how many letters."""
    hub = Hub.objects.filter(partition=partition)
    told = {"down_code": error.code[:80], "down_reason": error.text[:2000]}
    if not hub.filter(down_since=None).update(**told, down_since=at):
        return 0
    return _tell(HUB_DOWN, f"aws:hub:{partition}", {"partition": partition}, at)


def hub_works(partition: str) -> bool:
    """The partition can be read again; whether it could not before."""
    hub = Hub.objects.filter(partition=partition, down_since__isnull=False)
    return bool(hub.update(down_since=None, down_code="", down_reason=""))


def _tell(kind: str, subject: str, data: dict[str, object], at: datetime) -> int:
    return len(enqueue([Draft(kind, person, data=dict(data)) for person in leads()], at=at, subject=subject))
