"""What EventBridge pushes of AWS Health: handed to `health.take`, many messages of the inbox at once.

Whoever may put events on our bus may say what they like in them (aws.md, 4.11). `account` is set by AWS and says who
sent it: it has to be the affected account itself, connected, or the one that speaks for its organization. What claims
another's account is refused and listed; what speaks for an organization of an account we do not know is kept, listed as
unknown, and reaches nobody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter

from awsint import health
from awsint.health_payload import Told, Unreadable, of_event
from awsint.inbox import DONE, Outcome, parked, refused
from awsint.models import Account, InboxMessage, Organization, Via

QUEUE = "health"
# With the message that is due so many more are done; in one breath they share statements and letters.
MOST_ALONG = 199
LEASE = timedelta(seconds=180)
State = InboxMessage.State


def take(message: InboxMessage, at: datetime) -> Outcome:
    """Does a message, and with it others that wait. Raises whatever keeps it from being done."""
    along = _along(message, at)
    try:
        outcomes = _take([message, *along], at)
    except Exception:
        # One of them may be why: each is then done by itself.
        _give_back(along, at)
        outcomes = _take([message], at)
        along = []
    _settle(along, outcomes, at)
    return outcomes[message.pk]


ALONG = """
WITH due AS MATERIALIZED (
    SELECT id FROM awsint_inboxmessage
    WHERE queue = %(queue)s AND hub_id = %(hub)s AND state = 'new' AND next_try_at <= %(at)s AND tries = 0
    ORDER BY next_try_at, id LIMIT %(most)s FOR UPDATE SKIP LOCKED)
UPDATE awsint_inboxmessage m SET tries = tries + 1, next_try_at = %(until)s FROM due WHERE m.id = due.id
RETURNING m.*
"""


def _along(message: InboxMessage, at: datetime) -> list[InboxMessage]:
    """Claims others of the same queue, as whoever claims one does (inbox.py), in their order. One statement."""
    given = {"queue": QUEUE, "hub": message.hub_id, "at": at, "until": at + LEASE, "most": MOST_ALONG}
    return sorted(InboxMessage.objects.raw(ALONG, given), key=attrgetter("pk"))


def _give_back(rows: Iterable[InboxMessage], at: datetime) -> None:
    InboxMessage.objects.filter(pk__in=[row.pk for row in rows], state=State.NEW).update(next_try_at=at)


def _settle(rows: Iterable[InboxMessage], outcomes: dict[int, Outcome], at: datetime) -> None:
    """One statement for each outcome there is."""
    by_outcome: dict[Outcome, list[int]] = {}
    for row in rows:
        by_outcome.setdefault(outcomes[row.pk], []).append(row.pk)
    for outcome, numbers in by_outcome.items():
        found = InboxMessage.objects.filter(pk__in=numbers, state=State.NEW)
        found.update(state=outcome.state, reason=outcome.reason, next_try_at=None, done_at=at)


def _take(rows: Sequence[InboxMessage], at: datetime) -> dict[int, Outcome]:
    outcomes: dict[int, Outcome] = {}
    read: dict[int, Told] = {}
    for row in rows:
        try:
            read[row.pk] = of_event(row.body)
        except Unreadable as why:
            outcomes[row.pk] = parked(f"no_event:{why}"[:200])
    hub = rows[0].hub
    known = Senders.of(hub.partition, read.values())
    good: list[Told] = []
    for number, told in read.items():
        reason = known.refuses(told, hub.partition)
        outcomes[number] = refused(reason) if reason else DONE
        if not reason:
            good.append(told)
    health.take(good, via=Via.PUSH, hub=hub, at=at)
    return outcomes


@dataclass
class Senders:
    """Who may speak for whom, of the accounts that some messages name. Two statements."""

    # Of connected accounts, by number: their organization.
    accounts: dict[str, int | None] = field(default_factory=dict)
    # Of organizations, by the account that speaks for them.
    organizations: dict[str, int] = field(default_factory=dict)
    # Accounts of ours that are not proved, or not active.
    others: dict[str, int | None] = field(default_factory=dict)

    @classmethod
    def of(cls, partition: str, messages: Iterable[Told]) -> "Senders":
        numbers = {number for told in messages for number in (told.account, told.sender) if number}
        rows = Account.objects.filter(partition=partition, number__in=numbers)
        organizations = Organization.objects.filter(partition=partition, account_number__in=numbers, is_active=True)
        connected = dict(rows.connected().values_list("number", "organization_id"))
        return cls(
            accounts=connected,
            organizations=dict(organizations.values_list("account_number", "pk")),
            others={k: v for k, v in rows.values_list("number", "organization_id") if k not in connected},
        )

    def refuses(self, told: Told, partition: str) -> str:
        """Why a message is not believed; empty where it is."""
        if told.partition != partition:
            return "partition"
        if told.sender in self.organizations:
            own = self.accounts.get(told.account, self.others.get(told.account))
            speaks = told.account not in self.accounts or own in (None, self.organizations[told.sender])
            return "" if speaks or told.account == told.sender else "organization"
        if told.sender not in self.accounts:
            return "account"
        return "" if told.account in ("", told.sender) else "account"
