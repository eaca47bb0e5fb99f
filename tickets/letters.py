"""What letters about tickets say, read when they leave, through what that reader may see at that instant.

A letter to the customer's side never carries a note, a word that can still be taken back or one that was, and goes to
those alone who still read the ticket; an outsider gets only what was said after they were let in. Where the ticket, the
word or the reader is gone there is nothing to say. `About` is all a letter needs: `load` reads it, `say` makes the
words of it and asks nothing more, so that a preview can bring one of its own (mail_samples.py).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.urls import reverse

from helpdesk import refs, richtext, site
from helpdesk.accounts.models import User
from helpdesk.audit.record import SYSTEM
from helpdesk.outbox.content import Content
from helpdesk.outbox.models import Letter
from helpdesk.outbox.sender import sender
from helpdesk.outbox.threads import chain
from helpdesk.templatetags.desk import for_customer
from sla import clocks
from sla.models import Kind, Priority
from tickets.access import public, readable
from tickets.case_words import CASE_STATUS, voice_of
from tickets.models import Attachment, Message, Participant, Score, Ticket
from tickets.notify import hearers
from tickets.stays import REOPEN_WINDOW

# A mail quotes so much of a message; the rest stands on the ticket's page.
LONGEST = 4000
LONGEST_EARLIER = 400
MOST_EARLIER = 3
MOST_FILES = 20
LINE = 120
# Kinds whose mail says by when something is due, until when it can be reopened, and what it was opened with.
TIMED = ("ticket.received", "ticket.assigned", "ticket.assignment_failed", "ticket.prioritised")
WINDOWED = ("ticket.resolved", "ticket.auto_resolved", "ticket.closing_soon")
WITH_OPENING = ("ticket.assigned", "ticket.assignment_failed", "ticket.shared", "ticket.aws_event")
# What a mail shows of a ticket and of a message.
SHOWN = [
    *(
        "title",
        "status",
        "case_turn",
        "close_reason",
        "merged_into_id",
        "customer__name",
        "requester__name",
        "assigned_to__name",
    ),
    *("priority__code", "priority__label_zh", "priority__label_en"),
]
QUOTED = ["ticket_id", "kind", "body", "html", "at", "said_at", "said_by", "author__name"]
# The director of operations is an address and nobody who logs in; they hear of breaches.
DIRECTOR = "director"


@dataclass(frozen=True)
class About:
    """What a letter is about, as its readers may see it. `people` are those it names, by key."""

    ticket: Ticket
    readers: dict[str, str]
    desk: bool
    people: Mapping[str, str] = field(default_factory=dict)
    message: Message | None = None
    files: list[Attachment] = field(default_factory=list)
    earlier: list[Message] = field(default_factory=list)
    along: list[Message] = field(default_factory=list)
    due: Mapping[str, datetime] = field(default_factory=dict)
    until: datetime | None = None
    priorities: Mapping[str, str] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Said:
    """A message as a mail quotes it: rendered, plain, and its beginning in one line."""

    by: str
    at: datetime
    html: str
    text: str
    line: str
    note: bool = False
    cut: bool = False
    files: list[Attachment] = field(default_factory=list)


def content(letter: Letter, at: datetime) -> Content | None:
    """What a letter about a ticket says at an instant; None where there is nothing to say any more."""
    about = load(letter, at)
    return say(letter, about) if about else None


# --- What it is about ------------------------------------------------------------------------------------------------


def load(letter: Letter, at: datetime) -> About | None:
    """Reads what a letter is about. A fixed number of statements, whatever was said on the ticket."""
    people = _people(letter)
    to = people.get(letter.to_key)
    colleague = to if to and to.is_desk else None
    ticket = _ticket(letter, colleague)
    if ticket is None:
        return None
    since = 0
    if colleague:
        readers = {letter.to_key: colleague.name}
    elif letter.to_key == DIRECTOR:
        readers = _director(letter)
    else:
        readers, since = _customers_readers(letter, ticket)
    if not readers:
        return None
    message, earlier = _words(letter, ticket, colleague, since, at)
    along = _along(letter, ticket, colleague, since, at)
    # A word that may not be read, or not any more, is nothing to write about.
    if "message" in letter.data and message is None:
        return None
    return About(
        ticket=ticket,
        readers=readers,
        desk=bool(colleague) or letter.to_key == DIRECTOR,
        people={key: person.name for key, person in people.items()} | _proposed(letter),
        message=message,
        files=_files(message) if message else [],
        earlier=[word for word in earlier if word not in along],
        along=along,
        **_clocks(letter),
        priorities=_priorities(letter),
        references=chain(letter),
    )


def _people(letter: Letter) -> dict[str, User]:
    """The reader and whoever caused it. One statement, as text: every letter asks it."""
    keys = [letter.to_key, letter.data.get("by", "")]
    numbers = [int(key.partition(":")[2]) for key in keys if key.startswith("user:")]
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, name, staff_role, is_active FROM accounts_user WHERE id = ANY(%s)", [numbers])
        rows = cursor.fetchall()
    people = [User(pk=pk, name=name, staff_role=role, is_active=active) for pk, name, role, active in rows]
    return {person.key: person for person in people}


def _ticket(letter: Letter, colleague: User | None) -> Ticket | None:
    number = refs.number(letter.subject)
    seen = Ticket.objects.visible_to(colleague) if colleague else Ticket.objects.all()
    found: Ticket | None = (
        seen.select_related("customer", "requester", "assigned_to", "priority").only(*SHOWN).filter(pk=number).first()
    )
    return found


def _words(
    letter: Letter, ticket: Ticket, colleague: User | None, since: int, at: datetime
) -> tuple[Message | None, list[Message]]:
    """The word a letter carries, and the last public ones before it, newest first. One statement, two for a colleague.

    A ticket that is new to its reader is told with its opening. Of what was said before, a colleague too gets no more
    than the customer read; `since` is the last message not meant for an outsider among the readers.
    """
    everything, said = _messages(ticket, colleague, at), _messages(ticket, None, at)
    if letter.kind in WITH_OPENING:
        return everything.filter(kind=Message.Kind.OPENING).order_by("pk").first(), []
    number = letter.data.get("message")
    if not number:
        return None, []
    upto = list(said.filter(pk__lte=number, pk__gt=since).order_by("-pk")[: MOST_EARLIER + 1])
    word = upto.pop(0) if upto and upto[0].pk == number else None
    if word is None and colleague:
        word = everything.filter(pk=number).first()
    return word, upto[:MOST_EARLIER]


def _along(letter: Letter, ticket: Ticket, colleague: User | None, since: int, at: datetime) -> list[Message]:
    """What else AWS said in the same breath, before the letter's own word. One statement, none where it is all."""
    others = [number for number in letter.data.get("words", []) if number != letter.data.get("message")]
    found = _messages(ticket, colleague, at).filter(pk__in=others, pk__gt=since).order_by("pk") if others else []
    return list(found)


