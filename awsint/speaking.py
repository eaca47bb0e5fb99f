"""What a reading says on the desk: the words of a case in its ticket's timeline, its status, and the letters of both.

What we sent ourselves comes back with AWS's time on it: it is linked to what was written here, and not said again. The
first time an account is read its cases bring their past along, and nobody gets a letter about that.
"""

from collections.abc import Sequence
from typing import Any

from awsint import case_files, echoes, filing, mapping
from awsint.models import CaseLink, Change, Communication, Setting, SupportCase, Via
from awsint.reading import Reading
from helpdesk.audit.record import SYSTEM
from helpdesk.outbox.models import Letter
from tickets import aws, rewording
from tickets.aws import AwsWords, CaseTurn
from tickets.models import Ticket


def ticket_of(case: SupportCase) -> Ticket | None:
    """The ticket that a case is about now: the newest, and where that was merged, the one that survived."""
    link = case.links.select_related("ticket").order_by("-pk").first()
    ticket = link.ticket if link else None
    while ticket and ticket.merged_into:
        ticket = ticket.merged_into
    return ticket


def ref_of(case: SupportCase) -> str:
    ticket = ticket_of(case)
    return ticket.ref if ticket else ""


def tell(
    reading: Reading, case: SupportCase, fresh: Sequence[Communication], *, old: str, changes: Sequence[Change]
) -> None:
    """Says what is new of a case on its ticket, which is opened where there is none, and counts whom that told.

    `old` is the status it had, empty for a new case. An archived case has no ticket and says nothing.
    """
    if case.archived or not changes:
        return
    echoes.mark(case, fresh)
    ticket = ticket_of(case) or _our_own(case, reading)
    before = _newest_letter(ticket) if ticket else 0
    words = [word for word in fresh if not word.ref]
    if ticket is None:
        ticket = _open(case, words, old, reading)
    elif old and mapping.verb(old, case.status):
        # What is said when a case is opened again belongs to the ticket that goes on.
        ticket = _reopen(ticket, case, old, reading)
        _say(ticket, case, words, reading)
    else:
        _say(ticket, case, words, reading, turn=_turn_of(ticket, case, old))
    _count(changes, ticket, before)


def _our_own(case: SupportCase, reading: Reading) -> Ticket | None:
    """The ticket from which we opened this very case, linked with it from now on."""
    ticket = echoes.ticket_of(case)
    if ticket:
        CaseLink.objects.get_or_create(case=case, ticket=ticket, defaults={"linked_at": reading.at})
    return ticket


def _open(case: SupportCase, fresh: Sequence[Communication], old: str, reading: Reading) -> Ticket:
    """A ticket for a case that has none; what was known of it before is told to nobody anew."""
    new = {word.pk for word in fresh}
    past = list(Communication.objects.filter(case=case, ref="").exclude(pk__in=new)) if old else []
    words = sorted([*past, *fresh], key=lambda word: (word.created_at, word.ordinal, word.pk))
    held = notice_only(case)
    first = words[0] if words else None
    quiet = reading.via == Via.FIRST
    ticket = filing.open_for(case, first, held=held, quiet=quiet, at=reading.at)
    if first and first.message:
        first.save(update_fields=["message"])
        words = words[1:]
    _say(ticket, case, [word for word in words if word.pk not in new], reading, quiet=True)
    _say(ticket, case, [word for word in words if word.pk in new], reading, quiet=quiet)
    if past:
        case_files.hang(case)
    return ticket


def _say(
    ticket: Ticket,
    case: SupportCase,
    words: Sequence[Communication],
    reading: Reading,
    *,
    turn: CaseTurn | None = None,
    quiet: bool = False,
) -> None:
    """Words, and with them the case's new status, in one letter a side."""
    if not words and not turn:
        return
    held = bool(words) and notice_only(case)
    told = [
        AwsWords(
            body=word.body,
            submitted_by=word.submitted_by,
            at=word.created_at,
            by_aws=word.by_aws,
            automatic=word.automatic,
            held=held and word.by_aws,
        )
        for word in words
    ]
    messages = aws.say(ticket=ticket, words=told, turn=turn, quiet=quiet, by=SYSTEM, at=reading.at)
    for word, message in zip(words, messages, strict=True):
        word.message = message
    if words:
        Communication.objects.bulk_update(words, ["message"])


def _turn_of(ticket: Ticket, case: SupportCase, old: str) -> CaseTurn | None:
    if old in ("", case.status):
        return None
    return CaseTurn(case.display_id, old, case.status, who_acts(ticket))


def _reopen(ticket: Ticket, case: SupportCase, old: str, reading: Reading) -> Ticket:
    """The ticket that goes on: another one, linked with the case too, where that was closed meanwhile."""
    goes_on = aws.turned(
        ticket=ticket,
        display_id=case.display_id,
        old=old,
        new=case.status,
        who_acts=who_acts(ticket),
        by=SYSTEM,
        at=reading.at,
    )
    if goes_on.pk != ticket.pk:
        CaseLink.objects.get_or_create(case=case, ticket=goes_on, defaults={"linked_at": reading.at})
    return goes_on


def who_acts(ticket: Ticket) -> str:
    """Whose turn it is by all cases of a ticket."""
    known = SupportCase.objects.filter(links__ticket=ticket, gone_at=None)
    return mapping.who_acts(known.values_list("status", flat=True))


def notice_only(case: SupportCase) -> bool:
    """Whether an engineer of ours reads AWS's words before the customer does."""
    return Setting.objects.filter(customer=case.account.customer_id, notice_only=True).exists()


def reword(reading: Reading, word: Communication) -> None:
    """AWS changed a text: so does what stands in the timeline, and the history says so."""
    if word.message and not word.ref:
        rewording.reword(message=word.message, body=word.body, by=SYSTEM, at=reading.at)


def _newest_letter(ticket: Ticket) -> int:
    return Letter.objects.filter(subject=ticket.ref).order_by("-pk").values_list("pk", flat=True).first() or 0


def _count(changes: Sequence[Change], ticket: Ticket, before: int) -> None:
    """Notes at each change on which ticket it stands and how many letters told of it; one may tell of several."""
    letters = list(Letter.objects.filter(subject=ticket.ref, pk__gt=before).values_list("kind", "data"))
    for change in changes:
        change.ticket = ticket.ref
        change.told = sum(_tells(change, kind, data) for kind, data in letters)


def _tells(change: Change, kind: str, data: dict[str, Any]) -> bool:
    word = change.communication
    match change.what:
        case Change.What.CASE:
            return kind == "ticket.received"
        case Change.What.STATUS:
            return data.get("case_new") == change.new
        case Change.What.COMMUNICATION if word and kind == "ticket.aws_said":
            # A notice only says how many, and not which.
            return word.message_id in data.get("words", []) or (word.by_aws and bool(data.get("held")))
    return False
