"""What is wrong with the watch over AWS itself, told to the leads: each trouble once, until it is over.

The pulse looks every minute, which is another process than those it watches. Six things are looked at: accounts that
nobody could read for twenty minutes, a poll or a push that is silent, messages of AWS that nobody has seen for too
long, messages and dead letters of a queue that nobody could work off, regions in which push misses what the poll of
AWS Health finds, customers who were not told of an event. What is new of one kind goes into one letter.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from awsint import health_letters, health_missed, rounds, sources, unseen_list
from awsint.models import Account, AffectedCustomer, Alarm, InboxMessage, Poll, QueueState, Round
from awsint.notices import hubs_down, leads
from helpdesk.outbox.enqueue import Draft, enqueue

UNREAD, SILENT, UNSEEN, STUCK = "aws.accounts_late", "aws.job_silent", "aws.unseen", "aws.stuck"
MISSED, UNTOLD = "aws.health_missed", "aws.health_untold"
# A customer who could not be told is looked at for so long.
LOOKED_BACK = timedelta(days=7)
# Whoever receives says how its queues stand every minute.
PUSH_SILENT_AFTER = timedelta(minutes=10)
# So many of one kind are looked at; a letter names the first of them.
MOST = 500


def watch(at: datetime) -> int:
    """Tells what is newly wrong, and forgets what is over; returns how many letters were written."""
    told = 0
    of_health = ((MISSED, health_missed.regions(at)), (UNTOLD, untold(at)))
    for kind, wrong in ((UNREAD, late(at)), (SILENT, silent(at)), (UNSEEN, unseen(at)), (STUCK, stuck()), *of_health):
        told += _settle(kind, wrong, at)
    return told


@transaction.atomic
def _settle(kind: str, wrong: Collection[str], at: datetime) -> int:
    """Two statements where nothing is new."""
    open_ones = Alarm.objects.filter(kind=kind, over_at=None)
    known = set(open_ones.values_list("key", flat=True))
    if over := known - set(wrong):
        open_ones.filter(key__in=over).update(over_at=at)
    if not (new := [key for key in wrong if key not in known]):
        return 0
    # Another pulse may be as fast: whose row is in tells.
    rows = Alarm.objects.bulk_create([Alarm(kind=kind, key=key, at=at) for key in new], ignore_conflicts=True)
    mine = Alarm.objects.filter(kind=kind, over_at=None, at=at, key__in=[row.key for row in rows])
    if not (keys := sorted(mine.values_list("key", flat=True))):
        return 0
    drafts = [Draft(kind, person, data={"keys": keys}) for person in leads()]
    return len(enqueue(drafts, at=at, subject=f"aws:{kind.partition('.')[2]}"))


# --- What is wrong ---------------------------------------------------------------------------------------------------


def late(at: datetime) -> list[str]:
    """Accounts unread for twenty minutes, but for those whose own trouble was told already, and where the poll or a
    hub is to blame: that is told instead. Two statements."""
    if silent_jobs(at) & {"support"}:
        return list(Alarm.objects.filter(kind=UNREAD, over_at=None).values_list("key", flat=True))
    rows = rounds.unread(Account.objects.all(), at).filter(Q(poll=None) | Q(poll__told_at=None))
    rows = rows.exclude(partition__in=hubs_down()).order_by("pk")
    return [str(pk) for pk in rows.values_list("pk", flat=True)[:MOST]]


def silent(at: datetime) -> list[str]:
    return sorted(silent_jobs(at))


def silent_jobs(at: datetime) -> set[str]:
    """The jobs that do not run though there is work for them: "support", "push"."""
    found = {"support"} if _poll_is_silent(at) else set()
    return found | ({"push"} if _push_is_silent(at) else set())


def _poll_is_silent(at: datetime) -> bool:
    """Accounts have been due for longer than the promise, and no run has begun meanwhile."""
    before = at - rounds.GAP
    ran = Round.objects.filter(kind="support", started_at__gt=before).exists()
    if ran:
        return False
    connected = Account.objects.connected()
    due = Poll.objects.filter(account__in=connected, next_at__lt=before).exists()
    return due or connected.filter(poll=None, proved_at__lt=before).exists()


def _push_is_silent(at: datetime) -> bool:
    """A queue that is named was not heard for ten minutes; one that never was, since somebody tried."""
    before = at - PUSH_SILENT_AFTER
    named = {(one.hub.pk, one.name) for one in sources.sources()}
    if not named:
        return False
    states = {(state.hub_id, state.queue): state for state in QueueState.objects.all()}
    heard = [states[key].heard_at for key in named if key in states]
    return any(moment is None or moment < before for moment in heard)


def unseen(at: datetime) -> list[str]:
    rows = unseen_list.late(unseen_list.unseen(), at).order_by("detected_at", "pk")
    return [str(pk) for pk in rows.values_list("pk", flat=True)[:MOST]]


def stuck() -> list[str]:
    """Parked messages, and dead ones: a queue with any is one trouble."""
    parked = InboxMessage.objects.filter(state=InboxMessage.State.PARKED).order_by("-pk").values_list("pk", flat=True)
    dead = QueueState.objects.filter(dead__gt=0).values_list("hub_id", "queue")
    return [str(pk) for pk in parked[:MOST]] + [f"{hub}:{name}" for hub, name in dead]


def untold(at: datetime) -> list[str]:
    """Customers whose ticket about an event has been open for ten minutes and whom no letter has reached."""
    rows = AffectedCustomer.objects.filter(opened_at__gt=at - LOOKED_BACK)
    found = health_letters.untold(rows, at - health_letters.TELL_WITHIN).order_by("opened_at", "pk")
    return [str(pk) for pk in found.values_list("pk", flat=True)[:MOST]]