def _messages(ticket: Ticket, colleague: User | None, at: datetime) -> Any:
    """What was said, as the reader's side may read it; of a merged ticket, what was said there."""
    here = Message.objects.filter(origin=ticket) if ticket.merged_into_id else ticket.messages.all()
    here = here.select_related("author").only(*QUOTED)
    return readable(here, colleague, at) if colleague else public(here, at)


def _files(message: Message) -> list[Attachment]:
    found = Attachment.objects.filter(message=message).only("name", "size")
    return list(found.order_by("created_at", "pk")[:MOST_FILES])


def _customers_readers(letter: Letter, ticket: Ticket) -> tuple[dict[str, str], int]:
    """Those of the letter's readers who still read the ticket, and what the outsiders among them have not read."""
    keys = {letter.to_key, *(reader["key"] for reader in letter.cc)}
    said = letter.data.get("message", 0)
    known = [h for h in hearers(ticket, {"requester": ""}) if h.key in keys and (h.since is None or said > h.since)]
    since = max((h.since for h in known if h.since is not None), default=0)
    return {h.key: h.name for h in known}, max(since, letter.data.get("since", 0))


def _director(letter: Letter) -> dict[str, str]:
    """The director, where the site's settings still name that address and the letter tells of a breach."""
    named = site.current().director_mail.strip().lower() == letter.to_address.lower()
    return {DIRECTOR: ""} if named and letter.kind == "ticket.breached" else {}


def _clocks(letter: Letter) -> dict[str, Any]:
    """When answer and solution are due, and until when it can be reopened, where the letter says so."""
    if letter.kind not in TIMED and letter.kind not in WINDOWED:
        return {}
    known = clocks.of_subjects([letter.subject])[letter.subject]
    if letter.kind in TIMED:
        return {"due": {c.kind: c.due_at for c in known if c.due_at and c.completed_at is None}}
    ended = [c.completed_at for c in known if c.kind == Kind.RESOLUTION and c.completed_at]
    return {"until": max(ended) + REOPEN_WINDOW if ended else None}


