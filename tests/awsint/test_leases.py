"""Who reads which account when: the longest unread first, nobody twice, and nobody waits for one that fails."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import transaction

from awsint import leases, notices
from awsint.leases import Lease, Stale
from awsint.models import Account, Hub, Poll
from awsint.shapes import AwsError, ClockSkew, Denied, NoPlan, Throttled
from helpdesk.outbox.content import content_of
from helpdesk.outbox.models import Letter
from tests.cast import Cast

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def account(cast: Cast) -> Callable[..., Account]:
    def make(number: int, **more: object) -> Account:
        told = {"customer": cast.acme, "proved_at": NOON, "created_at": NOON, "name": f"account {number}"} | more
        arn = f"arn:aws:iam::{number:012}:role/PartnerSupportSync"
        return Account.objects.create(number=f"{number:012}", role_arn=arn, external_id=f"x{number}", **told)

    return make


def numbers(found: list[Lease]) -> list[str]:
    return [one.account.number[-1] for one in found]


def later(minutes: float) -> datetime:
    return NOON + minutes * MINUTE


def test_a_connected_account_is_due_at_once_and_only_that(account: Callable[..., Account], cast: Cast) -> None:
    account(1)
    account(2, is_active=False)
    account(3, proved_at=None)
    cast.globex.is_active = False
    cast.globex.save()
    account(4, customer=cast.globex)
    assert leases.enrol(NOON) == 1
    assert leases.enrol(NOON) == 0
    assert numbers(leases.claim(9, NOON)) == ["1"]


def test_the_longest_unread_comes_first_and_nobody_is_given_twice(account: Callable[..., Account]) -> None:
    for number in (1, 2, 3):
        account(number)
    leases.enrol(NOON)
    assert numbers(leases.claim(2, NOON)) == ["1", "2"]
    assert numbers(leases.claim(2, NOON)) == ["3"]
    assert leases.claim(2, NOON) == []
    # Whoever held the first two is dead: they come back, before what was begun later.
    Poll.objects.update(next_at=NOON)
    Poll.objects.filter(account__number__endswith="3").update(started_at=NOON + MINUTE)
    assert numbers(leases.claim(2, later(3.1))) == ["1", "2"]


def test_a_quiet_account_is_read_every_ten_minutes_give_or_take_one(account: Callable[..., Account]) -> None:
    account(1)
    leases.enrol(NOON)
    started = []
    # The schedule looks each minute.
    for minute in range(300):
        for lease in leases.claim(1, later(minute)):
            assert leases.done(lease, later(minute), whole=False, finished=True)
            started.append(minute)
    gaps = [after - before for before, after in pairwise(started)]
    assert len(gaps) >= 27
    assert all(9 <= gap <= 11 for gap in gaps)


def test_whoever_lost_the_lease_writes_nothing(account: Callable[..., Account]) -> None:
    account(1)
    leases.enrol(NOON)
    (stalled,) = leases.claim(1, NOON)
    (other,) = leases.claim(1, later(3))
    with pytest.raises(Stale), transaction.atomic():
        leases.hold(stalled)
    assert not leases.done(stalled, later(3), whole=True, finished=True)
    assert not leases.failed(stalled, Denied("AccessDenied"), later(3))
    with transaction.atomic():
        leases.hold(other)
    assert leases.done(other, later(3), whole=True, finished=True)
    assert Poll.objects.get().state == "OK"


@pytest.mark.parametrize(
    ("error", "waits"),
    [(Throttled("ThrottlingException"), [10, 20, 40, 80, 160, 320, 360, 360]), (NoPlan("Subscription"), [1440, 1440])],
)
def test_whoever_fails_is_tried_ever_later(account: Callable[..., Account], error: AwsError, waits: list[int]) -> None:
    account(1)
    leases.enrol(NOON)
    at = NOON
    for wait in waits:
        (lease,) = leases.claim(1, at)
        assert leases.failed(lease, error, at)
        poll = Poll.objects.get()
        assert abs((poll.next_at - at) / MINUTE - wait) <= 0.5
        assert (poll.state, poll.since, poll.read_at) == (error.kind, NOON, None)
        at = poll.next_at
    (lease,) = leases.claim(1, at)
    assert leases.done(lease, at, whole=True, finished=True)
    poll.refresh_from_db()
    assert (poll.state, poll.failures, poll.since, poll.reason, poll.read_at) == ("OK", 0, None, "", at)


def test_leads_are_told_once_of_each_trouble(account: Callable[..., Account], cast: Cast) -> None:
    account(1)
    leases.enrol(NOON)
    denied = Denied("AccessDenied", "arn:aws:iam::000000000001:role/x may not")
    for minute in (0, 10, 30):
        (lease,) = leases.claim(1, later(minute + 0.5))
        leases.failed(lease, denied, later(minute))
        notices.unread(lease.poll.pk, later(minute))
    (letter,) = Letter.objects.all()
    assert (letter.kind, letter.to_key) == ("aws.account_unread", cast.lee.key)
    told = content_of(letter, later(30))
    assert told
    assert (told.context["number"], told.context["code"]) == ("000000000001", "AccessDenied")
    (lease,) = leases.claim(1, later(80))
    leases.done(lease, later(80), whole=True, finished=True)
    assert content_of(letter, later(80)) is None
    # Trouble anew is told anew; a passing one only when it comes a second time.
    for minute in (100, 120):
        (lease,) = leases.claim(1, later(minute))
        leases.failed(lease, Throttled("ThrottlingException"), later(minute))
        assert notices.unread(lease.poll.pk, later(minute)) == (minute == 120)
    assert Letter.objects.count() == 2


def test_a_broken_hub_is_one_trouble_and_no_accounts(account: Callable[..., Account]) -> None:
    Hub.objects.create(partition="aws", account_number="9" * 12, region="us-east-1", principal_arn="a", created_at=NOON)
    for number in (1, 2):
        account(number)
    account(3, partition="aws-cn")
    leases.enrol(NOON)
    (first,) = leases.claim(1, NOON)
    leases.blameless(first, NOON)
    assert notices.hub_down("aws", ClockSkew("RequestExpired"), NOON) == 1
    assert notices.hub_down("aws", ClockSkew("RequestExpired"), NOON) == 0
    assert (Poll.objects.get(pk=first.poll.pk).failures, Poll.objects.get(pk=first.poll.pk).state) == (0, "NEW")
    assert notices.hubs_down() == {"aws"}
    assert numbers(leases.claim(9, NOON, without={"aws"})) == ["3"]
    assert numbers(leases.claim(1, NOON, only="aws")) == ["2"]
    assert notices.hub_works("aws")
    assert not notices.hub_works("aws")
    assert notices.hubs_down() == set()
