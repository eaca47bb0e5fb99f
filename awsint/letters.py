"""What the letters of kind `aws.` say: to the staff alone, because they name accounts and AWS's own words (A-04)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from awsint import watch_letters
from awsint.models import Account, Hub, Partition, Poll, State
from helpdesk.accounts.models import Customer, User
from helpdesk.outbox.content import Content
from helpdesk.outbox.models import Letter

# When the samples of the previews are written.
AT = datetime(2026, 11, 1, 1, 0, tzinfo=UTC)


def content(letter: Letter, at: datetime) -> Content | None:
    """What the letter says when it leaves; None where the trouble is over, or its reader hears no such thing."""
    number = int(letter.to_key.partition(":")[2] or 0)
    person = User.objects.filter(pk=number, is_active=True, staff_role__in=["lead", "admin"]).first()
    said = _said(letter, at) if person else None
    if person is None or said is None:
        return None
    return Content({"name": person.name, **said}, {person.key: person.name}, automatic=True)


def _said(letter: Letter, at: datetime) -> dict[str, Any] | None:
    if alarm := watch_letters.KINDS.get(letter.kind):
        return alarm(letter.data, at)
    return KINDS[letter.kind](letter.data)


def _unread(data: dict[str, Any]) -> dict[str, Any] | None:
    polls = Poll.objects.select_related("account__customer").exclude(state__in=[State.OK, State.NEW])
    poll = polls.filter(pk=data["account"]).first()
    return _of_poll(poll) if poll else None


def _of_poll(poll: Poll) -> dict[str, Any]:
    account = poll.account
    return {
        "account": account.name,
        "number": account.number,
        "customer": account.customer.name,
        "state": State(poll.state).label,
        "code": poll.code,
        "reason": poll.reason,
        "since": poll.since,
        "read_at": poll.read_at,
        "link": f"{settings.SITE_URL}/aws/accounts/",
    }


def _hub_down(data: dict[str, Any]) -> dict[str, Any] | None:
    hub = Hub.objects.filter(partition=data["partition"], down_since__isnull=False).first()
    return _of_hub(hub) if hub else None


def _of_hub(hub: Hub) -> dict[str, Any]:
    return {
        "partition": Partition(hub.partition).label,
        "code": hub.down_code,
        "reason": hub.down_reason,
        "since": hub.down_since,
        "link": f"{settings.SITE_URL}/aws/accounts/",
    }


KINDS: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]] = {
    "aws.account_unread": _unread,
    "aws.hub_down": _hub_down,
}


def sample(kind: str, language: str) -> tuple[Letter, Content]:
    """A letter that nobody gets, for the previews."""
    name = {"zh-hans": "陈佳", "en": "Tom Ellis"}[language]
    letter = Letter(
        pk=9, kind=kind, to_key="sample", to_address="lead@desk.example", language=language, zone="Asia/Shanghai",
        created_at=AT,
    )  # fmt: skip
    return letter, Content({"name": name, **_sample_said(kind, language)}, {"sample": name}, automatic=True)


def _sample_said(kind: str, language: str) -> dict[str, Any]:
    if alarm := watch_letters.sample_of(kind, language, AT):
        return alarm
    if kind == "aws.hub_down":
        return _of_hub(Hub(partition="aws", down_since=AT, down_code="AccessDenied", down_reason=""))
    customer = Customer(name={"zh-hans": "远帆物流", "en": "Meridian Foods"}[language])
    account = Account(
        customer=customer, number="111122223333", name={"zh-hans": "生产账户", "en": "Production"}[language]
    )
    return _of_poll(Poll(account=account, state=State.ACCESS_DENIED, code="AccessDenied", since=AT))
