"""Colleagues called by name in an internal note: "@Ana Costa", "@李敏" or by the beginning of their address, "@limin".

Found in the rendered text and not in its source, so that code and links call nobody. Names are those of the desk; any
other @word is just text. Who is called is kept by number beside the message; the name stays as it was written.
"""

import html
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

import regex

from helpdesk.accounts.models import User
from tickets import notify
from tickets.models import Follow, Mention, Message, Ticket

if TYPE_CHECKING:
    from tickets.deed import Deed

# A note that calls more than these calls a meeting.
MOST = 20
MOST_COLLEAGUES = 1000
AT = "@＠"
# A tag, or text up to the next one.
PIECE = regex.compile(r"<[^>]*>|[^<]+")
SILENT = ("code", "pre", "a")
KNOWN = ["name", "email", "language", "zone", "staff_role", "is_active", "is_service", "no_mail"]


def call(message: Message, deed: "Deed") -> list[User]:
    """Marks those called in a note, tells them and lets them follow; returns who may not see the ticket.

    Nothing is asked where there is no @. The writer calls nobody by their own name.
    """
    if not any(sign in message.body for sign in AT):
        return []
    colleagues = list(User.objects.staff().only(*KNOWN)[:MOST_COLLEAGUES])
    marked, found = mark(message.html, colleagues)
    if not found:
        return []
    people = [person for person in found if person.pk != message.author_id][:MOST]
    told = [p for p in people if Ticket.objects.visible_to(p).filter(pk=message.ticket_id).exists()]
    Message.objects.filter(pk=message.pk).update(html=marked)
    message.html = marked
    Mention.objects.bulk_create([Mention(message=message, user=person) for person in told])
    follows = [Follow(ticket_id=message.ticket_id, user=person, at=deed.at) for person in told]
    Follow.objects.bulk_create(follows, ignore_conflicts=True)
    deed.news += [notify.News("ticket.mentioned", (), {"message": message.pk}, to=person) for person in told]
    return [person for person in people if person not in told]


def mark(rendered: str, colleagues: Iterable[User]) -> tuple[str, list[User]]:
    """Rendered text with the names in it marked, and whom they mean, in the order they are called."""
    by_word = names_of(colleagues)
    if not by_word:
        return rendered, []
    longest_first = sorted(by_word, key=len, reverse=True)
    # A Latin name ends where its letters end; nothing stands between Han characters.
    pattern = regex.compile(
        rf"(?<![a-z0-9._%+-])[{AT}](?:{'|'.join(map(regex.escape, longest_first))})(?!(?<=[a-z0-9])[a-z0-9_])",
        regex.IGNORECASE,
    )
    found: dict[int, User] = {}

    def call(match: "regex.Match[str]") -> str:
        found.update((person.pk, person) for person in by_word[match[0][1:].casefold()])
        return f'<span class="mention">{match[0]}</span>'

    return "".join(_pieces(rendered, pattern, call)), list(found.values())


def _pieces(rendered: str, pattern: "regex.Pattern[str]", call: object) -> Iterable[str]:
    silent = 0
    for piece in PIECE.findall(rendered):
        if piece.startswith("<"):
            name = piece.strip("</> ").split(" ", 1)[0]
            if name in SILENT:
                silent += -1 if piece.startswith("</") else 1
            yield piece
        else:
            yield piece if silent else pattern.sub(call, piece)


def names_of(colleagues: Iterable[User]) -> dict[str, list[User]]:
    """What each colleague may be called, as rendered text has it; a name that several have calls them all.

    An address' beginning counts only where it is one person's and nobody's name.
    """
    names: dict[str, list[User]] = defaultdict(list)
    locals_: dict[str, list[User]] = defaultdict(list)
    for person in colleagues:
        names[_written(person.name)].append(person)
        locals_[_written(person.email.partition("@")[0])].append(person)
    alone = {word: people for word, people in locals_.items() if len(people) == 1 and word not in names}
    return {word: people for word, people in {**alone, **names}.items() if word}


def _written(name: str) -> str:
    return html.escape(name, quote=False).casefold()


def suggested(typed: str, ticket: Ticket, *, most: int = 8) -> list[dict[str, str]]:
    """Colleagues whose name, initials or address go with what is typed after an @, and what to write for each."""
    asked = typed.strip().casefold()
    colleagues = list(User.objects.staff().order_by("name", "pk").only(*KNOWN)[:MOST_COLLEAGUES])
    names = [person.name.casefold() for person in colleagues]
    fitting = [person for person in colleagues if _fits(asked, person)]
    seen = [p for p in fitting[: most * 2] if Ticket.objects.visible_to(p).filter(pk=ticket.pk).exists()][:most]
    return [
        {
            "name": person.name,
            "hint": person.email,
            "write": person.name if names.count(person.name.casefold()) == 1 else person.email.partition("@")[0],
        }
        for person in seen
    ]


def _fits(asked: str, person: User) -> bool:
    local = person.email.partition("@")[0].casefold()
    words = regex.split(r"[\s.\-_·]+", person.name.casefold()), regex.split(r"[.\-_+]+", local)
    initials = ["".join(word[:1] for word in each) for each in words]
    return asked in person.name.casefold() or local.startswith(asked) or any(i.startswith(asked) for i in initials)