def _priorities(letter: Letter) -> dict[str, str]:
    codes = [letter.data[name] for name in ("old", "new") if name in letter.data]
    return {p.code: p.label for p in Priority.objects.filter(code__in=codes)} if codes else {}


def _proposed(letter: Letter) -> dict[str, str]:
    number = letter.data.get("participant")
    found = Participant.objects.filter(pk=number).first() if number else None
    return {"participant": found.email} if found else {}


# --- What it says ----------------------------------------------------------------------------------------------------


def say(letter: Letter, about: About) -> Content:
    """The words of a letter, in the language and zone in use. Asks nothing."""
    message = said(about.message, about.files, LONGEST, desk=about.desk) if about.message else None
    ticket = about.ticket
    context = {
        "ticket": _facts(ticket),
        "link": settings.SITE_URL + reverse("ticket", args=[ticket.ref]),
        "desk": about.desk,
        "by": _by(letter, about),
        "message": message,
        "along": [said(one, [], LONGEST, desk=about.desk) for one in about.along],
        "history": [said(one, [], LONGEST_EARLIER, desk=about.desk) for one in about.earlier],
        "response": about.due.get(Kind.RESPONSE),
        "resolution": about.due.get(Kind.RESOLUTION),
        "until": about.until,
        **_told(letter, about),
    }
    return Content(
        context=context,
        readers=about.readers,
        references=about.references,
        reply_to=ticket.ref,
        # A receipt or a warning is the desk's; what quotes somebody is theirs.
        automatic="message" not in letter.data,
    )


def _facts(ticket: Ticket) -> dict[str, str]:
    return {
        "ref": ticket.ref,
        "title": ticket.title,
        "status": for_customer(ticket),
        "priority": ticket.priority.label,
        "customer": ticket.customer.name,
        "requester": ticket.requester.name,
        "assignee": ticket.assigned_to.name if ticket.assigned_to else "",
        "reason": str(ticket.get_close_reason_display()),
    }


def _by(letter: Letter, about: About) -> str:
    """Who caused it, in a name; the desk itself where it acted on a rule."""
    return about.people.get(letter.data.get("by", SYSTEM.key)) or sender().name


def _told(letter: Letter, about: About) -> dict[str, Any]:
    """What the letter's own codes and numbers mean, by their names; a kind gives what its template asks for."""
    told: dict[str, Any] = {}
    if letter.kind.startswith("ticket.aws_"):
        told = {"case": "", "case_status": "", "case_code": "", "held": False, "old_priority": "", "new_priority": ""}
    if letter.kind in ("ticket.warning", "ticket.breached"):
        told = {"of": ""}
    for name, value in letter.data.items():
        match name:
            case "old" | "new":
                told[f"{name}_priority"] = about.priorities.get(value, value)
            case "into" | "out_of":
                told |= {"other": value, "other_link": settings.SITE_URL + reverse("ticket", args=[value])}
            case "score":
                told["score"] = str(Score(value).label)
            case "participant":
                told["proposed"] = about.people.get("participant", "")
            case "case" | "held" | "of":
                told[name] = value
            case "case_new":
                told |= {"case_code": value, "case_status": str(CASE_STATUS.get(value, value))}
            case "percent":
                told["percent"] = value
            case "kind":
                told["clock"] = value
            case "due" | "breached":
                told[name] = datetime.fromisoformat(value) if value else None
    return told


def said(message: Message, files: Iterable[Attachment], longest: int, *, desk: bool) -> Said:
    """A message as a mail quotes it, up to a sane length."""
    text = shortened(message.body, longest)
    cut = text != message.body
    return Said(
        by=voice_of(message, message.author.name, desk=desk),
        at=message.said_at or message.at,
        html=_rendered(message, text) if cut else message.html,
        text=text + ("…" if cut and longest == LONGEST_EARLIER else ""),
        line=richtext.plain(message.body, LINE),
        note=message.kind == Message.Kind.NOTE,
        cut=cut,
        files=list(files),
    )


def _rendered(message: Message, text: str) -> str:
    # What was said at AWS is no Markdown.
    return richtext.as_typed(text) if message.said_at else richtext.render(text)


def shortened(text: str, longest: int) -> str:
    """The beginning of a text, cut where a line or a word ends; code that was open is closed."""
    if len(text) <= longest:
        return text
    head = text[:longest]
    end = max(head.rfind("\n", longest * 3 // 4), head.rfind(" ", longest * 3 // 4))
    head = (head[:end] if end > 0 else head).rstrip()
    return head + "\n```" if head.count("\n```") + head.startswith("```") & 1 and "```" in head else head
