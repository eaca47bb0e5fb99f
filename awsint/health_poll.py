"""Reads AWS Health every 15 minutes, because push is best effort: what it missed is found here (aws.md, 4.7 and 5).

A feed is an organization, asked by whoever speaks for it, or an account by itself: one outside any organization, or in
AWS China, which knows no organization view. Breadth first: what changed, each event's own words, so that tickets and
letters leave within seconds; then whom it affects, of those the ones we know; then their resources. AWS's clock alone
says from where to read on, an hour before the newest update that was read; nothing is skipped because it was seen.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from awsint import calls as call_log
from awsint import client, health
from awsint.client import HealthApi
from awsint.health_payload import PUBLIC, SPECIFIC, Entity, Told, of_api
from awsint.health_state import NEVER
from awsint.models import (
    Account,
    AffectedAccount,
    HealthEvent,
    HealthReading,
    Organization,
    Partition,
    Round,
    Via,
)
from awsint.shapes import AwsError, Calls

log = logging.getLogger(__name__)
KIND = "health"
EVERY = timedelta(minutes=settings.HEALTH_POLL_MINUTES)
OVERLAP = timedelta(minutes=60)
# After a failover the other region may lack what this one had told.
AFTER_FAILOVER = timedelta(hours=24)
RETENTION = timedelta(days=90)
RECONCILE_EVERY = timedelta(hours=24)
LEASE = timedelta(minutes=10)
LONGEST_WAIT = timedelta(hours=6)
# A task of django-q2 takes feeds for so long and leaves the rest to the next.
BITE = timedelta(seconds=60)
MOST_PAIRS = 500
# Tickets of so many parts are opened together.
AT_ONCE = 50
Clock = Callable[[], datetime]


# --- Which feeds there are -------------------------------------------------------------------------------------------


def enrol(at: datetime) -> int:
    """A reading for each feed that has none; those that are no longer a feed go. Returns how many are new."""
    organizations = Organization.objects.filter(is_active=True).exclude(partition=Partition.CHINA)
    single = alone()
    new = [HealthReading(organization=one, next_at=at) for one in organizations.filter(health_reading=None)]
    new += [HealthReading(account=one, next_at=at) for one in single.filter(health_reading=None)]
    HealthReading.objects.bulk_create(new, ignore_conflicts=True)
    gone = HealthReading.objects.exclude(organization__in=organizations).exclude(account__in=single)
    gone.delete()
    return len(new)


def alone() -> QuerySet[Account]:
    """Connected accounts that no organization's view tells of."""
    found: QuerySet[Account] = Account.objects.connected().filter(
        Q(organization=None) | Q(organization__is_active=False) | Q(partition=Partition.CHINA)
    )
    return found


# --- The round -------------------------------------------------------------------------------------------------------


def bite(clock: Clock, beat: Callable[[], None] = lambda: None) -> Round | None:
    """Reads feeds that are due, for a minute; None where none was. Whoever is left is the next task's."""
    begun = clock()
    due = HealthReading.objects.filter(next_at__lte=begun).count()
    heart: Round | None = None
    while clock() - begun < BITE:
        reading = _lease(clock())
        if reading is None:
            break
        heart = heart or Round.objects.create(kind=KIND, started_at=begun, due=due)
        _read(reading, clock, heart)
        beat()
    if heart:
        heart.ended_at = clock()
        heart.save()
    return heart


@transaction.atomic
def _lease(at: datetime) -> HealthReading | None:
    """Takes the feed that has waited longest; nobody else gets it until it is read or ten minutes are over."""
    free = Q(leased_until=None) | Q(leased_until__lte=at)
    due = HealthReading.objects.filter(free, next_at__lte=at).order_by("next_at", "pk")
    found = due.select_for_update(skip_locked=True).values_list("pk", flat=True).first()
    if found is None:
        return None
    HealthReading.objects.filter(pk=found).update(leased_until=at + LEASE, started_at=at)
    return HealthReading.objects.select_related("organization", "account").get(pk=found)


def _read(reading: HealthReading, clock: Clock, heart: Round) -> None:
    made, at = Calls(), clock()
    try:
        feed = Feed.of(reading, made, at)
        found = feed.read(at)
        heart.read, heart.changed = heart.read + 1, heart.changed + found.events
        _succeeded(reading, feed, clock())
    except AwsError as error:
        heart.failed += 1
        _failed(reading, error, clock())
    except Exception as error:
        log.exception("health reading %s failed", reading.pk)
        heart.failed += 1
        _failed(reading, AwsError(type(error).__name__, str(error)), clock())
    finally:
        call_log.store(made)


