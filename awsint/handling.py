"""Resources of an AWS Health event as their customer works them off: ticked as handled, and to do again (desk.md, 22).

A resource is to do until somebody ticks it or AWS says that it is over. When the last one is dealt with by a tick the
ticket gets a line and its engineer a letter; nothing is resolved by itself. What AWS says takes a tick away where it is
worse than it was (health_store.py), and whatever is to do again after all was handled is told to both sides.

Order of locks: the event (shared, so that nobody takes messages meanwhile), the customer's part, the ticket, resources.
"""

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet

from awsint.models import AffectedCustomer, AffectedEntity
from awsint.models.health import OVER
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Doer, Right, may
from helpdesk.audit.record import SYSTEM, Happening
from tickets.aws_events import begin
from tickets.deed import Deed

HANDLED = Q(handled_at__isnull=False)
IS_OVER = Q(handled_at=None, status__in=OVER)
TO_DO = Q(handled_at=None) & ~Q(status__in=OVER)
DONE, AGAIN = "ticket.resources_done", "ticket.resources_again"


def resources(part: AffectedCustomer) -> QuerySet[AffectedEntity]:
    """Those of this customer's accounts in the event, and no other's."""
    own = AffectedEntity.objects.filter(account__event=part.event_id, account__account__customer=part.customer_id)
    return own.order_by("account", "value")


# --- By people -------------------------------------------------------------------------------------------------------


@transaction.atomic
def tick(*, part: AffectedCustomer, chosen: QuerySet[AffectedEntity], by: User, at: datetime) -> int:
    """Those of `chosen` that are to do are handled; returns how many. Raises PermissionDenied, Conflict."""
    _may(part, by)
    hold(part)
    deed = _begin(part, by, at)
    done = _of(part, chosen).filter(TO_DO).update(handled_at=deed.at, handled_by=by, again_at=None, again_told_at=None)
    if not done:
        return 0
    deed.happen(Happening("ticket.resources_ticked", {"count": done}, public=True))
    if not resources(part).filter(TO_DO).exists():
        _all_done(part, deed)
    deed.finish()
    return done


@transaction.atomic
def untick(*, part: AffectedCustomer, chosen: QuerySet[AffectedEntity], by: User, at: datetime) -> int:
    """Those of `chosen` that were ticked are to do again, unless AWS says they are over; returns how many."""
    _may(part, by)
    hold(part)
    deed = _begin(part, by, at)
    done = _of(part, chosen).filter(HANDLED).update(handled_at=None, handled_by=None)
    if not done:
        return 0
    deed.happen(Happening("ticket.resources_unticked", {"count": done}, public=True))
    if resources(part).filter(TO_DO).exists():
        _not_done(part, deed)
    deed.finish()
    return done


def _may(part: AffectedCustomer, by: User) -> None:
    if not (may(by, Right.WORK) if by.is_desk else may(by, Right.REPLY, part.customer_id)):
        raise PermissionDenied


def hold(part: AffectedCustomer) -> None:
    """Holds a part as it stands now, with its event; whoever takes or tells of the event meanwhile waits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM awsint_healthevent WHERE id = %s FOR SHARE", [part.event_id])
    part.handled_at = AffectedCustomer.objects.select_for_update().values_list("handled_at", flat=True).get(pk=part.pk)


def _begin(part: AffectedCustomer, by: Doer, at: datetime) -> Deed:
    assert part.ticket is not None
    return begin(part.ticket, by, at)


def _of(part: AffectedCustomer, chosen: QuerySet[AffectedEntity]) -> QuerySet[AffectedEntity]:
    return AffectedEntity.objects.filter(pk__in=resources(part).order_by().values("pk")).filter(
        pk__in=chosen.order_by().values("pk")
    )


def _all_done(part: AffectedCustomer, deed: Deed) -> None:
    if part.handled_at:
        return
    AffectedCustomer.objects.filter(pk=part.pk).update(handled_at=deed.at)
    deed.happen(Happening(DONE, {}, public=True))
    deed.tell(DONE, "assignee")


def _not_done(part: AffectedCustomer, deed: Deed) -> None:
    """The engineer, who heard that all is handled, hears that it is not."""
    if part.handled_at is None:
        return
    AffectedCustomer.objects.filter(pk=part.pk).update(handled_at=None)
    deed.tell(AGAIN, "assignee")


# --- By AWS ----------------------------------------------------------------------------------------------------------

WAITING = """
SELECT c.id, e.value FROM awsint_affectedentity e JOIN awsint_affectedaccount a ON a.id = e.account_id
JOIN awsint_account w ON w.id = a.account_id
JOIN awsint_affectedcustomer c ON c.event_id = a.event_id AND c.customer_id = w.customer_id
WHERE e.again_at IS NOT NULL AND e.again_told_at IS NULL AND e.handled_at IS NULL AND e.status <> ALL(%(over)s)
    AND c.id = ANY(%(parts)s)
UNION
SELECT c.id, e.value FROM awsint_affectedcustomer c JOIN awsint_affectedaccount a ON a.event_id = c.event_id
JOIN awsint_account w ON w.id = a.account_id AND w.customer_id = c.customer_id
JOIN awsint_affectedentity e ON e.account_id = a.id
WHERE c.id = ANY(%(parts)s) AND c.handled_at IS NOT NULL AND e.handled_at IS NULL AND e.status <> ALL(%(over)s)
ORDER BY 1, 2
"""


def waiting(parts: Sequence[int]) -> dict[int, list[str]]:
    """What is to be told as to do again, by part: what lost its tick, and whatever is to do after all was handled. One
    statement."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, {"parts": list(parts), "over": [str(status) for status in OVER]})
        found: dict[int, list[str]] = {}
        for part, value in cursor.fetchall():
            found.setdefault(part, []).append(value)
    return found


def still_waiting(part: AffectedCustomer) -> list[str]:
    """The same of one part, which is held from here on: somebody may have ticked meanwhile."""
    hold(part)
    return waiting([part.pk]).get(part.pk, [])


def told_again(part: AffectedCustomer, count: int, at: datetime) -> None:
    """Notes on the ticket that so many resources are to do again, and tells its engineer. In the caller's transaction,
    which holds the part and has told the customer."""
    own = resources(part).order_by().filter(again_at__isnull=False, again_told_at=None)
    AffectedEntity.objects.filter(pk__in=own.values("pk")).update(again_told_at=at)
    AffectedCustomer.objects.filter(pk=part.pk).update(handled_at=None)
    deed = _begin(part, SYSTEM, at)
    deed.happen(Happening(AGAIN, {"count": count}, public=True))
    deed.tell(AGAIN, "assignee")
    deed.finish()


# --- How far ---------------------------------------------------------------------------------------------------------


def sums(part: AffectedCustomer, found: Q | None = None) -> dict[str, int]:
    """How many resources there are and how they stand; beside it, as `found_..`, of those a condition finds. One
    statement."""
    kinds = {"all": Q(), "handled": HANDLED, "over": IS_OVER, "to_do": TO_DO}
    wanted = {name: Count("pk", filter=which or None) for name, which in kinds.items()}
    if found:
        wanted |= {f"found_{name}": Count("pk", filter=which & found) for name, which in kinds.items()}
    told: dict[str, int] = resources(part).order_by().aggregate(**wanted)
    return told
