"""What happened on a ticket, in order: messages and, between them, one line per event of the history.

One audience filter serves page, export and whatever comes later: a customer's timeline is made of public entries and
messages that are no notes, and nothing else is read for it. History stores keys and codes; names are looked up here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from helpdesk.accounts.models import StaffRole, User, key_of
from helpdesk.audit.models import Entry
from helpdesk.kept import kept
from oncall.families import FAMILIES
from sla.models import Kind
from sla.models.register import Reason, Why
from sla.words import Words
from tickets import attaching, tagging
from tickets.access import messages_visible_to, people_of
from tickets.case_words import CASE_STATUS, voice_of
from tickets.models import CloseReason, Message, Score, Source, Status, Ticket
from tickets.pauses import Why as Struck

# What codes are called that are no rows.
CODES = {s.value: s.label for s in [*Status, *Source, *CloseReason, *Score, *Kind]}
# Instants, which JSON holds as text.
INSTANTS = ("due", "breached")
# A service has a key of its own: its codes are words that mean something else elsewhere ("billing").
SERVICES = ("service", "old_service")
# So have the words about a breach, and those of AWS about a case.
KEYED_WORDS: dict[str, dict[Any, Any]] = {
    "why": dict(Why.choices),
    "excuse": dict(Reason.choices),
    "struck": dict(Struck.choices),
    "case_old": CASE_STATUS,
    "case_new": CASE_STATUS,
}
# One after another by the same person in the same hour is one line, which counts.
COUNTED = ("ticket.resources_ticked", "ticket.resources_unticked")
TOGETHER = timedelta(hours=1)
# These say that a message was written: the message itself stands in the timeline.
SHOWN_AS_MESSAGE = ["ticket.replied", "ticket.noted", "ticket.aws_said", "ticket.aws_shown"]


@dataclass(frozen=True)
class Line:
    """One event, ready for its template: names and labels instead of keys and codes."""

    at: datetime
    action: str
    actor: str
    data: dict[str, Any]

    @property
    def template(self) -> str:
        return f"history/{self.action}.html"


@dataclass
class Item:
    """A message, or the events between two messages."""

    kind: str
    at: datetime
    message: Message | None = None
    author: str = ""
    lines: list[Line] = field(default_factory=list)


def entries_visible_to(user: User, ticket: Ticket) -> list[Entry]:
    """The ticket's history as far as this person may read it. One statement."""
    return _entries(ticket.ref, desk=user.is_desk)


@kept
def _entries(subject: str, *, desk: bool) -> "QuerySet[Entry]":
    found = Entry.objects.filter(subject=subject).order_by("at", "id")
    return found if desk else found.filter(audience="public")


def timeline(
    ticket: Ticket, viewer: User, words: Words, entries: list[Entry] | None = None, *, at: datetime
) -> list[Item]:
    """Messages and history in one order: a message before the events of its own second.

    Everybody named is read at once, the ticket's requester and assignee among them. Three statements, two where the
    caller has read the entries visible to this viewer already.
    """
    messages = _said(ticket.pk, at, desk=viewer.is_desk, merged=bool(ticket.merged_into_id))
    entries = entries_visible_to(viewer, ticket) if entries is None else entries
    told = [e for e in entries if e.action not in SHOWN_AS_MESSAGE]
    if not viewer.is_desk:
        told = _with_held(told, entries, messages)
    if not viewer.is_desk:
        # What a reply brought with it shows when the reply does, and never where that was taken back.
        read = {None, *(m.pk for m in messages)}
        told = [e for e in told if e.data.get("said") in read]
    names = _names(ticket, messages, told)
    lines = _lines(told, names, words.labels | CODES)
    dated = [(m.at, 0 if m.kind == "opening" else 1, m) for m in messages] + [(x.at, 2, x) for x in lines]
    items: list[Item] = []
    for when, _rank, one in sorted(dated, key=lambda d: d[:2]):
        _add(items, when, one, names, viewer)
    return items


@kept
def _said(number: int, at: datetime, *, desk: bool, merged: bool) -> "QuerySet[Message]":
    ticket = Ticket(pk=number, merged_into_id=number if merged else None)
    viewer = User(staff_role=StaffRole.ENGINEER if desk else None)
    return messages_visible_to(viewer, ticket, at).annotate(files=attaching.hung())


def _with_held(told: list[Entry], entries: list[Entry], messages: Iterable[Message]) -> list[Entry]:
    """With lines where AWS said something that an engineer reads first: its customer is told that much."""
    read = {m.pk for m in messages}
    held = {e.pk for e in entries if e.action == "ticket.aws_said" and e.data["message"] not in read}
    shown = {e.pk for e in told}
    return [e for e in entries if e.pk in shown | held] if held else told


def _add(items: list[Item], at: datetime, one: Message | Line, names: dict[str, str], viewer: User) -> None:
    if isinstance(one, Message):
        author = voice_of(one, names[key_of(one.author_id)], desk=viewer.is_desk)
        items.append(Item("message", at, one, author))
    elif items and items[-1].kind == "history":
        _add_line(items[-1].lines, one)
    else:
        items.append(Item("history", at, lines=[one]))


def _add_line(lines: list[Line], one: Line) -> None:
    last = lines[-1]
    together = last.action == one.action and last.actor == one.actor and one.at - last.at <= TOGETHER
    if one.action in COUNTED and together:
        one = Line(one.at, one.action, one.actor, one.data | {"count": last.data["count"] + one.data["count"]})
        lines.pop()
    lines.append(one)


def _lines(entries: list[Entry], names: dict[str, str], labels: dict[str, str]) -> list[Line]:
    tags = tagging.words_of(n for e in entries if e.action == "ticket.tagged" for n in _tags_in(e.data))

    def line(entry: Entry) -> Line:
        data = worded(entry.data, names, labels)
        if entry.action == "ticket.tagged":
            data = {name: [tags[n] for n in numbers if n in tags] for name, numbers in data.items()}
        return Line(entry.at, entry.action, names.get(entry.actor, _("the desk")), data)

    return [line(e) for e in entries]


def _tags_in(data: dict[str, Any]) -> list[int]:
    return [*data["added"], *data["removed"]]


def _names(ticket: Ticket, messages: Iterable[Message], entries: Iterable[Entry]) -> dict[str, str]:
    keys = {k for e in entries for k in (e.actor, e.data.get("to"), e.data.get("old")) if isinstance(k, str)}
    numbers = {int(k.removeprefix("user:")) for k in keys if k.startswith("user:")} | {m.author_id for m in messages}
    found = people_of(ticket, numbers)
    return {key_of(n): found[n].name if n in found else _("erased person") for n in numbers}


def worded(data: dict[str, Any], names: dict[str, str], labels: dict[str, Any]) -> dict[str, Any]:
    """What a line of history says, with names, labels and instants in place of keys, codes and texts."""

    def word(value: Any) -> Any:
        return names.get(value) or labels.get(value) or value if isinstance(value, str) else value

    def told(key: str, value: Any) -> Any:
        if key in INSTANTS:
            return datetime.fromisoformat(value) if value else None
        if key in KEYED_WORDS:
            return KEYED_WORDS[key].get(value, value)
        return FAMILIES.get(value, value) if key in SERVICES else word(value)

    return {key: told(key, value) for key, value in data.items()}