def _succeeded(reading: HealthReading, feed: "Feed", at: datetime) -> None:
    """The mark moves after everything up to it is kept."""
    reading.watermark = max(filter(None, [reading.watermark, feed.newest]), default=None)
    reading.read_at, reading.next_at, reading.leased_until = at, at + EVERY, None
    reading.failures, reading.code, reading.reason, reading.endpoint = 0, "", "", feed.api.region
    if feed.whole:
        reading.reconciled_at = at
    reading.save()


def _failed(reading: HealthReading, error: AwsError, at: datetime) -> None:
    HealthReading.objects.filter(pk=reading.pk).update(
        failures=F("failures") + 1,
        code=error.code[:80],
        reason=error.text[:2000],
        leased_until=None,
        next_at=at + min(EVERY * 2 ** min(reading.failures, 5), LONGEST_WAIT),
    )


# --- One feed --------------------------------------------------------------------------------------------------------

Pair = tuple[str, str]


@dataclass
class Feed:
    """One reading of a feed. `ours` are the connected accounts it may tell of, by number; `whole`: all of 90 days."""

    api: HealthApi
    reading: HealthReading
    ours: set[str]
    via: str = Via.POLL
    newest: datetime | None = None
    whole: bool = False
    # What AWS did not describe, and has to be asked again.
    missing: list[Pair] = field(default_factory=list)

    @classmethod
    def of(cls, reading: HealthReading, made: Calls, at: datetime) -> "Feed":
        if reading.organization:
            ours = Account.objects.connected().filter(organization=reading.organization)
            place = reading.organization.place
        else:
            assert reading.account is not None
            ours, place = Account.objects.filter(pk=reading.account.pk), reading.account.place
        api = client.health(place, made, at=at, organization=bool(reading.organization))
        via = Via.POLL if reading.read_at else Via.FIRST
        return cls(api, reading, set(ours.values_list("number", flat=True)), via)

    def read(self, at: datetime) -> health.Taken:
        since = self._since(at)
        self.whole = since is None
        changed = list(self.api.events(since))
        self.newest = max((told.updated_at for told in changed if told.updated_at), default=None)
        listed = {told.arn: told for told in changed}
        stale = self._stale(listed, at)
        taken = self._words(self._unknown(listed), at)
        self._parts(listed.values(), stale, taken, at)
        self._expire(stale, at)
        return taken

    def _since(self, at: datetime) -> datetime | None:
        """From where to read: None for all that there is, each night and where a feed is new."""
        reading = self.reading
        if reading.watermark is None or reading.reconciled_at is None or at - reading.reconciled_at >= RECONCILE_EVERY:
            return None
        failed_over = reading.endpoint and reading.endpoint != self.api.region
        return reading.watermark - (AFTER_FAILOVER if failed_over else OVERLAP)

    def _unknown(self, listed: dict[str, Told]) -> list[Told]:
        """What is not kept yet as it stands: the rest was told before."""
        known = dict(HealthEvent.objects.filter(arn__in=listed).values_list("arn", "updated_at"))
        return [told for arn, told in listed.items() if known.get(arn) is None or known[arn] != told.updated_at]

    def _stale(self, listed: dict[str, Told], at: datetime) -> list[str]:
        """Events of this feed that are open with us and were not listed: they are described again."""
        ours = Q(accounts__number__in=self.ours) | Q(scope=PUBLIC, partition=self._partition)
        # A public one is many feeds' business: one of them asks.
        waiting = Q(described_at=None) | Q(described_at__lte=at - EVERY / 2) | ~Q(scope=PUBLIC)
        rows = HealthEvent.objects.current().filter(ours, waiting).exclude(arn__in=listed).distinct()
        return list(rows.order_by("described_at", "pk").values_list("arn", flat=True)[:MOST_PAIRS])

    @property
    def _partition(self) -> str:
        return self.api.aws.place.partition

    # Breadth first

    def _words(self, listed: Sequence[Told], at: datetime) -> health.Taken:
        """What public events say; and that the others are there, before anybody is asked whom they touch."""
        public = [(told.arn, "") for told in listed if told.scope == PUBLIC]
        described, missing = self.api.details(public)
        self.missing += [(one.arn, one.account) for one in missing]
        have = {told.arn for told in described}
        plain = [replace(told, account="") for told in listed if told.arn not in have]
        return health.take([*described, *plain], via=self.via, at=at)

    def _parts(self, listed: Iterable[Told], stale: Sequence[str], taken: health.Taken, at: datetime) -> None:
        """Each of our accounts' part in the others: AWS's words, then its resources."""
        pairs = [pair for told in listed if told.scope != PUBLIC for pair in self._touched(told)]
        pairs += self._known(stale)
        for begin in range(0, len(pairs), AT_ONCE):
            described, missing = self.api.details(pairs[begin : begin + AT_ONCE])
            self.missing += [(one.arn, one.account) for one in missing]
            self._take(described, taken, at)

    def _touched(self, told: Told) -> list[Pair]:
        """Whom of ours a listed event affects, but those whose part is known as it stands; each night all of them."""
        affected = set(self.api.accounts(told.arn))
        self._list_unknown(told, affected - self.ours)
        mine = affected & self.ours
        if not self.whole:
            rows = AffectedAccount.objects.filter(event__arn=told.arn, head__updated_at=told.updated_at or NEVER)
            mine -= set(rows.exclude(entities_as_of=None).values_list("number", flat=True))
        return [(told.arn, number) for number in sorted(mine)]

    def _known(self, arns: Sequence[str]) -> list[Pair]:
        """The parts of events that were not listed, as we know them."""
        rows = AffectedAccount.objects.filter(event__arn__in=arns, event__scope=SPECIFIC, number__in=self.ours)
        public = HealthEvent.objects.filter(arn__in=arns, scope=PUBLIC).values_list("arn", flat=True)
        return [*rows.values_list("event__arn", "number"), *((arn, "") for arn in public)]

    def _list_unknown(self, told: Told, numbers: set[str]) -> None:
        """Accounts that are not connected are listed, and reach nobody."""
        event = HealthEvent.objects.filter(arn=told.arn).first()
        if event and numbers:
            rows = [
                AffectedAccount(event=event, number=one, status=told.status, updated_at=told.updated_at, newest="")
                for one in sorted(numbers)
            ]
            AffectedAccount.objects.bulk_create(rows, ignore_conflicts=True)

    def _take(self, described: Sequence[Told], taken: health.Taken, at: datetime) -> None:
        """AWS's words with the resources, so that both are told in one letter; where the resources cannot be had, the
        words alone. A change of resources alone is found each night, or by push."""
        wanted = {(told.arn, told.account): told for told in described if told.scope == SPECIFIC}
        try:
            found = self.api.entities(list(wanted))
        except AwsError:
            self._add(taken, health.take(described, via=self.via, at=at))
            raise
        both = [_with(told, found.get((told.arn, told.account), [])) for told in described]
        self._add(taken, health.take(both, via=self.via, at=at))
        for told in wanted.values():
            row = AffectedAccount.objects.filter(event__arn=told.arn, number=told.account)
            row.update(entities_as_of=told.updated_at)

    def _expire(self, stale: Sequence[str], at: datetime) -> None:
        """What AWS did not describe any more and is 90 days old is over; what it forgets sooner is asked again."""
        gone = {arn for arn, _account in self.missing}
        for event in HealthEvent.objects.current().filter(arn__in=stale):
            if event.arn in gone and event.updated_at and at - event.updated_at >= RETENTION:
                health.expire(event, at=at)
                health.tell_of(event, at=at)
        HealthEvent.objects.filter(arn__in=stale).update(described_at=at)

    @staticmethod
    def _add(taken: health.Taken, more: health.Taken) -> None:
        taken.events, taken.messages = taken.events + more.events, taken.messages + more.messages
        taken.told += more.told


def _with(told: Told, entities: Sequence[Entity]) -> Told:
    if not entities:
        return told
    text, more = told.description, told.metadata
    return of_api(told.raw, account=told.account, description=text, metadata=more, entities=entities)


def raise_due(at: datetime) -> int:
    """Changes that come nearer, and what is suppressed until now, are decided again; returns how many events were."""
    events = list(HealthEvent.objects.current().order_by("pk"))
    for event in events:
        health.weigh_again(event, via=Via.POLL, at=at)
        health.tell_of(event, at=at)
    return len(events)
