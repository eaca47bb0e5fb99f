"""The proof that customers were told of an event: which letters each got, who took them, and what came of it.

What the relay took is known by its own answer; whether it was delivered only the provider can say: that stands here on
its word (helpdesk/mail_events.py), for each reader, and nothing says it for them. What nobody took is told as such, and
who was told nothing, or whose letter came back, stands out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from awsint.health_proof import KIND
from awsint.models import AffectedCustomer, HealthEvent
from helpdesk.accounts.masking import customer_names, masks
from helpdesk.accounts.models import User
from helpdesk.outbox import words
from helpdesk.outbox.addresses import bare
from helpdesk.outbox.models import Fate, Letter, Word
from helpdesk.sheets import Cell, Sheet, instant

# The letters by which a customer hears of an event, in the order in which they can come.
KINDS = {
    KIND: _l("The event"),
    "ticket.aws_event_news": _l("News of it"),
    "ticket.answered": _l("A word of ours"),
    "ticket.resolved": _l("Resolved"),
}
# Why somebody was not told, by how their notice stands.
WHY = {
    "nobody": _l("the company has nobody to write to"),
    "silent": _l("its reader does without such letters"),
    "failed": _l("no letter was taken"),
    "waiting": _l("the letter waits for the relay"),
    "told": _l("told"),
    "delivered": _l("told, and delivered"),
    "returned": _l("the letter came back"),
    "nothing": _l("nothing to tell"),
}
STATE = Letter.State
WAITING = (STATE.HELD, STATE.READY, STATE.SENDING, STATE.UNKNOWN)
# Whoever is told nothing for so long stands out, and the leads hear of it.
TELL_WITHIN = timedelta(minutes=10)
# The provider's words after which a reader has it, and after which they do not.
ARRIVED, LOST = (Fate.DELIVERED, Fate.COMPLAINED), (Fate.BOUNCED, Fate.REJECTED, Fate.RETURNED)
BATCH = 500
HIDDEN = "····"


@dataclass(frozen=True)
class Reader:
    """Whom a letter goes to, and the provider's word that counts; None where it has said nothing of them."""

    address: str
    word: Word | None

    @property
    def kind(self) -> str:
        return self.word.kind if self.word else ""


@dataclass(frozen=True)
class Line:
    """A letter, what it is, and whom it goes to."""

    letter: Letter
    what: str
    readers: list[Reader]

    @property
    def has_words(self) -> bool:
        return any(reader.word for reader in self.readers)


@dataclass
class Notice:
    """How a customer was told: the letters, the first first."""

    part: AffectedCustomer
    letters: list[Letter] = field(default_factory=list)

    @property
    def standing(self) -> str:
        """ "told", "delivered" to somebody, "returned" by all; or why not: "nothing" is due, "waiting" for the relay,
        "nobody" to write to, "silent" where no letter was written, "failed"."""
        first = [letter for letter in self.letters if letter.kind == KIND]
        if self.part.told_at:
            return _arrival(first)
        if self.part.ticket is None:
            return "nothing"
        if self.part.trouble:
            return "nobody"
        if any(letter.state in WAITING for letter in first):
            return "waiting"
        if _arrival(first) == "returned":
            return "returned"
        return "failed" if first else "silent"

    @property
    def lines(self) -> list[Line]:
        return [Line(letter, str(KINDS[letter.kind]), readers(letter)) for letter in self.letters]


def _arrival(letters: Iterable[Letter]) -> str:
    """How it stands with what the relay took: one reader who has it is enough, "returned" needs all of them."""
    kinds = {reader.kind for letter in letters if letter.state == STATE.SENT for reader in readers(letter)}
    if kinds & set(ARRIVED):
        return "delivered"
    return "returned" if kinds and kinds <= set(LOST) else "told"


def of_parts(parts: Sequence[AffectedCustomer]) -> dict[int, Notice]:
    """By the part's key. Two statements."""
    found = {part.pk: Notice(part) for part in parts}
    refs = {part.ticket.ref: part for part in parts if part.ticket}
    for letter in (
        Letter.objects.filter(subject__in=list(refs), kind__in=list(KINDS)).prefetch_related("words").order_by("pk")
    ):
        part = refs[letter.subject]
        if letter.customer == part.customer_id:
            found[part.pk].letters.append(letter)
    return found


def readers(letter: Letter) -> list[Reader]:
    """Whom it goes to, those who get a copy included."""
    last = words.last_words(letter.words.all())
    return [Reader(address, last.get(bare(address))) for address in words.readers(letter)]


def delivery(letter: Letter, word: Word | None) -> str:
    """What is known beyond the relay."""
    if word:
        return str(word.get_kind_display())
    return _("no word of delivery from the provider") if letter.state == STATE.SENT else ""


# --- Who was not told ------------------------------------------------------------------------------------------------


def untold(rows: QuerySet[AffectedCustomer], before: datetime) -> QuerySet[AffectedCustomer]:
    """Whose ticket was open by then and who were told nothing, while there is something to tell. By its own index."""
    over = Q(ticket__status__in=["resolved", "closed"])
    return rows.filter(told_at=None, ticket__isnull=False, opened_at__lte=before).exclude(over)


# --- As a file -------------------------------------------------------------------------------------------------------


def sheet(user: User, event: HealthEvent) -> Sheet:
    """A row for each letter and reader, and one for each customer who got none."""
    head = [
        _("Customer"), _("Ticket"), _("Ticket opened"), _("Told"), _("Letter"), _("Channel"), _("To"), _("Written"),
        _("Accepted by the relay"), _("State"), _("Why"), _("Number at the relay"), _("Delivery"),
        _("Delivery at"), _("What the provider says"),
    ]  # fmt: skip
    return Sheet(_("Proof of notice"), head, _rows(user, event))


def _rows(user: User, event: HealthEvent) -> Iterator[list[Cell]]:
    rows = AffectedCustomer.objects.visible_to(user).filter(event=event).select_related("customer", "ticket")
    last = 0
    while parts := list(rows.filter(pk__gt=last).order_by("pk")[:BATCH]):
        names = customer_names(user, [part.customer_id for part in parts])
        for notice in of_parts(parts).values():
            yield from _cells(user, notice, names)
        last = parts[-1].pk


def _cells(user: User, notice: Notice, names: Mapping[UUID, str]) -> Iterator[list[Cell]]:
    part = notice.part
    begin: list[Cell] = [
        names.get(part.customer_id, ""), part.ticket.ref if part.ticket else "", instant(part.opened_at, user.zone),
        instant(part.told_at, user.zone),
    ]  # fmt: skip
    for line in notice.lines:
        letter = line.letter
        for reader in line.readers:
            word = reader.word
            yield [
                *begin, line.what, letter.channel, HIDDEN if masks(user) else reader.address,
                instant(letter.created_at, user.zone), instant(letter.sent_at, user.zone), letter.state, letter.reason,
                letter.provider_id, delivery(letter, word), instant(word.at if word else None, user.zone),
                said(word) if word and not masks(user) else "",
            ]  # fmt: skip
    if not notice.letters:
        yield [*begin, _("no letter"), "", "", "", "", notice.standing, str(WHY[notice.standing]), "", "", "", ""]


def said(word: Word) -> str:
    """The provider's own classes, and what the reader's server answered."""
    return " ".join(part for part in (word.detail, word.said) if part)
