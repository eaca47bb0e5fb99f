"""One action under way on a locked ticket: it gathers what happened and writes it at the end, in lock order.

Whatever a verb does to an existing ticket goes through here, so that status, history, clocks, columns and letters are
written together and in one order: Ticket, Clock, Load, outbox.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from helpdesk import richtext
from helpdesk.accounts.models import User, key_of
from helpdesk.accounts.permissions import Doer
from helpdesk.audit.models import Entry
from helpdesk.audit.record import SYSTEM, Happening, record
from helpdesk.kept import insert, kept, update
from helpdesk.outbox.enqueue import Hold
from sla import clocks
from sla.ringing import Rung
from tickets import assigning, attaching, ladder, loads, notify, search, stays
from tickets.access import readable
from tickets.models import AssignmentDecision, Files, Message, Source, Ticket
from tickets.workflow import Conflict, Crossed, move, stuck, undo

# Far future: a ticket without a due time stands last in the queue, and the sort key is never null.
NO_DUE = datetime.fromisoformat("9999-01-01T00:00:00+00:00")
# The columns that follow the history, whatever an action changes.
KEPT = ["sla_due_at", "due_kind", "queue_at", "wake_at", "last_event_at"]
# So long the desk can take a public word back.
UNDO = timedelta(seconds=15)


@dataclass
class Deed:
    """One action under way on a locked ticket: gathers what happened and writes it at the end, in lock order."""

    ticket: Ticket
    by: Doer
    at: datetime
    happenings: list[Happening] = field(default_factory=list)
    news: list[notify.News] = field(default_factory=list)
    changed: dict[str, Any] = field(default_factory=dict)
    held: Message | None = None
    word: Message | None = None
    before: loads.Weight = field(init=False)
    decided: AssignmentDecision | None = None
    worked: bool = False

    def __post_init__(self) -> None:
        self.before = loads.Weight.of(self.ticket)

    @classmethod
    def begin(cls, ticket: Ticket, by: Doer, at: datetime) -> "Deed":
        """Locks the ticket, as it stands now, and fixes the instant. One that was merged takes no writes: Conflict."""
        found = _locked(ticket.pk)
        if not found:
            raise Ticket.DoesNotExist
        locked = found[0]
        if locked.merged_into_id:
            raise Conflict(locked, stuck(locked))
        return cls(locked, by, max(at.replace(microsecond=0), locked.last_event_at))

    @property
    def person(self) -> User:
        """Who acts, where only a person can: the desk itself writes and assigns nothing by hand."""
        if not isinstance(self.by, User):
            raise TypeError("the desk itself cannot do this")
        return self.by

    def check_read(self, last_seen: int | None) -> None:
        """Raises Crossed where somebody else wrote after the newest message that the writer has read."""
        if last_seen is None:
            return
        others = self.ticket.messages.filter(pk__gt=last_seen).exclude(author=self.person)
        if readable(others, self.person, self.at).exists():
            raise Crossed(self.ticket, _("Somebody wrote while you were writing. Read it, then send yours again."))

    def say(
        self, kind: str, body: str, files: Files = (), *, silent: bool = False, until: datetime | None = None
    ) -> Message:
        """Writes a message with its files and, unless `silent`, its history line and the fact for the clocks.

        `until` is when a word of the desk reaches the customer; what else this action does can be taken back with it.
        """
        until = until if self.by.is_desk else None
        message = say(self.ticket, kind, body, by=self.person, at=self.at, until=until)
        attaching.bind(message, files, by=self.person)
        self.held = message if until else self.held
        self.word = message if kind == Message.Kind.REPLY else self.word
        if not silent:
            self.happen(_said(message, self.person))
        return message

    def move(self, verb: str, version: int | None = None, **columns: Any) -> None:
        moved = move(self.ticket, verb, by=self.by, version=version, **columns)
        if self.held:
            moved.happening.data["said"] = self.held.pk
        self.happen(moved.happening)
        self.worked = self.by.is_desk
        if moved.verb.hears:
            # The words that go with the step: an outsider hears of nothing else.
            said: dict[str, Any] = {"message": self.word.pk} if self.word else {}
            self.tell(moved.verb.action, *moved.verb.hears, **said)

    def undo(self, entry: Entry, action: str, **columns: Any) -> None:
        """Takes back the step that `entry` wrote."""
        data = undo(self.ticket, [entry], **columns)
        self.happen(Happening(action, data | {"undone": entry.pk}, ["undo", entry.pk], public=True))

    def take_over(self) -> None:
        """Whoever starts an unassigned ticket has it."""
        if self.ticket.assigned_to_id is None and self.by.is_desk:
            self.assign(self.person, "")

    def assign(self, to: User | None, reason: str) -> None:
        old = self.ticket.assigned_to_id
        self.ticket.assigned_to = self.changed["assigned_to"] = to
        data: dict[str, Any] = {"old": key_of(old) if old else None, "to": to.key if to else None}
        if reason.strip():
            data["message"] = self.say(Message.Kind.NOTE, reason, silent=True).pk
        self.decided = assigning.by_hand(self.ticket, to=to, by=self.person, reason=data.get("message"))
        self.happen(Happening("ticket.assigned", data, ["assigned"] if to else None))

    def happen(self, happening: Happening) -> None:
        self.happenings.append(happening)

    def tell(self, kind: str, *hearers: str, guard: str = "", **data: Any) -> None:
        self.news.append(notify.News(kind, hearers, data, guard=guard))

    def finish(self) -> Ticket:
        """Writes history, clocks, columns and letters; returns the ticket as it stands."""
        ticket = self.ticket
        if not self.happenings:
            return ticket
        record(self.happenings, by=self.by, at=self.at, subject=ticket.ref, customer=ticket.customer_id)
        rung = self._reckon() if any(h.fact for h in self.happenings) else Rung()
        # It counts what people and programs wrote: whoever looks at the page need not look again for a timer's step.
        ticket.version += isinstance(self.by, User)
        ticket.last_event_at = self.at
        update(ticket, [*KEPT, "version", *self.changed])
        loads.keep(self.weighed(), at=self.at, decided=self.decided)
        hold = Hold(self.held.released_at, held_for(self.held)) if self.held else None
        notify.tell(ticket, self.news, by=self.by, at=self.at, hold=hold)
        ladder.tell(ticket, rung, at=self.at)
        return ticket

    def look(self) -> Rung:
        """Looks at the clocks though nobody did anything: writes, and returns, what they have to say by now."""
        rung = self._reckon()
        if rung.breaches or rung.warnings:
            self.ticket.last_event_at = self.at
        update(self.ticket, KEPT)
        ladder.tell(self.ticket, rung, at=self.at)
        return rung

    def _reckon(self) -> Rung:
        """Reckons the clocks again and the columns that follow them, and writes into the history what they say."""
        ticket = self.ticket
        told = clocks.recompute(ticket.ref, terms=ticket.terms, report=report(ticket), at=self.at)
        keep_due(ticket, told.clocks)
        stays.keep(ticket, told.since)
        record(ladder.happenings(told.rung), by=SYSTEM, at=self.at, subject=ticket.ref, customer=ticket.customer_id)
        return told.rung

    def weighed(self) -> loads.Change:
        """What it makes of loads."""
        ticket = self.ticket
        worked = (ticket.customer_id, self.person.pk) if self.worked else None
        given_to = self.decided.winner_id if self.decided else None
        return loads.Change(self.before, loads.Weight.of(ticket), given_to, worked)


@kept
def _locked(number: int) -> "QuerySet[Ticket]":
    return Ticket.objects.select_for_update().filter(pk=number)


def _said(message: Message, by: User) -> Happening:
    who = "engineer" if by.is_desk else "customer"
    if message.kind == Message.Kind.NOTE:
        return Happening("ticket.noted", {"message": message.pk}, ["reply", who, "internal"])
    return Happening("ticket.replied", {"message": message.pk}, ["reply", who], public=True)


def held_for(message: Message) -> str:
    """What letters wait for that a message can still take back."""
    return f"message:{message.pk}"


def say(
    ticket: Ticket,
    kind: str,
    body: str,
    *,
    by: User,
    at: datetime,
    source: str = Source.WEB,
    until: datetime | None = None,
) -> Message:
    message = Message(
        ticket=ticket,
        kind=kind,
        author=by,
        by_desk=by.is_desk,
        source=source,
        body=body,
        html=richtext.render(body),
        at=at,
        released_at=until or at,
    )
    insert([message])
    search.index([message])
    return message


def keep_due(ticket: Ticket, stopwatches: list[Any]) -> None:
    due = clocks.next_due(stopwatches)
    ticket.sla_due_at, ticket.due_kind = due or (None, "")
    ticket.queue_at = ticket.sla_due_at or NO_DUE


def report(ticket: Ticket) -> clocks.Report:
    return clocks.Report(
        customer=ticket.customer_id,
        priority=ticket.priority_id,
        category=ticket.category,
        source=ticket.source,
        engineer=key_of(ticket.assigned_to_id) if ticket.assigned_to_id else "",
    )
