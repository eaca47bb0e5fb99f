"""/aws/jobs: the heartbeats of what reads AWS, the gaps between them, and the accounts that nobody has read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _l

from awsint.models import Account, Round
from awsint.models.accounts import AccountQuerySet
from awsint.wishes import Wish, choice, newest, word
from helpdesk.accounts.models import User
from sla import plots
from sla.attainment import Attainment
from sla.plots import Plot

# The promise is ten minutes and one of grace.
GAP = timedelta(minutes=settings.SUPPORT_POLL_MINUTES + 1)
# Two readings were missed: the account is red, and the leads hear of it.
UNREAD_AFTER = timedelta(minutes=2 * settings.SUPPORT_POLL_MINUTES)
LOOKED_BACK = timedelta(days=7)
DAY = timedelta(hours=24)
SLOTS = 48
SLOT = DAY / SLOTS
MOST_GAPS = 50
MOST_UNREAD = 50
KINDS = {"support": _l("Poll of cases"), "push": _l("Push"), "health": _l("Poll of Health")}


@dataclass(frozen=True)
class Asked(Wish):
    kind: str = ""

    @classmethod
    def read(cls, get: Mapping[str, str]) -> "Asked":
        return cls(kind=choice(get, "kind", KINDS), after=word(get, "after"))


def page(wish: Asked) -> tuple[list[Round], str]:
    """The newest heartbeats and the way to further ones. One statement."""
    rows = Round.objects.filter(kind__in=[wish.kind] if wish.kind else list(KINDS))
    found, further = newest(rows, "started_at", wish.after)
    for one in found:
        one.word = KINDS[one.kind]
    return found, further and wish.link(after=further)


# --- The last day as a picture ---------------------------------------------------------------------------------------

SUMS = """
SELECT kind, floor(extract(epoch FROM started_at - %(start)s) / %(slot)s)::int, sum(read), sum(failed), sum(due)
FROM awsint_round WHERE kind = ANY(%(kinds)s) AND started_at >= %(start)s AND started_at < %(end)s GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Slot:
    """Half an hour of a job: what was to do, what was done and what failed."""

    at: datetime
    kind: str
    due: int
    read: int
    failed: int

    @property
    def word(self) -> str:
        return str(KINDS[self.kind])


def slots(at: datetime) -> list[Slot]:
    """The half hours of the last day in which something was done. One statement."""
    start = at - DAY
    given: dict[str, Any] = {"kinds": list(KINDS), "start": start, "end": at, "slot": SLOT.total_seconds()}
    with connection.cursor() as cursor:
        cursor.execute(SUMS, given)
        rows = cursor.fetchall()
    found = [Slot(start + SLOT * place, kind, due, read, failed) for kind, place, read, failed, due in rows]
    return sorted(found, key=lambda slot: (slot.at, slot.kind))


def plot(found: Sequence[Slot], at: datetime) -> Plot:
    """A lane for each job that did something: outlined what was read, solid what failed."""
    start = at - DAY
    labels = [f"{timezone.localtime(start + SLOT * place):%H:%M}" for place in range(SLOTS)]
    lanes = []
    for kind, name in KINDS.items():
        mine = {
            round((slot.at - start) / SLOT): Attainment(slot.read, slot.failed) for slot in found if slot.kind == kind
        }
        if mine:
            lanes.append((str(name), [mine.get(place, Attainment()) for place in range(SLOTS)]))
    return plots.bars(lanes, labels)


# --- Gaps ------------------------------------------------------------------------------------------------------------

GAPS = """
SELECT kind, until, began FROM (
    SELECT kind, started_at AS began,
        max(coalesce(ended_at, started_at)) OVER (PARTITION BY kind ORDER BY started_at, id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS until
    FROM awsint_round WHERE kind = ANY(%(kinds)s) AND started_at >= %(start)s) rounds
WHERE began - until > %(gap)s ORDER BY began DESC LIMIT %(most)s
"""
LAST = """
SELECT DISTINCT ON (kind) kind, coalesce(ended_at, started_at) FROM awsint_round WHERE kind = ANY(%(kinds)s)
AND started_at >= %(start)s ORDER BY kind, started_at DESC
"""


@dataclass(frozen=True)
class Gap:
    """When a job was silent for too long; `until` is None where it still is."""

    kind: str
    began: datetime
    until: datetime | None
    span: timedelta

    @property
    def word(self) -> str:
        return str(KINDS[self.kind])


def gaps(at: datetime) -> list[Gap]:
    """The silences of a week, the newest first. Two statements."""
    given: dict[str, Any] = {"kinds": ["support", "push"], "start": at - LOOKED_BACK, "gap": GAP, "most": MOST_GAPS}
    with connection.cursor() as cursor:
        cursor.execute(LAST, given)
        still = [Gap(kind, end, None, at - end) for kind, end in cursor.fetchall() if at - end > GAP]
        cursor.execute(GAPS, given)
        return still + [Gap(kind, until, began, began - until) for kind, until, began in cursor.fetchall()]


# --- Unread ----------------------------------------------------------------------------------------------------------


def unread(accounts: AccountQuerySet, at: datetime) -> AccountQuerySet:
    """The connected ones that nobody could read for twenty minutes, those never read counted from their proof."""
    before = at - UNREAD_AFTER
    never = Q(poll=None) | Q(poll__read_at=None)
    return accounts.connected().filter(Q(poll__read_at__lt=before) | never & Q(proved_at__lt=before))


def unread_of(user: User, at: datetime) -> tuple[list[Account], int]:
    """Those that somebody may see, the longest unread first, and how many there are. Two statements, or one."""
    rows = unread(Account.objects.visible_to(user), at)
    found = list(rows.select_related("customer", "poll").order_by("poll__read_at", "pk")[: MOST_UNREAD + 1])
    return found[:MOST_UNREAD], len(found) if len(found) <= MOST_UNREAD else rows.count()
