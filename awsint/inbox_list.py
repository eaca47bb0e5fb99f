"""/aws/inbox: the messages that came, as their reader may see them, and how the queues stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Left
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from awsint import sources
from awsint.models import Account, Hub, InboxMessage, QueueState
from awsint.wishes import ROWS, Wish, choice, digits, number, word
from helpdesk.accounts.masking import aws_name, aws_number, masks
from helpdesk.accounts.models import User

SHOWN = 2000
State = InboxMessage.State
# What became of a message, by the first word of its `reason`.
REASONS = {
    "not_json": _l("It is no event: nothing of it could be read."),
    "no_event": _l("It is an event of a kind that nobody here knows."),
    "account": _l("No account with this number is connected in this partition."),
    "case": _l("The case belongs to another account than the one that tells of it."),
    "organization": _l("The account belongs to another organization than the one that tells of it."),
    "partition": _l("It tells of an event in another partition than the queue’s."),
    "unknown": _l("AWS knows no such case in this account."),
    "tries": _l("The worker ended in the middle of it five times."),
    "failed": _l("The case could not be read:"),
}
TO_REPLAY = (State.PARKED, State.REFUSED)


@dataclass(frozen=True)
class Asked(Wish):
    state: str = ""
    queue: str = ""
    q: str = ""

    @classmethod
    def read(cls, get: Mapping[str, str]) -> "Asked":
        return cls(
            state=choice(get, "state", State.values),
            queue=choice(get, "queue", sources.HANDLERS),
            q=word(get, "q"),
            after=word(get, "after"),
        )


@dataclass(frozen=True)
class Line:
    message: InboxMessage
    account: str
    number: str
    reason: str
    detail: str
    body: str
    may_replay: bool


def visible_to(user: User) -> QuerySet[InboxMessage]:
    """The messages of accounts that somebody may see; what names none of ours is for leads, administrators and, without
    its text, auditors."""
    if user.sees_every_customer or user.staff_role == "auditor":
        return InboxMessage.objects.all()
    return InboxMessage.objects.filter(account_number__in=Account.objects.visible_to(user).values("number"))


def page(user: User, wish: Asked) -> tuple[list[Line], str]:
    """The newest messages and the way to further ones. Two statements, one where there is none."""
    rows = visible_to(user).select_related("hub").defer("body").annotate(begin=Left("body", SHOWN + 1))
    if wish.state:
        rows = rows.filter(state=wish.state)
    if wish.queue:
        rows = rows.filter(queue=wish.queue)
    if wish.q and not masks(user):
        rows = rows.filter(account_number=digits(wish.q)) if digits(wish.q) else rows.filter(key=wish.q)
    if (last := number(wish.after)) is not None:
        rows = rows.filter(pk__lt=last)
    found = list(rows.order_by("-pk")[: ROWS + 1])
    kept = found[:ROWS]
    names = _names(kept)
    further = wish.link(after=str(kept[-1].pk)) if len(found) > ROWS else ""
    return [_line(user, message, names) for message in kept], further


def _names(messages: list[Any]) -> dict[tuple[str, str], Account]:
    numbers = {message.account_number for message in messages if message.account_number}
    found = Account.objects.filter(number__in=numbers) if numbers else []
    return {(account.partition, account.number): account for account in found}


def _line(user: User, message: Any, names: dict[tuple[str, str], Account]) -> Line:
    account = names.get((message.hub.partition, message.account_number))
    code, _colon, detail = message.reason.partition(":")
    told = message.begin
    return Line(
        message=message,
        account=aws_name(user, account.pk, account.name) if account else "",
        number=aws_number(user, message.account_number) if message.account_number else "",
        reason=str(REASONS.get(code, "")),
        detail=detail,
        body="" if masks(user) else told if len(told) <= SHOWN else f"{told[:SHOWN]} …",
        may_replay=message.state in TO_REPLAY,
    )


@dataclass(frozen=True)
class QueueLine:
    """How a queue of a hub stands."""

    hub: Hub
    queue: str
    state: QueueState | None
    has_dead: bool

    @property
    def word(self) -> str:
        if self.state is None:
            return _("nobody receives from it yet")
        return _("does not answer") if self.state.trouble else _("answers")

    @property
    def verdict(self) -> str:
        return "grey" if self.state is None else "bad" if self.state.trouble else "good"


def queues() -> list[QueueLine]:
    """Every queue and its state. Two statements."""
    known = {(state.hub_id, state.queue): state for state in QueueState.objects.all()}
    return [
        QueueLine(one.hub, one.name, known.get((one.hub.pk, one.name)), bool(one.dead_url)) for one in sources.sources()
    ]
