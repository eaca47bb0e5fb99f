"""`Support Case Update`: a hint that something happened on a case, and nothing more (aws.md, 1.6).

Whoever may put events on our bus may say what they like in them. So the account has to be one that we read in this
very partition, and the case that account's own; then the truth is read from AWS. A hint of another's account or case
is refused and listed. Of several hints about one case, all but the first are done when they were received before that
reading began.
"""

import re
import threading
from datetime import datetime
from typing import Any

from awsint import cases
from awsint.inbox import DONE, Later, Outcome, event_of, parked, refused
from awsint.models import Account, InboxMessage, Poll, SupportCase, Via

DETAIL = "Support Case Update"
SOURCE = "aws.support"
CASE = re.compile(r"[A-Za-z0-9_-]{1,120}")
# The number of the account stands in the number of its case.
OWNER = re.compile(r"case-([0-9]{12})-")
# AWS tells of a new case a moment before it can be read.
LOOKS = 3
MOST_KNOWN = 10_000


class NotThereYet(Later):
    """AWS does not know the case, or not yet; or the account's first reading, which brings it, is not over."""


class _Read:
    """When this process began to read a case the last time."""

    def __init__(self) -> None:
        self.lock, self.at = threading.Lock(), dict[tuple[int, str], datetime]()

    def since(self, key: tuple[int, str], at: datetime) -> bool:
        with self.lock:
            return key in self.at and self.at[key] >= at

    def note(self, key: tuple[int, str], at: datetime) -> None:
        with self.lock:
            if len(self.at) >= MOST_KNOWN:
                self.at.clear()
            self.at[key] = at


_read = _Read()


def take(message: InboxMessage, at: datetime) -> Outcome:
    """Reads the case that a message hints at. Raises AwsError, NotThereYet."""
    event = event_of(message.body) or {}
    detail = event.get("detail")
    case_id = detail.get("case-id") if isinstance(detail, dict) else None
    if event.get("source") != SOURCE or event.get("detail-type") != DETAIL or not _is_case(case_id):
        return parked("no_event")
    account = _account(message, event.get("account"))
    if account is None:
        return refused("account")
    if _is_anothers(account, str(case_id)):
        return refused("case")
    return _look(message, account, str(case_id), at)


def _is_case(case_id: Any) -> bool:
    return isinstance(case_id, str) and bool(CASE.fullmatch(case_id))


def _account(message: InboxMessage, number: object) -> Account | None:
    if not message.account_number or number != message.account_number:
        return None
    ours = Account.objects.connected().filter(partition=message.hub.partition, number=number)
    account: Account | None = ours.select_related("customer").first()
    return account


def _is_anothers(account: Account, case_id: str) -> bool:
    owner = OWNER.match(case_id)
    if owner and owner[1] != account.number:
        return True
    return SupportCase.objects.filter(case_id=case_id).exclude(account=account).exists()


def _look(message: InboxMessage, account: Account, case_id: str, at: datetime) -> Outcome:
    key = (account.pk, case_id)
    if not Poll.objects.filter(account=account, first_at__isnull=False).exists():
        # The first reading brings the past along, and nobody gets a letter about that.
        if message.tries < LOOKS:
            raise NotThereYet
        return DONE
    if _read.since(key, message.received_at):
        return DONE
    synced = cases.read_case(account, case_id, via=Via.PUSH, at=at)
    if not synced.known:
        if message.tries < LOOKS:
            raise NotThereYet
        return refused("unknown")
    _read.note(key, at)
    return DONE
