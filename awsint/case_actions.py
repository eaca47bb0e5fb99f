"""The verbs towards AWS: open a case from a ticket, answer on one, resolve it. Each writes what leaves and its letter.

Nothing is sent here: the rows say word for word what will leave, and the pulse sends them (sending.py). What cannot be
right is refused at its field while somebody still looks at the form; what AWS refuses later stands on the message.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from awsint import seen, splitting, tags
from awsint.models import Account, Communication, Outgoing, State, SupportCase
from awsint.sending import CHANNEL
from helpdesk.accounts.models import User
from helpdesk.outbox.enqueue import Draft, enqueue
from helpdesk.outbox.models import Letter
from helpdesk.text import TITLE
from tickets import aws_out
from tickets.deed import Deed
from tickets.models import Files, Message, Ticket
from tickets.workflow import Refused

VERB = Outgoing.Verb
MOST_SUBJECT = 250
MOST_CC = 10


@dataclass(frozen=True)
class Wanted:
    """What a new case is opened with, in AWS's codes."""

    service: str
    category: str
    severity: str
    language: str
    issue_type: str = "technical"
    cc: tuple[str, ...] = ()


@dataclass(frozen=True)
class AtAws:
    """Where a letter of the channel goes, as an outbox wants it."""

    key: str
    language: str = "en"
    zone: str = "UTC"
    email: str = ""


@transaction.atomic(savepoint=False)
def open_case(
    *,
    ticket: Ticket,
    account: Account,
    subject: str,
    body: str,
    wanted: Wanted,
    files: Files = (),
    by: User,
    at: datetime,
) -> list[Outgoing]:
    """Opens a case about a ticket; of a text longer than AWS takes the rest follows as answers. Raises Refused."""
    deed = aws_out.begin(ticket=ticket, by=by, at=at)
    _may_write(account, deed.ticket)
    if account.severities and wanted.severity not in account.severities:
        raise Refused("severity", _("The account does not offer this severity. Choose another."))
    if not subject.strip():
        raise Refused("subject", _("Give the case a title: AWS lists it by it."))
    if len(wanted.cc) > MOST_CC:
        raise Refused("cc", _("AWS takes at most 10 addresses in copy."))
    message = aws_out.word(deed, body=_text(body), files=files)
    aws_out.wanted(deed, account=account.number, message=message.pk)
    deed.finish()
    parts = splitting.parts_of(message.body)
    first = _write(deed, VERB.CREATE, account, None, message, parts, 0, by=by)
    first.subject = f"{subject.strip()[: min(TITLE, MOST_SUBJECT) - len(first.tag) - 1]} {first.tag}"
    for name, value in vars(wanted).items():
        setattr(first, name, list(value) if name == "cc" else value)
    first.save()
    rest = [
        _write(deed, VERB.REPLY, account, None, message, parts, n, by=by, opening=first) for n in range(1, len(parts))
    ]
    return [first, *rest]


@transaction.atomic(savepoint=False)
def answer(
    *,
    ticket: Ticket,
    case: SupportCase,
    body: str = "",
    message: Message | None = None,
    files: Files = (),
    by: User,
    at: datetime,
) -> list[Outgoing]:
    """Says something on a case: words written for AWS, or a message of the ticket as it stands. Raises Refused."""
    deed = aws_out.begin(ticket=ticket, by=by, at=at)
    _may_write(case.account, deed.ticket)
    _linked(case, deed.ticket)
    if case.gone_at:
        raise Refused("case", _("AWS no longer knows this case. Open a new one."))
    if message is None:
        message = aws_out.word(deed, body=_text(body), files=files)
    else:
        message = aws_out.chosen(deed, message)
    aws_out.asked(deed, case=str(case), message=message.pk)
    # Whoever answers AWS has read what it said.
    unseen = Communication.objects.filter(case=case, by_aws=True, seen_at=None).values_list("pk", flat=True)
    seen.mark(list(unseen), how=Communication.SeenBy.REPLY, by=by, at=deed.at)
    deed.finish()
    parts = splitting.parts_of(message.body)
    return [_write(deed, VERB.REPLY, case.account, case, message, parts, number, by=by) for number in range(len(parts))]


@transaction.atomic(savepoint=False)
def resolve_case(*, ticket: Ticket, case: SupportCase, by: User, at: datetime) -> Outgoing:
    """Resolves a case at AWS: asked for alone, and never a consequence of what happens to the ticket."""
    deed = aws_out.begin(ticket=ticket, by=by, at=at, closed=True)
    _may_write(case.account, deed.ticket)
    _linked(case, deed.ticket)
    if not case.is_open:
        raise Refused("case", _("The case is resolved at AWS already."))
    aws_out.closing(deed, case=str(case))
    deed.finish()
    return _write(deed, VERB.RESOLVE, case.account, case, None, [""], 0, by=by)


def _may_write(account: Account, ticket: Ticket) -> None:
    if account.customer_id != ticket.customer_id or not account.is_active:
        raise Refused("account", _("This account is not connected for the ticket's customer."))
    if not account.may_write:
        raise Refused(
            "account",
            _("The role of this account only lets us read. Give it the read-write template, or use AWS's console."),
        )
    state = account.poll.state if hasattr(account, "poll") else State.NEW
    if state == State.NO_PLAN:
        raise Refused(
            "account",
            _("The account has no support plan with an API: the case must be opened by hand in AWS's console."),
        )
    if state == State.ACCESS_DENIED:
        raise Refused("account", _("AWS denies us the account at the moment. Its page says how to mend that."))


def _linked(case: SupportCase, ticket: Ticket) -> None:
    if not case.links.filter(ticket=ticket).exists():
        raise Refused("case", _("This case does not belong to the ticket."))


def _text(body: str) -> str:
    if not body.strip():
        raise Refused("body", _("Write what AWS shall read."))
    return body


def _write(
    deed: Deed,
    verb: str,
    account: Account,
    case: SupportCase | None,
    message: Message | None,
    parts: Sequence[str],
    number: int,
    *,
    by: User,
    opening: Outgoing | None = None,
) -> Outgoing:
    """One row of what leaves, with its letter: the letter's number makes the tag."""
    ticket, at = deed.ticket, deed.at
    data: dict[str, Any] = {"ref": ticket.ref, "by": by.key, "part": number + 1, "parts": len(parts)}
    if message:
        data["message"] = message.pk
    reader = AtAws(f"aws:{account.partition}:{account.number}")
    (letter,) = enqueue(
        [Draft(f"aws.{verb}", reader, data, channel=CHANNEL)], at=at, subject=ticket.ref, customer=ticket.customer_id
    )
    tag = _tag(verb, ticket, letter, number)
    text = splitting.numbered(parts[number], number + 1, len(parts))
    return Outgoing.objects.create(
        letter=letter,
        verb=verb,
        account=account,
        case=case,
        opening=opening,
        ticket=ticket,
        message=message,
        by=by,
        tag=tag,
        part=number + 1,
        parts=len(parts),
        body=f"{text}\n\n{tag}" if tag else "",
        created_at=at,
    )


def _tag(verb: str, ticket: Ticket, letter: Letter, number: int) -> str:
    if verb == VERB.RESOLVE:
        return ""
    return (
        tags.of_case(ticket.pk, letter.pk) if verb == VERB.CREATE else tags.of_answer(ticket.pk, letter.pk, number + 1)
    )
